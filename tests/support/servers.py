"""A real server process that can be stopped, started, and made to die at the worst moment."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn

from service.app import create_app
from service.pages.layout import ASSETS
from service.settings import Settings
from tests.support.keys import key_for
from tests.support.processes import Program, start


def serve(line: Connection, database: str, port: int, dies: str, changes: Sequence[tuple[str, str, str]]) -> None:
    """Serve a database. While the file `dies` is there, the process ends itself by SIGKILL when it has recorded a
    meeting and is about to answer. `changes` are made in scripts before they are given out: asset, old, new."""
    for name, old, new in changes:
        assert old in ASSETS[name].decode()
        ASSETS[name] = ASSETS[name].replace(old.encode(), new.encode())
    key = f"{database.removeprefix('sqlite:///')}.pem"
    app = create_app(Settings(database=database, checkpoint_key=key, register_key=str(key_for(database))))

    async def mortal(scope: Any, receive: Any, send: Any) -> None:
        async def answered(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 201 and Path(dies).exists():
                Path(dies).unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await app(scope, receive, answered if scope["type"] == "http" and scope["method"] == "POST" else send)

    uvicorn.run(mortal, host="127.0.0.1", port=port, log_level="error", access_log=False)


class Server:
    """A server process at one address; `stop` kills it, `start` starts another one there."""

    def __init__(self, database: str, home: Path, changes: Sequence[tuple[str, str, str]] = ()) -> None:
        self._database = database
        self._dies = home / "dies"
        self._changes = changes
        self._program: Program | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it can be reached."""
        self.stop()
        self._program = start(serve, self._database, self.port, str(self._dies), self._changes)
        while not self._can_be_reached():
            assert self._program.process.is_alive()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once."""
        if self._program:
            self._program.kill()
            self._program = None

    def die_before_answering(self) -> None:
        """Let it die when it has recorded the next write, before it says so."""
        self._dies.touch()

    @property
    def has_died(self) -> bool:
        """Whether it ended by itself."""
        return self._program is not None and not self._program.process.is_alive()

    def _can_be_reached(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

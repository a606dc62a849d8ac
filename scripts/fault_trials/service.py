"""A copy of the service at one port: started, killed, frozen and started again there."""

import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scripts.benchmarks.workshop import SERVE, Program, Workshop, free_port, until_answered

ALTERED = (sys.executable, "-m", "scripts.fault_trials.altered")
"""The same program with a guard taken away; its name follows, then `serve` and so on."""


class Service:
    """Entered and left like a file: runs from the first answer on, and is ended whatever state it is in."""

    def __init__(self, shop: Workshop, database_url: str, command: Sequence[str] = SERVE, **settings: str) -> None:
        self.port = free_port()
        self._shop = shop
        self._command = command
        self._settings = {"MICROFUND_DATABASE": database_url, **settings}
        self._life = ExitStack()
        self._program: Program | None = None

    def __enter__(self) -> "Service":
        self.start()
        self.until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self._life.close()

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._program
        return self._program.process.pid

    def start(self) -> None:
        """Start it, and wait for nothing."""
        self._program = self._life.enter_context(self._shop.started(self._command, port=self.port, **self._settings))

    def until_ready(self) -> None:
        """Wait until it says that it is ready."""
        assert self._program
        until_answered(self._program, "/readyz")

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        assert self._program
        self._program.process.kill()
        self._program.process.wait()
        self._life.close()

    def stop(self) -> None:
        """Let it finish what it does."""
        self._life.close()

    def freeze(self) -> None:
        """Stop it in the middle of what it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._program and self._program.process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)

    def ready(self, patience_seconds: float = 15) -> tuple[int, Any]:
        """What `/readyz` answers: status and body, or 0 and why there was no answer."""
        return ask(self.port, "GET", "/readyz", seconds=patience_seconds)[:2]


def ask(
    port: int,
    method: str,
    path: str,
    body: object = None,
    headers: dict[str, str] | None = None,
    *,
    seconds: float = 15,
) -> tuple[int, Any, dict[str, str]]:
    """One request on a connection of its own: status, body and headers; status 0 and why where no answer came."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        sent = {"Content-Type": "application/json", **(headers or {})}
        asking.request(method, path, None if body is None else json.dumps(body), sent)
        answer = asking.getresponse()
        said = answer.read()
        told = {name.lower(): value for name, value in answer.getheaders()}
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error), {}
    finally:
        asking.close()
    return answer.status, json.loads(said) if "json" in told.get("content-type", "") else said, told


def seconds_of_an_interpreter() -> float:
    """What `python -c pass` takes on this machine now: the measure of how long a start is."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], os.environ), 0)
        took.append(time.perf_counter() - began)
    return sorted(took)[2]


def log_of(shop: Workshop) -> Path:
    """Where every program that was started writes what it says."""
    return shop.home / "servers.log"

"""`microfund` in a process of its own, with its own environment, home and streams.

It is forked from a server that has imported all of it: to import it anew takes a process three seconds, and how it is
started is what `test_service_process.py`, the README and the bench look at.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from service.command_line import main
from tests.support.commands import Said
from tests.support.keys import key_for
from tests.support.processes import FORKS


class Program:
    """A running `microfund`; both that it says lie in files of their own."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], home: Path, said: Path) -> None:
        self.results, self.errors = said / "stdout", said / "stderr"
        streams = (str(self.results), str(self.errors))
        self.process = FORKS.Process(target=_run, args=(words, dict(environment), str(home), streams), daemon=True)
        self.process.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self.process.pid
        return self.process.pid

    def said(self, seconds: float = 120) -> Said:
        """How it ended by itself, and what it said."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, "it goes on"
        return Said(self.process.exitcode, self.results.read_text("utf-8"), self.errors.read_text("utf-8"))

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.join(60)
        assert self.process.exitcode is not None, "it goes on"

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.kill()
        self.process.join()


def _run(words: tuple[str, ...], environment: dict[str, str], home: str, streams: tuple[str, str]) -> None:
    for number, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.chdir(home)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["microfund", *words]
    main()


def environment_for(database_url: str) -> dict[str, str]:
    """The environment of a program that works on a database."""
    return os.environ | {"MICROFUND_DATABASE": database_url, "MICROFUND_REGISTER_KEY": str(key_for(database_url))}


def microfund(*words: str, environment: Mapping[str, str], home: Path) -> Said:
    """How a command ends, and what it says."""
    with TemporaryDirectory() as said:
        return Program(words, environment, home, Path(said)).said()


class Service(Program):
    """`microfund serve`, from the moment it can be reached."""

    def __init__(self, environment: Mapping[str, str], home: Path, said: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        super().__init__(("serve", "--port", str(self.port)), environment, home, said)
        while not self._can_be_reached():
            assert self.process.is_alive(), self.errors.read_text("utf-8")
            time.sleep(0.02)

    def _can_be_reached(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """The address of a service on a database, until the end of the block."""
    with TemporaryDirectory() as said:
        service = Service(environment_for(database_url), Path(said), Path(said))
        try:
            yield service.address
        finally:
            service.stop()

"""`microfund` in a process of its own: started anew as an operator would, or forked from a server that has loaded it.

To load the program takes seconds, in which nothing happens that a fault could meet; so only the rows that are about a
start, or about the environment of a process, start it anew.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from scripts.benchmarks.workshop import ROOT, SERVE
from scripts.fault_trials.altered import GUARDS
from service.command_line import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "service.app", "service.operations.upgrading"])
PATIENCE_SECONDS = 30
"""How long a program that is asked to end may take."""


class Microfund(Protocol):
    """A running program. What it says goes to a file."""

    @property
    def pid(self) -> int:
        """The number of its process."""
        ...

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        ...

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        ...

    def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        ...


class Started:
    """Started anew; with a `guard` taken away, if one is named."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], home: Path, said: Path, guard: str | None = None
    ) -> None:
        altered = (sys.executable, "-m", "scripts.fault_trials.altered", guard) if guard else SERVE[:1]
        known = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
        with said.open("ab") as output:
            self._process = subprocess.Popen([*altered, *words], cwd=home, env=known, stdout=output, stderr=output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


class Forked:
    """Forked from a server that has loaded it; likewise."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], home: Path, said: Path, guard: str | None = None
    ) -> None:
        known = {**os.environ, **environment}
        self._process = FORKS.Process(target=_run, args=(tuple(words), known, str(home), str(said), guard), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def stop(self) -> None:
        self._process.terminate()
        if self.ended() is None:
            self.kill()

    def ended(self) -> int | None:
        """How it ends by itself; None if it goes on too long."""
        self._process.join(PATIENCE_SECONDS)
        return self._process.exitcode


def _run(words: tuple[str, ...], environment: dict[str, str], home: str, said: str, guard: str | None) -> None:
    output = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.chdir(home)
    os.environ.clear()
    os.environ.update(environment)
    if guard:
        GUARDS[guard]()
    sys.argv = ["microfund", *words]
    main()

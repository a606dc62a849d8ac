"""A copy of the service at one port: started, killed, frozen and started again there."""

import http.client
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from scripts.benchmarks.workshop import PATIENCE_SECONDS, Workshop, free_port
from scripts.fault_trials.programs import Forked, Microfund, Started


class Service:
    """Entered and left like a file: runs from the first answer on, and is ended whatever state it is in.

    Forked from a program that is loaded, unless it is to be started `anew`; with a `guard` taken away, if one is named.
    """

    def __init__(
        self, shop: Workshop, database_url: str, *, guard: str | None = None, anew: bool = False, **settings: str
    ) -> None:
        self.port = free_port()
        self._shop, self._guard, self._how = shop, guard, Started if anew else Forked
        self._settings = {"MICROFUND_DATABASE": database_url, **settings}
        self._program: Microfund | None = None

    def __enter__(self) -> "Service":
        self.start()
        self.until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        if self._program:
            self._program.stop()

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._program
        return self._program.pid

    def start(self) -> None:
        """Start it, and wait for nothing."""
        words = ("serve", "--port", str(self.port))
        self._program = self._how(words, self._settings, self._shop.home, log_of(self._shop), self._guard)

    def until_ready(self) -> None:
        """Wait until it says that it is ready. Raises `TimeoutError`, or `ChildProcessError` if it ends."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self.ready(5)[0] != 200:
            assert self._program
            if not self._program.is_alive():
                raise ChildProcessError("the service has ended")
            if time.monotonic() > give_up_at:
                raise TimeoutError("the service does not become ready")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        assert self._program
        self._program.kill()

    def freeze(self) -> None:
        """Stop it in the middle of what it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._program and self._program.is_alive():
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

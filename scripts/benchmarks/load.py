"""The client that asks: a process of its own with a lean HTTP/1.1 keep-alive client, lest it be what is measured.

Run as `python -m scripts.benchmarks.load` it reads a `Load` from each line of standard input and answers an `Outcome`.
Requests are bytes made beforehand; of an answer only the status and the length are read. Every connection sends its
next request when its last one is answered, until the time is over; what is under way then is still waited for.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import msgspec
import uvloop

KEY = "key-of-24-letters-and-so"
"""Stands in paths, headers and bodies for a key that is new in every request."""

PATIENCE_SECONDS = 60.0
"""For answers that are still awaited when the time is over; beyond it the run fails."""
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


T = TypeVar("T", bound=msgspec.Struct)


class Load(msgspec.Struct, kw_only=True):
    """What to ask: each path in turn, then again with the next body. Ends after `seconds`, or `at_most` requests.

    With `further_ports` the connections are shared out among several servers: each asks any path or, `by_path`, every
    path is asked at one of them only, for which the paths must come out even.
    """

    port: int
    connections: int
    seconds: float
    paths: list[str]
    method: str = "GET"
    bodies: tuple[str, ...] = ("",)
    headers: dict[str, str] = {}
    expects: int = 200
    key_prefix: str = "bench"
    first: int = 0
    at_most: int | None = None
    further_ports: tuple[int, ...] = ()
    by_path: bool = False


class Outcome(msgspec.Struct, kw_only=True):
    """How many requests were answered as expected and in what time, and how many otherwise, by status."""

    answered: int
    seconds: float
    unexpected: dict[str, int]
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)] if ordered else 0.0


def outcome_of(latencies: Sequence[float], seconds: float, unexpected: dict[str, int]) -> Outcome:
    """An outcome from the seconds that each answer took."""
    return Outcome(
        answered=len(latencies),
        seconds=seconds,
        unexpected=unexpected,
        p50_ms=percentile(latencies, 50) * 1000,
        p99_ms=percentile(latencies, 99) * 1000,
    )


def ask(load: Load) -> Outcome:
    """Have a process of its own do the asking."""
    return outcome_from("load", load)


def outcome_from(module: str, told: msgspec.Struct) -> Outcome:
    """What came of a program of this package that was told what to do."""
    return told_to(module, told, Outcome)


def told_to(module: str, told: msgspec.Struct, kind: type[T]) -> T:
    """Tell a program of this package what to do, and wait for what came of it. It is started once and kept: an
    interpreter's start would disturb what is measured next."""
    if module not in _programs:
        command = [sys.executable, "-m", f"scripts.benchmarks.{module}"]
        _programs[module] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program = _programs[module]
    assert program.stdin
    assert program.stdout
    program.stdin.write(msgspec.json.encode(told) + b"\n")
    program.stdin.flush()
    return msgspec.json.decode(program.stdout.readline(), type=kind)


_programs: dict[str, subprocess.Popen[bytes]] = {}


def dismiss() -> None:
    """End the programs that were started to be told something."""
    while _programs:
        _, program = _programs.popitem()
        program.communicate()


def obey(kind: type[T], do: Callable[[T], Coroutine[Any, Any, msgspec.Struct]]) -> None:
    """Be such a program: do what each line of standard input tells, until its end."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(do(msgspec.json.decode(line, type=kind)))) + b"\n")
        sys.stdout.buffer.flush()


class Posting:
    """Posts of one kind to be answered with 201, however often they are asked for: no number is used twice."""

    def __init__(
        self,
        port: int,
        paths: list[str],
        bodies: tuple[str, ...],
        headers: dict[str, str] | None = None,
        key_prefix: str = "bench",
    ) -> None:
        self._load = Load(
            port=port,
            connections=1,
            seconds=0,
            method="POST",
            paths=paths,
            bodies=bodies,
            headers={"Content-Type": "application/json", **(headers or {})},
            key_prefix=key_prefix,
            expects=201,
        )

    def __call__(self, connections: int, seconds: float) -> Outcome:
        """Post over so many connections for so many seconds."""
        outcome = ask(msgspec.structs.replace(self._load, connections=connections, seconds=seconds))
        self._load.first += outcome.answered + sum(outcome.unexpected.values())
        return outcome


class _Visit:
    """All connections of one load together, or where paths belong to servers, those to one of them: the `lane`th of so
    many `lanes`."""

    def __init__(self, load: Load, lane: int = 0, lanes: int = 1) -> None:
        self._load = load
        self._lane, self._lanes = lane, lanes
        lines = (f"{load.method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n" for path in load.paths)
        headers = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        self._heads = [(line + headers).encode() for line in lines]
        bodies = (body.encode() for body in load.bodies)
        self._rests = [b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies]
        self._sent = 0
        self._until = 0.0
        self.status = f"HTTP/1.1 {load.expects} ".encode()
        self.latencies: list[float] = []
        self.unexpected: Counter[str] = Counter()

    def begin(self) -> None:
        self._until = time.perf_counter() + self._load.seconds

    def next_request(self) -> bytes | None:
        """The next request, None when the time is over."""
        if self._sent == self._load.at_most or time.perf_counter() >= self._until:
            return None
        number = self._load.first + self._sent * self._lanes + self._lane
        self._sent += 1
        turn, path = divmod(number, len(self._heads))
        request = self._heads[path] + self._rests[turn % len(self._rests)]
        prefix = self._load.key_prefix
        key = f"{prefix}{number:0{len(KEY) - len(prefix)}d}"
        return request.replace(KEY.encode(), key.encode())


class Asking(Protocol):
    """What a connection asks next, and what becomes of it."""

    status: bytes
    latencies: list[float]
    unexpected: Counter[str]

    def next_request(self) -> bytes | None:
        """The next request, None at the end."""
        ...


class Connection(asyncio.Protocol):
    """One client: asks, waits for the whole answer, asks again."""

    def __init__(self, visit: Asking) -> None:
        self._visit = visit
        self._received = b""
        self._sent_at = 0.0
        self._waits = False
        self._transport: asyncio.Transport
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self) -> None:
        """Send the next request, or end."""
        request = self._visit.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._waits = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._received, 0, end)
        if len(self._received) < end + 4 + (int(length[1]) if length else 0):
            return
        if self._received.startswith(self._visit.status):
            self._visit.latencies.append(time.perf_counter() - self._sent_at)
        else:
            self._visit.unexpected[self._received[9:12].decode()] += 1
        self._received = b""
        self._waits = False
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if self._waits:
            self._visit.unexpected["connection lost"] += 1
        self.done.set_result(None)


async def _visited(load: Load) -> Outcome:
    loop, ports = asyncio.get_running_loop(), (load.port, *load.further_ports)
    lanes = len(ports) if load.by_path else 1
    visits = [_Visit(load, lane, lanes) for lane in range(lanes)]
    made = [
        await loop.create_connection(
            partial(Connection, visits[number % lanes]), "127.0.0.1", ports[number % len(ports)]
        )
        for number in range(load.connections)
    ]
    for visit in visits:
        visit.begin()
    began = time.perf_counter()
    for _, connection in made:
        connection.send()
    async with asyncio.timeout(load.seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(connection.done for _, connection in made))
    seconds, unexpected = time.perf_counter() - began, sum((visit.unexpected for visit in visits), Counter[str]())
    return outcome_of([took for visit in visits for took in visit.latencies], seconds, dict(unexpected))


if __name__ == "__main__":
    obey(Load, _visited)

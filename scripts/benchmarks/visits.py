"""Clients of whom each goes to one fund after another and does the same few things there, in order.

Run as `python -m scripts.benchmarks.visits` it reads `Visits` from each line of standard input and answers an
`Evening`.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial

import msgspec

from scripts.benchmarks.load import KEY, Connection, Outcome, obey, outcome_of, told_to


class Act(msgspec.Struct, kw_only=True):
    """Something done at each fund so many times; `{fund}` stands in the path for its code, KEY for a new key."""

    name: str
    method: str = "GET"
    path: str
    body: str = ""
    expects: int = 200
    times: int = 1


class Visits(msgspec.Struct, kw_only=True):
    """What so many clients do: each fund is visited by one of them."""

    port: int
    connections: int
    funds: list[str]
    acts: list[Act]
    headers: dict[str, str]


class Evening(msgspec.Struct, kw_only=True):
    """What came of it: each act's answers and times, and how long all of it took."""

    seconds: float
    unexpected: dict[str, int]
    acts: dict[str, Outcome]


def visit(visits: Visits) -> Evening:
    """Have a process of its own do the visiting."""
    return told_to("visits", visits, Evening)


class _Client:
    """One of them: what its connection asks next, and what answer that should get."""

    def __init__(self, visits: Visits, waiting: Iterator[str], latencies: dict[str, list[float]]) -> None:
        self._visits = visits
        self._waiting = waiting
        self._latencies = latencies
        self._requests = self._all()
        self.status = b""
        self.latencies: list[float] = []
        self.unexpected: Counter[str] = Counter()

    def next_request(self) -> bytes | None:
        """The next request, None when no fund is waiting any more."""
        return next(self._requests, None)

    def _all(self) -> Iterator[bytes]:
        headers = "".join(f"{name}: {value}\r\n" for name, value in self._visits.headers.items())
        for fund in self._waiting:
            number = 0
            for act in self._visits.acts:
                self.status, self.latencies = f"HTTP/1.1 {act.expects} ".encode(), self._latencies[act.name]
                head = f"{act.method} {act.path.format(fund=fund)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
                for _ in range(act.times):
                    key = f"{fund}-{number:0{len(KEY) - len(fund) - 1}d}"
                    number += 1
                    body = act.body.replace(KEY, key).encode()
                    yield head.replace(KEY, key).encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _visited(visits: Visits) -> Evening:
    loop, waiting = asyncio.get_running_loop(), iter(visits.funds)
    latencies: dict[str, list[float]] = defaultdict(list)
    clients = [_Client(visits, waiting, latencies) for _ in range(visits.connections)]
    made = [await loop.create_connection(partial(Connection, client), "127.0.0.1", visits.port) for client in clients]
    began = time.perf_counter()
    for _, connection in made:
        connection.send()
    await asyncio.gather(*(connection.done for _, connection in made))
    seconds = time.perf_counter() - began
    return Evening(
        seconds=seconds,
        unexpected=dict(sum((client.unexpected for client in clients), Counter[str]())),
        acts={name: outcome_of(found, seconds, {}) for name, found in latencies.items()},
    )


if __name__ == "__main__":
    obey(Visits, _visited)

"""People who record at the same time, each with a journal line before and after every request.

What a person means to record is an amount that nobody else records: however often it is asked for, and under whatever
key, the log may hold it once. An expense beyond all means must be refused. What is not answered, or with 503, is asked
again under the same key until there is an answer.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from scripts.fault_trials.books import DAY, FUNDS

BEYOND_MEANS = 10**9
"""No fund of a trial ever holds so much."""
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 120.0
"""How long a trial waits for people to have recorded something, before it is given up."""
UNSETTLED = (0, 429, 500, 502, 503, 504)
"""Answers that leave open what became of the request; 0 is none at all."""


class Act(NamedTuple):
    """What somebody means to record: the kind is the last part of the path."""

    number: int
    fund: str
    kind: str
    amount: int

    def body(self) -> dict[str, Any]:
        """As it is sent."""
        if self.kind == "expenses":
            return {"activity": "health", "amount": self.amount, "on": DAY}
        return {"source": "community", "pot": "activity", "amount": self.amount, "on": DAY}


Connect = Callable[..., HTTPConnection]
"""How a line is made, of a host, a port and a `timeout`."""

Acting = Callable[[int, Random], tuple[str, int]]
"""What act comes under a number: its kind and its amount, which must be the number or be made of it."""


def giving(number: int, draw: Random) -> tuple[str, int]:
    """Gifts, and now and then an expense that must be refused."""
    return ("expenses", BEYOND_MEANS + number) if draw.random() < 0.1 else ("donations", number)


def spending(number: int, draw: Random) -> tuple[str, int]:
    """Gifts and expenses of about the same amounts: a box that is empty half of the time, for which all compete."""
    return draw.choice(("donations", "expenses")), number


class Journal:
    """A file with a line before each request and one after each answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def note(self, **what: Any) -> None:
        """Write a line, with the time."""
        with self._lock:
            self._file.write(json.dumps({"at": time.time(), **what}) + "\n")

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def lines(self) -> list[dict[str, Any]]:
        """What was noted."""
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]


class Crowd:
    """Threads that record at one or more ports until they are told to stop."""

    def __init__(
        self,
        ports: Sequence[int],
        token: str,
        journal: Path,
        draw: Random,
        *,
        people: int = 16,
        funds: Sequence[str] = FUNDS,
        acting: Acting = giving,
        new_key_each_try: bool = False,
        patience_seconds: float = 15,
        pause_seconds: float = 0,
        connect: Connect = HTTPConnection,
    ) -> None:
        self.journal = Journal(journal)
        self.recorded_at: list[float] = []
        """When, by the monotonic clock, each answer came that something was recorded now."""
        self.statuses: dict[int, int] = {}
        self.taken: list[float] = []
        """Seconds that each answer took."""
        self._ports, self._funds, self._acting, self._new_keys = ports, funds, acting, new_key_each_try
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._patience, self._pause, self._connect = patience_seconds, pause_seconds, connect
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._is_over, self._is_given_up = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=(person, Random(draw.random())), daemon=True)
            for person in range(people)
        ]

    @contextmanager
    def at_work(self) -> Iterator["Crowd"]:
        """Let them record until the end of the block, and then settle what is open."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        except BaseException:
            self._is_given_up.set()
            raise
        finally:
            self.finish()

    def finish(self, seconds: float = 60) -> None:
        """Begin nothing new, and ask again what has no answer, for so many seconds at most."""
        self._is_over.set()
        give_up_at = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(give_up_at - time.monotonic(), 0))
        self._is_given_up.set()
        for thread in self._threads:
            thread.join(self._patience + 5)
        self.journal.close()

    def wait_for(self, answers: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until so many more entries were recorded. Raises `TimeoutError`."""
        with self._changed:
            wanted = len(self.recorded_at) + answers
            if not self._changed.wait_for(lambda: len(self.recorded_at) >= wanted, seconds):
                raise TimeoutError(f"{len(self.recorded_at)} of {wanted} entries were recorded; {self.statuses}")

    def first_good_write(self, since: float, seconds: float = PATIENCE_SECONDS) -> float:
        """How long after a moment of the monotonic clock something was recorded, in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self.recorded_at) and self.recorded_at[-1] > since, seconds)
            later = [at - since for at in self.recorded_at if at > since]
        if not later:
            raise TimeoutError(f"nothing was recorded within {seconds:.0f} s; {self.statuses}")
        return later[0]

    # --- one person -----------------------------------------------------------------------------------------------

    def _live(self, person: int, draw: Random) -> None:
        line = _Line(self._ports, person, self._patience, self._connect)
        try:
            while not self._is_over.is_set():
                number = next(self._numbers)
                kind, amount = self._acting(number, draw)
                self._settle(Act(number, draw.choice(self._funds), kind, amount), line)
                if self._pause:
                    time.sleep(self._pause)
        finally:
            line.close()

    def _settle(self, act: Act, line: "_Line") -> None:
        for attempt in itertools.count():
            answer = self._tried(act, f"act-{act.number:08d}" + (f"-{attempt}" if self._new_keys else ""), line)
            if answer.status not in UNSETTLED or self._is_given_up.is_set():
                return
            time.sleep(PAUSE_SECONDS)

    def gift(self) -> "Answer":
        """Somebody beside them gives something, and asks once only."""
        number, line = next(self._numbers), _Line(self._ports, 0, self._patience, self._connect)
        try:
            return self._tried(Act(number, self._funds[0], "donations", number), f"act-{number:08d}", line)
        finally:
            line.close()

    def _tried(self, act: Act, key: str, line: "_Line") -> "Answer":
        self.journal.note(asked=act.number, key=key, fund=act.fund, kind=act.kind, amount=act.amount)
        answer = line.ask(act, self._headers | {"Idempotency-Key": key})
        status, version = answer.status, answer.body.get("version") if answer.status == 201 else None
        self.journal.note(told=act.number, key=key, status=status, version=version, replayed=answer.is_replayed)
        with self._changed:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.taken.append(answer.seconds)
            if status == 201 and not answer.is_replayed:
                self.recorded_at.append(time.monotonic())
            self._changed.notify_all()
        return answer


class Answer(msgspec.Struct, frozen=True):
    """What came back, and after how long; status 0 for no answer, or half of one."""

    status: int
    seconds: float
    body: dict[str, Any] = {}
    headers: dict[str, str] = {}

    @property
    def is_replayed(self) -> bool:
        """Whether it was recorded before."""
        return self.headers.get("idempotency-replayed") == "true"


class _Line:
    """One person's connection; after a failure it is made anew, to the next port."""

    def __init__(self, ports: Sequence[int], turn: int, patience_seconds: float, connect: Connect) -> None:
        self._ports, self._turn, self._patience, self._connect = ports, turn, patience_seconds, connect
        self._connection: HTTPConnection | None = None

    def ask(self, act: Act, headers: dict[str, str]) -> Answer:
        """Send it, and wait for the answer."""
        began = time.monotonic()
        if self._connection is None:
            port = self._ports[self._turn % len(self._ports)]
            self._connection = self._connect("127.0.0.1", port, timeout=self._patience)
        try:
            path = f"/v1/funds/{act.fund}/{act.kind}"
            self._connection.request("POST", path, json.dumps(act.body()), headers)
            said = self._connection.getresponse()
            body = json.loads(said.read())
        except (OSError, HTTPException, ValueError):
            self._move_on()
            return Answer(0, time.monotonic() - began)
        if said.status in UNSETTLED:
            self._move_on()
        told = {name.lower(): value for name, value in said.getheaders()}
        return Answer(said.status, time.monotonic() - began, body, told)

    def _move_on(self) -> None:
        self.close()
        self._turn += 1

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

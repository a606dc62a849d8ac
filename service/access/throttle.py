"""How often something may be tried: so many attempts in so much time, by address and by whatever else a try is about.

Attempts are kept in the database, so that neither a restart nor another copy of the service forgives one, and each is
on disk before its try is judged. They are stored in batches (`batches.py`), and who is refused writes nothing: a flood
of guesses costs the log's writer a few short transactions a second.
"""

import asyncio
import hashlib
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import compress
from math import ceil
from types import TracebackType
from typing import Final, NamedTuple, Self

from ledger.database import Database, Row, Transaction
from service.access.batches import Batches
from service.http.refusals import TooManyRequests

BATCH_SECONDS: Final = 0.2
MOST_WAITING: Final = 200
MOST_REMEMBERED: Final = 10_000

# PostgreSQL: copies of the service judge their batches in turn. SQLite's write lock does the same.
IN_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('microfund attempts'))"
PURGE: Final = "DELETE FROM attempts WHERE until <= :now"
SELECT: Final = "SELECT key, until FROM attempts WHERE key IN"
INSERT: Final = "INSERT INTO attempts (key, attempt, until) VALUES (:key, :attempt, :until)"
FORGIVE: Final = "DELETE FROM attempts WHERE key = :key AND attempt = :attempt"


class Bound(NamedTuple):
    """So many attempts in so many seconds, counted apart from those of other bounds."""

    name: str
    most: int
    seconds: int


class Attempt(NamedTuple):
    """A try that was let through, and what it is counted by. The keys are digests: nobody's address is stored."""

    id: str
    keys: tuple[str, ...]
    bound: Bound


class _Waiting(NamedTuple):
    attempt: Attempt
    answer: Future[None]


class Throttle:
    """The attempts of one database. `attempt` and `forgive` are for the event loop, and do not block it."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._full: OrderedDict[str, datetime] = OrderedDict()
        """Keys that had no room when they were last looked at, and until when: they need not be looked up again."""
        self._batches = Batches("throttle", self._judge, BATCH_SECONDS, MOST_WAITING)

    def __enter__(self) -> Self:
        self._batches.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._batches.__exit__(kind, error, at)

    async def attempt(self, bound: Bound, *counted_by: str) -> Attempt:
        """Count one try by each of these: an address, a code, a person. On disk when this returns. Raises
        `TooManyRequests` if one of them has had its attempts, and the store's `PersistenceError`s."""
        attempt = Attempt(secrets.token_hex(8), tuple(_digest(bound, given) for given in counted_by), bound)
        if full_until := self._full_until(attempt.keys):
            raise TooManyRequests(retry_after=_seconds_to(full_until, self._now()))
        waiting = _Waiting(attempt, Future())
        if not self._batches.add(waiting):
            raise TooManyRequests(retry_after=1)
        await asyncio.wrap_future(waiting.answer)
        return attempt

    async def forgive(self, attempt: Attempt) -> None:
        """Count an attempt no longer, for what was tried was right."""
        await asyncio.to_thread(self._forgive, attempt)

    def _forgive(self, attempt: Attempt) -> None:
        with self._database.transaction() as transaction:
            for key in attempt.keys:
                transaction.execute(FORGIVE, key=key, attempt=attempt.id)
        for key in attempt.keys:
            self._full.pop(key, None)

    def _full_until(self, keys: Iterable[str]) -> datetime | None:
        now = self._now()
        times = [until for key in keys if (until := self._full.get(key)) and until > now]
        return max(times, default=None)

    # --- in the thread of the batches -----------------------------------------------------------------------------

    def _judge(self, batch: list[_Waiting]) -> None:
        """Let those through who have room, and tell each; whoever has left meanwhile counts all the same."""
        is_there = [waiting.answer.set_running_or_notify_cancel() for waiting in batch]
        told: list[datetime | Exception | None]
        try:
            told = [*self._judged([waiting.attempt for waiting in batch])]
        except Exception as error:  # noqa: BLE001  # Whoever waits gets it.
            told = [error] * len(batch)
        for (_, answer), found in compress(zip(batch, told, strict=True), is_there):
            if found is None:
                answer.set_result(None)
            elif isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_exception(TooManyRequests(retry_after=_seconds_to(found, self._now())))

    def _judged(self, attempts: list[Attempt]) -> list[datetime | None]:
        """Until when each is refused; None for those let through, whose attempts are stored."""
        now, told, rows = self._now(), list[datetime | None](), list[Row]()
        with self._database.transaction() as transaction:
            if self._database.is_postgres:
                transaction.query(IN_TURN)
            transaction.execute(PURGE, now=_text(now))
            counts, first = _counted(transaction, {key for attempt in attempts for key in attempt.keys})
            for attempt in attempts:
                bound = attempt.bound
                until = now + timedelta(seconds=bound.seconds)
                full = [key for key in attempt.keys if counts[key] >= bound.most]
                for key in full:
                    self._remember(key, datetime.fromisoformat(first[key]))
                told.append(max((datetime.fromisoformat(first[key]) for key in full), default=None))
                if full:
                    continue
                for key in attempt.keys:
                    counts[key] += 1
                    first.setdefault(key, _text(until))
                    rows.append({"key": key, "attempt": attempt.id, "until": _text(until)})
            transaction.execute_many(INSERT, rows)
        return told

    def _remember(self, key: str, until: datetime) -> None:
        self._full[key] = until
        while len(self._full) > MOST_REMEMBERED:
            self._full.popitem(last=False)


def _counted(transaction: Transaction, keys: set[str]) -> tuple[Counter[str], dict[str, str]]:
    """How many attempts each key has had, and when the first of them is over."""
    names = {f"k{number}": key for number, key in enumerate(sorted(keys))}
    rows = transaction.query(f"{SELECT} ({', '.join(':' + name for name in names)}) ORDER BY until", **names)
    first = {row["key"]: row["until"] for row in reversed(rows)}
    return Counter(row["key"] for row in rows), first


def _digest(bound: Bound, given: str) -> str:
    return hashlib.sha256(f"{bound.name}\n{given}".encode()).hexdigest()


def _text(instant: datetime) -> str:
    """An instant that sorts as text."""
    return instant.isoformat(timespec="microseconds")


def _seconds_to(until: datetime, now: datetime) -> int:
    """Whole seconds until then, one at least."""
    return max(ceil((until - now).total_seconds()), 1)

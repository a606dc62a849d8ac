"""The group commit: one thread drains the queue, and all that waited goes into one transaction.

A lone request waits for nobody; in a burst, many requests share one commit. Funds take turns, so that no club waits for
another's flood, and a batch is bounded by the facts it may record. The queue is bounded, too: when it is full, or one
fund has had its share of it, the caller is told at once instead of waiting without end.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import NamedTuple

from ledger.application import Ledger
from ledger.jobs import Job, Outcome, Recorded, StorageUnavailable

LARGEST_BATCH = 256
"""Facts of one batch; a single job may have more."""

MOST_WAITING = 10_000
"""Facts that may wait in all: some seconds' work."""

TRY_AGAIN_SECONDS = 1
"""How soon it is tried whether something can be stored again, while nobody asks for it."""

MOST_OF_ONE_FUND = 2_000
"""Facts of one fund that may wait: four of the longest sheets."""


class QueueFull(Exception):
    """More requests wait than can be served soon; the same request may be sent again in a while."""


class _Waiting(NamedTuple):
    job: Job
    future: asyncio.Future[Recorded]


class _Queue:
    """What waits to be recorded, first in first out for each fund; the funds in turn."""

    def __init__(self) -> None:
        self.facts = 0
        self._of: dict[str, int] = {}
        self._funds: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, waiting: _Waiting) -> None:
        """Take a place in the queue. Raises `QueueFull`."""
        fund, facts = waiting.job.fund, waiting.job.facts
        with self._changed:
            if self.facts + facts > MOST_WAITING or self._of.get(fund, 0) + facts > MOST_OF_ONE_FUND:
                raise QueueFull
            self._funds.setdefault(fund, deque()).append(waiting)
            self._count(fund, facts)
            self._changed.notify()

    def close(self) -> None:
        """Let the taker finish what waits, and then stop."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, room: int, seconds: float | None = None) -> list[_Waiting] | None:
        """The next batch, as soon as anything waits; an empty one when nothing has come for so long, None at the end.
        `room` is for how many facts."""
        batch: list[_Waiting] = []
        with self._changed:
            self._changed.wait_for(lambda: self._funds or self._is_closed, seconds)
            if not self._funds and self._is_closed:
                return None
            while self._funds and room > 0:
                fund, its = self._funds.popitem(last=False)
                waiting = its.popleft()
                if its:
                    self._funds[fund] = its
                self._count(fund, -waiting.job.facts)
                room -= waiting.job.facts
                batch.append(waiting)
        return batch

    def _count(self, fund: str, facts: int) -> None:
        self.facts += facts
        self._of[fund] = self._of.get(fund, 0) + facts
        if not self._of[fund]:
            del self._of[fund]


class Writer:
    """The one writer of a process. Entered and left like a file; `on_commit` is called after every batch, which is
    recorded within `timed`."""

    def __init__(
        self,
        ledger: Ledger,
        on_commit: Callable[[], None] = lambda: None,
        timed: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._ledger = ledger
        self._on_commit = on_commit
        self._timed = timed
        self._queue = _Queue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what waits, then stop."""
        self._queue.close()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many facts wait."""
        return self._queue.facts

    async def record(self, job: Job) -> Recorded:
        """Have a job decided and committed. Raises its refusal, `StorageUnavailable` or `QueueFull`.

        The job is carried out even if the caller no longer waits: its key finds the answer later.
        """
        future: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(job, future))
        return await future

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            if not batch:
                self._ledger.health.examine()
                continue
            self._answer(batch, self._outcomes(batch))
            self._ledger.keep_state()
            if self._ledger.health.trouble:
                self._turn_away()

    def _next(self) -> list[_Waiting] | None:
        """The next batch; an empty one when it is time to see whether something can be stored again."""
        return self._queue.take(LARGEST_BATCH, TRY_AGAIN_SECONDS if self._ledger.health.trouble else None)

    def _turn_away(self) -> None:
        """Refuse all that waits behind a batch that could not be stored: they would wait as long, one after another,
        to be told the same."""
        for waiting in self._queue.take(MOST_WAITING, 0) or ():
            self._answer([waiting], [StorageUnavailable(self._ledger.health.trouble)])

    def _outcomes(self, batch: Sequence[_Waiting]) -> Sequence[Outcome]:
        """What became of each job. A bug is handed to the callers: a writer that died of it would leave all waiting."""
        try:
            with self._timed():
                outcomes = self._ledger.record([waiting.job for waiting in batch])
            self._on_commit()
        except Exception as bug:  # noqa: BLE001  # Each caller gets it, and the writer lives on.
            return [bug] * len(batch)
        return outcomes

    @staticmethod
    def _answer(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        """Hand each caller its outcome, with one wake-up per event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Recorded], Outcome]]] = defaultdict(list)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            by_loop[waiting.future.get_loop()].append((waiting.future, outcome))
        for loop, answers in by_loop.items():
            with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: Sequence[tuple[asyncio.Future[Recorded], Outcome]]) -> None:
    for future, outcome in answers:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

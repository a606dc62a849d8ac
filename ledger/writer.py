"""The group commit: one thread drains the queue, and all that waited goes into one transaction.

A lone request waits for nobody; in a burst, many requests share one commit. The queue is bounded: when it is full the
caller is told at once instead of waiting without end.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from ledger.application import Job, Ledger, Outcome, Recorded

LARGEST_BATCH = 256
MOST_WAITING = 10_000


class QueueFull(Exception):
    """More requests wait than can be served soon; the same request may be sent again in a while."""


class _Waiting(NamedTuple):
    job: Job
    future: asyncio.Future[Recorded]


class Writer:
    """The one writer of a process. Entered and left like a file; `on_commit` is called after every batch."""

    def __init__(self, ledger: Ledger, on_commit: Callable[[], None] = lambda: None) -> None:
        self._ledger = ledger
        self._on_commit = on_commit
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what waits, then stop."""
        self._queue.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._queue.qsize()

    async def record(self, job: Job) -> Recorded:
        """Have a job decided and committed. Raises its refusal, `StorageUnavailable` or `QueueFull`.

        The job is carried out even if the caller no longer waits: its key finds the answer later.
        """
        if self._queue.qsize() >= MOST_WAITING:
            raise QueueFull
        future: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(job, future))
        return await future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stopping = self._drain(first)
            self._answer(batch, self._outcomes(batch))
            if stopping:
                return

    def _outcomes(self, batch: Sequence[_Waiting]) -> Sequence[Outcome]:
        """What became of each job. A bug is handed to the callers: a writer that died of it would leave all waiting."""
        try:
            outcomes = self._ledger.record([waiting.job for waiting in batch])
            self._on_commit()
        except Exception as bug:  # noqa: BLE001
            return [bug] * len(batch)
        return outcomes

    def _drain(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch = [first]
        try:
            while len(batch) < LARGEST_BATCH:
                waiting = self._queue.get_nowait()
                if waiting is None:
                    return batch, True
                batch.append(waiting)
        except Empty:
            pass
        return batch, False

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

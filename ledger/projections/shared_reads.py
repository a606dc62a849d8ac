"""Short questions that come together are asked together: one thread, and one look at where the tables stand for all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, Final, NamedTuple, TypeVar

from eventsourcing.persistence import PersistenceError

from ledger.projections.read_model import ReadModel, Whereabouts
from ledger.projections.tables import Reader

T = TypeVar("T")

Question = Callable[[Reader, Whereabouts], T]
"""Asked with the tables, and where they stand and have the fund that it is about."""

MOST_AT_ONCE: Final = 32
"""On PostgreSQL all are asked anew where the tables moved meanwhile, so they are not to take long."""


class _Asked(NamedTuple):
    fund: str
    question: Question[Any]
    answer: asyncio.Future[Any]
    context: Context
    """Whose request it is: what is noted while it is asked is noted there."""


class SharedReads:
    """The thread that asks short questions about one fund each. Entered and left like a file; asked on an event loop.

    A thread for each would cost more than what most of them ask.
    """

    def __init__(self, read_model: ReadModel) -> None:
        self._read_model = read_model
        self._thread = ThreadPoolExecutor(1, "reads")
        self._waiting: deque[_Asked] = deque()
        self._asking: asyncio.Task[None] | None = None

    def __enter__(self) -> SharedReads:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    async def ask(self, fund: str, question: Question[T]) -> T:
        """What the tables answer to a question about a fund, from one moment. Raises what `ReadModel.ask` does, and
        what the question raises."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(fund, question, answer, copy_context()))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await answer

    async def _ask_all(self) -> None:
        """Ask until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            try:
                found = await loop.run_in_executor(self._thread, self._found, together)
            except Exception as trouble:  # noqa: BLE001  # Whatever it is, each who waits is told.
                found = [trouble for _ in together]
            for asked, each in zip(together, found, strict=True):
                if asked.answer.done():
                    continue  # Whoever asked has gone.
                if isinstance(each, Exception):
                    asked.answer.set_exception(each)
                else:
                    asked.answer.set_result(each)
        self._asking = None

    def _found(self, together: Sequence[_Asked]) -> list[Any]:
        """What each finds, or what is wrong with it."""

        def at_moment(tables: Reader, where: Whereabouts) -> list[Any]:
            return [_found_by(asked, tables, where) for asked in together]

        return self._read_model.ask_about(sorted({asked.fund for asked in together}), at_moment)


def _found_by(asked: _Asked, tables: Reader, where: Whereabouts) -> Any:
    try:
        return asked.context.run(asked.question, tables, where)
    except PersistenceError:
        raise  # What is wrong with the database is everybody's.
    except Exception as trouble:  # noqa: BLE001  # Whatever else it is, only who asked is told.
        return trouble

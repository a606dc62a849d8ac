"""Short questions that come together are asked together: one thread, and one look at where the tables stand for all."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, Final, NamedTuple, TypeVar

from eventsourcing.persistence import PersistenceError

from ledger.projections.funds import Standing, standings
from ledger.projections.read_model import ReadModel
from ledger.projections.tables import Reader

T = TypeVar("T")

Question = Callable[[Any, int, Standing | None], T]
"""Asked with the tables, the position they are at, and where they have the fund that it is about."""

MOST_AT_ONCE: Final = 32
"""On PostgreSQL all are asked anew where the tables moved meanwhile, so they are not to take long."""


class OfSeveral(NamedTuple):
    """A question that one statement answers for many: by their keys, of which this is one."""

    ask: Callable[[Reader, Sequence[Any]], Mapping[Any, Any]]
    key: Hashable


class _Asked(NamedTuple):
    fund: str
    question: Question[Any]
    of_several: OfSeveral | None
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

    async def ask(self, fund: str, question: Question[T], of_several: OfSeveral | None = None) -> T:
        """What the tables answer to a question about a fund, from one moment. Instead of the tables, the question is
        given what was found for its key `of_several`, if that is named. Raises what `ReadModel.ask` does, and what the
        question raises."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(fund, question, of_several, answer, copy_context()))
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
        codes = sorted({asked.fund for asked in together})
        keys: dict[Any, dict[Hashable, None]] = defaultdict(dict)
        for asked in together:
            if asked.of_several:
                keys[asked.of_several.ask][asked.of_several.key] = None

        def at_moment(tables: Reader, position: int) -> list[Any]:
            where = standings(tables, codes)
            found = {ask: ask(tables, list(asked)) for ask, asked in keys.items()}
            return [
                _found_by(
                    asked,
                    found[asked.of_several.ask][asked.of_several.key] if asked.of_several else tables,
                    position,
                    where.get(asked.fund),
                )
                for asked in together
            ]

        return self._read_model.ask(at_moment)


def _found_by(asked: _Asked, tables: Any, position: int, standing: Standing | None) -> Any:
    try:
        return asked.context.run(asked.question, tables, position, standing)
    except PersistenceError:
        raise  # What is wrong with the database is everybody's.
    except Exception as trouble:  # noqa: BLE001  # Whatever else it is, only who asked is told.
        return trouble

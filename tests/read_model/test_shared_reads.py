"""Claims about short questions asked together: each has its own answer, all are of one moment, and nobody is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import date
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.projections.balances import AsOf, balances, balances_of_several
from ledger.projections.funds import Standing
from ledger.projections.read_model import ReadModel
from ledger.projections.shared_reads import MOST_AT_ONCE, OfSeveral, SharedReads
from ledger.projections.tables import LAST_DAY, Reader
from ledger.refusals import NotFound
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import following, in_turn, store

FUNDS = ("LS-0002", "LS-0003")


def asked_together(model: ReadModel, asking: Callable[[SharedReads], list[Awaitable[Any]]]) -> list[Any]:
    """The answers to questions that wait at the same time, and what was raised instead of some."""

    async def all_of_them() -> list[Any]:
        with SharedReads(model) as reads:
            return await asyncio.gather(*asking(reads), return_exceptions=True)

    return asyncio.run(all_of_them())


def filled(ledger: Ledger) -> ReadModel:
    store(ledger, in_turn(random_fund(2).pending, random_fund(3).pending))
    model = following(ledger)
    model.catch_up()
    return model


def test_each_of_many_questions_has_its_own_answer(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)

        def about(fund: str) -> Callable[[Reader, int, Standing | None], Any]:
            return lambda tables, _, standing: (standing and standing["version"], balances(tables, fund))

        codes = [FUNDS[number % 2] for number in range(2 * MOST_AT_ONCE + 3)]
        answers = asked_together(model, lambda reads: [reads.ask(code, about(code)) for code in codes])

        alone = {code: (len(list(ledger.entries(code))), balances(ledger.database, code)) for code in FUNDS}
        assert answers == [alone[code] for code in codes]


def test_a_fund_that_is_not_there_has_no_standing(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)

        def where(*asked: Any) -> Any:
            return asked[2]

        there, nowhere = asked_together(model, lambda reads: [reads.ask(FUNDS[0], where), reads.ask("LS-9999", where)])

        assert there["fund"] == FUNDS[0]
        assert nowhere is None


def test_what_is_wrong_with_one_question_is_told_to_nobody_else(database_url: str) -> None:
    def refused(*_: Any) -> Any:
        raise NotFound

    with opened(database_url) as ledger:
        model = filled(ledger)
        one, other = asked_together(
            model, lambda reads: [reads.ask(FUNDS[0], refused), reads.ask(FUNDS[0], lambda *asked: asked[1])]
        )

        assert isinstance(one, NotFound)
        assert other == model.position


def test_what_is_noted_while_a_question_is_asked_is_noted_for_who_asked_it(sqlite_url: str) -> None:
    """As the log of readers is: whom an answer shows is noted with whoever is shown it."""
    asking: ContextVar[list[str]] = ContextVar("asking")

    def noting(*_: Any) -> None:
        asking.get().append("shown")

    with opened(sqlite_url) as ledger:
        model = filled(ledger)

        async def one(reads: SharedReads, notes: list[str]) -> None:
            asking.set(notes)
            await reads.ask(FUNDS[0], noting)

        each: list[list[str]] = [[], [], []]
        asked_together(model, lambda reads: [asyncio.create_task(one(reads, notes)) for notes in each])

        assert each == [["shown"], ["shown"], ["shown"]]


def test_what_is_wrong_with_the_database_is_told_to_all_and_the_next_are_asked_again(sqlite_url: str) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("away")

    with opened(sqlite_url) as ledger:
        model = filled(ledger)

        async def asking() -> list[Any]:
            with SharedReads(model) as reads:
                first = await asyncio.gather(
                    *(reads.ask(FUNDS[0], question) for question in (broken, lambda *asked: asked[1])),
                    return_exceptions=True,
                )
                return [*first, await reads.ask(FUNDS[0], lambda *asked: asked[1])]

        *told, after = asyncio.run(asking())
        assert [type(each) for each in told] == [OperationalError, OperationalError]
        assert after == model.position


def test_whoever_gives_up_keeps_nobody_from_an_answer(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = filled(ledger)

        async def asking() -> Any:
            with SharedReads(model) as reads:
                leaving, staying = (asyncio.create_task(reads.ask(FUNDS[0], lambda *asked: asked[1])) for _ in range(2))
                await asyncio.sleep(0)  # Both wait now.
                leaving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await leaving
                return await staying

        assert asyncio.run(asking()) == model.position


def test_all_are_answered_of_one_moment_though_the_tables_move_between_two_questions(postgres_url: str) -> None:
    entries = random_fund(2).pending
    with opened(postgres_url) as ledger:
        model = following(ledger)
        store(ledger, entries)
        model.advance(30)
        moves = iter([1])  # Between the first try's two questions, and not again.

        def moving(__: Reader, position: int, standing: Standing | None) -> Any:
            assert standing
            for _ in moves:
                model.catch_up()
            return position, standing["version"]

        answers = asked_together(model, lambda reads: [reads.ask(FUNDS[0], moving) for _ in range(2)])

        assert answers == [(len(entries), len(entries))] * 2


def test_what_one_statement_answers_for_many_is_what_each_is_answered_alone(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)
        days = [row["on_day"] for row in ledger.database.query("SELECT DISTINCT on_day FROM entries ORDER BY on_day")]
        asked = [AsOf(fund, day and date.fromisoformat(day)) for fund in FUNDS for day in (None, *days[::20], LAST_DAY)]

        def as_it_is(found: Any, *_: Any) -> Any:
            return found

        def together(reads: SharedReads) -> list[Awaitable[Any]]:
            return [reads.ask(each.fund, as_it_is, OfSeveral(balances_of_several, each)) for each in (*asked, asked[0])]

        *answers, again = asked_together(model, together)

        assert answers == [balances(ledger.database, *each) for each in asked]
        assert len({each["cash"] for each in answers}) > 2
        assert again == answers[0]

"""Claims about short questions asked together: each has its own answer, all are of one moment, and nobody is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.projections.balances import balances
from ledger.projections.read_model import ReadModel, Whereabouts
from ledger.projections.shared_reads import MOST_AT_ONCE, SharedReads
from ledger.projections.tables import Reader
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


def position(_: Reader, where: Whereabouts) -> int:
    return where.position


def filled(ledger: Ledger) -> ReadModel:
    store(ledger, in_turn(random_fund(2).pending, random_fund(3).pending))
    model = following(ledger)
    model.catch_up()
    return model


def test_each_of_many_questions_has_its_own_answer(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)

        def about(fund: str) -> Callable[[Reader, Whereabouts], Any]:
            return lambda tables, where: (where.standings[fund]["version"], balances(tables, fund))

        codes = [FUNDS[number % 2] for number in range(2 * MOST_AT_ONCE + 3)]
        answers = asked_together(model, lambda reads: [reads.ask(code, about(code)) for code in codes])

        alone = {code: (len(list(ledger.entries(code))), balances(ledger.database, code)) for code in FUNDS}
        assert answers == [alone[code] for code in codes]


def test_a_fund_that_is_not_there_has_no_standing(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)

        def standings(_: Reader, where: Whereabouts) -> Any:
            return where.standings

        asked = [FUNDS[0], "LS-9999"]
        both = asked_together(model, lambda reads: [reads.ask(code, standings) for code in asked])

        assert [list(each) for each in both] == [[FUNDS[0]]] * 2


def test_what_is_wrong_with_one_question_is_told_to_nobody_else(database_url: str) -> None:
    def refused(*_: Any) -> Any:
        raise NotFound

    with opened(database_url) as ledger:
        model = filled(ledger)
        one, other = asked_together(model, lambda reads: [reads.ask(FUNDS[0], refused), reads.ask(FUNDS[0], position)])

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
                    *(reads.ask(FUNDS[0], question) for question in (broken, position)),
                    return_exceptions=True,
                )
                return [*first, await reads.ask(FUNDS[0], position)]

        *told, after = asyncio.run(asking())
        assert [type(each) for each in told] == [OperationalError, OperationalError]
        assert after == model.position


def test_whoever_gives_up_keeps_nobody_from_an_answer(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = filled(ledger)

        async def asking() -> Any:
            with SharedReads(model) as reads:
                leaving, staying = (asyncio.create_task(reads.ask(FUNDS[0], position)) for _ in range(2))
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

        def moving(tables: Reader, where: Whereabouts) -> Any:
            for _ in moves:
                model.catch_up()
            return where.position, where.standings[FUNDS[0]]["version"], len(tables.query("SELECT 1 FROM entries"))

        answers = asked_together(model, lambda reads: [reads.ask(FUNDS[0], moving) for _ in range(2)])

        assert answers == [(len(entries),) * 3] * 2


def test_what_asks_nothing_of_the_tables_but_where_they_stand_is_one_statement(postgres_url: str) -> None:
    with opened(postgres_url) as ledger:
        model, asked = filled(ledger), []

        def counting(tables: Any, where: Whereabouts) -> int:
            asked.append(tables)
            return where.position

        asked_together(model, lambda reads: [reads.ask(code, counting) for code in FUNDS])

        assert {id(tables) for tables in asked} == {id(asked[0])}
        assert asked[0].statements == 1


def test_tables_made_anew_are_known_by_their_number(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = filled(ledger)
        made = [model.ask_about([], lambda _, where: where.made) for _ in range(2)]
        model.rebuild()
        anew = model.ask_about([], lambda _, where: where.made)

        assert made[0] == made[1] != anew

"""Claims about what the tables survive: a kill at any statement, two processes, a poisoned fund, another log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import count
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.database import Database, Transaction
from ledger.events import (
    NO_HEAD,
    ContributionReceived,
    Event,
    LoanRepaid,
    LoanRequested,
    MeetingHeld,
    MemberJoined,
    encode,
)
from ledger.money import MAX_AMOUNT
from ledger.projections.batch import TABLES, LogLine
from ledger.projections.proof import divergences
from ledger.projections.read_model import ReadModel, ReadModelBroken
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import (
    Killed,
    advanced,
    delete_tail,
    following,
    in_turn,
    random_funds,
    rows,
    store,
    store_line,
)
from tests.support.village import HEARD, whole_life

# --- killed in between ------------------------------------------------------------------------------------------------


class Mortal(Database):
    """A database whose process is killed before its n-th statement, the commit being the last one."""

    def __init__(self, database: Database, statements: int) -> None:
        super().__init__(database._datastore)
        self._left = statements

    def count(self) -> None:
        """One statement less to live."""
        self._left -= 1
        if self._left <= 0:
            raise Killed

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        with super().transaction(commit=commit) as transaction:
            yield Counted(transaction, self)
            if commit:
                self.count()


class Careless(Mortal):
    """The control: on SQLite, every statement is committed by itself."""

    def count(self) -> None:
        super().count()
        self._cursor.execute("COMMIT")
        self._cursor.execute("BEGIN")

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        with super().transaction(commit=commit) as transaction:
            self._cursor = transaction._cursor
            yield transaction


class Counted(Transaction):
    """Statements that are counted."""

    def __init__(self, transaction: Transaction, database: Mortal) -> None:
        super().__init__(transaction._cursor, is_postgres=database.is_postgres)
        self._database = database

    def _run(self, sql: str, parameters: dict[str, Any]) -> None:
        self._database.count()
        super()._run(sql, parameters)

    def execute_many(self, sql: str, rows: Sequence[dict[str, Any]]) -> None:
        self._database.count()
        super().execute_many(sql, rows)

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str] = ()
    ) -> None:
        self._database.count()
        super().insert(table, columns, rows, types)


def _kill_everywhere(kind: type[Mortal], url: str) -> None:
    """A batch is killed before its first statement, its second, … until it gets through; nothing may be left of it."""
    with opened(url) as ledger:
        store(ledger, in_turn(whole_life().pending, random_fund(1).pending))
        model = following(ledger)
        model.advance(30)
        before = (model.position, rows(ledger.database))
        for statement in count(1):
            mortal = ReadModel(kind(ledger.database, statement))
            try:
                mortal.advance(70)
                break
            except Killed:
                assert (model.position, rows(ledger.database)) == before

        assert statement > 15, "a batch is many statements"
        assert model.position == 100
        model.catch_up()
        assert list(divergences(ledger)) == []


def test_killed_before_any_statement_a_batch_is_neither_lost_nor_repeated(database_url: str) -> None:
    _kill_everywhere(Mortal, database_url)


def test_the_control_that_commits_each_statement_by_itself_is_caught(sqlite_url: str) -> None:
    with pytest.raises(AssertionError):
        _kill_everywhere(Careless, sqlite_url)


# --- two processes ----------------------------------------------------------------------------------------------------


class Blind(ReadModel):
    """The control: it does not look again where the read model stands."""

    def _held(self, transaction: Transaction) -> tuple[int, str]:
        return self._place_before

    def _read_on(self, position: int, head: str, limit: int) -> Sequence[LogLine]:
        self._place_before = (position, head)
        return super()._read_on(position, head, limit)


class Overtaken(Database):
    """A database in which another process is faster: before a batch is written, it has applied more of the log."""

    def __init__(self, database: Database, faster: ReadModel) -> None:
        super().__init__(database._datastore)
        self._faster = faster

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        if commit:
            self._faster.advance(11)
        with super().transaction(commit=commit) as transaction:
            yield transaction


def overtaken_writing(kind: type[ReadModel], ledger: Ledger, other: Ledger) -> ReadModel:
    """A follower, and one in another process that is faster: what the first is about to write, it has applied."""
    return kind(Overtaken(ledger.database, following(other)))


def overtaken_reading(kind: type[ReadModel], ledger: Ledger, other: Ledger) -> ReadModel:
    """The same, but faster still: what the first has just read, it has applied already."""
    faster = following(other)

    class Slow(kind):  # type: ignore[misc, valid-type]  # A class given by its caller.
        def _read_on(self, position: int, head: str, limit: int) -> Sequence[LogLine]:
            found: Sequence[LogLine] = super()._read_on(position, head, limit)
            faster.advance(11)
            return found

    return Slow(ledger.database)


@pytest.mark.parametrize("overtaken", [overtaken_reading, overtaken_writing])
def test_of_two_followers_the_slower_one_applies_nothing_again(
    database_url: str, overtaken: Callable[[type[ReadModel], Ledger, Ledger], ReadModel]
) -> None:
    entries = random_fund(1).pending
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, entries)
        slower = overtaken(ReadModel, ledger, other)

        assert advanced(slower, iter(lambda: 7, 0)) < len(entries)
        assert slower.position == len(entries)
        assert list(divergences(ledger)) == []


def test_the_control_that_does_not_look_again_is_caught(database_url: str) -> None:
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, random_fund(1).pending)

        with pytest.raises(IntegrityError):
            overtaken_writing(Blind, ledger, other).advance(7)


def test_many_followers_at_once_apply_every_event_once(database_url: str) -> None:
    entries = random_funds()
    taken: list[int] = []

    def follow() -> None:
        with opened(database_url) as ledger:
            taken.append(advanced(following(ledger), iter(lambda: 9, 0)))

    with opened(database_url) as ledger:
        store(ledger, entries)
        followers = [threading.Thread(target=follow) for _ in range(3)]
        for follower in followers:
            follower.start()
        for follower in followers:
            follower.join()

        assert sum(taken) == len(entries)
        assert list(divergences(ledger)) == []


# --- poison -----------------------------------------------------------------------------------------------------------


def _next(to: Fund, fact: type[Event], **facts: Any) -> bytes:
    """The line of a fact that no fund would have decided."""
    envelope: dict[str, Any] = {"fund": to.id, "version": to.version + 1, "prev": to.head, "on": date(2024, 3, 20)}
    return encode(fact(recorded_at=HEARD, recorded_by="nobody", **(envelope | facts)))


_meeting = partial(
    _next, fact=MeetingHeld, meeting=9, sheet="s", present=(1,), by_proxy=(), absent=(), book_opening=0, book_closing=0
)
POISON: dict[str, tuple[Callable[[Fund], bytes], str]] = {
    "no line at all": (lambda fund: b"\x00\xff", "DecodeError"),
    "no text": (lambda fund: _meeting(fund).replace(b'"s"', b'"\xff"'), "UnicodeDecodeError"),
    "an unknown event": (lambda fund: b'{"type":"FundStolen"}', "ValidationError"),
    "a number beyond 64 bits": (lambda fund: _meeting(fund, opening_cash=2**63), "Unstorable"),
    "a NUL character": (lambda fund: _meeting(fund, sheet="a\x00b"), "Unstorable"),
    "an amount no fund posts": (
        lambda fund: _next(fund, ContributionReceived, member=1, kind="dues", amount=MAX_AMOUNT + 1),
        "OverflowError",
    ),
    "a line that does not follow": (lambda fund: _meeting(fund, prev=NO_HEAD), "DoesNotFollow"),
    "a line of another fund": (lambda fund: _meeting(fund, fund="LS-OTHER"), "DoesNotFollow"),
    "a loan nobody asked for": (
        lambda fund: _next(
            fund,
            LoanRepaid,
            loan=99,
            member=1,
            amount=5,
            principal=5,
            interest=0,
            interest_to_activity=0,
            outstanding=0,
        ),
        "AssertionError",
    ),
    "a request of a size no bank has": (
        lambda fund: _next(fund, LoanRequested, loan=9, member=1, principal=-(2**80), term_months=1, purpose="trade"),
        "Unstorable",
    ),
}


@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_fund_is_parked_and_the_others_go_on(poison: str, sqlite_url: str) -> None:
    _park_and_go_on(*POISON[poison], sqlite_url)


def test_a_poisoned_fund_is_parked_on_postgresql_too(postgres_url: str) -> None:
    _park_and_go_on(*POISON["a NUL character"], postgres_url)


def _park_and_go_on(poison: Callable[[Fund], bytes], why: str, url: str) -> None:
    sick, well, late = random_fund(2, 30), random_fund(1, 30), random_fund(3, 30)
    with opened(url) as ledger:
        model = following(ledger)
        store(ledger, in_turn(sick.pending, well.pending))
        store_line(ledger, sick.id, sick.version + 1, poison(sick))
        store(ledger, late.pending[:20])
        store_line(ledger, sick.id, sick.version + 2, b"never looked at")
        store(ledger, late.pending[20:])
        position = sick.version + well.version + 1

        advanced(model, iter(lambda: 13, 0))
        live = rows(ledger.database)

        assert model.lag() == 0
        parked = {"fund": sick.id, "version": sick.version + 1, "position": position, "why": why}
        assert model.parked() == [parked]
        assert [(each.fund, each.table) for each in divergences(ledger)] == [(sick.id, "parked")]
        model.rebuild()
        assert rows(ledger.database) == live, "one batch parks it where many did"


def test_a_fund_whose_first_line_is_poison_never_appears(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        joined = MemberJoined(
            fund="LS-NONE",
            version=1,
            prev=NO_HEAD,
            on=date(2024, 1, 1),
            recorded_at=HEARD,
            recorded_by="nobody",
            member=1,
            sex="female",
            birth_year=1950,
            poverty="none",
        )
        store_line(ledger, "LS-NONE", 1, encode(joined))
        model.catch_up()

        assert model.parked() == [{"fund": "LS-NONE", "version": 1, "position": 1, "why": "DoesNotFollow"}]
        assert rows(ledger.database, but=["parked"]) == {t.name: [] for t in TABLES if t.name != "parked"}


# --- the log is another one -------------------------------------------------------------------------------------------


def test_a_deleted_tail_stops_the_read_model_loudly(database_url: str) -> None:
    fund = random_fund(1)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        model.catch_up()
        delete_tail(ledger, fund.id, fund.version - 3)

        with pytest.raises(ReadModelBroken):
            model.advance()
        assert model.rebuild() == fund.version - 3
        assert list(divergences(ledger)) == []


@pytest.mark.parametrize("more", [3, 10])
def test_row_ids_given_away_again_do_not_hide_a_deleted_tail(more: int, sqlite_url: str) -> None:
    fund, other = random_fund(1), random_fund(2)
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        model.catch_up()
        delete_tail(ledger, fund.id, fund.version - 3)
        store(ledger, other.pending[:more])

        assert ledger.recorder.position_of(other.id, 1) == fund.version - 2, "SQLite has reused the row ids"
        with pytest.raises(ReadModelBroken):
            model.advance()


def test_a_version_missing_from_the_log_stops_the_read_model_loudly(database_url: str) -> None:
    fund = random_fund(1)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending[:20])
        model.catch_up()
        store(ledger, fund.pending[21:])

        with pytest.raises(ReadModelBroken, match="version = 22"):
            model.advance()
        assert model.position == 20


def test_tables_of_another_version_of_the_program_are_refused_until_rebuilt(database_url: str) -> None:
    with opened(database_url) as ledger:
        store(ledger, random_fund(1).pending)
        model = following(ledger)
        model.catch_up()
        ledger.database.execute("UPDATE read_model SET shape = 'of last year'")
        ledger.database.execute("DROP TABLE loan_spells")

        with pytest.raises(ReadModelBroken):
            model.create_tables()
        model.rebuild()
        model.create_tables()
        assert list(divergences(ledger)) == []

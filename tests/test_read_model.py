"""Claims about how the tables follow the log: nothing lost, nothing twice, and everything found by a replay."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import count, zip_longest
from random import Random
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, Notification, OperationalError, StoredEvent

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.database import Database, Transaction
from ledger.events import (
    NO_HEAD,
    ContributionReceived,
    Entry,
    Event,
    LoanRepaid,
    LoanRequested,
    MeetingHeld,
    MemberJoined,
    encode,
)
from ledger.money import MAX_AMOUNT
from ledger.projections.batch import TABLES
from ledger.projections.follower import Follower
from ledger.projections.knowledge import known
from ledger.projections.proof import Difference, differences
from ledger.projections.read_model import LAG_COUNTED, BeingRebuilt, ReadModel, ReadModelBroken
from ledger.projections.tables import FOREVER, Reader
from tests.histories import random_fund
from tests.processes import opened
from tests.village import HEARD, lends, repays, undoes, village, whole_life

SEEDS = (1, 2, 3, 6)

Rows = dict[str, list[tuple[Any, ...]]]


# --- given ------------------------------------------------------------------------------------------------------------


def store(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Put entries into the log, as they are."""
    ledger.recorder.insert_events([ledger.mapper.to_stored_event(entry) for entry in entries])


def store_line(ledger: Ledger, fund: str, version: int, line: bytes) -> None:
    """Put a line into the log that no fund has decided."""
    ledger.recorder.insert_events([StoredEvent(fund, version, "Unknown", line)])


def following(ledger: Ledger) -> ReadModel:
    """The read model of a ledger, its tables made."""
    model = ReadModel(ledger.database, selecting(ledger))
    model.create_tables()
    return model


def selecting(ledger: Ledger) -> Callable[[int, int], Sequence[Notification]]:
    """The log, as the service hands it to a read model."""
    return partial(ledger.recorder.select_notifications, inclusive_of_start=False)


def in_turn(*funds: Sequence[Entry]) -> list[Entry]:
    """The entries of several funds, as they come in on one evening."""
    return [entry for entries in zip_longest(*funds) for entry in entries if entry]


def random_funds() -> list[Entry]:
    """Random histories of several funds, and one to which everything has happened."""
    return in_turn(*(random_fund(seed).pending for seed in SEEDS), whole_life().pending)


def rows(reader: Reader, *, but: Sequence[str] = ()) -> Rows:
    """Every row of every table."""
    return {
        table.name: sorted(
            (tuple(row.values()) for row in reader.query(f"SELECT * FROM {table.name}")), key=lambda row: str(row)
        )
        for table in TABLES
        if table.name not in but
    }


def advanced(model: ReadModel, limits: Iterator[int]) -> int:
    """Follow to the end, in batches of these sizes; answers how many events that took."""
    return sum(iter(lambda: model.advance(next(limits)), 0))


# --- live = rebuilt = replayed ----------------------------------------------------------------------------------------


def test_what_was_followed_live_is_what_is_rebuilt_and_what_is_replayed(database_url: str) -> None:
    entries, random = random_funds(), Random(7)
    with opened(database_url) as ledger:
        model = following(ledger)
        for start in range(0, len(entries), 200):
            store(ledger, entries[start : start + 200])
            advanced(model, iter(lambda: random.randint(1, 60), 0))
        live = rows(ledger.database)

        assert model.lag() == 0
        assert [row for row in live["entries"] if row[0] == "LS-0001"]
        assert list(differences(ledger)) == []
        assert model.rebuild() == len(entries)
        assert rows(ledger.database) == live


def test_one_entry_at_a_time_makes_the_rows_that_one_large_batch_makes(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, random_fund(5).pending)
        advanced(model, iter(lambda: 1, 0))
        one_by_one = rows(ledger.database)

        model.rebuild()

        assert rows(ledger.database) == one_by_one


def test_a_repayment_told_late_cuts_the_stretch_a_loan_was_owed_in_two(sqlite_url: str) -> None:
    """On 6 February all was repaid; on the 10th some of it turned out to be a mistake; then the 6th was told."""
    fund = village(
        lends(1, 1_000_000, on="2024-01-31"),
        repays(1, 600_000, on="2024-02-05"),
        undoes(on="2024-02-10"),
        repays(1, 400_000, on="2024-02-06"),
        monthly_rate_ppm=0,
    )
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        advanced(model, iter(lambda: 1, 0))

        spells = ledger.database.query("SELECT from_day, until_day FROM loan_spells ORDER BY from_day")
        assert [tuple(spell.values()) for spell in spells] == [("2024-01-31", "2024-02-06"), ("2024-02-10", FOREVER)]
        assert list(differences(ledger)) == []


def test_both_engines_make_the_same_rows(sqlite_url: str, postgres_url: str) -> None:
    made = []
    for url in (sqlite_url, postgres_url):
        with opened(url) as ledger:
            store(ledger, random_funds())
            model = following(ledger)
            model.catch_up()
            made.append(rows(ledger.database))

    assert made[0] == made[1]


def test_catching_up_says_how_far_it_is(sqlite_url: str) -> None:
    told: list[int] = []
    with opened(sqlite_url) as ledger:
        store(ledger, random_funds())
        model = following(ledger)

        assert model.lag() == min(len(random_funds()), LAG_COUNTED)
        assert model.catch_up(told.append) == sum(told) == len(random_funds())
        assert model.lag() == 0


def test_what_was_known_at_a_version_is_what_the_tables_held_then(sqlite_url: str) -> None:
    entries = random_fund(4).pending
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        for version in (1, 40, 90, len(entries)):
            store(ledger, entries[model.position : version])
            model.catch_up()

            assert rows(known(ledger.entries("LS-0004", upto=version))) == rows(ledger.database)


# --- a change to the tables is found ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [table.name for table in TABLES if table.name != "parked"])
def test_a_row_that_is_missing_from_a_table_is_found(table: str, sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, random_fund(2).pending)
        following(ledger).catch_up()
        key = next(made for made in TABLES if made.name == table).key
        ledger.database.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} LIMIT 1)")

        assert table in {found.table for found in differences(ledger)}


def test_a_changed_sum_and_a_fund_left_out_are_found(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, in_turn(random_fund(2).pending, random_fund(3).pending))
        following(ledger).catch_up()
        ledger.database.execute("UPDATE balances SET amount = amount + 1 WHERE fund = 'LS-0002' AND account = 'cash'")
        for table in TABLES:
            ledger.database.execute(f"DELETE FROM {table.name} WHERE fund = 'LS-0003'")

        found = list(differences(ledger))

        assert {(each.fund, each.table) for each in found} == {("LS-0002", "balances"), ("LS-0003", "entries")}
        assert found[-1] == Difference("LS-0003", "entries", ("LS-0003", 1), None, {"type": "FundOpened"})


class Miscounting(Ledger):
    """A ledger whose funds have a đồng too many."""

    def replayed(self, fund: str, *, upto: int | None = None) -> Fund:
        """The fund, and a đồng more."""
        found = super().replayed(fund, upto=upto)
        found.balances["activity", "cash", None] += 1
        return found


def test_tables_that_agree_with_each_other_and_not_with_the_fund_are_found(sqlite_url: str) -> None:
    ledger = Miscounting(sqlite_url)
    store(ledger, random_fund(2).pending)
    following(ledger).catch_up()
    found = list(differences(ledger))
    ledger.close()

    assert [(each.table, each.key[1:]) for each in found] == [("balances", ("activity", "cash", ""))]


# --- killed in between ------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


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

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._database.count()
        super().insert(table, columns, rows)


def _kill_everywhere(kind: type[Mortal], url: str) -> None:
    """A batch is killed before its first statement, its second, … until it gets through; nothing may be left of it."""
    with opened(url) as ledger:
        store(ledger, in_turn(whole_life().pending, random_fund(1).pending))
        model = following(ledger)
        model.advance(30)
        before = (model.position, rows(ledger.database))
        for statement in count(1):
            mortal = ReadModel(kind(ledger.database, statement), selecting(ledger))
            try:
                mortal.advance(70)
                break
            except Killed:
                assert (model.position, rows(ledger.database)) == before

        assert statement > 15, "a batch is many statements"
        assert model.position == 100
        model.catch_up()
        assert list(differences(ledger)) == []


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

    def _read_on(self, position: int, head: str, limit: int) -> Sequence[Notification]:
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
    return kind(Overtaken(ledger.database, following(other)), selecting(ledger))


def overtaken_reading(kind: type[ReadModel], ledger: Ledger, other: Ledger) -> ReadModel:
    """The same, but faster still: what the first has just read, it has applied already."""
    faster = following(other)

    def read_slowly(position: int, limit: int) -> Sequence[Notification]:
        found = selecting(ledger)(position, limit)
        faster.advance(11)
        return found

    return kind(ledger.database, read_slowly)


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
        assert list(differences(ledger)) == []


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
        assert list(differences(ledger)) == []


# --- rebuilding -------------------------------------------------------------------------------------------------------


def broken_off(ledger: Ledger) -> ReadModel:
    """A read model whose rebuild ended in its middle."""
    model = following(ledger)

    def stop(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        model.rebuild(stop)
    return model


def test_a_rebuild_that_was_broken_off_is_seen_and_mended_by_the_next_one(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger:
        store(ledger, entries)
        model = broken_off(ledger)

        assert model.position == 0
        with pytest.raises(BeingRebuilt):
            model.advance()
        assert model.rebuild() == len(entries)
        assert list(differences(ledger)) == []


def test_a_follower_waits_for_the_end_of_a_rebuild_and_goes_on(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, entries)
        broken_off(ledger)

        with Follower(following(other)) as follower:
            assert not follower.wait_for(len(entries), 1)
            assert follower.trouble == "BeingRebuilt"
            following(ledger).rebuild()
            assert follower.wait_for(len(entries), 30)
            assert follower.trouble is None


def test_a_rebuild_overtaken_by_another_one_writes_nothing_more(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, entries)
        first, second = following(ledger), following(other)

        with pytest.raises(ReadModelBroken, match="another rebuild"):
            first.rebuild(lambda _: second.rebuild())
        assert second.position == len(entries)
        assert list(differences(ledger)) == []


def test_what_is_recorded_during_a_rebuild_is_followed_at_its_end(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger:
        store(ledger, entries[:-5])
        late = [entries[-5:]]

        assert following(ledger).rebuild(lambda _: store(ledger, late.pop()) if late else None) == len(entries)
        assert list(differences(ledger)) == []


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
        assert [(each.fund, each.table) for each in differences(ledger)] == [(sick.id, "parked")]
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


def _delete_tail(ledger: Ledger, fund: str, after: int) -> None:
    ledger.database.execute(
        "DELETE FROM stored_events WHERE originator_id = :fund AND originator_version > :after", fund=fund, after=after
    )


def test_a_deleted_tail_stops_the_read_model_loudly(database_url: str) -> None:
    fund = random_fund(1)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        model.catch_up()
        _delete_tail(ledger, fund.id, fund.version - 3)

        with pytest.raises(ReadModelBroken):
            model.advance()
        assert model.rebuild() == fund.version - 3
        assert list(differences(ledger)) == []


@pytest.mark.parametrize("more", [3, 10])
def test_row_ids_given_away_again_do_not_hide_a_deleted_tail(more: int, sqlite_url: str) -> None:
    fund, other = random_fund(1), random_fund(2)
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        model.catch_up()
        _delete_tail(ledger, fund.id, fund.version - 3)
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

        with pytest.raises(ReadModelBroken, match="version 22"):
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
        assert list(differences(ledger)) == []


# --- the follower -----------------------------------------------------------------------------------------------------

PATIENCE = 30.0
"""Seconds; only a failing test waits so long."""


def test_the_follower_catches_up_when_woken_and_tells_who_waits(database_url: str) -> None:
    fund = random_fund(1)
    with opened(database_url) as ledger, Follower(following(ledger)) as follower:
        store(ledger, fund.pending[:30])
        follower.wake()
        assert follower.wait_for(30, PATIENCE)
        store(ledger, fund.pending[30:])

        assert asyncio.run(follower.reached(fund.version, PATIENCE)), "a waiter wakes it"
        assert follower.wait_for(fund.version, 0)
        assert not follower.wait_for(fund.version + 1, 0)
        assert not asyncio.run(follower.reached(fund.version + 1, 0.01))
        assert follower.trouble is None
        assert list(differences(ledger)) == []


class Unwoken(Follower):
    """A follower nobody wakes: other processes commit without telling."""

    def wake(self) -> None:
        pass


def test_the_follower_notices_what_other_processes_commit(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, opened(sqlite_url) as other, Unwoken(following(ledger)) as follower:
        store(other, random_fund(1).pending)

        assert follower.wait_for(random_fund(1).version, PATIENCE)


class Away(Database):
    """A database that is away at first."""

    def __init__(self, database: Database, times: int) -> None:
        super().__init__(database._datastore)
        self._times = times

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        if self._times:
            self._times -= 1
            raise OperationalError("the name of nobody")
        with super().transaction(commit=commit) as transaction:
            yield transaction


def test_the_follower_tries_again_when_the_storage_was_away(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, random_fund(1).pending)
        following(ledger)
        away = ReadModel(Away(ledger.database, 2), selecting(ledger))
        with Follower(away) as follower:
            assert follower.wait_for(random_fund(1).version, PATIENCE)

        assert follower.trouble is None
        assert [record.getMessage() for record in caplog.records] == [
            "the read model does not follow: OperationalError"
        ]


def test_the_follower_stops_at_a_broken_read_model_and_says_so(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, random_fund(1).pending)
        model.catch_up()
        _delete_tail(ledger, "LS-0001", 10)
        with Follower(model) as follower:
            follower._thread.join(PATIENCE)
            assert not follower._thread.is_alive()

        assert follower.trouble == "ReadModelBroken"
        assert not follower.wait_for(random_fund(1).version, 0.01)


class Buggy(ReadModel):
    """A read model with a bug of ours."""

    def advance(self, limit: int = 1) -> int:
        """Raises."""
        raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_follower_that_died_of_a_bug_says_so(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, Follower(Buggy(ledger.database, selecting(ledger))) as follower:
        follower._thread.join(PATIENCE)

        assert follower.trouble == "ZeroDivisionError"

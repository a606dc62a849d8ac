"""What the log promises to whoever records, on both databases alike."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.aggregates.log import BrokenChain
from ledger.application import Ledger
from ledger.history import verify
from ledger.jobs import Job, Recorded
from ledger.refusals import (
    FundExists,
    FundNotFound,
    IdempotencyKeyReused,
    InsufficientFunds,
    MemberNotFound,
    VersionMismatch,
)
from ledger.register import Text
from ledger.sqlite_engine import sqlite
from tests.support.jobs import (
    FUND,
    capital,
    cash,
    expense,
    gift,
    job,
    joining,
    lending,
    one_fund,
    opened,
    opening,
    recorded,
    stored,
)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with one_fund(database_url) as ledger:
        yield ledger


def names(outcomes: list[Recorded | Exception]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


def broken(key: str) -> Job:
    """A job with a bug: it records a fact and then falls over."""

    def decide(fund: Fund, metadata: EntryMetadata) -> None:
        fund.receive_donation(metadata, source="community", pot="activity", amount=1)
        raise ZeroDivisionError

    return job(key, decide)


# --- a batch ----------------------------------------------------------------------------------------------------------


def test_a_batch_is_recorded_in_order_and_what_was_answered_is_what_is_stored(ledger: Ledger) -> None:
    answers = [recorded(each) for each in ledger.record([gift(f"gift-{n:04d}", n) for n in range(1, 21)])]
    assert [answer.version for answer in answers] == list(range(4, 24))
    assert [answer.position for answer in answers] == list(range(4, 24))
    fund = ledger.replayed(FUND)
    assert [answer.events[-1] for answer in answers] == fund.entries[3:]
    assert answers[-1].head == fund.head == verify(stored(ledger)).head
    assert [answer.head for answer in answers[:-1]] == [event.prev for event in fund.entries[4:]]


def test_a_refused_job_leaves_no_trace_and_its_neighbours_stand(ledger: Ledger) -> None:
    outcomes = ledger.record([gift("gift-0001"), expense("expense-0001", 5_000), expense("expense-0002", 400)])
    assert names(outcomes) == ["Recorded", "InsufficientFunds", "Recorded"]
    assert cash(ledger.replayed(FUND)) == 601
    assert b"expense-0001" not in b"".join(stored(ledger))
    assert recorded(ledger.record([expense("expense-0001", 601)])[0]).version == 6


def test_a_batch_that_cannot_be_stored_whole_is_not_stored_in_part(
    ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.05)
    occupy(database_url, FUND, 6)
    outcomes = ledger.record([gift(f"gift-{n:04d}") for n in range(1, 6)])
    assert not any(isinstance(outcome, Recorded) for outcome in outcomes)
    assert len(ledger.recorder.lines(FUND, 0, 5)) == 3


def occupy(url: str, fund: str, version: int) -> None:
    """Put a row of nobody's where the log will want to write."""
    row = (fund, version, "", b"{}")
    if url.startswith("sqlite"):
        with sqlite.connect(url.removeprefix("sqlite:///")) as file:
            file.execute("INSERT INTO stored_events VALUES (?, ?, ?, ?)", row)
        file.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO stored_events VALUES (%s, %s, %s, %s)", row)


def test_several_facts_are_recorded_all_or_none(ledger: Ledger) -> None:
    for outcome in ledger.record([joining("joining-0001"), capital("capital-0001", 5_000_000)]):
        recorded(outcome)
    before = stored(ledger)
    outcomes = ledger.record([lending("loan-0001", 6_000_000), gift("gift-0001"), lending("loan-0002", 4_000_000)])
    assert names(outcomes) == ["InsufficientFunds", "Recorded", "Recorded"]
    assert [event.name for event in recorded(outcomes[2]).events] == ["LoanRequested", "LoanApproved", "LoanDisbursed"]
    assert len(stored(ledger)) == len(before) + 4
    assert list(ledger.replayed(FUND).loans) == [1]


def test_a_job_that_records_before_it_refuses_must_say_several(ledger: Ledger) -> None:
    def decide(fund: Fund, metadata: EntryMetadata) -> None:
        fund.receive_donation(metadata, source="community", pot="activity", amount=7)
        fund.pay_expense(metadata, activity="health", amount=10**9)

    outcomes = ledger.record([job("careless-0001", decide), gift("gift-0001", 1)])
    assert names(outcomes) == ["AssertionError", "Recorded"]
    assert cash(ledger.replayed(FUND)) == 1_001


def test_a_job_may_record_nothing_and_is_told_where_the_fund_stands(ledger: Ledger) -> None:
    nothing = job("nothing-0001", lambda _fund, _metadata: None, several=True)
    answer, after = (recorded(each) for each in ledger.record([nothing, gift("gift-0001")]))
    assert (answer.events, answer.version, answer.position) == ((), 3, 3)
    assert after.version == 4


@pytest.mark.parametrize("several", [False, True])
def test_a_bug_in_one_job_harms_no_neighbour_and_is_tried_no_further(ledger: Ledger, several: bool) -> None:
    calls: list[EntryMetadata] = []

    def decide(fund: Fund, metadata: EntryMetadata) -> None:
        calls.append(metadata)
        fund.receive_donation(metadata, source="community", pot="activity", amount=1)
        raise ZeroDivisionError

    bug = job("bug-0001", decide, several=several)
    outcomes = ledger.record([gift("gift-0001"), bug, gift("gift-0002"), broken("bug-0002"), expense("much", 9_999)])
    assert names(outcomes) == ["Recorded", "ZeroDivisionError", "Recorded", "ZeroDivisionError", "InsufficientFunds"]
    assert len(calls) == 1
    assert cash(ledger.replayed(FUND)) == 1_002
    assert [recorded(outcomes[n]).version for n in (0, 2)] == [4, 5]


def test_what_the_database_cannot_hold_is_not_tried_for_long_and_harms_no_neighbour(ledger: Ledger) -> None:
    unstorable = Text(FUND, "digest", "salt", "\ud800")
    outcomes = ledger.record([gift("gift-0001"), gift("gift-0002", texts={"note": unstorable}), gift("gift-0003")])
    assert names(outcomes) == ["Recorded", "UnicodeEncodeError", "Recorded"]
    assert cash(ledger.replayed(FUND)) == 1_002


def test_a_value_postgres_cannot_hold_is_not_mistaken_for_storage_that_is_away(postgres_url: str) -> None:
    with opened(postgres_url) as ledger:
        recorded(ledger.record([opening()])[0])
        unstorable = Text(FUND, "a\0b", "salt", "text")
        outcomes = ledger.record([gift("gift-0001", texts={"note": unstorable}), gift("gift-0002")])
        assert names(outcomes) == ["DataError", "Recorded"]


def test_a_broken_fund_does_not_stop_the_others(ledger: Ledger, database_url: str) -> None:
    recorded(ledger.record([opening("LS-SOUND", key="opening-0002")])[0])
    occupy(database_url, FUND, 4)
    with opened(database_url) as restarted:
        outcomes = restarted.record([gift("gift-0001"), gift("gift-0002", fund="LS-SOUND")])
        assert names(outcomes) == ["BrokenChain", "Recorded"]


# --- more than one process --------------------------------------------------------------------------------------------


def test_a_stale_memory_refuses_and_accepts_by_what_the_log_holds(ledger: Ledger, database_url: str) -> None:
    with opened(database_url) as other:
        recorded(other.record([expense("other-0001", 900)])[0])
        assert isinstance(ledger.record([expense("mine-0001", 200)])[0], InsufficientFunds)
        recorded(other.record([gift("other-0002", 500)])[0])
        assert recorded(ledger.record([expense("mine-0002", 600)])[0]).version == 6
        recorded(other.record([joining("other-0003")])[0])
        dues = job("mine-0003", lambda f, s: f.receive_contribution(s, member=1, kind="dues", amount=1))
        assert recorded(ledger.record([dues])[0]).version == 8
        (unknown,) = other.record(
            [job("other-0004", lambda f, s: f.receive_contribution(s, member=2, kind="dues", amount=1))]
        )
        assert isinstance(unknown, MemberNotFound)


def test_a_stale_memory_knows_the_keys_and_versions_of_others_all_the_same(ledger: Ledger, database_url: str) -> None:
    with opened(database_url) as other:
        recorded(other.record([gift("shared-0001", 5), expense("shared-0002", 1_005)])[0])
        assert recorded(ledger.record([gift("shared-0001", 5)])[0]).replayed
        assert isinstance(ledger.record([gift("shared-0002", 5)])[0], IdempotencyKeyReused)
        recorded(other.record([gift("other-0001")])[0])
        (outcome,) = ledger.record([gift("mine-0001", expected_version=5)])
        assert isinstance(outcome, VersionMismatch)
        recorded(other.record([gift("other-0002")])[0])
        assert recorded(ledger.record([gift("mine-0002", dry_run=True)])[0]).version == 8


def test_a_batch_that_is_behind_is_decided_anew_as_a_whole(ledger: Ledger, database_url: str) -> None:
    with opened(database_url) as other:
        for outcome in other.record([gift(f"other-{number:04d}", 1_000) for number in range(3)]):
            recorded(outcome)
    outcomes = ledger.record([gift("mine-0001"), expense("mine-0002", 9_000), expense("mine-0003", 4_001)])
    assert names(outcomes) == ["Recorded", "InsufficientFunds", "Recorded"]
    assert [recorded(outcomes[n]).version for n in (0, 2)] == [7, 8]
    assert cash(ledger.replayed(FUND)) == 0


def test_a_fund_is_opened_by_one_and_found_by_the_other(ledger: Ledger, database_url: str) -> None:
    with opened(database_url) as other:
        assert isinstance(other.record([gift("gift-0001", fund="LS-NEW")])[0], FundNotFound)
        recorded(ledger.record([opening("LS-NEW")])[0])
        assert recorded(other.record([gift("gift-0001", fund="LS-NEW")])[0]).version == 3
        assert isinstance(ledger.record([opening("LS-NEW", key="opening-0002")])[0], FundExists)
        assert ledger.funds() == sorted([FUND, "LS-NEW"])


def test_memory_is_bounded_and_what_was_forgotten_is_read_again(database_url: str) -> None:
    codes = [f"LS-{number:03d}" for number in range(12)]
    draw = random.Random(7)
    with opened(database_url, max_cached_entries=20) as ledger:
        for outcome in ledger.record([opening(code) for code in codes]):
            recorded(outcome)
        for number in range(120):
            recorded(ledger.record([gift(f"gift-{number:04d}", fund=draw.choice(codes))])[0])
            held = ledger._logs.cache.values()
            assert len(held) == 1 or sum(fund.version for fund in held) <= 20
        assert sum(ledger.replayed(code).version - 2 for code in codes) == 120


# --- the tables beside the log ----------------------------------------------------------------------------------------


def test_a_percent_sign_and_a_colon_mean_the_same_on_both_engines(ledger: Ledger) -> None:
    assert ledger.database.query("SELECT 7 % 4 AS rest") == [{"rest": 3}]
    assert ledger.database.query("SELECT 7 % :by AS rest, '12:30' AS hour", by=4) == [{"rest": 3, "hour": "12:30"}]


def test_statements_beside_the_log_are_committed_together_or_not_at_all(ledger: Ledger) -> None:
    ledger.database.execute("CREATE TABLE beside (number BIGINT PRIMARY KEY, word TEXT)")

    def fill_and_fall() -> None:
        with ledger.database.transaction() as transaction:
            transaction.insert("beside", ("number", "word"), [(1, "một"), (2, None)])
            transaction.execute_many("INSERT INTO beside VALUES (:n, :w)", [{"n": 3, "w": "ba"}])
            assert transaction.execute("UPDATE beside SET word = :w WHERE number > :n", w="x", n=1) == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fill_and_fall()
    assert ledger.database.query("SELECT * FROM beside") == []


def test_two_who_read_before_they_write_wait_for_each_other_in_sqlite(sqlite_url: str) -> None:
    def count_up(ledger: Ledger) -> None:
        for _ in range(20):
            with ledger.database.transaction() as transaction:
                (row,) = transaction.query("SELECT number FROM beside")
                transaction.execute("UPDATE beside SET number = :number", number=row["number"] + 1)

    with opened(sqlite_url) as ledger, opened(sqlite_url) as other, ThreadPoolExecutor() as pool:
        ledger.database.execute("CREATE TABLE beside (number BIGINT)")
        ledger.database.execute("INSERT INTO beside VALUES (0)")
        list(pool.map(count_up, [ledger, other]))
        assert ledger.database.query("SELECT number FROM beside") == [{"number": 40}]


@pytest.mark.parametrize("types", [(), ("bigint", "text")])
def test_rows_come_back_as_they_were_put_in_with_and_without_their_names(
    ledger: Ledger, types: tuple[str, ...]
) -> None:
    rows = [(2**63 - 1, "Hoàng\tThị\nSầm \\N"), (-(2**63), None), (0, "")]
    with ledger.database.transaction() as transaction:
        transaction.execute("CREATE TABLE beside (number BIGINT PRIMARY KEY, word TEXT)")
        transaction.insert("beside", ("number", "word"), rows, types)
        assert transaction.values("SELECT * FROM beside WHERE number > :n ORDER BY 1", n=-1) == [rows[2], rows[0]]
        assert transaction.query("SELECT word FROM beside WHERE number = 0") == [{"word": ""}]
    assert ledger.database.values("SELECT number, word FROM beside ORDER BY number") == [rows[1], rows[2], rows[0]]


def test_more_values_than_one_statement_takes_are_all_looked_up(ledger: Ledger) -> None:
    rows = [(number,) for number in range(1_234)]
    with ledger.database.transaction() as transaction:
        transaction.execute("CREATE TABLE beside (number BIGINT PRIMARY KEY)")
        transaction.insert("beside", ("number",), rows)
        transaction.insert("beside", ("number",), [])
    found = ledger.database.select_in("SELECT number FROM beside WHERE number IN", [n for (n,) in rows])
    assert sorted(row["number"] for row in found) == list(range(1_234))


def test_rows_that_hold_no_line_of_ours_name_the_version(ledger: Ledger, database_url: str) -> None:
    occupy(database_url, FUND, 4)
    with pytest.raises(BrokenChain) as caught:
        ledger.replayed(FUND)
    assert (caught.value.fund, caught.value.version) == (FUND, 4)

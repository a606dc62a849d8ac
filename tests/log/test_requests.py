"""What the log promises to those who ask: each request counts once, a dry run leaves nothing, all get their answers."""

import asyncio
from collections.abc import Iterator

import pytest

from ledger.application import Ledger
from ledger.jobs import Recorded
from ledger.refusals import (
    IdempotencyKeyReused,
    InsufficientFunds,
    VersionMismatch,
)
from ledger.writer import Writer
from tests.support.jobs import FUND, cash, expense, gift, one_fund, opened, opening, recorded, stored


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with one_fund(database_url) as ledger:
        yield ledger


# --- keys -------------------------------------------------------------------------------------------------------------


def test_the_same_request_gets_the_first_answer_again(ledger: Ledger, database_url: str) -> None:
    first, within = (recorded(each) for each in ledger.record([gift("gift-0001", 5), gift("gift-0001", 5)]))
    later = recorded(ledger.record([gift("gift-0001", 5)])[0])
    with opened(database_url) as restarted:
        after_restart = recorded(restarted.record([gift("gift-0001", 5)])[0])
    for again in (within, later, after_restart):
        assert again.replayed
        assert (again.events, again.version, again.head, again.position) == (first.events, 4, first.head, 4)
    assert not first.replayed
    assert cash(ledger.replayed(FUND)) == 1_005


def test_another_request_may_not_use_the_key_again(ledger: Ledger) -> None:
    outcomes = ledger.record([gift("gift-0001", 5), gift("gift-0001", 6)])
    assert isinstance(outcomes[1], IdempotencyKeyReused)
    assert outcomes[1].facts == {"key": "gift-0001", "version": 4}
    assert isinstance(ledger.record([expense("gift-0001", 5)])[0], IdempotencyKeyReused)
    assert cash(ledger.replayed(FUND)) == 1_005


def test_a_refused_request_spends_no_key(ledger: Ledger) -> None:
    assert isinstance(ledger.record([expense("expense-0001", 2_000)])[0], InsufficientFunds)
    recorded(ledger.record([gift("gift-0001", 1_000)])[0])
    assert not recorded(ledger.record([expense("expense-0001", 2_000)])[0]).replayed


def test_a_replay_is_answered_before_a_stale_version_is_judged(ledger: Ledger) -> None:
    recorded(ledger.record([gift("gift-0001", expected_version=3)])[0])
    assert recorded(ledger.record([gift("gift-0001", expected_version=3)])[0]).replayed
    (outcome,) = ledger.record([gift("gift-0002", expected_version=3)])
    assert isinstance(outcome, VersionMismatch)
    assert outcome.facts == {"expected": 3, "version": 4}


def test_a_key_counts_in_its_own_fund_only(ledger: Ledger) -> None:
    recorded(ledger.record([opening("LS-OTHER", key="opening-0001")])[0])
    assert not recorded(ledger.record([gift("gift-0000", 1_000, fund="LS-OTHER")])[0]).replayed


# --- dry runs ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_the_same_and_records_nothing(ledger: Ledger) -> None:
    before = stored(ledger)
    (dry,) = ledger.record([gift("gift-0001", 5, dry_run=True)])
    assert stored(ledger) == before
    assert recorded(dry).position is None
    (real,) = ledger.record([gift("gift-0001", 5)])
    assert not recorded(real).replayed
    assert recorded(real).events == recorded(dry).events
    assert recorded(real).head == recorded(dry).head


def test_a_dry_run_in_a_batch_changes_nothing_for_those_after_it(ledger: Ledger) -> None:
    outcomes = ledger.record(
        [expense("e-1", 900, dry_run=True), expense("e-2", 900), expense("e-3", 900, dry_run=True)]
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Recorded", "Recorded", "InsufficientFunds"]
    assert cash(ledger.replayed(FUND)) == 100


# --- the group commit -------------------------------------------------------------------------------------------------


def test_callers_get_each_their_own_answer_and_a_burst_shares_commits(ledger: Ledger) -> None:
    commits: list[None] = []

    async def post(writer: Writer) -> list[Recorded | BaseException]:
        jobs = [gift(f"gift-{n:04d}") if n % 3 else expense(f"expense-{n:04d}", 10**6) for n in range(300)]
        waiting = [asyncio.ensure_future(writer.record(each)) for each in jobs]
        await asyncio.sleep(0)  # One turn of the loop: all 300 are in the queue before the writer looks into it.
        with writer:
            pass
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcomes = asyncio.run(post(Writer(ledger, lambda: commits.append(None))))
    assert [isinstance(outcome, InsufficientFunds) for outcome in outcomes] == [n % 3 == 0 for n in range(300)]
    assert [o.version for o in outcomes if isinstance(o, Recorded)] == list(range(4, 204))
    assert len(commits) == 2


def test_a_caller_who_went_away_finds_the_answer_by_the_key(ledger: Ledger) -> None:
    async def leave(writer: Writer) -> None:
        waiting = asyncio.ensure_future(writer.record(gift("gift-0001")))
        await asyncio.sleep(0)
        waiting.cancel()

    with Writer(ledger) as writer:
        asyncio.run(leave(writer))
    assert recorded(ledger.record([gift("gift-0001")])[0]).replayed


def test_a_bug_never_ends_the_writer(ledger: Ledger) -> None:
    called: list[None] = []

    def fall_over_once() -> None:
        called.append(None)
        if len(called) == 1:
            raise ZeroDivisionError

    async def post(writer: Writer) -> None:
        async with asyncio.timeout(30):  # A dead writer would never answer.
            with pytest.raises(ZeroDivisionError):
                await writer.record(gift("gift-0001"))
            assert (await writer.record(gift("gift-0001"))).replayed

    with Writer(ledger, fall_over_once) as writer:
        asyncio.run(post(writer))

"""The end of a fund's log is gone under a running service, as after a fail-over to a standby that lagged behind, or a
restore: nothing is built on what is gone, nothing that is gone is acknowledged again, and the loss is told.

The control has the check taken away, and must acknowledge entries onto a gap.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.history import verify
from ledger.losses import Loss
from ledger.refusals import FundNotFound, InsufficientFunds
from tests.support.commands import command
from tests.support.jobs import FUND, cash, expense, gift, one_fund, opened, opening, recorded, stored
from tests.support.service import FUND as MAI_PHA
from tests.support.service import NAME, house, settle_in
from tests.support.tables import delete_tail

OTHER = "LS-BACSON-02"


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with two funds; the first has six entries."""
    with one_fund(database_url) as ledger:
        for job in (opening(OTHER), *(gift(f"gift-{number:04}", 10) for number in (4, 5, 6))):
            recorded(ledger.record([job])[0])
        yield ledger


@pytest.mark.parametrize("left", [5, 4, 3])
def test_an_entry_goes_where_the_log_now_ends_and_the_loss_is_told(
    ledger: Ledger, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    delete_tail(ledger, FUND, left)
    with caplog.at_level(logging.ERROR):
        answer = recorded(ledger.record([gift("gift-0007")])[0])

    assert (answer.version, answer.replayed) == (left + 1, False)
    assert verify(stored(ledger)).valid
    assert verify(stored(ledger)).head == answer.head
    assert ledger.losses.found() == [Loss(FUND, left + 1, 6)]
    assert [record.getMessage() for record in caplog.records] == [
        f"entries are gone from the log: fund {FUND}, versions {left + 1} to 6"
    ]
    recorded(ledger.record([gift("gift-0008")])[0])
    assert ledger.losses.found() == [Loss(FUND, left + 1, 6)], "a loss is told once"


def test_a_request_whose_entry_is_gone_is_recorded_again_and_not_called_recorded(ledger: Ledger) -> None:
    delete_tail(ledger, FUND, 4)
    lost, kept = ledger.record([gift("gift-0006", 10), gift("gift-0004", 10)])

    assert (recorded(lost).version, recorded(lost).replayed) == (5, False)
    assert (recorded(kept).version, recorded(kept).replayed) == (4, True)
    assert verify(stored(ledger)).valid
    assert ledger.losses.found() == [Loss(FUND, 5, 6)]


def test_a_refusal_and_a_dry_run_rest_on_what_the_log_still_holds(ledger: Ledger) -> None:
    recorded(ledger.record([gift("gift-0007", 5_000)])[0])
    delete_tail(ledger, FUND, 6)
    assert isinstance(ledger.record([expense("expense-0001", 5_000)])[0], InsufficientFunds)

    recorded(ledger.record([expense("expense-0002", 1_000)])[0])
    delete_tail(ledger, FUND, 6)
    trial = recorded(ledger.record([expense("expense-0003", 1_000, dry_run=True)])[0])
    assert trial.version == 7
    assert recorded(ledger.record([expense("expense-0003", 1_000)])[0]).head == trial.head
    assert ledger.losses.found() == [Loss(FUND, 7, 7)]


def test_a_fund_that_is_gone_is_not_found_and_may_be_opened_again(ledger: Ledger) -> None:
    delete_tail(ledger, FUND, 0)
    assert isinstance(ledger.record([gift("gift-0007")])[0], FundNotFound)
    assert ledger.losses.found() == [Loss(FUND, 1, 6)]
    assert recorded(ledger.record([opening(key="opening-0009")])[0]).version == 2


def test_a_fund_that_others_carried_on_since_is_carried_on_from_there(ledger: Ledger, database_url: str) -> None:
    delete_tail(ledger, FUND, 4)
    with opened(database_url) as other:
        for number in range(4):
            recorded(other.record([gift(f"other-{number:04}", 7)])[0])

    assert recorded(ledger.record([gift("gift-0007")])[0]).version == 9
    assert verify(stored(ledger)).valid
    assert ledger.losses.found() == [Loss(FUND, 5, 6)]


def test_a_loss_is_found_in_a_fund_that_memory_has_let_go(database_url: str) -> None:
    with opened(database_url, max_cached_entries=1) as ledger:
        for job in (opening(), gift("gift-0003"), gift("gift-0004"), opening(OTHER)):
            recorded(ledger.record([job])[0])
        assert FUND not in ledger._logs.cache
        delete_tail(ledger, FUND, 3)
        assert recorded(ledger.record([gift("gift-0005")])[0]).version == 4
        assert ledger.losses.found() == [Loss(FUND, 4, 4)]


def test_a_last_line_that_was_changed_is_not_built_on_as_if_it_had_not(ledger: Ledger) -> None:
    last = stored(ledger)[-1].replace(b'"amount":10', b'"amount":99')
    ledger.database.execute(
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 6",
        line=last,
        fund=FUND,
    )
    recorded(ledger.record([gift("gift-0007")])[0])
    assert verify(stored(ledger)).valid
    assert cash(ledger.replayed(FUND)) == 1_000 + 20 + 99 + 1
    assert ledger.losses.found() == [Loss(FUND, 6, 6)]


def test_the_neighbours_of_a_fund_with_a_loss_are_recorded_in_the_same_batch(ledger: Ledger) -> None:
    delete_tail(ledger, FUND, 5)
    outcomes = ledger.record([gift("gift-0001", fund=OTHER), gift("gift-0007"), gift("gift-0002", fund=OTHER)])

    assert [recorded(outcome).version for outcome in outcomes] == [3, 6, 4]
    assert verify(stored(ledger)).valid
    assert verify(stored(ledger, OTHER)).valid


def test_who_was_only_slower_than_others_has_lost_nothing(ledger: Ledger, database_url: str) -> None:
    with opened(database_url) as other:
        for number in range(3):
            recorded(other.record([gift(f"other-{number:04}")])[0])
            recorded(ledger.record([gift(f"mine-{number:04}")])[0])
        assert ledger.losses.found() == other.losses.found() == []


def test_without_the_check_entries_are_acknowledged_onto_a_gap(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ledger.recorder.insert_events

    def unchecked(rows: Sequence[Any], **how: Any) -> Any:
        return store(rows, **how | {"built_on": ()})

    monkeypatch.setattr(ledger.recorder, "insert_events", unchecked)
    delete_tail(ledger, FUND, 5)
    assert recorded(ledger.record([gift("gift-0007")])[0]).version == 7
    assert not verify(ledger.recorder.lines(FUND, 0, None)).valid


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_the_service_goes_on_from_what_is_there_and_tells_the_operator(database_url: str) -> None:
    dues = {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-04-15"}
    with house(database_url) as village:
        settle_in(village)
        version = village.recorded(f"/funds/{MAI_PHA}/contributions", dues)["version"]
        assert village.client.get("/readyz").json()["lost"] == []
        delete_tail(village.state.ledger, MAI_PHA, version - 2)
        again = village.post(f"/funds/{MAI_PHA}/contributions", dues)
        told = village.client.get("/readyz").json()["lost"]
        remembered = village.state.acknowledged.latest

    assert (again.status_code, again.json()["version"]) == (201, version - 1)
    assert told == [{"fund": MAI_PHA, "first": version - 1, "last": version}]
    assert remembered == again.json()["position"]
    verified = command(database_url, "verify", MAI_PHA)
    assert (verified.returncode, NAME in verified.stdout) == (0, False)
    assert f"{MAI_PHA}: MẤT các bút toán từ số {version - 1} đến số {version}," in verified.stdout
    assert (
        f"{MAI_PHA}: LOST versions {version - 1} to {version},"
        in command(database_url, "verify", "--all", "--lang", "en").stdout
    )

"""A row of the log whose line somebody has taken out: its own chain is broken there, and nobody else's figures stop."""

from __future__ import annotations

import pytest

from ledger.aggregates.log import BrokenChain
from ledger.database import EVENTS_TABLE
from ledger.history import verify
from ledger.projections.proof import divergences
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import following, in_turn, store


def test_a_row_whose_line_was_taken_out_parks_its_fund_and_breaks_its_chain_and_no_other(database_url: str) -> None:
    sick, well = random_fund(2, 30), random_fund(1, 30)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, in_turn(sick.pending, well.pending))
        ledger.database.execute(
            f"UPDATE {EVENTS_TABLE} SET state = NULL WHERE originator_id = :sick AND originator_version = 20",
            sick=sick.id,
        )
        model.catch_up()
        assert [(row["fund"], row["version"]) for row in model.parked()] == [(sick.id, 20)]
        assert list(divergences(ledger, [well.id])) == []
        assert verify(ledger.recorder.lines(sick.id, 0, None)).first_broken == 20
        with pytest.raises(BrokenChain):
            ledger.replayed(sick.id)
        with pytest.raises(BrokenChain):
            list(ledger.entries_since({sick.id: 18, well.id: 18}))
        model.rebuild()
        assert [(row["fund"], row["version"]) for row in model.parked()] == [(sick.id, 20)]


def test_the_last_row_of_all_may_be_such_a_one_and_figures_are_given(database_url: str) -> None:
    sick, well = random_fund(2, 30), random_fund(1, 30)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, [*well.pending, *sick.pending])
        ledger.database.execute(
            f"UPDATE {EVENTS_TABLE} SET state = NULL WHERE originator_id = :sick AND originator_version = :last",
            sick=sick.id,
            last=sick.version,
        )
        model.catch_up()
        assert model.ask(lambda _, position: position) == model.position == sick.version + well.version
        assert [(row["fund"], row["version"]) for row in model.parked()] == [(sick.id, sick.version)]
        assert model.rebuild() == model.position

"""Claims about the report of a plan: every figure is that of the lines, and the same whoever asks, wherever and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.projections.read_model import ReadModel
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.reporting import (
    as_lines_tell,
    by_lines,
    counted,
    leaves,
    question,
    told,
)
from tests.support.tables import following, in_turn, store

SEEDS = (1, 2, 3, 4, 6, 7, 8, 9)
PERIODS = (
    (date(2021, 9, 1), date(2021, 12, 31)),
    (date(2021, 12, 15), date(2022, 6, 14)),
    (date(2022, 1, 1), date(2022, 12, 31)),
)


def is_plainly_told(seed: int) -> bool:
    """Whether no old book was put right: what its loans were then is another claim's matter."""
    return not any(event.name == "OpeningBalancesCorrected" for event in random_fund(seed).entries)


@pytest.fixture
def club_ledger(database_url: str) -> Iterator[tuple[Ledger, ReadModel]]:
    """Random clubs whose entries came in on the same evenings."""
    with opened(database_url) as ledger:
        store(ledger, in_turn(*(random_fund(seed).pending for seed in SEEDS)))
        model = following(ledger)
        model.catch_up()
        yield ledger, model


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: f"{period[0]}..{period[1]}")
def test_every_figure_of_random_clubs_is_that_of_their_lines(club_ledger: Any, period: Any) -> None:
    _, model = club_ledger
    asked = question(*period, threshold=55)

    rows = {row["fund"]: as_lines_tell(row) for row in counted(model, asked).report["by_club"]}

    funds = {fund.id: fund for fund in map(random_fund, SEEDS) if fund.opened.on <= period[1]}
    assert rows.keys() == {code for code, fund in funds.items() if fund.place_on(period[1]).province == "Lạng Sơn"}
    for seed in filter(is_plainly_told, SEEDS):
        fund = random_fund(seed)
        if fund.id in rows:
            assert leaves(rows[fund.id]) == leaves(by_lines(told(fund.pending), asked)), seed

"""A claim about samples: read off the tables, they are what is drawn from the entries themselves."""

from __future__ import annotations

from datetime import date

from ledger.events import Draw
from service.inspection.samples import entries_answer, told_answer
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import following, store

PERIODS = ((None, None), (date(2022, 1, 1), date(2022, 6, 30)), (None, date(2021, 12, 31)))


def test_a_sample_off_the_tables_is_that_of_the_entries(database_url: str) -> None:
    with opened(database_url) as ledger:
        model, funds = following(ledger), [random_fund(seed) for seed in (2, 3, 5, 8)]
        for fund in funds:
            store(ledger, fund.pending)
        model.catch_up()
        drawn = 0
        for fund in funds:
            for version in (40, len(fund.pending)):
                for since, until in PERIODS:
                    draw = Draw(seed="XSMB-48213", vouchers=7, loans=5, known_version=version, since=since, until=until)
                    found = told_answer(draw, fund.id, ledger.database, ledger.recorder)
                    assert found == entries_answer(draw, fund.pending[:version])
                    drawn += len(found["vouchers"]) + len(found["loans"])
        assert drawn > 100

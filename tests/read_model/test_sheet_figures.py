"""Claims about what a meeting's sheet asks the tables for: dues, what loans want, and what was saved."""

from __future__ import annotations

from functools import cache

import pytest

from ledger.projections import balances, dues, loans
from ledger.terms import lateness
from tests.read_model.test_projections import SEEDS, days_of, happened, told_roll
from tests.support.dues import dues_of
from tests.support.histories import random_fund
from tests.support.tables import book


@pytest.mark.parametrize("seed", SEEDS)
def test_dues_are_what_the_bylaws_asked_for_and_what_came(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    roll_on = cache(lambda meets: told_roll(happened(fund, meets)))
    for as_of in days_of(fund):
        expected = sorted(dues_of(fund, as_of, roll_on))
        assert sorted(dues.monthly_dues(tables, fund.id, as_of)) == expected
        since = dues.first_recent_month(as_of)
        recent = [each for each in expected if each.month >= since and each.member == 1]
        assert list(dues.monthly_dues(tables, fund.id, as_of, since=since, member=1)) == recent


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sheet_asks_for_what_the_fund_itself_holds_to_be_due(seed: int) -> None:
    fund = random_fund(seed)
    today = max(event.on for event in fund.entries)
    running = [loan for loan in fund.loans.values() if loan.status == "running"]
    asked = {each["loan"]: each for each in loans.due(book(fund), fund.id, today)}

    assert asked.keys() == {loan.number for loan in running}
    for loan in running:
        standing, late = loan.standing(today), lateness(loan.plan(today), loan.phase(today).repayments, today)
        figures = asked[loan.number]
        assert figures["settlement_amount"] == standing.settlement_amount
        assert figures["interest_due"] in (0, standing.interest_due)
        assert figures["due"] == figures["principal_due"] + figures["interest_due"]
        assert figures["principal_due"] >= late.overdue_principal


@pytest.mark.parametrize("seed", SEEDS)
def test_what_members_have_saved_is_what_the_fund_owes_them(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    kept = {of: -amount for (_, account, of), amount in fund.balances.items() if account == "savings" and amount}

    for as_of in (None, fund.entries[-1].on.max):
        assert {of: amount for of, amount in balances.savings(tables, fund.id, as_of).items() if amount} == kept

"""Kernels with one rule taken out or turned round, to show that the checks of the whole book would notice.

Each function breaks the kernel through `monkeypatch`, for the length of one test.
"""

from datetime import date
from typing import Any

import pytest

from ledger.aggregates import books
from ledger.aggregates import fund as fund_module
from ledger.aggregates.books import Books
from ledger.aggregates.fund import Fund
from ledger.aggregates.governance import Governance
from ledger.aggregates.lending import Lending
from ledger.aggregates.loan import Loan
from ledger.aggregates.state import State
from ledger.chart import POTS, Leg
from ledger.days import DailyBalance
from ledger.events import (
    ContributionReceived,
    LoanRepaid,
    OfficeTaken,
    SavingsWithdrawn,
)


def unbalanced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dues put cash in one pot and equity in the other."""
    legs = ContributionReceived.legs
    monkeypatch.setattr(books, "is_balanced", lambda legs: True)
    wrong = lambda event: (legs(event)[0], Leg("revolving", "contributions", -event.amount))  # noqa: E731
    monkeypatch.setattr(ContributionReceived, "legs", wrong)


def overdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks into the box before paying."""
    monkeypatch.setattr(Books, "_refuse_below_zero", lambda *_: None)


def late_entries_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only today's balance counts, not that of the days since."""
    monkeypatch.setattr(DailyBalance, "worst_from", lambda daily, day, sign: (daily.total * sign, day))


def reversed_repayments_live_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reversal forgets the loan book."""
    monkeypatch.setattr(Loan, "unreduced", lambda loan, version: loan)


def standing_forgets_the_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rescheduled loan stands where it stood before."""
    phase = Loan.phase
    monkeypatch.setattr(Loan, "phase", lambda loan, day: phase(loan, day)._replace(repayments=()))


def settlement_is_a_month_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever settles is told an amount without the interest due."""
    standing = Loan.standing
    monkeypatch.setattr(Loan, "standing", lambda loan, day: standing(loan, day)._replace(**WITHOUT_INTEREST))


WITHOUT_INTEREST = {"interest_due": 0, "interest_begun": 0}


def interest_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The activity pot's share of interest reaches nobody."""
    legs = LoanRepaid.legs
    kept = lambda event: tuple(leg for leg in legs(event) if leg.pot == "revolving")  # noqa: E731
    monkeypatch.setattr(LoanRepaid, "legs", kept)


def savings_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """All withdrawals are taken from member 1."""
    legs = SavingsWithdrawn.legs
    wrong = lambda event: tuple(Leg(x.pot, x.account, x.amount, x.of and 1) for x in legs(event))  # noqa: E731
    monkeypatch.setattr(SavingsWithdrawn, "legs", wrong)
    overdrawn(monkeypatch)


def vouchers_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number is left out after each one."""
    number = Books._next_voucher

    def skipping(fund: Any, on: date, legs: Any) -> str | None:
        voucher = number(fund, on, legs)
        return voucher and f"{voucher[:8]}{int(voucher[8:]) + 1:04d}"

    monkeypatch.setattr(Books, "_next_voucher", skipping)


def reversals_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reversal posts the legs once more instead of the other way."""
    monkeypatch.setattr(fund_module, "negated", lambda legs: legs)
    overdrawn(monkeypatch)


def balances_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fund keeps balances that differ from its journal."""
    post = State._post
    monkeypatch.setattr(State, "_post", lambda fund, key, *moved: key[1] == "fines" or post(fund, key, *moved))


def closed_periods_take_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether the period is closed."""
    monkeypatch.setattr(Books, "_refuse_day", lambda *_: None)


def counts_expect_todays_cash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A late count expects what the box holds now."""

    def held(fund: Any, _: date, pot: str = "both") -> int:
        return sum(fund.balances[each, "cash", None] for each in (POTS if pot == "both" else (pot,)))

    monkeypatch.setattr(State, "cash_at", held)


def offices_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hands an office over."""
    record = Fund._record
    take = lambda fund, metadata, *, member, office, until=None: record(  # noqa: E731
        fund, OfficeTaken, metadata, member=member, office=office, until=until
    )
    monkeypatch.setattr(Governance, "take_office", take)


def a_decision_changes_the_fund_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejecting a loan forgets it, though no event says so."""
    reject = Lending.reject_loan

    def rejecting(fund: Any, metadata: Any, number: int) -> Any:
        rejected = reject(fund, metadata, number)
        fund.loans[number] = Loan(**{name: getattr(fund.loans[number], name) for name in Loan.__struct_fields__} | LESS)
        return rejected

    monkeypatch.setattr(Lending, "reject_loan", rejecting)


LESS = {"rejected_on": None}


def dissolved_with_money_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the bank is forgotten at the end."""
    monkeypatch.setattr("ledger.aggregates.governance.ASSETS", {"cash"})

"""What a loan costs and when it is late (`domain.md` §4): pure functions over its terms and its live repayments.

The plan says what was promised; the standing follows what really happened. Amounts in đồng, rates in ppm a month.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import count
from typing import Literal, NamedTuple

import msgspec

from ledger.days import add_months
from ledger.money import half_up, share
from ledger.refusals import Overpayment, SettlementShort

InterestMethod = Literal["reducing", "flat"]
RepaymentMode = Literal["equal_principal", "bullet", "interest_at_maturity"]

INTEREST_ROUNDINGS = (1, 100, 500, 1_000)
"""To multiples of how many đồng a club's bylaws may round interest: clubs have no coins."""

INSTALMENT_STEP = 1_000
"""Instalments of principal are whole thousands, the smallest note in everyday use."""


class LoanTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a loan was approved under, and keeps whatever the bylaws say later."""

    principal: int
    term_months: int
    repayment_mode: RepaymentMode
    interest_method: InterestMethod
    monthly_rate_ppm: int
    interest_rounding: int = 1

    def maturity(self, disbursed_on: date) -> date:
        """d(n), the day the last instalment is due."""
        return add_months(disbursed_on, self.term_months)

    def month_interest(self, month: int, outstanding: int) -> int:
        """Interest of the month that ends on anniversary `month`, given the principal outstanding before it.

        `flat` counts from the original principal, but only up to maturity. Clubs have no coins: interest is a multiple
        of the bylaws' `interest_rounding`.
        """
        flat = self.interest_method == "flat" and month <= self.term_months
        return share(self.principal if flat else outstanding, self.monthly_rate_ppm, self.interest_rounding)


class Instalment(NamedTuple):
    """One line of the plan."""

    number: int
    due_on: date
    principal: int
    interest: int


class Repayment(NamedTuple):
    """What came off a loan on a day, with the split it was recorded with: money repaid, savings set off, interest
    waived, or principal forgiven or written off in part."""

    on: date
    principal: int
    interest: int


class Standing(NamedTuple):
    """A loan at the end of a day, before any further payment on it."""

    outstanding: int
    interest_due: int
    """Accrued and not yet paid."""
    interest_begun: int
    """Of the month begun since the last anniversary, less what is paid ahead; only a settlement pays it."""
    interest_ahead: int = 0
    """Paid and not yet accrued: a late entry can leave more interest paid than accrued. Later accruals use it up."""

    @property
    def settlement_amount(self) -> int:
        """Paying exactly this closes the loan."""
        return self.outstanding + self.interest_due + self.interest_begun


class Split(NamedTuple):
    """How a repayment divides."""

    principal: int
    interest: int


def plan(terms: LoanTerms, disbursed_on: date) -> list[Instalment]:
    """The instalments promised, anniversary by anniversary. Cases: `golden/loan_schedules.csv`."""
    last = terms.term_months
    per_month = half_up(terms.principal, last * INSTALMENT_STEP) * INSTALMENT_STEP
    left, carried, instalments = terms.principal, 0, []
    for month in range(1, last + 1):
        carried += terms.month_interest(month, left)
        held_back = terms.repayment_mode == "interest_at_maturity" and month < last
        interest = 0 if held_back else carried
        carried -= interest
        regular = 0 if terms.repayment_mode == "bullet" else min(per_month, left)
        principal = left if month == last else regular
        left -= principal
        instalments.append(Instalment(month, add_months(disbursed_on, month), principal, interest))
    return instalments


def standing(
    terms: LoanTerms,
    disbursed_on: date,
    repayments: Iterable[Repayment],
    day: date,
    *,
    carried: int = 0,
    accrues_after: date | None = None,
) -> Standing:
    """Fold the live repayments up to `day` into what is owed at its end. Cases: `golden/repayments.csv`.

    `carried` is interest already owed at the start, from before a rescheduling, or below zero what was paid ahead;
    months that ended by `accrues_after` were dealt with in the old book of a club that was taken over.
    """
    past = sorted((r for r in repayments if r.on <= day), key=lambda r: r.on)
    outstanding, accrued, paid_before = terms.principal, carried, 0
    for month in count(1):
        anniversary = add_months(disbursed_on, month)
        while paid_before < len(past) and past[paid_before].on < anniversary:
            outstanding -= past[paid_before].principal
            paid_before += 1
        if anniversary > day or outstanding <= 0:
            break
        if accrues_after is None or anniversary > accrues_after:
            accrued += terms.month_interest(month, outstanding)
    outstanding -= sum(repayment.principal for repayment in past[paid_before:])
    interest_due = accrued - sum(repayment.interest for repayment in past)
    on_anniversary = add_months(disbursed_on, month - 1) == day
    begun = 0 if on_anniversary or outstanding <= 0 else terms.month_interest(month, outstanding)
    ahead = max(-interest_due, 0)
    return Standing(max(outstanding, 0), max(interest_due, 0), max(begun - ahead, 0), ahead)


def split(
    terms: LoanTerms,
    disbursed_on: date,
    repayments: Iterable[Repayment],
    day: date,
    amount: int,
    *,
    carried: int = 0,
    accrues_after: date | None = None,
) -> Split:
    """Divide a payment made on `day`: accrued interest first, the rest to principal.

    Before maturity an `interest_at_maturity` loan gives everything to principal. Exactly the settlement amount closes
    the loan. Raises `Overpayment` above it, and `SettlementShort` when the principal would be cleared but not the
    interest; both state the settlement amount.
    """
    now = standing(terms, disbursed_on, repayments, day, carried=carried, accrues_after=accrues_after)
    settlement = now.settlement_amount
    if amount > settlement:
        raise Overpayment(amount=amount, settlement_amount=settlement)
    if amount == settlement:
        return Split(now.outstanding, settlement - now.outstanding)
    held_back = terms.repayment_mode == "interest_at_maturity" and day < terms.maturity(disbursed_on)
    interest = 0 if held_back else min(amount, now.interest_due)
    if amount - interest >= now.outstanding:
        raise SettlementShort(amount=amount, settlement_amount=settlement)
    return Split(amount - interest, interest)


class Lateness(NamedTuple):
    """How far a loan is behind its plan at the end of a day."""

    overdue_principal: int
    days_late: int


def lateness(instalments: Sequence[Instalment], repayments: Iterable[Repayment], day: date) -> Lateness:
    """Planned principal due before `day`, less the principal repaid; counted from the oldest due date not met."""
    repaid = sum(repayment.principal for repayment in repayments if repayment.on <= day)
    promised, oldest_unmet = 0, None
    for instalment in instalments:
        if instalment.due_on >= day:
            break
        promised += instalment.principal
        if promised > repaid and oldest_unmet is None:
            oldest_unmet = instalment.due_on
    return Lateness(max(promised - repaid, 0), (day - oldest_unmet).days if oldest_unmet else 0)

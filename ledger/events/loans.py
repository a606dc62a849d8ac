"""A loan's life: asked for, decided, paid out, repaid (`domain.md` §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ledger.chart import Leg, Legs, Place, transfer
from ledger.events.base import Event, Voucher
from ledger.terms import InterestMethod, RepaymentMode

if TYPE_CHECKING:
    from ledger.aggregates.state import State

Purpose = Literal["trade", "livestock", "crops", "small_business", "other"]

PRODUCTION: frozenset[Purpose] = frozenset({"trade", "livestock", "crops", "small_business"})
"""Purposes that count as vay vốn sản xuất, kinh doanh (plan 47, I.2 and II.3)."""


class LoanRequested(Event, frozen=True, kw_only=True, gc=False):
    """A member asked for a loan."""

    loan: int
    member: int
    principal: int
    term_months: int
    purpose: Purpose
    guarantor: int | None = None

    def evolve(self, fund: State) -> None:
        fund.open_loan(self)


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The rules of the bylaws the chair set aside; the chair's reason lies in the register, its digest in `texts`."""

    rules: tuple[str, ...]


class LoanApproved(Event, frozen=True, kw_only=True, gc=False):
    """The loan was granted, on the terms it keeps from now on."""

    loan: int
    member: int
    monthly_rate_ppm: int
    interest_method: InterestMethod
    repayment_mode: RepaymentMode
    interest_to_activity_ppm: int
    two_person_approval: bool
    override: Override | None = None

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], conditions=self)


class LoanRejected(Event, frozen=True, kw_only=True, gc=False):
    """The loan was not granted."""

    loan: int
    member: int

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], rejected_on=self.on)


class LoanDisbursed(Voucher, frozen=True, kw_only=True, gc=False):
    """The principal was handed out from the revolving pot."""

    loan: int
    member: int
    principal: int
    place: Place

    def legs(self) -> Legs:
        return transfer("revolving", "loans", self.place, self.principal, of=self.loan)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], disbursed_on=self.on)

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], disbursed_on=None)


class LoanRepaid(Voucher, frozen=True, kw_only=True, gc=False):
    """Cash came back. `amount` = `principal` + `interest`; of the interest, `interest_to_activity` goes to that pot.

    `outstanding` is the principal still owed after it, all live repayments counted.
    """

    loan: int
    member: int
    amount: int
    principal: int
    interest: int
    interest_to_activity: int
    outstanding: int

    def legs(self) -> Legs:
        kept = self.interest - self.interest_to_activity
        legs = (
            Leg("revolving", "cash", self.principal + kept),
            Leg("revolving", "loans", -self.principal, self.loan),
            Leg("revolving", "interest", -kept),
            Leg("activity", "cash", self.interest_to_activity),
            Leg("activity", "interest", -self.interest_to_activity),
        )
        return tuple([leg for leg in legs if leg.amount])

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].repaid(self)

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].unrepaid(self)


class LoanRescheduled(Event, frozen=True, kw_only=True, gc=False):
    """The principal still owed was planned anew, over `term_months` from this day; accrued interest is carried."""

    loan: int
    member: int
    term_months: int
    outstanding: int
    interest_carried: int

    def evolve(self, fund: State) -> None:
        loan = fund.loans[self.loan]
        fund.loans[self.loan] = msgspec.structs.replace(loan, reschedulings=(*loan.reschedulings, self))

    def revoke(self, fund: State) -> None:
        loan = fund.loans[self.loan]
        fund.loans[self.loan] = msgspec.structs.replace(loan, reschedulings=loan.reschedulings[:-1])


class LoanWrittenOff(Event, frozen=True, kw_only=True, gc=False):
    """The club gave up on the principal still owed: `amount`. Later money is recovered, an income."""

    loan: int
    member: int
    amount: int

    def legs(self) -> Legs:
        return transfer("revolving", "write_offs", "loans", self.amount, of=self.loan)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], written_off=self)

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = msgspec.structs.replace(fund.loans[self.loan], written_off=None)


class LoanRecovered(Voucher, frozen=True, kw_only=True, gc=False):
    """Money came in on a loan that had been written off."""

    loan: int
    member: int
    amount: int

    def legs(self) -> Legs:
        return transfer("revolving", "cash", "recoveries", self.amount)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].recovered(self)

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].unrecovered(self)

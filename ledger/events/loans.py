"""A loan's life: asked for, decided, paid out, repaid (`domain.md` §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ledger.chart import Leg, Legs, Place, transfer
from ledger.events.base import Event, Voucher
from ledger.terms import InterestMethod, Repayment, RepaymentMode

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
    interest_rounding: int = 1

    def evolve(self, fund: State) -> None:
        fund.grant(self)


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
    """Money came back. `amount` = `principal` + `interest`; of the interest, `interest_to_activity` goes to that pot.

    `forgiven` is a rest of principal too small for any note, given up in the act that settles the loan; `outstanding`
    the principal still owed after it, all live repayments counted. `paid_by` is the member who brought the money for
    the borrower.
    """

    loan: int
    member: int
    amount: int
    principal: int
    interest: int
    interest_to_activity: int
    outstanding: int
    forgiven: int = 0
    place: Place = "cash"
    paid_by: int | None = None

    def legs(self) -> Legs:
        kept = self.interest - self.interest_to_activity
        legs = (
            Leg("revolving", self.place, self.principal + kept),
            Leg("revolving", "loans", -self.principal - self.forgiven, self.loan),
            Leg("revolving", "interest", -kept),
            Leg("revolving", "write_offs", self.forgiven),
            Leg("activity", self.place, self.interest_to_activity),
            Leg("activity", "interest", -self.interest_to_activity),
        )
        return tuple([leg for leg in legs if leg.amount])

    def reduction(self) -> Repayment:
        """What it takes off the loan."""
        return Repayment(self.on, self.principal + self.forgiven, self.interest)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].reduced(self.version, self.reduction())

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].unreduced(self.version)


class SavingsSetOff(Event, frozen=True, kw_only=True, gc=False):
    """A member's savings paid their own loan, also after death; no money moved. Split like a repayment: the activity
    pot's part of the interest passes between the pots."""

    loan: int
    member: int
    amount: int
    principal: int
    interest: int
    interest_to_activity: int
    outstanding: int
    savings_left: int

    def legs(self) -> Legs:
        kept = self.interest - self.interest_to_activity
        legs = (
            Leg("revolving", "savings", self.amount, self.member),
            Leg("revolving", "loans", -self.principal, self.loan),
            Leg("revolving", "interest", -kept),
            Leg("revolving", "transfers", -self.interest_to_activity),
            Leg("activity", "transfers", self.interest_to_activity),
            Leg("activity", "interest", -self.interest_to_activity),
        )
        return tuple([leg for leg in legs if leg.amount])

    def reduction(self) -> Repayment:
        """What it takes off the loan."""
        return Repayment(self.on, self.principal, self.interest)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].reduced(self.version, self.reduction())

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].unreduced(self.version)


class InterestWaived(Event, frozen=True, kw_only=True, gc=False):
    """The chair let go of interest that was due. Nothing was ever booked for it, so nothing is posted."""

    loan: int
    member: int
    amount: int

    def reduction(self) -> Repayment:
        """What it takes off the loan."""
        return Repayment(self.on, 0, self.amount)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].reduced(self.version, self.reduction())

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].unreduced(self.version)


class LoanRescheduled(Event, frozen=True, kw_only=True, gc=False):
    """The principal still owed was planned anew, over `term_months` from this day; accrued interest is carried, or
    below zero what was paid ahead."""

    loan: int
    member: int
    term_months: int
    outstanding: int
    interest_carried: int
    override: Override | None = None

    def evolve(self, fund: State) -> None:
        loan = fund.loans[self.loan]
        fund.loans[self.loan] = msgspec.structs.replace(loan, reschedulings=(*loan.reschedulings, self))

    def revoke(self, fund: State) -> None:
        loan = fund.loans[self.loan]
        fund.loans[self.loan] = msgspec.structs.replace(loan, reschedulings=loan.reschedulings[:-1])


class LoanWrittenOff(Event, frozen=True, kw_only=True, gc=False):
    """The club gave up on principal still owed: `amount`. `outstanding` runs on: with nothing left, later money is
    recovered, an income."""

    loan: int
    member: int
    amount: int
    outstanding: int = 0

    def legs(self) -> Legs:
        return transfer("revolving", "write_offs", "loans", self.amount, of=self.loan)

    def evolve(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].given_up(self)

    def revoke(self, fund: State) -> None:
        fund.loans[self.loan] = fund.loans[self.loan].not_given_up(self)


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

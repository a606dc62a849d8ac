"""A loan as the fund knows it: its terms, its live repayments, and where it stands on a day."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import msgspec

from ledger.events import LoanApproved, LoanRecovered, LoanRepaid, LoanRescheduled, LoanWrittenOff, OpeningLoan
from ledger.events.loans import Purpose
from ledger.terms import Instalment, LoanTerms, Repayment, Split, Standing, plan, split, standing

LoanStatus = Literal["requested", "approved", "rejected", "running", "settled", "written_off"]


class Phase(NamedTuple):
    """A stretch of a loan's life under one plan: from its disbursement, or from its latest rescheduling."""

    terms: LoanTerms
    starts_on: date
    repayments: tuple[Repayment, ...]
    carried: int
    accrues_after: date | None


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """A loan as the fund knows it; `repayments` are the live ones, by the version of their entry.

    `conditions` are what it was granted under. `taken_over_on` is the day its old book ended, for a loan that was
    running when the club's books were taken over; what had been repaid by then counts as one repayment.
    """

    number: int
    member: int
    principal: int
    term_months: int
    purpose: Purpose
    requested_on: date
    rejected_on: date | None = None
    conditions: LoanApproved | OpeningLoan | None = None
    disbursed_on: date | None = None
    repayments: dict[int, Repayment] = {}
    taken_over_on: date | None = None
    reschedulings: tuple[LoanRescheduled, ...] = ()
    written_off: LoanWrittenOff | None = None
    recoveries: frozenset[int] = frozenset()

    @property
    def outstanding(self) -> int:
        """Principal not yet repaid or written off, in đồng; zero until disbursed."""
        repaid = sum(repayment.principal for repayment in self.repayments.values())
        given_up = self.written_off.amount if self.written_off else 0
        return self.principal - repaid - given_up if self.disbursed_on else 0

    @property
    def status(self) -> LoanStatus:
        """Where the loan stands in its life."""
        if self.written_off:
            return "written_off"
        if self.disbursed_on:
            return "running" if self.outstanding else "settled"
        if self.rejected_on:
            return "rejected"
        return "approved" if self.conditions else "requested"

    @property
    def is_open(self) -> bool:
        """Whether it stands in the way of another loan: granted and not yet paid back."""
        return self.status in ("approved", "running")

    @property
    def changed_on(self) -> date | None:
        """The day of the latest rescheduling or write-off; what came before it stands."""
        if self.written_off:
            return self.written_off.on
        return self.reschedulings[-1].on if self.reschedulings else None

    def terms(self) -> LoanTerms:
        """What it was granted under."""
        assert self.conditions
        return LoanTerms(
            principal=self.principal,
            term_months=self.term_months,
            repayment_mode=self.conditions.repayment_mode,
            interest_method=self.conditions.interest_method,
            monthly_rate_ppm=self.conditions.monthly_rate_ppm,
        )

    def phase(self, day: date) -> Phase:
        """The plan that is in force on `day`, and the repayments that count towards it."""
        assert self.disbursed_on
        for latest in reversed(self.reschedulings):
            if latest.on <= day:
                terms = msgspec.structs.replace(
                    self.terms(), principal=latest.outstanding, term_months=latest.term_months
                )
                since = tuple(r for version, r in self.repayments.items() if version > latest.version)
                return Phase(terms, latest.on, since, latest.interest_carried, None)
        return Phase(self.terms(), self.disbursed_on, tuple(self.repayments.values()), 0, self.taken_over_on)

    def plan(self, day: date) -> list[Instalment]:
        """The instalments promised, as planned on `day`."""
        phase = self.phase(day)
        return plan(phase.terms, phase.starts_on)

    def standing(self, day: date) -> Standing:
        """What is owed at the end of `day`; nothing once it was written off."""
        if self.written_off and self.written_off.on <= day:
            return Standing(0, 0, 0)
        terms, starts_on, repayments, carried, accrues_after = self.phase(day)
        return standing(terms, starts_on, repayments, day, carried=carried, accrues_after=accrues_after)

    def split(self, day: date, amount: int) -> Split:
        """How a payment on `day` divides. Raises `Overpayment`, `SettlementShort`."""
        terms, starts_on, repayments, carried, accrues_after = self.phase(day)
        return split(terms, starts_on, repayments, day, amount, carried=carried, accrues_after=accrues_after)

    # --- what events make of it -----------------------------------------------------------------------------------

    def repaid(self, event: LoanRepaid) -> Loan:
        """The loan with one more live repayment."""
        repayment = Repayment(event.on, event.principal, event.interest)
        return msgspec.structs.replace(self, repayments={**self.repayments, event.version: repayment})

    def unrepaid(self, event: LoanRepaid) -> Loan:
        """The loan without a repayment that was reversed."""
        live = {version: r for version, r in self.repayments.items() if version != event.version}
        return msgspec.structs.replace(self, repayments=live)

    def recovered(self, event: LoanRecovered) -> Loan:
        """The loan with one more live recovery."""
        return msgspec.structs.replace(self, recoveries=self.recoveries | {event.version})

    def unrecovered(self, event: LoanRecovered) -> Loan:
        """The loan without a recovery that was reversed."""
        return msgspec.structs.replace(self, recoveries=self.recoveries - {event.version})

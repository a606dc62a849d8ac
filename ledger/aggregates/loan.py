"""A loan as the fund knows it: its terms, its live repayments, and where it stands on a day."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import msgspec

from ledger.events import LoanApproved, LoanRecovered, LoanRescheduled, LoanWrittenOff, OpeningLoan
from ledger.events.loans import Purpose
from ledger.terms import (
    Instalment,
    InterestMethod,
    LoanTerms,
    Repayment,
    RepaymentMode,
    Split,
    Standing,
    plan,
    split,
    standing,
)

LoanStatus = Literal["requested", "approved", "rejected", "running", "settled", "written_off"]


class Phase(NamedTuple):
    """A stretch of a loan's life under one plan: from its disbursement, or from its latest rescheduling."""

    terms: LoanTerms
    starts_on: date
    repayments: tuple[Repayment, ...]
    carried: int
    accrues_after: date | None


class Conditions(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a loan was granted under: on which day and by whom, unless it was running when the old books ended; then
    `interest_owed` is what was owed by that day, in đồng."""

    monthly_rate_ppm: int
    interest_method: InterestMethod
    repayment_mode: RepaymentMode
    interest_to_activity_ppm: int
    interest_rounding: int
    granted_on: date | None = None
    granted_by: str | None = None
    two_person_approval: bool = False
    interest_owed: int = 0

    @classmethod
    def of(cls, told: LoanApproved | OpeningLoan) -> Conditions:
        """As an event tells them."""
        terms = cls(
            monthly_rate_ppm=told.monthly_rate_ppm,
            interest_method=told.interest_method,
            repayment_mode=told.repayment_mode,
            interest_to_activity_ppm=told.interest_to_activity_ppm,
            interest_rounding=told.interest_rounding,
        )
        if isinstance(told, OpeningLoan):
            return msgspec.structs.replace(terms, interest_owed=told.interest_owed)
        return msgspec.structs.replace(
            terms,
            granted_on=told.on,
            granted_by=told.recorded_by,
            two_person_approval=told.two_person_approval,
        )


class Loan(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A loan as the fund knows it; `repayments` are all that came off it and still counts, by the version of the entry.

    `write_offs` are the live ones, the last of which may have given up all that was left. `recoveries` are what came in
    afterwards, in đồng by version. `conditions` are what it was granted under. `taken_over_on` is the day its old book
    ended, for a loan that was running when the club's books were taken over; what had been repaid by then counts as one
    repayment.
    """

    number: int
    member: int
    principal: int
    term_months: int
    purpose: Purpose
    requested_on: date
    rejected_on: date | None = None
    conditions: Conditions | None = None
    disbursed_on: date | None = None
    repayments: dict[int, Repayment] = {}
    taken_over_on: date | None = None
    reschedulings: tuple[LoanRescheduled, ...] = ()
    write_offs: tuple[LoanWrittenOff, ...] = ()
    recoveries: dict[int, int] = {}

    @property
    def outstanding(self) -> int:
        """Principal not yet repaid or written off, in đồng; zero until disbursed."""
        repaid = sum(repayment.principal for repayment in self.repayments.values())
        return self.principal - repaid if self.disbursed_on else 0

    @property
    def written_off(self) -> LoanWrittenOff | None:
        """The write-off that gave up all that was left, if there was one."""
        return self.write_offs[-1] if self.write_offs and not self.write_offs[-1].outstanding else None

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
    def over_from(self) -> date | None:
        """From the end of which day on nothing more is to come of it: paid back, written off, or rejected."""
        if not self.disbursed_on:
            return self.rejected_on
        if self.outstanding:
            return None
        return max((self.disbursed_on, *(repayment.on for repayment in self.repayments.values())))

    def stands_in_the_way(self, day: date) -> bool:
        """Whether it kept the household from another loan at the end of a day: granted by then, and not paid back.

        Judged by that day, not by today: a debt paid later still counted. Until it is rejected, a loan that was
        granted and not handed out counts as owed.
        """
        if self.disbursed_on and self.disbursed_on <= day:
            return self.outstanding_on(day) > 0
        granted_on = self.conditions.granted_on if self.conditions else None
        return bool(granted_on and granted_on <= day and not (self.rejected_on and self.rejected_on <= day))

    def outstanding_on(self, day: date) -> int:
        """Principal owed at the end of a day, by what counts today."""
        return self.principal - sum(each.principal for each in self.repayments.values() if each.on <= day)

    @property
    def latest_change(self) -> LoanRescheduled | LoanWrittenOff | None:
        """The latest rescheduling or write-off; what came before it stands."""
        changes: tuple[LoanRescheduled | LoanWrittenOff, ...] = (*self.reschedulings, *self.write_offs)
        return max(changes, key=lambda change: change.version, default=None)

    def terms(self) -> LoanTerms:
        """What it was granted under."""
        assert self.conditions
        return LoanTerms(
            principal=self.principal,
            term_months=self.term_months,
            repayment_mode=self.conditions.repayment_mode,
            interest_method=self.conditions.interest_method,
            monthly_rate_ppm=self.conditions.monthly_rate_ppm,
            interest_rounding=self.conditions.interest_rounding,
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
        owed_before = self.conditions.interest_owed if self.conditions else 0
        repaid = tuple(self.repayments.values())
        return Phase(self.terms(), self.disbursed_on, repaid, owed_before, self.taken_over_on)

    def plan(self, day: date) -> list[Instalment]:
        """The instalments promised, as planned on `day`."""
        phase = self.phase(day)
        return plan(phase.terms, phase.starts_on)

    @property
    def loss(self) -> int:
        """What the club gave up: principal written off, and the interest due when nothing was left to wait for, the
        month begun included. More than that is never recovered."""
        principal = sum(each.amount for each in self.write_offs)
        if not self.written_off:
            return principal
        then = self.not_given_up(self.written_off).standing(self.written_off.on)
        return principal + then.interest_due + then.interest_begun

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

    def reduced(self, version: int, by: Repayment) -> Loan:
        """The loan with one more repayment, or what counts like one."""
        return msgspec.structs.replace(self, repayments={**self.repayments, version: by})

    def unreduced(self, version: int) -> Loan:
        """The loan without a repayment that was reversed."""
        live = {known: r for known, r in self.repayments.items() if known != version}
        return msgspec.structs.replace(self, repayments=live)

    def given_up(self, event: LoanWrittenOff) -> Loan:
        """The loan with principal written off: it counts like principal repaid."""
        reduced = self.reduced(event.version, Repayment(event.on, event.amount, 0))
        return msgspec.structs.replace(reduced, write_offs=(*self.write_offs, event))

    def not_given_up(self, event: LoanWrittenOff) -> Loan:
        """The loan without a write-off that was reversed."""
        live = tuple(each for each in self.write_offs if each.version != event.version)
        return msgspec.structs.replace(self.unreduced(event.version), write_offs=live)

    def recovered(self, event: LoanRecovered) -> Loan:
        """The loan with one more live recovery."""
        return msgspec.structs.replace(self, recoveries={**self.recoveries, event.version: event.amount})

    def unrecovered(self, event: LoanRecovered) -> Loan:
        """The loan without a recovery that was reversed."""
        live = {version: amount for version, amount in self.recoveries.items() if version != event.version}
        return msgspec.structs.replace(self, recoveries=live)

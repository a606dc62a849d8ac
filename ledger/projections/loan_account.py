"""One loan's page of the book: what the facts known of it by a day come to.

The fund aggregate works out the same from its own state; tests compare the two, so neither borrows from the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from ledger.database import Row
from ledger.events import (
    InterestWaived,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRescheduled,
    LoanWrittenOff,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    SavingsSetOff,
)
from ledger.money import PPM
from ledger.terms import Instalment, Lateness, LoanTerms, Repayment, Standing, lateness, plan, standing

PAR_DAYS = 30
"""A loan further behind its plan than this counts as at risk (PAR30)."""

OPENING = frozenset({OpeningBalancesDeclared.__name__, OpeningBalancesCorrected.__name__})
"""What brings an old club's loans into the book; the latest is how they should have been declared."""

REPAYING = (LoanRepaid.__name__, SavingsSetOff.__name__)
LET_GO = (InterestWaived.__name__, LoanWrittenOff.__name__)
"""What the club gave up; it comes off a loan like a repayment."""


_OF_OLD_BOOKS = (
    "member", "principal", "term_months", "purpose", "received_on", "monthly_rate_ppm", "outstanding", "interest",
)  # fmt: skip


def as_declared(openings: Iterable[Row]) -> Row | None:
    """How an old club's loan should have been declared: the first of the declarations since which nothing changed."""
    declared: Row | None = None
    for fact in openings:
        if fact["purpose"] and (declared is None or any(fact[name] != declared[name] for name in _OF_OLD_BOOKS)):
            declared = fact
    return declared


class Phase(NamedTuple):
    """A stretch under one plan: from the disbursement, or from the latest rescheduling."""

    terms: LoanTerms
    starts_on: date
    repayments: list[Repayment]
    carried: int
    accrues_after: date | None


class Account:
    """One loan's page of the book, as folded from what had happened to it by a day."""

    def __init__(self, facts: Sequence[Row]) -> None:
        openings = [fact for fact in facts if fact["fact"] in OPENING]
        declared = as_declared(openings)
        self.asked = declared or facts[0]
        self.never_was = bool(openings and not openings[-1]["purpose"])
        """Whether the old books, put right, have no such loan."""
        self.number: int = self.asked["loan"]
        self.outstanding = sum(fact["change"] for fact in facts)
        undone = {fact["reverses"] for fact in facts}
        self.live: dict[str, list[Row]] = defaultdict(list)
        for fact in facts:
            if fact["version"] not in undone:
                self.live[fact["fact"]].append(fact)
        opening = [declared] if declared else []
        granted = self.live[LoanApproved.__name__] or opening
        received = opening or self.live[LoanDisbursed.__name__]
        if self.never_was:
            received = []
        self.granted = granted[-1] if granted else None
        self.received = received[-1] if received else None

    @cached_property
    def status(self) -> str:
        """Where the loan stands in its life."""
        if any(not fact["outstanding"] for fact in self.live[LoanWrittenOff.__name__]):
            return "written_off"
        if self.received:
            return "running" if self.outstanding else "settled"
        if self.live[LoanRejected.__name__] or self.never_was:
            return "rejected"
        return "approved" if self.granted else "requested"

    @property
    def is_taken_over(self) -> bool:
        """Whether it comes from a club's old book; what had been repaid by then counts as one repayment."""
        fact: str = self.asked["fact"]
        return fact in OPENING

    def _old(self) -> list[tuple[int, Repayment]]:
        before = self.asked["principal"] - (self.asked["outstanding"] or 0)
        if not self.is_taken_over or not before:
            return []
        return [(self.asked["version"], Repayment(_day(self.asked["on_day"]), before, 0))]

    @cached_property
    def repayments(self) -> list[tuple[int, Repayment]]:
        """The live repayments, in money or from savings, with the versions of their entries."""
        repaid = [fact for kind in REPAYING for fact in self.live[kind]]
        return self._old() + sorted(
            (fact["version"], Repayment(_day(fact["on_day"]), fact["principal"], fact["interest"])) for fact in repaid
        )

    @cached_property
    def _reductions(self) -> list[tuple[int, Repayment]]:
        """All that came off the loan, in any way."""
        reduced = [fact for kind in (*REPAYING, *LET_GO) for fact in self.live[kind]]
        return self._old() + sorted(
            (fact["version"], Repayment(_day(fact["on_day"]), -fact["change"], fact["interest"] or 0))
            for fact in reduced
        )

    @property
    def closed_on(self) -> str | None:
        """The day on which nothing was owed any more, in whichever way."""
        if self.status not in ("settled", "written_off"):
            return None
        return max((each.on.isoformat() for _, each in self._reductions), default=None)

    @cached_property
    def phase(self) -> Phase | None:
        """The plan in force, and the repayments that count towards it; None before the money was handed out."""
        first = self.first_phase
        for latest in self.live[LoanRescheduled.__name__][-1:] if first else ():
            assert first
            again = {"principal": latest["principal"], "term_months": latest["term_months"]}
            since = [each for version, each in self._reductions if version > latest["version"]]
            terms = msgspec.structs.replace(first.terms, **again)
            return Phase(terms, _day(latest["on_day"]), since, latest["interest"], None)
        return first

    @cached_property
    def first_phase(self) -> Phase | None:
        """The plan as it was first agreed, whatever was planned anew since."""
        if not self.received or not self.granted:
            return None
        terms = LoanTerms(
            principal=self.asked["principal"],
            term_months=self.asked["term_months"],
            repayment_mode=self.granted["repayment_mode"],
            interest_method=self.granted["interest_method"],
            monthly_rate_ppm=self.granted["monthly_rate_ppm"],
            interest_rounding=self.granted["interest_rounding"] or 1,
        )
        accrues_after = _day(self.asked["on_day"]) if self.is_taken_over else None
        received_on = _day(self.received["received_on"])
        owed_before = self.asked["interest"] or 0 if self.is_taken_over else 0
        return Phase(terms, received_on, [each for _, each in self._reductions], owed_before, accrues_after)

    def standing(self, day: date) -> Standing:
        """What is owed at the end of a day; nothing unless the loan is running."""
        phase = self.phase
        if not phase or self.status != "running":
            return Standing(0, 0, 0)
        terms, starts_on, repayments, carried, accrues_after = phase
        owed = standing(terms, starts_on, repayments, day, carried=carried, accrues_after=accrues_after)
        return owed._replace(outstanding=self.outstanding)

    def late(self, day: date) -> Lateness | None:
        """How far a running loan is behind the plan in force at the end of a day; None for one that does not run."""
        phase = self.phase if self.status == "running" else None
        return lateness(_plan(phase), phase.repayments, day) if phase else None

    def summary(self, day: date) -> dict[str, Any]:
        """The loan's line of the book."""
        asked, granted, phase, first = self.asked, self.granted or {}, self.phase, self.first_phase
        owed, replanned = self.standing(day), self.live[LoanRescheduled.__name__]
        is_running = self.status == "running"
        late = self.late(day)
        late_at_first = lateness(_plan(first), first.repayments, day) if first and is_running and replanned else late
        rejected = self.live[LoanRejected.__name__]
        repaid = [each for _, each in self.repayments]
        return {
            "loan": self.number,
            "member": asked["member"],
            "principal": asked["principal"],
            "term_months": asked["term_months"],
            "purpose": asked["purpose"],
            "guarantor": asked["guarantor"],
            "status": self.status,
            "requested_on": asked["received_on"] or asked["on_day"],
            "approved_on": granted.get("received_on") or granted.get("on_day"),
            "rejected_on": rejected[-1]["on_day"] if rejected else None,
            "disbursed_on": self.received["received_on"] if self.received else None,
            "maturity": phase.terms.maturity(phase.starts_on).isoformat() if phase else None,
            "term_months_in_force": phase.terms.term_months if phase else None,
            "times_rescheduled": len(replanned),
            "rescheduled_on": replanned[-1]["on_day"] if replanned else None,
            "monthly_rate_ppm": granted.get("monthly_rate_ppm"),
            "interest_method": granted.get("interest_method"),
            "repayment_mode": granted.get("repayment_mode"),
            "interest_to_activity_ppm": granted.get("interest_to_activity_ppm"),
            "interest_rounding": (granted.get("interest_rounding") or 1) if granted else None,
            "override": json.loads(granted.get("override_rules") or "[]"),
            "principal_repaid": sum(each.principal for each in repaid),
            "interest_paid": sum(each.interest for each in repaid),
            "closed_on": self.closed_on,
            "outstanding": self.outstanding,
            "interest_due": owed.interest_due,
            "settlement_amount": owed.settlement_amount if is_running else None,
            "overdue_principal": late.overdue_principal if late else 0,
            "days_late": late.days_late if late else 0,
            "par30": bool(late and late.days_late > PAR_DAYS),
            "par30_first_plan": bool(late_at_first and late_at_first.days_late > PAR_DAYS),
        }

    def due(self, day: date) -> dict[str, int]:
        """Of a running loan, what the plan and the accrual ask for by the end of a day, and what would close it; while
        all interest is paid at maturity, none is due before."""
        phase, now = self.phase, self.standing(day)
        assert phase, "a loan that runs has a plan"
        promised = sum(each.principal for each in _plan(phase) if each.due_on <= day)
        repaid = sum(each.principal for each in phase.repayments if each.on <= day)
        is_held_back = phase.terms.repayment_mode == "interest_at_maturity" and day < phase.terms.maturity(
            phase.starts_on
        )
        principal_due, interest_due = max(promised - repaid, 0), 0 if is_held_back else now.interest_due
        return {
            "outstanding": now.outstanding,
            "due": principal_due + interest_due,
            "principal_due": principal_due,
            "interest_due": interest_due,
            "settlement_amount": now.settlement_amount,
        }

    def particulars(self, day: date) -> dict[str, Any]:
        """What only the page of one loan shows."""
        phase = self.phase
        instalments = _plan(phase) if phase else []
        return {
            "interest_begun": self.standing(day).interest_begun,
            "interest_ahead": self.standing(day).interest_ahead,
            "interest_waived": sum(fact["interest"] for fact in self.live[InterestWaived.__name__]),
            "written_off": sum(fact["principal"] for fact in self.live[LoanWrittenOff.__name__]),
            "recovered": sum(fact["principal"] for fact in self.live[LoanRecovered.__name__]),
            "plan": [each._asdict() | {"due_on": each.due_on.isoformat()} for each in instalments],
            "repayments": [
                {"version": version, "on": each.on.isoformat(), "principal": each.principal, "interest": each.interest}
                for version, each in self.repayments
            ],
            "reschedulings": [
                {
                    "version": fact["version"],
                    "on": fact["on_day"],
                    "term_months": fact["term_months"],
                    "outstanding": fact["principal"],
                    "interest_carried": fact["interest"],
                }
                for fact in self.live[LoanRescheduled.__name__]
            ],
            "nominal_yearly_ppm": 12 * phase.terms.monthly_rate_ppm if phase else None,
            "effective_yearly_ppm": effective_yearly_ppm(phase.terms) if phase else None,
        }


_day = lru_cache(maxsize=4096)(date.fromisoformat)


def _plan(phase: Phase) -> Sequence[Instalment]:
    return _planned(phase.terms, phase.starts_on)


@lru_cache(maxsize=4_096)
def _planned(terms: LoanTerms, starts_on: date) -> Sequence[Instalment]:
    return tuple(plan(terms, starts_on))


@lru_cache(maxsize=1024)
def effective_yearly_ppm(terms: LoanTerms) -> int:
    """Twelve times the monthly rate at which what the plan pays is worth what was lent, in ppm.

    Flat 1 % a month over 12 instalments comes to about 215_000: 21.5 % a year on the reducing balance. To the ppm, and
    without floats: the borrower's true cost lies between two whole ppm, and the lower one is given.
    """
    paid = [each.principal + each.interest for each in plan(terms, date(2000, 1, 1))]

    def is_at_least(yearly_ppm: int) -> bool:
        discount = Decimal(12 * PPM) / (12 * PPM + yearly_ppm)
        return sum((amount * discount**month for month, amount in enumerate(paid, 1)), Decimal()) >= terms.principal

    low, high = 0, 1
    while is_at_least(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_at_least(middle) else (low, middle)
    return low

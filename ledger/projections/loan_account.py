"""One loan's page of the book: what the facts known of it by a day come to.

The fund aggregate works out the same from its own state; tests compare the two, so neither borrows from the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from ledger.database import Row
from ledger.events import (
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRescheduled,
    LoanWrittenOff,
    OpeningBalancesDeclared,
)
from ledger.money import PPM
from ledger.terms import Instalment, LoanTerms, Repayment, Standing, lateness, plan, standing

PAR_DAYS = 30
"""A loan further behind its plan than this counts as at risk (PAR30)."""


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
        self.asked = facts[0]
        self.number: int = self.asked["loan"]
        self.outstanding = sum(fact["change"] for fact in facts)
        undone = {fact["reverses"] for fact in facts}
        self.live: dict[str, list[Row]] = defaultdict(list)
        for fact in facts:
            if fact["version"] not in undone:
                self.live[fact["fact"]].append(fact)
        granted = self.live[LoanApproved.__name__] or self.live[OpeningBalancesDeclared.__name__]
        received = self.live[OpeningBalancesDeclared.__name__] or self.live[LoanDisbursed.__name__]
        self.granted = granted[-1] if granted else None
        self.received = received[-1] if received else None

    @property
    def status(self) -> str:
        """Where the loan stands in its life."""
        if self.live[LoanWrittenOff.__name__]:
            return "written_off"
        if self.received:
            return "running" if self.outstanding else "settled"
        if self.live[LoanRejected.__name__]:
            return "rejected"
        return "approved" if self.granted else "requested"

    @property
    def is_taken_over(self) -> bool:
        """Whether it comes from a club's old book; what had been repaid by then counts as one repayment."""
        fact: str = self.asked["fact"]
        return fact == OpeningBalancesDeclared.__name__

    def repayments(self) -> list[tuple[int, Repayment]]:
        """The live repayments with the versions of their entries."""
        repaid = [(fact["version"], _repayment(fact)) for fact in self.live[LoanRepaid.__name__]]
        before = self.asked["principal"] - self.asked["change"]
        if self.is_taken_over and before:
            repaid.insert(0, (self.asked["version"], Repayment(_day(self.asked["on_day"]), before, 0)))
        return repaid

    def phase(self) -> Phase | None:
        """The plan in force, and the repayments that count towards it; None before the money was handed out."""
        if not self.received or not self.granted:
            return None
        terms = LoanTerms(
            principal=self.asked["principal"],
            term_months=self.asked["term_months"],
            repayment_mode=self.granted["repayment_mode"],
            interest_method=self.granted["interest_method"],
            monthly_rate_ppm=self.granted["monthly_rate_ppm"],
        )
        for latest in self.live[LoanRescheduled.__name__][-1:]:
            terms = msgspec.structs.replace(terms, principal=latest["principal"], term_months=latest["term_months"])
            since = [repayment for version, repayment in self.repayments() if version > latest["version"]]
            return Phase(terms, _day(latest["on_day"]), since, latest["interest"], None)
        accrues_after = _day(self.asked["on_day"]) if self.is_taken_over else None
        received_on = _day(self.received["received_on"])
        return Phase(terms, received_on, [repayment for _, repayment in self.repayments()], 0, accrues_after)

    def standing(self, day: date) -> Standing:
        """What is owed at the end of a day; nothing unless the loan is running."""
        phase = self.phase()
        if not phase or self.status != "running":
            return Standing(0, 0, 0)
        terms, starts_on, repayments, carried, accrues_after = phase
        owed = standing(terms, starts_on, repayments, day, carried=carried, accrues_after=accrues_after)
        return owed._replace(outstanding=self.outstanding)

    def summary(self, day: date) -> dict[str, Any]:
        """The loan's line of the book."""
        asked, granted, phase = self.asked, self.granted or {}, self.phase()
        owed, replanned = self.standing(day), self.live[LoanRescheduled.__name__]
        is_running = self.status == "running"
        late = lateness(_plan(phase), phase.repayments, day) if phase and is_running else None
        rejected = self.live[LoanRejected.__name__]
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
            "override": json.loads(granted.get("override_rules") or "[]"),
            "outstanding": self.outstanding,
            "interest_due": owed.interest_due,
            "settlement_amount": owed.settlement_amount if is_running else None,
            "overdue_principal": late.overdue_principal if late else 0,
            "days_late": late.days_late if late else 0,
            "par30": bool(late and late.days_late > PAR_DAYS),
        }

    def particulars(self, day: date) -> dict[str, Any]:
        """What only the page of one loan shows."""
        phase = self.phase()
        instalments = _plan(phase) if phase else []
        return {
            "interest_begun": self.standing(day).interest_begun,
            "recovered": sum(fact["principal"] for fact in self.live[LoanRecovered.__name__]),
            "plan": [each._asdict() | {"due_on": each.due_on.isoformat()} for each in instalments],
            "repayments": [
                {"version": version, "on": each.on.isoformat(), "principal": each.principal, "interest": each.interest}
                for version, each in self.repayments()
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


def _repayment(fact: Row) -> Repayment:
    return Repayment(_day(fact["on_day"]), fact["principal"], fact["interest"])


_day = lru_cache(maxsize=4096)(date.fromisoformat)


def _plan(phase: Phase) -> list[Instalment]:
    return plan(phase.terms, phase.starts_on)


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

"""The loan book: every loan's terms, plan and standing at the end of any day."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple, get_args

import msgspec

from ledger.chart import Legs
from ledger.database import Row
from ledger.events import (
    EntryReversed,
    Event,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    LoanRescheduled,
    LoanWrittenOff,
    OpeningBalancesDeclared,
)
from ledger.money import PPM
from ledger.projections.tables import FOREVER, History, Reader, Table, percent, until
from ledger.terms import Instalment, LoanTerms, Repayment, Standing, lateness, plan, standing

LOAN_FACTS = Table(
    "loan_facts",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, version BIGINT NOT NULL, fact TEXT NOT NULL, "
    "on_day TEXT NOT NULL, change BIGINT NOT NULL, member BIGINT, reverses BIGINT, principal BIGINT, interest BIGINT, "
    "term_months BIGINT, purpose TEXT, guarantor BIGINT, received_on TEXT, monthly_rate_ppm BIGINT, "
    "interest_method TEXT, repayment_mode TEXT, interest_to_activity_ppm BIGINT, override_rules TEXT",
    key="fund, loan, version",
)
"""What happened to each loan; what a fact does not tell is null.

`change` is what it does to the principal outstanding, `received_on` the day the money was handed out (before the books
for a loan that was taken over); a rescheduling's `principal` and `interest` are the sums it plans anew and carries.
"""

LOAN_RECEIPTS = Table(
    "loan_receipts",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, version BIGINT NOT NULL, member BIGINT NOT NULL, "
    "purpose TEXT NOT NULL, received_on TEXT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL",
    key="fund, loan, version",
)
"""Who received a loan, and when. `from_day` is the day it stands in the books, `until_day` that of its reversal."""

LOAN_SPELLS = Table(
    "loan_spells",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL, "
    "member BIGINT NOT NULL, purpose TEXT NOT NULL",
    key="fund, loan, from_day",
)
"""The stretches in which principal was outstanding at the end of every day."""


# --- how they change --------------------------------------------------------------------------------------------------

_TOLD = LOAN_FACTS.names[LOAN_FACTS.names.index("member") :]

OfLoan = (
    LoanRequested
    | LoanApproved
    | LoanRejected
    | LoanDisbursed
    | LoanRepaid
    | LoanRescheduled
    | LoanWrittenOff
    | LoanRecovered
    | EntryReversed
)


def _rows(event: OfLoan, on: str, legs: Legs) -> Iterable[tuple[Any, ...]]:
    """The fact an event tells of a loan."""
    if event.loan is None:
        return ()
    told: dict[str, object] = {}
    if isinstance(event, LoanDisbursed):
        told = {"received_on": on}
    elif isinstance(event, LoanRescheduled):
        told = {"principal": event.outstanding, "interest": event.interest_carried}
    elif isinstance(event, LoanWrittenOff | LoanRecovered):
        told = {"principal": event.amount}
    elif isinstance(event, LoanApproved) and event.override:
        told = {"override_rules": json.dumps(event.override.rules)}
    return (_row(event, on, legs, event.loan, event, told),)


def _old_loans(event: OpeningBalancesDeclared, on: str, legs: Legs) -> Iterable[tuple[Any, ...]]:
    """Loans that were running when the club's books were taken over."""
    for old in event.loans:
        yield _row(event, on, legs, old.loan, old, {"received_on": old.disbursed_on.isoformat()})


def _row(
    event: Event, on: str, legs: Legs, loan: int, teller: msgspec.Struct, told: dict[str, object]
) -> tuple[Any, ...]:
    change = sum(leg.amount for leg in legs if leg.account == "loans" and leg.of == loan)
    known = _fields(type(teller))
    facts = (told[name] if name in told else getattr(teller, name) if name in known else None for name in _TOLD)
    return (event.fund, loan, event.version, event.name, on, change, *facts)


@cache
def _fields(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind))


def _touched(event: LoanDisbursed | LoanWrittenOff | EntryReversed, _: bool) -> Iterable[int]:
    """The loan whose spells or receipts an event may change."""
    return () if event.loan is None else (event.loan,)


def _touched_by_repayment(event: LoanRepaid, is_late: bool) -> Iterable[int]:
    """A repayment that leaves principal outstanding cuts no spell, unless it is told late: then later days count."""
    return (event.loan,) if is_late or not event.outstanding else ()


def _derive(facts: Sequence[Row]) -> dict[Table, list[tuple[Any, ...]]]:
    """A loan's receipts, and the stretches its principal was outstanding, by the days things happened."""
    if not facts:
        return {}
    asked = facts[0]
    assert asked["purpose"], "a loan begins with its request, or with the books"
    who = (asked["member"], asked["purpose"])
    key = (asked["fund"], asked["loan"])
    undone = {fact["reverses"]: fact["on_day"] for fact in facts if fact["reverses"]}
    receipts: list[tuple[Any, ...]] = []
    changes: dict[str, int] = defaultdict(int)
    for fact in facts:
        changes[fact["on_day"]] += fact["change"]
        if fact["received_on"]:
            until_day = undone.get(fact["version"], FOREVER)
            receipts.append((*key, fact["version"], *who, fact["received_on"], fact["on_day"], until_day))
    spells: list[tuple[Any, ...]] = []
    outstanding, from_day = 0, None
    for day in sorted(changes):
        outstanding += changes[day]
        if outstanding > 0 and from_day is None:
            from_day = day
        elif outstanding <= 0 and from_day is not None:
            spells.append((*key, from_day, day, *who))
            from_day = None
    if from_day is not None:
        spells.append((*key, from_day, FOREVER, *who))
    return {LOAN_RECEIPTS: receipts, LOAN_SPELLS: spells}


HISTORY = History(
    facts=LOAN_FACTS,
    owner="loan",
    derived=(LOAN_RECEIPTS, LOAN_SPELLS),
    rows={**dict.fromkeys(get_args(OfLoan), _rows), OpeningBalancesDeclared: _old_loans},
    touched={
        **dict.fromkeys((LoanDisbursed, LoanWrittenOff, EntryReversed), _touched),
        LoanRepaid: _touched_by_repayment,
        OpeningBalancesDeclared: lambda event, _: [old.loan for old in event.loans],
    },
    derive=_derive,
)


# --- queries ----------------------------------------------------------------------------------------------------------

PAR_DAYS = 30
"""A loan further behind its plan than this counts as at risk (PAR30)."""


def loan_book(
    reader: Reader,
    fund: str,
    as_of: date,
    *,
    status: str | None = None,
    member: int | None = None,
    after: int = 0,
    limit: int = 500,
) -> dict[str, Any]:
    """The loans there were at the end of `as_of`, by number: `{"items": […], "next": number or None}`.

    An item is `{loan, member, principal, term_months, purpose, guarantor, status, requested_on, approved_on,
    rejected_on, disbursed_on, maturity, monthly_rate_ppm, interest_method, repayment_mode, interest_to_activity_ppm,
    override, outstanding, interest_due, settlement_amount, overdue_principal, days_late, par30}`. Amounts in đồng;
    `settlement_amount` is None unless the loan is running. `status` is one of `requested, approved, rejected, running,
    settled, written_off`; `override` lists the rules of the bylaws that were set aside.
    """
    items = [
        account.summary(as_of)
        for account in _accounts(reader, fund, as_of)
        if account.number > after and status in (None, account.status) and member in (None, account.asked["member"])
    ]
    return {"items": items[:limit], "next": items[limit - 1]["loan"] if len(items) > limit else None}


def loan(reader: Reader, fund: str, number: int, as_of: date) -> dict[str, Any] | None:
    """One loan as in `loan_book`, None if there was none. Also `interest_begun`, `recovered`,
    `plan: [{number, due_on, principal, interest}]` (in force at `as_of`; before disbursement empty),
    `repayments: [{version, on, principal, interest}]` (live ones), `reschedulings: [{version, on, term_months,
    outstanding, interest_carried}]`, and the cost of a year in ppm: `nominal_yearly_ppm` (the rate as agreed, times
    twelve) beside `effective_yearly_ppm` (the rate on the reducing balance that the plan comes to, times twelve).
    """
    for account in _accounts(reader, fund, as_of, number):
        return account.summary(as_of) | account.particulars(as_of)
    return None


def portfolio(reader: Reader, fund: str, as_of: date) -> dict[str, Any]:
    """The running loans together: `{loans, borrowers, outstanding, interest_due, overdue_principal, late_loans, par30:
    {numerator, denominator, percent}}`; PAR30 is the principal of loans more than 30 days late ÷ all outstanding."""
    running = [each.summary(as_of) for each in _accounts(reader, fund, as_of) if each.status == "running"]
    outstanding = sum(each["outstanding"] for each in running)
    at_risk = sum(each["outstanding"] for each in running if each["par30"])
    return {
        "loans": len(running),
        "borrowers": len({each["member"] for each in running}),
        "outstanding": outstanding,
        "interest_due": sum(each["interest_due"] for each in running),
        "overdue_principal": sum(each["overdue_principal"] for each in running),
        "late_loans": sum(each["days_late"] > 0 for each in running),
        "par30": {"numerator": at_risk, "denominator": outstanding, "percent": percent(at_risk, outstanding)},
    }


class _Phase(NamedTuple):
    """A stretch under one plan: from the disbursement, or from the latest rescheduling."""

    terms: LoanTerms
    starts_on: date
    repayments: list[Repayment]
    carried: int
    accrues_after: date | None


class _Account:
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

    def phase(self) -> _Phase | None:
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
            return _Phase(terms, _day(latest["on_day"]), since, latest["interest"], None)
        accrues_after = _day(self.asked["on_day"]) if self.is_taken_over else None
        received_on = _day(self.received["received_on"])
        return _Phase(terms, received_on, [repayment for _, repayment in self.repayments()], 0, accrues_after)

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
        owed = self.standing(day)
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


def _accounts(reader: Reader, fund: str, as_of: date, number: int | None = None) -> list[_Account]:
    """The loans of a fund, or the one, from what had happened by the end of `as_of`."""
    facts: dict[int, list[Row]] = defaultdict(list)
    only = "" if number is None else "AND loan = :loan "
    for fact in reader.query(
        f"SELECT * FROM loan_facts WHERE fund = :fund AND on_day <= :until {only}ORDER BY loan, version",
        fund=fund,
        until=until(as_of),
        loan=number,
    ):
        facts[fact["loan"]].append(fact)
    return [_Account(its) for its in facts.values()]


def _repayment(fact: Row) -> Repayment:
    return Repayment(_day(fact["on_day"]), fact["principal"], fact["interest"])


_day = lru_cache(maxsize=4096)(date.fromisoformat)


def _plan(phase: _Phase) -> list[Instalment]:
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

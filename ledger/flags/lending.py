"""Red flags in lending: against the bylaws, to renew, to one household, in the family, at another price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from ledger.aggregates.loan import Loan
from ledger.days import whole_months
from ledger.events import (
    Event,
    LoanApproved,
    LoanDisbursed,
    LoanRepaid,
    OfficeLeft,
    OfficeTaken,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    OpeningBooks,
    Override,
)
from ledger.flags.base import Flag, Past, Thresholds, flag, is_share
from ledger.terms import Repayment, standing


def overrides(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """The chair set the bylaws aside for many of a year's loans; once or twice, with a reason, is what it is for.

    In a club younger than the membership its bylaws ask for, nobody can have it yet: that alone counts for nothing.
    """
    approvals: dict[int, list[LoanApproved]] = defaultdict(list)
    for event in past.all(LoanApproved):
        approvals[event.on.year].append(event)
    for year, approved in approvals.items():
        against = [event for event in approved if event.override and not _is_only_young(past, event)]
        if len(against) >= max(limits.overrides, 1) and is_share(len(against), len(approved), limits.override_percent):
            broken = {rule for event in against if event.override for rule in event.override.rules}
            total, rules = len(approved), tuple(sorted(broken))
            yield flag("overrides", against, year=year, overrides=len(against), approvals=total, rules=rules)


def _is_only_young(past: Past, event: LoanApproved) -> bool:
    asked = past.fund.bylaws_on(event.on).min_membership_months
    is_young = whole_months(past.fund.opened.on, event.on) < asked
    return is_young and event.override == Override(("membership-too-short",))


def same_day_loan(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """A loan was settled in one go, and as much or more was lent to the same household at once: the old loan may have
    been paid with the new one, and not be paid back at all."""
    repayments: dict[int, list[LoanRepaid]] = defaultdict(list)
    for repayment in past.all(LoanRepaid):
        repayments[repayment.loan].append(repayment)
    disbursed: dict[str, list[LoanDisbursed]] = defaultdict(list)
    for new in past.all(LoanDisbursed):
        disbursed[past.household(new.member)].append(new)
    for number, live in repayments.items():
        old, settled_on = past.fund.loans[number], max(repayment.on for repayment in live)
        last = [repayment for repayment in live if repayment.on == settled_on]
        paid = sum(repayment.principal for repayment in last)
        if old.status != "settled" or not is_share(paid, old.principal, limits.renewal_percent):
            continue
        for new in disbursed[past.household(old.member)]:
            is_at_once = abs((new.on - settled_on).days) <= limits.renewal_days
            if new.loan != number and is_at_once and new.principal >= paid:
                about, lent = [*last, new], new.principal
                yield flag("same-day-loan", about, loan=number, paid=paid, on=settled_on, new_loan=new.loan, lent=lent)


def household_loans(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """A loan was paid out, and its household then owed on several loans more than the bylaws lend to one member."""
    members = {loan.number: loan.member for loan in past.fund.loans.values()}
    households: dict[str, list[int]] = defaultdict(list)
    for number in past.debts:
        households[past.household(members[number])].append(number)
    paid_out = _paid_out(past)
    for event in past.all(LoanDisbursed):
        debts = {number: past.debts[number].at(event.on) for number in households[past.household(event.member)]}
        open_loans = [number for number, debt in debts.items() if debt > 0]
        owed, cap = sum(debts.values()), past.fund.bylaws_on(event.on).max_principal
        if len(open_loans) > 1 and 100 * owed > limits.household_percent * cap:
            behind = [event, *(paid_out[number] for number in open_loans if number in paid_out)]
            loans = len(open_loans)
            yield flag("household-loans", behind, loan=event.loan, on=event.on, loans=loans, owed=owed, cap=cap)


def _paid_out(past: Past) -> dict[int, Event]:
    """The entry that brought each loan into the books."""
    openings: list[OpeningBooks] = [*past.all(OpeningBalancesDeclared), *past.all(OpeningBalancesCorrected)]
    taken_over = {loan.loan: opening for opening in openings for loan in opening.loans}
    return taken_over | {event.loan: event for event in past.all(LoanDisbursed)}


class _Term(NamedTuple):
    member: int
    since: date
    until: date | None


def approver_household(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """Who approved a loan is the borrower, or lives in the borrower's household.

    An event names its recorder by the principal's id only. Where that principal is linked to a member, the member is
    known; where not, whoever held the chair that day is taken for the approver, for approving is the chair's.
    """
    chairs = _chairs(past)
    for event in past.all(LoanApproved):
        held = [term.member for term in chairs if term.since <= event.on <= (term.until or event.on)]
        approver = past.linked.get(event.recorded_by, held[-1] if held else None)
        if approver is None or past.household(approver) != past.household(event.member):
            continue
        known_by = "account" if event.recorded_by in past.linked else "office"
        borrower = event.member
        about = {"loan": event.loan, "borrower": borrower, "approver": approver}
        yield flag("approver-household", [event], on=event.on, known_by=known_by, **about)


def _chairs(past: Past) -> list[_Term]:
    """Who held the chair, from when until when, in order."""
    left = [event for event in past.all(OfficeLeft) if event.office == "chair"]
    terms = []
    for taken in past.all(OfficeTaken):
        if taken.office == "chair":
            ends = (end.on for end in left if end.member == taken.member and end.version > taken.version)
            terms.append(_Term(taken.member, taken.on, next(ends, taken.until)))
    return sorted(terms, key=lambda term: term.since)


def rescheduled_again(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """A loan was planned anew twice or more, and little of it was repaid between: it may never come back, and the plan
    in force does not show it as late."""
    for loan in past.fund.loans.values():
        for first, second in pairwise(loan.reschedulings):
            repaid = first.outstanding - second.outstanding
            if 100 * repaid < limits.rescheduled_percent * first.outstanding:
                between = {"since": first.on, "until": second.on}
                facts = {"loan": loan.number, "times": len(loan.reschedulings), "repaid": repaid}
                yield flag("rescheduled-again", [first, second], **between, **facts)


def interest_differs(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """The interest taken on a loan is not what its terms make it, given when it was really repaid.

    Splits stand as they were recorded; repayments told late, for days before others, make them differ a little.
    """
    for loan in past.fund.loans.values():
        if loan.disbursed_on is None or loan.written_off or not loan.repayments:
            continue
        taken, accrued, entered = _interest(loan)
        off = taken - accrued if loan.outstanding == 0 else max(taken - accrued, 0)
        if abs(off) > limits.interest_dong:
            about = [past.fund.entries[version - 1] for version in entered]
            yield flag("interest-differs", about, loan=loan.number, taken=taken, accrued=accrued, off=abs(off))


def _interest(loan: Loan) -> tuple[int, int, list[int]]:
    """Interest taken under the loan's latest plan, what had accrued when its latest repayment came, and the entries."""
    last_on = max(repayment.on for repayment in loan.repayments.values())
    phase = loan.phase(last_on)
    without_interest = [repayment._replace(interest=0) for repayment in phase.repayments]
    before = [repayment for repayment in without_interest if repayment.on < last_on]
    counted: list[Repayment] = before if loan.outstanding == 0 else without_interest
    owed = standing(
        phase.terms, phase.starts_on, counted, last_on, carried=phase.carried, accrues_after=phase.accrues_after
    )
    begun = owed.interest_begun if loan.outstanding == 0 else 0
    taken = sum(repayment.interest for repayment in phase.repayments)
    entered = list(loan.repayments)[len(loan.repayments) - len(phase.repayments) :]
    return taken, owed.interest_due + begun, entered

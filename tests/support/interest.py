"""What loans cost, worked out from a fund's stored lines alone: from day to day, with fractions, and by no code of the
ledger's.

The rules are those of `domain.md` §4, read anew. `unlike` compares with this every figure that the lines state about
interest, and what the ledger says of each loan on some days.
"""

import calendar
import json
import math
from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from ledger.aggregates.fund import Fund
from tests.support.village import lines

Line = dict[str, Any]
PAYS = {"LoanRepaid", "SavingsSetOff"}
REDUCES = PAYS | {"InterestWaived", "LoanWrittenOff"}


class Owed(NamedTuple):
    """A loan at the end of a day. `interest` is below zero where more was paid than had accrued."""

    principal: int
    interest: int
    begun: int

    @property
    def settlement(self) -> int:
        """What closes it."""
        return self.principal + max(0, self.interest + self.begun)


def months_after(start: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def nearest(exact: Fraction, step: int = 1) -> int:
    """To the nearest multiple, a half upwards."""
    return math.floor(exact / step + Fraction(1, 2)) * step


def live(told: list[Line]) -> list[Line]:
    """The entries that were not undone."""
    undone = {line["reverses"] for line in told if line["type"] == "EntryReversed"}
    return [line for line in told if line["version"] not in undone]


class Debt:
    """One loan as some lines tell it: its terms, and what came off it."""

    def __init__(self, told: list[Line], number: int) -> None:
        entries = live(told)
        own = [line for line in entries if line.get("loan") == number]
        self.taken_over: str | None = None
        for line in entries:
            for old in line.get("loans", ()) if line["type"].startswith("OpeningBalances") else ():
                if old["loan"] == number:
                    self.terms, self.principal, self.months = old, old["principal"], old["term_months"]
                    self.start, self.taken_over, self.old = old["disbursed_on"], line["on"], old
        for line in own:
            if line["type"] == "LoanApproved":
                self.terms = line
            elif line["type"] == "LoanRequested":
                self.principal, self.months = line["principal"], line["term_months"]
            elif line["type"] == "LoanDisbursed":
                self.start = line["on"]
        self.plans = [line for line in own if line["type"] == "LoanRescheduled"]
        self.reductions = [line for line in own if line["type"] in REDUCES]

    def owed(self, day: date) -> Owed:
        """What is owed at the end of a day, walking towards it from the day on which the plan in force began."""
        plans = [plan for plan in self.plans if plan["on"] <= day.isoformat()]
        start, base, months = date.fromisoformat(self.start), self.principal, self.months
        principal, interest, since, reductions = base, 0, start, self.reductions
        if plans:
            plan = plans[-1]
            start, months = date.fromisoformat(plan["on"]), plan["term_months"]
            base = principal = plan["outstanding"]
            interest, since = plan["interest_carried"], start
            reductions = [line for line in reductions if line["version"] > plan["version"]]
        elif self.taken_over:
            since = date.fromisoformat(self.taken_over)
            principal, interest = self.old["outstanding"], self.old.get("interest_owed", 0)
        of_day: dict[date, list[Line]] = {}
        for line in reductions:
            of_day.setdefault(max(date.fromisoformat(line["on"]), since), []).append(line)

        ends = {start: 0}
        while max(ends) <= day:
            ends[months_after(start, len(ends))] = len(ends)
        for walked in sorted(each for each in {*of_day, *ends} if since <= each <= day):
            if walked > since and principal > 0 and walked in ends:
                interest += self.accrual(base, principal, flat=ends[walked] <= months)
            for line in of_day.get(walked, ()):
                off_principal, off_interest = self.taken_off(line)
                principal, interest = principal - off_principal, interest - off_interest
        has_begun = principal > 0 and day not in ends
        begun = self.accrual(base, principal, flat=ends[max(ends)] <= months) if has_begun else 0
        return Owed(principal, interest, begun)

    def accrual(self, base: int, principal: int, *, flat: bool) -> int:
        """The interest of one month, rounded once."""
        of = base if flat and self.terms["interest_method"] == "flat" else principal
        return nearest(Fraction(of * self.rate, 1_000_000), self.terms.get("interest_rounding", 1))

    @property
    def rate(self) -> int:
        """In ppm a month."""
        return int(self.terms["monthly_rate_ppm"])

    @staticmethod
    def taken_off(line: Line) -> tuple[int, int]:
        """Principal and interest that an entry takes off the loan."""
        if line["type"] in PAYS:
            return line["principal"] + line.get("forgiven", 0), line["interest"]
        return (0, line["amount"]) if line["type"] == "InterestWaived" else (line["amount"], 0)

    def divided(self, day: date, amount: int) -> tuple[int, int]:
        """Principal and interest of a payment."""
        now = self.owed(day)
        if amount == now.settlement:
            return now.principal, amount - now.principal
        plans = [plan for plan in self.plans if plan["on"] <= day.isoformat()]
        start, months = (plans[-1]["on"], plans[-1]["term_months"]) if plans else (self.start, self.months)
        matures = months_after(date.fromisoformat(start), months)
        is_held_back = self.terms["repayment_mode"] == "interest_at_maturity" and day < matures
        interest = 0 if is_held_back else min(amount, max(now.interest, 0))
        return amount - interest, interest


def unlike(fund: Fund, days: Iterable[date]) -> Iterator[str]:
    """Where a fund and this fold disagree: in what its lines state, and in what it says of its loans on some days."""
    told = [json.loads(line) for line in lines(fund)]
    for line in told:
        if line["type"] in PAYS | {"InterestWaived", "LoanRescheduled"}:
            yield from (f"version {line['version']}: {what}" for what in _misstated(line, told))
    for number, loan in fund.loans.items():
        if loan.status in ("running", "settled"):
            debt = Debt(told, number)
            begins = date.fromisoformat(max(debt.start, debt.taken_over or debt.start))
            for day in (day for day in days if day >= begins):
                ours, theirs = debt.owed(day), loan.standing(day)
                if (ours.principal, ours.interest, ours.settlement) != (
                    theirs.outstanding,
                    theirs.interest_due - theirs.interest_ahead,
                    theirs.settlement_amount,
                ):
                    yield f"loan {number} on {day}: {ours}, not {theirs}"


def _misstated(line: Line, told: list[Line]) -> Iterator[str]:
    """What an entry states otherwise than it follows from those before it."""
    debt, day = Debt(told[: line["version"] - 1], line["loan"]), date.fromisoformat(line["on"])
    now = debt.owed(day)
    if line["type"] == "InterestWaived":
        if line["amount"] > now.interest:
            yield f"{line['amount']} waived of {now.interest}"
    elif line["type"] == "LoanRescheduled":
        if (line["outstanding"], line["interest_carried"]) != now[:2]:
            yield f"{now[:2]} were carried over, not {line['outstanding'], line['interest_carried']}"
    else:
        paid = debt.divided(day, line["amount"] + line.get("forgiven", 0))
        if paid != debt.taken_off(line):
            yield f"{paid} were paid, not {debt.taken_off(line)}"
        share = nearest(Fraction(line["interest"] * debt.terms["interest_to_activity_ppm"], 1_000_000))
        if share != line["interest_to_activity"]:
            yield f"{share} are the activity pot's, not {line['interest_to_activity']}"

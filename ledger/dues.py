"""Dues by the month they are for: what the bylaws asked of each member, and what came (`domain.md` §3 and §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ledger.aggregates.fund import Fund
from ledger.aggregates.member import Member
from ledger.days import add_months
from ledger.events import ContributionReceived

NEVER = date.max

RECENT_MONTHS = 3
"""On a meeting's sheet: this month and the two before. A public list of old debts would shame people in a village."""


class MonthlyDues(NamedTuple):
    """One member's dues for one month (`YYYY-MM`), in đồng."""

    member: int
    month: str
    expected: int
    paid: int

    @property
    def owed(self) -> int:
        """What is still to come; nothing if more came than was asked."""
        return max(self.expected - self.paid, 0)


def monthly_dues(fund: Fund, day: date) -> Iterator[MonthlyDues]:
    """What was expected and paid for each month whose meeting day has come by `day`, by member and month.

    A member owes a month's dues if they were on the roll on its meeting day, by the bylaws in force on that day, unless
    they were forgiven by then. Dues that name no month are for the month they were paid in; payments after `day` are
    not counted.
    """
    paid = _paid(fund, day)
    meetings = list(_meeting_days(fund, day))
    for member in fund.members.values():
        for meeting_day in meetings:
            if _was_on_roll(member, meeting_day):
                expected = fund.bylaws_on(meeting_day).monthly_dues
                month = _month(meeting_day)
                came = paid[member.number, month]
                if fund.forgiven_dues.get((member.number, month), NEVER) <= day:
                    expected = min(expected, came)
                yield MonthlyDues(member.number, month, expected, came)


def recent_months(day: date) -> frozenset[str]:
    """The months (`YYYY-MM`) whose dues a meeting's sheet of `day` asks for."""
    return frozenset(_month(add_months(day.replace(day=1), -before)) for before in range(RECENT_MONTHS))


def _meeting_days(fund: Fund, day: date) -> Iterator[date]:
    first = fund.opened.on.replace(day=1)
    for months in range((day.year - first.year) * 12 + day.month - first.month + 1):
        start = add_months(first, months)
        in_force = fund.bylaws_on(max(start, fund.opened.on))
        meeting_day = meeting_in(start, in_force.meeting_day)
        if fund.opened.on <= meeting_day <= day:
            yield meeting_day


def meeting_in(month: date, meeting_day: int) -> date:
    """The meeting's day in the month of a day; the last one of a month that has fewer days."""
    return add_months(month.replace(month=1, day=meeting_day), month.month - 1)


def _was_on_roll(member: Member, day: date) -> bool:
    left = {member.left_on, *(left for left, _ in member.absences)}
    return member.is_on_roll(day) and day not in left


def _paid(fund: Fund, day: date) -> dict[tuple[int, str], int]:
    paid: dict[tuple[int, str], int] = defaultdict(int)
    contributions = (event for event in fund.entries if isinstance(event, ContributionReceived))
    for event in contributions:
        if event.kind == "dues" and event.on <= day and _is_live(fund, event.version, day):
            paid[event.member, event.for_month or _month(event.on)] += event.amount
    return paid


def _is_live(fund: Fund, version: int, day: date) -> bool:
    """Whether an entry was not undone by the end of `day`."""
    reversal = fund.reversed_by.get(version)
    return reversal is None or fund.entries[reversal - 1].on > day


def _month(day: date) -> str:
    return f"{day:%Y-%m}"

"""Dues worked out once more, from a fund's entries alone: what `ledger/projections/dues.py` is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from ledger.aggregates.fund import Fund
from ledger.days import add_months
from ledger.events import ContributionReceived, DuesForgiven, Event
from ledger.projections.dues import MonthlyDues


def dues_of(fund: Fund, day: date) -> Iterator[MonthlyDues]:
    """What was expected and paid for each month, member by member, day by day."""
    paid: dict[tuple[int, str], int] = defaultdict(int)
    forgiven = set()
    for event in fund.entries:
        if not _stands(fund, event, day):
            continue
        if isinstance(event, ContributionReceived) and event.kind == "dues":
            paid[event.member, event.for_month or event.on.isoformat()[:7]] += event.amount
        if isinstance(event, DuesForgiven):
            forgiven |= {(event.member, month) for month in event.months}
    for member in fund.members.values():
        gone = {member.left_on, *(left for left, _ in member.absences)}
        for meets in _meeting_days(fund, day):
            if member.is_on_roll(meets) and meets not in gone:
                key = member.number, meets.isoformat()[:7]
                asked = fund.bylaws_on(meets).monthly_dues
                yield MonthlyDues(*key, min(asked, paid[key]) if key in forgiven else asked, paid[key])


def _stands(fund: Fund, event: Event, day: date) -> bool:
    """Whether an entry had happened and was not undone by the end of `day`."""
    reversal = fund.reversed_by.get(event.version)
    return event.on <= day and (reversal is None or fund.entries[reversal - 1].on > day)


def _meeting_days(fund: Fund, day: date) -> Iterator[date]:
    month = fund.opened.on.replace(day=1)
    while month <= day:
        wanted = fund.bylaws_on(max(month, fund.opened.on)).meeting_day
        last = (add_months(month, 1) - date.resolution).day
        meets = month.replace(day=min(wanted, last))
        if fund.opened.on <= meets <= day:
            yield meets
        month = add_months(month, 1)

"""Red flags in the money itself: payments that come a month after they were made, a box not counted, a box too full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from ledger.days import add_months
from ledger.events import (
    CashCounted,
    ContributionReceived,
    EntryReversed,
    Event,
    LoanDisbursed,
    LoanRepaid,
    MeetingHeld,
)
from ledger.flags.base import Flag, Past, Thresholds, flag, is_share, month_of

_Month = tuple[str, list[Event]]
"""A month, `YYYY-MM`, and payments made in it."""


def counts_undone(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """An inspector's surprise count was reversed, or a count by whoever made it: what it found is out of the books."""
    for undone in past.all(EntryReversed):
        count = past.fund.entries[undone.reverses - 1]
        if isinstance(count, CashCounted):
            is_own, is_surprise = undone.recorded_by == count.recorded_by, count.reason == "surprise"
            if is_own or is_surprise:
                yield flag("count-undone", [count, undone], on=count.on, undone_on=undone.on, reason=count.reason)


def lapping(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """Month after month, members who came to a meeting stand in the book with that month's payment only in the next.

    That is what today's payer covering yesterday's theft looks like. Who was not at the earlier meeting is late for an
    everyday reason, and who forgot their purse once does not make a run of months; where no attendance is kept, the
    log cannot tell.
    """
    run: list[_Month] = []
    for month, shifted in _shifted(past, limits):
        if run and _next(run[-1][0]) != month:
            yield from _lapped(run, limits)
            run = []
        run.append((month, shifted))
    yield from _lapped(run, limits)


def _lapped(run: list[_Month], limits: Thresholds) -> Iterator[Flag]:
    if len(run) >= max(limits.lapping_months, 1):
        payments = [event for _, shifted in run for event in shifted]
        since, until = run[0][0], run[-1][0]
        yield flag("lapping", payments, since=since, until=until, months=len(run), payments=len(payments))


def _shifted(past: Past, limits: Thresholds) -> Iterator[_Month]:
    """The months in which many payments are those of the month before, with these payments."""
    came: dict[str, set[int]] = defaultdict(set)
    for meeting in past.all(MeetingHeld):
        came[month_of(meeting.on)] |= {*meeting.present, *meeting.by_proxy}
    dues, repayments = _dues(past), _repayments(past)
    lent = {(month_of(event.on), event.loan) for event in past.all(LoanDisbursed)}
    for before in sorted(came):
        month, earlier = _next(before), _next(before, -1)
        late_dues = (
            event
            for member, events in dues[month].items()
            if member in came[before] and member not in dues[before]
            for event in events
            if event.for_month == before
        )
        late_repayments = (
            event
            for loan, events in repayments[month].items()
            if loan not in repayments[before] and (loan in repayments[earlier] or (earlier, loan) in lent)
            for event in events
            if event.member in came[before]
        )
        shifted: list[Event] = [*late_dues, *late_repayments]
        if shifted and is_share(len(shifted), len(came[before]), limits.lapping_percent):
            yield month, shifted


def _dues(past: Past) -> dict[str, dict[int, list[ContributionReceived]]]:
    """Dues by the month they were paid in and by member."""
    paid: dict[str, dict[int, list[ContributionReceived]]] = defaultdict(lambda: defaultdict(list))
    for event in past.all(ContributionReceived):
        if event.kind == "dues":
            paid[month_of(event.on)][event.member].append(event)
    return paid


def _repayments(past: Past) -> dict[str, dict[int, list[LoanRepaid]]]:
    """Repayments by the month they were paid in and by loan; every loan pays something each month."""
    paid: dict[str, dict[int, list[LoanRepaid]]] = defaultdict(lambda: defaultdict(list))
    for event in past.all(LoanRepaid):
        paid[month_of(event.on)][event.loan].append(event)
    return paid


def _next(month: str, months: int = 1) -> str:
    return month_of(add_months(date.fromisoformat(f"{month}-01"), months))


def count_gaps(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """The box was not counted for long: from the first cash to the first count, between two, or since the last."""
    if not past.cash:
        return
    first_on = min(past.cash)
    counts = sorted(past.all(CashCounted), key=lambda count: count.on)
    ends_on = past.fund.dissolved.on if past.fund.dissolved else past.day
    counted: list[tuple[date, list[Event]]] = [(count.on, [count]) for count in counts]
    for (since, earlier), (until, later) in pairwise([(first_on, _movers(past, first_on)), *counted, (ends_on, [])]):
        if (until - since).days > limits.count_gap_days:
            yield flag("count-gaps", [*earlier, *later], since=since, until=until, days=(until - since).days)


def _movers(past: Past, day: date) -> list[Event]:
    """The entries of a day that moved cash."""
    return [event for event in past.entries if event.on == day and any(leg.account == "cash" for leg in event.legs())]


def cash_high(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """More lay in the box, day after day, than should lie in a house; behind it are the entries of the first day."""
    cash, most = 0, 0
    since: date | None = None
    for day in sorted({*past.cash, past.day}):
        cash += past.cash.get(day, 0)
        if cash > limits.cash_high_dong:
            since, most = since or day, max(most, cash)
        if since and (cash <= limits.cash_high_dong or day == past.day):
            if (day - since).days > limits.cash_high_days:
                about = _movers(past, since)
                yield flag("cash-high", about, since=since, until=day, days=(day - since).days, most=most)
            since, most = None, 0

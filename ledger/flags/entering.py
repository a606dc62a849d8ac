"""Red flags in how the book is written: late, out of order, undone too often, behind a count's back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from ledger.chart import Leg
from ledger.events import CashCounted, EntryReversed, Event, InspectionMade, Voucher
from ledger.flags.base import Flag, Past, Thresholds, days_late, entered_on, flag, is_share, month_of


def late_entries(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """Entered late on many days of a month, or something very late.

    One meeting entered weeks later is everyday life, a slip found now and then as well; a trickle of late slips is how
    money that was used first comes onto paper.
    """
    months: dict[str, list[Event]] = defaultdict(list)
    for event in _late(past, limits):
        months[month_of(entered_on(event))].append(event)
    for month, late in months.items():
        sittings, most = len({entered_on(event) for event in late}), max(map(days_late, late))
        if sittings >= limits.late_sittings or most > limits.very_late_days:
            yield flag("late-entries", late, month=month, entries=len(late), sittings=sittings, most_days=most)


def before_inspection(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """Several late entries in the last days before an inspection."""
    late = list(_late(past, limits))
    for inspection in past.all(InspectionMade):
        begins_on = inspection.on - timedelta(days=limits.inspection_days)
        hurried = [event for event in late if begins_on <= entered_on(event) <= inspection.on]
        if len(hurried) >= max(limits.inspection_entries, 1):
            most = max(map(days_late, hurried))
            about = [*hurried, inspection]
            yield flag("before-inspection", about, on=inspection.on, entries=len(hurried), most_days=most)


def _late(past: Past, limits: Thresholds) -> Iterator[Event]:
    return (event for event in past.moneyed if days_late(event) > limits.late_days)


def reversals_by_person(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """One person undid many entries in a year, also measured by how much they enter."""
    entered: dict[tuple[str, int], int] = defaultdict(int)
    undone: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in past.moneyed:
        whose = (past.person(event.recorded_by), entered_on(event).year)
        if isinstance(event, EntryReversed):
            undone[whose].append(event)
        else:
            entered[whose] += 1
    for (by, year), reversals in undone.items():
        if len(reversals) >= limits.reversals and is_share(len(reversals), entered[by, year], limits.reversal_percent):
            total = entered[by, year]
            yield flag("reversals-by-person", reversals, by=by, year=year, reversals=len(reversals), entries=total)


def voucher_order(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """In one series, many vouchers are dated long before an earlier number.

    Numbers follow the order of entering: each late slip is out of order, so only many of them are a question.
    """
    series: dict[str, list[Voucher]] = defaultdict(list)
    for event in past.entries:
        if isinstance(event, Voucher) and event.voucher:
            series[event.voucher[:7]].append(event)
    for name, vouchers in series.items():
        latest, displaced = date.min, []
        for voucher in vouchers:
            if (latest - voucher.on).days > limits.order_days:
                displaced.append(voucher)
            latest = max(latest, voucher.on)
        if len(displaced) >= max(limits.order_vouchers, 1) and is_share(
            len(displaced), len(vouchers), limits.order_percent
        ):
            yield flag("voucher-order", displaced, series=name, displaced=len(displaced), vouchers=len(vouchers))


def over_count(past: Past, limits: Thresholds) -> Iterator[Flag]:
    """Much was entered after a count for days the count had covered: the box had been certified without it."""
    counts: list[CashCounted] = []
    later: dict[int, list[tuple[Event, int]]] = defaultdict(list)
    last_on = date.min
    for event in past.entries:
        if event.on <= last_on:
            for count in [count for count in counts if event.on <= count.on]:
                if moved := sum(leg.amount for leg in event.legs() if _is_counted(leg, count)):
                    later[count.version].append((event, moved))
        if isinstance(event, CashCounted):
            counts.append(event)
            last_on = max(last_on, event.on)
    for count in counts:
        into = sum(moved for _, moved in later[count.version] if moved > 0)
        out = sum(-moved for _, moved in later[count.version] if moved < 0)
        events = [event for event, _ in later[count.version]]
        if events and (into + out > limits.over_count_dong or len(events) >= limits.over_count_entries):
            yield flag("over-count", [count, *events], on=count.on, entries=len(events), into=into, out=out)


def _is_counted(leg: Leg, count: CashCounted) -> bool:
    return leg.account == "cash" and count.pot in ("both", leg.pot)

"""What the club does: meetings and who comes, activities, mutual help, and what keeps its books honest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from ledger.events import (
    ActivityHeld,
    AttendanceCorrected,
    CashCounted,
    InspectionMade,
    MeetingHeld,
    MutualHelpGiven,
    PeriodClosed,
    PeriodReopened,
)
from ledger.events.activities import HELP_KINDS
from ledger.reports.club import REVERSED, ClubAt, once
from ledger.reports.periods import Month
from ledger.reports.reading import ClubFact
from ledger.reports.shares import Share, share

INSPECTIONS: Final = ("sample", "focal", "complaint")


@once
def areas_done(club: ClubAt) -> list[str]:
    """The plan's areas in which the club did something."""
    done = {fact.part for fact in club.in_period(ActivityHeld.__name__)}
    return [area for area in club.plan.areas if area in done]


def meetings(club: ClubAt) -> dict[str, int]:
    """How many there were, and in how many months."""
    held = club.in_period(MeetingHeld.__name__)
    return {"held": len(held), "months": len({fact.on_day[:7] for fact in held})}


def attendance(club: ClubAt) -> Share:
    """Present or by proxy, of those on the roll: over all meetings, as it was noted last."""
    noted = {fact.version: fact for fact in club.in_period(MeetingHeld.__name__)}
    for fact in club.live_by_kind.get(AttendanceCorrected.__name__, ()):
        if fact.about in noted:
            noted[fact.about] = fact
    return share(sum(f.number or 0 for f in noted.values()), sum(f.of_number or 0 for f in noted.values()))


def mutual_help(club: ClubAt) -> dict[str, Any]:
    """By kind: how often, how much of which unit, what it was worth. Of several units no quantity is given."""
    given: dict[str, list[ClubFact]] = {kind: [] for kind in HELP_KINDS}
    for fact in club.in_period(MutualHelpGiven.__name__):
        given[fact.part or HELP_KINDS[0]].append(fact)
    return {kind: _help((f.number or 0, f.unit, f.amount or 0, 1) for f in given[kind]) for kind in HELP_KINDS}


def _help(given: Iterable[tuple[int | None, str | None, int, int]]) -> dict[str, Any]:
    given = list(given)
    if not given:
        return {"times": 0, "quantity": 0, "unit": None, "worth": 0}
    units = {unit for _, unit, _, times in given if times}
    unit = next(iter(units)) if len(units) == 1 else None
    quantity = None if units and unit is None else sum(quantity or 0 for quantity, *_ in given)
    times, worth = sum(each[3] for each in given), sum(each[2] for each in given)
    return {"times": times, "quantity": quantity, "unit": unit, "worth": worth}


def mutual_help_of_all(clubs: list[dict[str, Any]]) -> dict[str, Any]:
    """The help of all clubs together."""
    told = ("quantity", "unit", "worth", "times")
    return {
        kind: _help(tuple(club[kind][name] for name in told) for club in clubs if club[kind]["times"])
        for kind in HELP_KINDS
    }


# --- closed months ----------------------------------------------------------------------------------------------------


@once
def months_of(club: ClubAt) -> Sequence[Month]:
    """The months that the period touches, but for those before the club's founding."""
    founded, months = club.club.founded_on.isoformat()[:7], club.period.months()
    return months if founded <= months[0].name else [month for month in months if month.name >= founded]


@once
def _closings(club: ClubAt) -> list[ClubFact]:
    """Periods closed and opened again, in the order they were told."""
    both = (*club.told_by_kind.get(PeriodClosed.__name__, ()), *club.told_by_kind.get(PeriodReopened.__name__, ()))
    return sorted(both, key=attrgetter("version"))


def closed_through(club: ClubAt, recorded_by: str | None = None) -> str:
    """Up to where the books were closed at the end of the period, or by what was recorded by a day; empty if never."""
    through = ""
    for fact in _closings(club):
        if recorded_by is None or fact.recorded_day <= recorded_by:
            through = fact.until_day or ""
    return through


def oversight(club: ClubAt) -> dict[str, Any]:
    """Closings, counts, visits and corrections in the period, and how late entries are recorded."""
    counts = club.in_period(CashCounted.__name__)
    inspections = Counter(fact.part for fact in club.in_period(InspectionMade.__name__))
    through = closed_through(club)
    since = club.period.since.isoformat()
    corrections = [fact for fact in club.told_by_kind.get(REVERSED, ()) if fact.on_day >= since]
    return {
        "months_closed": sum(month.last_day <= through for month in months_of(club)),
        "counts": len(counts),
        "differences": sum(bool(fact.amount) for fact in counts),
        "inspections": {kind: inspections[kind] for kind in INSPECTIONS},
        "corrections": len(corrections),
        "days_late": days_late(club.days_late),
    }


def days_late(counted: Counter[int]) -> dict[str, int | None]:
    """The median and the 90th percentile: so many days late or fewer was half, or nine tenths, of the entries."""
    return {"median": _at_rank(counted, 50), "p90": _at_rank(counted, 90)}


def _at_rank(counted: Counter[int], percent: int) -> int | None:
    rank, passed = -(-sum(counted.values()) * percent // 100), 0
    if not rank:
        return None
    for days in sorted(counted):
        passed += counted[days]
        if passed >= rank:
            return days
    return None

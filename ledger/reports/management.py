"""Whether a club is well managed: tests that each fail for a reason of their own, by the plan's own
thresholds (plan 47, I.2).

That its history is intact is the last of them. A club whose history is not is counted nowhere, so of those that are
counted none fails it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from ledger.days import add_months
from ledger.events import CashCounted, MeetingHeld
from ledger.reports.club import ClubAt, once
from ledger.reports.lending import lending
from ledger.reports.life import closed_through, months_of
from ledger.reports.money import both_pots


def _bylaws(club: ClubAt) -> bool:
    return club.has_bylaws


def _offices(club: ClubAt) -> bool:
    """A chair, a treasurer, and a secretary or accountant who is somebody else."""
    held = club.holders
    treasurers = held.get("treasurer", set())
    clerks = held.get("secretary", set()) | held.get("accountant", set())
    return bool(held.get("chair")) and any(clerk != each for each in treasurers for clerk in clerks)


def _meetings(club: ClubAt) -> bool:
    wanted, of = club.plan.well_managed.meetings
    months = months_of(club)
    met = {fact.on_day[:7] for fact in club.in_period(MeetingHeld.__name__)}
    return of * sum(month.name in met for month in months) >= wanted * len(months)


def _closed(club: ClubAt) -> bool:
    """Every month but the last closed in time; one whose time had not come by the end of the period is not judged."""
    for month in months_of(club)[:-1]:
        deadline = _deadline(month.first, club.plan.well_managed.closed_by_day)
        if deadline > club.period.until:
            continue
        if closed_through(club, recorded_by=deadline.isoformat()) < month.last_day:
            return False
    return True


@lru_cache(maxsize=1024)
def _deadline(month: date, day: int) -> date:
    """By which day of the month after it a month is to be closed."""
    return add_months(month, 1) + timedelta(days=day - 1)


def _counts(club: ClubAt) -> bool:
    """A count in each quarter that ended, wherever in the quarter it was."""
    counted = [fact.on_day for fact in club.live_by_kind.get(CashCounted.__name__, ())]
    founded = club.club.founded_on.isoformat()
    return all(
        any(first <= day <= last for day in counted) for first, last in club.period.quarters_ended() if last >= founded
    )


def _differences(club: ClubAt) -> bool:
    limits = club.plan.well_managed
    return not any(
        abs(fact.amount or 0) > limits.difference_amount
        and 1000 * abs(fact.amount or 0) > limits.difference_per_mille * (fact.number or 0)
        for fact in club.in_period(CashCounted.__name__)
    )


def _par30(club: ClubAt) -> bool:
    par30 = lending(club)["par30"]
    return 100 * int(par30["numerator"]) <= club.plan.well_managed.par30_percent * int(par30["denominator"])


TESTS: Final[dict[str, Callable[[ClubAt], bool]]] = {
    "bylaws": _bylaws,
    "offices": _offices,
    "meetings": _meetings,
    "closed": _closed,
    "counts": _counts,
    "differences": _differences,
    "par30": _par30,
    "both_pots": both_pots,
}
"""By the name under which a failure is reported."""
HISTORY: Final = "history"
"""Failed by nobody who is counted."""


@once
def well_managed(club: ClubAt) -> dict[str, Any]:
    """`{met, failed}`: which tests the club fails."""
    failed = [name for name, passes in TESTS.items() if not passes(club)]
    return {"met": not failed, "failed": failed}

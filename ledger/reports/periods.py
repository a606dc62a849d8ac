"""The periods that are reported on: those of the decree on reports, those of the calendar, or any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from ledger.days import add_months
from ledger.plans import Preset


class Period(NamedTuple):
    """From the first day to the last, both included; `preset` is the name it was asked for by."""

    since: date
    until: date
    preset: Preset | None = None

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.since <= day <= self.until

    def months(self) -> tuple[date, ...]:
        """The months it touches, each by its first day."""
        return _months(self.since, self.until)

    def quarters_ended(self) -> Iterator[tuple[date, date]]:
        """The quarters of the calendar that end in it, each by its first and last day."""
        for month in self.months():
            if month.month % 3 == 0 and (end := last_day(month)) <= self.until:
                yield add_months(month, -2), end


@lru_cache(maxsize=64)
def _months(since: date, until: date) -> tuple[date, ...]:
    months, month = [], since.replace(day=1)
    while month <= until:
        months.append(month)
        month = add_months(month, 1)
    return tuple(months)


@lru_cache(maxsize=1024)
def last_day(month: date) -> date:
    """The last day of a month that is given by its first."""
    return add_months(month, 1) - timedelta(days=1)


_BOUNDS: Final[dict[Preset, tuple[tuple[int, int, int], tuple[int, int, int]]]] = {
    "nd09-h1": ((-1, 12, 15), (0, 6, 14)),
    "nd09-year": ((-1, 12, 15), (0, 12, 14)),
    "half-1": ((0, 1, 1), (0, 6, 30)),
    "half-2": ((0, 7, 1), (0, 12, 31)),
    "year": ((0, 1, 1), (0, 12, 31)),
}
"""First and last day: years after the one asked for, month, day. `nd09-…` are those of Decree 09/2019/NĐ-CP."""


def preset_period(preset: Preset, year: int) -> Period:
    """The period of a preset in a year."""
    since, until = (date(year + after, month, day) for after, month, day in _BOUNDS[preset])
    return Period(since, until, preset)

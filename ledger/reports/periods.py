"""The periods that are reported on: those of the decree on reports, those of the calendar, or any."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from ledger.days import add_months
from ledger.plans import Preset


class Month(NamedTuple):
    """A month of a period: its name as days begin ("2026-05"), and its first and last day; `last_day` is the text that
    days are stored as."""

    name: str
    first: date
    last_day: str


class Period(NamedTuple):
    """From the first day to the last, both included; `preset` is the name it was asked for by."""

    since: date
    until: date
    preset: Preset | None = None

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.since <= day <= self.until

    def months(self) -> tuple[Month, ...]:
        """The months it touches."""
        return _months(self.since, self.until)

    def quarters_ended(self) -> tuple[tuple[str, str], ...]:
        """The quarters of the calendar that end in it, each by its first and last day, as days are stored."""
        return _quarters(self.since, self.until)


@lru_cache(maxsize=64)
def _months(since: date, until: date) -> tuple[Month, ...]:
    months, first = [], since.replace(day=1)
    while first <= until:
        last = add_months(first, 1) - timedelta(days=1)
        months.append(Month(f"{first:%Y-%m}", first, last.isoformat()))
        first = add_months(first, 1)
    return tuple(months)


@lru_cache(maxsize=64)
def _quarters(since: date, until: date) -> tuple[tuple[str, str], ...]:
    return tuple(
        (add_months(month.first, -2).isoformat(), month.last_day)
        for month in _months(since, until)
        if month.first.month % 3 == 0 and month.last_day <= until.isoformat()
    )


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

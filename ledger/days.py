"""Civil days in the village: today, anniversaries, and balances by day (`domain.md` §2 and §4)."""

from bisect import bisect_right
from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

VILLAGE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")


def civil_day(instant: datetime) -> date:
    """The day it is in the village at an instant; a UTC clock would be a day off until seven each morning."""
    return instant.astimezone(VILLAGE_TIME).date()


@lru_cache(maxsize=4_096)  # Entries of one request share their instant, and several tables ask for its day.
def civil_day_text(instant: datetime) -> str:
    """The same day as ISO text, as tables hold it."""
    return civil_day(instant).isoformat()


YEARS_AHEAD = 10
"""How far ahead one may ask what will be due; some of it is worked out month by month."""


def last_asked(today: date) -> date:
    """The last day that a question may be about."""
    return add_months(today, 12 * YEARS_AHEAD)


def add_months(day: date, months: int) -> date:
    """The day `months` months later, clamped to the last day of its month (31/01 → 29/02 → 31/03)."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    last = 28 if day.day <= 28 else monthrange(year, month)[1]
    return date(year, month, min(day.day, last))


def whole_months(start: date, end: date) -> int:
    """How many anniversaries of `start` have come by `end`."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if add_months(start, months) <= end else months - 1


class DailyBalance:
    """One account's movements by the day they happened, whatever order they were recorded in."""

    __slots__ = ("_changes", "_days", "total")

    def __init__(self) -> None:
        self.total = 0
        self._changes: defaultdict[date, int] = defaultdict(int)
        self._days: list[date] = []

    def add(self, day: date, amount: int) -> None:
        """Move the balance by `amount` on `day`."""
        self.total += amount
        self._changes[day] += amount

    @property
    def _in_order(self) -> list[date]:
        """The days with movements; put in order when they are asked for, since most are only added while loading."""
        if len(self._days) < len(self._changes):
            self._days = sorted(self._changes)
        return self._days

    def worst_from(self, day: date, sign: int) -> tuple[int, date]:
        """The lowest end-of-day balance times `sign` from `day` on, and the first day that has it.

        The cost grows with how late an entry is, not with how old the fund is.
        """
        worst, worst_on = None, day
        balance = self.total
        for later in reversed(self._in_order):
            if later <= day:
                break
            if worst is None or balance * sign <= worst:
                worst, worst_on = balance * sign, later
            balance -= self._changes[later]
        if worst is None or balance * sign <= worst:
            worst, worst_on = balance * sign, day
        return worst, worst_on

    def at(self, day: date) -> int:
        """The balance at the end of `day`."""
        days = self._in_order
        return self.total - sum(self._changes[later] for later in days[bisect_right(days, day) :])

    def copy(self) -> "DailyBalance":
        """An independent copy."""
        twin = DailyBalance()
        twin.total, twin._changes = self.total, self._changes.copy()
        return twin

"""Civil days in the village: today, anniversaries, and balances by day (`domain.md` §2 and §4)."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import accumulate, chain, pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

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


class Stretch(NamedTuple):
    """Some days of an account that lie packed, as columns: what each is more than the one before, and its amount."""

    last: int
    columns: bytes


STRETCH: Final = 128
"""How many days lie packed together. At least as many, the latest, are at hand: most entries are about those."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode


class DailyBalance:
    """One account's movements by the day they happened, whatever order they were recorded in.

    Two columns of numbers, the days in order: a fund has hundreds of these, and they are kept for as long as it lives.
    Of an old box, the earlier days lie packed until one of them is asked for.
    """

    __slots__ = ("_days", "_moved", "_past", "total")

    def __init__(self) -> None:
        # Lists while a history is replayed, for to add to an array takes five times as long; in arrays, of which a fund
        # that was unpacked has some, they take a third of the memory.
        self._days: list[int] | array[int] = []
        self._moved: list[int] | array[int] = []
        self._past: tuple[Stretch, ...] = ()
        self.total = 0

    @classmethod
    def unpacked(cls, days: Iterable[int], moved: Iterable[int]) -> DailyBalance:
        """The days are numbers, as `date.toordinal()` counts them, in order."""
        balance = cls()
        balance._days, balance._moved = array("i", days), array("q", moved)
        balance.total = sum(balance._moved)
        return balance

    def rest_on(self, past: tuple[Stretch, ...], total: int) -> None:
        """Take in the days before these, which lie packed, and what all bring together."""
        self._past, self.total = past, total

    def add(self, day: date, amount: int) -> None:
        """Move the balance by `amount` on `day`."""
        self.add_all((day.toordinal(), amount))

    def add_all(self, movements: Iterable[int]) -> None:
        """The same of several: days, as their numbers and in whatever order, and amounts in turn."""
        days, moved, total = self._days, self._moved, self.total
        last = days[-1] if days else 0
        in_turn = iter(movements)
        for day, amount in zip(in_turn, in_turn, strict=True):
            total += amount
            if day > last:
                days.append(day)
                moved.append(amount)
                last = day
            elif day == last:
                moved[-1] += amount
            else:
                self._add_late(day, amount)
        self.total = total

    def _add_late(self, ordinal: int, amount: int) -> None:
        self._open(ordinal)
        days = self._days
        place = bisect_left(days, ordinal)
        if days[place] == ordinal:
            self._moved[place] += amount
        else:
            days.insert(place, ordinal)
            self._moved.insert(place, amount)

    def worst_from(self, day: date, sign: int) -> tuple[int, date]:
        """The lowest end-of-day balance times `sign` from `day` on, and the first day that has it.

        The cost grows with how late an entry is, not with how old the fund is.
        """
        worst, worst_on = None, day.toordinal()
        first, balance = worst_on, self.total
        self._open(first)
        for place in range(len(self._days) - 1, -1, -1):
            if self._days[place] <= first:
                break
            if worst is None or balance * sign <= worst:
                worst, worst_on = balance * sign, self._days[place]
            balance -= self._moved[place]
        if worst is None or balance * sign <= worst:
            return balance * sign, day
        return worst, date.fromordinal(worst_on)

    def at(self, day: date) -> int:
        """The balance at the end of `day`."""
        ordinal = day.toordinal()
        self._open(ordinal)
        return self.total - sum(self._moved[bisect_right(self._days, ordinal) :])

    def __bool__(self) -> bool:
        return True

    def movements(self) -> Iterator[tuple[int, int]]:
        """The days on which something moved, in order, and what each brought."""
        self._open(0)
        return zip(self._days, self._moved, strict=True)

    def copy(self) -> DailyBalance:
        """An independent copy."""
        twin = DailyBalance()
        twin.total, twin._days, twin._moved, twin._past = self.total, self._days[:], self._moved[:], self._past
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DailyBalance) and list(self.movements()) == list(other.movements())

    __hash__ = None  # type: ignore[assignment]  # It changes.

    # --- packing --------------------------------------------------------------------------------------------------

    def _open(self, ordinal: int) -> None:
        """Unpack the days from one on."""
        while self._past and self._past[-1].last >= ordinal:
            apart, moved = _unpack(zlib.decompress(self._past[-1].columns))
            self._past = self._past[:-1]
            self._days[:0] = array("i", accumulate(apart))
            self._moved[:0] = array("q", moved)

    def packed(self) -> tuple[tuple[Stretch, ...], Sequence[int], Sequence[int]]:
        """The days that lie packed, all but the latest, and the others with what each brought."""
        many = max(len(self._days) // STRETCH - 1, 0) * STRETCH
        for start in range(0, many, STRETCH):
            days = self._days[start : start + STRETCH]
            columns = _pack((steps(days), list(self._moved[start : start + STRETCH])))
            self._past = (*self._past, Stretch(days[-1], zlib.compress(columns)))
        del self._days[:many], self._moved[:many]
        return self._past, self._days, self._moved


def steps(numbers: Iterable[int]) -> list[int]:
    """What each of some numbers is more than the one before."""
    return [later - earlier for earlier, later in pairwise(chain((0,), numbers))]

"""Civil days in the village: today, anniversaries, and balances by day (`domain.md` §2 and §4)."""

from array import array
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import accumulate, chain, pairwise
from zoneinfo import ZoneInfo

import msgspec

VILLAGE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")


@lru_cache(maxsize=256)  # The lines of a sheet share their instant.
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


def steps(numbers: Iterable[int]) -> list[int]:
    """By how much each number is more than the one before."""
    return [later - earlier for earlier, later in pairwise(chain((0,), numbers))]


LATEST = 32
"""So many days of an account lie open, at least, once others of it are packed: entries are mostly about the last."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode


class DailyBalance:
    """One account's movements by the day they happened, whatever order they were recorded in.

    Two columns of numbers, the days in order: a fund has hundreds of these, and they are kept for as long as it lives.
    The older days of one that was packed stay so until one of them is asked about: a cash box has thousands.
    """

    __slots__ = ("_days", "_moved", "_older", "total")

    def __init__(
        self, days: Iterable[int] = (), moved: Iterable[int] = (), *, older: bytes = b"", before: int = 0
    ) -> None:
        """The days are numbers, as `date.toordinal()` counts them, in order; `older` are those before, packed, at whose
        end the balance was `before`."""
        self._days = array("i", days)
        self._moved = array("q", moved)
        self._older = older
        self.total = before + sum(self._moved)

    def packed(self) -> tuple[bytes, int, Sequence[int], Sequence[int]]:
        """Its older movements packed and what they came to, and of the latest the days and what each brought. From now
        on the older ones lie packed here, too."""
        if len(self._days) > 2 * LATEST:
            self._open()
            self._older = _pack((steps(self._days[:-LATEST]), self._moved[:-LATEST].tolist()))
            del self._days[:-LATEST], self._moved[:-LATEST]
        return self._older, self.total - sum(self._moved), self._days, self._moved

    def _open(self) -> None:
        if self._older:
            days, moved = _unpack(self._older)
            self._days[:0] = array("i", accumulate(days))
            self._moved[:0] = array("q", moved)
            self._older = b""

    def _open_for(self, ordinal: int) -> None:
        """Unpack the older days if one of them may be asked about."""
        if self._older and ordinal < self._days[0]:
            self._open()

    def add(self, day: date, amount: int) -> None:
        """Move the balance by `amount` on `day`."""
        self.total += amount
        ordinal = day.toordinal()
        self._open_for(ordinal)
        days = self._days
        last = days[-1] if days else 0
        if ordinal > last:
            days.append(ordinal)
            self._moved.append(amount)
        elif ordinal == last:
            self._moved[-1] += amount
        elif days[place := bisect_left(days, ordinal)] == ordinal:
            self._moved[place] += amount
        else:
            days.insert(place, ordinal)
            self._moved.insert(place, amount)

    def worst_from(self, day: date, sign: int) -> tuple[int, date]:
        """The lowest end-of-day balance times `sign` from `day` on, and the first day that has it.

        The cost grows with how late an entry is, not with how old the fund is.
        """
        worst, worst_on = None, day.toordinal()
        self._open_for(worst_on)
        first, balance = worst_on, self.total
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
        self._open_for(ordinal)
        return self.total - sum(self._moved[bisect_right(self._days, ordinal) :])

    def __bool__(self) -> bool:
        return True

    def movements(self) -> Iterator[tuple[int, int]]:
        """The days on which something moved, in order, and what each brought."""
        self._open()
        return zip(self._days, self._moved, strict=True)

    def copy(self) -> "DailyBalance":
        """An independent copy."""
        twin = DailyBalance()
        twin.total, twin._days, twin._moved, twin._older = self.total, self._days[:], self._moved[:], self._older
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DailyBalance) and list(self.movements()) == list(other.movements())

    __hash__ = None  # type: ignore[assignment]  # It changes.

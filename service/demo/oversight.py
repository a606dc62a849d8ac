"""How a club keeps order beside what money asks for: months closed, the box counted each quarter, minutes written,
offices kept apart; and in what it falls short of that.

It draws by itself: what a club does about money does not depend on it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Final

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.days import add_months
from ledger.events.governance import Office
from service.demo.closings import close
from service.demo.diary import instant
from service.demo.places import Club, Weakness
from service.demo.purse import Purse
from service.demo.staff import TREASURER
from service.demo.village import Village

CLOSED_ON, CLOSED_LATE_ON = 10, 24
"""On which day a month is closed after it: by the 10th in a well-kept club."""
FALLS_SHORT: Final = 0.55
"""How likely a club falls short, within half a year, of what it is weak in."""
MONTHS_WITHOUT_MINUTES: Final = (2, 5, 8, 11)
HELD_APART: Final[tuple[Office, ...]] = ("secretary", "accountant")
"""Offices that the treasurer must not have beside the box, and has where nobody else writes."""
MISSED, MISSING = 0.5, -260_000
"""How likely the badly kept club's box is counted in a quarter, and what is missing from it every other time."""


def falls_short(club: Club, weakness: Weakness, on: date) -> bool:
    """Whether a club falls short of something in the half-year of a day."""
    return club.weakness == weakness and _has_a_bad_half(club.code, on.year, on.month > 6)


@cache
def _has_a_bad_half(club: str, year: int, is_second: bool) -> bool:
    half = Random(f"{club} {year}-{1 + is_second}")  # noqa: S311  # Repeatable on purpose; no secret.
    return half.random() < FALLS_SHORT


class Oversight:
    """The order that one club keeps. `offices` are those of its members, as they were elected."""

    def __init__(self, village: Village, purse: Purse, offices: Mapping[int, Office]) -> None:
        self._village = village
        self._purse = purse
        self._offices = offices
        self._random = Random(f"{village.club.code} oversight")  # noqa: S311  # Repeatable on purpose; no secret.
        self._counted: set[tuple[int, int]] = set()
        self._in_one_hand = False

    def close(self, month: date) -> None:
        """Close a month soon after its end."""
        village = self._village
        if village.club.badly_kept:
            return
        day = CLOSED_LATE_ON if falls_short(village.club, "closing", month) else CLOSED_ON
        on = add_months(month, 1).replace(day=day)
        village.diary.tell(
            instant(on, 21, 40), on, village.chair, close, through=add_months(month, 1) - timedelta(days=1)
        )

    def writes_minutes(self, on: date) -> bool:
        """Whether who came to a meeting is noted at all."""
        return on.month not in MONTHS_WITHOUT_MINUTES or not falls_short(self._village.club, "minutes", on)

    def was_counted(self, on: date) -> None:
        """The box was counted at a meeting."""
        self._counted.add((on.year, (on.month - 1) // 3))

    def meet(self, on: date, entered_on: date) -> None:
        """What a meeting does about order, after everything else of its evening."""
        quarter = on.year, (on.month - 1) // 3
        if quarter not in self._counted:
            self._counted.add(quarter)
            self._count(on, entered_on)
        self._share_out(on, entered_on)

    def _count(self, on: date, entered_on: date) -> None:
        club, random = self._village.club, self._random
        if club.badly_kept and random.random() < MISSED:
            return
        if not falls_short(club, "counting", on):
            missing = MISSING if club.badly_kept and random.random() < 0.5 else None
            self._purse.count(instant(entered_on, 21, 50), on, random, missing)

    def _share_out(self, on: date, entered_on: date) -> None:
        """Offices go to one hand where nobody else writes, and to others again."""
        in_one_hand = falls_short(self._village.club, "offices", on)
        if in_one_hand == self._in_one_hand:
            return
        self._in_one_hand = in_one_hand
        elected = {office: member for member, office in self._offices.items()}
        for minute, office in enumerate(HELD_APART):
            member = TREASURER if in_one_hand else elected.get(office, TREASURER)
            self._village.diary.tell(
                instant(entered_on, 21, 55 + minute),
                on,
                self._village.chair,
                elect,
                several=True,
                member=member,
                office=office,
            )


def elect(fund: Fund, metadata: EntryMetadata, *, member: int, office: Office) -> None:
    """Put a member in an office that they do not have already."""
    if (office, member) not in fund.offices:
        fund.take_office(metadata, member=member, office=office)

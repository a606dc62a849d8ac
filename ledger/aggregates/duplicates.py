"""What was said on a day, by what it says: after "did it save?" a fact is told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Any, Final

from ledger.events import ActivityHeld, Event, MutualHelpGiven, Voucher

Said = tuple[object, ...] | None

TOLD_TWICE: Final = (Voucher, ActivityHeld, MutualHelpGiven)
"""What may be told twice."""


class SaidOnDay:
    """The entries of the day last asked about: a burst of them is mostly of one day.

    What each says is known by its hash alone, of 64 bits: of a thousand entries a day, two that differ share one once
    in some billions of years, and a question is asked in vain. To read the earlier entry again would cost a post half
    as much again.
    """

    def __init__(self) -> None:
        self.day: date | None = None
        self._versions: dict[int, tuple[int, ...]] = {}

    def begin(self, day: date, entries: Iterable[Event]) -> None:
        """Turn to another day, with the entries it has."""
        self.day, self._versions = day, {}
        for event in entries:
            self.add(event)

    def copy(self) -> SaidOnDay:
        """An independent copy."""
        twin = SaidOnDay()
        twin.day, twin._versions = self.day, self._versions.copy()
        return twin

    def add(self, event: Event) -> None:
        """Take in one more entry of the day."""
        if said := _said(event):
            hashed = hash(said)
            self._versions[hashed] = (*self._versions.get(hashed, ()), event.version)

    def alike(self, event: Event) -> tuple[int, ...]:
        """The versions of the day's entries that say the same, in order; none if it is hardly ever told twice."""
        said = _said(event)
        return self._versions.get(hash(said), ()) if said else ()


def _said(event: Event) -> Said:
    """What an event says that may be told twice, without who said it and when: its type, whom it concerns, how much."""
    if not isinstance(event, TOLD_TWICE):
        return None
    return (event.name, *_telling(type(event))(event))


@cache
def _telling(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    """Reads the fields that a type of event has of those that say whom and what it concerns, and how much."""
    about = ("member", "loan", "kind", "pot", "activity", "source", "amount", "for_month")
    said = (*about, "area", "participants", "quantity", "unit", "people")
    return kind.reader(*(field for field in said if hasattr(kind, field)), None, None)  # It reads two or more.

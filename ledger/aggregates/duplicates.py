"""What was said on a day, by what it says: after "did it save?" a fact is told twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Any

from ledger.events import ActivityHeld, Event, MutualHelpGiven, Voucher

Said = tuple[object, ...] | None


class SaidOnDay:
    """The entries of the day last asked about: a burst of them is mostly of one day."""

    def __init__(self) -> None:
        self.day: date | None = None
        self._versions: defaultdict[Said, list[int]] = defaultdict(list)

    def begin(self, day: date, entries: Iterable[Event]) -> None:
        """Turn to another day, with the entries it has."""
        self.day, self._versions = day, defaultdict(list)
        for event in entries:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take in one more entry of the day."""
        self._versions[_said(event)].append(event.version)

    def alike(self, event: Event) -> list[int]:
        """The versions of the day's entries that say the same, in order; none for what may well be told twice."""
        said = _said(event)
        return [] if said is None else self._versions[said]


def _said(event: Event) -> Said:
    """What an event says that may be told twice, without who said it and when: its type, whom it concerns, how much."""
    if not isinstance(event, Voucher | ActivityHeld | MutualHelpGiven):
        return None
    return (event.name, *_telling(type(event))(event))


@cache
def _telling(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    """Reads the fields that a type of event has of those that say whom and what it concerns, and how much."""
    about = ("member", "loan", "kind", "pot", "activity", "source", "amount", "for_month")
    said = (*about, "area", "participants", "quantity", "unit", "people")
    return kind.reader(*(field for field in said if hasattr(kind, field)), None, None)  # It reads two or more.

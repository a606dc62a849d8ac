"""Posting: what events do to each account, gathered by account, since many follow each other on few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.chart import Key
from ledger.events import EVENT_TYPES, Event, Voucher

VOUCHERS: Final = frozenset(kind for kind in EVENT_TYPES.values() if issubclass(kind, Voucher))
"""Asking an event for its type takes a quarter of the time that `isinstance` takes with structs."""

Moved = Sequence[int]
"""What was posted to an account, in order: days, as `date.toordinal()` counts them, and amounts in đồng, in turn."""


def by_account(events: Iterable[Event]) -> dict[Key, list[int]]:
    """What events post to each account that they touch."""
    posted: defaultdict[Key, list[int]] = defaultdict(list)
    for event in events:
        if legs := event.legs():
            day = event.on.toordinal()
            for leg in legs:
                # In turn in one list: a tuple for each would take half as long again.
                moved = posted[leg.pot, leg.account, leg.of]
                moved.append(day)
                moved.append(leg.amount)
    return posted

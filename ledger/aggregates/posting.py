"""Posting: what events do to each account, gathered by account, since many follow each other on few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ledger.chart import Key
from ledger.events import Event

Moved = Sequence[int]
"""What was posted to an account, in order: days, as `date.toordinal()` counts them, and amounts in đồng, in turn."""


def by_account(events: Sequence[Event]) -> Iterable[tuple[Key, Moved]]:
    """What events post to the accounts that they touch; to each at once, if there are several."""
    if len(events) == 1:
        (event,) = events
        day = event.on.toordinal()
        return [((leg.pot, leg.account, leg.of), (day, leg.amount)) for leg in event.legs()]
    posted: defaultdict[Key, list[int]] = defaultdict(list)
    for event in events:
        if legs := event.legs():
            day = event.on.toordinal()
            for leg in legs:
                moved = posted[leg.pot, leg.account, leg.of]
                moved.append(day)
                moved.append(leg.amount)
    return posted.items()

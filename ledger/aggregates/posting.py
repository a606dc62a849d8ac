"""Posting: what events do to each account, gathered by account, since many follow each other on few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ledger.chart import Key
from ledger.events import Event


class Posted(NamedTuple):
    """What was posted to an account, in order: the days, as `date.toordinal()` counts them, and amounts in đồng."""

    days: list[int]
    amounts: list[int]


def by_account(events: Iterable[Event]) -> dict[Key, Posted]:
    """What events post to each account that they touch."""
    posted: defaultdict[Key, list[int]] = defaultdict(list)
    for event in events:
        if legs := event.legs():
            day = event.on.toordinal()
            for leg in legs:
                # In turn in one list: a pair of lists, or a tuple for each, would take half as long again.
                moved = posted[leg.pot, leg.account, leg.of]
                moved.append(day)
                moved.append(leg.amount)
    return {key: Posted(moved[::2], moved[1::2]) for key, moved in posted.items()}

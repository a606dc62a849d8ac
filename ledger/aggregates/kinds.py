"""The kinds of log: funds, and what is chained, stored, checked and signed like a fund and is none.

A log's id tells its kind. A fund's is its code. Any other begins with the kind's name in small letters, which no code
has: `people`, or `spending:VN-LS-47-2022` where a kind has a log for each of many things. All kinds share one table,
one queue, one cache, one verifier and the checkpoints; whatever is about funds alone asks `is_fund`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from ledger.aggregates.entries import Entries, Read
from ledger.aggregates.fund import Fund
from ledger.aggregates.log import BrokenChain, Log
from ledger.aggregates.people import People
from ledger.aggregates.spending import Spending
from ledger.events import Entry, Event, decode, is_fund
from ledger.events import people as people_events
from ledger.events import spending as spending_events


class Kind(NamedTuple):
    """A kind of log: what its entries are replayed into, and how a line of it becomes an event.

    `decode` knows the events of this kind alone and raises `MsgspecError` for those of another, so that a line which
    strayed into a log breaks it there, as any line does that the log does not know.
    """

    aggregate: type[Log]
    decode: Callable[[bytes], Event]


FUNDS = Kind(Fund, decode)
OTHERS: dict[str, Kind] = {
    people_events.PEOPLE: Kind(People, people_events.decode),
    spending_events.SPENDING: Kind(Spending, spending_events.decode),
}
"""The kinds beside the funds, by name. A new kind is an entry here: a `Log` with its decisions, and its events."""

TOGETHER: Final = 1_024
"""How many entries are applied at once."""

_ID = re.compile("([a-z]+)(:[A-Za-z0-9-]+)?")


def kind_of(log: str) -> Kind | None:
    """The kind of log that has this id; None for an id of no kind that this program knows."""
    if is_fund(log):
        return FUNDS
    named = _ID.fullmatch(log)
    return OTHERS.get(named[1]) if named else None


def begun(log: str, read: Read | None = None) -> Log:
    """A fund, or a log of another kind, to which nothing has happened yet; `read` reads its events once it has let go
    of them."""
    kind = kind_of(log)
    assert kind, "the id of a log tells its kind"
    new = kind.aggregate(log)
    new.entries = Entries(read)
    return new


def replay(log: Log | None, entries: Iterable[Entry], read: Read | None = None) -> Log | None:
    """Apply entries to a fund or another log, which the first of them begins. Raises `BrokenChain`."""
    for some in _together(entries):
        if log is None:
            log = begun(some[0].event.fund, read)
        try:
            log.apply_all(some)
        except (ArithmeticError, LookupError, ValueError, struct.error) as error:
            # Changed so that it cannot even be applied; what follows would have shown it by its hash.
            raise BrokenChain(log.id, min(log.version + 1, some[-1].event.version)) from error
    return log


def _together(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries by the thousand or so; those before one that breaks the log, too."""
    some: list[Entry] = []
    try:
        for entry in entries:
            some.append(entry)
            if len(some) == TOGETHER:
                yield some
                some = []
    except BrokenChain:
        if some:
            yield some
        raise
    if some:
        yield some

"""What is usual: the latest amounts of each kind of entry, kept so that no entry has to be looked at again for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from struct import Struct
from typing import Any, Final

from ledger.events import ContributionReceived, Event, ExpensePaid, LoanRepaid, SavingsWithdrawn

Ordinary = ContributionReceived | ExpensePaid | SavingsWithdrawn | LoanRepaid
"""What comes again and again in like amounts; gifts and loans do not."""

MOST: Final = 64
"""Amounts that are surely known of each kind: a sheet's lines are looked at when all of them are recorded."""

_PAIR: Final = Struct("<Iq")
_AT_MOST: Final = 2 * MOST * _PAIR.size

_KINDS: Final[dict[type[Event], Callable[[Any], str]]] = {
    ContributionReceived: attrgetter("kind"),
    ExpensePaid: attrgetter("activity"),
    SavingsWithdrawn: attrgetter("name"),
    LoanRepaid: attrgetter("name"),
}


def kind_of(event: Event) -> str | None:
    """What an amount is compared within: the type of entry, and what it was for; None unless it is an ordinary one."""
    kind = _KINDS.get(type(event))
    return kind(event) if kind else None


def note(latest: dict[str, bytearray], kind: str, version: int, amount: int) -> None:
    """Add one more to the latest amounts of a kind."""
    try:
        amounts = latest[kind]
    except KeyError:
        amounts = latest[kind] = bytearray()
    if len(amounts) == _AT_MOST:
        del amounts[: _AT_MOST // 2]
    amounts += _PAIR.pack(version, amount)


def latest(amounts: bytearray) -> Iterator[tuple[int, int]]:
    """The versions and amounts, the latest first."""
    return (_PAIR.unpack_from(amounts, start) for start in range(len(amounts) - _PAIR.size, -1, -_PAIR.size))


def are_all(amounts: bytearray) -> bool:
    """Whether there were no older ones."""
    return len(amounts) < MOST * _PAIR.size

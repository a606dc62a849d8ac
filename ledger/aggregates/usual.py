"""What is usual: the latest amounts of each kind of entry, kept so that no entry has to be looked at again for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
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


def latest_before(amounts: bytearray, version: int, *, since: int, most: int) -> list[int]:
    """The latest amounts of entries before a version, as far back as `since`, and so many of them at most."""
    end = len(amounts) // _PAIR.size
    last = _PAIR.unpack_from(amounts, len(amounts) - _PAIR.size)[0] if end else 0
    if last == version:
        end -= 1
    elif last > version:
        end = bisect_left(_versions(bytes(amounts)), version)
    start = max(end - most, 0)
    pairs = _PAIR.iter_unpack(amounts[start * _PAIR.size : end * _PAIR.size])
    return [amount for told, amount in pairs if told >= since]


@lru_cache(maxsize=16)
def _versions(amounts: bytes) -> tuple[int, ...]:
    """The versions alone. A sheet's lines are looked at when all are recorded: to go back over those after each would
    cost the square of them, and they all ask for the same."""
    return tuple(version for version, _ in _PAIR.iter_unpack(amounts))


def are_all(amounts: bytearray) -> bool:
    """Whether there were no older ones."""
    return len(amounts) < MOST * _PAIR.size

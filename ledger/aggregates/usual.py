"""What is usual: the latest amounts of each kind of entry, kept so that no entry has to be looked at again for them."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final

from ledger.events import ContributionReceived, Event, ExpensePaid, LoanRepaid, SavingsWithdrawn

Ordinary = ContributionReceived | ExpensePaid | SavingsWithdrawn | LoanRepaid
"""What comes again and again in like amounts; gifts and loans do not."""

MOST: Final = 64
"""Amounts that are kept of each kind: a sheet's lines are looked at when all of them are recorded."""

_PAIR: Final = Struct("<Iq")


def kind_of(event: Event) -> str:
    """What an amount is compared within: the type of entry, and what it was for."""
    return f"{event.name} {getattr(event, 'kind', None) or getattr(event, 'activity', None)}"


def noted(amounts: bytes, event: Ordinary) -> bytes:
    """The amounts with one more."""
    return amounts[-(MOST - 1) * _PAIR.size :] + _PAIR.pack(event.version, event.amount)


def latest(amounts: bytes) -> Iterator[tuple[int, int]]:
    """The versions and amounts, the latest first."""
    return reversed(list(_PAIR.iter_unpack(amounts)))


def is_full(amounts: bytes) -> bool:
    """Whether there may have been older ones."""
    return len(amounts) == MOST * _PAIR.size

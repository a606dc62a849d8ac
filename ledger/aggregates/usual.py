"""What is usual: the latest amounts of each kind of entry, kept so that no entry has to be looked at again for them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final, Self

from ledger.events import ContributionReceived, ExpensePaid, LoanRepaid, SavingsWithdrawn

Ordinary = ContributionReceived | ExpensePaid | SavingsWithdrawn | LoanRepaid
"""What comes again and again in like amounts; gifts and loans do not."""

ORDINARY: Final = (ContributionReceived, ExpensePaid, SavingsWithdrawn, LoanRepaid)

MOST: Final = 64
"""Amounts that are surely known of each kind: a sheet's lines are looked at when all of them are recorded."""


def kind_of(event: Ordinary) -> str:
    """What an amount is compared within: the type of entry, and what it was for."""
    if isinstance(event, ContributionReceived):
        return event.kind
    return event.activity if isinstance(event, ExpensePaid) else event.name


class LatestAmounts(dict[str, "array[int]"]):
    """By kind: the versions of the latest entries, each followed by its amount in đồng."""

    def note(self, event: Ordinary) -> None:
        """Take in one more amount."""
        kind = kind_of(event)
        amounts = self.get(kind)
        if amounts is None:
            amounts = self[kind] = array("q")
        amounts.append(event.version)
        amounts.append(event.amount)
        if len(amounts) == 4 * MOST:
            del amounts[: 2 * MOST]

    def of(self, kind: str) -> Iterator[tuple[int, int]]:
        """The versions and amounts of a kind, the latest first."""
        amounts = self[kind]
        return ((amounts[place], amounts[place + 1]) for place in range(len(amounts) - 2, -1, -2))

    def are_all(self, kind: str) -> bool:
        """Whether there were no older ones."""
        return len(self[kind]) < 2 * MOST

    def __copy__(self) -> Self:
        twin = type(self)()
        twin.update({kind: amounts[:] for kind, amounts in self.items()})
        return twin

    def packed(self) -> dict[str, bytes]:
        """The columns as bytes."""
        return {kind: amounts.tobytes() for kind, amounts in self.items()}

    @classmethod
    def unpacked(cls, packed: dict[str, bytes]) -> Self:
        """The same, back from bytes."""
        amounts = cls()
        amounts.update({kind: array("q", column) for kind, column in packed.items()})
        return amounts

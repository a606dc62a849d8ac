"""Correcting by adding: nothing is edited or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ledger.chart import Leg, Legs
from ledger.events.base import Event

if TYPE_CHECKING:
    from ledger.aggregates.state import State

ReversalReason = Literal["wrong_amount", "wrong_member", "duplicate", "wrong_date", "other"]


class EntryReversed(Event, frozen=True, kw_only=True, gc=False):
    """An entry was undone: ghi số âm.

    It carries the legs it posts, so that a line still explains itself alone, and the wrong voucher's number, which
    stays in view and is never used again. `entry` is the type of what it reverses; `member` and `loan` are its own.
    """

    reverses: int
    entry: str
    reason: ReversalReason
    posted: tuple[Leg, ...]
    voucher: str | None = None
    member: int | None = None
    loan: int | None = None

    def legs(self) -> Legs:
        return self.posted

    def evolve(self, fund: State) -> None:
        wrong = fund.entries[self.reverses - 1]
        fund.strike(wrong, self)
        wrong.revoke(fund)

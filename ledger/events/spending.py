"""What a province spent of a plan's budget outside any club: the facts of a plan's own log, chained like a fund's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ledger.events.base import Event

if TYPE_CHECKING:
    from ledger.aggregates.spending import Spending

SPENDING: Final = "spending"
"""The kind of log; each plan has one."""


def log_of(plan: str) -> str:
    """The id of a plan's log of spending."""
    return f"{SPENDING}:{plan}"


class SpendingRecorded(Event, frozen=True, kw_only=True, gc=False):
    """So much was spent of a line of the budget, in đồng, by a document."""

    line: str
    amount: int
    document: str

    def evolve(self, fund: Spending) -> None:
        fund.recorded[self.version] = self


class SpendingReversed(Event, frozen=True, kw_only=True, gc=False):
    """Spending was noted wrongly; why lies in the register."""

    reverses: int

    def evolve(self, fund: Spending) -> None:
        fund.reversed_by[self.reverses] = self.version


SpendingEvent = SpendingRecorded | SpendingReversed

decode: Final = msgspec.json.Decoder(SpendingEvent).decode
"""The event that a line of such a log holds. Raises `MsgspecError` for bytes that are none."""

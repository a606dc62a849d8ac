"""What was spent of a plan's budget, as its log has it, and the decisions that a line can be added by."""

from __future__ import annotations

from ledger.aggregates.log import EntryMetadata, Log
from ledger.events.spending import SpendingRecorded, SpendingReversed
from ledger.refusals import AlreadyReversed, EntryNotFound, OutOfOrder


class Spending(Log):
    """The spending of one plan."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.recorded: dict[int, SpendingRecorded] = {}
        self.reversed_by: dict[int, int] = {}

    def spend(self, metadata: EntryMetadata, *, line: str, amount: int, document: str) -> SpendingRecorded:
        """Note what was spent. That the plan has such a line was seen before."""
        return self._record(SpendingRecorded, metadata, line=line, amount=amount, document=document)

    def reverse(self, metadata: EntryMetadata, version: int) -> SpendingReversed:
        """Undo a note, once. Raises `EntryNotFound`, `AlreadyReversed`, `OutOfOrder`."""
        if version not in self.recorded:
            raise EntryNotFound(version=version)
        if version in self.reversed_by:
            raise AlreadyReversed(version=version, reversed_by=self.reversed_by[version])
        if metadata.on < self.recorded[version].on:
            raise OutOfOrder(on=metadata.on, earliest=self.recorded[version].on)
        return self._record(SpendingReversed, metadata, reverses=version)

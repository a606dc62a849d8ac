"""What was spent of a plan's budget, as its log has it, and the decisions that a line can be added by."""

from __future__ import annotations

from ledger.aggregates.log import EntryMetadata, Log
from ledger.events.spending import SpendingRecorded, SpendingReversed
from ledger.refusals import AlreadyReversed, EntryNotFound, NotReversible, OutOfOrder


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
        """Undo a note, once. Raises `EntryNotFound`, `AlreadyReversed`, `NotReversible`, `OutOfOrder`."""
        if not 1 <= version <= self.version:
            raise EntryNotFound(version=version)
        if version in self.reversed_by:
            raise AlreadyReversed(version=version, reversed_by=self.reversed_by[version])
        if version not in self.recorded:
            raise NotReversible(version=version, entry=self.entries[version - 1].name)
        if metadata.on < self.recorded[version].on:
            raise OutOfOrder(on=metadata.on, earliest=self.recorded[version].on)
        return self._record(SpendingReversed, metadata, reverses=version)

"""A whole meeting as one act: attendance, and the lines of the paper sheet, all or nothing unless asked otherwise.

Each line has a key of its own that counts in the whole fund: a sheet sent twice records nothing twice, and a corrected
resend adds only what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Event
from ledger.refusals import IdempotencyKeyReused, LinesRefused, Refusal

Turn = Literal["receipt", "move", "payment"]
"""What a line does to the boxes: money comes in (or none moves), goes from one box to another, or goes out."""

TURNS: tuple[Turn, ...] = get_args(Turn)


class SheetLine(msgspec.Struct, frozen=True):
    """A line of the sheet: its metadata bear its own key; `decide` is the decision it asks for."""

    metadata: EntryMetadata
    decide: Callable[[Fund, EntryMetadata], object]
    turn: Turn = "receipt"

    @property
    def key(self) -> str:
        """The line's idempotency key."""
        assert self.metadata.request
        return self.metadata.request.key


class LineOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line: the events it recorded, now or earlier, or why it was refused. Of a sheet recorded
    before, only the refusal's `code` is known."""

    key: str
    status: Literal["recorded", "replayed", "refused"]
    events: tuple[Event, ...] = ()
    refusal: Refusal | None = None
    code: str | None = None


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting's paper sheet as it was sent."""

    name: str
    metadata: EntryMetadata
    lines: tuple[SheetLine, ...]
    present: tuple[int, ...]
    by_proxy: tuple[int, ...] = ()
    opening_cash: int | None = None
    closing_cash: int | None = None
    partial: bool = False

    def hold(self, fund: Fund) -> tuple[LineOutcome, ...]:
        """Record the lines and the attendance. To be decided on a copy: it may refuse after some lines.

        A sheet is one act: accounts are judged at the day's end with all its lines in, whatever their order. `partial`
        takes receipts first, moves between boxes next, payments last, as many as fit. Raises `LinesRefused` with every
        line's outcome, unless `partial`; and what `Fund.hold_meeting` raises.
        """
        book_opening = fund.cash_at(self.metadata.on)
        outcomes = self._entered(fund)
        refused = {outcome.key: outcome.refusal.code for outcome in outcomes if outcome.refusal}
        if refused and not self.partial:
            raise LinesRefused(outcomes, count=len(refused))
        fund.hold_meeting(
            self.metadata,
            sheet=self.name,
            present=self.present,
            by_proxy=self.by_proxy,
            opening_cash=self.opening_cash,
            closing_cash=self.closing_cash,
            book_opening=book_opening,
            refused=refused or None,
        )
        return outcomes

    def _entered(self, fund: Fund) -> tuple[LineOutcome, ...]:
        """What became of each line. After each one taken, those refused before it are tried again: a repayment may
        stand above its own disbursement, an expense above the dues that pay for it."""
        waiting = list(range(len(self.lines)))
        if self.partial:
            waiting.sort(key=lambda index: TURNS.index(self.lines[index].turn))
        outcomes: dict[int, LineOutcome] = {}
        place = 0
        while place < len(waiting):
            index = waiting[place]
            outcomes[index] = _entered(fund, self.lines[index])
            if outcomes[index].refusal:
                place += 1
            else:
                waiting.pop(place)
                place = 0
        if waiting and not self.partial:
            outcomes |= self._entered_together(fund, {index: outcomes[index] for index in waiting})
        return tuple(outcomes[index] for index in range(len(self.lines)))

    def _entered_together(self, fund: Fund, refused: dict[int, LineOutcome]) -> dict[int, LineOutcome]:
        """Lines that do not fit one by one, such as a deposit and a withdrawal of the same money, may do so together;
        if not, each stays refused as it was alone."""
        try:
            with fund.one_act():
                return {index: _entered(fund, self.lines[index]) for index in refused}
        except Refusal:
            return refused

    def found(self, fund: Fund) -> tuple[LineOutcome, ...]:
        """What became of the lines when this sheet was recorded before."""
        return tuple(self._found(fund, line) for line in self.lines)

    def _found(self, fund: Fund, line: SheetLine) -> LineOutcome:
        if earlier := fund.recorded_request(line.key):
            events = tuple(fund.entries[earlier.first - 1 : earlier.last])
            return LineOutcome(key=line.key, status="recorded", events=events)
        held = fund.meeting_of(self.name)
        refused = (held and held.refused) or {}
        return LineOutcome(key=line.key, status="refused", code=refused.get(line.key, LinesRefused.code))


def _entered(fund: Fund, line: SheetLine) -> LineOutcome:
    request = line.metadata.request
    assert request
    if earlier := fund.recorded_request(request.key):
        events = tuple(fund.entries[earlier.first - 1 : earlier.last])
        # A line's day is part of what its key stands for, also where the sheet gave it and not the line.
        if earlier.digest != request.digest or events[0].on != line.metadata.on:
            reused = IdempotencyKeyReused(key=request.key, version=earlier.last)
            return LineOutcome(key=request.key, status="refused", refusal=reused)
        return LineOutcome(key=request.key, status="replayed", events=events)
    before = fund.version
    try:
        line.decide(fund, line.metadata)
    except Refusal as refusal:
        assert fund.version == before, "a line records one fact, or none"
        return LineOutcome(key=request.key, status="refused", refusal=refusal)
    return LineOutcome(key=request.key, status="recorded", events=tuple(fund.entries.between(before + 1, fund.version)))

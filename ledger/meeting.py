"""A whole meeting as one act: attendance, and the lines of the paper sheet, all or nothing unless asked otherwise.

Each line has a key of its own that counts in the whole fund: a sheet sent twice records nothing twice, and a corrected
resend adds only what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from ledger.aggregates.fund import Fund, Stamp
from ledger.events import Event
from ledger.refusals import IdempotencyKeyReused, LinesRefused, Refusal


class Line(msgspec.Struct, frozen=True):
    """A line of the sheet: its stamp bears its own key; `decide` is the decision it asks for."""

    stamp: Stamp
    decide: Callable[[Fund, Stamp], object]

    @property
    def key(self) -> str:
        """The line's idempotency key."""
        assert self.stamp.request
        return self.stamp.request.key


class LineAnswer(msgspec.Struct, frozen=True, kw_only=True):
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
    stamp: Stamp
    lines: tuple[Line, ...]
    present: tuple[int, ...]
    by_proxy: tuple[int, ...] = ()
    opening_cash: int | None = None
    closing_cash: int | None = None
    partial: bool = False

    def hold(self, fund: Fund) -> tuple[LineAnswer, ...]:
        """Record the lines and the attendance. To be decided on a copy: it may refuse after some lines.

        Raises `LinesRefused` with every line's answer, unless `partial`; and what `Fund.hold_meeting` raises.
        """
        book_opening = fund.cash_at(self.stamp.on)
        answers = tuple(_entered(fund, line) for line in self.lines)
        refused = {answer.key: answer.refusal.code for answer in answers if answer.refusal}
        if refused and not self.partial:
            raise LinesRefused(answers, count=len(refused))
        fund.hold_meeting(
            self.stamp,
            sheet=self.name,
            present=self.present,
            by_proxy=self.by_proxy,
            opening_cash=self.opening_cash,
            closing_cash=self.closing_cash,
            book_opening=book_opening,
            refused=refused or None,
        )
        return answers

    def found(self, fund: Fund) -> tuple[LineAnswer, ...]:
        """What became of the lines when this sheet was recorded before."""
        return tuple(self._found(fund, line) for line in self.lines)

    def _found(self, fund: Fund, line: Line) -> LineAnswer:
        if answered := fund.answered(line.key):
            events = tuple(fund.entries[answered.first - 1 : answered.last])
            return LineAnswer(key=line.key, status="recorded", events=events)
        refused = fund.meetings[self.name].refused or {}
        return LineAnswer(key=line.key, status="refused", code=refused.get(line.key, LinesRefused.code))


def _entered(fund: Fund, line: Line) -> LineAnswer:
    request = line.stamp.request
    assert request
    if answered := fund.answered(request.key):
        if answered.digest != request.digest:
            reused = IdempotencyKeyReused(key=request.key, version=answered.last)
            return LineAnswer(key=request.key, status="refused", refusal=reused)
        events = tuple(fund.entries[answered.first - 1 : answered.last])
        return LineAnswer(key=request.key, status="replayed", events=events)
    before = fund.version
    try:
        line.decide(fund, line.stamp)
    except Refusal as refusal:
        assert fund.version == before, "a line records one fact, or none"
        return LineAnswer(key=request.key, status="refused", refusal=refusal)
    return LineAnswer(key=request.key, status="recorded", events=tuple(fund.entries[before:]))

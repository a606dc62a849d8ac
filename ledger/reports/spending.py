"""What a plan's own log says was spent, up to a position."""

from __future__ import annotations

from collections import Counter
from datetime import date

from ledger.database import EVENTS_TABLE, Transaction
from ledger.events import Event
from ledger.events.spending import SpendingRecorded, SpendingReversed, decode, log_of


def spending_told(tables: Transaction, plan: str, position: int) -> list[Event]:
    """The lines of a plan's log, in order. It is short: what a province spends is told in a few dozens of lines."""
    rows = tables.values(
        f"SELECT state FROM {EVENTS_TABLE} WHERE originator_id = :log AND {tables.position_column} <= :position "
        "ORDER BY originator_version",
        log=log_of(plan),
        position=position,
    )
    return [decode(line) for (line,) in rows]


def spent(tables: Transaction, plan: str, position: int, until: date) -> Counter[str]:
    """By line of the budget, what was spent by the end of a day, in đồng; what was undone by then does not count."""
    told = [event for event in spending_told(tables, plan, position) if event.on <= until]
    undone = {event.reverses for event in told if isinstance(event, SpendingReversed)}
    sums: Counter[str] = Counter()
    for event in told:
        if isinstance(event, SpendingRecorded) and event.version not in undone:
            sums[event.line] += event.amount
    return sums

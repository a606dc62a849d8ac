"""What every account moved on each day, and how many entries were told of it: sums, for questions about a period.

A sum holds all that is known; what was known at an earlier version is that, less what was told since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from ledger.chart import ASSETS, Legs
from ledger.days import civil_day_text
from ledger.events import EntryReversed, Event, OpeningBooks
from ledger.projections.tables import LoggedEvent, SumKey, Sums, Table

ACCOUNT_DAYS = Table(
    "account_days",
    columns="fund TEXT NOT NULL, on_day TEXT NOT NULL, pot TEXT NOT NULL, account TEXT NOT NULL, part TEXT NOT NULL, "
    "side TEXT NOT NULL, amount BIGINT NOT NULL",
    key="fund, on_day, pot, account, part, side",
)
"""`side` is `held` for assets: by how much they grew. Of all other accounts it is `received` or `paid`: what came in or
went out under that account; a reversal lessens the side of what it reverses, and old books only come in. `part` is the
activity of an expense, or empty."""

ENTRY_DAYS = Table(
    "entry_days",
    columns="fund TEXT NOT NULL, on_day TEXT NOT NULL, recorded_day TEXT NOT NULL, entries BIGINT NOT NULL",
    key="fund, on_day, recorded_day",
)
"""How many entries of a day were recorded on which day in the village."""


def sides(kind: type[Event], legs: Legs) -> Iterable[tuple[str, str, str, str, int]]:
    """What an entry of this type moved: pot, account, part, side and amount."""
    if len(legs) > 2:
        nets: dict[tuple[str, str, str], int] = defaultdict(int)
        for leg in legs:
            nets[leg.pot, leg.account, _part(leg.account, leg.of)] += leg.amount
        moved = [(*key, amount) for key, amount in nets.items()]
    else:
        moved = [(leg.pot, leg.account, _part(leg.account, leg.of), leg.amount) for leg in legs]
    is_reversal, is_opening = issubclass(kind, EntryReversed), issubclass(kind, OpeningBooks)
    for pot, account, part, amount in moved:
        if account in ASSETS:
            yield pot, account, part, "held", amount
        elif is_opening or (amount < 0) is not is_reversal:
            yield pot, account, part, "received", -amount
        else:
            yield pot, account, part, "paid", amount


def _part(account: str, of: int | str | None) -> str:
    return str(of or "") if account == "expenses" else ""


def _moved(events: Iterable[LoggedEvent]) -> dict[SumKey, int]:
    sums: dict[SumKey, int] = defaultdict(int)
    for event, on, legs, _ in events:
        if legs:
            for *key, amount in sides(type(event), legs):
                sums[(on, *key)] += amount
    return sums


def _counted(events: Iterable[LoggedEvent]) -> dict[SumKey, int]:
    sums: dict[SumKey, int] = defaultdict(int)
    for event, on, *_ in events:
        sums[on, civil_day_text(event.recorded_at)] += 1
    return sums


SUMS: Final = (Sums(ACCOUNT_DAYS, _moved), Sums(ENTRY_DAYS, _counted))

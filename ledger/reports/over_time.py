"""What clubs' pots held over time, from the same sums by day that a report rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ledger.chart import POTS
from ledger.database import Transaction
from ledger.days import add_months


class HeldAt(NamedTuple):
    """What all clubs together held at the end of a day, in đồng, by pot: all assets, as `closing` has them."""

    on: date
    held: dict[str, int]


def held_over_time(tables: Transaction, funds: Sequence[str], until: date, quarters: int) -> list[HeldAt]:
    """What these funds held at the end of each of the last quarters before a day, and at the end of that day, as it is
    known now."""
    moved = _moved(tables, funds, until)
    found, held = [], Counter[str]()
    for end in (*_ends(until, quarters), until):
        while moved and moved[-1][0] <= end.isoformat():
            _, pot, amount = moved.pop()
            held[pot] += amount
        found.append(HeldAt(end, {pot: held[pot] for pot in POTS}))
    return found


def _moved(tables: Transaction, funds: Sequence[str], until: date) -> list[tuple[str, str, int]]:
    """How much each pot grew on which day, the first day last."""
    named = {f"f{number}": fund for number, fund in enumerate(funds)}
    if not named:
        return []
    return tables.values(
        "SELECT on_day, pot, CAST(SUM(amount) AS BIGINT) FROM account_days "
        f"WHERE fund IN ({', '.join(f':{name}' for name in named)}) AND side = 'held' AND on_day <= :until "
        "GROUP BY on_day, pot ORDER BY on_day DESC",
        until=until.isoformat(),
        **named,
    )


def _ends(until: date, quarters: int) -> Iterator[date]:
    """The last days of the quarters before a day, the earliest first."""
    this = until.replace(month=(until.month - 1) // 3 * 3 + 1, day=1)
    for back in range(quarters, 0, -1):
        yield add_months(this, 3 - 3 * back) - timedelta(days=1)

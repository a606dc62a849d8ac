"""Cash counts and what came after them: a count certifies the chain up to itself (`domain.md` §3).

An entry recorded later for a day the count had covered changes what was expected then. It is not refused, for late
entries are everyday; it is in view from then on, for money can be taken first and "found" on paper afterwards.
"""

from __future__ import annotations

from collections import defaultdict

from ledger.events import CashCounted
from ledger.projections.tables import Reader

LATER = (
    "SELECT c.version AS count_version, e.version, l.pot, CAST(SUM(l.amount) AS BIGINT) AS moved FROM entries c "
    "JOIN entries e ON e.fund = c.fund AND e.version > c.version AND e.on_day <= c.on_day "
    "JOIN legs l ON l.fund = e.fund AND l.version = e.version AND l.account = 'cash' "
    "WHERE c.fund = :fund AND c.type = :type GROUP BY c.version, e.version, l.pot ORDER BY c.version, e.version"
)
CASH_COUNTED = CashCounted.__name__


def counts(reader: Reader, fund: str) -> list[int]:
    """The versions of a fund's cash counts, oldest first."""
    rows = reader.query(
        "SELECT version FROM entries WHERE fund = :fund AND type = :type ORDER BY version", fund=fund, type=CASH_COUNTED
    )
    return [row["version"] for row in rows]


def reversed_counts(reader: Reader, fund: str) -> dict[int, int]:
    """The counts that were undone, with the versions of the entries that did it."""
    rows = reader.query(
        "SELECT c.version, e.version AS reversed_by FROM entries c JOIN entries e ON e.fund = c.fund "
        "AND e.reverses = c.version WHERE c.fund = :fund AND c.type = :type",
        fund=fund,
        type=CASH_COUNTED,
    )
    return {row["version"]: row["reversed_by"] for row in rows}


def recorded_after(reader: Reader, fund: str) -> dict[int, dict[int, dict[str, int]]]:
    """The entries recorded after a count for days it had covered: by the count's version and their own, what each
    moved in the cash box, in đồng by pot."""
    later: dict[int, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in reader.query(LATER, fund=fund, type=CASH_COUNTED):
        later[row["count_version"]][row["version"]][row["pot"]] = row["moved"]
    return later

"""Shares and sums: how figures are shown, and how those of clubs are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from ledger.projections.tables import percent

Share = dict[str, Any]


def share(numerator: int, denominator: int) -> Share:
    """`{numerator, denominator, percent}`; `percent` has one decimal ("33.3"), None of nothing."""
    return {"numerator": numerator, "denominator": denominator, "percent": percent(numerator, denominator)}


def share_of_all(shares: Iterable[Share]) -> Share:
    """Σ ÷ Σ."""
    shares = list(shares)
    numerator, denominator = (sum(map(itemgetter(part), shares)) for part in ("numerator", "denominator"))
    return share(numerator, denominator)


def share_of_clubs(truths: Iterable[bool | None]) -> Share:
    """How many of the clubs of which something can be said it is true of."""
    said = [truth for truth in truths if truth is not None]
    return share(sum(said), len(said))


def summed(values: Sequence[Any]) -> Any:
    """Figures of clubs added up, part by part: numbers are added, shares are Σ ÷ Σ, tables have the parts of all."""
    first = next((value for value in values if value is not None), None)
    if not isinstance(first, dict):
        return sum(filter(None, values))
    if first.keys() == {"numerator", "denominator", "percent"}:
        return share_of_all(values)
    return {key: summed(_column(values, key)) for key in dict.fromkeys(chain.from_iterable(values))}


def _column(tables: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """What stands under a key in every table that has it; mostly all have."""
    try:
        return list(map(itemgetter(key), tables))
    except KeyError:
        return [table[key] for table in tables if key in table]

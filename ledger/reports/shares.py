"""Shares and sums: how figures are shown, and how those of clubs are put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.projections.tables import percent

Share = dict[str, Any]


def share(numerator: int, denominator: int) -> Share:
    """`{numerator, denominator, percent}`; `percent` has one decimal ("33.3"), None of nothing."""
    return {"numerator": numerator, "denominator": denominator, "percent": percent(numerator, denominator)}


def share_of_all(shares: Iterable[Share]) -> Share:
    """Σ ÷ Σ."""
    shares = list(shares)
    return share(sum(each["numerator"] for each in shares), sum(each["denominator"] for each in shares))


def share_of_clubs(truths: Iterable[bool | None]) -> Share:
    """How many of the clubs of which something can be said it is true of."""
    said = [truth for truth in truths if truth is not None]
    return share(sum(said), len(said))


def summed(values: Sequence[Any]) -> Any:
    """Figures of clubs added up, part by part: numbers are added, shares are Σ ÷ Σ, tables have the parts of all."""
    first = next((value for value in values if value is not None), None)
    if not isinstance(first, dict):
        return sum(value for value in values if value is not None)
    if first.keys() == {"numerator", "denominator", "percent"}:
        return share_of_all(values)
    keys = dict.fromkeys(key for value in values for key in value)
    return {key: summed([value[key] for value in values if key in value]) for key in keys}

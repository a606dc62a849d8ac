"""A report as one tidy table: a row for each figure, with the path that leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ledger.reports.indicators import INDICATORS

ALL: Final = ""
"""In the place of a fund, for all together."""


class Figure(NamedTuple):
    """One figure. A share has its fraction, anything else its value; `path` leads to it within the indicator."""

    fund: str
    indicator: str
    path: str
    numerator: int | None
    denominator: int | None
    value: int | str | bool | None


def rows(report: Mapping[str, Any]) -> Iterator[Figure]:
    """Every figure: of all together first, then of each club."""
    for name in ("clubs", *INDICATORS, "budget"):
        if name in report["total"]:
            yield from figures_of(ALL, name, report["total"][name])
    for row in report["by_club"]:
        for name in INDICATORS:
            yield from figures_of(row["fund"], name, row[name])


def figures_of(fund: str, indicator: str, figure: Any) -> Iterator[Figure]:
    """The figures within one indicator's."""
    for path, found in _leaves(figure):
        if isinstance(found, dict):
            yield Figure(fund, indicator, path, found["numerator"], found["denominator"], found["percent"])
        else:
            yield Figure(fund, indicator, path, None, None, found)


def _leaves(figure: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(figure, dict) and figure.keys() != {"numerator", "denominator", "percent"}:
        for name, part in figure.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(figure, list):
        for name, part in _named_parts(figure):
            yield from _leaves(part, f"{path}.{name}" if path else name)
    else:
        yield path, figure


def _named_parts(parts: list[Any]) -> Iterator[tuple[str, Any]]:
    """The parts of a list, each under a name that stays its own when others come before it."""
    seen: dict[str, int] = {}
    for part in parts:
        if not isinstance(part, dict):
            yield str(part), True
            continue
        key = "/".join(str(part[name]) for name in _KEYS if part.get(name) not in (None, False))
        if part.get("foreign"):
            key += "/foreign"
        seen[key] = seen.get(key, 0) + 1
        own = key if seen[key] == 1 else f"{key}/{seen[key]}"
        yield own, {name: value for name, value in part.items() if name not in (*_KEYS, "foreign")}


_KEYS: Final = ("line", "fund", "on", "source", "document")
"""What tells one part of a list from another."""

"""The tables of a report: what each column holds of a row.

Every file shows these same tables, or some of their columns; so no two of them can tell different figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from service.reports.files.figures import Cell, Count, ReportWords, plus
from service.words import wording

Kind = Literal["text", "number", "share", "figure", "check", "day"]
"""What stands in a column. A `figure` is a number or a share, as the row has it; a `check` is nought where the row adds
up."""


class Column(NamedTuple):
    """A column: its name in the catalogue, what it holds, its width in letters, and its cell of a row."""

    key: str
    kind: Kind
    width: int
    of: Callable[[Any], Cell]

    @property
    def width_on_paper(self) -> int:
        """Its width where a share is one cell."""
        return {"share": 2 * self.width + 2, "figure": self.width + 6}.get(self.kind, self.width)


class Table(NamedTuple):
    """A table of the report; `sums` are rows of all together, after those of each. `adds` names what a check adds up:
    the first and the second, less the third and the fourth."""

    key: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    sums: Sequence[Any] = ()
    adds: Sequence[str] = ()

    def only(self, *keys: str) -> Table:
        """The same with some of its columns, in this order."""
        by_key = {column.key: column for column in self.columns}
        return self._replace(columns=[by_key[key] for key in keys])

    def without(self, *keys: str) -> Table:
        """The same without some of its columns."""
        return self._replace(columns=[column for column in self.columns if column.key not in keys])


def text(key: str, width: int, of: Callable[[Any], Cell]) -> Column:
    """A column of words, each cell beginning with a capital."""

    def capitalised(row: Any) -> Cell:
        cell = of(row)
        return wording.capitalised(cell) if isinstance(cell, str) else cell

    return Column(key, "text", width, capitalised)


def code(key: str, width: int, of: Callable[[Any], Cell]) -> Column:
    """A column of codes and numbers that are names, as they are."""
    return Column(key, "text", width, of)


def number(key: str, of: Callable[[Any], Cell], width: int = 16) -> Column:
    """A column of numbers, as wide as sums of money unless it is said."""
    return Column(key, "number", width, of)


def share(key: str, of: Callable[[Any], Cell], width: int = 8) -> Column:
    """A column of shares; a spreadsheet has three for it, each of this width."""
    return Column(key, "share", width, of)


def club(words: ReportWords) -> Column:
    """Whose row it is; without a club it is that of all together."""
    return text("club", 24, lambda row: words.said("total") if row.get("fund") is None else words.club(row["fund"]))


def at(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    """What stands in a row under these names."""

    def of(row: Mapping[str, Any]) -> Any:
        found: Any = row
        for name in path:
            found = found[name]
        return found

    return of


def checked(first: Count, second: Count, third: Count, fourth: Count) -> Count:
    """Nought where the first and the second are as much as the third and the fourth."""
    there, here = plus(first, second), plus(third, fourth)
    return there - here if isinstance(there, int) and isinstance(here, int) else None

"""A difference as a table for the command line: each figure with what makes it differ, then what the entries say."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ledger.aggregates.fund import Fund
from ledger.days import VILLAGE_TIME
from ledger.differences import Figure
from service.inspection import arguments
from service.inspection.entry_details import difference_answer, nobody, points
from service.words import catalogue, wording

Answer = Mapping[str, Any]

FILE_WIDTH: Final = 110
"""Of a table that goes into a file or another program, in characters."""


def print_difference(fund: Fund, start: str, end: str, language: str, most: int) -> None:
    """Print the difference between two points, members by number only; at most `most` entries of each figure, and in
    all. What is left out is counted, and every sum holds all the same. Raises `Mistake`."""
    first, last = points(fund, arguments.point(start), arguments.point(end) if end else None)
    found = difference_answer(fund, first, last, language, nobody, limit=len(fund.entries))
    width = None if sys.stdout.isatty() else FILE_WIDTH
    Console(width=width, highlight=False).print(*_told(found, _Words(language), most), sep="\n")


def _told(found: Answer, words: "_Words", most: int) -> Iterator[RenderableType]:
    for side in ("from", "to"):
        yield Text(words(f"{side}_end", what=words.point(found[side])))
    if not found["entries"]:
        yield Text(words("same"))
        return
    yield Text(words("count", count=found["count"], figures=len(found["figures"])))
    if found["figures"]:
        yield _figures(found["figures"], {entry["version"]: entry for entry in found["entries"]}, words, most)
    yield _entries(found["entries"], words, most)


class _Words:
    """What the table says, in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **facts: object) -> str:
        return catalogue.render(f"difference.{key}", self.language, **facts)

    def point(self, point: Answer) -> str:
        """A point in both times, amid a sentence."""
        key = "point" if point["as_of"] else "point_of_all_days"
        facts = {"on": point["as_of"], "version": point["known_version"]}
        return catalogue.phrase(f"difference.{key}", self.language, **facts)

    def amount(self, figure: Answer, amount: int) -> str:
        """An amount of a figure, in đồng but for members."""
        return str(amount) if Figure(**figure).name == "members" else wording.dong(amount, self.language)

    def change(self, figure: Answer, amount: int) -> str:
        """The same with its sign."""
        sign = "+" if amount > 0 else "-" if amount < 0 else ""
        return f"{sign}{self.amount(figure, abs(amount))}"

    def late(self, entry: Answer) -> str:
        """How late an entry came, amid a sentence."""
        key = "late" if entry["days_late"] else "same_day"
        return catalogue.phrase(f"difference.{key}", self.language, days=entry["days_late"])


def _figures(figures: list[Answer], entries: Mapping[int, Answer], words: _Words, most: int) -> Table:
    table = Table(words("figures"))
    for name in ("from", "to", "difference"):
        table.add_column(words(name), justify="right", no_wrap=True)
    for figure in figures:
        amounts = [words.amount(figure["figure"], figure[name]) for name in ("from", "to")]
        change = words.change(figure["figure"], figure["difference"])
        table.add_row(Text(figure["label"]), *amounts, change, style="bold")
        for label, amount in _causes(figure["entries"], entries, words, most):
            table.add_row(Text(f"  {label}"), "", "", words.change(figure["figure"], amount))
        table.add_section()
    return table


def _causes(causes: list[Answer], entries: Mapping[int, Answer], words: _Words, most: int) -> Iterator[tuple[str, int]]:
    """Each entry that makes a figure differ, with its amount; those beyond `most` in one sum."""
    for cause in causes[:most]:
        entry = entries[cause["version"]]
        yield words("entry_late", version=cause["version"], late=words.late(entry)), cause["amount"]
    if rest := causes[most:]:
        yield words("others", count=len(rest)), sum(cause["amount"] for cause in rest)


def _entries(entries: list[Answer], words: _Words, most: int) -> Table:
    table = Table(words("entry"), words("what"), show_lines=True)
    for entry in entries[:most]:
        heard: datetime = entry["recorded_at"].astimezone(VILLAGE_TIME)
        recorded = words(
            "recorded",
            time=f"{heard:%H:%M}",
            on=heard.date(),
            late=words.late(entry),
            recorded_by=entry["recorded_by"],
        )
        why = words(f"{entry['why']}_{entry['in']}")
        table.add_row(str(entry["version"]), Text(f"{entry['sentence']}\n{recorded} {why}"))
    if rest := entries[most:]:
        table.add_row("…", Text(words("others", count=len(rest))))
    return table

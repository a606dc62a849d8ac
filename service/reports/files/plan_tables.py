"""The tables of a report that are about the plan: targets, budget, what has changed, how figures are defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ledger.reports.indicators import INDICATORS, OF_ALL, READING_TARGETS
from service.reports.files.club_tables import GROUPINGS, PARTS
from service.reports.files.figures import NOTHING, Cell, Count, ReportWords, figure_of, plus, share_of
from service.reports.files.table import Column, Table, at, club, code, number, share, text
from service.words import wording


def targets(words: ReportWords) -> Table:
    """Each target: what is asked for, what was found, how many clubs reach it and which do not. `result` and
    `clubs_of` say on paper what `value`, `share` and the three numbers of clubs say to a spreadsheet."""
    return Table(
        "targets",
        (
            code("rank", 6, at("rank")),
            text("indicator", 40, lambda row: words.name(row["id"])),
            code("clause", 10, at("clause")),
            text("required", 22, lambda row: required(words, row)),
            Column("result", "figure", 20, found),
            number("value", at("value"), 12),
            share("share", lambda row: found(row) if is_share(row) else None),
            code("clubs_of", 9, lambda row: _clubs_of(words, row)),
            number("clubs_met", lambda row: _judged(row, "clubs_met"), 10),
            number("clubs_judged", lambda row: _judged(row, "clubs"), 10),
            number("clubs_required", lambda row: _judged(row, "clubs_required"), 10),
            text("met", 14, lambda row: words.met(row["met"])),
            text("failing", 50, lambda row: words.clubs(row["failing"])),
        ),
        [{"rank": str(rank), **row} for rank, row in enumerate(words.report["targets"], 1)],
    )


def is_share(row: Mapping[str, Any]) -> bool:
    """Whether a target is about a share of people or of clubs, and not about a number."""
    indicator = INDICATORS.get(row["id"])
    return row["id"] in READING_TARGETS or (indicator is not None and indicator.kind in ("share", "truth"))


def found(row: Mapping[str, Any]) -> Cell:
    """What was found about a target: a number, or a share."""
    return share_of(row) if is_share(row) else figure_of(row["value"])


def _judged(row: Mapping[str, Any], name: str) -> Count:
    value: Count = None if row["met"] is None else row[name]
    return value


def _clubs_of(words: ReportWords, row: Mapping[str, Any]) -> str:
    if row["met"] is None or row["clubs"] is None:
        return NOTHING
    return f"{words.number(row['clubs_met'])}/{words.number(row['clubs'])}"


def required(words: ReportWords, row: Mapping[str, Any]) -> str:
    """What a target asks for: bounds for each club or for all together, or how many clubs."""
    least, most = row["at_least"], row["at_most"]
    if least is None and most is None:
        return NOTHING if row["met"] is None else words.phrase("bound.clubs", clubs=words.number(row["clubs_required"]))
    unit = "%" if is_share(row) else ""
    bounds = {name: f"{words.number(bound)}{unit}" for name, bound in (("least", least), ("most", most))}
    which = "between" if None not in (least, most) else "least" if most is None else "most"
    bound = words.phrase(f"bound.{which}", **bounds)
    return words.phrase("bound.of_each", bound=bound) if row["per"] == "club" else bound


# --- this year and the one before ---------------------------------------------------------------------------------

_COMPARED: Final[dict[str, Callable[[Any], Any]]] = {
    "clubs": at("clubs", "counted"),
    "members": at("total", "members"),
    "women": at("total", "women"),
    "older": at("total", "older"),
    "hardship": at("total", "hardship"),
    "borrowing_current": at("total", "borrowing_current"),
    "borrowing_in_period": at("total", "borrowing_in_period"),
    "well_managed": at("total", "well_managed"),
    "loans": at("total", "lending", "loans"),
    "disbursed": at("total", "lending", "disbursed"),
    "interest": at("total", "lending", "interest"),
    "outstanding": at("total", "lending", "outstanding"),
    "overdue": at("total", "lending", "overdue"),
    "par30": at("total", "lending", "par30"),
    "revolving": at("total", "pots", "revolving", "closing", "total"),
    "activity": at("total", "pots", "activity", "closing", "total"),
    "cash": lambda report: plus(*(row["cash"] for row in report["total"]["sources"])),
    "in_kind": lambda report: plus(*(row["in_kind"] for row in report["total"]["sources"])),
    "meetings": at("total", "meetings", "held"),
    "attendance": at("total", "attendance"),
}
"""What is set beside the year before, in this order; each has its name in the catalogue."""


def compared(words: ReportWords) -> Table | None:
    """The figures of this year beside those of the year before; the targets are in `targets`."""
    before, now = words.beside.last_year, words.report
    if before is None:
        return None
    return Table(
        "compared",
        (
            text("figure", 40, lambda row: words.said(f"compared.{row[0]}")),
            Column("last_year", "figure", 16, lambda row: row[1]),
            Column("this_year", "figure", 16, lambda row: row[2]),
            number("change", lambda row: _change(row[1], row[2])),
        ),
        [(name, figure_of(of(before)), figure_of(of(now))) for name, of in _COMPARED.items()],
    )


def _change(before: Cell, after: Cell) -> Count:
    """By how much a number rose; shares of different wholes are only shown."""
    return after - before if isinstance(before, int) and isinstance(after, int) else None


# --- the budget ---------------------------------------------------------------------------------------------------


def budget(words: ReportWords) -> Table:
    """Each line of the plan's budget up to the end of the period: planned, evidenced, open."""
    return Table(
        "budget",
        (
            text("line", 46, lambda row: words.word("report_file.budget_line", row["line"])),
            number("planned", at("planned")),
            number("evidenced", at("evidenced")),
            number("open", at("open")),
        ),
        words.report["total"]["budget"],
    )


# --- what has changed since the last report -----------------------------------------------------------------------


def restated(words: ReportWords) -> Table | None:
    """Each figure of the last report that is another one today, and the entries that did it."""
    told = words.beside.restated
    if told is None:
        return None
    return Table(
        "restated",
        (
            text("club", 24, lambda row: words.club(row["club"]) if row["club"] else words.said("of_plan")),
            text("indicator", 30, lambda row: words.name(row["indicator"])),
            text("path", 34, lambda row: path_in_words(words, row["indicator"], row["path"])),
            Column("before", "figure", 18, partial(_restated, words, "before")),
            Column("after", "figure", 18, partial(_restated, words, "after")),
            code("entries", 24, lambda row: ", ".join(map(str, row["entries"]))),
        ),
        told["changes"],
    )


def restated_said(words: ReportWords) -> str:
    """What there is to say about the last report."""
    told = words.beside.restated
    if told is None:
        return words.said("about.restated_nothing")
    if not told["changes"]:
        return words.said("about.restated_none", number=told["report"])
    changes = words.number(len(told["changes"]))
    return words.said("text.restated", number=told["report"], position=str(told["position"]), changes=changes)


def _restated(words: ReportWords, side: str, row: Mapping[str, Any]) -> Cell:
    value = row[side]
    return wording.capitalised(words.truth(value)) if isinstance(value, bool) else figure_of(value)


_ENUMERATIONS: Final = PARTS | GROUPINGS | {"inspections": "word.inspection", "failed": "word.well_managed"}
"""Whose words the steps are that come after this one."""
_OF_INDICATORS: Final = {
    "pots": "word.pot",
    "sources": "word.source",
    "mutual_help": "word.help",
    "budget": "report_file.budget_line",
}
"""Whose words the first step is."""


def path_in_words(words: ReportWords, indicator: str, path: str) -> str:
    """What leads to a figure within its indicator, in words: `quỹ hoạt động, thu, ủng hộ, tài trợ, doanh nghiệp`."""
    said = list[str]()
    enumeration = _OF_INDICATORS.get(indicator, "")
    for step in filter(None, path.split(".")):
        said.append(_step(words, (enumeration, f"report_file.part.{indicator}"), step))
        enumeration = _ENUMERATIONS.get(step, "")
    return ", ".join(said)


def _step(words: ReportWords, enumerations: Sequence[str], step: str) -> str:
    """One step; of a source also whether it is from abroad. What nobody has a word for stands as it is."""
    name, _, foreign = step.partition("/")
    for enumeration in (*enumerations, "report_file.part.any", "word.account"):
        if (word := words.word(enumeration, name)) != name:
            return f"{word} ({words.phrase('origin.foreign')})" if foreign == "foreign" else word
    return step


# --- how figures are defined, and what they rest on ---------------------------------------------------------------


def definitions(words: ReportWords) -> Table:
    """Every indicator in one sentence, with what is counted of what."""

    def said(part: str) -> Callable[[str], Cell]:
        return lambda indicator: words.word("indicator", f"{indicator}.{part}")

    return Table(
        "definitions",
        (
            text("indicator", 30, words.name),
            text("definition", 80, said("definition")),
            text("numerator", 30, said("numerator")),
            text("denominator", 30, said("denominator")),
        ),
        [*OF_ALL, *INDICATORS],
    )


def heads(words: ReportWords) -> Table:
    """What the report rests on: each club's book up to an entry, and the hash that stands for all of it."""
    return Table(
        "heads",
        (
            club(words),
            code("fund", 16, at("fund")),
            code("version", 10, lambda row: str(row["version"])),
            code("head", 66, at("head")),
        ),
        words.report["heads"],
    )

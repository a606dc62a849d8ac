"""How a report's figures, clubs and days are written in its files, in the reader's language.

A figure that the public may not see stands in the report as text (`"<5"`) or as nothing: it is written as it stands,
and nothing is worked out from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from ledger.days import VILLAGE_TIME
from ledger.plans import Plan
from ledger.reports.report import Report
from service.words import catalogue, wording

Count = int | str | None
"""A number, or what stands in its place."""

NOTHING: Final = "–"
"""Where there is no figure."""


KINDS_OF_PLAN: Final = {"/KH-": "KH", "/QĐ-": "QD"}
"""What a document is, by its number (Decree 30/2020/NĐ-CP)."""


LONGEST_COUNT: Final = len("99.999.999")
"""Longer figures are sums of money."""


class Share(NamedTuple):
    """A part of a whole; `percent` has one decimal and a point."""

    numerator: Count
    denominator: Count
    percent: str | None


Cell = str | int | Share | date | None


class Beside(NamedTuple):
    """What a report's files say that the report itself does not: the plan it is about, the number it was frozen under,
    the report of a year before, and what has changed since the last one: `{report, position, changes}`."""

    plan: Plan | None = None
    number: str | None = None
    last_year: Report | None = None
    restated: Mapping[str, Any] | None = None


ALONE: Final = Beside()


@dataclass(frozen=True)
class ReportWords:
    """A report, and the words for what it holds."""

    report: Report
    language: str
    beside: Beside

    def said(self, key: str, **facts: str) -> str:
        """The catalogue's `report_file.<key>`, beginning with a capital."""
        return catalogue.render(f"report_file.{key}", self.language, **facts)

    def phrase(self, key: str, **facts: str) -> str:
        """The same amid a sentence."""
        return catalogue.phrase(f"report_file.{key}", self.language, **facts)

    def word(self, enumeration: str, value: str) -> str:
        """A word of the catalogue, or the value itself where a plan has one of its own."""
        key = f"{enumeration}.{value}"
        return catalogue.phrase(key, self.language) if key in catalogue.every_key() else value

    def number(self, value: Count) -> str:
        if isinstance(value, int):
            return wording.figures_on_paper(value, self.language)
        return NOTHING if value is None else value

    def dong(self, value: Count) -> str:
        return f"{self.number(value)}{wording.NO_BREAK}{wording.UNITS[self.language]}"

    def percent(self, share: Share) -> str:
        return NOTHING if share.percent is None else f"{share.percent.replace('.', self.decimal_sign)}%"

    @property
    def decimal_sign(self) -> str:
        return "," if self.language == "vi" else "."

    def share(self, share: Share) -> str:
        """A share beside its fraction: `893/1.387 (64,4%)`; sums of money leave room for a line to end."""
        above, below = self.number(share.numerator), self.number(share.denominator)
        fraction = f"{above}/{below}" if len(below) <= LONGEST_COUNT else f"{above} / {below}"
        return fraction if share.percent is None else f"{fraction} ({self.percent(share)})"

    def day(self, on: date | str) -> str:
        return wording.day(date.fromisoformat(on) if isinstance(on, str) else on, self.language)

    def instant(self, at: str) -> str:
        village = datetime.fromisoformat(at).astimezone(VILLAGE_TIME)
        return catalogue.phrase("paper.instant", self.language, time=f"{village:%H:%M}", on=village.date())

    def truth(self, value: bool | None) -> str:
        return NOTHING if value is None else self.phrase("yes" if value else "no")

    def met(self, value: bool | None) -> str:
        return self.phrase({True: "met", False: "not_met", None: "not_judged"}[value])

    def text(self, cell: Cell) -> str:
        """What a cell says on paper."""
        match cell:
            case Share():
                return self.share(cell)
            case date():
                return self.day(cell)
            case str():
                return cell
        return self.number(cell)

    def name(self, indicator: str) -> str:
        """What an indicator is called."""
        return catalogue.render(f"indicator.{indicator}.name", self.language)

    @cached_property
    def _clubs(self) -> dict[str, str]:
        return {row["fund"]: short_name(row["club"]) for row in self.report["by_club"]}

    def club(self, fund: str) -> str:
        """A club without what all clubs are called: `xã Vân Nham`; by its code where the report does not name it."""
        return self._clubs.get(fund, fund)

    def clubs(self, funds: Sequence[str]) -> str:
        return ", ".join(map(self.club, funds))

    def period(self) -> str:
        """`6 tháng đầu năm 2026`, or from one day to the other."""
        period = self.report["period"]
        preset, days = period["preset"], {"since": self.day(period["from"]), "until": self.day(period["to"])}
        return self.phrase(f"period.{preset or 'days'}", year=period["to"][:4], **days)

    @property
    def plan(self) -> str:
        """The plan as an office cites it: `Kế hoạch số 47/KH-SLĐTBXH ngày 30/03/2022`."""
        plan = self.beside.plan
        if plan is None:
            return self.phrase("plan.unknown", code=self.report["plan"])
        kind = next((kind for sign, kind in KINDS_OF_PLAN.items() if sign in plan.number), "other")
        return self.phrase(f"plan.{kind}", number=plan.number, on=self.day(plan.date))


def share_of(figure: Mapping[str, Any]) -> Share:
    """A share as the report holds it."""
    return Share(figure["numerator"], figure["denominator"], figure["percent"])


def figure_of(figure: Any) -> Cell:
    """A figure as the report holds it: a share or a number; nothing of a truth."""
    if isinstance(figure, Mapping):
        return share_of(figure)
    return None if isinstance(figure, bool) else figure


def made_at(report: Report) -> datetime:
    """When the file was made, as far as anybody can tell twice: when the books stood so."""
    known = datetime.fromisoformat(report["recorded_until"] or report["period"]["to"])
    return known.astimezone(UTC).replace(tzinfo=None, microsecond=0) if known.tzinfo else known


def plus(*values: Count) -> Count:
    """A sum; nothing where a part of it is hidden."""
    return sum(value for value in values if isinstance(value, int)) if all(map(is_number, values)) else None


def is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_KIND_OF_CLUB: Final = re.compile("câu lạc bộ liên thế hệ tự giúp nhau +", re.IGNORECASE)


def short_name(club: str) -> str:
    """A club's name without the words that all of them begin with."""
    return _KIND_OF_CLUB.sub("", club, count=1) or club

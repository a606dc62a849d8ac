"""Reports asked of a database in a test, and told beside what the lines themselves come to."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import msgspec

from ledger.application import Ledger
from ledger.events import Entry
from ledger.events.people import Scope
from ledger.plans import CountedPlace, Plan, load_plans
from ledger.projections.read_model import ReadModel
from ledger.reports.chains import Chains
from ledger.reports.indicators import TARGETS
from ledger.reports.periods import Period
from ledger.reports.report import Counted, ReportQuestion, answer, encode
from ledger.reports.restating import Between, changes
from ledger.reports.spending import spent
from tests.support.reported import Reported
from tests.support.reported_total import evidenced, is_maintained, is_silent

PLAN = load_plans(TARGETS)["VN-LS-47-2022"]
OF_THE_PROVINCE: Plan = msgspec.structs.replace(PLAN, counts=CountedPlace(province="Lạng Sơn"))
"""The plan, if it counted all clubs of the province."""
EVERYTHING = Scope(everything=True)


def question(since: date, until: date, plan: Plan = OF_THE_PROVINCE, **how: Any) -> ReportQuestion:
    return ReportQuestion(plan, Period(since, until), how.pop("scope", EVERYTHING), **how)


def counted(model: ReadModel, asked: ReportQuestion, position: int | None = None) -> Counted:
    """The report, every stored line read for it."""

    def ask(tables: Any, now: int) -> Counted:
        chains = Chains()
        chains.follow(tables, now)
        at = now if position is None else position
        told = spent(tables, asked.plan.code, at, asked.period.until)
        return answer(tables, asked, position=at, now=now, chains=chains, spent=told)

    return model.ask(ask)


def report_bytes(model: ReadModel, asked: ReportQuestion, position: int | None = None) -> bytes:
    return encode(counted(model, asked, position).report)


def restated(model: ReadModel, asked: ReportQuestion, frozen: bytes) -> list[dict[str, Any]]:
    """What changed since a report was frozen."""
    after = counted(model, asked)
    clubs = {club.fund: club for club in after.clubs}

    def ask(tables: Any, now: int) -> list[dict[str, Any]]:
        return changes(tables, Between(asked, json.loads(frozen), after.report, clubs, now))

    return model.ask(ask)


def lines_of(ledger: Ledger, fund: str) -> list[dict[str, Any]]:
    """A fund's stored lines, as JSON."""
    return [json.loads(entry.line) for entry in ledger.entries(fund)]


def told(entries: list[Entry]) -> list[dict[str, Any]]:
    return [json.loads(entry.line) for entry in entries]


def by_lines(lines: list[dict[str, Any]], asked: ReportQuestion) -> dict[str, Any]:
    """A club's row as its lines alone come to it."""
    return Reported(lines, *asked.period[:2], asked.threshold).row()


def as_lines_tell(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the report in the form of `by_lines`: sources by what they are, and nothing about which club it is."""
    about = ("fund", "club", "commune", "district")
    rows = {(r["source"], r["foreign"]): {"cash": r["cash"], "in_kind": r["in_kind"]} for r in row["sources"]}
    return {name: value for name, value in row.items() if name not in about} | {"sources": rows}


def leaves(figure: Any, path: str = "") -> dict[str, Any]:
    """Every figure of a row under the path that leads to it; a share is one figure."""
    if isinstance(figure, dict) and figure.keys() != {"numerator", "denominator", "percent"}:
        found: dict[str, Any] = {}
        for name, part in figure.items():
            found |= leaves(part, f"{path}.{name}" if path else str(name))
        return found
    return {path: figure}


def every_figure(lines: list[dict[str, Any]], asked: ReportQuestion) -> dict[str, Any]:
    """Every figure that a restatement may name, as a club's lines alone come to it, under the path it has there."""
    club = Reported(lines, *asked.period[:2], asked.threshold)
    row = club.row()
    sources = row.pop("sources")
    row["sources"] = {f"{source}/foreign" if foreign else source: sums for (source, foreign), sums in sources.items()}
    named = Counter[str]()
    gifts: dict[str, Any] = {}
    for gift in row["in_kind"].pop("gifts"):
        name = "/".join(filter(None, (gift["on"], gift["source"], gift["document"])))
        named[name] += 1
        gifts[name if named[name] == 1 else f"{name}/{named[name]}"] = {"value": gift["value"]}
    row["in_kind"]["gifts"] = gifts
    row["well_managed"]["failed"] = dict.fromkeys(row["well_managed"]["failed"], True)
    row["clubs"] = {"maintained": is_maintained(club), "silent": is_silent(club)}
    row["budget"] = {"equipment": {"evidenced": evidenced([club], [])["equipment"]}}
    return leaves(row)

"""What a report is about and rests on: its scope, which clubs are missing, how the books stood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.reports.files.figures import ReportWords, is_number
from service.reports.files.table import Table, text


def scope(words: ReportWords) -> str:
    """The clubs that were asked about: a place, some by name, or all of the plan."""
    asked = words.report["scope"]
    if asked["funds"]:
        return words.phrase("about.named", clubs=words.number(len(asked["funds"])))
    place = ", ".join(asked[name] for name in ("commune", "district", "province") if asked[name])
    return place or words.phrase("about.everything")


def missing(words: ReportWords) -> str:
    """Which clubs are not counted that were to be, by name where it is known; empty if none is."""
    clubs = words.report["clubs"]
    named = [words.club(fund) for fund in clubs["broken"]]
    if is_number(clubs["expected"]) and is_number(clubs["counted"]):
        without = clubs["expected"] - clubs["counted"] - len(named)
        if without > 0:
            named.append(words.phrase("about.unnamed", clubs=words.number(without)))
    return ", ".join(named)


def silent(words: ReportWords) -> str:
    """The clubs that have recorded nothing for long, with their last day."""
    return ", ".join(
        words.phrase("about.last_recorded", club=words.club(each["fund"]), on=words.day(each["last_recorded_on"]))
        for each in words.report["clubs"]["silent"]
    )


def known(words: ReportWords) -> str:
    """How the books stood: at which instant, at which position of the log."""
    report = words.report
    at, position = report["recorded_until"], str(report["position"])
    return words.phrase("about.known_as_of", instant=words.instant(at), position=position) if at else position


def last_line(words: ReportWords) -> str:
    """The last line of what the report's code is made of."""
    report = words.report
    return f"{report['plan']} {report['definitions']} {report['period']['from']} {report['period']['to']}"


def about(words: ReportWords) -> Table:
    """What the report is, as a table of questions and answers."""
    return Table(
        "about",
        (text("matter", 34, lambda row: words.said(f"about.{row[0]}")), text("answer", 100, lambda row: row[1])),
        [(name, answer) for name, answer in _answers(words) if answer],
    )


def _answers(words: ReportWords) -> Iterator[tuple[str, str]]:
    report, plan = words.report, words.beside.plan
    clubs: dict[str, Any] = report["clubs"]
    none = words.phrase("about.none_missing")
    yield "report", words.said("paper.subject", period=words.period(), plan=words.plan)
    yield "plan", f"{words.plan}: {plan.title}" if plan else words.plan
    yield "issuer", plan.issuer if plan else ""
    yield "period", f"{words.period()}: {words.day(report['period']['from'])} – {words.day(report['period']['to'])}"
    yield "until", words.day(report["period"]["to"])
    yield "known", known(words)
    yield "scope", scope(words)
    yield "clubs", f"{words.number(clubs['counted'])}/{words.number(clubs['expected'])}"
    yield "missing", missing(words) or none
    yield "broken", words.clubs(clubs["broken"])
    yield "silent", silent(words)
    yield "age", words.phrase("about.from_age", age=str(report["scope"]["threshold"]))
    yield "definitions", report["definitions"]
    yield "number", words.beside.number or words.phrase("about.not_frozen")
    yield "code", report["report_code"]

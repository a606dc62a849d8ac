"""What a province sees: the plan's targets, the three readings of who borrows, clubs × targets, and where money came
from and went. Each figure is the report's; the views are addresses of one page: all clubs, a target, a club, money.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from ledger.chart import POTS
from ledger.database import Transaction
from ledger.refusals import NotFound, Refusal
from ledger.reports.indicators import READING_TARGETS, READINGS
from ledger.reports.over_time import HeldAt, held_over_time
from ledger.reports.report import Report, ReportQuestion
from ledger.reports.targets import figure_of
from service.access.roles import FIGURE_READERS, READERS, admitted
from service.http.problems import problem_with_errors
from service.pages import pictures
from service.pages.layout import PageRoute, language_for, page
from service.pages.report_asked import address, asked_of, given_in, offered, question_of
from service.pages.typed import Typed, wrong_fields
from service.reads.dependencies import CaughtUp
from service.reports.asking import At, ToldOf, answered, ask_clubs
from service.reports.dependencies import AtReports
from service.reports.files import about
from service.reports.files.figures import Beside, ReportWords, share_of
from service.reports.files.figures import figure_of as cell_of
from service.reports.files.plan_tables import found, required
from service.reports.questions import FREEZERS
from service.words import catalogue
from service.words.wording import capitalised

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WORDED: Final = 3
"""Of so many clubs, the worst, the failures are told on the first page; of the others how many there are."""
QUARTERS: Final = 11
"""Ends of quarters that are drawn before the end of the period."""
Row = Mapping[str, Any]


class Shown(NamedTuple):
    """A report as a page shows it: what was asked, and the words for it."""

    asked: ReportQuestion
    report: Report
    words: ReportWords
    given: Typed
    held: Sequence[HeldAt] = ()


@router.get("/province", dependencies=[Depends(admitted(FIGURE_READERS))])
async def province(request: Request, at: AtReports, wanted: CaughtUp) -> Response:
    """How the clubs stand by the plan's targets."""
    given, principal = given_in(request.query_params), request.scope["principal"]
    if request.query_params.get("view") == "choose":
        return _page(request, at, given, view="province-choose", problem=None, wrong={})
    try:
        asked = question_of(asked_of(given), at, principal)
    except Refusal as refusal:
        told = problem_with_errors(refusal, language_for(request), dict(given))
        wrong = wrong_fields(told.get("errors", ()))
        wrong = {name.strip("?"): each for name, each in wrong.items()}
        return _page(request, at, given, 422, view="province-choose", problem=told, wrong=wrong)
    view = View(request.query_params)
    shown = await asyncio.to_thread(_looked_at, request, at, asked, given, wanted, with_money=view.view == "money")
    return _page(request, at, given, shown=shown, **view.facts(shown))


def _page(request: Request, at: At, given: Typed, status: int = 200, **facts: Any) -> Response:
    roles = request.scope["principal"].roles
    return page(
        request,
        facts.pop("view", "province"),
        status,
        given=given,
        offered=offered(at, request.scope["principal"]),
        at=lambda **more: address(given, **more),
        freezes=bool(roles & FREEZERS),
        sees_people=bool(roles & READERS),
        **facts,
    )


def _looked_at(
    request: Request, at: At, asked: ReportQuestion, given: Typed, wanted: int, *, with_money: bool
) -> Shown:
    def ask(tables: Transaction, now: int, told: ToldOf) -> Shown:
        report = answered(at.reports, tables, asked, now, told=told).report
        funds = [row["fund"] for row in report["by_club"]]
        held = held_over_time(tables, funds, asked.period.until, QUARTERS) if with_money else ()
        return shown_of(asked, report, language_for(request), given)._replace(held=held)

    return ask_clubs(at, wanted, ask)


def shown_of(asked: ReportQuestion, report: Report, language: str, given: Typed) -> Shown:
    """A report with its words in a language."""
    return Shown(asked, report, ReportWords(report, language, Beside(asked.plan)), given)


# --- which view ---------------------------------------------------------------------------------------------------


class View:
    """What of the report an address asks to see."""

    def __init__(self, asked: Mapping[str, str]) -> None:
        self.target, self.fund = asked.get("target"), asked.get("club")
        self.view = asked.get("view")

    def facts(self, shown: Shown) -> dict[str, Any]:
        """What its template is given. Raises `NotFound` for a target or club that the report does not have."""
        if self.target is not None:
            return {"view": "province-target", **_target_view(shown, self.target)}
        if self.fund is not None:
            return {"view": "province-club", **_club_view(shown, self.fund)}
        if self.view == "money":
            return {"view": "province-money", **_money_view(shown)}
        if self.view == "clubs":
            return {"view": "province-clubs", "about": about_report(shown), "clubs": scoreboard(shown)}
        return _all_clubs(shown)


def _all_clubs(shown: Shown) -> dict[str, Any]:
    return {
        "about": about_report(shown),
        "readings": readings(shown),
        "targets": target_rows(shown),
        "clubs": scoreboard(shown),
        "worded": WORDED,
    }


def _target_view(shown: Shown, target: str) -> dict[str, Any]:
    """One target, and the clubs by how they do: those that fail first."""
    row = next((row for row in target_rows(shown) if row["id"] == target), None)
    if row is None:
        raise NotFound
    clubs = [_club_figure(shown, club, row) for club in shown.report["by_club"] if row["per"] == "club"]
    return {
        "about": about_report(shown),
        "target": row,
        "clubs": sorted(clubs, key=lambda club: (club["met"] is not False, _size(club), club["fund"])),
    }


def _size(club: Row) -> float:
    share = club["share"]
    return share["numerator"] / (share["denominator"] or 1) if share else club["value"] or 0


def _club_view(shown: Shown, fund: str) -> dict[str, Any]:
    """One club by every target, and which tests of good management it fails."""
    club = next((row for row in shown.report["by_club"] if row["fund"] == fund), None)
    if club is None:
        raise NotFound
    targets = [row | {"here": _club_figure(shown, club, row)} for row in target_rows(shown) if row["per"] == "club"]
    return {
        "about": about_report(shown),
        "club": club,
        "targets": sorted(targets, key=lambda row: row["here"]["met"] is not False),
        "tests": club["well_managed"]["failed"],
        "head": next(head for head in shown.report["heads"] if head["fund"] == fund),
    }


def _money_view(shown: Shown) -> dict[str, Any]:
    words, total = shown.words, shown.report["total"]
    sums = [sum(each.held.values()) for each in shown.held]
    raised, lent = total["sources"], total["lending"]["by_purpose"]
    facts = {"since": shown.held[0].on, "until": shown.held[-1].on, "first": sums[0], "last": sums[-1]}
    sentence = catalogue.render("page.province.money.over-time", words.language, **facts)
    return {
        "about": about_report(shown),
        "held": shown.held,
        "line": pictures.line(sentence, sums),
        "sentence": sentence,
        "pots": POTS,
        "sources": _bars(words, "source", [(row["source"], row, row["cash"] + row["in_kind"]) for row in raised]),
        "purposes": _bars(words, "purpose", [(name, row, row["disbursed"]) for name, row in lent.items()]),
    }


def _bars(words: ReportWords, kind: str, amounts: Sequence[tuple[str, Row, int]]) -> dict[str, Any]:
    """Amounts by source or purpose, the largest first, each as a bar out of all; and a sentence on the largest."""
    rows = sorted((each for each in amounts if each[2]), key=lambda each: -each[2])
    whole = sum(amount for *_, amount in rows)
    named = [(of, capitalised(words.word(f"word.{kind}", of)), row, amount) for of, row, amount in rows]
    facts = {"whole": whole, "name": words.word(f"word.{kind}", named[0][0]), "most": named[0][3]} if named else {}
    key = f"page.province.money.{kind}s" if named else f"page.province.money.no-{kind}"
    return {
        "rows": [(of, name, row, pictures.bar(name, amount, whole)) for of, name, row, amount in named],
        "sentence": catalogue.render(key, words.language, **facts),
    }


# --- parts of them ------------------------------------------------------------------------------------------------


def about_report(shown: Shown) -> dict[str, Any]:
    """What the report is about and rests on, as its papers say it."""
    words = shown.words
    return {
        "plan": words.plan,
        "period": words.period(),
        "scope": about.scope(words),
        "known": about.known(words),
        "missing": about.missing(words),
        "broken": words.clubs(shown.report["clubs"]["broken"]),
        "short": {row["fund"]: capitalised(words.club(row["fund"])) for row in shown.report["by_club"]},
    }


def readings(shown: Shown) -> list[dict[str, Any]]:
    """The three readings of who borrows, side by side: the share of all members, with a mark where the plan asks for
    it, and how many clubs reach it."""
    words, told = shown.words, []
    targets = {row["id"]: row for row in shown.report["targets"]}
    for name in READINGS:
        indicator = f"borrowing_{name}"
        figure, target = shown.report["total"][indicator], targets.get(indicator, {})
        least = target.get("at_least") or shown.asked.plan.well_managed.good_borrowing_percent
        above, below = figure["numerator"], figure["denominator"]
        facts = {"above": above, "below": below, "who": words.word("page.province.readings", name)}
        sentence = catalogue.render("page.province.reading", words.language, **facts)
        bar = pictures.bar(words.word("page.province.readings", name), 100 * above, 100 * below, least * below)
        clubs = {name: target.get(name) for name in ("clubs_met", "clubs")}
        how = {
            "name": name,
            "least": least,
            "sentence": sentence,
            "bar": bar,
            "said_percent": percent_of(words, figure),
        }
        told.append(how | figure | clubs)
    return told


def target_rows(shown: Shown) -> list[dict[str, Any]]:
    """The plan's targets with what is asked for, what was found and the verdict, in words."""
    words = shown.words
    return [
        row
        | {
            "called": words.name(row["id"]),
            "required": required(words, row),
            "found": words.text(found(row)),
            "verdict": words.met(row["met"]),
            "figure": _figure(row if row["numerator"] is not None else row["value"]),
        }
        for row in shown.report["targets"]
    ]


def scoreboard(shown: Shown) -> list[dict[str, Any]]:
    """The clubs, those first that fail most, each with the targets and the tests of good management that it fails."""
    rows = target_rows(shown)
    clubs = []
    for club in shown.report["by_club"]:
        failed = [row for row in rows if club["fund"] in row["failing"]]
        figures = [_club_figure(shown, club, row) for row in failed]
        good = [figure for figure in figures if figure["id"] in READING_TARGETS]
        told = {"failed": figures, "good": good, "others": [figure for figure in figures if figure not in good]}
        clubs.append({"fund": club["fund"], "tests": club["well_managed"]["failed"], **told})
    return sorted(clubs, key=lambda club: (-len(club["failed"]), -len(club["tests"]), club["fund"]))


def _short(words: ReportWords, indicator: str) -> str:
    """What an indicator is called where there is little room."""
    short = words.word("page.province.short", indicator)
    return short if short != indicator else words.word("indicator", f"{indicator}.name")


def _club_figure(shown: Shown, club: Row, target: Row) -> dict[str, Any]:
    """A club's figure of a target, and whether it is within it."""
    of = figure_of(club, target["id"])
    share = of if isinstance(of, Mapping) else None
    is_count = isinstance(of, int) and not isinstance(of, bool)
    judged = target["at_least"] is not None or target["at_most"] is not None or isinstance(of, bool)
    name, value = _figure(of)
    text = words_of(shown.words, of)
    met = club["fund"] not in target["failing"] if judged and of is not None else None
    return {
        "fund": club["fund"],
        "id": target["id"],
        "short": _short(shown.words, target["id"]),
        "share": share,
        "value": of if is_count else None,
        "percent": percent_of(shown.words, share) if share else None,
        "name": name,
        "number": value,
        "text": text,
        "met": met,
        "bar": _bar(shown.words, share, target["at_least"]) if share else None,
    }


def _bar(words: ReportWords, share: Row, least: int | None) -> Markup:
    """A share as a bar, with a mark where the plan asks for it."""
    above, below = share["numerator"], share["denominator"]
    return pictures.bar(words.text(share_of(share)), 100 * above, 100 * below, None if least is None else least * below)


def percent_of(words: ReportWords, share: Row) -> str | None:
    """A share in per cent, in words; None of nothing."""
    return None if share["percent"] is None else words.percent(share_of(share))


def words_of(words: ReportWords, figure: Any) -> str:
    """A figure of a club in words: a share beside its fraction, a number, yes or no."""
    if isinstance(figure, bool):
        return words.truth(figure)
    return words.text(cell_of(figure))


def _figure(figure: Any) -> tuple[str, int | None]:
    """The hook of a figure: its name in the API and what it is, a percentage in tenths; None of a truth, or nothing."""
    if isinstance(figure, Mapping):
        percent = figure["percent"]
        return "percent", None if percent is None else int(percent.replace(".", ""))
    return "value", figure if isinstance(figure, int) and not isinstance(figure, bool) else None

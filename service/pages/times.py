"""Looking back: what the book said of a day, as it was known at a moment; and how it differs from today's book."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from ledger.days import add_months, civil_day
from ledger.projections import balances, funds, journal, times
from ledger.projections.tables import Reader
from ledger.projections.times import Heard
from service.access.roles import READERS, admitted
from service.bounds import VOUCHER
from service.http.fields import PathNumber
from service.inspection.check_codes import readings
from service.pages import pictures
from service.pages.club import CLUB
from service.pages.layout import PageRoute, language_for, page, see_other
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery
from service.words import catalogue, wording

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PEOPLE: Final = [Depends(admitted(READERS))]
FIGURES: Final = ("cash", "outstanding", "savings", "members", "loans")
"""What stays in view."""
LATE_DAYS: Final = 7
"""From when an entry stands out on the plane. A question to ask is another matter, with thresholds of its own."""
LINES_SHOWN: Final = 12
MONTHS_SHOWN: Final = 12
MONTHS_DRAWN: Final = 24
"""What the plane shows at least: over a whole life a month would be too small to be seen."""
END_OF_DAY: Final = "T23:59:59.999999+07:00"

T = TypeVar("T", date, int)


class Steps(NamedTuple):
    """Where one can step to from a moment, as addresses; None at an end."""

    earlier: str | None
    later: str | None


# --- the page -----------------------------------------------------------------------------------------------------


@router.get(CLUB + "/time", dependencies=PEOPLE, name="difference")
async def book_then(request: Request, query: AtPoint, after: PathNumber | None = None) -> Response:
    """The key figures at a point in both times, the steps from there, the lines that today's book has besides, and the
    plane of the two times."""
    return await _shown(request, query, after=after or 0)


@router.get(CLUB + "/time/at", dependencies=PEOPLE, name="difference")
async def turn_to(
    request: Request, query: AtPoint, day: str = "", known_on: str = "", paper: str | None = None
) -> Response:
    """Go to the days that a form asks for, or to the moment of a paper in the hand: a voucher's number, a check code,
    or all that a voucher's QR code holds."""
    if paper is None:
        asked = {"as_of": day} if day else {}
        if known_on and known_on < query.state.today().isoformat():
            asked["known_at"] = known_on + END_OF_DAY
        return see_other(_address(query.fund, asked))

    def ask(reader: Reader) -> Answer:
        return {"entry": _of_paper(reader, query.fund, paper)}

    found = (await asyncio.to_thread(query.ask, ask)).figures["entry"]
    if found is None:
        return await _shown(request, query, not_found=paper)
    return see_other(_address(query.fund, {"as_of": found["on"], "known_version": found["version"]}))


def _of_paper(reader: Reader, fund: str, paper: str) -> Answer | None:
    """The entry that something on paper belongs to."""
    written = paper.strip().upper()
    if number := re.search(VOUCHER, written):
        return times.entry_of_voucher(reader, fund, number[0])
    last = written.split()[-1] if written.startswith(f"{fund} ") else written
    return next((found for code in readings(last) if (found := journal.entry_of_code(reader, fund, code))), None)


def _address(fund: str, asked: Answer) -> str:
    return f"/clubs/{fund}/time{'?' if asked else ''}{urlencode(asked)}"


async def _shown(request: Request, query: FundQuery, *, after: int = 0, not_found: str | None = None) -> Response:
    found = await asyncio.to_thread(_looked_back, query, language_for(request), after)
    return page(request, "time", 404 if not_found else 200, fund=query.fund, not_found=not_found, **found)


def _looked_back(query: FundQuery, language: str, after: int) -> Answer:
    """All that the page shows; of the lines that differ, those after a version."""

    def figures(reader: Reader) -> Answer | None:
        club = funds.fund(reader, query.fund, query.as_of)
        held = balances.balances(reader, query.fund, query.as_of)
        return club and club | {
            "savings": sum(pot["savings"] for pot in held["pots"].values()),
            "pots": {name: pot["cash"] for name, pot in held["pots"].items()},
        }

    then = query.ask(figures)

    def besides(reader: Reader) -> Answer:
        differing = times.count_unknown(reader, query.fund, then.version, query.as_of)
        now = figures(reader) or {} if differing else then.figures
        shown = max(then.version, after)
        unknown = journal.entries(
            reader, query.fund, unknown_at=shown, until=query.as_of, ascending=True, limit=LINES_SHOWN
        )["items"]
        about: Answer = {
            "book": Book(query.state, reader, query.fund, query.as_of, language),
            "names": {},
            "unknown": unknown,
            "count_differing": differing,
            "more": times.count_unknown(reader, query.fund, shown, query.as_of) - len(unknown),
            "days_late": {item["version"]: _days_late(item) for item in unknown},
            "changed": {name: now[name] for name in FIGURES if now[name] != then.figures[name]},
        }
        standing = funds.standing(reader, query.fund)
        assert standing, "it was found before"
        about |= _timeline(reader, query, then.version, standing["version"], language)
        return with_names(query, reader, about, unknown)

    latest = query._replace(known_version=None, known_at=None).ask(besides)
    about = {"club": then.figures, "as_of": query.as_of, "version": then.version, "parked": then.parked}
    return about | {"latest": latest.version, "today": query.state.today(), "late_days": LATE_DAYS} | latest.figures


def _days_late(item: Answer) -> int:
    return (civil_day(datetime.fromisoformat(item["recorded_at"])) - date.fromisoformat(item["on"])).days


# --- steps --------------------------------------------------------------------------------------------------------


def _timeline(reader: Reader, query: FundQuery, version: int, latest: int, language: str) -> Answer:
    """The steps from here, and the plane."""
    heard, meetings = times.heard(reader, query.fund), times.meetings(reader, query.fund)
    days = {meeting.on for meeting in meetings} or {each.on for each in heard}
    moments = {meeting.last for meeting in meetings} or set(times.sittings(reader, query.fund))
    begun = times.last_of_first_day(reader, query.fund)
    ends = {heard[0].on, query.state.today()}, {begun, latest}
    known = {} if version == latest else {"known_version": version}
    as_of = {"as_of": query.as_of.isoformat()}

    def day(to: date) -> Answer:
        return {"as_of": to.isoformat()} | known

    def moment(to: int) -> Answer:
        return as_of | ({} if to == latest else {"known_version": to})

    heard_at = times.recorded_at(reader, query.fund, version)
    return {
        "heard_at": heard_at,
        "day_steps": _steps(query.fund, days | ends[0], query.as_of, day),
        "moment_steps": _steps(query.fund, moments | ends[1], version, moment),
        **_plane(heard, (query.as_of, civil_day(heard_at)), language),
    }


def _steps(fund: str, stops: Iterable[T], at: T, asked: Any) -> Steps:
    before, after = [stop for stop in stops if stop < at], [stop for stop in stops if stop > at]
    return Steps(
        _address(fund, asked(max(before))) if before else None,
        _address(fund, asked(min(after))) if after else None,
    )


# --- the plane ----------------------------------------------------------------------------------------------------


def _plane(heard: Sequence[Heard], moment: tuple[date, date], language: str) -> Answer:
    """The plane around a moment with its sentence; and the numbers of the whole book: each of the last twelve months by
    itself, and the years before."""
    since, until = add_months(min(moment), -12), max(moment)
    since = min(since, add_months(until, -MONTHS_DRAWN))
    drawn = [each for each in heard if since <= each.heard_on <= until]
    late = [each for each in drawn if each.days_late > LATE_DAYS]
    facts = {
        "since": since,
        "until": until,
        "entries": sum(each.entries for each in drawn),
        "late": sum(each.entries for each in late),
        "most": max((each.days_late for each in late), default=0),
    }
    sentence = catalogue.render(f"page.time.plane.{'late' if late else 'prompt'}", language, **facts)
    dots, later = ([(each.on, each.heard_on) for each in some] for some in (drawn, late))
    return {
        "plane": pictures.plane(sentence, dots, later, moment, since, until),
        "plane_sentence": sentence,
        "plane_days": (since, until),
        "plane_rows": _rows(heard, language),
    }


def _rows(heard: Sequence[Heard], language: str) -> list[Answer]:
    """The numbers behind the plane, by when the book heard, the latest first."""
    since = add_months(max(each.heard_on for each in heard).replace(day=1), 1 - MONTHS_SHOWN)
    rows: dict[str, Answer] = {}
    for each in sorted(heard, key=lambda each: each.heard_on, reverse=True):
        on = each.heard_on
        when = wording.month(f"{on:%Y-%m}", language) if on >= since else str(on.year)
        row = rows.setdefault(when, {"when": when, "entries": 0, "late": 0, "most": 0})
        row["entries"] += each.entries
        if each.days_late > LATE_DAYS:
            row["late"] += each.entries
            row["most"] = max(row["most"], each.days_late)
    return list(rows.values())

"""Reports: frozen for ever, looked at, taken along as files, and what has changed since each was frozen."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.refusals import IdempotencyKeyReused, Refusal
from ledger.reports.frozen import Frozen, content_of
from ledger.reports.report import Report
from service.access.places import AtPlaces
from service.access.principals import Principal
from service.access.roles import FIGURE_READERS, READERS, admitted
from service.http.fields import Cursor, PathNumber
from service.http.problems import problem_with_errors, refusal_for
from service.http.refusals import CursorInvalid
from service.pages.layout import HEADERS, PageRoute, language_for, page, see_other
from service.pages.province import Shown, about_report, readings, shown_of, target_rows
from service.pages.report_asked import ASKED, asked_of, given_in, offered, question_of
from service.pages.steps import new_key, sent_as
from service.pages.typed import Typed, typed_in, wrong_fields
from service.reads.dependencies import CaughtUp
from service.reports import freezing
from service.reports.asking import At, restatement
from service.reports.beside import beside
from service.reports.dependencies import AtReports, ReportNumber
from service.reports.files import FORMATS
from service.reports.files.figures import Beside, ReportWords
from service.reports.files.plan_tables import restated
from service.reports.questions import FREEZERS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, Depends(admitted(FIGURE_READERS))]
REPORTS_A_PAGE: Final = 30
CHANGES_A_PAGE: Final = 8
LINKS_SHOWN: Final = 6
KEPT: Final = (403, 409, 429, 503)
"""Statuses that a form answers with as they are; whatever else is wrong with it is 422."""
FILES: Final = ("xlsx", "docx", "pdf", "csv", "json")
"""What a report is taken along as; the first is what an office works on."""


# --- the list, and freezing ---------------------------------------------------------------------------------------


@router.get("/reports", name="list_reports")
async def reports(
    request: Request, at: AtReports, places: AtPlaces, reader: Reader, cursor: Cursor | None = None
) -> Response:
    """The frozen reports, newest first; and where one freezes another."""
    if cursor is not None and not cursor.startswith("R-"):
        raise CursorInvalid
    return await _listed(request, at, places, reader, given_in(request.query_params), cursor=cursor or "")


@router.post("/reports", dependencies=[Depends(admitted(FREEZERS))], name="list_reports")
async def freeze(request: Request, at: AtReports, places: AtPlaces, reader: Reader, wanted: CaughtUp) -> Response:
    """Freeze a report as of now, once under the key of the form, and show it."""
    typed = await typed_in(request)
    given, note = given_in(typed), typed.get("note", "").strip()
    try:
        context = sent_as(request, typed)
        question = question_of(asked_of(given, note), at, reader, is_to_date=False)
        made, _ = await asyncio.to_thread(freezing.freeze_report, at, context, question, note or None, wanted)
    except Exception as error:  # noqa: BLE001  # Whatever it is, what was typed stays on the page.
        return await _listed(request, at, places, reader, typed, refusal_for(error))
    return see_other(f"/reports/{made['report']}")


async def _listed(
    request: Request,
    at: At,
    places: AtPlaces,
    reader: Principal,
    typed: Typed,
    refusal: Refusal | None = None,
    cursor: str = "",
) -> Response:
    language = language_for(request)
    told = problem_with_errors(refusal, language, dict(typed)) if refusal else None
    wrong = {name.strip("?"): each for name, each in wrong_fields(told.get("errors", ()) if told else ()).items()}
    listed = await asyncio.to_thread(freezing.listed, at, reader, places, cursor, REPORTS_A_PAGE)
    is_other = isinstance(refusal, IdempotencyKeyReused)
    status = 200 if told is None else 409 if is_other else told["status"] if told["status"] in KEPT else 422
    return page(
        request,
        "reports",
        status,
        items=[item | {"said": _period(item["period"], language)} for item in listed["items"]],
        next=listed["next"],
        given=typed if any(name in typed for name in ASKED) else _last_half(at.state.today()),
        note=typed.get("note", ""),
        offered=offered(at, reader),
        freezes=bool(reader.roles & FREEZERS),
        key=new_key() if is_other else typed.get("key") or new_key(),
        problem=told,
        wrong=wrong,
    )


def _period(period: Mapping[str, Any], language: str) -> str:
    since, until = (str(period[name]) for name in ("from", "to"))
    report: Report = {"period": {"from": since, "to": until, "preset": period["preset"]}}
    return ReportWords(report, language, Beside()).period()


def _last_half(today: date) -> Typed:
    """The half-year of the calendar that ended last: what is reported on next."""
    half, year = ("half-1", today.year) if today.month > 6 else ("half-2", today.year - 1)
    return {"preset": half, "year": str(year)}


# --- one report ---------------------------------------------------------------------------------------------------


@router.get("/reports/{report}", name="list_reports")
async def one_report(
    request: Request,
    at: AtReports,
    places: AtPlaces,
    reader: Reader,
    wanted: CaughtUp,
    report: ReportNumber,
    start: PathNumber = 1,
) -> Response:
    """A frozen report: what it says, the files of it, and what its question answers now."""

    def ask() -> dict[str, Any]:
        frozen = freezing.find(at, reader, places, report)
        shown = shown_of(frozen.asked, _content(at, frozen), language_for(request), {})
        notes = at.state.ledger.register.texts([frozen.note] if frozen.note else [])
        return {
            "shown": shown,
            "about": about_report(shown),
            "readings": readings(shown),
            "targets": target_rows(shown),
            "frozen": frozen,
            "note": notes.get(frozen.note or ""),
            **_restated(shown, frozen, restatement(at, frozen, wanted), start),
        }

    found = await asyncio.to_thread(ask)
    return page(request, "report", files=FILES, links=LINKS_SHOWN, sees_people=bool(reader.roles & READERS), **found)


def _content(at: At, frozen: Frozen) -> Report:
    content: Report = msgspec.json.decode(content_of(at.state.ledger.database, frozen.report))
    return content


def _restated(shown: Shown, frozen: Frozen, told: Mapping[str, Any], start: int) -> dict[str, Any]:
    """What has changed since, in words, a page of it."""
    words = ReportWords(shown.report, shown.words.language, Beside(frozen.asked.plan, frozen.report, restated=told))
    table = restated(words)
    assert table, "it was just worked out"
    rows = told["changes"][start - 1 : start - 1 + CHANGES_A_PAGE]
    changes = [
        change
        | {"said": {column.key: words.text(column.of(change)) for column in table.columns}}
        | {"numbers": {side: _number(change[side]) for side in ("before", "after")}}
        for change in rows
    ]
    changed, end = len(told["changes"]), start + CHANGES_A_PAGE
    return {
        "changes": changes,
        "changed": changed,
        "position": told["position"],
        "next": end if end <= changed else None,
    }


def _number(figure: Any) -> int | None:
    """The hook of a restated figure: a share by its numerator."""
    if isinstance(figure, Mapping):
        return _number(figure.get("numerator"))
    return int(figure) if isinstance(figure, int) else None


# --- on paper -----------------------------------------------------------------------------------------------------


@router.get("/reports/{report}/paper", name="list_reports")
async def on_paper(request: Request, at: AtReports, places: AtPlaces, reader: Reader, report: ReportNumber) -> Response:
    """The whole report as an office files it, to be read and printed."""
    language = language_for(request)

    def ask() -> bytes:
        frozen = freezing.find(at, reader, places, report)
        content = _content(at, frozen)
        told = beside(at, frozen.asked, content, "html", frozen.report, public=False)
        return FORMATS["html"].make(content, language, told)

    content = await asyncio.to_thread(ask)
    # What may run and be loaded the paper says itself, with the digest of its own style; who may frame it, it cannot.
    headers = HEADERS | {"Content-Security-Policy": "frame-ancestors 'none'", "Content-Language": language}
    return Response(content, 200, headers, FORMATS["html"].media_type)

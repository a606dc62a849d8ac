"""Plans, what was spent of them, and their reports over HTTP."""

import asyncio
import hashlib
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.plans import plan_of
from ledger.reports.frozen import content_of
from ledger.reports.public import public
from ledger.reports.report import Report, ReportQuestion
from service.access.places import AtPlaces
from service.access.principals import Principal
from service.access.roles import FIGURE_READERS, admitted
from service.http.answers import in_json
from service.http.fields import Cursor, Limit, PathNumber, Position
from service.http.parsing import StrictRoute
from service.http.refusals import CursorInvalid
from service.reads.dependencies import CaughtUp
from service.reports import freezing, spending
from service.reports.answers import ReportFrozen, SpendingTold
from service.reports.asking import At, ask_report, restatement
from service.reports.beside import beside
from service.reports.bodies import NewReport, NewSpending, SpendingReversal
from service.reports.dependencies import (
    AtReports,
    Audience,
    FormatName,
    PlanAsked,
    Question,
    ReportNumber,
    Wanted,
    language,
)
from service.reports.files import FORMATS
from service.reports.files.tables import ndjson_of
from service.reports.plans import plan_told, plans_listed
from service.reports.questions import FREEZERS, period_of, scope_of
from service.writes.dependencies import AsSent, recorded_in_json, recording

router = APIRouter(prefix="/v1", route_class=StrictRoute)

Reader = Annotated[Principal, Depends(admitted(FIGURE_READERS))]
FIGURES: Final = [Depends(admitted(FIGURE_READERS))]
FREEZING: Final = [Depends(admitted(FREEZERS))]


# --- plans, and what was spent of them ----------------------------------------------------------------------------


@router.get("/plans", dependencies=FIGURES)
async def list_plans(at: AtReports) -> Response:
    """The plans that reports can be asked about."""
    return in_json(plans_listed(at.reports.plans))


@router.get("/plans/{plan}", dependencies=FIGURES)
async def one_plan(plan: PlanAsked) -> Response:
    """One plan: what it asks for, in which areas, with which budget; and the dictionary of indicators with their
    words."""
    return in_json(plan_told(plan))


@router.get("/plans/{plan}/spending", dependencies=FIGURES)
async def list_spending(at: AtReports, plan: PlanAsked) -> Response:
    """What was spent of the plan's budget outside any club, oldest first, and where that log stands."""
    return in_json(await spending.listed(at.state, plan))


@router.post("/plans/{plan}/spending", dependencies=FREEZING, **recording(SpendingTold))
async def note_spending(
    request: Request, at: AtReports, context: AsSent, plan: PlanAsked, body: NewSpending
) -> Response:
    """Note what was spent of a line of the plan's budget, in the plan's own chained log."""
    recorded = await spending.note(at.state, context, plan, body)
    return recorded_in_json(spending.told(plan, recorded, language(request)), context, replayed=recorded.replayed)


@router.post("/plans/{plan}/spending/{version}/reversal", dependencies=FREEZING, **recording(SpendingTold))
async def reverse_spending(
    request: Request, at: AtReports, context: AsSent, plan: PlanAsked, version: PathNumber, body: SpendingReversal
) -> Response:
    """Undo what was noted wrongly; both lines stay."""
    recorded = await spending.undo(at.state, context, plan, version, body)
    return recorded_in_json(spending.told(plan, recorded, language(request)), context, replayed=recorded.replayed)


# --- the report ---------------------------------------------------------------------------------------------------


@router.get("/report", dependencies=FIGURES)
async def one_report(
    request: Request,
    at: AtReports,
    asked: Question,
    wanted: Wanted,
    known_position: Position | None = None,
    format: FormatName = "json",  # The parameter's name in the contract.
    audience: Audience = "office",
) -> Response:
    """The whole report of a plan: of a preset period in a year or from one day to another, as of the position now or
    the one asked for."""
    return await asyncio.to_thread(_report, at, asked, wanted, known_position, format, audience, language(request))


def _report(
    at: At,
    asked: ReportQuestion,
    wanted: int,
    known_position: int | None,
    form: str,
    audience: str,
    spoken: str,
) -> Response:
    return _formed(at, asked, ask_report(at, asked, wanted, known_position), form, audience, spoken)


def _formed(
    at: At, asked: ReportQuestion, report: Report, form: str, audience: str, spoken: str, number: str | None = None
) -> Response:
    """A report in the form asked for; its file bears the report's code, and `number` if it is frozen."""
    made, is_public = FORMATS[form], audience == "public"
    told = beside(at, asked, report, form, number, public=is_public)
    content = made.make(public(report) if is_public else report, spoken, told)
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
    if form != "json":
        name = f"{report['plan']}-{report['report_code']}.{made.ending}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, 200, headers, made.media_type)


@router.get("/report/rows", dependencies=FIGURES)
async def report_rows(
    at: AtReports,
    asked: Question,
    wanted: Wanted,
    known_position: Position | None = None,
    audience: Audience = "office",
) -> Response:
    """The same figures as a tidy table, a row a line (`application/x-ndjson`): `{fund, indicator, path, numerator,
    denominator, value, report_code}`; `fund` is empty for all together."""

    def ask() -> bytes:
        report = ask_report(at, asked, wanted, known_position)
        return ndjson_of(public(report) if audience == "public" else report, "")

    return Response(await asyncio.to_thread(ask), media_type="application/x-ndjson")


# --- frozen -------------------------------------------------------------------------------------------------------


@router.post("/reports", **recording(ReportFrozen))
async def freeze_report(
    at: AtReports,
    context: AsSent,
    wanted: CaughtUp,
    principal: Annotated[Principal, Depends(admitted(FREEZERS))],
    body: NewReport,
) -> Response:
    """Freeze a report for ever, as of now, under the next number of the year. What is entered later shows in its
    restatement."""
    plan = plan_of(at.reports.plans, body.plan)
    period = period_of(body.preset, body.year, body.since, body.until, at="/")
    asked = ReportQuestion(plan, period, scope_of(principal, plan, body.area()), seen_by=principal.scope)
    content, is_replayed = await asyncio.to_thread(freezing.freeze_report, at, context, asked, body.note, wanted)
    return recorded_in_json(content, context, replayed=is_replayed)


@router.get("/reports")
async def list_reports(
    at: AtReports, places: AtPlaces, reader: Reader, cursor: Cursor | None = None, limit: Limit = 100
) -> Response:
    """The frozen reports whose clubs are in scope, newest first."""
    if cursor is not None and not cursor.startswith("R-"):
        raise CursorInvalid
    return in_json(await asyncio.to_thread(freezing.listed, at, reader, places, cursor or "", limit))


@router.get("/reports/{report}")
async def frozen_report(
    request: Request,
    at: AtReports,
    places: AtPlaces,
    reader: Reader,
    report: ReportNumber,
    format: FormatName = "json",  # The parameter's name in the contract.
    audience: Audience = "office",
) -> Response:
    """A frozen report: its bytes as they were, their SHA-256 as the ETag; or the same figures in another form."""
    spoken = language(request)

    def ask() -> Response:
        frozen = freezing.find(at, reader, places, report)
        content = content_of(at.state.ledger.database, frozen.report)
        if (format, audience) == ("json", "office"):
            return Response(content, 200, {"ETag": f'"{frozen.digest}"'}, "application/json")
        report_then = msgspec.json.decode(content)
        return _formed(at, frozen.asked, report_then, format, audience, spoken, frozen.report)

    return await asyncio.to_thread(ask)


@router.get("/reports/{report}/restatement")
async def report_restatement(
    at: AtReports,
    places: AtPlaces,
    reader: Reader,
    wanted: CaughtUp,
    report: ReportNumber,
    at_position: Position | None = None,
) -> Response:
    """What the question of a frozen report answers now: each figure that is another one, and the entries that did
    it."""

    def ask() -> Any:
        return restatement(at, freezing.find(at, reader, places, report), wanted, at_position)

    return in_json(await asyncio.to_thread(ask))

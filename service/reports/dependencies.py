"""What the routes of reports read of a request: the plan, the question and the form of the answer."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator

from ledger.plans import Plan, Preset, plan_of
from ledger.reports.report import ReportQuestion
from service.http.fields import Code, Enumerated, Position, Words, digits
from service.http.parsing import accept_language
from service.http.state import AtState
from service.reads.dependencies import Since, Until, caught_up, within_reach
from service.reports.asking import At
from service.reports.bodies import PlanCode, Year
from service.reports.files import FORMATS
from service.reports.questions import period_of, scope_of
from service.reports.state import ReportState
from service.words.wording import language_of

ReportNumber = Annotated[str, Code("R-[0-9]{4}-[0-9]{4,9}")]
FormatName = Annotated[str, Enumerated(tuple(FORMATS))]
Audience = Literal["public", "office"]
YearAsked = Annotated[Year, BeforeValidator(digits)]


async def _at(request: Request, state: AtState) -> At:
    reports: ReportState = request.app.state.reports
    return At(state, reports)


AtReports = Annotated[At, Depends(_at)]


async def _plan(at: AtReports, plan: Annotated[PlanCode, Path()]) -> Plan:
    return plan_of(at.reports.plans, plan)


PlanAsked = Annotated[Plan, Depends(_plan)]


async def _question(
    request: Request,
    at: AtReports,
    of_plan: Annotated[PlanCode, Query(alias="plan")],
    since: Since,
    until: Until,
    preset: Preset | None = None,
    year: YearAsked | None = None,
    province: Words | None = None,
    district: Words | None = None,
    commune: Words | None = None,
    threshold: Literal["60", "55"] = "60",
) -> ReportQuestion:
    period = period_of(preset, year, since, until, at="?")
    within_reach(at.state, "year", period.until)
    area = {"province": province, "district": district, "commune": commune}
    plan = plan_of(at.reports.plans, of_plan)
    scope = scope_of(request.scope["principal"], plan, {name: value for name, value in area.items() if value})
    return ReportQuestion(plan, period, scope, int(threshold), request.scope["principal"].scope)


Question = Annotated[ReportQuestion, Depends(_question)]


async def _wanted(state: AtState, min_position: Position = 0, known_position: Position | None = None) -> int:
    return await caught_up(state, max(min_position, known_position or 0))


Wanted = Annotated[int, Depends(_wanted)]
"""The position that the tables must have: that of the question, or a later one."""


def language(request: Request) -> str:
    """The language of whoever asks."""
    return language_of(accept_language(request.scope))

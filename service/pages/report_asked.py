"""What is asked of a plan on a page: which plan, which period, which place. All of it stands in the address."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import Field

from ledger.days import add_months
from ledger.events.people import Scope
from ledger.plans import PRESETS, Plan, Plans, Preset, plan_of
from ledger.reports.periods import Period
from ledger.reports.report import ReportQuestion
from service.access.principals import Principal
from service.http.body import Body
from service.http.fields import Day, Words
from service.http.problems import fitted
from service.pages.typed import Typed
from service.reads.dependencies import within_reach
from service.reports.asking import At
from service.reports.bodies import PlanCode, Year
from service.reports.questions import period_of, scope_of

PLACE: Final = ("province", "district", "commune")
ASKED: Final = ("plan", "preset", "year", "from", "to", *PLACE)
LONGEST: Final = 200


class Asked(Body):
    """A question as it is typed; without a period it is about the twelve months up to today."""

    PERSONAL = ("note",)

    plan: PlanCode | None = None
    preset: Preset | None = None
    year: Year | None = None
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = Field(default=None, alias="to")
    province: Words | None = None
    district: Words | None = None
    commune: Words | None = None
    note: Words | None = None


def given_in(sent: Mapping[str, str]) -> Typed:
    """What was typed of a question. A year alone says no period: a form sends it along."""
    given = {name: text for name in ASKED if (text := sent.get(name, "").strip()[:LONGEST])}
    if "preset" not in given:
        given.pop("year", None)
    return given


def asked_of(given: Typed, note: str | None = None) -> Asked:
    """What was typed as it is understood. Raises `InvalidFields`."""
    body: dict[str, Any] = dict(given)
    if re.fullmatch("[0-9]{4}", given.get("year", "")):
        body["year"] = int(given["year"])
    return fitted(Asked, body | ({"note": note} if note else {}))


def question_of(asked: Asked, at: At, principal: Principal, *, is_to_date: bool = True) -> ReportQuestion:
    """The question of a report; without a period, and if that may be, one up to today. Raises `InvalidFields`,
    `PlanNotFound`, `PeriodUpsideDown`, `Forbidden`."""
    plans = at.reports.plans
    plan = plan_of(plans, asked.plan) if asked.plan else usual_plan(plans, principal.scope)
    if is_to_date and (asked.preset, asked.year, asked.since, asked.until) == (None, None, None, None):
        period = to_date(at.state.today())
    else:
        period = period_of(asked.preset, asked.year, asked.since, asked.until, at="/")
        within_reach(at.state, "year" if asked.preset else "to", period.until)
    area = {name: value for name in PLACE if (value := getattr(asked, name))}
    return ReportQuestion(plan, period, scope_of(principal, plan, area), seen_by=principal.scope)


def to_date(today: date) -> Period:
    """The twelve months up to today."""
    return Period(add_months(today, -12) + timedelta(days=1), today)


def usual_plan(plans: Plans, scope: Scope) -> Plan:
    """The plan of one's own province, or else of any; of several the latest."""
    near = [plan for plan in plans.values() if plan.province and scope.province in (None, plan.province)]
    return max(near or plans.values(), key=lambda plan: plan.valid_from)


def offered(at: At, principal: Principal) -> dict[str, Any]:
    """What a form lets one choose from."""
    plans = at.reports.plans
    usual = usual_plan(plans, principal.scope).code
    return {"plans": sorted(plans), "usual": usual, "presets": PRESETS, "year": str(at.state.today().year)}


def address(given: Typed, **more: str) -> str:
    """A view of the same question."""
    return f"?{urlencode(given | more)}"

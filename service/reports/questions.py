"""From what was asked to the question of a report: which period, and which clubs of those that whoever asks may see."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from ledger.events.people import Scope
from ledger.plans import Plan, Preset
from ledger.reports.periods import Period, preset_period
from service.access.places import Places
from service.access.principals import Principal, Role
from service.http.refusals import FieldError, Forbidden, InvalidFields, PeriodUpsideDown

FREEZERS: Final[frozenset[Role]] = frozenset({"reporter", "admin"})
"""Who freezes a report, and notes what a province spent."""


def period_of(preset: Preset | None, year: int | None, since: date | None, until: date | None, *, at: str) -> Period:
    """The period asked for: a preset in a year, or from one day to another. `at` is what stands before a field's name
    when it is pointed at. Raises `InvalidFields`, `PeriodUpsideDown`."""
    given = {"preset": preset, "year": year, "from": since, "to": until}
    wanted = ("preset", "year") if preset or year else ("from", "to")
    wrong = [FieldError(f"{at}{name}", "field-missing", {"name": name}) for name in wanted if given[name] is None]
    wrong += [
        FieldError(f"{at}{name}", "unknown-field", {"name": name})
        for name, value in given.items()
        if value is not None and name not in wanted
    ]
    if wrong:
        raise InvalidFields(wrong)
    if preset and year:
        return preset_period(preset, year)
    assert since
    assert until
    if since > until:
        raise PeriodUpsideDown(since=since, until=until)
    return Period(since, until)


def scope_of(principal: Principal, plan: Plan, area: Mapping[str, Any]) -> Scope:
    """The clubs asked about, of those in the principal's own scope: a place in it, or all of it. A district or commune
    whose province is not told lies in the principal's, or the plan's. Raises `Forbidden` for a place beyond the scope,
    and `InvalidFields` where nobody knows the province."""
    own = principal.scope
    if not area:
        return own
    if own.funds:
        # Clubs that are named have no place of their own in a scope: it is all of them or none.
        raise Forbidden
    asked = Scope(**area)
    if not asked.province:
        asked = msgspec.structs.replace(asked, province=own.province or plan.province)
    if not asked.province:
        raise InvalidFields([FieldError("?province", "field-missing", {"name": "province"})])
    if not own.covers(asked):
        raise Forbidden
    return asked


def may_read(principal: Principal, scope: Scope, places: Places) -> bool:
    """Whether all clubs that a report is about are in a principal's scope; blocks."""
    if scope.funds:
        return all(_holds(principal.scope, fund, places) for fund in scope.funds)
    return principal.scope.covers(scope)


def _holds(scope: Scope, fund: str, places: Places) -> bool:
    place = places.known(fund)
    return place is not None and scope.holds(fund, place)


def may_spend(principal: Principal, plan: Plan) -> bool:
    """Whether a plan's own log is a principal's to write to: whoever has to do with all that the plan is about."""
    wanted = Scope(province=plan.province) if plan.province else Scope(everything=True)
    return principal.scope.covers(wanted) and not principal.scope.funds

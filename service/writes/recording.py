"""What was sent is carried out: one write, or a whole sheet, from its body to what the log then holds.

Routes call it, and so may whoever else has a body, a table's row and a context: a page's form, a dry run.
"""

from typing import Any

from ledger.days import civil_day
from ledger.events import OfficeLeft, PlaceChanged
from ledger.jobs import Job, Recorded
from ledger.refusals import OutOfOrder
from service.access.approval import Approval, approved
from service.access.phones import end_phones_of_treasurer
from service.access.places import Places
from service.access.principals import Place, Principal
from service.access.state import AccessState
from service.http.body import Dated
from service.http.refusals import Forbidden, InvalidFields
from service.http.state import AppState
from service.writes.bodies.club import NewFund, NewPlace
from service.writes.bodies.corrections import Reversal
from service.writes.calls import RequestContext, call_of, job_of, line_call
from service.writes.meetings import Meeting, MeetingAct, calls_of, mark_of
from service.writes.table import Write


async def carry_out(
    write: Write,
    context: RequestContext,
    body: Dated,
    fund: str,
    numbers: tuple[int, ...] = (),
    *,
    state: AppState,
    access: AccessState,
) -> Recorded:
    """Record what a body says, or find out what it would record if the context asks for a dry run. `numbers` are those
    of the write's path. Whether the principal has one of the write's roles, in this fund, was judged before.

    Raises the fund's refusals, `Forbidden` and `OutOfOrder` for a fund that may not be opened or moved, `PinRequired`,
    `PinWrong` and `PinLocked`, and what the writer raises.
    """
    today = civil_day(context.at)
    if isinstance(body, NewFund):
        fund = body.fund
        await _refuse_foreign_fund(access.places, context.principal, body)
        if (on := body.on or today) < body.founded_on:
            raise OutOfOrder(on=on, earliest=body.founded_on)
    if isinstance(body, NewPlace) and not context.principal.scope.holds(fund, _place_in(body)):
        raise Forbidden
    calls = [call_of(write.decide, numbers, body.facts(), body, fund, today)._replace(pin=write.pin)]
    if isinstance(body, Reversal) and body.replacement:
        calls.append(line_call(body.replacement, fund, calls[0].on))

    async def record(approval: Approval) -> Recorded:
        told = context._replace(approval=approval)
        return await recorded_job(state, job_of(fund, calls, told, opens=isinstance(body, NewFund), most=write.facts))

    recorded = await approved(access.pins, context.approval, record)
    if not context.dry_run:
        for event in recorded.events:
            if isinstance(event, PlaceChanged):
                access.places.forget(fund)
            if isinstance(event, OfficeLeft) and event.office == "treasurer":
                await end_phones_of_treasurer(state, access, event)
    return recorded


async def _refuse_foreign_fund(known: Places, principal: Principal, body: NewFund) -> None:
    """A fund is opened in scope, under a code that no fund out of scope has. Raises `Forbidden` alike for both.

    It is judged before the fund is asked anything: which keys that one knows is nobody's business here.
    """
    places = (_place_in(body), await known.place_of(body.fund))
    if not all(principal.scope.holds(body.fund, place) for place in places if place):
        raise Forbidden


def _place_in(body: NewFund | NewPlace) -> Place:
    return Place(body.province, body.district, body.commune)


async def hold_meeting(
    context: RequestContext, meeting: Meeting, lines: list[dict[str, Any]], fund: str, *, state: AppState
) -> tuple[MeetingAct, Recorded]:
    """Record a sheet: all its lines or, asked for `partial`, those that can be. `lines` are as they were sent: what
    each one's key stands for. Raises `InvalidFields`, `LinesRefused`, and what the writer raises."""
    calls, unread = calls_of(meeting, fund)
    if unread and meeting.mode == "all":
        raise InvalidFields([error for refusal in unread.values() for error in refusal.errors])
    secret = state.ledger.request_secret
    name = meeting.sheet or meeting.held_on.isoformat()
    marks = {index: mark_of(lines[index], secret, name) for index in calls}
    act = MeetingAct(meeting, fund, calls, marks, unread, context)
    return act, await recorded_job(state, act.job())


async def recorded_job(state: AppState, job: Job) -> Recorded:
    """What became of a job; reads wait for its position from now on."""
    recorded = await state.writer.record(job)
    state.acknowledged.note(recorded)
    return recorded

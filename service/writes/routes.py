"""The one way all writes go: admitted, parsed, validated, handed to the writer, answered with what the log then holds.

A route for each row of the table, and one to erase a person.
"""

import asyncio
import inspect
import re
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.days import civil_day
from ledger.jobs import Recorded
from ledger.refusals import MemberNotFound, OutOfOrder
from service.access.places import Places, places_of
from service.access.principals import Place, Principal
from service.access.roles import ERASERS, admitted
from service.http.direct_routes import DirectRoute, body_of, fitted, path_of
from service.http.fields import FundCode, PathNumber
from service.http.parsing import StrictRoute, accept_language
from service.http.refusals import Forbidden
from service.http.state import AppState, state_of
from service.words.wording import language_of
from service.writes.answers import answer
from service.writes.bodies import club
from service.writes.bodies.meeting_lines import Reversal
from service.writes.facts import Sent, fact_of, job_of, line_fact
from service.writes.headers import KNOWN, sent_as, sent_directly
from service.writes.table import FUND, WRITES, Write

router = APIRouter(prefix="/v1", route_class=StrictRoute)


# --- the one way --------------------------------------------------------------------------------------------------


def _add(write: Write) -> None:
    """Make the route of one row."""
    admit = admitted(write.roles)

    async def record(request: Request) -> Response:
        sent_body = await body_of(request, KNOWN)
        await admit(request)
        fund, numbers = path_of(request)
        sent, body = sent_directly(request), fitted(write.body, sent_body)
        state = state_of(request)
        today = civil_day(sent.at)
        if isinstance(body, club.NewFund):
            fund = body.fund
            await _refuse_foreign_fund(places_of(request), sent.principal, body)
            if (on := body.on or today) < body.founded_on:
                raise OutOfOrder(on=on, earliest=body.founded_on)
        if isinstance(body, club.NewPlace) and not sent.principal.scope.holds(fund, _place_in(body)):
            raise Forbidden
        facts = [fact_of(write.decide, numbers, body.facts(), body, fund, today)]
        if isinstance(body, Reversal) and body.replacement:
            facts.append(line_fact(body.replacement, fund, facts[0].on))
        recorded = await state.writer.record(
            job_of(fund, facts, sent, opens=isinstance(body, club.NewFund), most=write.facts)
        )
        state.acknowledged = max(state.acknowledged, recorded.position or 0)
        if isinstance(body, club.NewPlace):
            places_of(request).forget(fund)
        return _response(recorded, sent, request)

    record.__signature__ = _described(write)  # type: ignore[attr-defined]
    router.add_api_route(
        write.path,
        record,
        methods=["POST"],
        status_code=201,
        name=write.body.__name__,
        operation_id=write.body.__name__,
        summary=inspect.getdoc(write.body),
        response_model=None,
        route_class_override=DirectRoute,
    )


def _described(write: Write) -> inspect.Signature:
    """What a write reads, for the API's document: the path's numbers, the body and the headers."""
    types = {"fund": FundCode}
    parameters = {"request": Request, "sent": Annotated[Sent, Depends(sent_as)], "body": write.body}
    parameters |= {name: types.get(name, PathNumber) for name in re.findall(r"{(\w+)}", write.path)}
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in parameters.items()
        ]
    )


async def _refuse_foreign_fund(known: Places, principal: Principal, body: club.NewFund) -> None:
    """A fund is opened in scope, under a code that no fund out of scope has. Raises `Forbidden` alike for both.

    It is judged before the fund is asked anything: which keys that one knows is nobody's business here.
    """
    places = (_place_in(body), await known.place_of(body.fund))
    if not all(principal.scope.holds(body.fund, place) for place in places if place):
        raise Forbidden


def _place_in(body: club.NewFund | club.NewPlace) -> Place:
    return Place(body.province, body.district, body.commune)


def _response(recorded: Recorded, sent: Sent, request: Request) -> Response:
    language = language_of(accept_language(request.scope))
    headers = {"ETag": f'"{recorded.version}"', "Content-Language": language}
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    status = 200 if sent.dry_run else 201
    return Response(msgspec.json.encode(answer(recorded, language)), status, headers, "application/json")


for _write in WRITES:
    _add(_write)


# --- erasing ------------------------------------------------------------------------------------------------------


@router.delete(FUND + "/members/{member}/person", dependencies=[Depends(admitted(ERASERS))])
async def erase_person(request: Request, fund: FundCode, member: PathNumber) -> Response:
    """Erase a member's name and phone, and what was noted with their entries; no event, sum or hash changes."""
    state = state_of(request)
    erased = await asyncio.to_thread(_erase, state, fund, member)
    return Response(
        msgspec.json.encode({"fund": fund, "member": member, "erased": erased}), media_type="application/json"
    )


def _erase(state: AppState, fund: str, member: int) -> int:
    events = [entry.event for entry in state.ledger.entries(fund)]
    theirs = [event for event in events if getattr(event, "member", None) == member]
    if not theirs:
        raise MemberNotFound(member=member)
    return state.ledger.register.erase(fund, [digest for event in theirs for digest in (event.texts or {}).values()])

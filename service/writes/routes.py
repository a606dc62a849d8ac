"""The one way all writes go: admitted, parsed, validated, handed to the writer, answered with what the log then holds.

A route for each row of the table, and one to erase a person.
"""

import asyncio
import inspect
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.refusals import MemberNotFound
from service.access.approval import Approval, ApprovalPin, approval_of, approved
from service.access.roles import ERASERS, admitted
from service.access.state import AtAccess, access_of
from service.http.direct_routes import DirectRoute, body_of, path_of
from service.http.fields import FundCode, PathNumber
from service.http.parsing import StrictRoute, accept_language
from service.http.problems import fitted
from service.http.state import AppState, state_of
from service.words.wording import language_of
from service.writes.answers import write_answer
from service.writes.dependencies import KNOWN, AsSent, context_of, write_response
from service.writes.recording import carry_out
from service.writes.table import FUND, WRITES, Write

router = APIRouter(prefix="/v1", route_class=StrictRoute)


# --- the one way --------------------------------------------------------------------------------------------------


def _add(write: Write) -> None:
    """Make the route of one row."""
    admit = admitted(write.roles)

    async def record(request: Request) -> Response:
        sent = await body_of(request, KNOWN)
        await admit(request)
        fund, numbers = path_of(request)
        context, body = context_of(request), fitted(write.body, sent)
        recorded = await carry_out(
            write, context, body, fund, numbers, state=state_of(request), access=access_of(request)
        )
        language = language_of(accept_language(request.scope))
        return write_response(recorded, context, write_answer(recorded, language), language)

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
    parameters: dict[str, Any] = {"request": Request, "context": AsSent, "body": write.body}
    if "{fund}" in write.path:
        parameters["fund"] = FundCode
    parameters |= dict.fromkeys(write.numbers, PathNumber)
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in parameters.items()
        ]
    )


for _write in WRITES:
    _add(_write)


# --- erasing ------------------------------------------------------------------------------------------------------


@router.delete(FUND + "/members/{member}/person", dependencies=[Depends(admitted(ERASERS))])
async def erase_person(
    request: Request, access: AtAccess, fund: FundCode, member: PathNumber, approval_pin: ApprovalPin = None
) -> Response:
    """Erase a member's name and phone, and what was noted with their entries; no event, sum or hash changes."""
    state = state_of(request)

    async def erase(approval: Approval) -> int:
        approval.require()
        return await asyncio.to_thread(_erase, state, fund, member)

    erased = await approved(access.pins, approval_of(request.scope), erase)
    return Response(
        msgspec.json.encode({"fund": fund, "member": member, "erased": erased}), media_type="application/json"
    )


def _erase(state: AppState, fund: str, member: int) -> int:
    events = [entry.event for entry in state.ledger.entries(fund)]
    theirs = [event for event in events if getattr(event, "member", None) == member]
    if not theirs:
        raise MemberNotFound(member=member)
    return state.ledger.register.erase(fund, [digest for event in theirs for digest in (event.texts or {}).values()])

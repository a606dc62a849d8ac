"""The meeting over HTTP: a paper sheet sent as a whole."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from service.access.roles import WRITERS, admitted
from service.http.fields import FundCode
from service.http.parsing import SheetRoute, accept_language
from service.http.refusals import InvalidFields
from service.http.state import state_of
from service.words.wording import language_of
from service.writes.facts import Sent
from service.writes.headers import sent_as
from service.writes.meetings import Meeting, MeetingAct, facts_of, mark_of, meeting_answer
from service.writes.table import FUND

router = APIRouter(prefix="/v1", route_class=SheetRoute)


@router.post(
    FUND + "/meetings",
    status_code=201,
    name="Meeting",
    operation_id="Meeting",
    summary="A whole meeting at once",
    dependencies=[Depends(admitted(WRITERS))],
    response_model=None,
)
async def hold_meeting(
    request: Request, sent: Annotated[Sent, Depends(sent_as)], fund: FundCode, body: Meeting
) -> Response:
    """Record a sheet: all its lines or, asked for `partial`, those that can be. Each line answers for itself."""
    state, language = state_of(request), language_of(accept_language(request.scope))
    facts, unread = facts_of(body, fund)
    if unread and body.mode == "all":
        raise InvalidFields([error for refusal in unread.values() for error in refusal.errors])
    secret = state.ledger.request_secret
    name = body.sheet or body.held_on.isoformat()
    marks = {index: mark_of(request.state.body["lines"][index], secret, name) for index in facts}
    act = MeetingAct(body, fund, facts, marks, sent)
    recorded = await state.writer.record(act.job())
    state.acknowledged = max(state.acknowledged, recorded.position or 0)
    headers = {"ETag": f'"{recorded.version}"', "Content-Language": language}
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    status = 200 if sent.dry_run else 201
    content = meeting_answer(act, recorded, unread, language)
    return Response(msgspec.json.encode(content), status, headers, "application/json")

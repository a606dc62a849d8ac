"""The meeting over HTTP: a paper sheet sent as a whole."""

from fastapi import APIRouter, Depends, Request, Response

from service.access.roles import WRITERS, admitted
from service.http.fields import FundCode
from service.http.parsing import SheetRoute, accept_language
from service.http.state import state_of
from service.words.wording import language_of
from service.writes.dependencies import AsSent, write_response
from service.writes.meetings import Meeting, meeting_answer
from service.writes.recording import hold_meeting
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
async def record_meeting(request: Request, context: AsSent, fund: FundCode, body: Meeting) -> Response:
    """Record a sheet: all its lines or, asked for `partial`, those that can be. Each line answers for itself."""
    lines = request.state.body["lines"]
    act, recorded = await hold_meeting(context, body, lines, fund, state=state_of(request))
    language = language_of(accept_language(request.scope))
    return write_response(recorded, context, meeting_answer(act, recorded, language), language)

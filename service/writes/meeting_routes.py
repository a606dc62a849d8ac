"""The meeting over HTTP: a paper sheet sent as a whole."""

import inspect

from fastapi import APIRouter, Request, Response

from service.access.roles import WRITERS, admitted
from service.http.direct_routes import DirectRoute, body_of, path_of
from service.http.fields import FundCode
from service.http.parsing import MAX_SHEET, accept_language
from service.http.problems import fitted
from service.http.state import state_of
from service.words.wording import language_of
from service.writes.dependencies import KNOWN, AsSent, context_of, write_response
from service.writes.meetings import Meeting, meeting_answer
from service.writes.recording import hold_meeting
from service.writes.table import FUND

router = APIRouter(prefix="/v1", route_class=DirectRoute)

_admit = admitted(WRITERS)


async def record_meeting(request: Request) -> Response:
    """Record a sheet: all its lines or, asked for `partial`, those that can be. Each line answers for itself."""
    sent = await body_of(request, KNOWN, MAX_SHEET)
    await _admit(request)
    fund, _ = path_of(request)
    context, meeting = context_of(request), fitted(Meeting, sent)
    act, recorded = await hold_meeting(context, meeting, sent["lines"], fund, state=state_of(request))
    language = language_of(accept_language(request.scope))
    return write_response(recorded, context, meeting_answer(act, recorded, language), language)


def _described(request: Request, *, context: AsSent, fund: FundCode, body: Meeting) -> None:
    """What a sheet's request is read for, as the API's document says it."""


record_meeting.__signature__ = inspect.signature(_described)  # type: ignore[attr-defined]
router.post(
    FUND + "/meetings",
    status_code=201,
    name="Meeting",
    operation_id="Meeting",
    summary="A whole meeting at once",
    response_model=None,
)(record_meeting)

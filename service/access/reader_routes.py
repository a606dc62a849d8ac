"""Who looked at people's data, over HTTP."""

import asyncio

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from service.access.dependencies import AtReaderLog
from service.access.reader_list import before, readers_told
from service.access.roles import LOG_READERS, admitted
from service.access.state import AtAccess
from service.http.fields import Cursor, FundCode, Limit
from service.http.parsing import StrictRoute, accept_language
from service.words.wording import language_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/funds/{fund}/readers", dependencies=[Depends(admitted(LOG_READERS))])
async def fund_readers(
    request: Request,
    log: AtReaderLog,
    access: AtAccess,
    fund: FundCode,
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> Response:
    """Who was shown a name, phone, note or passbook of this club, when, as what, and of which member (null: of several
    or all), latest first. `what` is the kind of answer, `title` says it in words."""
    language = language_of(accept_language(request.scope))
    page = await asyncio.to_thread(
        readers_told, log, access.principals, fund, language, before=before(cursor), limit=limit
    )
    content = msgspec.json.encode({"fund": fund, **page})
    return Response(content, headers={"Content-Language": language}, media_type="application/json")

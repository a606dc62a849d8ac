"""All that is kept about one person, for themselves and the chair."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from service.access.dependencies import AtReaderLog
from service.access.principals import Principal
from service.access.reader_list import before, readers_told
from service.access.readers import note_shown, showing
from service.access.roles import DECIDERS, MEMBERS, READERS, admitted
from service.access.state import AtAccess
from service.http.fields import Cursor, FundCode, Limit, PathNumber
from service.http.parsing import StrictRoute, accept_language
from service.http.refusals import Forbidden
from service.http.state import AtState
from service.reads.person import person_of
from service.words.wording import language_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/funds/{fund}/members/{member}/person")
async def member_person(
    request: Request,
    state: AtState,
    log: AtReaderLog,
    access: AtAccess,
    principal: Annotated[Principal, Depends(admitted(READERS | MEMBERS))],
    fund: FundCode,
    member: PathNumber,
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> Response:
    """All that is kept about a member: what the fund knows of them, every text the register has, the entries they are
    in, who is linked to them, and who looked at it (`readers`, in pages). For the member themselves and the chair."""
    if not principal.roles & DECIDERS and principal.members.get(fund) != member:
        raise Forbidden
    principals, language = access.principals, language_of(accept_language(request.scope))

    def ask() -> bytes:
        with showing([member]):
            found = person_of(state, principals, fund, member)
            note_shown()  # Also of one whose name was erased.
            readers = readers_told(log, principals, fund, language, member=member, before=before(cursor), limit=limit)
        return msgspec.json.encode(found | {"readers": readers})

    content = await asyncio.to_thread(ask)
    return Response(content, headers={"Content-Language": language}, media_type="application/json")

"""Who looked at people's data, over HTTP."""

import asyncio
import base64
import re
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from service.access.dependencies import AtReaderLog
from service.access.principals import Principals
from service.access.readers import NO_END, ReaderLog
from service.access.roles import LOG_READERS, admitted
from service.access.state import AtAccess
from service.http.fields import Cursor, FundCode, Limit
from service.http.parsing import StrictRoute, accept_language
from service.http.refusals import CursorInvalid
from service.words import catalogue
from service.words.wording import language_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)

_ID: Final = re.compile(r"[0-9T:.+-]{32} [0-9a-f]{12}")


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


def before(cursor: str | None) -> str:
    """The row that the page before ended with. Raises `CursorInvalid`."""
    if cursor is None:
        return NO_END
    try:
        row = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise CursorInvalid from None
    if not _ID.fullmatch(row):
        raise CursorInvalid
    return row


def readers_told(
    log: ReaderLog,
    principals: Principals,
    fund: str,
    language: str,
    *,
    member: int | None = None,
    before: str = NO_END,
    limit: int,
) -> dict[str, Any]:
    """A page of the log with names and words: `{items: [{at, principal, name, role, what, title, member}], next}`."""
    rows = log.rows(fund, member=member, before=before, most=limit + 1)
    page, more = rows[:limit], len(rows) > limit
    names = principals.names({row["principal"] for row in page})
    items = [
        {
            "at": row["at"],
            "principal": row["principal"],
            "name": names.get(row["principal"]),
            "role": row["role"],
            "what": row["what"],
            "title": _title(row["what"], language),
            "member": row["member"],
        }
        for row in page
    ]
    ended = base64.urlsafe_b64encode(page[-1]["id"].encode()).decode().rstrip("=") if more else None
    return {"items": items, "next": ended}


def _title(what: str, language: str) -> str:
    """What was looked at, in words. An earlier version may have had answers that this one has no words for."""
    key = f"reader.{what}"
    return catalogue.render(key, language) if key in catalogue.every_key() else what

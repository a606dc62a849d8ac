"""Who looked at people's data, a page of it, with names and in words."""

import base64
import re
from typing import Any, Final

from service.access.readers import NO_END, ReaderLog
from service.access.tokens import Principals
from service.http.refusals import CursorInvalid
from service.words import catalogue

_ID: Final = re.compile(r"[0-9T:.+-]{32} [0-9a-f]{12}")


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

"""What an inspector asks of the past: why the books say something else now, and what one entry did to them."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ledger.differences import End, Point
from ledger.events import check_code
from ledger.projections import journal
from ledger.projections.tables import Reader
from service.access.readers import showing
from service.access.roles import READERS, admitted
from service.http.answers import in_json
from service.http.fields import MOST_ITEMS, Cursor, FundCode, Limit, PathNumber, PointText
from service.http.parsing import StrictRoute, accept_language
from service.http.refusals import CursorInvalid
from service.http.state import AtState
from service.inspection.entry_details import difference_answer, entry_effect, points
from service.reads.dependencies import AtPoint, CaughtUp, answered, within_reach
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery
from service.words.wording import language_of

router = APIRouter(prefix="/v1", route_class=StrictRoute, dependencies=[Depends(admitted(READERS))])

PINNED = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
"""A cursor: what was known at both ends, and the last entry told."""


async def _ends(
    state: AtState,
    start: Annotated[PointText, Query(alias="from")],
    end: Annotated[PointText | None, Query(alias="to")] = None,
) -> tuple[End, End | None]:
    within_reach(state, "from", start.as_of)
    within_reach(state, "to", end.as_of if end else None)
    return start, end


@router.get("/funds/{fund}/diff")
async def difference(
    request: Request,
    state: AtState,
    position: CaughtUp,
    fund: FundCode,
    ends: Annotated[tuple[End, End | None], Depends(_ends)],
    cursor: Cursor | None = None,
    limit: Limit = MOST_ITEMS,
) -> Response:
    """Why the books say something else: every figure that differs between two points in both times, with what each
    entry contributes, to the đồng, and the entries themselves: how late they came, who recorded them, what they say.

    Without `to`, the same day as it is known now. Figures are complete on every page; the entries come in pages.
    """
    language = language_of(accept_language(request.scope))

    def asked() -> Answer:
        replayed = state.ledger.replayed(fund)
        first, last = points(replayed, *ends)
        first, last, after = _turned_to(cursor, first, last)
        found = difference_answer(
            replayed, first, last, language, state.ledger.register.texts, after=after, limit=limit
        )
        if found["next"] is not None:
            found["next"] = f"{first.version}.{last.version}.{found['next']}"
        # The log is read itself, which may be ahead of the read model.
        reached = max(position, state.ledger.recorder.position_of(fund, replayed.version))
        return {"fund": fund, "version": replayed.version, "position": reached, **found}

    found = await asyncio.to_thread(asked)
    headers = {"ETag": f'"{found["version"]}"', "Content-Language": language}
    return in_json(found, headers=headers)


def _turned_to(cursor: str | None, first: Point, last: Point) -> tuple[Point, Point, int]:
    """The points as the page before saw them, and the version it ended with. Raises `CursorInvalid`."""
    if cursor is None:
        return first, last, 0
    if not (pinned := PINNED.fullmatch(cursor)):
        raise CursorInvalid
    known_first, known_last, after = map(int, pinned.groups())
    return Point(first.as_of, known_first), Point(last.as_of, known_last), after


@router.get("/funds/{fund}/entries/{version}")
async def one_entry(request: Request, query: AtPoint, version: PathNumber) -> Response:
    """One entry: its legs, every figure they touch before and after it in the order of recording, the bylaws in force
    on its day as they were known, its line as it is stored with the line's SHA-256, and what was noted with it.

    `version` is its own, the ETag the fund's; `neighbours` are the entries before and after it in the log.
    """
    language = language_of(accept_language(request.scope))

    def ask(reader: Reader) -> Answer | None:
        found = journal.entry(reader, query.fund, version)
        if found is None or found["on"] > query.as_of.isoformat():
            return None
        after = journal.entry(reader, query.fund, version + 1)
        neighbours = {"previous": version - 1 or None, "next": after and after["version"]}
        with showing([found["member"]]):
            entry = found | _opened(query, version, language) | {"neighbours": neighbours}
        return with_names(query, reader, entry, [found])

    return await answered(query, ask)


def _opened(query: FundQuery, version: int, language: str) -> Answer:
    """An entry's line, and what the fund replayed up to it has to say."""
    (line,) = query.state.ledger.recorder.lines(query.fund, version - 1, version)
    fund = query.state.ledger.replayed(query.fund, upto=version)
    event = fund.entries[-1]
    effect = entry_effect(fund, query.as_of, language, query.state.ledger.register.texts)
    return effect | {
        "check_code": check_code(fund.head),
        "texts": query.texts(event.texts or {}),
        "line": line.decode(),
        "hash": fund.head,
        "prev": event.prev,
    }

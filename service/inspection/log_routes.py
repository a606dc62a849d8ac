"""The log itself, for those who trust no figure: the stored lines, whether they hold together, and what comes next."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from ledger.events import is_fund
from ledger.history import verify
from ledger.projections import journal
from ledger.projections.tables import Reader
from ledger.storage.lines import NO_LIMIT
from service.access.authentication import still
from service.access.dependencies import AtThrottle, Neighbourhood
from service.access.places import AtPlaces, Places
from service.access.principals import Principal
from service.access.roles import FIGURE_READERS, MEMBERS, READERS, admitted
from service.http.answers import in_json
from service.http.fields import (
    MOST_ITEMS,
    CheckCode,
    FundCode,
    Head,
    Limit,
    PathNumber,
    Position,
    VoucherNumber,
    WaitSeconds,
)
from service.http.parsing import StrictRoute
from service.http.refusals import FieldError, Forbidden, InvalidFields, PositionBeyondEnd
from service.http.state import AppState, AtState
from service.inspection.check_codes import checks
from service.reads.dependencies import CaughtUp
from service.reads.query import Answer, ask_tables

router = APIRouter(prefix="/v1", route_class=StrictRoute)

LINES_AT_ONCE: Final = 1_000
POLL_SECONDS: Final = 1.0
"""How often a waiting feed looks for what other processes committed; this one's own commits are notified at once."""


@router.get("/funds/{fund}/history", dependencies=[Depends(admitted(READERS))])
async def history(state: AtState, fund: FundCode, known_version: PathNumber | None = None) -> Response:
    """The stored lines, byte for byte, oldest first, as `application/x-ndjson`.

    `prev` of each is the SHA-256 of the line before it, so any program can check them.
    """

    upto = known_version or NO_LIMIT

    async def stretch(after: int) -> list[bytes]:
        return await asyncio.to_thread(state.ledger.recorder.lines, fund, after, min(after + LINES_AT_ONCE, upto))

    first = await stretch(0)  # Before the answer begins: what cannot be read is no empty history.

    async def lines() -> AsyncIterator[bytes]:
        after, some = 0, first
        while some:
            yield b"".join(line + b"\n" for line in some)
            after += LINES_AT_ONCE
            some = await stretch(after) if after < upto else []

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/funds/{fund}/verification")
async def verification(
    state: AtState,
    principal: Annotated[Principal, Depends(admitted(FIGURE_READERS | MEMBERS))],
    fund: FundCode,
    code: CheckCode | None = None,
    head: Head | None = None,
    voucher: VoucherNumber | None = None,
) -> Response:
    """Whether the fund's lines hold together, and where what stands on paper belongs: `code` or `head` asks which
    version a check code or a printed head is of, `voucher` which entries bear its number, and whether it was reversed.

    A member asks about a `code`, as it stands in the paper book, and about nothing else.
    """
    if not principal.roles & FIGURE_READERS and (code is None or head is not None or voucher is not None):
        raise Forbidden
    if code is not None and head is not None:
        raise InvalidFields([FieldError("?head", "given-twice")])
    lines = await asyncio.to_thread(state.ledger.recorder.lines, fund, 0, None)
    found = await asyncio.to_thread(verify, lines, code=code, head=head, voucher=voucher)
    return in_json(found)


@router.get("/check")
async def check(
    state: AtState,
    throttle: AtThrottle,
    address: Neighbourhood,
    wanted: CaughtUp,
    fund: Annotated[FundCode, Query()],
    code: CheckCode,
) -> Response:
    """Whether a check code in a paper book belongs to a fund's history, and to which day. Needs no token; the same work
    for every code of every fund, so that nobody learns which funds there are."""
    await throttle.attempt(checks(state.settings), address)

    def question(tables: Reader, _: int) -> Answer | None:
        return journal.entry_of_code(tables, fund, code.replace("-", ""))

    found = await asyncio.to_thread(ask_tables, state, wanted, question)
    answer = {"fund": fund, "matches": found is not None, "on": found and found["on"]}
    return in_json(answer)


@router.get("/feed")
async def feed(
    request: Request,
    state: AtState,
    places: AtPlaces,
    principal: Annotated[Principal, Depends(admitted(READERS))],
    after: Position = 0,
    wait: WaitSeconds = 0,
    limit: Limit = 100,
) -> Response:
    """Events of all clubs in scope after a position, in the order they were recorded, without names; none of practice.

    Waits up to `wait` seconds for something new; `next` is the position to ask after the next time. After a position
    that the log has not reached nothing is answered: what comes before it would be missed.
    """
    end = await asyncio.to_thread(lambda: state.ledger.recorder.max_notification_id() or 0)
    if after > end:
        raise PositionBeyondEnd(position=end)
    give_up_at = asyncio.get_running_loop().time() + wait
    while True:
        items, after = await _events(state, places, principal, after, limit)
        left = give_up_at - asyncio.get_running_loop().time()
        if items or left <= 0:
            return in_json({"items": items, "next": after})
        await state.notifier.wait(min(left, POLL_SECONDS))
        principal = await _still(request)


async def _still(request: Request) -> Principal:
    """Who waits, looked up anew. Raises `Unauthorized`, `Forbidden`."""
    holder = await still(request)
    if not holder.roles & READERS:
        raise Forbidden
    return holder


async def _events(
    state: AppState, places: Places, principal: Principal, after: int, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """The events in scope of the next stretch of the log that has any, and the position reached."""
    items: list[dict[str, Any]] = []
    while True:
        stretch = await asyncio.to_thread(
            state.ledger.recorder.select_notifications, after or None, MOST_ITEMS, inclusive_of_start=False
        )
        for notification in stretch:
            after = notification.id
            if not is_fund(notification.originator_id):
                continue
            place = await places.place_of(notification.originator_id)
            assert place, "an event's fund was opened before it"
            is_real = not await places.is_for_practice(notification.originator_id)
            if is_real and principal.scope.holds(notification.originator_id, place):
                items.append({"position": after, "event": msgspec.Raw(notification.state)})
            if len(items) == limit:
                return items, after
        if items or len(stretch) < MOST_ITEMS:
            return items, after

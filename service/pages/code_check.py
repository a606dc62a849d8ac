"""A check code from the paper book: does it fit the book? For anybody who has the paper in hand."""

import asyncio
import re

from fastapi import APIRouter, Request, Response

from ledger.events import FUND_CODE
from ledger.projections import funds, journal
from ledger.projections.tables import Reader
from service.access.dependencies import AtThrottle, Neighbourhood
from service.access.places import places_of
from service.access.principals import Principal
from service.access.roles import FIGURE_READERS, MEMBERS, sees_people
from service.http.state import AtState
from service.inspection.check_codes import checks, readings
from service.pages.layout import PageRoute, page
from service.reads.dependencies import CaughtUp
from service.reads.query import Answer, ask_tables

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/check")
async def check_code(
    request: Request,
    state: AtState,
    throttle: AtThrottle,
    address: Neighbourhood,
    wanted: CaughtUp,
    club: str = "",
    code: str = "",
) -> Response:
    """Whether the code belongs to the club's book, and to which day; for who may read that book, also to which entry,
    and how many came after it. The same is done for every code of every club, as at `/v1/check`."""
    club, written = club.strip().upper()[:40], code.strip()[:40]
    if not club and not written:
        return _shown(request)
    codes = readings(written)
    if not codes or not re.fullmatch(FUND_CODE, club):
        return _shown(request, 422, club, written, wrong="code" if not codes else "club")
    await throttle.attempt(checks(state.settings), address)

    def question(tables: Reader, _: int) -> tuple[Answer | None, int]:
        found = (journal.entry_of_code(tables, club, each) for each in codes)
        standing = funds.standing(tables, club)
        return next((entry for entry in found if entry), None), standing["version"] if standing else 0

    entry, version = await asyncio.to_thread(ask_tables, state, wanted, question)
    reader = await _reader(request, club)
    later = version - entry["version"] if entry and reader else None
    opens = reader is not None and sees_people(reader)
    return _shown(request, 200, club, written, checked=True, entry=entry, later=later, opens=opens)


def _shown(request: Request, status: int = 200, club: str = "", code: str = "", **found: object) -> Response:
    facts = {"wrong": "", "checked": False, "entry": None, "later": None, "opens": False} | found
    return page(request, "code-check", status, asked_club=club, asked_code=code, **facts)


async def _reader(request: Request, club: str) -> Principal | None:
    """Whoever asks, if they may read the club's figures."""
    principal: Principal | None = request.scope.get("principal")
    if principal is None or not principal.roles & (FIGURE_READERS | MEMBERS):
        return None
    place = await places_of(request).place_of(club)
    return principal if place is not None and principal.holds(club, place) else None

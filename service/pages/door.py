"""The way in: the start, which leads everybody to what is theirs, and the list of clubs."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.projections import funds
from ledger.projections.tables import Reader
from ledger.register import folded
from service.access.places import places_of
from service.access.principals import Principal
from service.access.roles import FIGURE_READERS, INSPECTORS, WRITERS, admitted, scope_of
from service.http.state import AppState, AtState
from service.inspection.dependencies import AtFlagService
from service.pages.layout import PageRoute, page, see_other, wants_page
from service.pages.typed import typed_in
from service.reads.dependencies import CaughtUp
from service.reads.query import ask_tables, last_code
from service.reports.questions import FREEZERS
from service.writes.practice import own_practice_club

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DOORS = {"service": "microfund", "docs": "/docs", "openapi": "/openapi.json", "check": "/v1/check"}
CLUBS_A_PAGE = 50
OVERSEERS = INSPECTORS | FREEZERS
"""Who has to do with many clubs, and so with the plan."""
MOST_SEARCHED = 10_000


@router.get("/")
async def start(request: Request) -> Response:
    """Leads a person to their club or clubs, and a stranger to what this is; for a program, the addresses it can go on
    from."""
    if not wants_page(request):
        return Response(msgspec.json.encode(DOORS), headers={"Vary": "Accept"}, media_type="application/json")
    principal: Principal | None = request.scope.get("principal")
    if principal is None:
        return page(request, "start")
    named = sorted(principal.scope.funds)
    return see_other(f"/clubs/{named[0]}" if len(named) == 1 else "/clubs")


@router.get("/clubs", dependencies=[Depends(admitted(FIGURE_READERS))])
async def clubs(
    request: Request, state: AtState, flag_service: AtFlagService, wanted: CaughtUp, after: str | None = None
) -> Response:
    """The clubs in scope, for an inspector those first about which there is most to ask; and apart from them, for they
    are of no list, the club that one practises on."""
    found = await asyncio.to_thread(_clubs, request, state, wanted, after, CLUBS_A_PAGE)
    items, principal = found["items"], request.scope["principal"]
    if principal.roles & INSPECTORS:
        rows = {club["fund"]: club for club in items}
        items = [rows[told["fund"]] | told for told in await flag_service.summaries(items, state.today())]
    records = bool(principal.roles & WRITERS)
    own = await own_practice_club(principal, places_of(request)) if records and not after else None
    oversees = bool(principal.roles & OVERSEERS)
    shown = {"clubs": items, "next": found["next"], "sought": "", "own": own, "records": records}
    return page(request, "clubs", oversees=oversees, **shown)


@router.post("/clubs", dependencies=[Depends(admitted(FIGURE_READERS))])
async def search(request: Request, state: AtState, wanted: CaughtUp) -> Response:
    """The clubs whose name or code holds what was typed, without regard to marks."""
    sought = (await typed_in(request)).get("q", "").strip()
    found = await asyncio.to_thread(_clubs, request, state, wanted, None, MOST_SEARCHED)
    named = [club for club in found["items"] if folded(sought) in folded(f"{club['club']} {club['fund']}")]
    return page(
        request, "clubs", clubs=named[:CLUBS_A_PAGE], next=None, sought=sought, own=None, records=False, oversees=False
    )


def _clubs(request: Request, state: AppState, wanted: int, after: str | None, most: int) -> dict[str, Any]:
    scope = scope_of(request.scope["principal"])

    def ask(tables: Reader, _: int) -> dict[str, Any]:
        return funds.funds(tables, scope, state.today(), after=last_code(after), limit=most)

    return ask_tables(state, wanted, ask)

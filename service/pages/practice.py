"""Practising: what it is, and a made-up club of one's own to do it on."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.refusals import FundExists
from service.access.places import places_of
from service.access.principals import Principal
from service.access.roles import WRITERS, admitted
from service.http.state import AtState
from service.pages.layout import PageRoute, page, see_other
from service.pages.steps import new_key, sent_as
from service.pages.typed import typed_in
from service.writes.practice import open_practice_club

router = APIRouter(route_class=PageRoute, include_in_schema=False)

RECORDING: Final = [Depends(admitted(WRITERS))]


@router.get("/practice", dependencies=RECORDING)
async def practice(request: Request) -> Response:
    """What practising is; and the way to one's own club, or a button that makes it."""
    return page(request, "practice", own=await own_practice_club(request), key=new_key())


@router.post("/practice", dependencies=RECORDING)
async def begin(request: Request, state: AtState) -> Response:
    """Make the club that one practises on, and go there; who has one is led there."""
    context, own = sent_as(request, await typed_in(request)), await own_practice_club(request)
    if own is None:
        try:
            own = (await open_practice_club(context, state=state)).fund
        except FundExists:  # By another press of the button.
            own = context.principal.practice_codes[0]
    return see_other(f"/clubs/{own}")


async def own_practice_club(request: Request) -> str | None:
    """The code of the club that whoever asks practises on; None before there is one."""
    principal: Principal = request.scope["principal"]
    for code in principal.practice_codes if principal.roles & WRITERS else ():
        if await places_of(request).place_of(code):
            return code
    return None

"""Practising: what it is, and a made-up club of one's own to do it on."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from service.access.places import AtPlaces
from service.access.roles import WRITERS, admitted
from service.http.state import AtState
from service.pages.layout import PageRoute, page, see_other
from service.pages.steps import new_key, sent_as
from service.pages.typed import typed_in
from service.writes.practice import own_practice_club, ready_practice_club

router = APIRouter(route_class=PageRoute, include_in_schema=False)

RECORDING: Final = [Depends(admitted(WRITERS))]


@router.get("/practice", dependencies=RECORDING)
async def practice(request: Request, places: AtPlaces) -> Response:
    """What practising is; and the way to one's own club, or a button that makes it."""
    own = await own_practice_club(request.scope["principal"], places)
    return page(request, "practice", own=own, key=new_key())


@router.post("/practice", dependencies=RECORDING)
async def begin(request: Request, state: AtState, places: AtPlaces) -> Response:
    """Make the club that one practises on, and go there; who has one is led there."""
    context = sent_as(request, await typed_in(request))
    return see_other(f"/clubs/{await ready_practice_club(context, places, state=state)}")

"""The club to practise on over HTTP."""

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from service.access.places import AtPlaces
from service.access.roles import WRITERS, admitted
from service.http.body import Nothing
from service.http.parsing import StrictRoute
from service.http.state import AtState
from service.writes.dependencies import AsSent
from service.writes.practice import own_practice_club, ready_practice_club

router = APIRouter(prefix="/v1", route_class=StrictRoute)


DRY_RUN: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "What would be made: a dry run"}}


@router.post("/practice", status_code=201, dependencies=[Depends(admitted(WRITERS))], responses=DRY_RUN)
async def practise(request: Request, state: AtState, places: AtPlaces, context: AsSent, body: Nothing) -> Response:
    """Make the club that you practise on, with made-up members, loans and dues; asked again it is the same one.

    Nobody else is let into it, it is in no figure or list across clubs, and it never becomes a real one.
    """
    had = await own_practice_club(context.principal, places)
    fund = had or await ready_practice_club(context, places, state=state)
    headers = {"Idempotency-Replayed": "true"} if had else {}
    content = msgspec.json.encode({"fund": fund, "practice": True})
    return Response(content, 200 if context.dry_run else 201, headers, "application/json")

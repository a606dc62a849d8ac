"""The start: what this is, and where to go from here."""

import msgspec
from fastapi import APIRouter, Request, Response

from service.pages.layout import page, wants_page

router = APIRouter()

DOORS = {"service": "microfund", "docs": "/docs", "openapi": "/openapi.json", "check": "/v1/check"}


@router.get("/", include_in_schema=False)
async def start(request: Request) -> Response:
    """A page for a person; for a program, the addresses it can go on from."""
    if wants_page(request):
        return page(request, "start")
    return Response(msgspec.json.encode(DOORS), headers={"Vary": "Accept"}, media_type="application/json")

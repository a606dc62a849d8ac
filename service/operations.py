"""What operators and programs ask: alive, ready, figures, the API's document."""

import asyncio
from typing import Any

import msgspec
from eventsourcing.persistence import PersistenceError
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from ledger.health import why_not_read
from service.desk import AtDesk, Desk
from service.problems import RETRY_SECONDS

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """The process is alive."""
    return _json({"status": "alive"})


@router.get("/readyz", responses={503: {"description": "Nothing can be read, or nothing stored: `storage` says why"}})
async def readyz(desk: AtDesk) -> Response:
    """The storage is reached and takes what is recorded, how far behind the read model is, and since when this copy of
    the service has seen no new checkpoint or what keeps it from making one; `findings` are what an operator should
    know. 503 while nothing can be read or stored: `storage` says why."""
    try:
        found = await asyncio.to_thread(_found, desk)
    except PersistenceError as error:
        found = {"storage": {"trouble": desk.storage_trouble() or why_not_read(error)}, "findings": desk.findings()}
    is_ready = found["storage"]["trouble"] is None
    return _json({"status": "ready" if is_ready else "not ready"} | found, is_ready=is_ready)


def _found(desk: Desk) -> dict[str, Any]:
    lag, parked, follower = desk.read_model.lag(), len(desk.read_model.parked()), desk.follower
    return {
        "storage": {"trouble": desk.storage_trouble()},
        "read_model": {"position": follower.position, "lag": lag, "parked": parked, "trouble": follower.trouble},
        "checkpoint": {"made_at": desk.anchoring.made_at, "trouble": desk.checkpoint_trouble()},
        "findings": desk.findings(),
    }


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus; nothing about people or money."""
    text = await asyncio.to_thread(request.app.state.metrics.text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The API's document."""
    return _json(request.app.openapi())


def _json(content: Any, *, is_ready: bool = True) -> Response:
    status, headers = (200, {}) if is_ready else (503, {"Retry-After": str(RETRY_SECONDS)})
    return Response(msgspec.json.encode(content), status, headers, "application/json")

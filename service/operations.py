"""What operators and programs ask: alive, ready, figures, the API's document."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from ledger.application import StorageUnavailable
from ledger.losses import Loss
from service.desk import AtDesk

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """The process is alive."""
    return _json({"status": "alive"})


@router.get("/readyz")
async def readyz(desk: AtDesk) -> Response:
    """The storage is reached, how far behind the read model is, and since when this copy of the service has seen no
    new checkpoint or what keeps it from making one; `lost` are versions of funds that were acknowledged and that the
    log no longer holds; `findings` are what an operator should know."""

    def asked() -> tuple[int, int, list[Loss]]:
        if trouble := desk.storage.trouble():
            raise StorageUnavailable(trouble)
        return desk.read_model.lag(), len(desk.read_model.parked()), desk.ledger.losses.told()

    lag, parked, lost = await asyncio.to_thread(asked)
    read_model = {"position": desk.follower.position, "lag": lag, "parked": parked, "trouble": desk.follower.trouble}
    checkpoint = {"made_at": desk.anchoring.made_at, "trouble": desk.anchoring.trouble}
    answer = {"status": "ready", "read_model": read_model, "checkpoint": checkpoint, "lost": lost}
    return _json(answer | {"findings": desk.findings()})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus; nothing about people or money."""
    text = await asyncio.to_thread(request.app.state.metrics.text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The API's document."""
    return _json(request.app.openapi())


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")

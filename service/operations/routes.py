"""What operators and programs ask: alive, ready, figures, the API's document."""

import asyncio
from typing import Any

from eventsourcing.persistence import PersistenceError
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from ledger.checkpoints import Checkpoints
from ledger.health import why_not_read
from ledger.projections.read_model import ReadModelBroken
from service.checkpoints.anchoring import Anchoring
from service.checkpoints.dependencies import AtAnchoring, AtCheckpoints
from service.checkpoints.signing import key_findings, key_trouble
from service.http.answers import in_json
from service.http.problems import RETRY_SECONDS
from service.http.state import AppState, AtState

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """The process is alive."""
    return _json({"status": "alive"})


@router.get("/readyz", responses={503: {"description": "Nothing can be read, stored or shown: a `trouble` says why"}})
async def readyz(state: AtState, checkpoints: AtCheckpoints, anchoring: AtAnchoring) -> Response:
    """The storage is reached and takes what is recorded, how far behind the read model is, and since when this copy of
    the service has seen no new checkpoint or what keeps it from making one; `lost` are versions of funds that were
    acknowledged and that the log no longer holds, `wrong_states` kept states of funds that were not what their logs
    come to; `findings` are what an operator should know.

    503 while nothing can be read or stored, or no figures are given: the `trouble` of `storage` or `read_model` says
    why."""
    found = await asyncio.to_thread(_found, state, checkpoints, anchoring)
    is_ready = not any(found[part]["trouble"] for part in ("storage", "read_model") if part in found)
    return _json({"status": "ready" if is_ready else "not ready"} | found, is_ready=is_ready)


def _found(state: AppState, checkpoints: Checkpoints, anchoring: Anchoring) -> dict[str, Any]:
    findings = [*state.storage.findings(), *key_findings(state.settings)]
    found: dict[str, Any] = {"storage": {"trouble": None}, "findings": findings}
    try:
        found["storage"]["trouble"] = state.storage_trouble()
        findings += state.ledger.register.findings()
        found["read_model"] = _read_model(state)
        trouble = key_trouble(state.settings, checkpoints) or anchoring.trouble
        found["checkpoint"] = {"made_at": anchoring.made_at, "trouble": trouble}
        found["lost"] = state.ledger.losses.found()
        found["wrong_states"] = [
            {"fund": wrong.log, "version": wrong.version, "parts": wrong.parts} for wrong in anchoring.wrong_states
        ]
    except PersistenceError as error:
        found["storage"]["trouble"] = found["storage"]["trouble"] or why_not_read(error)
    return found


def _read_model(state: AppState) -> dict[str, Any]:
    """Where the tables are, and the name of what keeps figures from being given, or the tables from following."""
    model, trouble = state.read_model, state.follower.trouble
    try:
        position, parked = model.ask(lambda tables, position: (position, len(model.parked(tables))))
    except ReadModelBroken as broken:
        return {"position": None, "lag": None, "parked": None, "trouble": type(broken).__name__}
    if position < state.log_at_start and not state.has_lost_its_tail():
        trouble = trouble or "CatchingUp"
    return {"position": position, "lag": model.lag(), "parked": parked, "trouble": trouble}


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
    return in_json(content, status, headers)

"""What writes read of a request beside its body: by whom it was sent, under which key, on what condition; and their
response."""

import re
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel

from ledger.events import Request as RequestMark
from ledger.jobs import Recorded
from service.access.approval import NOT_NEEDED, ApprovalPin, approval_of
from service.http.answers import in_json
from service.http.parsing import header
from service.http.refusals import (
    FieldError,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IfMatchInvalid,
    InvalidFields,
)
from service.http.state import state_of
from service.writes.calls import RequestContext, digest_of

KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ETAG: Final = re.compile(r'"(0|[1-9][0-9]{0,9})"')


def _mark(request: Request, key: str | None, secret: bytes) -> RequestMark | None:
    """The request's key with a keyed digest of the body as it was sent, its defaults not filled in: a day left out
    means the same request tomorrow."""
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return RequestMark(key, digest_of(f"{request.method} {request.scope['path']}", request.state.body, secret))


def _expected(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    if not (version := _ETAG.fullmatch(if_match.strip())):
        raise IfMatchInvalid
    return int(version[1])


async def request_context(
    request: Request,
    dry_run: Annotated[
        Literal["true", "false"], Query(description="Only say what would be recorded; records nothing, spends no key.")
    ] = "false",
    idempotency_key: Annotated[
        str | None,
        Header(
            description="8 to 64 of `A-Za-z0-9_-`; required unless it is a dry run.", examples=["meeting-2026-01-15-7"]
        ),
    ] = None,
    if_match: Annotated[
        str | None, Header(description="Record only if the fund is still at this version.", examples=['"12"'])
    ] = None,
    approval_pin: ApprovalPin = None,
) -> RequestContext:
    """How a request was sent. The signature documents it; what is read is the request itself, as in all writes."""
    return context_of(request)


AsSent = Annotated[RequestContext, Depends(request_context)]

KNOWN: Final = frozenset({"dry_run"})
"""The query parameters of a write."""


def context_of(request: Request) -> RequestContext:
    """How a request was sent, read from it. Raises `InvalidFields` and what is wrong with its headers."""
    scope = request.scope
    dry_run = request.query_params.get("dry_run", "false") if scope["query_string"] else "false"
    if dry_run not in ("true", "false"):
        raise InvalidFields([FieldError("?dry_run", "value-not-allowed", {"allowed": "true, false"})])
    state, key = state_of(request), header(scope, b"idempotency-key")
    if key is None and dry_run == "false":
        raise IdempotencyKeyMissing
    mark = _mark(request, key, state.ledger.request_secret)
    version = _expected(header(scope, b"if-match"))
    approval = NOT_NEEDED if dry_run == "true" else approval_of(scope)
    return RequestContext(scope["principal"], state.now(), mark, version, dry_run == "true", approval)


def write_response(recorded: Recorded, context: RequestContext, answer: dict[str, Any], language: str) -> Response:
    """The response to a write, with the fund's version as the ETag."""
    headers = {"ETag": f'"{recorded.version}"', "Content-Language": language}
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    return in_json(answer, 200 if context.dry_run else 201, headers)


def recorded_in_json(content: Any, context: RequestContext, *, replayed: bool) -> Response:
    """The response to an act outside the funds: what was recorded, or would be."""
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return in_json(content, 200 if context.dry_run else 201, headers)


def recording(model: type[BaseModel]) -> dict[str, Any]:
    """What the API's document says of a route that records, or finds out what it would record."""
    dry_run = {"model": model, "description": "What would be recorded: a dry run"}
    return {"status_code": 201, "response_model": model, "responses": {200: dry_run}}

"""Answers to what cannot be done: RFC 9457 problems in the reader's language.

One table says which refusal answers with which HTTP status. The words come from the catalogue; nothing that was sent
is repeated, save facts the rules have understood.
"""

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from eventsourcing.persistence import PersistenceError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from ledger import application, jobs, writer
from ledger.aggregates.log import BrokenChain
from ledger.projections.batch import DoesNotFollow, ReadModelBroken
from ledger.refusals import (
    Conflict,
    IdempotencyKeyReused,
    LinesRefused,
    NotFound,
    Refusal,
    RegisterKeyUnusable,
    VersionMismatch,
)
from service.http.asked import note_refusal
from service.http.parsing import accept_language
from service.http.refusals import (
    BodyTooLarge,
    CheckpointKeyUnusable,
    CursorInvalid,
    DuplicateKey,
    FieldError,
    FiguresNotReady,
    Forbidden,
    HeaderGivenTwice,
    HistoryBroken,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IfMatchInvalid,
    InternalError,
    InvalidFields,
    InvalidUtf8,
    MalformedJson,
    MethodNotAllowed,
    NotANumber,
    PdfUnavailable,
    PinLocked,
    PositionNotReached,
    QueueFull,
    StorageUnavailable,
    TooDeep,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    within,
)
from service.words import catalogue
from service.words.wording import language_of

log = logging.getLogger("microfund")

M = TypeVar("M", bound=BaseModel)

RETRY_SECONDS: Final = 2
"""After how long storage that is away, or a full queue, is worth another try."""


STATUS: Final[dict[type[Refusal], int]] = {
    Refusal: 422,
    NotFound: 404,
    Conflict: 409,
    VersionMismatch: 412,
    IdempotencyKeyReused: 422,
    MalformedJson: 400,
    InvalidUtf8: 400,
    DuplicateKey: 400,
    NotANumber: 400,
    TooDeep: 400,
    HeaderGivenTwice: 400,
    IdempotencyKeyMissing: 400,
    IdempotencyKeyInvalid: 400,
    IfMatchInvalid: 400,
    CursorInvalid: 400,
    Unauthorized: 401,
    Forbidden: 403,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    TooManyRequests: 429,
    PinLocked: 429,
    StorageUnavailable: 503,
    QueueFull: 503,
    CheckpointKeyUnusable: 503,
    RegisterKeyUnusable: 503,
    PositionNotReached: 503,
    FiguresNotReady: 503,
    InternalError: 500,
    PdfUnavailable: 501,
    HistoryBroken: 500,
}
"""The HTTP status of each refusal; one that is not listed answers as the class it is a kind of."""

MEMBERS: Final = {"status": "loan_status"}
"""Facts whose own name RFC 9457 has taken."""


def status_of(refusal: Refusal) -> int:
    """The HTTP status a refusal answers with."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def problem(refusal: Refusal, language: str) -> dict[str, Any]:
    """The problem a refusal is told as."""
    note_refusal(refusal.code)
    key, facts = f"refusal.{refusal.code}", _spoken(refusal.facts)
    body = {
        "type": f"urn:microfund:problem:{refusal.code}",
        "title": catalogue.render(f"{key}.title", language),
        "status": status_of(refusal),
        "detail": catalogue.render(f"{key}.detail", language, **facts),
        "code": refusal.code,
    }
    return body | {MEMBERS.get(name, name): value for name, value in refusal.facts.items()}


def _spoken(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as the catalogue takes them: a list of plain values becomes text, except codes that have words."""
    return {name: value for name, value in facts.items() if value is not None}


def field_problem(error: FieldError, language: str) -> dict[str, Any]:
    """One item of `errors`."""
    detail = catalogue.render(f"refusal.{error.code}.detail", language, **error.facts)
    return {"pointer": error.pointer, "code": error.code, "detail": detail}


def problem_with_errors(refusal: Refusal, language: str, body: Any = None) -> dict[str, Any]:
    """The problem a refusal is told as, with `errors` for the fields at fault; `body` is what was sent."""
    errors = [field_problem(error, language) for error in _errors(refusal, body)]
    return problem(refusal, language) | ({"errors": errors} if errors else {})


def problem_response(refusal: Refusal, accept_language: str | None, body: Any = None) -> Response:
    """The response for a refusal; `body` is what was sent, to point at the field that is at fault."""
    language = language_of(accept_language)
    content = problem_with_errors(refusal, language, body)
    headers = {"Content-Language": language}
    if isinstance(refusal, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="microfund"'
    if isinstance(refusal, MethodNotAllowed):
        headers["Allow"] = str(refusal.facts["allowed"])
    if content["status"] in (429, 503) and not isinstance(refusal, PinLocked):  # That one no waiting mends.
        headers["Retry-After"] = str(refusal.facts.get("retry_after", RETRY_SECONDS))
    return Response(msgspec.json.encode(content), content["status"], headers, "application/problem+json")


def _errors(refusal: Refusal, body: Any) -> Iterable[FieldError]:
    match refusal:
        case InvalidFields():
            yield from refusal.errors
        case LinesRefused():
            for index, line in enumerate(refusal.lines):
                if line.refusal:
                    yield FieldError(f"/lines/{index}", line.refusal.code, _spoken(line.refusal.facts))
        case _:
            yield from _at_fault(refusal, body)


def _at_fault(refusal: Refusal, body: Any) -> Iterable[FieldError]:
    """The field a rule found at fault, if it stands in the body or in a part of it."""
    if refusal.field is None or not isinstance(body, dict):
        return
    parts = {"": body} | {f"/{name}": part for name, part in body.items() if isinstance(part, dict)}
    for pointer, part in parts.items():
        if refusal.field in part:
            yield FieldError(f"{pointer}/{refusal.field}", refusal.code, _spoken(refusal.facts))
            return


# --- from exceptions to refusals ----------------------------------------------------------------------------------

_KINDS: Final = {
    "string_type": "text",
    "bool_type": "boolean",
    "model_type": "object",
    "model_attributes_type": "object",
    "dict_type": "object",
    "list_type": "list",
}


def invalid_fields(error: RequestValidationError) -> Refusal:
    """Pydantic's findings as ours: stable codes, and nothing of what was sent. A wrong path is simply not found."""
    found = error.errors()
    if any(finding["loc"][0] == "path" for finding in found):
        return NotFound()
    return InvalidFields([_field_error(finding, error.body) for finding in found])


def misfitting(found: Sequence[Mapping[str, Any]], body: Any) -> InvalidFields:
    """Pydantic's findings on a body."""
    return InvalidFields([_field_error({**finding, "loc": ("body", *finding["loc"])}, body) for finding in found])


def fitted(model: type[M], body: Any) -> M:
    """The body as a model of ours. Raises `InvalidFields`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise misfitting(error.errors(), body) from None


def parameters_of(model: type[M], given: Mapping[str, str]) -> M:
    """The query parameters of a request as a model of ours. Raises `InvalidFields`."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = [{**finding, "loc": ("query", *finding["loc"])} for finding in error.errors()]
        raise InvalidFields([_field_error(finding, given) for finding in found]) from None


def misread(found: Sequence[Mapping[str, Any]], line: Any, index: int) -> InvalidFields:
    """Pydantic's findings on one line of a sheet."""
    errors = misfitting(found, line).errors
    return InvalidFields([error._replace(pointer=f"/lines/{index}{error.pointer}") for error in errors])


def _pointer(location: Sequence[str | int], body: Any) -> str:
    """Where a finding lies. Pydantic names the kind of a replacement as a step of its own, which no body has."""
    where, *path = location
    if where == "query":
        return f"?{path[0]}"
    pointer = ""
    for number, step in enumerate(path, start=1):
        is_step = step in body if isinstance(body, dict) else isinstance(step, int)
        if is_step or number == len(path):
            pointer = within(pointer, step)
        if is_step:
            body = body[step]
    return pointer


def _field_error(finding: Mapping[str, Any], body: Any) -> FieldError:
    pointer = _pointer(finding["loc"], body)
    kind, context = finding["type"], finding.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return FieldError(pointer, "unknown-field")
        case "missing":
            return FieldError(pointer, "field-missing")
        case "int_type" | "int_from_float" | "int_parsing":
            return FieldError(pointer, "not-an-integer")
        case "literal_error":
            return FieldError(pointer, "value-not-allowed", {"allowed": _listed(context["expected"])})
        case "union_tag_not_found":
            return FieldError(f"{pointer}/type", "field-missing")
        case "union_tag_invalid":
            return FieldError(f"{pointer}/type", "value-not-allowed", {"allowed": _listed(context["expected_tags"])})
        case _ if kind in _KINDS:
            return FieldError(pointer, "wrong-type", {"expected": _KINDS[kind]})
    assert "-" in kind, f"a body model answers with {kind}, for which there are no words"
    return FieldError(pointer, kind, context)


def _listed(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def refusal_for(error: Exception) -> Refusal:
    """What an exception means to whoever asked."""
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            return invalid_fields(error)
        case _ if isinstance(error, (jobs.StorageUnavailable, *application.PASSING)):
            return StorageUnavailable(retry_after=RETRY_SECONDS)
        case writer.QueueFull():
            return QueueFull(retry_after=RETRY_SECONDS)
        case BrokenChain() | DoesNotFollow():
            log.error("%s", error)
            return HistoryBroken(fund=error.fund, version=error.version)
        case ReadModelBroken():
            log.error("no figures: %s", type(error).__name__)
            return FiguresNotReady()
        case HTTPException(status_code=404):
            return NotFound()
    # The message of an exception may hold what somebody sent; its type and place are enough to find the fault.
    log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return InternalError()


def methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods an address accepts, all its routes together; Starlette names those of the first one only."""
    routes = [route for route in app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    found = {method for route in routes for method in route.methods or ()}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def add_problem_handlers(app: FastAPI) -> None:
    """Have every exception the routes raise answered as a problem."""

    async def respond(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error = MethodNotAllowed(allowed=", ".join(methods_at(app, request.url.path)))
        return problem_response(
            refusal_for(error), accept_language(request.scope), getattr(request.state, "body", None)
        )

    kinds = (Refusal, RequestValidationError, HTTPException, PersistenceError, BrokenChain, DoesNotFollow)
    for kind in (*kinds, jobs.StorageUnavailable, writer.QueueFull):
        app.add_exception_handler(kind, respond)

"""The API's document, completed: problems, tokens and phones, and what every write answers and needs."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; the facts of the refusal are further members.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In the language of Accept-Language: vi or en."},
        "code": {"type": "string", "examples": ["insufficient-funds"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}

DESCRIPTION: Final = (
    "The ledger of village self-help clubs. Money is a whole number of đồng; a day is YYYY-MM-DD in the village. Every "
    "write needs an Idempotency-Key, so that sending it again never records it twice."
)

_INTEGER: Final = {"type": "integer"}
_TEXT: Final = {"type": "string"}
RECORDED: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What was recorded. Of several facts in one act, `type` is the first, `version` the last; "
    "`entries` tells each.",
    "required": ["fund", "version", "position", "type", "on", "recorded_at", "check_code", "sentence"],
    "properties": {
        "fund": _TEXT,
        "version": _INTEGER,
        "position": {"type": ["integer", "null"], "description": "In the whole log; null for a dry run."},
        "type": {"type": "string", "examples": ["ContributionReceived"]},
        "on": {"type": "string", "format": "date"},
        "recorded_at": {"type": "string", "format": "date-time"},
        "check_code": {"type": ["string", "null"], "examples": ["VVFP-HHXA-H3BA-NZIX"]},
        "sentence": {"type": "string", "description": "To read aloud to the meeting, in vi or en."},
        "voucher": {"type": "string", "examples": ["PT-2026-0001"]},
        "member": _INTEGER,
        "loan": _INTEGER,
        "split": {
            "type": "object",
            "properties": dict.fromkeys(("principal", "interest", "interest_to_activity"), _INTEGER),
        },
        "outstanding": _INTEGER,
        "versions": {"type": "array", "items": _INTEGER},
        "entries": {"type": "array", "items": {"type": "object"}},
    },
}

REASONS: Final = {
    "400": "Malformed: JSON, UTF-8, a key given twice, Idempotency-Key, If-Match",
    "401": "No valid token, and no phone that is logged in",
    "403": "Outside the roles; from a phone also: no PIN or a wrong one, or another site sent it",
    "404": "Unknown, or out of scope",
    "409": "Does not fit the state the fund is in",
    "412": "The fund is no longer at the version of If-Match",
    "413": "Body over 64 KiB",
    "415": "Not application/json",
    "422": "Refused by a rule or by a field",
    "429": "Too many requests, see Retry-After; or too many wrong PINs",
    "501": "No PDF: what lays it out is not installed here",
    "503": "Storage away or busy; send the same again after Retry-After",
}
WRITE_REASONS: Final = tuple(REASONS.keys() - {"501"})
READ_REASONS: Final = ("400", "401", "403", "404", "422", "503")
FURTHER_REASONS: Final = {
    ("get", "/v1/feed"): ("409",),
    ("put", "/v1/session/pin"): ("409", "413", "415", "429"),
    ("delete", "/v1/funds/{fund}/members/{member}/person"): ("429",),
}
ACCEPT: Final = "/v1/invitations/accept"
OPEN_REASONS: Final = {
    "/v1/check": ("422", "429", "503"),
    ACCEPT: ("400", "403", "404", "413", "415", "422", "429", "503"),
    "/readyz": ("503",),
}
"""Of what needs no token, by address."""


def documented(app: FastAPI) -> None:
    """Have the app's document say what FastAPI cannot know by itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(title=app.title, version="1", description=DESCRIPTION, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update(Problem=PROBLEM, Recorded=RECORDED)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "phone": {"type": "apiKey", "in": "cookie", "name": "__Host-microfund"},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1") and path not in OPEN_REASONS:
                operation["security"] = [{"token": []}, {"phone": []}]
            operation["responses"] = _responses(method, path, operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    return document


def _responses(method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
    reasons = _reasons(method, path)
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {status: {"description": REASONS[status], "content": problem} for status in sorted(reasons)}
    if method == "post" and given["201"].get("content", {}).get("application/json", {}).get("schema") == {}:
        recorded = {"application/json": {"schema": {"$ref": "#/components/schemas/Recorded"}}}
        told |= {
            "200": {"description": "What would be recorded: a dry run", "content": recorded},
            "201": {"description": "Recorded, now or by the same request before", "content": recorded},
        }
    return {status: answer for status, answer in (given | told).items() if status < "400" or status in told}


def _reasons(method: str, path: str) -> tuple[str, ...]:
    """The statuses of the problems that a route may answer with."""
    if path in OPEN_REASONS or not path.startswith("/v1"):
        return OPEN_REASONS.get(path, ())
    if method == "post":
        return WRITE_REASONS
    return (*READ_REASONS, *FURTHER_REASONS.get((method, path), ()), *(("501",) if "/papers/" in path else ()))

"""The one way a request's body is read: strict JSON, bounded, with text that means what it shows.

Standard parsers take what a ledger must not: keys given twice (which one counts?), NaN, bytes beyond all bounds,
letters that hide or turn the writing direction. Here all of that is refused, and never repeated in the answer.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Coroutine, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final, NoReturn

from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from starlette.datastructures import QueryParams
from starlette.types import Scope

from service.bounds import MAX_TEXT, PLAIN_JSON, fault, is_readable
from service.http.late_route import LateRoute
from service.http.refusals import (
    BodyTooLarge,
    DuplicateKey,
    FieldError,
    HeaderGivenTwice,
    InvalidFields,
    InvalidUtf8,
    MalformedJson,
    NotANumber,
    TooDeep,
    UnsupportedMediaType,
    within,
)

MAX_BODY: Final = 64 * 1024
MAX_SHEET: Final = 256 * 1024
"""A meeting's sheet has many lines."""
MAX_DEPTH: Final = 16

_MEDIA_TYPE: Final = re.compile(r'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)


def parse(body: bytes) -> Any:
    """The value a body holds, its text in NFC. Raises the refusals of this module's imports; none repeats the body."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidUtf8 from None
    try:
        value = _decode(text)
    except json.JSONDecodeError:
        raise MalformedJson from None
    except RecursionError:
        raise TooDeep(most=MAX_DEPTH) from None
    if _is_plain(text):
        return value
    try:
        return _sound(value, MAX_DEPTH)
    except _Unsound:
        raise InvalidFields(list(_faults(value, ""))) from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise DuplicateKey
    return fields


def _no_constant(_: str) -> NoReturn:
    raise NotANumber


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise NotANumber
    return number


def _bounded(literal: str) -> int:
    if len(literal) > 40:
        raise NotANumber
    return int(literal)


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded
).decode


_ALL_BUT_BRACKETS: Final = dict.fromkeys(range(128)) | {ord(sign): "[]"[sign in "]}"] for sign in "[]{}"}
"""Takes the brackets out of what stands between the texts of a body, both kinds as one."""


def _is_plain(text: str) -> bool:
    """Whether a body's texts are sound and its brackets few levels, told from the whole of it: to look at each value of
    a sheet takes three times as long as to decode it. One that is not may still be sound.

    Without a backslash, each second piece between quotation marks is a text as it will be read.
    """
    if "\\" in text or not PLAIN_JSON.fullmatch(text) or not unicodedata.is_normalized("NFC", text):
        return False
    pieces = text.split('"')
    if max(map(len, pieces[1::2]), default=0) > MAX_TEXT:
        return False
    brackets = "".join(pieces[::2]).translate(_ALL_BUT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace("[]", "")
    return not brackets


class _Unsound(Exception):
    """A text is not as it should be; which one is looked for only now."""


def _sound(value: Any, levels: int) -> Any:
    """The value with its text in NFC; it may have so many levels of brackets. Raises `_Unsound`, `TooDeep`."""
    if isinstance(value, str):
        text = value if value.isascii() else unicodedata.normalize("NFC", value)
        if fault(text):
            raise _Unsound
        return text
    if not isinstance(value, list | dict):
        return value
    if not levels:
        raise TooDeep(most=MAX_DEPTH)
    if isinstance(value, list):
        return [_sound(item, levels - 1) for item in value]
    if any(map(fault, value)):
        raise _Unsound
    return {key: _sound(item, levels - 1) for key, item in value.items()}


def _faults(value: Any, pointer: str) -> Iterator[FieldError]:
    """What is wrong with the texts of a value and the names of its fields, and where."""
    match value:
        case str():
            if code := fault(unicodedata.normalize("NFC", value)):
                yield FieldError(pointer, code, {"most": MAX_TEXT})
        case list():
            for index, item in enumerate(value):
                yield from _faults(item, f"{pointer}/{index}")
        case dict():
            for key, item in value.items():
                if code := fault(key):
                    yield FieldError(pointer, code, {"most": MAX_TEXT})
                yield from _faults(item, within(pointer, key))


def header(scope: Scope, name: bytes) -> str | None:
    """A request's header; its name in small letters. Raises `HeaderGivenTwice`, for which of the two would count?"""
    found = None
    for known, value in scope["headers"]:
        if known == name:
            if found is not None:
                raise HeaderGivenTwice(header=name.decode().title())
            found = value
    return None if found is None else str(found, "latin-1")


def accept_language(scope: Scope) -> str | None:
    """What languages a reader likes: a list, which goes on where the header is given again (RFC 9110, section 5.3)."""
    return ", ".join(str(value, "latin-1") for name, value in scope["headers"] if name == b"accept-language") or None


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """The body, as soon as it is known to be JSON of bearable size. Raises `UnsupportedMediaType`, `BodyTooLarge`."""
    if not _MEDIA_TYPE.fullmatch((header(request.scope, b"content-type") or "").strip()):
        raise UnsupportedMediaType
    declared = header(request.scope, b"content-length") or ""
    if declared.isdecimal() and int(declared[:12]) > most:
        raise BodyTooLarge(most_kib=most // 1024)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLarge(most_kib=most // 1024)
    return body


class _Parsed(Request):
    """A request whose body is read and parsed already, for FastAPI to validate."""

    async def body(self) -> bytes:
        return b"parsed"

    async def json(self) -> Any:
        return self.state.body


class StrictRoute(LateRoute):
    """A route that takes its body through `parse` and refuses query parameters it does not know: a misspelt
    `dry_run` would record, a misspelt `as_of` would answer with other figures."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, with the strict reading before it."""
        answer = super().get_route_handler()
        parameters = get_flat_params(self.dependant)
        known = {parameter.alias for parameter in parameters if isinstance(parameter.field_info, Query)}

        async def strict(request: Request) -> Response:
            refuse_unknown_parameters(request.query_params, known)
            if self.body_field is not None:
                request.state.body = parse(await read_body(request))
                request = _Parsed(request.scope, request.receive)
            return await answer(request)

        return strict


def refuse_unknown_parameters(given: QueryParams, known: AbstractSet[str]) -> None:
    """Raises `InvalidFields` for query parameters that are unknown, given twice or no text."""
    errors = list(_parameter_errors(given, known))
    if errors:
        raise InvalidFields(errors)


def _parameter_errors(given: QueryParams, known: AbstractSet[str]) -> Iterator[FieldError]:
    for name in given:
        if name not in known:
            yield FieldError("?", "unknown-field")
        elif len(given.getlist(name)) > 1:
            yield FieldError(f"?{name}", "given-twice")
        elif not is_readable(given[name]):
            yield FieldError(f"?{name}", "text-not-allowed")

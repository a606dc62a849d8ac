"""Refusals of a request as such, before any rule of the club is asked. None of them repeats what was sent."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ledger.refusals import Conflict, NotFound, Refusal

_FIELD: Final = re.compile(r"[a-z_]{1,40}|[1-9][0-9]{2,5}")
"""A field of ours; a denomination of the notes that are counted is one, too."""


def within(pointer: str, key: str | int) -> str:
    """The JSON pointer of a field; a name that is none of ours is not repeated, its object is pointed at instead."""
    return f"{pointer}/{key}" if isinstance(key, int) or _FIELD.fullmatch(key) else pointer


class MalformedJson(Refusal):
    """The body is not well-formed JSON."""


class InvalidUtf8(Refusal):
    """The body is not UTF-8."""


class DuplicateKey(Refusal):
    """A field occurs twice in one object."""


class NotANumber(Refusal):
    """NaN, Infinity or a number beyond all bounds."""


class TooDeep(Refusal):
    """The body is nested more than {most} levels deep."""


class BodyTooLarge(Refusal):
    """The body has more than {most_kib} KiB."""


class UnsupportedMediaType(Refusal):
    """The body is not sent as application/json."""


class HeaderGivenTwice(Refusal):
    """The header {header}, of which one counts, is there twice."""


class IdempotencyKeyMissing(Refusal):
    """A request that records carries no Idempotency-Key."""


class IdempotencyKeyInvalid(Refusal):
    """The Idempotency-Key has other characters, or fewer or more, than one may have."""


class IfMatchInvalid(Refusal):
    """If-Match is not a version in quotation marks."""


class Unauthorized(Refusal):
    """There is no valid token."""


class Forbidden(Refusal):
    """The principal's roles do not include this."""


class CrossSite(Forbidden):
    """Another site may have made the browser send this."""


class PinRequired(Forbidden):
    """The act needs the PIN of whoever asks for it, and none came with it, or none has been set."""


class PinWrong(Forbidden):
    """The PIN is not right; {tries_left} tries are left."""


class PinLocked(Refusal):
    """Too many wrong PINs came; another person resets it."""


class PinTooSimple(Refusal, field="pin"):
    """A PIN is not one digit six times, and no run such as 123456."""


class NoSession(NotFound):
    """The request came with a token; only a phone has a session."""


class MethodNotAllowed(Refusal):
    """The address accepts only {allowed}."""


class TooManyRequests(Refusal):
    """Too many requests came; the next may come in {retry_after} seconds."""


class CursorInvalid(Refusal):
    """The cursor is not one of ours."""


class PeriodUpsideDown(Refusal):
    """The first day {since} is after the last day {until}."""


class PaperTooLong(Refusal):
    """A paper holds at most {most} lines."""


class PdfUnavailable(Refusal):
    """What lays out a PDF is not installed here."""


class FiguresNotReady(Refusal):
    """The read model is being made anew, or does not belong to the log any more; `microfund rebuild` makes it whole."""


class PositionBeyondEnd(Conflict):
    """The log ends at {position}: whoever asks for what comes after a later one would miss it."""


class PositionNotReached(Refusal):
    """The read model has reached {position}, not yet {min_position}."""


class StorageUnavailable(Refusal):
    """The database is away; the next try may be in {retry_after} seconds."""


class CheckpointKeyUnusable(Refusal):
    """The key that checkpoints are signed with is missing or is none; the next try may be in {retry_after} seconds."""


class QueueFull(Refusal):
    """Too many requests wait; the next try may be in {retry_after} seconds."""


class HistoryBroken(Refusal):
    """The history of fund {fund} was changed at entry {version}; nothing more is recorded in it."""


class InternalError(Refusal):
    """A fault of the service."""


class FieldError(NamedTuple):
    """What is wrong with one field: a JSON pointer (`?name` for a query parameter), a code and its facts."""

    pointer: str
    code: str
    facts: Mapping[str, Any] = {}


class InvalidFields(Refusal):
    """{count} fields are not right; each is listed."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(count=len(errors))
        self.errors = errors

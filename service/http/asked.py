"""What the log and the figures tell of the request that is being answered, at hand wherever in answering it."""

import re
import secrets
from contextvars import ContextVar
from itertools import count
from typing import Final

from starlette.types import Scope

HEADER: Final = b"x-request-id"
_GIVEN: Final = re.compile(rb"[A-Za-z0-9-]{1,64}")
_PROCESS, _NUMBERS = secrets.token_hex(6), count(1)


class Asked:
    """One request: its id, and the code of the refusal that it was last told."""

    __slots__ = ("id", "refusal")

    def __init__(self, scope: Scope) -> None:
        self.id: Final = _given(scope) or b"%s-%d" % (_PROCESS.encode(), next(_NUMBERS))
        self.refusal: str | None = None


CURRENT: ContextVar[Asked | None] = ContextVar("asked", default=None)
"""The request that is being answered; none in threads of the service's own, which work for many at once."""


def note_refusal(code: str) -> None:
    """Note what is told to whoever asked; an answer that is no refusal after all makes nothing of it."""
    if asked := CURRENT.get():
        asked.refusal = code


def _given(scope: Scope) -> bytes | None:
    """The id that a proxy or a client has given, if it is one and cannot harm a line of the log."""
    found = [value for name, value in scope["headers"] if name == HEADER]
    return found[0] if len(found) == 1 and _GIVEN.fullmatch(found[0]) else None

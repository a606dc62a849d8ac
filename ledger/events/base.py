"""What every event is: a fact with an envelope, stored as one line that names the hash of the line before it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from ledger.chart import Legs

NO_HEAD = "0" * 64
"""`prev` of a log's first line."""

FUND_CODE = "[A-Z0-9-]{3,24}"
"""What the code of a fund looks like, which is also the id of its log. No log of another kind has such an id."""

_is_code = re.compile(FUND_CODE).fullmatch


def is_fund(log: str) -> bool:
    """Whether the log with this id is a fund's."""
    return _is_code(log) is not None


class Request(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The request a fact came from: its idempotency key and a keyed digest of its body, and for a line of a meeting the
    name of its sheet."""

    key: str
    digest: str
    sheet: str | None = None


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """A fact about a fund. It says itself what it does to the books (`legs`) and to the fund's state (`evolve`).

    The envelope is the same in a log of another kind, names included, so that one verifier serves all: there, `fund` is
    that log's id. `on` is the day it happened in the village, `recorded_at` the UTC instant the service heard of it,
    `recorded_by` a principal's id. `texts` maps what was written about people (a name, a note, a reason) to salted
    digests; the texts lie in an erasable register beside the log, never in here (Law 91/2025/QH15; `domain.md` §7).
    """

    ABSENT: ClassVar[None] = None
    """What is read in place of a field that a type of event does not have."""

    fund: str
    version: int
    prev: str
    on: date
    recorded_at: datetime
    recorded_by: str
    request: Request | None = None
    texts: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The event's type, as it stands in the line."""
        return type(self).__name__

    @classmethod
    def reader(cls, *fields: str | None) -> Callable[[Event], tuple[Any, ...]]:
        """Reads these fields (two or more) of this type of event all at once, None for each that it does not have."""
        return attrgetter(*(field if field and hasattr(cls, field) else "ABSENT" for field in fields))

    def legs(self) -> Legs:
        """What the fact does to the books, balanced within each pot."""
        return ()

    def evolve(self, fund: Any) -> None:
        """Change the state of the fund, or of what else the log is about: each kind of log has a state of its own.
        Never refuses, reads a clock or looks anything up."""

    def revoke(self, fund: Any) -> None:
        """Undo in the state what `evolve` did; its legs are undone by the reversal's own."""


class Voucher(Event, frozen=True, kw_only=True, gc=False):
    """A fact that may move money: where cash moves, it bears the number of a phiếu thu or phiếu chi."""

    voucher: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event with the bytes it is stored as. Encoded once; hashes are always taken of the stored bytes."""

    event: Event
    line: bytes

    @property
    def originator_id(self) -> str:
        """The fund, or the log of another kind, under the name the event store gives it."""
        return self.event.fund

    @property
    def originator_version(self) -> int:
        """The event's version, under the name the event store gives it."""
        return self.event.version


def head_of(line: bytes) -> str:
    """The SHA-256 of a line's bytes, in hex: `prev` of the next one."""
    return hashlib.sha256(line).hexdigest()


_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TEN_BITS = tuple(first + second for first in _BASE32 for second in _BASE32)


def check_code(head: str) -> str:
    """The first 80 bits of a head in Base32, `XXXX-XXXX-XXXX-XXXX`: short enough for the paper book."""
    code = plain_code(head)
    return f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}"


def plain_code(head: str) -> str:
    """The same without hyphens."""
    # Written out: a loop over the parts takes twice as long, and every entry of a projection has its code.
    bits, two = int(head[:20], 16), _TEN_BITS
    return (
        two[bits >> 70]
        + two[bits >> 60 & 1023]
        + two[bits >> 50 & 1023]
        + two[bits >> 40 & 1023]
        + two[bits >> 30 & 1023]
        + two[bits >> 20 & 1023]
        + two[bits >> 10 & 1023]
        + two[bits & 1023]
    )

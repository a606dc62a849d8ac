"""A fund's state as bytes, and back: what is kept beside the log, so that a decision needs no history.

Whatever decisions rest on is named here with its type; what is only passing (what waits for its commit, what a trial
shares) is not. The bytes say nothing of a person that the log does not say: of texts they hold the digests.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from ledger.aggregates import parts
from ledger.aggregates.entries import Entries, Read
from ledger.aggregates.fund import Fund
from ledger.aggregates.pages import Packed, Pages
from ledger.aggregates.requests import Requests
from ledger.events import (
    Bylaws,
    FundDissolved,
    FundOpened,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    PlaceChanged,
)

HOME: Final = Path(__file__).parent.parent
MADE_BY: Final = ("aggregates", "events", "chart.py", "days.py", "money.py", "refusals.py", "sampling.py", "terms.py")
"""The source that makes a fund's state of its log: `ledger/aggregates`, `ledger/events` and what these import."""

PAGED: Final = {
    "balances": parts.BALANCES,
    "daily": parts.DAILY,
    "reversed_by": parts.REVERSED,
    "sheets": parts.SHEETS,
    "days": parts.DAYS,
    "latest_amounts": parts.AMOUNTS,
    "members": parts.MEMBERS,
    "dues_paid": parts.DUES,
    "loans": parts.LOANS,
    "meetings": parts.MEETINGS,
}


class Kept(msgspec.Struct, array_like=True, kw_only=True):
    """Everything that a fund knows, by the names it has there; most of it as pages, each of which is bytes."""

    version: int
    head: str
    recorded_at: datetime | None
    requests: tuple[bytes, ...]
    last_key: str | None
    opened: FundOpened
    balances: Packed
    daily: Packed
    last_vouchers: dict[str, str]
    reversed_by: Packed
    reversed_later: dict[int, tuple[date, date]]
    sheets: Packed
    days: Packed
    run_on: date | None
    run_from: int
    latest_on: date | None
    latest_amounts: Packed
    closed_through: date | None
    taken_over_on: date | None
    dissolved: FundDissolved | None
    bylaws: list[tuple[date, int, Bylaws]]
    places: list[tuple[date, int, FundOpened | PlaceChanged]]
    members: Packed
    members_told: int
    dues_paid: Packed
    forgiven_dues: dict[tuple[int, str], date]
    loans: Packed
    loans_told: int
    over_from: bytes
    meetings: Packed
    meetings_held: int
    counts: dict[int, date]
    begun_by: int | None
    old_books: OpeningBalancesDeclared | OpeningBalancesCorrected | None
    openings: set[int]
    offices: set[tuple[str, int]]
    in_office_since: dict[tuple[str, int], date]
    last_holders: dict[str, int]


PASSING: Final = frozenset({"id", "entries", "pending", "said", "copied", "unjudged", "kept_at", "packed_bytes"})
"""What a fund knows beside that: its name, and what lasts as long as a decision or can be looked up in the log."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class Unreadable(Exception):
    """Bytes that hold no state of a fund, or another one than they say."""


@cache
def form() -> str:
    """The form of the states that this program keeps: a digest of all source that makes them. A state made by any other
    source may mean something else, and is no state at all here."""
    files = [path for name in MADE_BY for path in sorted(HOME.joinpath(name).rglob("*.py")) or [HOME.joinpath(name)]]
    digest = hashlib.sha256(f"{sys.byteorder} {sys.version_info[:2]} {msgspec.__version__}".encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def pack(fund: Fund) -> bytes:
    """A fund's state as bytes, their own digest first. The fund itself is packed, too, and takes less memory."""
    fund.note_loans_over()
    state = _encode(Kept(**{name: _plain(getattr(fund, name)) for name in Kept.__struct_fields__}))
    fund.kept_at, fund.packed_bytes = fund.version, len(state)
    return hashlib.sha256(state).digest() + state


def unpack(code: str, state: bytes, read: Read | None = None) -> Fund:
    """The fund whose state these bytes are; `read` reads its events. Raises `Unreadable`."""
    digest, content = state[:32], state[32:]
    if hashlib.sha256(content).digest() != digest:
        raise Unreadable
    try:
        kept = _decode(content)
    except msgspec.MsgspecError as error:
        raise Unreadable from error
    fund = Fund(code)
    for name in Kept.__struct_fields__:
        setattr(fund, name, _living(name, getattr(kept, name)))
    fund.entries = Entries(read, unheld=fund.version)
    fund.kept_at, fund.packed_bytes = fund.version, len(content)
    return fund


def _plain(value: Any) -> Any:
    if isinstance(value, Pages | Requests):
        return value.packed()
    return value.tobytes() if isinstance(value, array) else value


def _living(name: str, value: Any) -> Any:
    if name in PAGED:
        return Pages(PAGED[name], value)
    if name == "requests":
        return Requests(value)
    return array("i", value) if name == "over_from" else value


def differences(kept: Fund, replayed: Fund) -> list[str]:
    """In which of its parts a fund that was unpacked is not what a replay of its log makes it."""

    def known(fund: Fund, name: str) -> Any:
        value = getattr(fund, name)
        return value.packed() if isinstance(value, Requests) else value

    for fund in (kept, replayed):
        fund.loans.keys()  # Opens all of them.
        fund.note_loans_over()
    return [name for name in Kept.__struct_fields__ if known(kept, name) != known(replayed, name)]

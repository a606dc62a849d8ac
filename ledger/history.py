"""Folds over the log: whether a history is whole, and to which entries what stands on paper belongs.

The verifier reads stored lines and nothing else. It names the first version that does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import Final, NoReturn

import msgspec

from ledger.events import NO_HEAD, EntryReversed, check_code, decode, head_of


class Bearer(msgspec.Struct, frozen=True):
    """An entry that bears a voucher's number; `reversed_by` is the version that undid it.

    A reversal repeats the number of what it undoes, and names that entry in `reverses`.
    """

    version: int
    type: str
    on: date
    check_code: str
    reverses: int | None = None
    reversed_by: int | None = None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk along a fund's lines found. `first_broken` is the first version whose line does not fit: the first
    of all, if there is no line.

    `matches_version` is where the check code or head that was asked about belongs; `bearers` are the entries that
    bear the voucher that was asked about, None if none was.
    """

    fund: str | None
    valid: bool
    entries: int
    head: str
    check_code: str
    first_broken: int | None = None
    matches_version: int | None = None
    bearers: list[Bearer] | None = None
    practice: bool = False
    """Whether it is the history of a club to practise on: sound or not, no real club's."""


class _Envelope(msgspec.Struct):
    """As much of a line as the chain needs."""

    type: str
    fund: str
    version: int
    prev: str
    practice: bool = False
    """Of a first line that opens a fund."""


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(text)


_decode_whole = msgspec.json.Decoder(float_hook=_no_fraction).decode
_NOT_A_LINE = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)


def _envelope_of(line: bytes) -> _Envelope | None:
    """The envelope of a line that is written exactly as the service writes it; None for any other way to say the same.

    Its bytes are what is hashed: a space, a carriage return, a field named twice or put elsewhere is another line.
    """
    try:
        entry, envelope = _decode_whole(line), _decode_envelope(line)
    except _NOT_A_LINE:
        return None
    is_as_written = msgspec.json.encode(entry) == line and list(entry)[:4] == list(_Envelope.__struct_fields__[:4])
    return envelope if is_as_written else None


def follow(lines: Iterable[bytes], fund: str | None = None, version: int = 0, head: str = NO_HEAD) -> Iterator[str]:
    """The head after each line that follows the one before it, up to the first that does not.

    The lines begin after `version`, whose line has this `head`; without a fund, they are of that of the first line.
    """
    for line in lines:
        envelope = _envelope_of(line)
        if envelope is None:
            return
        fund = fund or envelope.fund
        if (envelope.fund, envelope.version, envelope.prev) != (fund, version + 1, head):
            return
        version, head = version + 1, head_of(line)
        yield head


def verify(
    lines: Iterable[bytes], *, code: str | None = None, head: str | None = None, voucher: str | None = None
) -> Verification:
    """Walk along a fund's lines, oldest first.

    `code` or `head` asks which version a check code or a whole head belongs to, `voucher` which entries bear a number.
    """
    stored = list(lines)
    return _found(stored, list(follow(stored)), code, head, voucher)


def _found(
    stored: list[bytes], heads: list[str], code: str | None = None, head: str | None = None, voucher: str | None = None
) -> Verification:
    """What there is to say of lines of which the first ones follow each other, with these heads."""
    last = heads[-1] if heads else NO_HEAD
    matches = (
        version for version, its in enumerate(heads, 1) if its == head or (code is not None and check_code(its) == code)
    )
    opened = _decode_envelope(stored[0]) if heads else None
    is_valid = 0 < len(heads) == len(stored)
    return Verification(
        fund=opened.fund if opened else None,
        valid=is_valid,
        entries=len(heads),
        head=last,
        check_code=check_code(last),
        first_broken=None if is_valid else len(heads) + 1,
        matches_version=next(matches, None),
        bearers=None if voucher is None else _bearers(stored, heads, voucher),
        practice=opened is not None and opened.practice,
    )


DIGEST_BYTES: Final = 32


class Verified:
    """Verifies the same histories again and again. Every line is read and hashed each time; only those that are byte
    for byte what was found whole before are not taken apart once more."""

    def __init__(self, most_funds: int) -> None:
        self._most_funds = most_funds
        self._whole: dict[str, bytes] = {}
        """The digests of the lines of a history, one after the other."""

    def verify(self, fund: str, lines: list[bytes]) -> Verification:
        """Walk along the lines of a fund."""
        known = self._whole.get(fund, b"")
        heads = _same(lines, known)
        if len(heads) < len(lines):
            its_fund = _decode_envelope(lines[0]).fund if heads else None
            heads += follow(lines[len(heads) :], its_fund, len(heads), heads[-1] if heads else NO_HEAD)
        found = _found(lines, heads)
        if found.valid and not known.startswith(whole := bytes.fromhex("".join(heads))):
            kept = {name: whole for name, whole in self._whole.items() if name != fund}
            kept[fund] = whole
            self._whole = dict(list(kept.items())[-self._most_funds :])
        return found


def _same(lines: Sequence[bytes], whole: bytes) -> list[str]:
    """The heads of the first lines whose digests these are."""
    heads = []
    for line, start in zip(lines, range(0, len(whole), DIGEST_BYTES), strict=False):
        digest = sha256(line)
        if digest.digest() != whole[start : start + DIGEST_BYTES]:
            break
        heads.append(digest.hexdigest())
    return heads


def _bearers(lines: list[bytes], heads: list[str], voucher: str) -> list[Bearer]:
    number = f'"voucher":"{voucher}"'.encode()
    found = [(decode(line), head) for line, head in zip(lines, heads, strict=False) if number in line]
    undone = {event.reverses: event.version for event, _ in found if isinstance(event, EntryReversed)}
    return [
        Bearer(
            event.version,
            event.name,
            event.on,
            check_code(head),
            event.reverses if isinstance(event, EntryReversed) else None,
            undone.get(event.version),
        )
        for event, head in found
        if getattr(event, "voucher", None) == voucher
    ]

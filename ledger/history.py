"""Folds over the log: whether a history is whole, and which version a check code belongs to.

The verifier reads stored lines and nothing else. It names the first version that does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ledger.events import NO_HEAD, check_code, head_of


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk along a fund's lines found. `first_broken` is the first version whose line does not fit."""

    fund: str | None
    valid: bool
    entries: int
    head: str
    check_code: str
    first_broken: int | None = None
    matches_version: int | None = None


class _Envelope(msgspec.Struct):
    """As much of a line as the chain needs."""

    type: str
    fund: str
    version: int
    prev: str


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def verify(lines: Iterable[bytes], *, code: str | None = None) -> Verification:
    """Walk along a fund's lines, oldest first. `code` asks which version a check code belongs to."""
    fund, head, version, matches = None, NO_HEAD, 0, None
    for line in lines:
        try:
            envelope = _decode_envelope(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            break
        fund = fund or envelope.fund
        if (envelope.fund, envelope.version, envelope.prev) != (fund, version + 1, head):
            break
        version, head = version + 1, head_of(line)
        if code and check_code(head) == code:
            matches = version
    else:
        return _found(fund, version, head, None, matches)
    return _found(fund, version, head, version + 1, matches)


def _found(fund: str | None, version: int, head: str, first_broken: int | None, matches: int | None) -> Verification:
    return Verification(
        fund=fund,
        valid=first_broken is None,
        entries=version,
        head=head,
        check_code=check_code(head),
        first_broken=first_broken,
        matches_version=matches,
    )

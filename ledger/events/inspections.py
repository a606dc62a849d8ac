"""Inspections, and the samples drawn by lot for them out of a fund's own entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from ledger.events.base import Event, Voucher
from ledger.events.loans import LoanDisbursed
from ledger.events.opening import OpeningBalancesDeclared
from ledger.sampling import in_order_of_lot

InspectionKind = Literal["sample", "focal", "complaint"]


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be drawn: so many vouchers and loans, by a public seed, of the entries up to `known_version` (of all
    there are without it). Only those of a day from `since` to `until` count, both included, where these are given.
    """

    seed: str
    vouchers: int = 0
    loans: int = 0
    known_version: int | None = None
    since: date | None = None
    until: date | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What was drawn, in the order drawn, and out of how many: enough to draw it again from the stored lines."""

    seed: str
    known_version: int
    since: date | None = msgspec.field(name="from", default=None)
    until: date | None = msgspec.field(name="to", default=None)
    of_vouchers: int
    vouchers: tuple[str, ...]
    of_loans: int
    loans: tuple[int, ...]


class InspectionMade(Event, frozen=True, kw_only=True, gc=False):
    """An inspector came, and perhaps had a sample drawn; the finding lies in the register."""

    kind: InspectionKind
    sample: Sample | None = None


def drawn(draw: Draw, entries: Sequence[Event]) -> Sample:
    """Draw from a fund's entries, all of them from the first on.

    The lot of a voucher is drawn as `FUND/PT-2024-0001`, that of a loan as `FUND/loan/7`: with the fund's name, for one
    seed serves many funds.
    """
    version = min(draw.known_version or len(entries), len(entries))
    known = [
        event
        for event in entries[:version]
        if (draw.since is None or draw.since <= event.on) and (draw.until is None or event.on <= draw.until)
    ]
    return drawn_from(draw, entries[0].fund, version, vouchers_in(known), loans_in(known))


def drawn_from(draw: Draw, fund: str, version: int, vouchers: Iterable[str], loans: Iterable[int]) -> Sample:
    """Draw from the vouchers given out, and the loans handed out or taken over, in a fund's entries up to a version; of
    the days that are drawn from."""
    of_vouchers = {f"{fund}/{number}": number for number in vouchers}
    of_loans = {f"{fund}/loan/{number}": number for number in loans}
    return Sample(
        seed=draw.seed,
        known_version=version,
        since=draw.since,
        until=draw.until,
        of_vouchers=len(of_vouchers),
        vouchers=tuple(of_vouchers[item] for item in in_order_of_lot(draw.seed, of_vouchers, draw.vouchers)),
        of_loans=len(of_loans),
        loans=tuple(of_loans[item] for item in in_order_of_lot(draw.seed, of_loans, draw.loans)),
    )


def vouchers_in(entries: Iterable[Event]) -> dict[str, Voucher]:
    """Every voucher given out, by its number, with its entry; also one that was reversed later."""
    return {event.voucher: event for event in entries if isinstance(event, Voucher) and event.voucher}


def loans_in(entries: Iterable[Event]) -> dict[int, Event]:
    """Every loan that was handed out or taken over from an old book, by its number, with that entry."""
    loans: dict[int, Event] = {}
    for event in entries:
        if isinstance(event, LoanDisbursed):
            loans[event.loan] = event
        elif isinstance(event, OpeningBalancesDeclared):
            loans |= {loan.loan: event for loan in event.loans}
    return loans

"""Samples drawn by lot from a public number: clubs to visit, and the vouchers and loans to look at there."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from ledger.chart import cash_movement
from ledger.events import Draw, Entry, Voucher, check_code, drawn, head_of
from ledger.events.inspections import loans_in, vouchers_in
from ledger.projections import funds
from ledger.refusals import FundNotFound
from ledger.sampling import in_order_of_lot
from service.access.principals import Principal
from service.access.roles import INSPECTORS, READERS, admitted, scope_of
from service.http.fields import Drawn, FundCode, PathNumber, Seed, Words
from service.http.parsing import StrictRoute
from service.http.state import AtDesk
from service.reads.dependencies import CaughtUp, Since, Until
from service.reads.view import Answer, refuse_upside_down
from service.words import catalogue

router = APIRouter(prefix="/v1", route_class=StrictRoute)

AskedSeed = Annotated[Seed, Query(description="A number that somebody else made public and nobody knew before.")]


@router.get("/sample")
async def sample_of_clubs(
    desk: AtDesk,
    principal: Annotated[Principal, Depends(admitted(INSPECTORS))],
    position: CaughtUp,
    seed: AskedSeed,
    clubs: Drawn,
    province: Words | None = None,
    district: Words | None = None,
) -> Response:
    """Clubs drawn by lot from those in scope, in the order drawn.

    They are ordered by the SHA-256 of `seed|FUND`, in hex, and the first are the sample. `of` is how many there are,
    and `population` the SHA-256 of all their codes, sorted, each on a line: who has the list can draw again.
    """
    scope = scope_of(principal, province, district)
    codes = await asyncio.to_thread(funds.codes, desk.ledger.database, scope)
    answer = {"seed": seed, "position": position} | clubs_told(seed, codes, clubs)
    return Response(msgspec.json.encode(answer), media_type="application/json")


@router.get("/funds/{fund}/sample", dependencies=[Depends(admitted(READERS))])
async def sample_of_a_fund(
    desk: AtDesk,
    fund: FundCode,
    seed: AskedSeed,
    since: Since,
    until: Until,
    vouchers: Drawn = 0,
    loans: Drawn = 0,
    known_version: PathNumber | None = None,
) -> Response:
    """Vouchers and loans drawn by lot from a fund's entries up to `known_version`, in the order drawn.

    They are ordered by the SHA-256 of `seed|FUND/PT-2024-0001` or `seed|FUND/loan/7`, in hex. An inspection that
    is recorded with the same seed, numbers, days and `known_version` draws the same.
    """
    if until is not None:
        refuse_upside_down(since, until)
    draw = Draw(seed=seed, vouchers=vouchers, loans=loans, known_version=known_version, since=since, until=until)
    entries = await asyncio.to_thread(lambda: list(desk.ledger.entries(fund, upto=known_version)))
    if not entries:
        raise FundNotFound
    return Response(msgspec.json.encode(told(draw, entries)), media_type="application/json")


def clubs_told(seed: str, codes: Sequence[str], clubs: int) -> Answer:
    """What is drawn from these funds, and what pins them."""
    listed = "".join(f"{code}\n" for code in sorted(codes))
    return {
        "of": len(codes),
        "population": hashlib.sha256(listed.encode()).hexdigest(),
        "clubs": in_order_of_lot(seed, codes)[:clubs],
    }


def told(draw: Draw, entries: Sequence[Entry]) -> Answer:
    """What is drawn from a fund's entries, with where each is found; and the head that pins what it was drawn from."""
    events = [entry.event for entry in entries]
    sample, head = drawn(draw, events), head_of(entries[-1].line)
    vouchers, loans = vouchers_in(events), loans_in(events)
    return {
        "fund": events[0].fund,
        "seed": draw.seed,
        "known_version": sample.known_version,
        "head": head,
        "check_code": check_code(head),
        "from": draw.since,
        "to": draw.until,
        "of_vouchers": sample.of_vouchers,
        "vouchers": [_voucher(vouchers[number]) for number in sample.vouchers],
        "of_loans": sample.of_loans,
        "loans": [{"loan": n, "version": loans[n].version, "on": loans[n].on} for n in sample.loans],
    }


def _voucher(event: Voucher) -> Answer:
    amount = abs(cash_movement(event.legs()))
    return {"voucher": event.voucher, "version": event.version, "type": event.name, "on": event.on, "amount": amount}


# --- on the command line ------------------------------------------------------------------------------------------


def clubs_drawn(seed: str, codes: Sequence[str], clubs: int, language: str) -> Iterator[str]:
    """The clubs drawn, line by line."""
    answer = clubs_told(seed, codes, clubs)
    facts = {"drawn": len(answer["clubs"]), "of": answer["of"], "population": answer["population"]}
    yield catalogue.phrase("sample.clubs", language, **facts)
    yield from answer["clubs"]


def entries_drawn(draw: Draw, entries: Sequence[Entry], language: str) -> Iterator[str]:
    """The vouchers and loans drawn, line by line."""
    answer = told(draw, entries)
    yield catalogue.phrase("sample.entries", language, **answer)
    for kind in ("vouchers", "loans"):
        yield catalogue.phrase(f"sample.{kind}", language, drawn=len(answer[kind]), of=answer[f"of_{kind}"])
        for item in answer[kind]:
            yield catalogue.phrase(f"sample.{kind.removesuffix('s')}", language, **item)

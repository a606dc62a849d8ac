"""Samples drawn by lot, over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from ledger.events import Draw
from ledger.projections import funds
from ledger.refusals import FundNotFound
from service.access.roles import INSPECTORS, READERS, InScope, admitted
from service.http.answers import in_json
from service.http.fields import Drawn, FundCode, PathNumber, Seed
from service.http.parsing import StrictRoute
from service.http.state import AtState
from service.inspection.samples import clubs_answer, entries_answer
from service.reads.dependencies import CaughtUp, Since, Until
from service.reads.query import refuse_upside_down

router = APIRouter(prefix="/v1", route_class=StrictRoute)

AskedSeed = Annotated[Seed, Query(description="A number that somebody else made public and nobody knew before.")]


@router.get("/sample", dependencies=[Depends(admitted(INSPECTORS))])
async def sample_of_clubs(
    state: AtState,
    scope: InScope,
    position: CaughtUp,
    seed: AskedSeed,
    clubs: Drawn,
) -> Response:
    """Clubs drawn by lot from those in scope, in the order drawn.

    They are ordered by the SHA-256 of `seed|FUND`, in hex, and the first are the sample. `of` is how many there are,
    and `population` the SHA-256 of all their codes, sorted, each on a line: who has the list can draw again.
    """
    codes = await asyncio.to_thread(funds.codes, state.ledger.database, scope)
    answer = {"seed": seed, "position": position} | clubs_answer(seed, codes, clubs)
    return in_json(answer)


@router.get("/funds/{fund}/sample", dependencies=[Depends(admitted(READERS))])
async def sample_of_a_fund(
    state: AtState,
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
    entries = await asyncio.to_thread(lambda: list(state.ledger.entries(fund, upto=known_version)))
    if not entries:
        raise FundNotFound
    return in_json(entries_answer(draw, entries))

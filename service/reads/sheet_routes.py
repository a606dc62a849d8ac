"""The sheet for a meeting and the dues over HTTP."""

import asyncio

from fastapi import APIRouter, Depends, Request, Response

from ledger.projections.tables import Reader
from service.access.roles import READERS, admitted
from service.http.answers import in_json
from service.http.compression import compressed
from service.http.fields import FundCode
from service.http.parsing import StrictRoute
from service.http.state import AtState
from service.reads.dependencies import AtPoint, CaughtUp, On, answered
from service.reads.query import Answer, ask_tables
from service.reads.sheet import dues_by_month, sheet_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/funds/{fund}/sheet", dependencies=[Depends(admitted(READERS))])
async def meeting_sheet(request: Request, state: AtState, wanted: CaughtUp, fund: FundCode, on: On) -> Response:
    """What a phone keeps for a meeting on a day: the roll with dues owed for this month and the two before, running
    loans with what is due and what would settle them, the cash that should lie in the box, and the last check code."""

    def ask(reader: Reader, _: int) -> Answer:
        return sheet_of(state, reader, fund, on)

    found = await asyncio.to_thread(ask_tables, state, wanted, ask)
    answer = in_json(found)
    return compressed(request, answer)  # Nothing in it is an asker's choice but the day.


@router.get("/funds/{fund}/dues", dependencies=[Depends(admitted(READERS))])
async def dues(query: AtPoint) -> Response:
    """Dues by the month they are for: what the bylaws asked and what came, each month, all members together."""

    return await answered(query, lambda reader: dues_by_month(reader, query.fund, query.as_of))

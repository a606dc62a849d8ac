"""The sheet for a meeting and the dues over HTTP."""

import asyncio

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from ledger.projections.tables import Reader
from service.access.roles import READERS, admitted
from service.http.answers import in_json
from service.http.fields import Day
from service.http.parsing import StrictRoute
from service.reads.dependencies import AtPoint, DayAsked, add_direct_read, answered
from service.reads.query import Answer, FundQuery, ask_tables
from service.reads.sheet import dues_by_month, sheet_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)


class SheetAsked(DayAsked):
    """What a question for a sheet may say."""

    as_of: Day | None = Field(None, alias="on")


async def meeting_sheet(query: FundQuery, _: SheetAsked) -> Response:
    """What a phone keeps for a meeting on a day: the roll with dues owed for this month and the two before, running
    loans with what is due and what would settle them, the cash that should lie in the box, and the last check code."""

    def ask(reader: Reader, _: int) -> Answer:
        return sheet_of(query.state, reader, query.fund, query.as_of)

    return in_json(await asyncio.to_thread(ask_tables, query.state, query.wanted, ask))


# Nothing in it is an asker's choice but the day.
add_direct_read(router, "/funds/{fund}/sheet", READERS, SheetAsked, meeting_sheet, compress=True)


@router.get("/funds/{fund}/dues", dependencies=[Depends(admitted(READERS))])
async def dues(query: AtPoint) -> Response:
    """Dues by the month they are for: what the bylaws asked and what came, each month, all members together."""

    return await answered(query, lambda reader: dues_by_month(reader, query.fund, query.as_of))

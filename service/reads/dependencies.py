"""What routes read of a request: up to where the books must be, and at which point they are asked; and the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from ledger.days import last_asked
from ledger.projections.tables import Reader
from service.http.answers import in_json
from service.http.fields import Day, FundCode, Instant, PathNumber, Position
from service.http.refusals import FieldError, InvalidFields, PositionNotReached
from service.http.state import AppState, AtState
from service.reads.query import Answer, FundQuery, answer_of


def within_reach(state: AppState, parameter: str, day: date | None) -> None:
    """A question is about no day beyond the last one that may be asked about. Raises `InvalidFields`."""
    latest = last_asked(state.today())
    if day is not None and day > latest:
        raise InvalidFields([FieldError(f"?{parameter}", "day-too-far", {"latest": latest})])


def _day_asked(parameter: str) -> Callable[..., Awaitable[date | None]]:
    async def asked(state: AtState, day: Annotated[Day | None, Query(alias=parameter)] = None) -> date | None:
        within_reach(state, parameter, day)
        return day

    return asked


def _day_or_today(parameter: str) -> Callable[..., Awaitable[date]]:
    async def asked(state: AtState, day: Annotated[date | None, Depends(_day_asked(parameter))]) -> date:
        return day or state.today()

    return asked


AsOf = Annotated[date, Depends(_day_or_today("as_of"))]
On = Annotated[date, Depends(_day_or_today("on"))]
Since = Annotated[date | None, Depends(_day_asked("from"))]
Until = Annotated[date | None, Depends(_day_asked("to"))]
"""The days of questions, by their parameters: no route takes any other. Instants need no bound: what is known at one to
come, however far ahead, is what is known now."""


async def caught_up(state: AtState, min_position: Position = 0) -> int:
    """Wait until the read model has what this process has acknowledged; answers the position it must have: the one
    asked for, and what the log held when this process started. Raises `PositionNotReached` when that does not come in
    time."""
    must = max(min_position, state.log_at_start)
    if await state.follower.reached(max(must, state.acknowledged), state.settings.read_wait_seconds):
        return must
    position = state.follower.position
    if position >= must:
        return must
    if position >= min_position and await asyncio.to_thread(state.has_lost_its_tail):
        return min_position
    raise PositionNotReached(position=position, min_position=must)


CaughtUp = Annotated[int, Depends(caught_up)]
"""The position that the tables must have before a question is answered."""


async def _query(
    request: Request,
    state: AtState,
    wanted: CaughtUp,
    fund: FundCode,
    as_of: AsOf,
    known_at: Instant | None = None,
    known_version: PathNumber | None = None,
) -> FundQuery:
    return FundQuery(state, request.scope["principal"], fund, as_of, known_version, known_at, wanted)


AtPoint = Annotated[FundQuery, Depends(_query)]


async def answered(query: FundQuery, question: Callable[[Reader], Answer | None]) -> Response:
    """What a query finds, in JSON, with the fund's version as the ETag; asked and encoded off the event loop."""
    return await asyncio.to_thread(_answered, query, question)


def _answered(query: FundQuery, question: Callable[[Reader], Answer | None]) -> Response:
    found = query.ask(question)
    return in_json(answer_of(found), headers={"ETag": f'"{found.version}"'})

"""What routes read of a request: up to where the books must be, and at which point they are asked; and the answer."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Hashable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import QueryParams

from ledger.days import last_asked
from ledger.projections.tables import Reader
from service.access.principals import Role
from service.access.roles import admitted
from service.http.answers import in_json
from service.http.compression import compressed
from service.http.direct_routes import DirectRoute, path_of
from service.http.fields import Cursor, Day, FundCode, Instant, Limit, PathNumber, Position
from service.http.parsing import refuse_unknown_parameters
from service.http.problems import parameters_of
from service.http.refusals import FieldError, InvalidFields, PositionNotReached
from service.http.state import AppState, AtState, state_of
from service.reads.query import Answer, Found, FundQuery, answer_of


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


async def caught_up(state: AppState, min_position: int, fund: str | None = None) -> int:
    """Wait until the read model has what this process has acknowledged, in this fund if the question is about one;
    answers the position it must have: the one asked for, and what the log held when this process started. Raises
    `PositionNotReached` when that does not come in time."""
    must = max(min_position, state.log_at_start)
    acknowledged = state.acknowledged.latest if fund is None else state.acknowledged.of(fund)
    if await state.follower.reached(max(must, acknowledged), state.settings.read_wait_seconds):
        return must
    position = state.follower.position
    if position >= must:
        return must
    if position >= min_position and await asyncio.to_thread(state.has_lost_its_tail):
        return min_position
    raise PositionNotReached(position=position, min_position=must)


async def _caught_up(request: Request, state: AtState, min_position: Position = 0) -> int:
    return await caught_up(state, min_position, request.path_params.get("fund"))


CaughtUp = Annotated[int, Depends(_caught_up)]
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
    return _in_json(query.ask(question))


async def answered_with_others(
    query: FundQuery, question: Callable[[Reader], Answer | None], kept_as: Hashable = None
) -> Response:
    """The same for what is asked most, and takes a few milliseconds."""
    return _in_json(await query.ask_with_others(question, kept_as))


def _in_json(found: Found[Answer]) -> Response:
    return in_json(answer_of(found), headers={"ETag": f'"{found.version}"'})


# --- what is asked most -------------------------------------------------------------------------------------------


QUESTIONS_KEPT: Final = 256
"""Of each route, how many sets of query parameters are kept as they were understood."""


class DayAsked(BaseModel):
    """The query parameters of a question about one fund on a day."""

    model_config = ConfigDict(frozen=True)

    as_of: Day | None = None
    min_position: Position = 0

    def known(self) -> tuple[int | None, datetime | None]:
        """By which version and which instant it is asked what was known; None for now."""
        return None, None


class PointAsked(DayAsked):
    """The same at a point in both times."""

    known_at: Instant | None = None
    known_version: PathNumber | None = None

    def known(self) -> tuple[int | None, datetime | None]:
        """What was asked for."""
        return self.known_version, self.known_at


class PageAsked(PointAsked):
    """The same about a list that is answered in pages."""

    cursor: Cursor | None = None
    limit: Limit = 100


A = TypeVar("A", bound=DayAsked)


def add_direct_read(
    router: APIRouter,
    path: str,
    roles: frozenset[Role],
    asked_of: type[A],
    answer: Callable[[FundQuery, A], Awaitable[Response]],
    *,
    compress: bool = False,
) -> None:
    """Make a direct route of what is asked most; `answer` is given the query and all that was asked for. May what it
    answers be compressed? See `compressed`."""
    day_asked = _name_of(asked_of, "as_of")
    admit, known = admitted(roles), frozenset(_name_of(asked_of, field) for field in asked_of.model_fields)

    @lru_cache(QUESTIONS_KEPT)  # What clients ask of one fund they ask of all.
    def parsed(query_string: bytes) -> A:
        given = QueryParams(query_string)
        refuse_unknown_parameters(given, known)
        return parameters_of(asked_of, dict(given))

    async def read(request: Request) -> Response:
        asked = parsed(request.scope["query_string"])
        await admit(request)
        (fund, _), state = path_of(request), state_of(request)
        within_reach(state, day_asked, asked.as_of)
        wanted = await caught_up(state, asked.min_position, fund)
        principal, day = request.scope["principal"], asked.as_of or state.today()
        response = await answer(FundQuery(state, principal, fund, day, *asked.known(), wanted), asked)
        return compressed(request, response) if compress else response

    read.__signature__ = _described(asked_of)  # type: ignore[attr-defined]
    router.add_api_route(
        path,
        read,
        name=getattr(answer, "__name__"),  # noqa: B009  # A callable need not have a name; a function does.
        summary=inspect.getdoc(answer),
        response_model=None,
        route_class_override=DirectRoute,
    )


def _name_of(asked_of: type[BaseModel], field: str) -> str:
    return asked_of.model_fields[field].alias or field


def _described(asked_of: type[BaseModel]) -> inspect.Signature:
    """What such a route reads, for the API's document."""
    parameters = [
        inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
        inspect.Parameter("fund", inspect.Parameter.KEYWORD_ONLY, annotation=FundCode),
    ]
    for name, field in asked_of.model_fields.items():
        told: Any = Annotated[field.rebuild_annotation(), Query(alias=_name_of(asked_of, name))]
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, annotation=told, default=field.default))
    return inspect.Signature(parameters)

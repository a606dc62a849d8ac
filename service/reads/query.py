"""Asking one fund's books at a point in both times: on which day, as known when. What is found is given with where the
books stood; whoever asked makes an answer in JSON, a page or a paper of it."""

import asyncio
import base64
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from ledger.aggregates.log import BrokenChain
from ledger.days import last_asked
from ledger.projections import funds
from ledger.projections.knowledge import Then, code_of, version_at
from ledger.projections.read_model import ReadModel, Whereabouts
from ledger.projections.tables import Reader
from ledger.refusals import FundNotFound, NotFound
from service.access.principals import Principal
from service.access.roles import sees_people
from service.bounds import EARLIEST
from service.http.refusals import CursorInvalid, PeriodUpsideDown, PositionNotReached
from service.http.state import AppState

Answer = dict[str, Any]
"""What is answered in JSON."""

T = TypeVar("T")


# --- where the read model stands ----------------------------------------------------------------------------------


class HasTables(Protocol):
    """Whatever has a read model: a running service, or a database that a command has opened."""

    @property
    def read_model(self) -> ReadModel: ...


def ask_tables(state: HasTables, wanted: int, question: Callable[[Reader, int], T]) -> T:
    """What the read model answers at one moment, the position it was at given to the question. Raises
    `PositionNotReached` for a moment before the wanted one: another copy of the tables, made anew, may be behind."""

    def at_position(tables: Reader, position: int) -> T:
        if position < wanted:
            raise PositionNotReached(position=position, min_position=wanted)
        return question(tables, position)

    return state.read_model.ask(at_position)


class Found(NamedTuple, Generic[T]):
    """What a query found, and where the books stood that it was asked of: `version` of the fund, `position` of the
    whole log. `parked` is None or `{version, why}`: from that version on, nothing is in any figure."""

    figures: T
    fund: str
    as_of: date
    version: int
    position: int
    parked: Answer | None


class FundQuery(NamedTuple):
    """A query about one fund at a point in both times. `known_version` and `known_at` say what the service had heard
    by then; without either it is the books as they are known now."""

    state: AppState
    principal: Principal
    fund: str
    as_of: date
    known_version: int | None
    known_at: datetime | None
    wanted: int
    """The position that the tables must have."""

    def ask(self, question: Callable[[Reader], T | None]) -> Found[T]:
        """Ask the tables as they stood at that point, all at one moment. Blocks: on an event loop, ask in a thread.
        Raises `NotFound` when nothing is found, and `PositionNotReached`, `FundNotFound`."""
        return self.state.read_model.ask_about([self.fund], partial(self._found, question, None))[0]

    async def ask_with_others(self, question: Callable[[Reader], T | None], kept_as: Hashable = None) -> Found[T]:
        """The same, on an event loop, for questions that take a few milliseconds. What is `kept_as` something is the
        fund's books alone, and is not asked twice of the same books. Questions about what was known once may have to
        read all of a fund's lines, and have a thread of their own."""
        if self.known_version is not None or self.known_at is not None:
            return await asyncio.to_thread(self.ask, question)
        found, key = await self.state.shared_reads.ask(self.fund, partial(self._found, question, kept_as))
        if kept_as is not None:
            self.state.kept_figures.put(key, found.figures)
        return found

    def _found(
        self, question: Callable[[Reader], T | None], kept_as: Hashable, tables: Reader, where: Whereabouts
    ) -> tuple[Found[T], Hashable]:
        """What tables say that are at a position, and have the fund there, all at one moment; and what stands for the
        question and these books."""
        if where.position < self.wanted:
            raise PositionNotReached(position=where.position, min_position=self.wanted)
        reader, standing = self._standpoint(tables, where.standings.get(self.fund))
        key = (where.made, standing["head"], self.as_of, kept_as)
        figures = None if kept_as is None else self.state.kept_figures.get(key)
        if figures is None:
            figures = question(reader)
        if figures is None:
            raise NotFound
        found = Found(figures, self.fund, self.as_of, standing["version"], where.position, standing["parked"])
        return found, key

    def _standpoint(self, tables: Any, standing: funds.Standing | None) -> tuple[Reader, funds.Standing]:
        """The tables as they are, or as they were at what was known; and where the fund stands in them. Raises
        `PositionNotReached`, `FundNotFound` when nothing was known yet, and `BrokenChain` where the lines up to there
        do not follow each other, or are not those that the tables were made of."""
        if standing is None:
            raise PositionNotReached(position=self.wanted, min_position=self.wanted + 1)
        version = standing["version"]
        if self.known_version is not None:
            version = min(version, self.known_version)
        if self.known_at is not None:
            version = min(version, version_at(tables, self.fund, self.known_at))
        if version == standing["version"]:
            return tables, standing
        lines = self.state.ledger.recorder.lines(self.fund, 0, version) if version else []
        if not lines:
            raise FundNotFound
        found = self.state.verified.verify(self.fund, lines)
        if found.first_broken or code_of(tables, self.fund, version) != found.check_code:
            raise BrokenChain(self.fund, found.first_broken or version)
        return Then(tables, self.fund, version, found.head), standing | {"version": version}

    # --- people ---------------------------------------------------------------------------------------------------

    @property
    def sees_people(self) -> bool:
        """Whether names may be shown."""
        return sees_people(self.principal)

    def texts(self, digests: Mapping[Any, str | None]) -> dict[Any, str]:
        """What the register still has, under the same keys."""
        texts = self.state.ledger.register.texts(digest for digest in digests.values() if digest)
        return {key: texts[digest] for key, digest in digests.items() if digest in texts}

    def turned_to(self, cursor: str | None) -> tuple["FundQuery", int]:
        """The query that the page before answered, and after which number it ended. Raises `CursorInvalid`."""
        if cursor is None:
            return self, 0
        page = _opened(cursor)
        if not EARLIEST <= page.as_of <= last_asked(self.state.today()):
            raise CursorInvalid
        return self._replace(as_of=page.as_of, known_version=page.version, known_at=None), page.after


_Number = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]


class _Page(msgspec.Struct, frozen=True, array_like=True):
    after: _Number
    version: _Number
    as_of: date


def _sealed(page: _Page) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(page)).decode().rstrip("=")


def _opened(cursor: str) -> _Page:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=_Page)
    except (ValueError, msgspec.MsgspecError):
        raise CursorInvalid from None


def answer_of(found: Found[Answer]) -> Answer:
    """What was found with where the books stood, as it is answered in JSON. A page's number `next` becomes a cursor,
    which keeps the version and the day: all pages are of the same books."""
    about: Answer = {"fund": found.fund, "as_of": found.as_of, "version": found.version, "position": found.position}
    if found.parked:
        about["parked"] = found.parked
    if isinstance(after := found.figures.get("next"), int):
        return about | found.figures | {"next": _sealed(_Page(after, found.version, found.as_of))}
    return about | found.figures


def last_code(cursor: str | None) -> str:
    """The code of the fund that the page before ended with. Raises `CursorInvalid`."""
    if cursor is not None and not cursor.replace("-", "").isalnum():
        raise CursorInvalid
    return cursor or ""


def refuse_upside_down(since: date | None, until: date) -> None:
    """A period begins before it ends. Raises `PeriodUpsideDown`."""
    if since is not None and since > until:
        raise PeriodUpsideDown(since=since, until=until)

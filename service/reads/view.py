"""A reader's point of view: which fund, on which day, as known when; and the answer made of what is seen from there."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import takewhile
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from fastapi import Response

from ledger.days import last_asked
from ledger.events import Entry, head_of
from ledger.projections import funds
from ledger.projections.tables import Reader
from ledger.refusals import FundNotFound, NotFound
from service.access.principals import Principal
from service.access.roles import sees_people
from service.bounds import EARLIEST
from service.http.refusals import CursorInvalid, PeriodUpsideDown, PositionNotReached
from service.http.state import AppState

Answer = dict[str, Any]
T = TypeVar("T")


# --- where the read model stands ----------------------------------------------------------------------------------


def asked(state: AppState, wanted: int, question: Callable[[Reader, int], T]) -> T:
    """What the read model answers at one moment, the position it was at given to the question. Raises
    `PositionNotReached` for a moment before the wanted one: another copy of the tables, made anew, may be behind."""

    def at_position(tables: Reader, position: int) -> T:
        if position < wanted:
            raise PositionNotReached(position=position, min_position=wanted)
        return question(tables, position)

    return state.read_model.ask(at_position)


class View(NamedTuple):
    """One fund at a point in both times. `known_version` and `known_at` say what the service had heard by then."""

    state: AppState
    principal: Principal
    fund: str
    as_of: date
    known_version: int | None
    known_at: datetime | None
    wanted: int
    """The position that the tables must have."""

    async def answer(self, ask: Callable[[Reader], Answer | None]) -> Response:
        """Ask the read model off the event loop. Raises `NotFound` when it has no answer."""
        return await asyncio.to_thread(self._answer, ask)

    def _answer(self, ask: Callable[[Reader], Answer | None]) -> Response:
        def question(tables: Reader, position: int) -> tuple[Answer | None, Answer]:
            reader, standing = self.standpoint(tables)
            return ask(reader), standing | {"position": position}

        found, standing = asked(self.state, self.wanted, question)
        if found is None:
            raise NotFound
        version = standing["version"]
        about = {"fund": self.fund, "as_of": self.as_of, "version": version, "position": standing["position"]}
        if standing["parked"]:
            about["parked"] = standing["parked"]
        if isinstance(found.get("next"), int):
            found["next"] = _sealed(_Page(found["next"], version, self.as_of))
        return Response(msgspec.json.encode(about | found), 200, {"ETag": f'"{version}"'}, "application/json")

    def standpoint(self, tables: Reader) -> tuple[Reader, Answer]:
        """The tables as they are, or made anew from what was known; and where the fund stands in them. Raises
        `PositionNotReached`, `FundNotFound` when nothing was known yet."""
        standing = funds.standing(tables, self.fund)
        if standing is None:
            raise PositionNotReached(position=self.wanted, min_position=self.wanted + 1)
        if self.known_at is None and self.known_version in (None, standing["version"]):
            return tables, standing
        moments = self.state.moments
        kept = moments.get(self.fund, self.known_version) if self.known_at is None and self.known_version else None
        if kept and kept.head == self._head_at(kept.version):
            return kept, standing | {"version": kept.version}
        entries = list(self._known_entries(standing["parked"]))
        if not entries:
            raise FundNotFound
        return moments.make(self.fund, entries), standing | {"version": entries[-1].event.version}

    def _head_at(self, version: int) -> str | None:
        """The hash of a stored line; after a loss another one may stand in its place."""
        lines = self.state.ledger.recorder.lines(self.fund, version - 1, version)
        return head_of(lines[0]) if lines else None

    def _known_entries(self, parked: Answer | None) -> Iterator[Entry]:
        """The entries that were known; from the one on that a fund is parked at, nothing is in any figure."""
        upto = self.known_version
        if parked:
            upto = min(upto or parked["version"], parked["version"] - 1)
        entries = self.state.ledger.entries(self.fund, upto=upto)
        return takewhile(lambda entry: self.known_at is None or entry.event.recorded_at <= self.known_at, entries)

    # --- people ---------------------------------------------------------------------------------------------------

    @property
    def sees_people(self) -> bool:
        """Whether names may be shown."""
        return sees_people(self.principal)

    def texts(self, digests: Mapping[Any, str | None]) -> dict[Any, str]:
        """What the register still has, under the same keys."""
        texts = self.state.ledger.register.texts(digest for digest in digests.values() if digest)
        return {key: texts[digest] for key, digest in digests.items() if digest in texts}

    def turned_to(self, cursor: str | None) -> tuple["View", int]:
        """The view that the page before was seen from, and after which number it ended. Raises `CursorInvalid`."""
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


def last_code(cursor: str | None) -> str:
    """The code of the fund that the page before ended with. Raises `CursorInvalid`."""
    if cursor is not None and not cursor.replace("-", "").isalnum():
        raise CursorInvalid
    return cursor or ""


def refuse_upside_down(since: date | None, until: date) -> None:
    """A period begins before it ends. Raises `PeriodUpsideDown`."""
    if since is not None and since > until:
        raise PeriodUpsideDown(since=since, until=until)

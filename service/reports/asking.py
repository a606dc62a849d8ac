"""Asking for a report, and for what changed since one was frozen. All of it blocks: off an event loop, in a thread."""

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from ledger.application import Ledger
from ledger.database import Transaction
from ledger.projections.read_model import ReadModel
from ledger.reports.frozen import Frozen, content_of
from ledger.reports.report import Counted, Report, ReportQuestion, Told, answer
from ledger.reports.restating import Between, changes
from ledger.reports.spending import spent
from service.http.state import AppState
from service.reads.query import HasTables, ask_tables
from service.reports.state import ReportState

T = TypeVar("T")

ToldOf = MutableMapping[Told, bytes]
"""What was told of clubs, by what it follows from."""


class Books(HasTables, Protocol):
    """What reports are asked of: the ledger, its tables, and what is known about plans."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def reports(self) -> ReportState: ...


class At(NamedTuple):
    """Where reports are asked for: the service, and what it knows about plans."""

    state: AppState
    reports: ReportState

    @property
    def ledger(self) -> Ledger:
        """The service's own."""
        return self.state.ledger

    @property
    def read_model(self) -> ReadModel:
        """The service's own."""
        return self.state.read_model


class Opened(NamedTuple):
    """A database that a command has opened."""

    ledger: Ledger
    read_model: ReadModel
    reports: ReportState


def ask_report(
    at: Books, asked: ReportQuestion, wanted: int, known_position: int | None = None, *, anew: bool = False
) -> Report:
    """The report as of the position now, or of the one asked for; `anew` has every stored line read for it. Raises
    `PositionNotReached`."""

    def question(tables: Any, now: int, told: ToldOf) -> Report:
        return answered(at.reports, tables, asked, now, known_position, anew=anew, told=told).report

    return ask_clubs(at, max(wanted, known_position or 0), question)


def ask_clubs(at: Books, wanted: int, question: Callable[[Transaction, int, ToldOf], T]) -> T:
    """What the read model answers at one moment, given also what was told of clubs before; what is told of them now is
    kept. Raises `PositionNotReached`."""
    now_told: dict[Told, bytes] = {}

    def at_moment(tables: Any, now: int) -> T:
        now_told.clear()  # What was worked out while the tables moved is nobody's.
        return question(tables, now, ChainMap(now_told, at.reports.told))

    found = ask_tables(at, wanted, at_moment)
    at.reports.keep(now_told)
    return found


def answered(
    reports: ReportState,
    tables: Transaction,
    asked: ReportQuestion,
    now: int,
    known_position: int | None = None,
    *,
    anew: bool = False,
    told: ToldOf | None = None,
) -> Counted:
    """The report from tables that are at `now`, as of then or of an earlier position."""
    position = now if known_position is None else known_position
    return answer(
        tables,
        asked,
        position=position,
        now=now,
        chains=reports.chains(tables, now, anew=anew),
        spent=spent(tables, asked.plan.code, position, asked.period.until),
        told=told,
    )


def restatement(at: Books, frozen: Frozen, wanted: int, at_position: int | None = None) -> Mapping[str, Any]:
    """`{report, position, changes}`: what the question of a frozen report answers now, or as of a later position."""
    before: Report = msgspec.json.decode(content_of(at.ledger.database, frozen.report))

    def question(tables: Any, now: int, told: ToldOf) -> Mapping[str, Any]:
        position = max(now if at_position is None else at_position, frozen.position)
        after = answered(at.reports, tables, frozen.asked, now, position, told=told)
        clubs = {club.fund: club for club in after.clubs}
        found = changes(tables, Between(frozen.asked, before, after.report, clubs, now))
        return {"report": frozen.report, "position": position, "changes": found}

    return ask_clubs(at, max(wanted, at_position or 0, frozen.position), question)

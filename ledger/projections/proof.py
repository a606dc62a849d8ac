"""The proof: every table compared, row by row, with a fresh replay of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from ledger.chart import Key
from ledger.database import Database, Row
from ledger.events import Entry
from ledger.projections.balances import BALANCES
from ledger.projections.batch import TABLES
from ledger.projections.knowledge import Known
from ledger.projections.tables import Reader, Table


class Replayed(Protocol):
    """As much of a fund aggregate as the proof needs."""

    @property
    def balances(self) -> Mapping[Key, int]:
        """What every account holds."""
        ...


class Positions(Protocol):
    """As much of the recorder as the proof needs."""

    def position_of(self, fund: str, version: int) -> int:
        """Where in the whole log an entry lies."""
        ...


class ProvenLedger(Protocol):
    """As much of the ledger as the proof needs."""

    database: Database

    @property
    def recorder(self) -> Positions:
        """The log itself."""
        ...

    def funds(self) -> list[str]:
        """The codes of all funds."""
        ...

    def entries(self, fund: str, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
        """A fund's stored entries. Raises for a history that was changed."""
        ...

    def replayed(self, fund: str, *, upto: int | None = None) -> Replayed:
        """A fund built anew. Raises for a history that was changed."""
        ...


class Divergence(NamedTuple):
    """A row that is not what a replay makes it; `live` or `replayed` is None where it is missing."""

    fund: str
    table: str
    key: tuple[Any, ...]
    live: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None


def divergences(ledger: ProvenLedger, funds: Iterable[str] | None = None) -> Iterator[Divergence]:
    """Compare the tables of these funds (or all) with a fresh replay up to the same version, and their balances with
    the aggregate's own. Nothing is to be found while the read model is sound, also while it follows; a fund that is
    parked is found by that row. Raises for a history that was changed."""
    for fund in ledger.funds() if funds is None else funds:
        position = ledger.database.query("SELECT position FROM read_model")[0]["position"]
        live = _rows_of(ledger.database, fund)
        version = max((row["version"] for row in live["entries"].values()), default=0)
        replayed = _rows_of(Known(ledger.entries(fund, upto=version)), fund)
        yield from _compared(fund, live, replayed)
        if version:
            balances = _balances(fund, ledger.replayed(fund, upto=version).balances)
            yield from _compared(fund, {"balances": live["balances"]}, {"balances": balances})
        for missed in () if live["parked"] else ledger.entries(fund, after=version, upto=version + 1):
            if ledger.recorder.position_of(fund, missed.event.version) <= position:
                yield Divergence(fund, "entries", (fund, missed.event.version), None, {"type": missed.event.name})


Rows = Mapping[str, Mapping[tuple[Any, ...], Row]]


def _compared(fund: str, live: Rows, replayed: Rows) -> Iterator[Divergence]:
    for table, rows in live.items():
        for key in sorted(rows.keys() | replayed[table].keys()):
            ours, theirs = rows.get(key), replayed[table].get(key)
            if ours != theirs:
                yield Divergence(fund, table, key, ours, theirs)


def _balances(fund: str, balances: Mapping[Key, int]) -> dict[tuple[Any, ...], Row]:
    """The aggregate's balances, as rows."""
    rows = {}
    for (pot, account, of), amount in balances.items():
        key = (fund, pot, account, "" if of is None else str(of))
        rows[key] = dict(zip(BALANCES.names, (*key, amount), strict=True))
    return rows


def _rows_of(reader: Reader, fund: str) -> Rows:
    """All rows of a fund in every table, all at one version of it."""
    while True:
        before = _version(reader, fund)
        rows = {table.name: _keyed(reader, table, fund) for table in TABLES}
        if _version(reader, fund) == before:
            return rows


def _version(reader: Reader, fund: str) -> list[Row]:
    return reader.query("SELECT version FROM funds WHERE fund = :fund", fund=fund)


def _keyed(reader: Reader, table: Table, fund: str) -> dict[tuple[Any, ...], Row]:
    names = table.key.split(", ")
    rows = reader.query(f"SELECT * FROM {table.name} WHERE fund = :fund", fund=fund)
    return {tuple(row[name] for name in names): row for row in rows}

"""What was known: the same tables as they stood at a version of one fund, made in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import MINYEAR, UTC, date, datetime
from threading import Lock
from typing import Any

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from ledger.database import Database, Row, Transaction
from ledger.events import Entry
from ledger.projections.balances import BALANCES
from ledger.projections.batch import HISTORIES, ONLY_ADDED_TO, PARKED, TABLES, LogLine, followed, rows_from_nothing
from ledger.projections.days import ACCOUNT_DAYS, ENTRY_DAYS
from ledger.projections.funds import FUNDS, Last
from ledger.projections.read_model import make_tables
from ledger.projections.tables import History, Rows, Table
from ledger.sqlite_engine import connect


class _Memory(SQLiteDatastore):
    """One connection to a database that is gone with it."""

    def __init__(self) -> None:
        self._connection = SQLiteConnection(connect(":memory:"), max_age=None)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self._connection.transaction(commit=commit) as cursor:
            yield cursor

    def close(self) -> None:
        self._connection.close()


class _Moment:
    """The read model of one fund as it stood at a version, for the very same queries.

    A table is made when a question first names it: most questions need few. Its position is 0; threads take turns.
    """

    def __init__(self, missing: Iterable[Table]) -> None:
        self._missing = set(missing)
        self._turn = Lock()
        self._database = Database(_Memory())
        with self._database.transaction() as transaction:
            make_tables(transaction, keys_come_later=True)
            for table in ONLY_ADDED_TO:
                transaction.execute(table.in_two_steps[0])

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        with self._turn:
            if asked := [table for table in self._missing if table.name in sql]:
                with self._database.transaction() as transaction:
                    for table in asked:
                        table.add(transaction, self._rows(table))
                        # Quicker than while it is filled.
                        for statement in table.ways_in if table in ONLY_ADDED_TO else ():
                            transaction.execute(statement)
                self._missing.difference_update(asked)
            return self._database.query(sql, **parameters)

    def _rows(self, table: Table) -> Rows:
        raise NotImplementedError


class Known(_Moment):
    """The tables made of nothing but a fund's first entries, and so what the read model is judged by. Raises
    `DoesNotFollow`, and whatever a line provokes that parks the fund."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._last, self._told = followed(
            Last(), (LogLine(0, entry.event.fund, entry.event.version, entry.line, entry.event) for entry in entries)
        )
        self.version = self._last.version
        super().__init__(TABLES if self._told else ())

    def _rows(self, table: Table) -> Rows:
        return rows_from_nothing(table, self._last, self._told)


class Then(_Moment):
    """The tables as they stood at a version, from the read model's own: what is told in them bears the version it was
    told at and is never changed, and all else follows from it. No entry is read and no history replayed.

    `tables` must last as long as the questions.
    """

    def __init__(self, tables: Transaction, fund: str, version: int, head: str) -> None:
        self._tables = tables
        self._fund, self._version, self._head = fund, version, head
        self._held: set[str] = set()
        super().__init__(TABLES)

    def held_on(self, until: str) -> str:
        """What was held on a day, added up where the legs are: bringing them all here would take far longer."""
        name = f"held_{date.fromisoformat(until):%Y%m%d}"
        with self._turn:
            if name not in self._held:
                sums = self._tables.values(
                    "SELECT fund, pot, account, part, CAST(SUM(amount) AS BIGINT) FROM legs WHERE fund = :fund "
                    "AND version <= :version AND on_day <= :until GROUP BY fund, pot, account, part",
                    fund=self._fund,
                    version=self._version,
                    until=until,
                )
                with self._database.transaction() as transaction:
                    transaction.execute(f"CREATE TABLE {name} ({BALANCES.columns})")
                    transaction.insert(name, BALANCES.names, sums)
                self._held.add(name)
        return f"{name} WHERE 1 = 1"

    def _rows(self, table: Table) -> Rows:
        if table is FUNDS:
            return self._fund_row()
        if table is BALANCES:
            return self._select(
                "SELECT fund, pot, account, part, CAST(SUM(amount) AS BIGINT) FROM legs WHERE {told} "
                "GROUP BY fund, pot, account, part"
            )
        for history in HISTORIES:
            if table in history.derived:
                return self._derived(history, table)
        if table in (ACCOUNT_DAYS, ENTRY_DAYS, PARKED):
            return []  # What asks about many clubs at a time reads these, and knows how to look back by itself.
        return self._select(f"SELECT {_columns(table)} FROM {table.name} WHERE {{told}}")

    def _derived(self, history: History, table: Table) -> Rows:
        """The derived rows: as they are of whom nothing was told since, worked out anew of the others."""
        owner, facts = history.owner, history.facts
        later = f"SELECT {owner} FROM {facts.name} WHERE fund = :fund AND version > :version"
        alike = f"SELECT {_columns(table)} FROM {table.name} WHERE fund = :fund AND {owner} NOT IN ({later})"
        changed = f"SELECT {_columns(facts)} FROM {facts.name} WHERE {{told}} AND {owner} IN ({later}) ORDER BY version"
        return [*self._select(alike), *history.derived_rows(self._select(changed)).get(table, ())]

    def _fund_row(self) -> Rows:
        ((latest_on,),) = self._select("SELECT MAX(on_day) FROM entries WHERE {told}")
        known = FUNDS.names[: -len(Last._fields)]
        rows = self._tables.values(f"SELECT {', '.join(known)} FROM funds WHERE fund = :fund", fund=self._fund)
        return [(*row, self._version, self._head, latest_on) for row in rows]

    def _select(self, sql: str) -> Rows:
        told = "fund = :fund AND version <= :version"
        return self._tables.values(sql.format(told=told), fund=self._fund, version=self._version)


def _columns(table: Table) -> str:
    return ", ".join(table.names)


def version_at(tables: Transaction, fund: str, instant: datetime) -> int:
    """The last entry of a fund that had been recorded by an instant; 0 if there was none. Entries come in the order of
    their instants, whose text is in order only up to the second."""
    second = _in_utc(instant).isoformat()[:19]
    (last,) = tables.values(
        "SELECT MAX(version) FROM entries WHERE fund = :fund AND substr(recorded_at, 1, 19) < :second",
        fund=fund,
        second=second,
    )[0]
    within = tables.values(
        "SELECT version, recorded_at FROM entries WHERE fund = :fund AND substr(recorded_at, 1, 19) = :second",
        fund=fund,
        second=second,
    )
    return max((version for version, at in within if datetime.fromisoformat(at) <= instant), default=last or 0)


def _in_utc(instant: datetime) -> datetime:
    """The instant in UTC; what lies beyond its calendar is before, or after, all that was ever recorded."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        utmost = datetime.min if instant.year == MINYEAR else datetime.max  # noqa: DTZ901  # It is given its zone below.
        return utmost.replace(tzinfo=UTC)


def code_of(tables: Transaction, fund: str, version: int) -> str | None:
    """The check code of the line that an entry's rows were made of."""
    rows = tables.values(
        "SELECT code FROM entries WHERE fund = :fund AND version = :version", fund=fund, version=version
    )
    return "-".join(rows[0][0][start : start + 4] for start in range(0, 16, 4)) if rows else None

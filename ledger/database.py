"""The tables beside the log, in the same database: portable SQL with `:name` parameters on SQLite and PostgreSQL.

Rows are dictionaries. Days and instants are ISO text, so that both engines store, order and return them alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Literal, cast

import psycopg
from eventsourcing.persistence import OperationalError
from eventsourcing.postgres import PostgresDatastore
from eventsourcing.sqlite import SQLiteDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row

from ledger.faults import Fault
from ledger.sqlite_engine import insert_rows, sqlite

Row = dict[str, Any]

EVENTS_TABLE = "stored_events"
"""The log itself, as the event store library keeps it."""

NO_LINE: Final = b""
"""What a row of the log holds whose line somebody has taken out: the column may be NULL. It breaks that log's chain,
and stops nobody else's."""

Access = Literal["make", "write", "read"]
"""What a database is opened for: to be made if there is none, to be written to, or only to be read: then nothing of
it changes, and it may be one that nobody may write to."""

READ_SECONDS: float = 8
"""How long one statement beside the log may take on a server; after that nobody waits for it any more."""

UNHURRIED_SECONDS: float = 3600
"""The same for what takes its time: a command that goes through the whole log, a checkpoint."""

IN_LIST = 500
"""Parameters of one `IN (…)`; SQLite's limit is far above, the statement cache likes few shapes."""


class UnsafeStorage(Fault):
    """The database is none of ours, or is set up in a way that can lose acknowledged entries."""

    area = "storage"


class Transaction:
    """Statements that are committed together or not at all."""

    def __init__(self, cursor: Any, *, is_postgres: bool) -> None:
        self._cursor = cursor
        self._is_postgres = is_postgres
        self.statements = 0
        """So many were run."""

    @property
    def position_column(self) -> str:
        """By which column of the log its rows are in order."""
        return "notification_id" if self._is_postgres else "rowid"

    def execute(self, sql: str, **parameters: Any) -> int:
        """Run a statement; answers how many rows it touched."""
        self._run(sql, parameters)
        return max(int(self._raw().rowcount), 0)

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        if not self._is_postgres:
            rows = self.values(sql, **parameters)  # The engine's own named rows cost three times as much.
            names = [column[0] for column in self._raw().description or ()]
            return [dict(zip(names, row, strict=True)) for row in rows]
        self._run(sql, parameters)
        found: list[Row] = self._cursor.fetchall()
        return found

    def values(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query without names, which cost as much as all the rest where there are thousands."""
        cursor = self._raw()
        named, cursor.row_factory = cursor.row_factory, tuple_row if self._is_postgres else None
        try:
            self._run(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        finally:
            cursor.row_factory = named
        return rows

    def execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        """Run a statement once per row of parameters."""
        if rows:
            self._cursor.executemany(_native(sql) if self._is_postgres else sql, rows)

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str] = ()
    ) -> None:
        """Insert many rows the fastest way the engine has, which is faster still if the columns' types are given. Names
        come from our own code, never from a request."""
        if not rows:
            return
        names = ", ".join(columns)
        if self._is_postgres:
            with self._cursor.copy(f"COPY {table} ({names}) FROM STDIN{' (FORMAT BINARY)' if types else ''}") as copy:
                if types:
                    copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
        else:
            insert_rows(self._cursor, f"INSERT INTO {table} ({names})", rows)

    def drop(self, tables: Iterable[str]) -> None:
        """Drop tables in which nothing is secret. SQLite does not overwrite their pages, as it does with all else that
        is deleted: of a country's tables that would be gigabytes, while everybody waits who records."""
        if not self._is_postgres:
            self.query("PRAGMA secure_delete=FAST")
        try:
            for table in tables:
                self.execute(f"DROP TABLE IF EXISTS {table}")
        finally:
            if not self._is_postgres:
                self.query("PRAGMA secure_delete=ON")

    def _raw(self) -> Any:
        return self._cursor if self._is_postgres else self._cursor.sqlite_cursor

    def _run(self, sql: str, parameters: Row) -> None:
        self.statements += 1
        if self._is_postgres:
            # Results in binary: as text, a stored line would come as hexadecimal digits.
            self._cursor.execute(_native(sql), parameters, prepare=True, binary=True)
        else:
            self._cursor.execute(sql, parameters)


@lru_cache(maxsize=1024)
def _native(sql: str) -> str:
    """`:name` as psycopg writes it."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", sql.replace("%", "%%"))


class Database:
    """The tables beside the log, through the event store's own connections."""

    def __init__(
        self,
        datastore: SQLiteDatastore | PostgresDatastore,
        access: Access = "make",
        seconds: float = READ_SECONDS,
    ) -> None:
        self._datastore = datastore
        self.access = access
        self.seconds = seconds
        self.is_postgres = isinstance(datastore, PostgresDatastore)

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        """Statements committed together at the end; uncommitted they only read, on SQLite all at one moment. Raises
        the event store's `PersistenceError`s."""
        with self._opened(commit=commit) as cursor:
            if self.is_postgres:
                session: Any = cast("Cursor[Row]", cursor).connection
                session.answer_seconds = self.seconds
            try:
                yield Transaction(cursor, is_postgres=self.is_postgres)
            except (sqlite.OperationalError, psycopg.OperationalError) as error:
                raise OperationalError(str(error)) from error

    @contextmanager
    def _opened(self, *, commit: bool) -> Iterator[Any]:
        if isinstance(self._datastore, PostgresDatastore) and not commit:
            # Each statement sees a moment of its own in any case, and a rollback would forget what is prepared.
            with self._datastore.get_connection() as session, session.cursor() as cursor:
                yield cursor
        else:
            with self._datastore.transaction(commit=commit) as cursor:
                yield cursor

    def unhurried(self) -> Database:
        """The same tables for statements that may take long."""
        return Database(self._datastore, self.access, UNHURRIED_SECONDS)

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        if self.is_postgres:
            return bool(self.query("SELECT 1 WHERE to_regclass(:name) IS NOT NULL", name=table))
        return bool(self.query("SELECT 1 FROM sqlite_master WHERE name = :name", name=table))

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of one query."""
        with self.transaction(commit=False) as transaction:
            return transaction.query(sql, **parameters)

    def values(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of one query, without names."""
        with self.transaction(commit=False) as transaction:
            return transaction.values(sql, **parameters)

    def execute(self, sql: str, **parameters: Any) -> int:
        """Run and commit one statement; answers how many rows it touched."""
        with self.transaction() as transaction:
            return transaction.execute(sql, **parameters)

    def scrub(self) -> None:
        """See to it that what was deleted is gone from the disk: SQLite's write-ahead log keeps a copy until it is
        emptied. Raises `OperationalError` while somebody reads on and on."""
        if isinstance(self._datastore, PostgresDatastore):
            return
        with self._datastore.get_connection(commit=False) as connection:
            cursor: Any = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, *_) = cursor.fetchone()
        if is_busy:
            raise OperationalError("somebody reads, and what was deleted cannot be taken out of the write-ahead log")

    def select_in(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """The rows of a query that ends in `… IN`, for as many values as there are."""
        rows: list[Row] = []
        for chunk in _chunks(values):
            names = {f"v{number}": value for number, value in enumerate(chunk)}
            rows += self.query(f"{sql} ({', '.join(':' + name for name in names)})", **names)
        return rows


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + IN_LIST] for start in range(0, len(values), IN_LIST))

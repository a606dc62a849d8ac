"""Where the log lies: the event store library's factories for SQLite and PostgreSQL, set up for a fund's money.

Our part is small: an event is stored as its own line, the erasable texts of a batch go into the same transaction,
SQLite is kept durable and out of reach of its WAL-reset race, and PostgreSQL takes a batch as one statement. On both, a
line is stored only where the log holds the line before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    EventStore,
    Mapper,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory
from eventsourcing.utils import Environment, EnvType
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ledger.aggregates.kinds import kind_of
from ledger.aggregates.log import BrokenChain
from ledger.database import EVENTS_TABLE, NO_LEDGER, Access, Database, UnsafeStorage
from ledger.events import Entry, head_of
from ledger.losses import LastLine, MissingLine
from ledger.register import Text
from ledger.schema import CREATE_TABLES
from ledger.sqlite_engine import insert_rows, sqlite
from ledger.storage.postgres_sessions import ReadOnlyDatabase, SessionDatastore, refuse_unsafe
from ledger.storage.postgres_statements import CONFIRM_LINE, INSERT_LINES, SELECT_LINES, SELECT_POSITION
from ledger.storage.sqlite_connections import JOURNAL_MODE, LOCK_SECONDS, DurableDatastore
from ledger.storage.sqlite_file import GONE

SESSION = f"SET lock_timeout = '{LOCK_SECONDS}s'"
"""What each session of PostgreSQL begins with."""
READ_ONLY = "; SET default_transaction_read_only = on"
ACCESS = "ACCESS"
"""Under which name a factory finds what the database is opened for."""
NO_LIMIT = 2**62


class LineMapper(Mapper[str]):
    """From an entry to its stored row. The bytes stored are the bytes hashed, never an object written again."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row of an entry."""
        entry = cast("Entry", domain_event)
        return StoredEvent(entry.event.fund, entry.event.version, entry.event.name, entry.line)


class LineStore(EventStore[str]):
    """From stored lines to entries: the lines alone, since a line says itself which log and version it is."""

    recorder: Recorder

    def get(
        self, originator_id: str, *, gt: int | None = None, lte: int | None = None, **_: Any
    ) -> Iterator[DomainEventProtocol[str]]:
        """A log's entries in order; none if it is of no kind known here. Raises `BrokenChain` for a row that holds no
        line of its kind."""
        kind = kind_of(originator_id)
        if kind is None:
            return
        decode = kind.decode
        for number, line in enumerate(self.recorder.lines(originator_id, gt or 0, lte), (gt or 0) + 1):
            try:
                event = decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise BrokenChain(originator_id, number) from error
            if event.fund != originator_id:
                raise BrokenChain(originator_id, number)
            yield Entry(event, line)


def environment(database_url: str, access: Access = "make") -> dict[str, str]:
    """The library's settings for `sqlite:///PATH` or `postgresql://…`. Raises `ValueError` for anything else."""
    if database_url.startswith("sqlite:///"):
        return {
            "PERSISTENCE_MODULE": "ledger.storage:SQLiteStorage",
            ACCESS: access,
            "ORIGINATOR_ID_TYPE": "text",
            "SQLITE_DBNAME": database_url.removeprefix("sqlite:///"),
            "SQLITE_LOCK_TIMEOUT": str(LOCK_SECONDS),
        }
    if database_url.startswith(("postgresql://", "postgres://")):
        return {
            "PERSISTENCE_MODULE": "ledger.storage:PostgresStorage",
            ACCESS: access,
            "ORIGINATOR_ID_TYPE": "text",
            "POSTGRES_URL": database_url,
            # The library asks for these; our sessions are made from the whole URL.
            **dict.fromkeys(("POSTGRES_DBNAME", "POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD"), ""),
        }
    raise ValueError("the database is given as sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")


# --- SQLite -----------------------------------------------------------------------------------------------------------


class SQLiteRecorder(SQLiteApplicationRecorder):
    """The log in SQLite; positions are row ids."""

    def construct_create_table_statements(self) -> list[str]:
        """The library's table of events, with ours beside it."""
        return [*super().construct_create_table_statements(), *CREATE_TABLES]

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        texts: Sequence[Text] = (),
        built_on: Sequence[LastLine] = (),
        **_: Any,
    ) -> Sequence[int] | None:
        """Store a batch; the row ids it was given follow each other, for nobody else writes meanwhile. Raises
        `MissingLine` unless the log holds every line that it is built on."""
        # Of all funds at once, each by its key: see `insert_rows` for why a statement for each would cost more.
        c.execute(
            f"SELECT state FROM json_each(?) AS fund CROSS JOIN {self.events_table_name} ON originator_id = "
            "json_extract(fund.value, '$[0]') AND originator_version = json_extract(fund.value, '$[1]')",
            (msgspec.json.encode(built_on).decode(),),
        )
        if {head_of(row["state"]) for row in c.fetchall()} != {line.head for line in built_on}:
            raise MissingLine
        insert_rows(c, "INSERT OR IGNORE INTO texts", texts)
        columns = attrgetter("originator_id", "originator_version", "topic", "state")
        insert_rows(c, f"INSERT INTO {self.events_table_name}", [columns(stored) for stored in stored_events])
        last: int = c.lastrowid
        return range(last - len(stored_events) + 1, last + 1)

    def lines(self, fund: str, after: int, upto: int | None) -> list[bytes]:
        """A fund's stored lines in order, from the version `after` on."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT state FROM {self.events_table_name} WHERE originator_id = ? "
                "AND originator_version > ? AND originator_version <= ? ORDER BY originator_version",
                (fund, after, NO_LIMIT if upto is None else upto),
            )
            # Plain rows: of thousands of lines, the library's rows would take a fifth of the time.
            cursor.sqlite_cursor.row_factory = None
            return [state for (state,) in cursor.fetchall()]

    def position_of(self, fund: str, version: int) -> int:
        """Where in the whole log an entry lies."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid FROM {self.events_table_name} WHERE originator_id = ? AND originator_version = ?",
                (fund, version),
            )
            return int(cursor.fetchone()[0])

    def confirmed(self, line: LastLine) -> int:
        """Where in the whole log an entry lies that is acknowledged again. Raises `MissingLine` if it is gone."""
        lines = self.lines(line.fund, line.version - 1, line.version)
        if [head_of(stored) for stored in lines] != [line.head]:
            raise MissingLine
        return self.position_of(line.fund, line.version)


class SQLiteStorage(SQLiteFactory):
    """SQLite in one file: the default."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        access = cast("Access", self.env.get(ACCESS))
        self.datastore: DurableDatastore = DurableDatastore(
            self.datastore.pool.db_name, access, originator_id_type="text"
        )

    def application_recorder(self) -> ApplicationRecorder:
        """The log, its tables made unless it is only read. Raises `UnsafeStorage` for a file that holds none."""
        recorder = SQLiteRecorder(self.datastore, EVENTS_TABLE)
        if self.env.get(ACCESS) != "read":
            recorder.create_table()
        return recorder

    def trouble(self) -> str | None:
        """Why nothing can be read or stored, as far as that is seen without trying; None if nothing is wrong."""
        return GONE if self.datastore.file.is_gone() else None

    def findings(self) -> list[str]:
        """What an operator should know of this engine and its file."""
        if JOURNAL_MODE == "wal":
            return self.datastore.file.findings()
        return [
            f"SQLite {sqlite.sqlite_version} has the WAL-reset race; a rollback journal is used instead (slower, safe)",
            *self.datastore.file.findings(),
        ]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


class PostgresRecorder(PostgresApplicationRecorder):
    """The log in PostgreSQL; positions are notification ids, handed out in commit order."""

    datastore: SessionDatastore

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = {"schema": Identifier(self.datastore.schema), "table": Identifier(self.events_table_name)}
        self.sql_create_statements += [SQL(statement).format() for statement in CREATE_TABLES]
        self.insert_lines = SQL(INSERT_LINES).format(**table)
        self.confirm_line = SQL(CONFIRM_LINE).format(**table)
        self.select_lines = SQL(SELECT_LINES).format(**table)
        self.select_position = SQL(SELECT_POSITION).format(**table)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        texts: Sequence[Text] = (),
        built_on: Sequence[LastLine] = (),
        **_: Any,
    ) -> Sequence[int]:
        """Store a batch and its texts by one statement, which is a transaction of its own: one message there, one back.
        Raises `MissingLine` unless the log holds every line that it is built on.

        Unlike the library's own method it never tries again by itself: after a connection lost meanwhile nobody knows
        yet whether the batch is stored, and only the caller can look its requests up.
        """
        columns = (
            " ".join([line.fund for line in built_on]),
            " ".join([str(line.version) for line in built_on]),
            " ".join([line.head for line in built_on]),
            *([text[column] for text in texts] for column in range(len(Text._fields))),
            # Taken apart by the database: the driver would look at each value of a list for what must be escaped.
            " ".join([str(stored.originator_id) for stored in stored_events]),
            " ".join([str(stored.originator_version) for stored in stored_events]),
            " ".join([stored.topic for stored in stored_events]),
            " ".join([stored.state.hex() for stored in stored_events]),
        )
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.execute(self.insert_lines, columns, prepare=True)
            positions = [row["notification_id"] for row in cursor.fetchall()]
        if len(positions) < len(stored_events):
            raise MissingLine
        return positions

    def lines(self, fund: str, after: int, upto: int | None) -> list[bytes]:
        """A fund's stored lines in order, from the version `after` on."""
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            cursor.execute(self.select_lines, (fund, after, NO_LIMIT if upto is None else upto), prepare=True)
            return [line for (line,) in cursor.fetchall()]

    def position_of(self, fund: str, version: int) -> int:
        """Where in the whole log an entry lies."""
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.execute(self.select_position, (fund, version), prepare=True)
            row = cursor.fetchone()
            assert row
            return int(row["notification_id"])

    def confirmed(self, line: LastLine) -> int:
        """Where in the whole log an entry lies that is acknowledged again, once it is sure to last. Raises
        `MissingLine` if it is gone, and `ReadOnlyDatabase`."""
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.execute(self.confirm_line, line, prepare=True)
            row = cursor.fetchone()
        if row is None:
            raise MissingLine
        if row["is_read_only"]:
            self.datastore.replace_sessions()
            raise ReadOnlyDatabase
        return int(row["notification_id"])

    # The library would try ten times by itself, and each time wait for an answer that does not come.
    select_notifications = PostgresApplicationRecorder.select_notifications.__wrapped__
    max_notification_id = PostgresApplicationRecorder.max_notification_id.__wrapped__


class PostgresStorage(PostgresFactory):
    """PostgreSQL: for a province or a country."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        begins = SESSION + (READ_ONLY if self.env.get(ACCESS) == "read" else "")
        self.datastore: SessionDatastore = SessionDatastore(self.env["POSTGRES_URL"], begins)

    def application_recorder(self) -> ApplicationRecorder:
        """The log, its tables made. Raises `UnsafeStorage` for a server that may lose what it acknowledged."""
        if self.env.get(ACCESS) == "read":
            self.datastore.reach()
            if not Database(self.datastore, "read").has("settings"):
                raise UnsafeStorage(f"the PostgreSQL database {NO_LEDGER}")
            return PostgresRecorder(datastore=self.datastore, events_table_name=EVENTS_TABLE)
        refuse_unsafe(self.datastore)
        recorder = PostgresRecorder(datastore=self.datastore, events_table_name=EVENTS_TABLE)
        with self.datastore.transaction(commit=False) as cursor:
            # PostgreSQL's IF NOT EXISTS and OR REPLACE fail when two processes start at once.
            session: Any = cursor.connection
            session.answer_seconds = float(LOCK_SECONDS)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('microfund start'))")
            recorder.create_table()
        return recorder

    def trouble(self) -> str | None:
        """Why nothing can be stored, although the server answers."""
        return "nothing can be stored: the server only reads" if self.datastore.is_read_only() else None

    def findings(self) -> list[str]:
        """What an operator should know of this server."""
        return []


Recorder = SQLiteRecorder | PostgresRecorder

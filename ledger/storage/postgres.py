"""The log in PostgreSQL: a batch by one statement, positions in the order of the commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from eventsourcing.utils import Environment, EnvType
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ledger.database import EVENTS_TABLE, NO_LINE, Database, UnsafeStorage
from ledger.losses import LastLine, MissingLine
from ledger.register import Encrypted
from ledger.storage.lines import ACCESS, NO_LIMIT
from ledger.storage.postgres_sessions import ReadOnlyDatabase, SessionDatastore, refuse_unsafe
from ledger.storage.postgres_statements import (
    CONFIRM_LINE,
    INSERT_LINES,
    SELECT_LINES,
    SELECT_LINES_SINCE,
    SELECT_POSITION,
)
from ledger.storage.sqlite_connections import LOCK_SECONDS

SESSION = f"SET lock_timeout = '{LOCK_SECONDS}s'"
"""What each session of PostgreSQL begins with."""
READ_ONLY = "; SET default_transaction_read_only = on"


class PostgresRecorder(PostgresApplicationRecorder):
    """The log in PostgreSQL; positions are notification ids, handed out in commit order."""

    datastore: SessionDatastore

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = {"schema": Identifier(self.datastore.schema), "table": Identifier(self.events_table_name)}
        self.insert_lines = SQL(INSERT_LINES).format(**table)
        self.confirm_line = SQL(CONFIRM_LINE).format(**table)
        self.select_lines = SQL(SELECT_LINES).format(**table)
        self.select_lines_since = SQL(SELECT_LINES_SINCE).format(**table)
        self.select_position = SQL(SELECT_POSITION).format(**table)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        texts: Sequence[Encrypted] = (),
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
            *([text[column] for text in texts] for column in range(len(Encrypted._fields))),
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
            return [line or NO_LINE for (line,) in cursor.fetchall()]

    def lines_since(self, after: dict[str, int]) -> list[tuple[str, bytes]]:
        """The lines of several logs, each from after a version on: those of a log in order and together."""
        asked = " ".join(after), " ".join(map(str, after.values()))
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            cursor.execute(self.select_lines_since, asked, prepare=True)
            return [(log, line or NO_LINE) for log, line in cursor.fetchall()]

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
                raise UnsafeStorage("no-ledger", database="PostgreSQL")
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

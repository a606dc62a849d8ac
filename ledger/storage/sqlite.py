"""The log in an SQLite file: every commit on disk, writers in turn, out of reach of the WAL-reset race."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, cast

import msgspec
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory
from eventsourcing.utils import Environment, EnvType

from ledger.database import EVENTS_TABLE, NO_LINE, Access
from ledger.events import head_of
from ledger.losses import LastLine, MissingLine
from ledger.register import Encrypted
from ledger.sqlite_engine import insert_rows, sqlite
from ledger.storage.lines import ACCESS, NO_LIMIT
from ledger.storage.sqlite_connections import JOURNAL_MODE, DurableDatastore
from ledger.storage.sqlite_file import GONE


class SQLiteRecorder(SQLiteApplicationRecorder):
    """The log in SQLite; positions are row ids."""

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        texts: Sequence[Encrypted] = (),
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
        insert_rows(c, "INSERT OR IGNORE INTO register", texts)
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
            return [state or NO_LINE for (state,) in cursor.fetchall()]

    def lines_since(self, after: dict[str, int]) -> list[tuple[str, bytes]]:
        """The lines of several logs, each from after a version on: those of a log in order and together."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT originator_id, state FROM json_each(?) AS log CROSS JOIN {self.events_table_name} "
                "ON originator_id = log.key AND originator_version > log.value ORDER BY log.id, originator_version",
                (msgspec.json.encode(after).decode(),),
            )
            cursor.sqlite_cursor.row_factory = None
            return [(log, state or NO_LINE) for log, state in cursor.fetchall()]

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

"""Connections to an SQLite file: each commit on disk, writers in turn, and never to another file than the first one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any

from eventsourcing.persistence import InterfaceError, OperationalError
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from ledger.database import Access, UnsafeStorage
from ledger.sqlite_engine import connect, has_wal_reset_race, sqlite
from ledger.storage.sqlite_file import DatabaseFile

LOCK_SECONDS = 30
"""How long somebody else may hold what is needed here."""

JOURNAL_MODE = "truncate" if has_wal_reset_race(sqlite.sqlite_version_info) else "wal"
"""A rollback journal knows no WAL-reset race; a repaired engine may use the faster write-ahead log."""


class DurablePool(SQLiteConnectionPool):
    """Connections that sync every commit to disk, and remember the statements they have prepared: the library's own
    remember one."""

    file: DatabaseFile
    access: Access

    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = self._connected(self.file.address())
        except OperationalError:
            # Where nothing can be written, SQLite cannot even note who reads a file with a write-ahead log.
            if not self.file.lies_still():
                raise
            connection = self._connected(self.file.address(unchanging=True))
        self.file.watch(with_log=self.access != "read" and JOURNAL_MODE == "wal")
        return SQLiteConnection(connection, max_age=self.max_age)

    def _connected(self, address: str) -> Any:
        try:
            connection = connect(address, LOCK_SECONDS)
        except sqlite.Error as error:
            raise InterfaceError(error) from error
        try:
            self._set_up(connection)
        except sqlite.OperationalError as error:
            connection.close()
            raise OperationalError(error) from error
        except sqlite.DatabaseError as error:
            connection.close()
            raise UnsafeStorage("unusable", database=str(self.db_name), why=str(error)) from error
        except UnsafeStorage:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: Any) -> None:
        # The first look into the file: from now on its write-ahead log is open, and what cannot be read has shown.
        is_ours = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'settings'").fetchone()
        if not is_ours and self.access != "make":
            raise UnsafeStorage("no-ledger", database=str(self.db_name))
        if self.access == "read":
            connection.execute("PRAGMA query_only=ON")
            return
        if (mode := _kept_in_mode(connection)) != JOURNAL_MODE:
            raise UnsafeStorage("journal-mode", database=str(self.db_name), mode=mode, needed=JOURNAL_MODE)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # What is erased from the register is gone from the file.
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # A log that has just begun is open from here on.


def _kept_in_mode(connection: Any) -> str:
    """See to it that the file is kept in our journal mode; answers the one it is in. Processes that start together get
    in each other's way here, and SQLite does not wait by itself."""
    patience = LOCK_SECONDS * 20
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != JOURNAL_MODE:
                (mode,) = connection.execute(f"PRAGMA journal_mode={JOURNAL_MODE}").fetchone()
            return str(mode)
        except sqlite.OperationalError:
            patience -= 1
            if patience < 0:
                raise
            time.sleep(0.05)


class ImmediateTransaction(SQLiteTransaction):
    """A transaction that, if it is to write, takes the write lock at once: two that both began by reading would
    otherwise end in a deadlock that no waiting resolves."""

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite.OperationalError as error:
            raise OperationalError(error) from error
        return cursor

    def __exit__(self, *raised: Any) -> None:
        """Commit or roll back. A commit that found the database busy or full would leave its transaction open, and
        with it the locks that keep everybody out."""
        try:
            super().__exit__(*raised)
        finally:
            self.connection.rollback()


class DurableDatastore(SQLiteDatastore):
    """The library's datastore with durable connections and immediate write transactions."""

    def __init__(self, db_name: str, access: Access, **settings: Any) -> None:
        super().__init__(db_name, **settings)
        self.file = DatabaseFile(db_name, access)
        self.file.prepare()
        self._writing = Lock()
        self.pool: DurablePool = DurablePool(
            db_name=db_name, lock_timeout=LOCK_SECONDS, pool_timeout=float(LOCK_SECONDS)
        )
        self.pool.file, self.pool.access = self.file, access

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        """A connection to the file that was opened first. Raises `DatabaseFileGone`."""
        self.file.check()
        with super().get_connection(commit=commit) as connection:
            yield connection

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """A cursor in a transaction that is committed at the end, or always rolled back.

        Writers wait at a lock of our own: the library's stays locked for ever once a connection cannot be made. What
        was committed to a file that meanwhile lies under no name, or another, is lost: `DatabaseFileGone`.
        """
        with (
            self._writing if commit else nullcontext(),
            self.get_connection(commit=False) as connection,
            ImmediateTransaction(connection, commit=commit) as cursor,
            cursor,
        ):
            yield cursor
        if commit:
            self.file.check()

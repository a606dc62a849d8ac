"""What was known: the same tables, made in memory from the first entries of one fund."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from ledger.database import Database
from ledger.events import Entry
from ledger.projections.batch import Line, apply
from ledger.projections.read_model import make_tables
from ledger.sqlite_engine import sqlite


class _Memory(SQLiteDatastore):
    """One connection to a database that is gone with it."""

    def __init__(self) -> None:
        connection = sqlite.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite.Row
        self._connection = SQLiteConnection(connection, max_age=None)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self._connection.transaction(commit=commit) as cursor:
            yield cursor

    def close(self) -> None:
        self._connection.close()


def known(entries: Iterable[Entry]) -> Database:
    """The read model of one fund as it stood after these entries, for the very same queries; one thread at a time.

    For `known_version`, `known(ledger.entries(fund, upto=version))`; for `known_at`, the entries with `recorded_at` at
    or before the instant (they come in that order). Its position is 0.
    """
    database = Database(_Memory())
    with database.transaction() as transaction:
        make_tables(transaction)
        apply(
            transaction,
            (Line(0, entry.event.fund, entry.event.version, entry.line, entry.event) for entry in entries),
        )
    return database

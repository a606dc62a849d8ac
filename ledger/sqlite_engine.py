"""The SQLite engine in use: the interpreter's own, or pysqlite3's newer one where that has the WAL-reset race.

A write-ahead log syncs once a commit and lets readers and the writer pass each other; a rollback journal, safe on any
engine, does neither. The race (SQLite 3.7.0 to 3.51.2) corrupts a database in WAL mode.
"""

from __future__ import annotations

import sqlite3 as own
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import eventsourcing.sqlite


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can corrupt a database in WAL mode: 3.7.0 to 3.51.2, but for the repaired branches."""
    repaired = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return version >= (3, 7, 0) and not repaired


def _engine() -> ModuleType:
    if has_wal_reset_race(own.sqlite_version_info):
        try:
            from pysqlite3 import dbapi2
        except ImportError:  # It has wheels for most machines, not for all.
            return own
        newer: ModuleType = dbapi2
        return newer
    return own


sqlite = _engine()
"""What is used wherever the standard library's `sqlite3` would be."""

vars(eventsourcing.sqlite)["sqlite3"] = sqlite  # The library names the engine in this one place.


def connect(file: str, patience_seconds: int = 0) -> Any:
    """A connection as the event store library wants it: no transaction begins by itself, and any thread may use it."""
    connection = sqlite.connect(
        file,
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        cached_statements=256,
        timeout=patience_seconds,
    )
    connection.row_factory = sqlite.Row
    return connection


MOST_PARAMETERS = 8_000
"""Of one statement; every engine since 3.32 takes four times as many."""


def insert_rows(cursor: Any, insert: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows by few statements of many rows: `insert` is all that stands before VALUES.

    Each step of a statement lets go of the interpreter, and in a busy process it takes milliseconds to get it back: a
    step for each row would make a burst wait longer for its turn than for the disk.
    """
    start = 0
    while start < len(rows):
        width = len(rows[0])
        # Powers of two keep the shapes few that the connection has to remember.
        many = 1 << (min(len(rows) - start, MOST_PARAMETERS // width).bit_length() - 1)
        marks = ", ".join([f"({', '.join('?' * width)})"] * many)
        cursor.execute(f"{insert} VALUES {marks}", [value for row in rows[start : start + many] for value in row])
        start += many


# For what is neither a number nor a text, the driver looks for a method that would make it one, and raises and catches
# an exception for every NULL. An adapter is found at once.
sqlite.register_adapter(type(None), {}.get)
sqlite.register_adapter(bytes, bytes)

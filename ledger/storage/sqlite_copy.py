"""A copy of an SQLite database that is being written to: the state of one moment, whole, as one file.

The engine's own way to do it: files that are copied while somebody writes lack what lies in the write-ahead log, or are
torn.
"""

from __future__ import annotations

from pathlib import Path

from eventsourcing.persistence import OperationalError

from ledger.sqlite_engine import connect, sqlite
from ledger.storage.sqlite_connections import LOCK_SECONDS
from ledger.storage.sqlite_file import DatabaseFile


def copy_online(source: str, target: Path) -> None:
    """Copy the database in the file `source` to a new file. With a write-ahead log nobody waits for it; beside a
    rollback journal those who record wait until it is done. Raises `UnsafeStorage` and `OperationalError`."""
    file = DatabaseFile(source, "read")
    file.prepare()
    try:
        reading, writing = connect(file.address(), LOCK_SECONDS), sqlite.connect(target)
        try:
            reading.backup(writing)  # All pages in one step: in several, each commit meanwhile would begin it anew.
            writing.execute("PRAGMA journal_mode=DELETE")  # The copy is one file; who opens it chooses its own mode.
        finally:
            writing.close()
            reading.close()
    except sqlite.Error as error:
        raise OperationalError(str(error)) from error


def why_not_whole(file: Path) -> str | None:
    """What SQLite finds wrong with the structure of a file that nobody writes to; None if nothing."""
    try:
        looking = sqlite.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            (found,) = looking.execute("PRAGMA integrity_check(1)").fetchone()
        finally:
            looking.close()
    except sqlite.Error as error:
        return str(error)
    return None if found == "ok" else str(found).splitlines()[-1]

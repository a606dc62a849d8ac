"""Where the log lies: the event store library's factories for SQLite and PostgreSQL, set up for a fund's money.

Our part is small: an event is stored as its own line, the erasable texts of a batch go into the same transaction,
SQLite is kept durable and out of reach of its WAL-reset race, and PostgreSQL takes a batch as one statement. On both, a
line is stored only where the log holds the line before it.
"""

from __future__ import annotations

from ledger.database import Access
from ledger.storage.lines import ACCESS
from ledger.storage.postgres import PostgresRecorder
from ledger.storage.sqlite import SQLiteRecorder
from ledger.storage.sqlite_connections import LOCK_SECONDS


def environment(database_url: str, access: Access = "make") -> dict[str, str]:
    """The library's settings for `sqlite:///PATH` or `postgresql://…`. Raises `ValueError` for anything else."""
    if database_url.startswith("sqlite:///"):
        return {
            "PERSISTENCE_MODULE": "ledger.storage.sqlite:SQLiteStorage",
            ACCESS: access,
            "ORIGINATOR_ID_TYPE": "text",
            "SQLITE_DBNAME": database_url.removeprefix("sqlite:///"),
            "SQLITE_LOCK_TIMEOUT": str(LOCK_SECONDS),
        }
    if database_url.startswith(("postgresql://", "postgres://")):
        return {
            "PERSISTENCE_MODULE": "ledger.storage.postgres:PostgresStorage",
            ACCESS: access,
            "ORIGINATOR_ID_TYPE": "text",
            "POSTGRES_URL": database_url,
            # The library asks for these; our sessions are made from the whole URL.
            **dict.fromkeys(("POSTGRES_DBNAME", "POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD"), ""),
        }
    raise ValueError("the database is given as sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")


Recorder = SQLiteRecorder | PostgresRecorder

"""When something was last done for the safety of the books, noted in the database itself for `microfund doctor` and
`/metrics`; and when something was last recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment

from ledger.application import Ledger
from ledger.database import Database
from ledger.health import KEEP
from ledger.storage import environment

BACKUP: Final = "last_backup"
DRILL: Final = "last_drill"


LAST_OF_SQLITE: Final = "SELECT state FROM stored_events ORDER BY rowid DESC LIMIT 1"
LAST_OF_POSTGRES: Final = "SELECT state FROM stored_events ORDER BY notification_id DESC LIMIT 1"


class Note(msgspec.Struct, frozen=True):
    """When it was done, and up to which position of the log."""

    at: datetime
    position: int


def leave(database_url: str, name: str, note: Note) -> None:
    """Note that something was done. Nothing else of the database is changed, its schema least of all. Raises the event
    store's `PersistenceError`s."""
    factory: Any = InfrastructureFactory.construct(Environment("ledger", environment(database_url, "write")))
    try:
        Database(factory.datastore).execute(KEEP, name=name, value=msgspec.json.encode(note).decode())
    finally:
        factory.close()


def find(ledger: Ledger, name: str) -> Note | None:
    """The last note of this name."""
    rows = ledger.database.query("SELECT value FROM settings WHERE name = :name", name=name)
    return msgspec.json.decode(rows[0]["value"], type=Note) if rows else None


class _Instant(msgspec.Struct):
    recorded_at: datetime


def last_recorded(database: Database) -> datetime | None:
    """The instant of the log's last entry."""
    last = database.values(LAST_OF_POSTGRES if database.is_postgres else LAST_OF_SQLITE)
    return msgspec.json.decode(last[0][0], type=_Instant).recorded_at if last else None

"""Whether the storage takes what is recorded, as it was last seen: told to operators, and to whoever comes next."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from eventsourcing.persistence import IntegrityError, PersistenceError
from psycopg.errors import DiskFull, IoError

from ledger.database import Database
from ledger.storage.sqlite_file import GONE, DatabaseFileGone

SQLITE_FULL, SQLITE_IOERR = 13, 10
ROOM = 1 << 16
"""How much the storage must take, in bytes, before it is believed to be back: more than most batches."""
KEEP = "INSERT INTO settings VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class Health:
    """The health of one database. `trouble` is None since something was stored, or says in words why nothing was."""

    def __init__(self, database: Database) -> None:
        self.trouble: str | None = None
        self._database = database

    def stored(self) -> None:
        """Something was stored."""
        self.trouble = None

    def failed(self, error: PersistenceError) -> None:
        """Something could not be stored; that another process was faster says nothing about the storage."""
        if not isinstance(error, IntegrityError):
            self.trouble = why_not_stored(error)

    def examine(self) -> None:
        """See whether something can be stored again, by storing something of no meaning: those who were refused may
        have gone to another copy of the service, and nobody may come here until this one says that it is ready."""
        try:
            with self._database.transaction() as transaction:
                transaction.execute(KEEP, name="room", value=secrets.token_hex(ROOM // 2))
            self._database.execute("DELETE FROM settings WHERE name = 'room'")
        except PersistenceError as error:
            self.failed(error)
        else:
            self.stored()


def why_not_stored(error: BaseException) -> str:
    """What keeps entries from being stored, in words that hold nothing of a server's address or of a person."""
    causes = list(_causes(error))
    if any(isinstance(cause, DatabaseFileGone) for cause in causes):
        return GONE
    if any(getattr(cause, "sqlite_errorcode", 0) == SQLITE_FULL or isinstance(cause, DiskFull) for cause in causes):
        return "nothing can be stored: the disk is full"
    return f"nothing can be stored: the database is away, locked, or refuses to be written to ({_kind(causes)})"


def is_of_the_disk(error: BaseException) -> bool:
    """Whether it is a full or a broken disk that keeps entries from being stored: no waiting of ours mends that."""
    return any(
        getattr(cause, "sqlite_errorcode", 0) & 0xFF in (SQLITE_FULL, SQLITE_IOERR)  # The rest says where it happened.
        or isinstance(cause, DiskFull | IoError)
        for cause in _causes(error)
    )


def why_not_read(error: BaseException) -> str:
    """The same for what cannot be read."""
    return f"the database cannot be read ({_kind(list(_causes(error)))})"


def _kind(causes: list[BaseException]) -> str:
    return getattr(causes[-1], "sqlite_errorname", type(causes[-1]).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__

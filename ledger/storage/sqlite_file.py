"""The file of an SQLite database: made on purpose only, for its owner's eyes, and watched while it is open.

SQLite would make a file wherever none is, and go on writing into one that has been deleted. Only looked at by its name:
to open and close it beside SQLite would take SQLite's locks away.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from eventsourcing.persistence import OperationalError

from ledger.database import Access, UnsafeStorage
from ledger.private_files import FOR_ITS_OWNER, is_private, keep_private

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside the file, ending so."""
GONE = (
    "the database file, or one that SQLite keeps beside it, was moved, deleted or replaced beneath the service: "
    "put it back, or start the service again"
)

log = logging.getLogger("microfund")


class DatabaseFileGone(OperationalError):
    """Under the database's name lies no longer the file that was opened."""


def _identity(path: str) -> tuple[int, int] | None:
    """The device and number of the file under a name. Asked before every transaction: so no `Path`, which is slow."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class DatabaseFile:
    """The file under a name, and those beside it. Raises `UnsafeStorage` for a name that is none of a file."""

    def __init__(self, name: str, access: Access) -> None:
        if name in ("", ":memory:") or name.startswith("file:"):
            raise UnsafeStorage("no-file-named", name=name)
        self.path = Path(name).absolute()
        # Where the name is a link, SQLite keeps its other files beside what it leads to.
        target = self.path.resolve()
        self._companions = [target.with_name(f"{target.name}{ending}") for ending in COMPANIONS]
        self._access = access
        self._opened: dict[str, tuple[int, int] | None] = {}

    # --- before it is opened ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """See to it that there is a file, made now if that is what was asked for, and that only its owner reads it.
        Raises `UnsafeStorage`."""
        try:
            if self._access == "make":
                with suppress(FileExistsError):
                    os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER))
                    log.info("made a new database: %s", self.path)
        except OSError as error:
            raise UnsafeStorage("not-made", database=str(self.path), why=error.strerror) from error
        if not self.path.is_file():
            raise UnsafeStorage("no-database", database=str(self.path))
        if self._access != "read":
            for path in (self.path, *self._companions):
                keep_private(path)

    def findings(self) -> list[str]:
        """What an operator should know of the file."""
        if is_private(self.path):
            return []
        return ["others than its owner may open the database file, which holds names: chmod 600"]

    def address(self, *, unchanging: bool = False) -> str:
        """The file as SQLite opens it: never made by that, and without any lock if nothing changes it."""
        return f"{self.path.as_uri()}?mode=rw{'&immutable=1' if unchanging else ''}"

    def lies_still(self) -> bool:
        """Whether it is opened to be read only, and nobody has begun to write to it or left something unfinished."""
        return self._access == "read" and not any(path.exists() for path in self._companions)

    # --- while it is open ---------------------------------------------------------------------------------------------

    def watch(self, *, with_log: bool) -> None:
        """Note which files are open now, unless that is known; `with_log` says that there is a write-ahead log, which
        stays as long as anybody has it open."""
        if not self._opened:
            watched = (self.path, *(self._companions[:2] if with_log else ()))
            self._opened = {str(path): _identity(str(path)) for path in watched}

    def is_gone(self) -> bool:
        """Whether another file, or none, lies where the opened one was."""
        return any(_identity(path) != opened for path, opened in self._opened.items())

    def check(self) -> None:
        """Raise `DatabaseFileGone` once another file, or none, lies where the opened one was."""
        if self.is_gone():
            raise DatabaseFileGone(GONE)

"""A backup made a database again: beside what there is, never over it, and compared with the living log."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from eventsourcing.persistence import PersistenceError

from ledger.application import Ledger
from ledger.checkpoints import SELECT_VERSIONS
from ledger.checkpoints.notes import Key
from ledger.database import UnsafeStorage
from ledger.erasures import ErasureFile
from ledger.events import head_of
from ledger.private_files import FOR_ITS_OWNER, sync_folder
from ledger.storage.sqlite_file import COMPANIONS
from service.operations.backups import DATABASE, Backup, CannotBackUp, erasures_of, summed
from service.operations.contents import BrokenBackup, Contents, Head, Progress, checked_file


def restore(
    backup: Backup, target: Path, register_key: Path, key: Key | None, progress: Progress = lambda *_: None
) -> int:
    """Make a database of a backup, under a name that nothing has, with all erased that ever was; answers how many texts
    that took out again. Raises `CannotBackUp` where something lies already, `BrokenBackup`, `OSError` and the event
    store's errors; then nothing is left at the target."""
    target = target.absolute()
    for path in (target, *(target.with_name(f"{target.name}{ending}") for ending in COMPANIONS)):
        if path.exists() or path.is_symlink():
            raise CannotBackUp("target-there", path=str(path))
    with _draft(target) as draft:
        shutil.copyfile(backup.folder / DATABASE, draft)
        if summed(draft) != backup.manifest.files[DATABASE]:  # What is checked is what will be used.
            raise BrokenBackup("other-bytes", file=DATABASE)
        contents = checked_file(draft, key, progress)
        if contents != _promised(backup):
            raise BrokenBackup("manifest")
        erased = _erased_anew(draft, backup, register_key)
        try:
            os.link(draft, target)
        except FileExistsError:
            raise CannotBackUp("target-there", path=str(target)) from None
    sync_folder(target)
    return erased


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A new file beside the target for its owner only; gone at the end of the block, with what SQLite keeps beside."""
    draft = target.with_name(f".{target.name}.restoring")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER))
    except FileExistsError:
        raise CannotBackUp("target-there", path=str(draft)) from None
    try:
        yield draft
    finally:
        for ending in ("", *COMPANIONS):
            draft.with_name(f"{draft.name}{ending}").unlink(missing_ok=True)


def _promised(backup: Backup) -> Contents:
    return Contents(**{name: getattr(backup.manifest, name) for name in Contents.__struct_fields__})


def _erased_anew(draft: Path, backup: Backup, register_key: Path) -> int:
    """Take out what was erased, before the backup and since. Opening it to write does that, and brings the tables up to
    date; what only the backup knows of is told beside the key first."""
    ErasureFile(register_key.with_suffix(".erasures")).adopt(erasures_of(backup).read())
    before = _texts(draft)
    Ledger(f"sqlite:///{draft}", "write", register_key=register_key).close()
    with draft.open("rb") as reading:
        os.fsync(reading.fileno())
    return before - _texts(draft)


def _texts(file: Path) -> int:
    ledger = Ledger(f"sqlite:///{file}", "read")
    try:
        if not ledger.database.has("register"):
            return 0
        return int(ledger.database.query("SELECT COUNT(*) AS texts FROM register")[0]["texts"])
    finally:
        ledger.close()


# --- beside the living log --------------------------------------------------------------------------------------------


class Apart(msgspec.Struct, frozen=True):
    """A log whose line at this version is another one in the living database, or is not there."""

    log: str
    version: int


class Comparison(msgspec.Struct, frozen=True):
    """A backup beside the living log: how many entries were recorded since, and which logs do not go on from it."""

    since: int
    apart: list[Apart]


def compare(logs: dict[str, Head], living: Ledger) -> Comparison:
    """Compare a backup's logs with the living ones, up to where they go: a head stands for every line before it."""
    versions = {row["fund"]: int(row["version"]) for row in living.database.query(SELECT_VERSIONS)}
    since = sum(max(0, version - (logs[log].version if log in logs else 0)) for log, version in versions.items())
    apart = []
    for log, end in sorted(logs.items()):
        lines = living.recorder.lines(log, end.version - 1, end.version)
        if [head_of(line) for line in lines] != [end.head]:
            apart.append(Apart(log, end.version))
    return Comparison(since, apart)


@contextmanager
def living(database_url: str) -> Iterator[Ledger | None]:
    """The living database, if it can be asked."""
    ledger = None
    with suppress(PersistenceError, UnsafeStorage):
        ledger = Ledger(database_url, "read")
    try:
        yield ledger
    finally:
        if ledger:
            ledger.close()

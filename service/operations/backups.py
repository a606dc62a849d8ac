"""Backups of an SQLite database: a folder each, whole or not at all, checked before it counts.

    20261129T190000.000000Z/ledger.db              the database as it was at one moment
    20261129T190000.000000Z/erasures               what was erased until then, as digests; absent if nothing was
    20261129T190000.000000Z/manifest.json          when, up to where, the head of every log, SHA-256 of the files
    20261129T190000.000000Z/manifest.json.sha256   of the manifest itself, as sha256sum writes it

Neither the key of the register nor that of checkpoints is in it: whoever has a backup alone reads nobody's name, and
signs nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from ledger.checkpoints.notes import Key
from ledger.erasures import ErasureFile
from ledger.faults import Fault
from ledger.private_files import FOR_ITS_OWNER, append_private, sync_folder
from ledger.storage.sqlite_copy import copy_online
from service.operations.contents import BrokenBackup, Contents, Progress, checked_file

DATABASE: Final = "ledger.db"
ERASURES: Final = "erasures"
MANIFEST: Final = "manifest.json"
SUM: Final = f"{MANIFEST}.sha256"
FORMAT: Final = 1
FOR_ITS_OWNER_TO_ENTER: Final = 0o700
NAMED_BY: Final = "%Y%m%dT%H%M%S.%fZ"
NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
BEGUN: Final = ".begun-"
"""What the folder's name begins with until it counts."""


class CannotBackUp(Fault):
    """A backup cannot be made or found where it was asked for."""

    area = "backup"


class FileSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's size and its SHA-256 in hex."""

    bytes: int
    sha256: str


class Manifest(Contents, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in a backup's manifest."""

    format: int
    made_at: datetime
    program: str
    engine: str
    files: dict[str, FileSum]


class Backup(msgspec.Struct, frozen=True):
    """A backup that is what it was when it was made."""

    folder: Path
    manifest: Manifest


# --- making -----------------------------------------------------------------------------------------------------------


def make(
    database: str, erasures: Path, folder: Path, key: Key | None, now: datetime, progress: Progress = lambda *_: None
) -> Backup:
    """Back up the database in the file `database`, with the file of erasures, into a new folder within `folder`. Raises
    `BrokenBackup` if what was copied is not whole, `CannotBackUp`, `OSError` and the event store's errors."""
    folder.mkdir(mode=FOR_ITS_OWNER_TO_ENTER, parents=True, exist_ok=True)
    with _alone(folder):
        for left in folder.glob(f"{BEGUN}*"):
            shutil.rmtree(left)
        begun = folder / f"{BEGUN}{now.strftime(NAMED_BY)}"
        begun.mkdir(mode=FOR_ITS_OWNER_TO_ENTER)
        try:
            manifest = _fill(begun, database, erasures, key, now, progress)
            made = begun.rename(folder / now.strftime(NAMED_BY))
        except BaseException:
            shutil.rmtree(begun, ignore_errors=True)
            raise
        sync_folder(made)
    return Backup(made, manifest)


def _fill(begun: Path, database: str, erasures: Path, key: Key | None, now: datetime, progress: Progress) -> Manifest:
    """Put into a folder what belongs there; all of it is on disk when this returns."""
    copy = begun / DATABASE
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER))
    copy_online(database, copy)
    contents = checked_file(copy, key, progress)
    names = [DATABASE]
    if erasures.exists():  # After the copy: what was erased by then is told in it.
        append_private(begun / ERASURES, erasures.read_bytes())
        names.append(ERASURES)
    for name in names:
        _sync(begun / name)
    manifest = Manifest(
        **msgspec.structs.asdict(contents),
        format=FORMAT,
        made_at=now,
        program=version("microfund"),
        engine="sqlite",
        files={name: summed(begun / name) for name in names},
    )
    append_private(begun / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    append_private(begun / SUM, _sum_line(begun / MANIFEST))
    return manifest


def _sync(file: Path) -> None:
    with file.open("rb") as reading:
        os.fsync(reading.fileno())


def summed(file: Path) -> FileSum:
    """The size and the SHA-256 of a file as it lies there."""
    with file.open("rb") as reading:
        digest = hashlib.file_digest(reading, "sha256").hexdigest()
        return FileSum(reading.tell(), digest)


def _sum_line(manifest: Path) -> bytes:
    return f"{summed(manifest).sha256}  {MANIFEST}\n".encode()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second backup out of the same folder. Raises `CannotBackUp`."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotBackUp("in-use", folder=str(folder)) from None
        yield


def drop_all_but(folder: Path, keep: int) -> int:
    """Delete the oldest backups until so many are left; answers how many were deleted. Raises `OSError`."""
    doomed = every(folder)[:-keep]
    for backup in doomed:
        begun = backup.rename(backup.with_name(f"{BEGUN}{backup.name}"))  # Cut off, it is none any more.
        shutil.rmtree(begun)
    return len(doomed)


# --- finding ----------------------------------------------------------------------------------------------------------


def every(folder: Path) -> list[Path]:
    """The backups in a folder, the oldest first."""
    return sorted(path for path in folder.glob("*") if NAME.fullmatch(path.name) and path.is_dir())


def found(folder: Path) -> Backup:
    """The backup that a folder is, or the newest one within it; every byte of it is what it was when it was made.
    Raises `BrokenBackup` and `CannotBackUp`."""
    if not NAME.fullmatch(folder.name) and not (folder / MANIFEST).exists():
        within = every(folder)
        if not within:
            raise CannotBackUp("none", folder=str(folder))
        folder = within[-1]
    try:
        return Backup(folder, _proved(folder))
    except OSError as error:
        missing = Path(error.filename or folder).name
        raise BrokenBackup("unreadable", file=missing, why=error.strerror or type(error).__name__) from None


def _proved(folder: Path) -> Manifest:
    if (folder / SUM).read_bytes() != _sum_line(folder / MANIFEST):
        raise BrokenBackup("other-bytes", file=MANIFEST)
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.MsgspecError:
        raise BrokenBackup("manifest") from None
    if set(manifest.files) - {ERASURES} != {DATABASE} or manifest.format != FORMAT:
        raise BrokenBackup("manifest")
    for name, expected in manifest.files.items():
        if summed(folder / name) != expected:
            raise BrokenBackup("other-bytes", file=name)
    return manifest


def erasures_of(backup: Backup) -> ErasureFile:
    """What the backup says was erased by then."""
    return ErasureFile(backup.folder / ERASURES)

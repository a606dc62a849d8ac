"""The engine, and whether what it has acknowledged is on disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.application import Ledger
from ledger.private_files import is_private
from ledger.sqlite_engine import has_wal_reset_race, sqlite
from ledger.storage.sqlite_connections import JOURNAL_MODE
from service.operations.doctor.finding import Finding, danger, warning, well
from service.operations.doctor.standbys import of_standbys

FORGETFUL: Final = {"tmpfs", "ramfs"}
SHARED: Final = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs"}
LITTLE_BYTES: Final = 1 << 30
TOO_LITTLE_BYTES: Final = 100 << 20
MOUNTS = Path("/proc/mounts")

FIXED_IN: Final = {14: 20, 15: 15, 16: 11, 17: 7, 18: 1}
"""The least minor release of each PostgreSQL without a known fault that matters to a ledger: those of 13 November 2025,
with the fixes of CVE-2025-12817 and CVE-2025-12818 and all earlier ones (postgresql.org/support/security)."""


def of_sqlite(ledger: Ledger, file: Path) -> Iterator[Finding]:
    """An SQLite file, and the disk that it lies on."""
    if has_wal_reset_race(sqlite.sqlite_version_info):
        yield warning("sqlite-race", version=sqlite.sqlite_version)
    else:
        yield well("sqlite", version=sqlite.sqlite_version)
    yield _journal(ledger)
    if (kind := file_system(file)) in FORGETFUL:
        yield danger("forgetful-disk", kind=kind)
    elif kind in SHARED:
        yield danger("shared-disk", kind=kind)
    if not is_private(file):
        yield warning("database-open", file=str(file))
    yield _room(file)


def _journal(ledger: Ledger) -> Finding:
    """Our own connections sync each commit (`synchronous=FULL`); the journal is the file's."""
    mode = str(ledger.database.query("PRAGMA journal_mode")[0]["journal_mode"])
    # Of a rollback journal the file itself does not say which kind it is.
    is_ours = mode == "wal" if JOURNAL_MODE == "wal" else mode != "wal"
    return well("sqlite-durable", mode=JOURNAL_MODE) if is_ours else warning("sqlite-journal", mode=mode)


def file_system(file: Path) -> str:
    """The kind of the file system that a file lies on, as the kernel names it; empty where it does not say."""
    try:
        mounts = [line.split()[1:3] for line in MOUNTS.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    whole = file.resolve()
    above = [(len(place), number, kind) for number, (place, kind) in enumerate(mounts) if whole.is_relative_to(place)]
    return max(above)[2] if above else ""


def _room(file: Path) -> Finding:
    free, size = shutil.disk_usage(file.parent).free, file.stat().st_size
    facts = {"free": free >> 20, "size": size >> 20}
    if free < TOO_LITTLE_BYTES:
        return danger("disk-full", **facts)
    return warning("disk-little", **facts) if free < max(LITTLE_BYTES, 2 * size) else well("disk", **facts)


def of_postgres(ledger: Ledger, database_url: str) -> Iterator[Finding]:
    """A PostgreSQL server, as far as its settings tell."""
    rows = ledger.database.query(
        "SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_version_num', 'fsync', "
        "'synchronous_commit', 'full_page_writes', 'synchronous_standby_names', 'max_connections', 'data_checksums')"
    )
    settings = {row["name"]: row["setting"] for row in rows}
    yield from of_settings(settings)
    yield from of_standbys(ledger, database_url, settings)
    used = ledger.database.query("SELECT COUNT(*) AS used FROM pg_stat_activity WHERE backend_type = 'client backend'")
    facts = {"used": used[0]["used"], "most": int(settings["max_connections"])}
    yield warning("connections-few", **facts) if facts["used"] * 5 > facts["most"] * 4 else well("connections", **facts)


def of_settings(settings: dict[str, str]) -> Iterator[Finding]:
    """What a server's settings say of its release and of what it may lose."""
    major, minor = divmod(int(settings["server_version_num"]), 10_000)
    if minor < FIXED_IN.get(major, 0):
        yield warning("postgres-old", version=settings["server_version"], newest=f"{major}.{FIXED_IN[major]}")
    else:
        yield well("postgres", version=settings["server_version"])
    off = [name for name in ("fsync", "synchronous_commit", "full_page_writes") if settings[name] == "off"]
    for setting in off:
        yield danger("postgres-may-lose", setting=setting)
    if not off:
        yield well("postgres-durable")
    if settings["data_checksums"] != "on":
        yield warning("postgres-checksums")

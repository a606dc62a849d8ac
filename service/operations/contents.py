"""What a database holds, read line by line and checked: every chain, the people's too, and the last checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ledger.application import SELECT_LOGS, Ledger
from ledger.checkpoints import Checkpoints
from ledger.checkpoints.notes import Key
from ledger.checkpoints.vouching import mismatches
from ledger.faults import Fault
from ledger.history import follow
from ledger.refusals import LeavesChanged
from ledger.schema import SELECT_REACHED
from ledger.storage.sqlite_copy import why_not_whole


class BrokenBackup(Fault):
    """What a backup holds is not whole, or not what was put into it."""

    area = "backup"


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a log ends: its version, and the hash of the line there."""

    version: int
    head: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where a database goes."""

    schema: int
    position: int
    entries: int
    checkpoint: int | None
    """The number of the last checkpoint."""
    logs: dict[str, Head]


Progress = Callable[[int, int], None]


def checked_file(file: Path, key: Key | None, progress: Progress) -> Contents:
    """What an SQLite file that nobody writes to holds. Raises `BrokenBackup` if it is not whole."""
    if why := why_not_whole(file):
        raise BrokenBackup("structure", why=why)
    ledger = Ledger(f"sqlite:///{file}", "read")
    try:
        return checked(ledger, key, progress)
    finally:
        ledger.close()


def checked(ledger: Ledger, key: Key | None, progress: Progress) -> Contents:
    """What a database holds. Raises `BrokenBackup` for a line that does not follow from the one before it, and for a
    log that is not what the last checkpoint says; `key` is what that must be signed with, if it is known."""
    names = [row["log"] for row in ledger.database.query(SELECT_LOGS)]
    logs = {}
    for done, log in enumerate(names, 1):
        logs[log] = _followed(ledger, log)
        progress(done, len(names))
    return Contents(
        schema=int(ledger.database.query(SELECT_REACHED)[0]["value"]),
        position=ledger.recorder.max_notification_id() or 0,
        entries=sum(head.version for head in logs.values()),
        checkpoint=_vouched(Checkpoints(ledger.database, ledger.recorder), key),
        logs=logs,
    )


def _followed(ledger: Ledger, log: str) -> Head:
    lines = ledger.recorder.lines(log, 0, None)
    heads = list(follow(lines, log))
    if len(heads) < len(lines):
        raise BrokenBackup("chain", log=log, version=len(heads) + 1)
    return Head(len(heads), heads[-1])


def _vouched(checkpoints: Checkpoints, key: Key | None) -> int | None:
    try:
        last = checkpoints.latest()
    except LeavesChanged as changed:
        raise BrokenBackup("checkpoint", number=changed.facts["number"], what="note") from None
    if last is None:
        return None
    for mismatch in mismatches(checkpoints, last.note, key):
        raise BrokenBackup("checkpoint", number=last.checkpoint.number, what=mismatch.fund or mismatch.kind)
    return last.checkpoint.number

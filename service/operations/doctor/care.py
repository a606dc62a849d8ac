"""What must be done again and again: checkpoints, backups, and restoring one for practice; and who is logged in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.refusals import LeavesChanged
from service.operations import notes, pgbackrest
from service.operations.backups import CannotBackUp
from service.operations.doctor.finding import Finding, danger, warning, well

OLD_CHECKPOINT: Final = timedelta(hours=36)
"""One is made each day on which something was recorded."""
LET_IN: Final = {
    "sessions": "SELECT COUNT(*) AS many FROM sessions",
    "tokens": "SELECT COUNT(*) AS many FROM tokens WHERE revoked_at IS NULL",
}
OLD_BACKUP: Final = timedelta(hours=48)
OLD_DRILL: Final = timedelta(days=92)
"""A quarter of a year."""


def of_checkpoint(ledger: Ledger, now: datetime) -> Finding:
    """The last checkpoint, if anything was recorded since."""
    entries = int(ledger.database.query("SELECT COUNT(*) AS entries FROM stored_events")[0]["entries"])
    if not entries:
        return well("nothing-yet")
    try:
        last = Checkpoints(ledger.database, ledger.recorder).latest()
    except LeavesChanged as changed:
        return danger("checkpoint-changed", number=changed.facts["number"])
    if last is None:
        return warning("checkpoint-none", entries=entries)
    made = last.checkpoint
    facts = {"number": made.number, "at": _told(made.made_at), "entries": entries - made.entries}
    if facts["entries"] and now - made.made_at > OLD_CHECKPOINT:
        return warning("checkpoint-old", **facts)
    return well("checkpoint", **facts)


def of_backup(ledger: Ledger, now: datetime, stanza: str) -> Finding:
    """The last backup: as pgBackRest knows it, or as it was noted."""
    note = notes.find(ledger, notes.BACKUP)
    at = note.at if note else None
    if ledger.database.is_postgres:
        try:
            made = pgbackrest.last(stanza)
        except CannotBackUp as why:
            return warning("pgbackrest", code=why.code, stanza=stanza)
        at = made.at if made else None
    if at is None:
        return warning("backup-none")
    return _aged("backup", at, now, OLD_BACKUP)


def of_drill(ledger: Ledger, now: datetime) -> Finding:
    """When a backup was last restored for practice."""
    note = notes.find(ledger, notes.DRILL)
    return _aged("drill", note.at, now, OLD_DRILL) if note else warning("drill-none")


def _aged(what: str, at: datetime, now: datetime, old: timedelta) -> Finding:
    facts = {"at": _told(at), "hours": int((now - at) / timedelta(hours=1))}
    return warning(f"{what}-old", **facts) if now - at > old else well(what, **facts)


def of_sessions(ledger: Ledger) -> Iterator[Finding]:
    """Phones that are logged in, and tokens that programs hold."""
    for table, select in LET_IN.items():
        if ledger.database.has(table):
            yield well(table, many=ledger.database.query(select)[0]["many"])


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"

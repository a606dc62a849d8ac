"""pgBackRest, which backs PostgreSQL up: asked what it has, and told to make one more; on the database's server."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.operations.backups import CannotBackUp

PROGRAM: Final = "pgbackrest"
OK: Final = 0
NO_BACKUP_YET: Final = 2
"""Codes of a stanza's status, as pgBackRest's documentation of `info` has them."""
WHOLE: Final = re.compile(r"\d{8}-\d{6}F")
"""The label of a backup that needs no other."""
WHOLE_AFTER: Final = timedelta(days=6, hours=12)
"""A week, of which a timer may be somewhat early."""
HOURS: Final = 6 * 3600


class Made(NamedTuple):
    """A backup by the label it bears in pgBackRest, and when it was whole."""

    label: str
    at: datetime


def back_up(stanza: str, now: datetime) -> Made:
    """Make a backup: of all once a week, without which pgBackRest never drops what it need not keep; else of what has
    changed. Raises `CannotBackUp`."""
    whole = [backup for backup in _sound(stanza) if WHOLE.fullmatch(backup.label)]
    is_due = not any(now - backup.at < WHOLE_AFTER for backup in whole)
    _run(stanza, f"--type={'full' if is_due else 'incr'}", "backup")
    made = last(stanza)
    if made is None:
        raise CannotBackUp("pgbackrest-failed", said="info: no backup")
    return made


def last(stanza: str) -> Made | None:
    """The last backup without an error in any page; None if there is none. Raises `CannotBackUp` where pgBackRest is
    not installed, or its stanza is not as it should be."""
    return max(_sound(stanza), key=lambda backup: backup.at, default=None)


def _sound(stanza: str) -> list[Made]:
    return [
        Made(backup["label"], datetime.fromtimestamp(backup["timestamp"]["stop"], UTC))
        for backup in _stanza(stanza).get("backup", [])
        if not backup.get("error")
    ]


def restore(stanza: str, data: Path, moment: str | None) -> None:
    """Restore the last backup into an empty folder, to be followed by all that was archived since, or as of a moment
    as PostgreSQL reads one. The server that is started there archives nothing. Raises `CannotBackUp`."""
    until = [] if moment is None else ["--type=time", f"--target={moment}", "--target-action=promote"]
    _run(stanza, f"--pg1-path={data}", "--archive-mode=off", *until, "restore")


def version_of(stanza: str) -> str:
    """The major release of the server that is backed up. Raises `CannotBackUp`."""
    return str(_stanza(stanza)["db"][-1]["version"])


def _stanza(name: str) -> dict[str, Any]:
    """What pgBackRest says of a stanza."""
    listed = json.loads(_run(name, "info", "--output=json") or "[]")
    found: dict[str, Any] = next((each for each in listed if each["name"] == name), {})
    if not found or found["status"]["code"] not in (OK, NO_BACKUP_YET):
        raise CannotBackUp("pgbackrest-stanza", stanza=name, said=found["status"]["message"] if found else "-")
    return found


def _run(stanza: str, *words: str) -> str:
    try:
        ran = subprocess.run(  # noqa: S603  # The stanza is one word of the operator's own command line.
            [PROGRAM, f"--stanza={stanza}", *words], capture_output=True, text=True, check=False, timeout=HOURS
        )
    except FileNotFoundError:
        raise CannotBackUp("no-pgbackrest", stanza=stanza) from None
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise CannotBackUp("pgbackrest-failed", said=said[-1] if said else str(ran.returncode))
    return ran.stdout

"""pgBackRest, which backs PostgreSQL up: asked what it has, and told to make one more; on the database's server."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from service.operations.backups import CannotBackUp

PROGRAM: Final = "pgbackrest"
OK: Final = 0
NO_BACKUP_YET: Final = 2
"""Codes of a stanza's status, as pgBackRest's documentation of `info` has them."""
HOURS: Final = 6 * 3600


class Made(NamedTuple):
    """A backup by the label it bears in pgBackRest, and when it was whole."""

    label: str
    at: datetime


def back_up(stanza: str) -> Made:
    """Make a backup: of what has changed, where there is one before it. Raises `CannotBackUp`."""
    _stanza(stanza)
    _run(stanza, "--type=incr", "backup")
    made = last(stanza)
    if made is None:
        raise CannotBackUp("pgbackrest-failed", said="info: no backup")
    return made


def last(stanza: str) -> Made | None:
    """The last backup without an error in any page; None if there is none. Raises `CannotBackUp` where pgBackRest is
    not installed, or its stanza is not as it should be."""
    sound = [backup for backup in _stanza(stanza).get("backup", []) if not backup.get("error")]
    if not sound:
        return None
    newest = max(sound, key=lambda backup: backup["timestamp"]["stop"])
    return Made(newest["label"], datetime.fromtimestamp(newest["timestamp"]["stop"], UTC))


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

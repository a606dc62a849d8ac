"""The key of the register in tests: the same everywhere, so that a database may be copied and read elsewhere."""

import base64
import os
from pathlib import Path
from typing import Final

from ledger.application import Ledger

KEY: Final = base64.b64encode(b"a key for tests, of 32 bytes  :)") + b"\n"


def key_for(database_url: str) -> Path:
    """The file of a database's key: beside an SQLite file, since erasures are told there too; one for PostgreSQL."""
    file = database_url.removeprefix("sqlite:///")
    path = Path(os.environ["MICROFUND_REGISTER_KEY"] if file == database_url else f"{file}.register-key")
    if path.parent.is_dir() and not path.exists():
        path.write_bytes(KEY)
        path.chmod(0o600)
    return path


def registered(ledger: Ledger) -> set[str]:
    """All texts that the register holds and the key opens."""
    rows = ledger.database.query("SELECT digest FROM register")
    return set(ledger.register.texts(row["digest"] for row in rows).values())

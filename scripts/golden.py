"""What released versions left behind, in `tests/golden`: each folder made once, by `scripts/golden_database.py`."""

import lzma
import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.sqlite_engine import sqlite

RELEASES: Final = sorted((Path(__file__).parents[1] / "tests" / "golden").glob("release-*"))


def unpack(release: Path, home: Path) -> str:
    """Put the database of a release and its key into a folder, for their owner only; answers the database's URL."""
    (home / "ledger.db").write_bytes(lzma.decompress((release / "ledger.db.xz").read_bytes()))
    shutil.copy(release / "register.key", home)
    for name in ("ledger.db", "register.key"):
        (home / name).chmod(0o600)
    return f"sqlite:///{home / 'ledger.db'}"


def age(file: Path) -> None:
    """Make the first release's database older: its read model of another version, its schema a step behind."""
    with closing(sqlite.connect(file)) as books:
        books.execute("DROP TABLE reports")  # What step 9 made.
        books.execute("UPDATE settings SET value = '8' WHERE name = 'schema'")
        books.execute("UPDATE read_model SET shape = 'of last year'")
        books.commit()

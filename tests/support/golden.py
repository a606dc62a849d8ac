"""What released versions left behind, in `tests/golden`: each folder made once, by `scripts/golden_database.py`."""

import lzma
import shutil
from pathlib import Path
from typing import Final

RELEASES: Final = sorted((Path(__file__).parents[1] / "golden").glob("release-*"))


def unpack(release: Path, home: Path) -> str:
    """Put the database of a release and its key into a folder, for their owner only; answers the database's URL."""
    (home / "ledger.db").write_bytes(lzma.decompress((release / "ledger.db.xz").read_bytes()))
    shutil.copy(release / "register.key", home)
    for name in ("ledger.db", "register.key"):
        (home / name).chmod(0o600)
    return f"sqlite:///{home / 'ledger.db'}"

"""What was erased from the register, told outside the database: a backup brings names back, and this takes them out
again.

A line an erasure, appended and on disk before anything is deleted. It holds digests only, which nobody can test a guess
against without the salt that is erased with the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ledger.private_files import append_private


class Erasure(msgspec.Struct, frozen=True):
    """Texts of one fund, by their digests."""

    fund: str
    digests: tuple[str, ...]


class ErasureFile:
    """The file of all erasures."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, fund: str, digests: Iterable[str]) -> None:
        """Tell of an erasure, on disk when this returns. Raises `OSError`."""
        # The end of the line before comes first: that one may have been cut off by a crash.
        append_private(self.path, b"\n" + msgspec.json.encode(Erasure(fund, tuple(digests))))

    def adopt(self, others: Iterable[Erasure]) -> int:
        """Tell of what another such file told, as of one that came back with a backup; answers how many erasures were
        not known here. Raises `OSError`."""
        known = set(self.read())
        missing = [erasure for erasure in dict.fromkeys(others) if erasure not in known]
        for erasure in missing:
            self.append(erasure.fund, erasure.digests)
        return len(missing)

    def read(self) -> Iterator[Erasure]:
        """All that was told. What a crash left half-written was never acknowledged, and is passed over. Raises
        `OSError`."""
        if not self.path.exists():
            return
        for line in filter(None, self.path.read_bytes().splitlines()):
            try:
                yield msgspec.json.decode(line, type=Erasure)
            except msgspec.MsgspecError:
                continue

"""What a row of the table is: a fault, what it is tried on, and what is found."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from scripts.benchmarks.workshop import Engine, Workshop


class LeftOut(Exception):
    """What a row needs is not here; the message says what."""


class Figures(msgspec.Struct, kw_only=True):
    """What came of a row, or of its control.

    `trials` are kills, images, cuts, whatever the row counts; `lost` was acknowledged and is not in the log, `doubled`
    is there more than once, `refused_but_found` was refused and is there. `first_good_writes` are seconds from each
    restart, or from the end of the fault, to the next entry recorded; `wrong` is what else did not hold, in words.
    """

    trials: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    refused_but_found: int = 0
    first_good_writes: list[float] = []
    wrong: list[str] = []
    more: dict[str, Any] = {}

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or otherwise wrong. How long something took is beside the point."""
        return not (self.lost or self.doubled or self.refused_but_found or self.wrong)

    @property
    def failure(self) -> str:
        """What did not hold, in a line."""
        names = ("lost", "doubled", "refused_but_found")
        counts = [f"{getattr(self, name)} {name.replace('_', ' ')}" for name in names if getattr(self, name)]
        wrong = [f"{what} ({times} times)" if times > 1 else what for what, times in Counter(self.wrong).items()]
        return "; ".join([*counts, *wrong[:2], *([f"and {len(wrong) - 2} more"] * (len(wrong) > 2))])

    def add(self, other: "Figures") -> None:
        """Count what another part of the row has found, too."""
        for name in ("trials", "acknowledged", "lost", "doubled", "refused_but_found"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.first_good_writes += other.first_good_writes
        self.wrong += other.wrong
        self.more |= other.more


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How often everything is tried. `engines` is on how many engines the rows are tried that are mostly about the
    program above the database; after so many `seconds` a run is given up: some three times what it takes on two cores
    of its own."""

    name: str
    seconds: int
    engines: int
    kills: int
    images: int
    writes: int
    cuts: int
    failing_writes: int
    lasting_faults: int
    frozen_seconds: float
    jumps: int
    poisons: int
    rounds_of_clients: int
    restores: int
    flips: int
    upgrades: int
    changes: int
    failovers: int


SHORT = Size(
    name="short", seconds=600, engines=1, kills=2, images=120, writes=60, cuts=24, failing_writes=3, lasting_faults=1,
    frozen_seconds=3, jumps=1, poisons=2, rounds_of_clients=1, restores=3, flips=40, upgrades=4, changes=250,
    failovers=1,
)  # fmt: skip
DEFAULT = Size(
    name="default", seconds=900, engines=2, kills=3, images=400, writes=250, cuts=100, failing_writes=6,
    lasting_faults=1, frozen_seconds=20, jumps=1, poisons=4, rounds_of_clients=1, restores=20, flips=200, upgrades=20,
    changes=500, failovers=3,
)  # fmt: skip
FULL = Size(
    name="full", seconds=7_200, engines=2, kills=32, images=3_000, writes=1_500, cuts=300, failing_writes=40,
    lasting_faults=8, frozen_seconds=60, jumps=10, poisons=4, rounds_of_clients=10, restores=60, flips=2_000,
    upgrades=60, changes=5_000, failovers=14,
)  # fmt: skip
SIZES = {size.name: size for size in (SHORT, DEFAULT, FULL)}


class Ground(NamedTuple):
    """Where a row is tried: the shop it takes programs and databases from, its engine, and lots drawn by the seed."""

    shop: Workshop
    size: Size
    engine: Engine
    draw: Random

    def folder(self) -> Path:
        """A new, empty folder that only its owner enters."""
        folder = self.shop.home / uuid4().hex[:12]
        folder.mkdir(mode=0o700)
        return folder


class Row(NamedTuple):
    """A row of the table. `control` is the same with a guard taken away, as `without` says: it must not hold."""

    name: str
    fault: str
    engines: tuple[Engine, ...]
    trial: Callable[[Ground], Figures]
    control: Callable[[Ground], Figures]
    without: str
    is_about_storage: bool = True
    """Whether what differs between the engines is what it tries."""

    def engines_at(self, size: Size) -> tuple[Engine, ...]:
        """On which engines it is tried."""
        return self.engines if self.is_about_storage else self.engines[: size.engines]


BOTH: tuple[Engine, ...] = ("SQLite", "PostgreSQL")
FILE_ONLY: tuple[Engine, ...] = ("SQLite",)
SERVER_ONLY: tuple[Engine, ...] = ("PostgreSQL",)


def needs(program: str) -> None:
    """Leave a row out where a program is not installed. Raises `LeftOut`."""
    if not shutil.which(program):
        raise LeftOut(f"{program} is not installed")

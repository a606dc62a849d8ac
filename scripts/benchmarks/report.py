"""What a run found: figures, ratios beside what was promised, and whether all that was acknowledged is stored."""

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal

import msgspec
import psycopg
from rich.console import Console
from rich.table import Table

from ledger.sqlite_engine import sqlite
from ledger.storage.sqlite_connections import JOURNAL_MODE

LIBRARIES = (
    "eventsourcing", "fastapi", "httptools", "msgspec", "psycopg", "pydantic", "starlette", "uvicorn", "uvloop",
)  # fmt: skip
SERVER_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")


class Figure(msgspec.Struct, kw_only=True):
    """Something measured. `rate` is per second, in `unit`; times are in milliseconds; `more` is all else."""

    section: str
    what: str
    engine: str | None = None
    rate: float | None = None
    unit: str | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    more: dict[str, Any] = {}


class Ratio(msgspec.Struct, kw_only=True):
    """One figure divided by another of the same run; `met` is None where nothing was promised."""

    section: str
    what: str
    value: float
    target: float | None = None
    bound: Literal["at least", "at most"] = "at least"

    @property
    def met(self) -> bool | None:
        """Whether it is as promised."""
        if self.target is None:
            return None
        return self.value >= self.target if self.bound == "at least" else self.value <= self.target


class Count(msgspec.Struct, kw_only=True):
    """How many facts were acknowledged to clients, and how many of them the database then held."""

    section: str
    what: str
    acknowledged: int
    stored: int


class Report:
    """Collects and prints as the run goes on."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []
        self.ratios: list[Ratio] = []
        self.counts: list[Count] = []
        self.unexpected: list[str] = []
        self.stumbled: dict[str, list[dict[str, int]]] = {}
        """What a rival answered otherwise than it should: its figures are worth less then, and nothing is wrong."""
        self.machine = machine()
        self.versions = versions()
        self.seconds: dict[str, float] = {}
        self.durability: dict[str, Any] = {}
        self.load_average = [os.getloadavg()[0]]
        self._console = Console(highlight=False, width=140)

    def figure(self, section: str, what: str, **found: Any) -> None:
        """Keep and print something measured; what `Figure` has no field for goes to `more`."""
        fields = {name: found.pop(name) for name in Figure.__struct_fields__ if name in found}
        figure = Figure(section=section, what=what, **fields, more=found)
        self.figures.append(figure)
        self._console.print(_told(figure), markup=False)

    def ratio(
        self,
        section: str,
        what: str,
        values: Iterable[float],
        target: float | None = None,
        bound: Literal["at least", "at most"] = "at least",
    ) -> None:
        """Keep the median of the rounds' ratios."""
        self.ratios.append(Ratio(section=section, what=what, value=median(values), target=target, bound=bound))

    def count(self, section: str, what: str, *, acknowledged: int, stored: int) -> None:
        """Keep what was acknowledged and what is stored."""
        self.counts.append(Count(section=section, what=what, acknowledged=acknowledged, stored=stored))
        self._console.print(f"  {what}: {acknowledged:,} acknowledged, {stored:,} stored", markup=False)

    def refused(self, what: str, unexpected: dict[str, int]) -> None:
        """Keep answers that were not as expected."""
        if unexpected:
            self.unexpected.append(f"{what}: {unexpected}")

    def stumbled_at(self, rival: str, unexpected: dict[str, int]) -> None:
        """The same of a rival's."""
        if unexpected:
            self.stumbled.setdefault(rival, []).append(unexpected)

    @property
    def is_sound(self) -> bool:
        """Whether every answer of ours was as expected, and what was acknowledged is stored; by a rival, too, unless it
        stumbled."""
        return not self.unexpected and all(count.acknowledged == count.stored for count in self.counts)

    def heading(self, section: str, about: str) -> None:
        """Announce a section."""
        self._console.print(f"\n{section}: {about}", markup=False, style="bold")

    def print_surroundings(self) -> None:
        """The machine, the versions, the settings that make a commit durable."""
        for name, facts in (("machine", self.machine), ("versions", self.versions), ("durability", self.durability)):
            told = ", ".join(f"{key} {value}" for key, value in facts.items())
            self._console.print(f"{name}: {told}", markup=False)

    def print_ratios(self) -> None:
        """The table of ratios, and what was wrong."""
        table = Table(title="Ratios of one run", title_justify="left")
        for column in ("section", "work", "measured", "promised", ""):
            table.add_column(column, justify="right" if column == "measured" else "left")
        for ratio in self.ratios:
            promised = "" if ratio.target is None else f"{ratio.bound} {ratio.target:g}"
            met = {True: "met", False: "NOT MET", None: ""}[ratio.met]
            table.add_row(ratio.section, ratio.what, f"{ratio.value:.3g}", promised, met)
        self._console.print()
        self._console.print(table)
        self._console.print(f"load average {' → '.join(f'{load:.1f}' for load in self.load_average)}", markup=False)
        took = " + ".join(f"{name} {seconds:.0f}" for name, seconds in self.seconds.items())
        self._console.print(f"took {sum(self.seconds.values()):.0f} s: {took}", markup=False)
        for wrong in (*self.unexpected, *(f"{rival}: {found}" for rival, found in self.stumbled.items())):
            self._console.print(f"UNEXPECTED ANSWERS {wrong}", markup=False)

    def write(self, path: Path, *, mode: str) -> None:
        """All of it as JSON."""
        found = {
            "mode": mode,
            "seconds": self.seconds,
            "machine": self.machine,
            "versions": self.versions,
            "durability": self.durability,
            "load_average": self.load_average,
            "sound": self.is_sound,
            "unexpected": self.unexpected,
            "stumbled": self.stumbled,
            "ratios": [{**msgspec.to_builtins(ratio), "met": ratio.met} for ratio in self.ratios],
            "counts": self.counts,
            "figures": self.figures,
        }
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _told(figure: Figure) -> str:
    parts = [f"  {figure.what}" + (f" [{figure.engine}]" if figure.engine else "")]
    if figure.rate is not None:
        parts.append(f"{figure.rate:,.0f} {figure.unit}/s")
    if figure.p50_ms is not None:
        parts.append(f"p50 {figure.p50_ms:.2f} ms")
    if figure.p99_ms is not None:
        parts.append(f"p99 {figure.p99_ms:.2f} ms")
    parts += [f"{name.replace('_', ' ')} {_short(value)}" for name, value in figure.more.items()]
    return " · ".join(parts)


def _short(value: Any) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


# --- surroundings -----------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """What the run took place on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 1024**2, 1),
        "kernel": platform.release(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def versions() -> dict[str, str]:
    """What was run, but for the PostgreSQL server, which says so itself."""
    return {
        "Python": platform.python_version(),
        "implementation": sys.implementation.name,
        "SQLite": str(sqlite.sqlite_version),
        **{library: version(library) for library in LIBRARIES},
    }


def postgres_durability(url: str) -> dict[str, str]:
    """How honestly a server commits."""
    with psycopg.connect(url) as server:
        return {name: str(server.execute(f"SHOW {name}").fetchone()[0]) for name in SERVER_SETTINGS}  # type: ignore[index]  # SHOW answers one row.


def sqlite_durability() -> dict[str, str]:
    """How our service opens SQLite."""
    return {"journal_mode": JOURNAL_MODE, "synchronous": "FULL"}

"""The table of a run: printed as the rows end, and kept as JSON."""

from pathlib import Path
from statistics import median
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table as Drawn

from scripts.benchmarks.report import machine, sqlite_durability, versions
from scripts.benchmarks.workshop import Engine
from scripts.fault_trials.trial import Figures, Row

Verdict = Literal["holds", "DOES NOT HOLD", "CONTROL DOES NOT FAIL", "left out"]


class Line(msgspec.Struct, kw_only=True):
    """A row on one engine. `why` is said where it was left out or could not be carried through."""

    row: str
    engine: Engine
    verdict: Verdict
    seconds: float
    figures: Figures | None = None
    control: Figures | None = None
    without: str = ""
    why: str = ""


def verdict_of(figures: Figures, control: Figures) -> Verdict:
    """A row holds only beside a control that does not."""
    if not figures.holds:
        return "DOES NOT HOLD"
    return "CONTROL DOES NOT FAIL" if control.holds else "holds"


class Table:
    """Collects and prints as the run goes on."""

    def __init__(self, size: str, seed: int, interpreter_seconds: float) -> None:
        self.lines: list[Line] = []
        self._told: dict[str, Any] = {
            "size": size,
            "seed": seed,
            "interpreter_seconds": round(interpreter_seconds, 4),
            "machine": machine(),
            "versions": versions(),
            "durability": sqlite_durability(),
        }
        self._console = Console(highlight=False, width=150)

    @property
    def is_sound(self) -> bool:
        """Whether every row that was tried holds, and its control does not."""
        return all(line.verdict in ("holds", "left out") for line in self.lines)

    def print_surroundings(self) -> None:
        """What this run takes place on, and the seed that draws its lots again."""
        for name, facts in self._told.items():
            told = ", ".join(f"{key} {value}" for key, value in facts.items()) if isinstance(facts, dict) else facts
            self._console.print(f"{name.replace('_', ' ')}: {told}", markup=False)

    def heading(self, row: Row, engine: Engine) -> None:
        """Announce a row."""
        self._console.print(f"\n{row.name} [{engine}]: {row.fault}", markup=False, style="bold")

    def add(self, line: Line) -> None:
        """Keep and print a row."""
        self.lines.append(line)
        self._console.print(f"  {line.verdict} ({line.seconds:.0f} s)", markup=False)
        if line.why:
            self._console.print(f"  {line.why}", markup=False)
        if line.figures:
            self._console.print(f"  {_figures(line.figures)}", markup=False)
        if line.control:
            failure = line.control.failure or "nothing fails"
            self._console.print(f"  control, {line.without}: {failure}", markup=False)

    def print(self) -> None:
        """The whole table."""
        drawn = Drawn(title="Faults tried in one run", title_justify="left")
        titles = (
            "row",
            "engine",
            "trials",
            "acknowledged",
            "lost",
            "doubled",
            "first good write",
            "verdict",
            "control",
        )
        for column in titles:
            drawn.add_column(column, justify="right" if column in titles[2:6] else "left")
        for line in self.lines:
            found = line.figures
            counts = [found.trials, found.acknowledged, found.lost, found.doubled] if found else [""] * 4
            control = f"{line.without}: {line.control.failure or 'nothing fails'}" if line.control else line.why
            cells = (f"{count:,}" if isinstance(count, int) else count for count in counts)
            drawn.add_row(line.row, line.engine, *cells, _seconds(found), line.verdict, control)
        self._console.print()
        self._console.print(drawn)
        self._console.print(f"took {sum(line.seconds for line in self.lines):.0f} s", markup=False)

    def write(self, path: Path) -> None:
        """All of it as JSON."""
        found = self._told | {"sound": self.is_sound, "rows": self.lines}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _seconds(figures: Figures | None) -> str:
    if not figures or not figures.first_good_writes:
        return ""
    taken = figures.first_good_writes
    return f"{median(taken):.1f} s, at most {max(taken):.1f}"


def _figures(figures: Figures) -> str:
    counts = [f"{figures.trials:,} trials", f"{figures.acknowledged:,} acknowledged"]
    counts += [f"{figures.lost} lost", f"{figures.doubled} doubled", f"{figures.refused_but_found} refused but found"]
    counts += [f"first good write {seconds}"] if (seconds := _seconds(figures)) else []
    counts += [f"{name.replace('_', ' ')} {_short(value)}" for name, value in figures.more.items()]
    return " · ".join([*counts, *(f"WRONG: {wrong}" for wrong in figures.wrong)])


def _short(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)

"""`scripts/faults`: tries the rows, prints their table and may keep it as JSON.

Ends with 1 if a row does not hold or its control does not fail, with 2 if the run took longer than it may. How long a
first good write takes is told and never judged: that is the machine's, too.
"""

import signal
import sys
import time
import traceback
from argparse import ArgumentParser
from pathlib import Path
from random import Random, SystemRandom

from scripts.benchmarks.workshop import Engine, Workshop
from scripts.fault_trials import (
    backup,
    clients,
    clock,
    copies,
    cut,
    failover,
    full,
    kill,
    poison,
    power,
    rewriting,
    upgrade,
)
from scripts.fault_trials.service import log_of, seconds_of_an_interpreter
from scripts.fault_trials.table import Line, Table, verdict_of
from scripts.fault_trials.trial import BOTH, SIZES, Figures, Ground, LeftOut, Row, Size

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        kill.ROW,
        power.ROW,
        cut.ROW,
        full.ROW,
        failover.ROW,
        copies.ROW,
        clients.ROW,
        backup.ROW,
        poison.ROW,
        clock.ROW,
        upgrade.ROW,
        rewriting.ROW,
    )
}  # fmt: skip


CONTROL_TRIES = 5


class Overdue(BaseException):
    """The run takes longer than it may; no row catches this."""


def main() -> int:
    """Try what was asked for; answers the exit code."""
    parser = ArgumentParser(prog="scripts/faults", description="Try every fault on the real service.")
    size = parser.add_mutually_exclusive_group()
    for name in ("short", "full"):
        size.add_argument(f"--{name}", dest="size", action="store_const", const=name, default="default")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--engine", choices=BOTH, help="both by default")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="that of an earlier run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was found")
    asked = parser.parse_args()
    chosen = SIZES[asked.size]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGALRM, _overdue)
    signal.alarm(chosen.seconds)
    table, code = Table(chosen.name, asked.seed, seconds_of_an_interpreter()), 0
    table.print_surroundings()
    try:
        with Workshop() as shop:
            for name in asked.only or ROWS:
                for engine in ROWS[name].engines_at(chosen):
                    if asked.engine in (None, engine):
                        table.heading(ROWS[name], engine)
                        table.add(tried(ROWS[name], engine, shop, chosen, asked.seed))
            signal.alarm(0)
    except Overdue:
        sys.stderr.write(f"given up: the run took longer than {chosen.seconds} s\n")
        code = 2
    table.print()
    if asked.json:
        table.write(asked.json)
    return code or (0 if table.is_sound else 1)


def _overdue(*_: object) -> None:
    raise Overdue


def tried(row: Row, engine: Engine, shop: Workshop, size: Size, seed: int) -> Line:
    """Try a row and its control on an engine. Lots depend on the seed and the row alone, so that a row can be tried
    again by itself."""
    began = time.monotonic()
    ground = Ground(shop, size, engine, Random(f"{seed} {row.name} {engine}"))
    line = Line(row=row.name, engine=engine, verdict="left out", seconds=0, without=row.without)
    try:
        line.figures = row.trial(ground)
        line.control = controlled(row, ground)
        line.verdict = verdict_of(line.figures, line.control)
    except LeftOut as left_out:
        line.why = str(left_out)
    except Exception as error:  # noqa: BLE001  # A row that cannot be carried through does not hold; the others go on.
        line.figures = line.figures or Figures(wrong=[repr(error)])
        line.verdict, line.why = "DOES NOT HOLD", repr(error)
        traceback.print_exc()
        sys.stderr.write(log_of(shop).read_text("utf-8")[-1_000:] if log_of(shop).exists() else "")
    line.seconds = round(time.monotonic() - began, 1)
    return line


def controlled(row: Row, ground: Ground) -> Figures:
    """What came of a row's control, tried until it fails, and some times at most: whether a kill falls between a commit
    and its answer is chance."""
    figures = row.control(ground)
    for _ in range(CONTROL_TRIES - 1):
        if not figures.holds:
            break
        figures.add(row.control(ground))
    return figures


if __name__ == "__main__":
    sys.exit(main())

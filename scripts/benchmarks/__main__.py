"""`scripts/bench`: runs the sections, prints what they found and writes it as JSON.

Ends with 1 if an answer was not as expected, or if something acknowledged is not stored; never because of a figure.
"""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scripts.benchmarks import (
    flat,
    loading,
    meetings,
    pages,
    posts,
    reads,
    rebuilds,
    replays,
    reports,
    starts,
    statistics,
)
from scripts.benchmarks.report import Report, postgres_durability, sqlite_durability
from scripts.benchmarks.scale import DEFAULT, FULL, SMOKE, Scale
from scripts.benchmarks.workshop import Workshop


class Section(NamedTuple):
    """A part of the run."""

    measure: Callable[[Workshop, Scale, Report], None]
    about: str


SECTIONS = {
    "posts": Section(posts.measure, "single posts over HTTP"),
    "meetings": Section(meetings.measure, "sheets of a hundred lines over HTTP"),
    "replay": Section(replays.measure, "a fund loaded with its chain checked, and seen at a past moment"),
    "flat": Section(flat.measure, "one more entry on a small fund and on a large one"),
    "loading": Section(loading.measure, "the first entry of an evening on an old fund, and what it takes in memory"),
    "rebuild": Section(rebuilds.measure, "the read model made anew"),
    "reads": Section(reads.measure, "reads over HTTP, and memory"),
    "pages": Section(pages.measure, "phones' log-in by cookie, and the pages they ask for most"),
    "reports": Section(reports.measure, "a plan's report over HTTP, of a province and of a country"),
    "statistics": Section(statistics.measure, "a country as a data set, counted in by other engines"),
    "start": Section(starts.measure, "from the start of the program to its first answers"),
}


def main() -> int:
    """Run what was asked for; answers the exit code."""
    parser = ArgumentParser(prog="scripts/bench", description="Measure the service beside other ways to do its work.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", dest="scale", action="store_const", const=FULL, default=DEFAULT, help="longer, larger")
    size.add_argument(
        "--smoke", dest="scale", action="store_const", const=SMOKE, help="only to see that all of it works"
    )
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--out", type=Path, default=Path("bench.json"), metavar="FILE", help="bench.json by default")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report = Report()
    with Workshop() as shop:
        report.durability = postgres_durability(shop.postgres) | sqlite_durability()
        report.print_surroundings()
        for name in asked.only or SECTIONS:
            report.heading(name, SECTIONS[name].about)
            section_began = time.monotonic()
            SECTIONS[name].measure(shop, asked.scale, report)
            report.seconds[name] = round(time.monotonic() - section_began, 1)
            report.load_average.append(os.getloadavg()[0])
    report.print_ratios()
    report.write(asked.out, mode=asked.scale.name)
    return 0 if report.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())

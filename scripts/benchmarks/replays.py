"""Replays: loading a fund with its chain checked, and seeing it at a past moment, beside the library's own replay."""

import gc
import math
import time
from collections.abc import Callable
from statistics import median
from uuid import UUID

from ledger.application import Ledger
from ledger.projections.balances import balances
from ledger.projections.knowledge import known
from scripts.benchmarks.report import Report
from scripts.benchmarks.rivals import Club, Clubs, library_settings
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import code_of, sized_funds
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, opened_ledger

SECTION = "replay"
TARGET = 4
LEAST_TIMES = 3
ABOUT_SECONDS = 0.4
"""A replay is repeated so many times at least, and for about so long."""


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Load funds and the library's aggregates of the same sizes, each on both engines."""
    for engine in ENGINES:
        with opened_ledger(sized_funds(shop, scale, engine)) as ledger:
            ours = {size: _load(ledger, size, engine, report) for size in scale.fund_sizes}
            past = {size: _fold(ledger, size, engine, report) for size in scale.fund_sizes}
        theirs = _library(shop, engine, scale, report)
        for size in scale.library_sizes:
            if size in ours:
                what = f"load + chain check ÷ library's replay, {size:,} events, {engine}"
                report.ratio(SECTION, what, [theirs[size] / ours[size]], TARGET)
        for what, found in (("load", ours), ("fold at a past moment", past)):
            report.ratio(SECTION, f"growth exponent of {what}, {engine}", [exponent(found)], 1.1, "at most")


def _load(ledger: Ledger, size: int, engine: Engine, report: Report) -> float:
    seconds = repeated(lambda: ledger.replayed(code_of(size)))
    report.figure(
        SECTION,
        f"load + chain check, {size:,} events",
        engine=engine,
        rate=size / seconds,
        unit="events",
        p50_ms=seconds * 1000,
    )
    return seconds


def _fold(ledger: Ledger, size: int, engine: Engine, report: Report) -> float:
    """The balances as they stood when half of the entries were known."""
    half = size // 2

    def fold() -> None:
        balances(known(ledger.entries(code_of(size), upto=half)), code_of(size))

    seconds = repeated(fold)
    report.figure(
        SECTION,
        f"balances at a past moment, {half:,} of {size:,} events",
        engine=engine,
        rate=half / seconds,
        unit="events",
        p50_ms=seconds * 1000,
    )
    return seconds


def _library(shop: Workshop, engine: Engine, scale: Scale, report: Report) -> dict[int, float]:
    clubs = Clubs(library_settings(shop.database(engine)))
    found: dict[int, float] = {}
    for size in scale.library_sizes:
        club_id = grown_club(clubs, size)
        found[size] = repeated(lambda club_id=club_id: clubs.repository.get(club_id))  # type: ignore[misc]
        report.figure(
            SECTION,
            f"library's replay, {size:,} events",
            engine=engine,
            rate=size / found[size],
            unit="events",
            p50_ms=found[size] * 1000,
        )
    clubs.close()
    return found


def grown_club(clubs: Clubs, size: int) -> UUID:
    """A club of the library's with so many events, stored some hundreds a commit."""
    club = Club("Câu lạc bộ Mai Pha")
    while club.version < size:
        for number in range(min(size - club.version, 256)):
            club.receive_donation(source="business", pot="revolving", amount=5_000_000 + number, on="2025-12-31")
        clubs.save(club)
    return club.id


def repeated(work: Callable[[], object]) -> float:
    """The median of the seconds that some work takes."""
    gc.collect()
    gc.freeze()  # What other sections keep is not looked through again and again.
    seconds: list[float] = []
    while len(seconds) < LEAST_TIMES or sum(seconds) < ABOUT_SECONDS:
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def exponent(seconds: dict[int, float]) -> float:
    """How the time grows with the size, between the second smallest size and the largest: 1 is linear."""
    sizes = sorted(seconds)
    small, large = sizes[max(len(sizes) - 3, 0)], sizes[-1]
    return math.log(seconds[large] / seconds[small]) / math.log(large / small)

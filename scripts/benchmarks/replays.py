"""Replays: loading a fund with its chain checked, and seeing it at a past moment, beside the library's own replay.

The library's aggregate knows one kind of fact, a gift, and keeps two sums. Ours is measured twice against it: with a
club's whole life, loans included, and with a fund that was given gifts only.
"""

import gc
import math
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from uuid import UUID

from ledger.application import Ledger
from ledger.projections.balances import balances
from ledger.projections.knowledge import Known
from scripts.benchmarks.report import Report
from scripts.benchmarks.rivals import Club, Clubs, library_settings
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import GIFTS, code_of, sized_funds
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, opened_ledger

SECTION = "replay"
TARGET = 4
LEAST_TIMES = 3
"""Works take turns so often, unless it would try one's patience."""

Works = dict[str, Callable[[], object]]


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Load funds and the library's aggregates of the same sizes, each on both engines."""
    for engine in ENGINES:
        clubs = Clubs(library_settings(shop.database(engine)))
        loads: dict[int, float] = {}
        folds: dict[int, float] = {}
        with opened_ledger(sized_funds(shop, scale, engine)) as ledger:
            for size in scale.fund_sizes:
                works: Works = {
                    "load + chain check": partial(ledger.replayed, code_of(size)),
                    "balances at half-time": partial(_fold, ledger, code_of(size), size // 2),
                }
                if size in scale.library_sizes:
                    works["library's replay"] = partial(clubs.repository.get, grown_club(clubs, size))
                if size == scale.library_sizes[-1]:
                    works["load + chain check of gifts only"] = partial(ledger.replayed, GIFTS)
                found = in_turns(works, scale.replay_seconds)
                _tell(report, found, size, engine)
                loads[size] = median(found["load + chain check"])
                folds[size] = median(found["balances at half-time"])
        clubs.close()
        for what, by_size in (("load", loads), ("fold at a past moment", folds)):
            report.ratio(SECTION, f"growth exponent of {what}, {engine}", [exponent(by_size)], 1.1, "at most")


def _fold(ledger: Ledger, fund: str, version: int) -> None:
    """The balances as they stood when only so many entries were known."""
    balances(Known(ledger.entries(fund, upto=version)), fund)


def _tell(report: Report, found: dict[str, list[float]], size: int, engine: Engine) -> None:
    for what, seconds in found.items():
        events = size // 2 if what == "balances at half-time" else size
        took = median(seconds)
        report.figure(
            SECTION, f"{what}, {size:,} events", engine=engine, rate=events / took, unit="events", p50_ms=took * 1000
        )
        if what.startswith("load") and "library's replay" in found:
            ratios = [theirs / ours for ours, theirs in zip(seconds, found["library's replay"], strict=True)]
            report.ratio(SECTION, f"{what} ÷ library's replay, {size:,} events, {engine}", ratios, TARGET)


def grown_club(clubs: Clubs, size: int) -> UUID:
    """A club of the library's with so many events, stored some hundreds a commit."""
    club = Club("Câu lạc bộ Mai Pha")
    while club.version < size:
        for number in range(min(size - club.version, 256)):
            club.receive_donation(source="business", pot="revolving", amount=5_000_000 + number, on="2025-12-31")
        clubs.save(club)
    return club.id


def in_turns(works: Works, about_seconds: float, patience_seconds: float = 1.0) -> dict[str, list[float]]:
    """The seconds that each of some works took, one after the other in each round, for about so long each."""
    gc.collect()
    gc.freeze()  # What other sections keep is not looked through again and again.
    seconds: dict[str, list[float]] = {name: [] for name in works}
    began = time.perf_counter()
    while True:
        for name, work in works.items():
            started = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - started)
        rounds, took = len(seconds[name]), time.perf_counter() - began
        if took >= len(works) * (patience_seconds if rounds < LEAST_TIMES else about_seconds):
            return seconds


def exponent(seconds: dict[int, float]) -> float:
    """How the time grows with the size, over the three largest sizes: 1 is linear."""
    small, large = sorted(seconds)[-3:][0], max(seconds)
    return math.log(seconds[large] / seconds[small]) / math.log(large / small)

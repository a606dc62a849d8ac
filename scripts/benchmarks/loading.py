"""The first entry of an evening on a young fund and on an old one: the kept state of each, and the lines since.

Times are the processor's, for the commit's wait for the disk is the same on both. An old fund is measured with as many
lines since its state was kept as there are on average.
"""

import gc
import time
import tracemalloc
from statistics import median

from ledger.application import Ledger
from ledger.kept_states import EVERY
from scripts.benchmarks.flat import LINES, record
from scripts.benchmarks.histories import rows_of, store
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import code_of, fund_of
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, opened_ledger

SECTION = "loading"
YOUNG = 100
TIMES_TARGET = 3
MEMORY_TARGET = 150_000
DEARER_TARGET = 1.03


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Weigh the old fund, load both in turn, and record on the old one with its state kept and without."""
    for engine in ENGINES:
        with opened_ledger(shop.database(engine)) as ledger:
            for size in (YOUNG, scale.old_fund):
                store(ledger, rows_of(ledger, fund_of(size).pending))
            _loads(ledger, scale, engine, report)
            _keeping(ledger, scale, engine, report)


def _loads(ledger: Ledger, scale: Scale, engine: Engine, report: Report) -> None:
    """The first load of the old fund is a replay; after the entry that it is for, its state is kept, and weighed."""
    replayed = _first_entry(ledger, scale.old_fund)
    ledger.keep_state()
    _memory(ledger, scale, engine, report)
    for _ in range(EVERY // 2 - LINES - 1):
        record(ledger, scale.old_fund, lines=1)
    rounds = [(_first_entry(ledger, YOUNG), _first_entry(ledger, scale.old_fund)) for _ in range(scale.loads)]
    young, old = (median(each) for each in zip(*rounds, strict=True))
    for what, seconds in (
        (f"first entry on {YOUNG:,} events", young),
        (f"first entry on {scale.old_fund:,} events", old),
        (f"first entry on {scale.old_fund:,} events, no state kept yet", replayed),
    ):
        report.figure(SECTION, what, engine=engine, p50_ms=seconds * 1000)
    what = f"first entry on {scale.old_fund:,} events ÷ on {YOUNG:,}, {engine}"
    report.ratio(SECTION, what, [later / sooner for sooner, later in rounds], TIMES_TARGET, "at most")


def _first_entry(ledger: Ledger, size: int) -> float:
    ledger.forget(code_of(size))
    began = time.process_time()
    record(ledger, size, lines=1)
    return time.process_time() - began


def _memory(ledger: Ledger, scale: Scale, engine: Engine, report: Report) -> None:
    """What loading takes, and what it and a first entry leave in memory; and what an evening's entries add."""
    ledger.forget(code_of(scale.old_fund))
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    record(ledger, scale.old_fund, lines=1)
    gc.collect()
    after, peak = tracemalloc.get_traced_memory()
    for _ in range(LINES):
        record(ledger, scale.old_fund, lines=1)
    gc.collect()
    evening, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = after - before
    report.figure(SECTION, f"memory of {scale.old_fund:,} events", engine=engine, bytes=held, peak_bytes=peak - before)
    what = f"memory that {LINES} entries more take"
    report.figure(SECTION, what, engine=engine, bytes=evening - after)
    what = f"memory of a fund of {scale.old_fund:,} events ÷ {MEMORY_TARGET:,} bytes, {engine}"
    report.ratio(SECTION, what, [held / MEMORY_TARGET], 1, "at most")


def _keeping(ledger: Ledger, scale: Scale, engine: Engine, report: Report) -> None:
    """The same entries with their states kept in between, as the writer has them kept, and without."""
    with_states, without, kept = list[float](), list[float](), list[float]()
    for _ in range(scale.loads // 4 + 1):
        for times, keeps in ((without, False), (with_states, True)):
            began = time.process_time()
            for _ in range(EVERY):
                record(ledger, scale.old_fund, lines=1)
            if keeps:
                before = time.process_time()
                ledger.keep_state()
                kept.append(time.process_time() - before)
            times.append(time.process_time() - began)
    report.figure(SECTION, "a state kept", engine=engine, p50_ms=median(kept) * 1000)
    ratios = [dear / cheap for dear, cheap in zip(with_states, without, strict=True)]
    report.ratio(SECTION, f"posts with states kept ÷ without, CPU, {engine}", ratios, DEARER_TARGET, "at most")

"""One more entry on a small fund and on a large one: the cost must not grow with what is already there."""

import gc
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from statistics import median

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.application import Ledger
from ledger.events import Request
from ledger.jobs import Job, Recorded
from scripts.benchmarks.histories import MEMBERS, UNTIL
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import code_of, sized_funds
from scripts.benchmarks.workshop import ENGINES, Workshop, opened_ledger

SECTION = "flat"
TARGET = 1.1
LINES = 100

_keys = count(1)


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Record on both funds in turn: a gift, the same gift without its commit, and a sheet of a hundred lines."""
    small, large = scale.fund_sizes[0], scale.large_fund
    for engine in ENGINES:
        with opened_ledger(sized_funds(shop, scale, engine)) as ledger:
            post, sheet = partial(record, ledger, lines=1), partial(record, ledger, lines=LINES)
            ways: tuple[tuple[str, Callable[[int], None], int, float | None], ...] = (
                ("one post", post, scale.flat_posts, TARGET),
                ("the decision alone", _decider(ledger, small, large), scale.flat_posts * 10, None),
                (f"a sheet of {LINES} lines", sheet, max(scale.flat_posts // 20, 3), None),
            )
            for what, work, times, target in ways:
                on_small, on_large = _in_turns(work, small, large, times)
                for size, seconds in ((small, on_small), (large, on_large)):
                    report.figure(SECTION, f"{what} on {size:,} events", engine=engine, p50_ms=seconds * 1000)
                ratio = f"{what}, on {large:,} events ÷ on {small:,}, {engine}"
                report.ratio(SECTION, ratio, [on_large / on_small], target, "at most")


def _in_turns(work: Callable[[int], None], small: int, large: int, times: int) -> tuple[float, float]:
    """The median seconds on the small fund and on the large one, neither in memory for the first time."""
    work(small)
    work(large)
    gc.collect()
    gc.freeze()
    seconds: dict[int, list[float]] = {small: [], large: []}
    for turn in range(times):
        # Who comes first alternates: the second finds the database's caches warmer.
        for size in (small, large) if turn % 2 else (large, small):
            began = time.perf_counter()
            work(size)
            seconds[size].append(time.perf_counter() - began)
    return median(seconds[small]), median(seconds[large])


def _metadata() -> EntryMetadata:
    key = f"flat-{next(_keys):08d}"
    request = Request(key, hashlib.sha256(key.encode()).hexdigest())
    return EntryMetadata(on=UNTIL, recorded_at=datetime.now(UTC), recorded_by="p-treasurer", request=request)


def record(ledger: Ledger, size: int, *, lines: int) -> None:
    """Record a gift on the fund of this size, or a sheet of so many lines."""
    requests = [_metadata() for _ in range(lines)]

    def decide(fund: Fund) -> None:
        if lines == 1:
            fund.receive_donation(requests[0], source="business", pot="revolving", amount=5_000_000)
            return
        for number, metadata in enumerate(requests):
            fund.receive_contribution(metadata, member=number % MEMBERS + 1, kind="dues", amount=10_000)

    job = Job(fund=code_of(size), decide=decide, request=requests[0].request, several=lines > 1)
    (outcome,) = ledger.record([job])
    if not isinstance(outcome, Recorded):
        raise outcome


def _decider(ledger: Ledger, *sizes: int) -> Callable[[int], None]:
    funds = {size: ledger.replayed(code_of(size)) for size in sizes}

    def decide(size: int) -> None:
        fund = funds[size]
        fund.receive_donation(_metadata(), source="business", pot="revolving", amount=5_000_000)
        fund.pending.clear()

    return decide

"""Two copies of the service on one PostgreSQL: each fund at one of them, and funds at random, beside one copy.

Which copy a fund is sent to is the client's choice here, as it is nginx's in `deploy/nginx.conf`: what is measured is
the copies, and not the proxy on the same cores.
"""

from itertools import count
from statistics import median
from typing import Any

import msgspec

from ledger.database import EVENTS_TABLE
from scripts.benchmarks.histories import MEMBERS, lived, rows_of, store
from scripts.benchmarks.load import KEY, Load, Outcome, ask
from scripts.benchmarks.posts import BODIES
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import province_codes, token_for
from scripts.benchmarks.workshop import Workshop, opened_ledger, rows_in

SECTION = "copies"
ONE, BY_FUND, AT_RANDOM = "one copy", "two copies, each fund at one of them", "two copies, funds at random"
TARGETS = {BY_FUND: 1.2, AT_RANDOM: 0.8}


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Post gifts to 24 young funds in each of the ways in turn."""
    url, codes = shop.database("PostgreSQL"), province_codes()
    with opened_ledger(url) as ledger:
        for code in codes:
            store(ledger, rows_of(ledger, lived(code, 2 * MEMBERS).pending))
    before, answered, runs = rows_in(url, EVENTS_TABLE), 0, count()
    load = Load(
        port=0,
        connections=scale.connections[-1],
        seconds=0,
        method="POST",
        paths=[f"/v1/funds/{code}/donations" for code in codes],
        bodies=BODIES,
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token_for(url)}",
            "Idempotency-Key": KEY,
        },
        expects=201,
    )
    with shop.service(url) as one, shop.service(url) as other:
        ways: dict[str, dict[str, Any]] = {
            ONE: {"port": one.port},
            BY_FUND: {"port": one.port, "further_ports": (other.port,), "by_path": True},
            AT_RANDOM: {"port": one.port, "further_ports": (other.port,)},
        }

        def post(way: str, seconds: float) -> Outcome:
            nonlocal answered
            asked = msgspec.structs.replace(load, **ways[way], seconds=seconds, key_prefix=f"copies{next(runs)}-")
            outcome = ask(asked)
            report.refused(way, outcome.unexpected)
            answered += outcome.answered
            return outcome

        found: dict[str, list[Outcome]] = {way: [] for way in ways}
        for way in ways:
            post(way, scale.warm_up_seconds)
        for _ in range(scale.rounds):
            for way, outcomes in found.items():
                outcomes.append(post(way, scale.round_seconds))
    report.count(SECTION, "posts to two copies", acknowledged=answered, stored=rows_in(url, EVENTS_TABLE) - before)
    for way, outcomes in found.items():
        report.figure(
            SECTION,
            way,
            engine="PostgreSQL",
            rate=median(outcome.rate for outcome in outcomes),
            unit="posts",
            p50_ms=median(outcome.p50_ms for outcome in outcomes),
            p99_ms=median(outcome.p99_ms for outcome in outcomes),
        )
    for way, target in TARGETS.items():
        ratios = [ours.rate / alone.rate for ours, alone in zip(found[way], found[ONE], strict=True)]
        report.ratio(SECTION, f"{way} ÷ {ONE}, {load.connections} connections", ratios, target)

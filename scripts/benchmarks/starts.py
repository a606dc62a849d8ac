"""Start-up: from the moment the program is started to its first answers, on a database with a province's books."""

import time
from statistics import median

from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import province
from scripts.benchmarks.workshop import ENGINES, SERVE, Workshop, until_answered

SECTION = "start"


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Start the service some times on each engine."""
    for engine in ENGINES[: scale.engines]:
        url = province(shop, scale, engine)
        alive: list[float] = []
        ready: list[float] = []
        for _ in range(scale.starts):
            began = time.perf_counter()
            with shop.started(SERVE, MICROFUND_DATABASE=url) as service:
                for path, seconds in (("/healthz", alive), ("/readyz", ready)):
                    until_answered(service, path)
                    seconds.append(time.perf_counter() - began)
        report.figure(SECTION, "first 200 of /healthz", engine=engine, p50_ms=median(alive) * 1000)
        report.figure(SECTION, "first 200 of /readyz", engine=engine, p50_ms=median(ready) * 1000)

"""What Prometheus may know: how many requests, how fast, how far behind. Never who, whose fund or how much."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from service.http.refusals import HistoryBroken, InternalError, PinLocked, TooManyRequests

METHODS: Final = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})

WATCHED: Final = (HistoryBroken, InternalError, PinLocked, TooManyRequests)
"""Refusals that alerts look at: there from the start, for what appears with 1 has not increased to Prometheus."""

OF_OPERATORS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that programs ask all the time, and nobody waits for."""


class Metrics:
    """The figures of one service. Routes are named by their pattern, so that labels stay few."""

    def __init__(self) -> None:
        self.waited_for = 0
        """How many requests were answered that somebody may have waited for."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "microfund_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram("microfund_request_seconds", "Time to answer.", ["route"], registry=self.registry)
        self._refusals = Counter(
            "microfund_refusals",
            "Requests refused, by the code that the problem bears.",
            ["code"],
            registry=self.registry,
        )
        for kind in WATCHED:
            self._refusals.labels(kind.code)
        self.commit_seconds = Histogram(
            "microfund_commit_seconds", "Time to decide and commit a batch of requests.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        self._of = cache(self._labelled)  # Few routes, few statuses: the figures of each are found once.

    def count(self, method: str, route: str, status: int, seconds: float, refusal: str | None) -> None:
        """Count one answer; `refusal` is the code of what was told last, if anything was refused."""
        self.waited_for += route not in OF_OPERATORS
        requests, duration = self._of(method, route, status)
        requests.inc()
        duration.observe(seconds)
        if refusal and status >= 400:
            self._refusals.labels(refusal).inc()

    def _labelled(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, str(status)), self._seconds.labels(route)

    @contextmanager
    def showing(self, gauges: Collector) -> Iterator[None]:
        """Show figures that are looked up whenever somebody asks, until the end of the block."""
        self.registry.register(gauges)
        yield
        self.registry.unregister(gauges)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self.registry)

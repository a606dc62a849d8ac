"""What Prometheus may know: how many requests, how fast, how far behind. Never who, whose fund or how much."""

from collections.abc import Callable
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

METHODS: Final = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})


class Metrics:
    """The figures of one service. Routes are named by their pattern, so that labels stay few."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "microfund_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram("microfund_request_seconds", "Time to answer.", ["route"], registry=self.registry)
        self._of = cache(self._labelled)  # Few routes, few statuses: the figures of each are found once.

    def count(self, method: str, scope: Scope, status: int, seconds: float) -> None:
        """Count one answer."""
        route = getattr(scope.get("route"), "path", "none")
        method = method if method in METHODS else "other"
        requests, duration = self._of(method, route, status)
        requests.inc()
        duration.observe(seconds)

    def _labelled(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, str(status)), self._seconds.labels(route)

    def watch(self, name: str, meaning: str, figure: Callable[[], float]) -> None:
        """Show a figure that is looked up whenever somebody asks."""
        Gauge(f"microfund_{name}", meaning, registry=self.registry).set_function(figure)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self.registry)

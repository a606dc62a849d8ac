"""What is looked up whenever Prometheus asks, by the names that the alerts of `deploy/` go by. Times are instants in
seconds since 1970, 0 for what never was, so that `time() - …` is an age."""

import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from eventsourcing.persistence import PersistenceError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.checkpoints import Checkpoints
from ledger.projections.read_model import ReadModelBroken
from ledger.refusals import LeavesChanged
from service.checkpoints.anchoring import Anchoring
from service.http.state import AppState
from service.operations import notes
from service.settings import Settings

NEVER: Final = 0.0
COUNTED: Final = {
    "sessions": ("Phones that are logged in.", "SELECT COUNT(*) FROM sessions"),
    "tokens": ("Tokens that programs hold.", "SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL"),
    "attempts": ("Tries of codes and PINs that the throttle still counts.", "SELECT COUNT(*) FROM attempts"),
    "losses": ("Stretches of funds that were acknowledged and are gone.", "SELECT COUNT(*) FROM losses"),
}


class Gauges(Collector):
    """The state of one copy of the service and of its database. Where that is away, what lies in it is left out."""

    def __init__(self, state: AppState, checkpoints: Checkpoints, anchoring: Anchoring) -> None:
        self._state = state
        self._database = state.ledger.database
        self._checkpoints = checkpoints
        self._anchoring = anchoring

    def describe(self) -> Iterator[Metric]:
        """Nothing: without this, all would be looked up once to see which names there are."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All figures, as they are now."""
        yield _program()
        yield _gauge("writer_waiting", "Facts that wait to be recorded.", self._state.writer.waiting)
        yield _gauge("read_model_position", "Up to where the read model is.", self._state.follower.position)
        yield _gauge("wrong_states", "Kept states of funds that were wrong.", len(self._anchoring.wrong_states))
        yield from _disk(self._state.settings)
        try:
            stored, trouble = [*self._stored()], self._state.storage_trouble()
        except PersistenceError as error:
            stored, trouble = [], self._state.storage_trouble() or type(error).__name__
        yield from stored
        yield self._troubles(trouble)

    def _troubles(self, of_storage: str | None) -> Metric:
        """What `/readyz` has words for, as 0 or 1."""
        found = GaugeMetricFamily("microfund_trouble", "Whether a part does not do its work.", labels=["part"])
        follower, anchoring = self._state.follower.trouble, self._anchoring.trouble
        for part, trouble in {"storage": of_storage, "read_model": follower, "checkpoint": anchoring}.items():
            found.add_metric([part], float(trouble is not None))
        return found

    def _stored(self) -> Iterator[Metric]:
        yield _gauge("log_position", "The last position of the log.", self._last_position())
        yield from self._of_read_model()
        for name, (meaning, select) in COUNTED.items():
            yield _gauge(name, meaning, self._database.values(select)[0][0])
        last_recorded = notes.last_recorded(self._database)
        yield _instant("last_entry", "When something was last recorded.", last_recorded)
        yield _instant("checkpoint", "When the last checkpoint was made.", self._last_checkpoint())
        for name, told in {"backup": notes.BACKUP, "drill": notes.DRILL}.items():
            note = notes.find(self._state.ledger, told)
            yield _instant(name, f"When the last {name} was well.", note.at if note else None)

    def _last_position(self) -> int:
        return self._state.ledger.recorder.max_notification_id() or 0

    def _of_read_model(self) -> Iterator[Metric]:
        model = self._state.read_model
        try:
            parked = len(model.ask(lambda tables, _: model.parked(tables)))
        except ReadModelBroken:
            return  # Told as a trouble.
        yield _gauge("read_model_lag", "Events that are not in the tables yet, counted up to a bound.", model.lag())
        yield _gauge("parked_funds", "Funds that cannot be projected further.", parked)

    def _last_checkpoint(self) -> datetime | None:
        try:
            latest = self._checkpoints.latest()
        except LeavesChanged:
            return None  # The doctor tells of it.
        return latest.checkpoint.made_at if latest else None


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"microfund_{name}", meaning, value)


def _instant(name: str, meaning: str, at: datetime | None) -> Metric:
    return _gauge(f"{name}_timestamp_seconds", meaning, at.timestamp() if at else NEVER)


def _program() -> Metric:
    found = GaugeMetricFamily("microfund_build_info", "Which version this is.", labels=["version", "python"])
    found.add_metric([version("microfund"), platform.python_version()], 1)
    return found


def _disk(settings: Settings) -> Iterator[Metric]:
    """Room for an SQLite file; a server's disk is looked at on the server."""
    if (file := settings.database.removeprefix("sqlite:///")) != settings.database:
        with suppress(OSError):
            yield _gauge("disk_free_bytes", "Room beside the database.", shutil.disk_usage(Path(file).parent).free)

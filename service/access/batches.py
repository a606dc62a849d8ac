"""What many requests have to store beside the log, gathered: SQLite has one writer, and the log's must not wait for it.

However many come, so many transactions a second and no more; one that comes alone is stored at once.
"""

import logging
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from eventsourcing.persistence import PersistenceError

T = TypeVar("T")

log = logging.getLogger("microfund")

RETRY_SECONDS: Final = 1.0
"""How long after a batch that could not be stored the next try is."""


class Batches(Generic[T]):
    """A thread that stores what was added, in the order of coming, with `seconds` between two batches at least.

    `store` may raise a `PersistenceError`: then the same is stored with the next batch. Of more than `most` that wait,
    `add` takes none.
    """

    def __init__(self, name: str, store: Callable[[list[T]], None], seconds: float, most: int) -> None:
        self._store = store
        self._seconds = seconds
        self._most = most
        self._waiting: list[T] = []
        self._is_open = True
        self._is_urgent = self._is_storing = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Store what still waits, and end."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._thread.join()

    def add(self, item: T) -> bool:
        """Have something stored soon; does not block. Answers whether there was room for it."""
        with self._changed:
            if not self._is_open or len(self._waiting) >= self._most:
                return False
            self._waiting.append(item)
            self._changed.notify_all()
            return True

    def flush(self) -> None:
        """Wait until all that was added is stored."""
        with self._changed:
            self._is_urgent = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not (self._waiting or self._is_storing))
            self._is_urgent = False

    def _run(self) -> None:
        free_at = monotonic()
        while batch := self._taken(free_at):
            pause = self._seconds
            try:
                self._store(batch)
            except PersistenceError as error:
                log.warning("what waits in %s could not be stored: %s", self._thread.name, type(error).__name__)
                pause = RETRY_SECONDS
                with self._changed:
                    if not self._is_open:
                        return
                    self._waiting[:0] = batch
            except Exception as bug:  # noqa: BLE001  # Those that come after it are stored all the same.
                # Without its traceback, which could show what waited.
                log.error("what waited in %s is lost: %s", self._thread.name, type(bug).__name__)  # noqa: TRY400
            free_at = monotonic() + pause
            with self._changed:
                self._is_storing = False
                self._changed.notify_all()

    def _taken(self, free_at: float) -> list[T]:
        """What waits once the next batch may be stored, nothing when there is no more to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            self._changed.wait_for(lambda: self._is_urgent or not self._is_open, timeout=max(free_at - monotonic(), 0))
            batch, self._waiting = self._waiting, []
            self._is_storing = bool(batch)
            return batch

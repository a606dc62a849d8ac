"""The thread that keeps the read model up with the log."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextlib import suppress

from eventsourcing.persistence import PersistenceError

from ledger.projections.read_model import LARGEST_BATCH, ReadModel, ReadModelBroken

POLL_SECONDS = 0.5
"""How soon the commits of other processes are noticed, and the storage is tried again."""

LINGER_SECONDS = 0.25
"""How long commits are let come together while nobody waits to read: a batch costs little more than an event."""

log = logging.getLogger(__name__)


class Follower:
    """Advances a read model when woken, and looks by itself for what other processes committed.

    Entered and left like a file. `trouble` is None, or the name of what keeps it from following; it is tried again.
    """

    def __init__(self, read_model: ReadModel) -> None:
        self.trouble: str | None = None
        self.position = 0
        """Up to where the read model is, as last seen."""
        self._read_model = read_model
        self._woken = threading.Event()
        self._hurried = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop after the batch at hand."""
        self._stopping = True
        self._hurry()
        self._thread.join()

    def wake(self) -> None:
        """Say that something was committed; from any thread. `Writer(ledger, on_commit=follower.wake)`."""
        self._woken.set()

    def _hurry(self) -> None:
        self._hurried.set()
        self._woken.set()

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the read model has a position; answers whether it does. `timeout` in seconds."""
        if self.position >= position:
            return True
        future = self._waiter(position)
        try:
            future.result(timeout)
        except TimeoutError:
            future.cancel()
        return self.position >= position

    async def reached(self, position: int, timeout: float) -> bool:
        """The same for an event loop; costs nothing when the position is already reached."""
        if self.position >= position:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(self._waiter(position)), timeout)
        return self.position >= position

    def _waiter(self, position: int) -> Future[None]:
        """What is done once the position is reached; given up, it is cancelled."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append((position, future))
        self._hurry()
        return future

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._woken.clear()
                self._hurried.clear()
                if not self._advance():
                    self._rest()
        except Exception as bug:
            self._report(bug)  # The thread ends here; whoever asks how things are must hear of it.
            raise

    def _rest(self) -> None:
        """Wait for something to do; and after a commit for those that may follow, unless somebody waits already."""
        if self._woken.wait(POLL_SECONDS) and not self._waiting:
            self._hurried.wait(LINGER_SECONDS)

    def _advance(self) -> bool:
        """Apply a batch; answers whether more is sure to wait. After a small one, what follows may come together."""
        try:
            applied = self._read_model.advance()
            position = self._read_model.position
        except (PersistenceError, ReadModelBroken) as error:
            # What is broken is looked at again, too: `microfund rebuild` mends it from elsewhere.
            self._report(error)
            return False
        self.trouble = None
        self._publish(position)
        return applied == LARGEST_BATCH

    def _report(self, error: Exception) -> None:
        if self.trouble != type(error).__name__:
            log.error("the read model does not follow: %s", type(error).__name__)
        self.trouble = type(error).__name__

    def _publish(self, position: int) -> None:
        self.position = position
        with self._lock:
            done = [future for place, future in self._waiting if place <= position]
            self._waiting = [(p, future) for p, future in self._waiting if p > position and not future.cancelled()]
        for future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

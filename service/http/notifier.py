"""Waiting for something new in the log without holding a thread."""

import asyncio
from contextlib import suppress


class Notifier:
    """Told by any thread that something was committed; wakes all who wait on the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Wake whoever waits; from any thread."""
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._notified.set()
        self._notified = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next commit, at most so long."""
        try:
            await asyncio.wait_for(self._notified.wait(), seconds)
        except TimeoutError:
            return

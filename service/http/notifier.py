"""Waiting without holding a thread: for something new in the log, and for one's turn."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from service.http.refusals import TooManyRequests

MOST_ADDRESSES: Final = 10_000


class Bell:
    """Rung by any thread when something was committed; wakes all who wait on the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits; from any thread."""
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next ring, at most so long."""
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return


class Turnstile:
    """Lets each address through so many times a minute, in even steps; the longest silent are forgotten first."""

    def __init__(self, per_minute: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds = seconds
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def pass_through(self, address: str) -> None:
        """Count one passage. Raises `TooManyRequests`.

        An address may save up a minute's passages: it is refused when the time its passages take, at their even
        pace, lies more than a minute ahead.
        """
        now, pace = self._seconds(), 60 / self._per_minute
        free_at = max(self._free_at.pop(address, now), now)
        self._free_at[address] = free_at
        if free_at + pace > now + 60:
            raise TooManyRequests(retry_after=int(free_at + pace - now - 60) + 1)
        self._free_at[address] = free_at + pace
        while len(self._free_at) > MOST_ADDRESSES:
            self._free_at.popitem(last=False)


def neighbourhood(address: str) -> str:
    """The address to count by: of IPv6, the network of 64 bits that one household has."""
    return ":".join(address.split(":")[:4]) if ":" in address else address

"""How often one address may ask."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from service.http.refusals import TooManyRequests

MOST_ADDRESSES: Final = 10_000


class RateLimiter:
    """Lets each address through so many times a minute, in even steps; the longest silent are forgotten first."""

    def __init__(self, per_minute: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds = seconds
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def count(self, address: str) -> None:
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

"""What was looked up a moment ago, so that one request after another need not ask the database who sent it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

REMEMBERED_SECONDS: Final = 5.0
"""Access that has ended is over in every copy of the service after this time."""
MOST_REMEMBERED: Final = 10_000


class Remembered(Generic[T]):
    """Who holds a token, by its digest, for a few seconds; those longest not looked up are forgotten first."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._until: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, digest: str) -> T | None:
        """Who was looked up a moment ago; does not block."""
        found = self._until.get(digest)
        return found[1] if found and self._seconds() < found[0] else None

    def put(self, digest: str, holder: T, asked_at: float) -> T:
        """Remember who was looked up. The time counts from when it was asked, not from when the answer came."""
        self._until[digest] = (asked_at + REMEMBERED_SECONDS, holder)
        while len(self._until) > MOST_REMEMBERED:
            self._until.popitem(last=False)
        return holder

    def now(self) -> float:
        """The reading of the clock that `put` is told."""
        return self._seconds()

    def forget(self, digest: str | None = None) -> None:
        """Forget one, or all: in this process what has ended is over at once."""
        if digest is None:
            self._until.clear()
        else:
            self._until.pop(digest, None)

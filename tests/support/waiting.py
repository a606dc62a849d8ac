"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def until(so: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait until something is so."""
    give_up_at = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < give_up_at, "it never came to that"
        time.sleep(0.01)

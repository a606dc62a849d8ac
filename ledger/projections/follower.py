"""The thread that keeps the read model up with the log."""

from __future__ import annotations

from ledger.projections.read_model import ReadModel

POLL_SECONDS = 0.5
"""How soon the commits of other processes are noticed."""


class Follower:
    """Advances a read model when woken, and looks by itself for what other processes committed.

    Entered and left like a file. `trouble` is None, or the name of what keeps it from following.
    """

    trouble: str | None

    def __init__(self, read_model: ReadModel) -> None:
        self.trouble = None
        self._read_model = read_model

    def __enter__(self) -> Follower:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        """Stop after the batch at hand."""
        raise NotImplementedError

    @property
    def position(self) -> int:
        """Up to where the read model is, as last seen; costs nothing."""
        raise NotImplementedError

    def wake(self) -> None:
        """Say that something was committed; from any thread. `Writer(ledger, on_commit=follower.wake)`."""
        raise NotImplementedError

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the read model has a position; answers whether it does. `timeout` in seconds."""
        raise NotImplementedError

    async def reached(self, position: int, timeout: float) -> bool:
        """The same for an event loop; costs nothing when the position is already reached."""
        raise NotImplementedError

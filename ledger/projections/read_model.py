"""The read model as a whole: follows the log in batches, all tables under one position.

A batch is one transaction, and the first thing it does is to look again where the read model stands, with everybody
else held back: so two processes that follow the same database never apply an event twice, and a process killed
between any two statements has applied the whole batch or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eventsourcing.persistence import Notification

from ledger.database import Database

LARGEST_BATCH = 500

Select = Callable[[int, int], Sequence[Notification]]
"""The log: the notifications after a position, at most so many."""

Progress = Callable[[int], None]
"""Called with the number of events applied since the last call."""


class ReadModelBroken(Exception):
    """The tables and the log do not belong together any more; `microfund rebuild` makes the tables anew."""


class ReadModel:
    """The tables of one database, and how they follow its log.

    `select` is the recorder's own: `partial(ledger.recorder.select_notifications, inclusive_of_start=False)`.
    """

    def __init__(self, database: Database, select: Select) -> None:
        self.database = database
        self._select = select

    def create_tables(self) -> None:
        """Make the tables that are missing. Raises `ReadModelBroken` when another version of this program made them."""
        raise NotImplementedError

    @property
    def position(self) -> int:
        """Up to where in the log all tables are."""
        raise NotImplementedError

    def advance(self, limit: int = LARGEST_BATCH) -> int:
        """Apply the next batch of the log in one transaction; answers how many events it took, 0 at the end.

        Raises `ReadModelBroken` and the event store's `PersistenceError`s.
        """
        raise NotImplementedError

    def catch_up(self, progress: Progress | None = None) -> int:
        """Advance to the end of the log; answers how many events that took."""
        raise NotImplementedError

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make all tables anew from the log, row for row what following it made; answers how many events there are."""
        raise NotImplementedError

    def lag(self) -> int:
        """How many positions of the log are not in the tables yet; 0 means up to date."""
        raise NotImplementedError

    def parked(self) -> list[dict[str, object]]:
        """The funds that cannot be projected further: `{fund, version, position, why}`."""
        raise NotImplementedError

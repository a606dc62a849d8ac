"""Who may log in, and with which roles: the people's log as it is now, in memory."""

from threading import Lock

from ledger.aggregates.kinds import replay
from ledger.aggregates.people import People
from ledger.application import Ledger
from ledger.events import head_of
from ledger.events.people import PEOPLE


class Directory:
    """The people's log, caught up with what any copy of the service has recorded whenever it is asked."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = Lock()
        self._people = People()

    def people(self) -> People:
        """The people as they are now, to be read only: what is recorded later makes another one. Blocks, for a query
        that mostly finds nothing new. Raises `BrokenChain`."""
        with self._lock:
            known = self._people
            entries = self._ledger.entries(PEOPLE, after=max(known.version - 1, 0))
            if known.version and ((last := next(entries, None)) is None or head_of(last.line) != known.head):
                # The log has lost what it held: nobody may come in by what is no longer in it.
                known, entries = People(), self._ledger.entries(PEOPLE)
            if known is not self._people or (new := list(entries)):
                fresh = replay(known.fork(), entries if known is not self._people else new)
                assert isinstance(fresh, People)
                self._people = fresh
            return self._people

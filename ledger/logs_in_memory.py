"""Logs in memory: loaded by their kept state and the lines since, bounded together, the least recently used forgotten.

What lies here is never trusted more than the log: a decision rests on it, and is stored only where the log ends as it
was thought to.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

from ledger.aggregates.entries import Read
from ledger.aggregates.kinds import replay
from ledger.aggregates.log import BrokenChain, Log
from ledger.database import Database
from ledger.events import Entry, Event, head_of, is_fund
from ledger.kept_states import KeptStates
from ledger.losses import MissingLine


class Stored(Protocol):
    """Reads the stored entries of a log in order. Raises `BrokenChain` for what is no line of its kind."""

    def __call__(self, log: str, /, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]: ...


class LogsInMemory:
    """The logs, by their ids; for the thread that records."""

    def __init__(self, entries: Stored, database: Database, most: int) -> None:
        """`most` is what all of them may take, in entries' worth: about a kilobyte each. A log holds few entries; what
        else it holds counts as so many."""
        self.cache: OrderedDict[str, Log] = OrderedDict()
        self.kept_states = KeptStates(database, self.reader_of)
        self._entries = entries
        self._most = most
        self._weights: dict[str, int] = {}
        """What each log took when it was last looked at; a sum over thousands of logs would cost a commit."""
        self._weight = 0
        self.doubted: set[str] = set()
        """Funds that were loaded by a state which turned out wrong; any thread may say so."""
        self._to_keep: dict[str, None] = {}
        """Funds whose state is to be kept, in the order in which it became due."""

    def get(self, log: str) -> Log:
        """A log, from now on the most recently used. Raises `KeyError`."""
        self.cache.move_to_end(log)
        return self.cache[log]

    def put(self, log: Log) -> None:
        """Take a log in, or what has taken its place."""
        self.cache[log.id] = log
        self.cache.move_to_end(log.id)
        if log.id not in self._weights:
            self._weigh(log.id, log.weight)

    def forget(self, log: str) -> Log | None:
        """Take a log out; answers it if it was there."""
        self._weigh(log, 0)
        return self.cache.pop(log, None)

    def forget_doubted(self) -> None:
        """Take out what may rest on a wrong state; it is loaded anew when it is needed."""
        while self.doubted:
            self.forget(self.doubted.pop())

    def settle(self, log: str) -> None:
        """Take note that all a log holds is stored: most of its entries need not stay."""
        if found := self.cache.get(log):
            found.let_go()
            self._weigh(log, found.weight)
            if found.version - found.kept_at >= self.kept_states.every and is_fund(log):
                self._to_keep[log] = None

    def shrink(self) -> None:
        """Forget logs until the rest fit; the last one always stays."""
        while self._weight > self._most and len(self.cache) > 1:
            self.forget(next(iter(self.cache)))

    def _weigh(self, log: str, weight: int) -> None:
        self._weight += weight - self._weights.pop(log, 0)
        if weight:
            self._weights[log] = weight

    # --- loading --------------------------------------------------------------------------------------------------

    def load(self, log: str) -> Log | None:
        """A log as the database has it, None if there is none. Raises `BrokenChain`."""
        loaded = self._as_kept(log) or replay(None, self._entries(log), self.reader_of(log))
        if loaded:
            self.put(loaded)
            self.settle(log)
        return loaded

    def _as_kept(self, log: str) -> Log | None:
        """A fund by its kept state, if there is one that the log bears out."""
        fund = self.kept_states.find(log) if is_fund(log) else None
        if fund is None:
            return None
        try:
            self.catch_up(fund)
        except (MissingLine, BrokenChain):
            return None  # The log was cut or changed below it, or the state is wrong: only a replay can tell.
        return fund

    def catch_up(self, log: Log) -> bool:
        """Apply what others have recorded since; answers whether there was anything. Raises `MissingLine` if the log
        has lost what is remembered: nothing may be said that rests on it."""
        version = log.version
        entries = self._entries(log.id, after=max(version - 1, 0))
        if version and ((last := next(entries, None)) is None or head_of(last.line) != log.head):
            raise MissingLine
        replay(log, entries)
        return log.version > version

    def reader_of(self, log: str) -> Read:
        """What reads the events of a log that memory has let go of. It raises `MissingLine` if some are gone."""

        def read(first: int, last: int) -> list[Event]:
            events = [entry.event for entry in self._entries(log, after=first - 1, upto=last)]
            if len(events) < last - first + 1:
                raise MissingLine
            return events

        return read

    # --- keeping --------------------------------------------------------------------------------------------------

    def keep_next(self) -> None:
        """Keep the state of the fund for which that has been due longest, if it is still here."""
        while self._to_keep:
            code = next(iter(self._to_keep))
            del self._to_keep[code]
            if fund := self.cache.get(code):
                self.kept_states.keep(fund)
                self._weigh(code, fund.weight)
                return

"""What was known: the same tables, made in memory from the first entries of one fund."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from ledger.database import Database, Row
from ledger.events import Entry, head_of
from ledger.projections.batch import TABLES, LogLine, followed, rows_from_nothing
from ledger.projections.funds import Last
from ledger.projections.read_model import make_tables
from ledger.sqlite_engine import connect


class _Memory(SQLiteDatastore):
    """One connection to a database that is gone with it."""

    def __init__(self) -> None:
        self._connection = SQLiteConnection(connect(":memory:"), max_age=None)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self._connection.transaction(commit=commit) as cursor:
            yield cursor

    def close(self) -> None:
        self._connection.close()


class Known:
    """The read model of one fund as it stood after some entries, for the very same queries.

    For `known_version`, the entries up to that version; for `known_at`, those with `recorded_at` at or before the
    instant (they come in that order). A table is made when a question first names it: most questions need few. Its
    position is 0; threads take turns. Raises `DoesNotFollow`, and whatever a line provokes that parks the fund.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._last, self._told = followed(
            Last(), (LogLine(0, entry.event.fund, entry.event.version, entry.line, entry.event) for entry in entries)
        )
        self.version, self.head = self._last.version, self._last.head
        """The last entry's, and the hash of its line."""
        self._missing = set(TABLES if self._told else ())
        self._turn = Lock()
        self._database = Database(_Memory())
        with self._database.transaction() as transaction:
            make_tables(transaction)

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        with self._turn:
            if asked := [table for table in self._missing if table.name in sql]:
                with self._database.transaction() as transaction:
                    for table in asked:
                        table.add(transaction, rows_from_nothing(table, self._last, self._told))
                self._missing.difference_update(asked)
            return self._database.query(sql, **parameters)


class Moments:
    """The moments asked about last: whoever looks into the past has several questions about the same one. The longest
    unasked are forgotten first; what is kept is bounded by the entries behind it, but for the last one."""

    def __init__(self, most_entries: int) -> None:
        self._most_entries = most_entries
        self._kept: OrderedDict[tuple[str, int], Known] = OrderedDict()
        self._turn = Lock()

    def get(self, fund: str, version: int) -> Known | None:
        """What was known of a fund at a version, if somebody asked lately."""
        with self._turn:
            if (fund, version) in self._kept:
                self._kept.move_to_end((fund, version))
            return self._kept.get((fund, version))

    def make(self, fund: str, entries: Sequence[Entry]) -> Known:
        """What was known after these entries, the first ones of a fund."""
        version = entries[-1].event.version
        kept = self.get(fund, version)
        moment = kept if kept and kept.head == head_of(entries[-1].line) else Known(entries)
        with self._turn:
            self._kept[fund, version] = moment
            self._kept.move_to_end((fund, version))
            while sum(at for _, at in self._kept) > self._most_entries and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return moment

"""What the read models share: how a table is declared, what a batch does to its rows, and who can ask.

Rows are only ever added, or derived anew for one member or loan as a whole; nothing in a table depends on where one
batch ended and the next began. Days are ISO text; a stretch of time is `[from_day, until_day)`, what had happened by
the end of `from_day` and not yet undone by the end of the day before `until_day`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ledger.chart import Legs
from ledger.database import Row, Transaction
from ledger.events import Event
from ledger.money import half_up

FOREVER = "9999-12-31"
"""`until_day` of what has not ended."""

LAST_DAY = "9999-12-30"
"""The last day one can ask about: all that is recorded has happened by then."""

KEYS_AT_ONCE = 256
"""Pairs of one `IN (VALUES …)`."""


Rows = list[tuple[Any, ...]]
"""Of a table, their values in the order of its columns."""


class LoggedEvent(NamedTuple):
    """An event in its place of a fund's log, its day as the tables have it, what it does to the books, and the hash of
    its line."""

    event: Event
    on: str
    legs: Legs
    head: str = ""


class Reader(Protocol):
    """Anything that answers queries: a database, or a transaction when several answers must agree."""

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        ...


@runtime_checkable
class LooksBack(Protocol):
    """A reader that looks back, and adds up what was held on a day where the legs are."""

    def held_on(self, until: str) -> str:
        """Where the sums are, as SQL after `FROM`, with a condition."""
        ...


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the read model. `indexes` are other ways in, as SQL after `ON table`."""

    name: str
    columns: str
    key: str
    indexes: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.split()[0] for column in self.columns.split(", "))

    @cached_property
    def _types(self) -> tuple[str, ...]:
        return tuple(column.split()[1].lower() for column in self.columns.split(", "))

    @cached_property
    def sql(self) -> tuple[str, ...]:
        """The statements that make it."""
        made = f"CREATE TABLE IF NOT EXISTS {self.name} ({self.columns}, PRIMARY KEY ({self.key}))"
        return (made, *self._index)

    @cached_property
    def in_two_steps(self) -> tuple[str, tuple[str, ...]]:
        """The same on PostgreSQL, first without keys and then with them: filling a table is quicker so."""
        return (
            f"CREATE TABLE {self.name} ({self.columns})",
            (f"ALTER TABLE {self.name} ADD PRIMARY KEY ({self.key})", *self._index),
        )

    @cached_property
    def ways_in(self) -> tuple[str, ...]:
        """The indexes of a table that was made without keys."""
        return (f"CREATE UNIQUE INDEX {self.name}_key ON {self.name} ({self.key})", *self._index)

    @property
    def _index(self) -> tuple[str, ...]:
        return tuple(
            f"CREATE INDEX IF NOT EXISTS {self.name}_index_{number} ON {self.name} {index}"
            for number, index in enumerate(self.indexes, 1)
        )

    def add(self, transaction: Transaction, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows."""
        transaction.insert(self.name, self.names, rows, self._types)


@dataclass(frozen=True, eq=False)
class History:
    """Facts kept for each member or each loan, and the tables derived from all facts of one of them.

    By the type of the event: `facts_of` makes the facts it adds (given its day as text and its legs), `touched` the
    numbers whose derived rows it may change (given whether an earlier entry has a later day). `derive` makes the
    derived rows from all facts in order of version.
    """

    facts: Table
    owner: str
    derived: tuple[Table, ...]
    facts_of: Mapping[type[Event], Callable[[Any, str, Legs], Iterable[tuple[Any, ...]]]]
    touched: Mapping[type[Event], Callable[[Any, bool], Iterable[int]]]
    derive: Callable[[Sequence[Row]], Mapping[Table, Rows]]

    def rows(self, events: Iterable[LoggedEvent]) -> Rows:
        """The facts that events add."""
        return [
            row
            for event, on, legs, _ in events
            if (facts_of := self.facts_of.get(type(event)))
            for row in facts_of(event, on, legs)
        ]

    def derived_rows(
        self, added: Iterable[tuple[Any, ...]], kept: Mapping[int, Sequence[Row]] | None = None
    ) -> dict[Table, Rows]:
        """The derived rows of some members or loans, from the facts kept so far of each and those just added; without
        any kept, of all that are added."""
        new: dict[int, list[Row]] = defaultdict(list)
        for row in added:
            new[row[1]].append(dict(zip(self.facts.names, row, strict=True)))
        derived: dict[Table, Rows] = defaultdict(list)
        for number, facts in (dict.fromkeys(new, ()) if kept is None else kept).items():
            for table, rows in self.derive([*facts, *new[number]]).items():
                derived[table] += rows
        return derived

    def load(self, reader: Reader, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], list[Row]]:
        """The facts kept so far, by fund and number."""
        facts: dict[tuple[str, int], list[Row]] = defaultdict(list)
        wanted = list(keys)
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            chunk = wanted[start : start + KEYS_AT_ONCE]
            # The database prepares each shape of a statement once: filled up to a power of two, shapes are few.
            chunk += chunk[-1:] * ((1 << (len(chunk) - 1).bit_length()) - len(chunk))
            pairs = ", ".join(f"(:f{i}, :n{i})" for i in range(len(chunk)))
            parameters: Row = {}
            for i, (fund, number) in enumerate(chunk):
                parameters |= {f"f{i}": fund, f"n{i}": number}
            sql = f"SELECT * FROM {self.facts.name} WHERE (fund, {self.owner}) IN (VALUES {pairs}) ORDER BY version"
            for row in reader.query(sql, **parameters):
                facts[row["fund"], row[self.owner]].append(row)
        return facts


SumKey = tuple[str, ...]
"""What a sum is of, within a fund."""


@dataclass(frozen=True, eq=False)
class Sums:
    """A table whose last column is a sum for each key of a fund, and by how much events make it grow."""

    table: Table
    of: Callable[[Iterable[LoggedEvent]], Mapping[SumKey, int]]

    @staticmethod
    def rows(by_fund: Mapping[str, Mapping[SumKey, int]]) -> Rows:
        """What the sums grow by, as rows of the table."""
        return [(fund, *key, amount) for fund, grown in by_fund.items() for key, amount in grown.items()]

    def write(self, transaction: Transaction, by_fund: Mapping[str, Mapping[SumKey, int]]) -> None:
        """Add what they grow by to what is there."""
        table, names = self.table, self.table.names
        transaction.execute_many(
            f"INSERT INTO {table.name} VALUES ({', '.join(':' + name for name in names)}) "
            f"ON CONFLICT ({table.key}) DO UPDATE SET {names[-1]} = {table.name}.{names[-1]} + excluded.{names[-1]}",
            [dict(zip(names, row, strict=True)) for row in self.rows(by_fund)],
        )


def until(as_of: date | None) -> str:
    """The last day that counts, as the tables have it; without one, all days."""
    return LAST_DAY if as_of is None else as_of.isoformat()


def percent(numerator: int, denominator: int) -> str | None:
    """A share with one decimal and a point, half up ("33.3"); None of nothing, never 0 (`domain.md` §5)."""
    if not denominator:
        return None
    tenths = half_up(1000 * numerator, denominator)
    return f"{tenths // 10}.{tenths % 10}"

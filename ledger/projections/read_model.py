"""The read model as a whole: follows the log in batches, all tables under one position.

A batch is one transaction, and the first thing it does is to look again where the read model stands, with everybody
else held back: so two processes that follow the same database never apply an event twice, and a process killed
between any two statements has applied the whole batch or nothing of it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from eventsourcing.persistence import OperationalError

from ledger.database import EVENTS_TABLE, NO_LINE, Database, Row, Transaction
from ledger.events import NO_HEAD, head_of
from ledger.projections.batch import (
    ONLY_ADDED_TO,
    TABLES,
    Done,
    LogLine,
    ReadModelBroken,
    from_nothing,
    read,
    rows_of,
    worked_out,
    write,
)
from ledger.projections.funds import Standing, standing_in, standings_asked
from ledger.projections.tables import Reader, Table

__all__ = ["LARGEST_BATCH", "BeingRebuilt", "ReadModel", "ReadModelBroken"]

LARGEST_BATCH = 500
"""While others record: a batch holds the database's write lock."""

CATCHING_UP = 5_000

LAG_COUNTED = 1_000
"""Beyond this nobody needs to know exactly how far behind the read model is."""

Progress = Callable[[int], object]
"""Called with the number of events applied since the last call."""

REBUILDING = "rebuilding "
"""What `head` begins with while the tables are made anew."""

POSITION = Table(
    "read_model",
    columns="id BIGINT NOT NULL, position BIGINT NOT NULL, head TEXT NOT NULL, shape TEXT NOT NULL",
    key="id",
)
"""One row: the position, the hash of the line there, and the shape of the tables."""

SHAPE = hashlib.sha256("\n".join(sql for table in (*TABLES, POSITION) for sql in table.sql).encode()).hexdigest()

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7204116)"
"""PostgreSQL lets two sessions create the same table at once and fails one of them; the number is ours alone."""


class BeingRebuilt(ReadModelBroken):
    """The tables are being made anew; following goes on once they are whole."""


class Unsettled(ReadModelBroken):
    """So much is being recorded that no answer came from one moment of the tables."""


class Whereabouts(NamedTuple):
    """Where the tables stand, and these funds in them, by code. `made` is another number once the tables are made
    anew."""

    position: int
    made: int
    standings: dict[str, Standing]


T = TypeVar("T")

MOST_TRIES = 20
"""How often a question is asked anew because something was committed meanwhile."""

LOCK_PATIENCE_SECONDS = 60.0
"""How long a rebuild on PostgreSQL waits for a moment without readers."""


class ReadModel:
    """The tables of one database, and how they follow its log."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._at = "notification_id" if database.is_postgres else "rowid"
        # Not a join: PostgreSQL, which may know nothing of a table of one row, would go through the whole log for it.
        line = f"SELECT state FROM {EVENTS_TABLE} WHERE {EVENTS_TABLE}.{self._at} = m.position"
        made = "m.tableoid::bigint" if database.is_postgres else "(SELECT schema_version FROM pragma_schema_version)"
        self._where = f"SELECT {{of}}m.position, m.head, {made} AS made, ({line}) AS state FROM read_model m"

    def create_tables(self) -> None:
        """Make the tables if there are none. Raises `ReadModelBroken` for those of another version of this program."""
        # All are made in one transaction, so one tells of all. To make them once more "if they do not exist" would lock
        # each in turn, and a follower that is writing to them in another process could end in a deadlock.
        if not self.database.has(POSITION.name):
            with self._alone() as transaction:
                make_tables(transaction)
        self.check_tables()

    def check_tables(self) -> None:
        """Raise `ReadModelBroken` when there are no tables, or another version of this program made them."""
        if not self.database.has(POSITION.name):
            raise ReadModelBroken("not-made")
        if self.database.query("SELECT shape FROM read_model")[0]["shape"] != SHAPE:
            raise ReadModelBroken("of-another-version")

    # --- asking ---------------------------------------------------------------------------------------------------

    def ask(self, question: Callable[[Reader, int], T]) -> T:
        """Answer a question from one moment of the tables: it is given a reader and the position they are at.

        Nothing is answered that is not the log's at that position. On PostgreSQL each statement sees a moment of its
        own, so what was asked is asked anew if the position has moved meanwhile. Raises `ReadModelBroken` while the
        tables are made anew (`BeingRebuilt`), when the log has lost what they were made from, and `Unsettled`.
        """
        return self._ask(self._where.format(of=""), {}, lambda tables, rows: question(tables, rows[0]["position"]))

    def ask_about(self, codes: Sequence[str], question: Callable[[Reader, Whereabouts], T]) -> T:
        """The same about some funds: the question is told where each of them stands, too, which costs nothing more."""
        sql, parameters = standings_asked(codes)

        def told(tables: Reader, rows: list[Row]) -> T:
            standings = {row["fund"]: standing_in(row) for row in rows if row["fund"]}
            return question(tables, Whereabouts(rows[0]["position"], rows[0]["made"], standings))

        return self._ask(f"{self._where.format(of='f.*, ')} LEFT JOIN ({sql}) f ON 1 = 1", parameters, told)

    def _ask(self, where: str, parameters: Row, question: Callable[[Transaction, list[Row]], T]) -> T:
        for _ in range(MOST_TRIES):
            place = None
            try:
                with self.database.transaction(commit=False) as tables:
                    rows = tables.query(where, **parameters)
                    place, before = _vouched(rows[0]), tables.statements
                    found = question(tables, rows)
                    is_of_one_moment = not self.database.is_postgres or tables.statements == before
                    if is_of_one_moment or self._place(tables) == place:
                        return found
            except Exception:
                # Tables that were made anew in the middle of a question can make it fail in any way.
                if place is None or not self.database.is_postgres or self._place() == place:
                    raise
        raise Unsettled("unsettled")

    @property
    def position(self) -> int:
        """Up to where in the log all tables are; 0 while they are made anew."""
        return int(self.database.query("SELECT position FROM read_model")[0]["position"])

    def advance(self, limit: int = LARGEST_BATCH) -> int:
        """Apply the next batch of the log in one transaction; answers how many events it took, 0 at the end.

        What it comes to is worked out before that transaction begins, and thrown away if somebody else was faster:
        those who record wait for the writing only. Raises `ReadModelBroken` and the event store's `PersistenceError`s.
        """
        while True:
            position, head = self._place()
            ahead = self._read_on(position, head, limit)
            if not ahead:
                return 0
            try:
                with self.database.transaction(commit=False) as reading:
                    done = worked_out(reading, ahead)
            except ReadModelBroken:
                if self._place() == (position, head):
                    raise
                continue
            with self.database.transaction() as transaction:
                if self._held(transaction) != (position, head):
                    continue  # Another process was faster: what it has applied is not ours to apply again.
                write(transaction, done)
                self._move(transaction, ahead[-1].position, head_of(ahead[-1].line))
            return len(ahead)

    def catch_up(self, progress: Progress | None = None) -> int:
        """Advance to the end of the log; answers how many events that took."""
        total = 0
        while applied := self.advance(CATCHING_UP):
            total += applied
            if progress:
                progress(applied)
        return total

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make all tables anew from the log, row for row what following it made; answers how many events there are.

        Fund by fund up to where the log ends now: what a fund comes to needs nothing to be asked, and the next fund is
        worked out while the last one is written. What was recorded meanwhile is then followed.
        """
        mark = f"{REBUILDING}{secrets.token_hex(16)}"
        self._clear(mark)
        end = self.database.query(f"SELECT {self._at} AS id, state FROM {EVENTS_TABLE} ORDER BY 1 DESC LIMIT 1")
        upto = end[0]["id"] if end else 0
        total = 0
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="rebuild") as ahead:
            chunks = self._chunks(upto)
            following = ahead.submit(next, chunks, None)
            while chunk := following.result():
                following = ahead.submit(next, chunks, None)
                events, done = chunk
                with self._marked(mark) as transaction:
                    for table, rows in rows_of(done).items():
                        table.add(transaction, rows)
                total += events
                if progress:
                    progress(events)
        with self._marked(mark) as transaction:
            if self.database.is_postgres:
                _finish_on_postgres(transaction)
            self._move(transaction, upto, head_of(end[0]["state"] or NO_LINE) if end else NO_HEAD)
        return total + self.catch_up(progress)

    def _clear(self, mark: str) -> None:
        """Put empty tables in the place of what is there. From the mark on nobody begins to read; on PostgreSQL those
        who do still read are waited for, and never so long that the server would end their question as a deadlock."""
        with self._alone() as transaction:
            for sql in POSITION.sql:
                transaction.execute(sql)
            transaction.execute("UPDATE read_model SET head = :mark", mark=mark)
        give_up_at = time.monotonic() + LOCK_PATIENCE_SECONDS
        while True:
            try:
                return self._replace(mark)
            except OperationalError:
                if not self.database.is_postgres or time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)

    def _replace(self, mark: str) -> None:
        with self._alone() as transaction:
            if self.database.is_postgres:
                transaction.execute("SET LOCAL lock_timeout = '300ms'")  # Deadlocks are looked for after a second.
            transaction.drop(table.name for table in (*TABLES, POSITION))
            for table in ONLY_ADDED_TO if self.database.is_postgres else ():
                transaction.execute(table.in_two_steps[0])
            make_tables(transaction, keys_come_later=self.database.is_postgres)
            self._move(transaction, 0, mark)

    def _chunks(self, upto: int) -> Iterator[tuple[int, Done]]:
        """The log up to a position, some whole funds at a time: how many events, and what they come to."""
        lines: list[LogLine] = []
        for row in self.database.query(f"SELECT DISTINCT originator_id AS fund FROM {EVENTS_TABLE} ORDER BY 1"):
            lines += self._whole(row["fund"], upto)
            if len(lines) >= CATCHING_UP:
                yield len(lines), from_nothing(lines)
                lines = []
        if lines:
            yield len(lines), from_nothing(lines)

    def _whole(self, fund: str, upto: int) -> list[LogLine]:
        lines = self._lines("originator_id = :fund ORDER BY originator_version", fund=fund)
        # Not a condition of the query: PostgreSQL may then go through the whole log for each fund.
        return [line for line in lines if line.position <= upto]

    def _lines(self, where: str, **parameters: Any) -> list[LogLine]:
        columns = f"{self._at}, originator_id, originator_version, state"
        rows = self.database.values(f"SELECT {columns} FROM {EVENTS_TABLE} WHERE {where}", **parameters)
        return [read(*row) for row in rows]

    @contextmanager
    def _marked(self, mark: str) -> Iterator[Transaction]:
        """A transaction of the rebuild that left this mark. Raises `ReadModelBroken` once another one has begun."""
        with self.database.transaction() as transaction:
            if self._held(transaction) != (0, mark):
                raise ReadModelBroken("another-rebuild")
            yield transaction

    @staticmethod
    def _move(transaction: Transaction, position: int, head: str) -> None:
        transaction.execute("UPDATE read_model SET position = :position, head = :head", position=position, head=head)

    def lag(self) -> int:
        """How many events of the log are not in the tables yet, counted up to `LAG_COUNTED`; 0 means up to date."""
        ahead = f"SELECT 1 FROM {EVENTS_TABLE} WHERE {self._at} > :position LIMIT :most"
        counted = self.database.query(
            f"SELECT COUNT(*) AS lag FROM ({ahead}) ahead", position=self.position, most=LAG_COUNTED
        )
        return int(counted[0]["lag"])

    def parked(self, reader: Reader | None = None) -> list[dict[str, Any]]:
        """The funds that cannot be projected further: `{fund, version, position, why}`, `why` being an exception's
        name."""
        return (reader or self.database).query("SELECT * FROM parked ORDER BY fund")

    def _place(self, reader: Reader | None = None) -> tuple[int, str]:
        """Where the read model stands. Raises `BeingRebuilt`."""
        return _settled((reader or self.database).query("SELECT position, head FROM read_model")[0])

    def _held(self, transaction: Transaction) -> tuple[int, str]:
        """Where the read model stands, with every other process held back: SQLite by the transaction itself."""
        locked = " FOR UPDATE" if self.database.is_postgres else ""
        row = transaction.query(f"SELECT position, head FROM read_model{locked}")[0]
        return row["position"], row["head"]

    def _read_on(self, position: int, head: str, limit: int) -> Sequence[LogLine]:
        """The log after a position. Raises `ReadModelBroken` when the log at the position is not what was applied:
        a tail was deleted, and SQLite gives its row ids away again."""
        # The lines from the last one applied on; nothing lies at position 0.
        found = self._lines(f"{self._at} >= :position ORDER BY 1 LIMIT :limit", position=position, limit=limit + 1)
        if not position:
            return found[:limit]
        last, *ahead = found or (None,)
        if last is None or last.position != position or head_of(last.line) != head:
            raise _lost(position)
        return ahead

    @contextmanager
    def _alone(self) -> Iterator[Transaction]:
        with self.database.transaction() as transaction:
            if self.database.is_postgres:
                transaction.query(ONE_AT_A_TIME)
            yield transaction


def _settled(row: Row) -> tuple[int, str]:
    """Position and head of a read model that is whole. Raises `BeingRebuilt`."""
    if row["head"].startswith(REBUILDING):
        raise BeingRebuilt("being-rebuilt")
    return row["position"], row["head"]


def _vouched(row: Row) -> tuple[int, str]:
    """Where the read model stands, if the log still has the line there. Raises `ReadModelBroken`."""
    place = _settled(row)
    if place[0] and head_of(row["state"] or NO_LINE) != place[1]:
        raise _lost(place[0])
    return place


def _lost(position: int) -> ReadModelBroken:
    return ReadModelBroken("line-lost", position=position)


def _finish_on_postgres(transaction: Transaction) -> None:
    """Give the filled tables their keys, and the planner an idea of them before anybody asks."""
    for table in ONLY_ADDED_TO:
        for sql in table.in_two_steps[1]:
            transaction.execute(sql)
    # A rough idea: the usual sample would take a fifth of a province's rebuild. Autovacuum takes one later.
    transaction.execute("SET LOCAL default_statistics_target = 10")
    for table in TABLES:
        transaction.execute(f"ANALYZE {table.name}")


def make_tables(transaction: Transaction, *, keys_come_later: bool = False) -> None:
    """Make what tables are missing, and the position's one row."""
    for table in (*TABLES, POSITION):
        for sql in () if keys_come_later and table in ONLY_ADDED_TO else table.sql:
            transaction.execute(sql)
    transaction.execute(
        "INSERT INTO read_model VALUES (1, 0, :head, :shape) ON CONFLICT DO NOTHING", head=NO_HEAD, shape=SHAPE
    )

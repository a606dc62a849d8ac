"""A PostgreSQL database that tests have one after another, as the program leaves a new one: tables, and nothing told.

To make all tables and drop them again is a quarter of a second of work for the server, more than most tests give it: so
what a test has told is deleted, and only where it changed more than rows all is made anew.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from ledger.application import Ledger
from ledger.projections.read_model import ReadModel

MANY_ROWS = 2_000
"""That many deleted ones would be in the way of those who come after."""

END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
SHAPE = """
SELECT oid, relname, relnatts, relchecks, relhastriggers FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT oid, proname, 0, 0, false FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1
"""
SEQUENCES_FROM_ONE = """
SELECT setval(oid::regclass, 1, false) FROM pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""

Connection = psycopg.Connection[tuple[object, ...]]


class Prepared:
    """One database; whoever uses it must `clear` it, and finds it as it was."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._shape: list[tuple[object, ...]] = []
        self._tables: list[sql.Identifier] = []
        self._rows: list[sql.Composed] = []
        self.make()

    def make(self) -> None:
        """Make all of it anew."""
        self.strip()
        ledger = Ledger(self.url)
        ReadModel(ledger.database).create_tables()
        ledger.close()
        with self._connected() as database:
            self._shape = database.execute(SHAPE).fetchall()
            named = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            self._tables = [sql.Identifier(str(name)) for (name,) in named]
            self._rows = [insertion for table in self._tables for insertion in _insertions(database, table)]

    def strip(self) -> None:
        """Leave a database without any table."""
        with self._connected() as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")

    def clear(self) -> None:
        """Undo whatever was done; who is still connected is thrown out."""
        with self._connected() as database:
            database.execute(END_SESSIONS)
            database.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(database.info.dbname)))
        with self._connected() as database:
            has_only_rows = database.execute(SHAPE).fetchall() == self._shape
            if has_only_rows:
                self._forget_rows(database)
        if not has_only_rows:
            self.make()

    def _forget_rows(self, database: Connection) -> None:
        with database.transaction():
            for table in self._tables:
                if database.execute(sql.SQL("DELETE FROM {}").format(table)).rowcount > MANY_ROWS:
                    database.execute(sql.SQL("TRUNCATE {}").format(table))
            for insertion in self._rows:
                database.execute(insertion)
            database.execute(SEQUENCES_FROM_ONE)

    def _connected(self) -> Connection:
        return psycopg.connect(self.url, autocommit=True)


def _insertions(database: Connection, table: sql.Identifier) -> list[sql.Composed]:
    """What puts a table's rows there again."""
    rows = database.execute(sql.SQL("SELECT * FROM {}").format(table)).fetchall()
    values = (sql.SQL(", ").join(map(sql.Literal, row)) for row in rows)
    return [sql.SQL("INSERT INTO {} VALUES ({})").format(table, each) for each in values]

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
    """One database; whoever uses it must `clear` it, and finds it as it was.

    Its own session is kept: a new one would have to learn all about the tables again, which costs more than the rest.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._own: Connection | None = None
        self._shape: list[tuple[object, ...]] = []
        self._tables: list[sql.Identifier] = []
        self._deletions = self._insertions = ""
        self.make()

    def make(self) -> None:
        """Make all of it anew."""
        self.strip()
        ledger = Ledger(self.url)
        ReadModel(ledger.database).create_tables()
        ledger.close()
        self._shape = self._session.execute(SHAPE).fetchall()
        named = self._session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._tables = [sql.Identifier(str(name)) for (name,) in named]
        deletions = [sql.SQL("DELETE FROM {}").format(table) for table in self._tables]
        insertions = [insertion for table in self._tables for insertion in _insertions(self._session, table)]
        self._deletions = sql.SQL("; ").join(deletions).as_string(self._session)
        self._insertions = sql.SQL("; ").join([*insertions, sql.SQL(SEQUENCES_FROM_ONE)]).as_string(self._session)

    def strip(self) -> None:
        """Leave a database without any table."""
        self._session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def clear(self) -> None:
        """Undo whatever was done; who is still connected is thrown out."""
        try:
            self._clear()
        except psycopg.OperationalError:  # The test threw everybody out, this session as well.
            self.close()
            self._clear()

    def close(self) -> None:
        """End the session."""
        if self._own:
            self._own.close()
            self._own = None

    @property
    def _session(self) -> Connection:
        if self._own is None:
            self._own = psycopg.connect(self.url, autocommit=True)
        return self._own

    def _clear(self) -> None:
        self._session.execute(END_SESSIONS)
        named = sql.Identifier(self._session.info.dbname)
        self._session.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(named))
        if self._session.execute(SHAPE).fetchall() == self._shape:
            self._forget_rows()
        else:
            self.make()

    def _forget_rows(self) -> None:
        with self._session.transaction(), self._session.cursor() as cursor:
            cursor.execute(self._deletions.encode())
            many = []
            for table in self._tables:
                if cursor.rowcount > MANY_ROWS:
                    many.append(table)
                cursor.nextset()
            for table in many:
                cursor.execute(sql.SQL("TRUNCATE {}").format(table))
            cursor.execute(self._insertions.encode())


def _insertions(database: Connection, table: sql.Identifier) -> list[sql.Composed]:
    """What puts a table's rows there again."""
    rows = database.execute(sql.SQL("SELECT * FROM {}").format(table)).fetchall()
    values = (sql.SQL(", ").join(map(sql.Literal, row)) for row in rows)
    return [sql.SQL("INSERT INTO {} VALUES ({})").format(table, each) for each in values]

"""Sessions of PostgreSQL that never wait without end, and never take a warning for an acknowledgement.

The event store library's pool and datastore, with three things added. An answer that does not come in time is given up
by closing the session: cancelling would be worse, because a COMMIT that is cancelled while it waits for a synchronous
standby says "done", with only a warning, and is lost with the server. A commit that comes with a warning is therefore
no commit. And what may be dead is found out before it is used: a session the server has ended, or all sessions of a
server that only reads, that gives no answer, or that another one has replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from select import POLLIN, poll
from typing import Any

import psycopg
from eventsourcing.persistence import InternalError, OperationalError
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import Diagnostic, ReadOnlySqlTransaction
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier
from typing_extensions import TypeVar

from ledger.database import UnsafeStorage
from ledger.storage.postgres_timelines import Replaced, Timelines

RV = TypeVar("RV")

ANSWER_SECONDS: float = 4
"""How long a statement of the log may take, and how long one may wait for a session: twice, and a half try between,
stays below the ten seconds after which nobody waits any more."""

LIMITS = {
    "connect_timeout": "4",
    "tcp_user_timeout": "8000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "client_encoding": "UTF8",
}
"""How a session is made unless the URL says otherwise: a line that is cut without a word is noticed within ten seconds
(milliseconds in one of these, seconds in the others)."""

SEVERAL = {"target_session_attrs": "read-write", "load_balance_hosts": "random"}
"""Of several servers the one that writes, asked for in any order: an old one that does not answer, or does not know
that it was replaced, is not asked first each time."""

NAMED = {"host": "127.0.0.1", "port": "5432", "dbname": "postgres", "user": "postgres", "password": ""}
"""What a URL that does not say so means; nothing is taken from the environment of the process."""

OLDEST = 14
"""The first version of PostgreSQL that takes a text apart into rows, as the log's statements have it do."""

FEWEST, MOST = 5, 15
"""Sessions of one process."""


def parameters(database_url: str) -> dict[str, str]:
    """All of a URL counts, and our limits where it says nothing; of several servers, the one that writes."""
    said = {name: str(value) for name, value in conninfo_to_dict(database_url).items()}
    several = SEVERAL if "," in said.get("host", "") else {}
    return NAMED | LIMITS | several | said


class ReadOnlyDatabase(OperationalError):
    """The server only reads, as a standby does, or a primary that was put aside: another one may have taken over."""


TRIES = 8
"""How often a session is made anew when it led to a server that was replaced."""


class Session(Connection[DictRow]):
    """A connection that is closed when an answer does not come, or when a commit is answered with a warning."""

    answer_seconds = ANSWER_SECONDS
    """How long each statement may take; whoever uses the session may allow more."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.was_given_up = False
        self._warnings: list[str] = []
        self.add_notice_handler(_warnings_into(self._warnings))

    @classmethod
    def connect(  # type: ignore[override]  # psycopg names each of its words, and knows none of ours.
        cls, conninfo: str = "", *, timelines: Timelines | None = None, **named: Any
    ) -> Session:
        """A session with a server that was not replaced. Raises `psycopg.OperationalError`."""
        for left in reversed(range(TRIES)):
            session = super().connect(conninfo, **named)
            if timelines is None:
                return session
            try:
                session.autocommit = True
                timelines.judge(session)
            except BaseException as error:
                session.close()
                if not (isinstance(error, Replaced) and left):
                    raise
            else:
                return session
        raise AssertionError("the last try returns or raises")

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the answer to a statement. Raises `psycopg.OperationalError` if it does not come in time, or if what
        it committed may not last: in both cases nobody knows what became of it."""
        self._warnings.clear()
        try:
            answer = super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.was_given_up = True
                self.pgconn.finish()
            raise
        if self._warnings and self.pgconn.transaction_status == TransactionStatus.IDLE:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"a commit was answered with a warning: {self._warnings[0]}")
        return answer

    def was_ended(self) -> bool:
        """Whether the server has ended the session meanwhile, as far as is seen without asking it: a server says
        nothing of its own accord to a session that is idle, except when it ends it."""
        if self.closed:
            return True
        line = poll()
        line.register(self.pgconn.socket, POLLIN)
        return bool(line.poll(0))


def _warnings_into(heard: list[str]) -> Callable[[Diagnostic], None]:
    def hear(notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            heard.append(f"{notice.sqlstate} {notice.message_primary}")

    return hear


class SessionPool(ConnectionPool[Session]):
    """Hands out living sessions only: after the server was started anew, the first statement is answered."""

    def getconn(self, timeout: float | None = None) -> Session:
        """A session that is not known to be dead. Raises `PoolTimeout`."""
        while True:
            session = super().getconn(timeout)
            if not session.was_ended():
                return session
            with suppress(psycopg.Error):
                session.close()
            self.putconn(session)  # Which makes a new one in its place.


class SessionDatastore(PostgresDatastore):
    """The library's datastore with our sessions. `settings` is what each session begins with, as SQL: a pooler between
    us and the server may take no settings with the connection."""

    def __init__(self, database_url: str, settings: str) -> None:
        self._parameters: dict[str, Any] = {
            **parameters(database_url),
            "row_factory": dict_row,
            "timelines": Timelines(promoted=self.replace_sessions),
        }
        self._settings = settings
        super().__init__("", "", "", "", "", originator_id_type="text", idle_in_transaction_session_timeout=5)
        self.pool = SessionPool(  # type: ignore[assignment]  # A connection like the library's, with more to it.
            connection_class=Session,
            kwargs=self._parameters,
            min_size=FEWEST,
            max_size=MOST,
            open=False,
            configure=self.after_connect_func(),
            timeout=ANSWER_SECONDS,
            # A server that comes back is not left waiting for its next turn, which would come later each time.
            reconnect_timeout=ANSWER_SECONDS,
        )

    def after_connect_func(self) -> Callable[[Connection[Any]], None]:
        """What is done to each new session."""
        begin = f"SET idle_in_transaction_session_timeout = '5s'; {self._settings}".encode()

        def after_connect(session: Connection[Any]) -> None:
            session.autocommit = True
            session.execute(begin)

        return after_connect

    @contextmanager
    def get_connection(self) -> Iterator[Session]:
        """A session from the pool, of which the usual patience is expected. Raises the event store's
        `PersistenceError`s, among them `ReadOnlyDatabase`: then no session to that server is kept."""
        try:
            with super().get_connection() as session:
                assert isinstance(session, Session)
                session.answer_seconds = ANSWER_SECONDS
                try:
                    yield session
                finally:
                    if session.was_given_up:  # The server may have been replaced, and never answer any of them.
                        self.replace_sessions()
        except InternalError as error:
            if not isinstance(error.__cause__, ReadOnlySqlTransaction):
                raise
            self.replace_sessions()
            raise ReadOnlyDatabase(str(error)) from error

    def reach(self) -> None:
        """Make a session, and end it. Raises `OperationalError` with what is in the way: the pool, which tries again
        and again, would only say that there is none."""
        try:
            Session.connect(**self._parameters).close()
        except psycopg.OperationalError as error:
            raise OperationalError(str(error)) from error

    def replace_sessions(self) -> None:
        """Let no session be used again: each would go on to say what this server said when it was made."""
        self.pool.drain()

    def is_read_only(self) -> bool:
        """Whether the server only reads. If a session says so, none is kept: it may say so of the past."""
        with self.get_connection() as session:
            answer = _shown(session, "transaction_read_only") == "on"
        if answer:
            self.replace_sessions()
        return answer


# --- what is refused at start -----------------------------------------------------------------------------------------


def refuse_unsafe(datastore: SessionDatastore) -> None:
    """Raises `UnsafeStorage` for a server that may lose what it acknowledged, a database that cannot hold every name,
    and a pooler that gives each transaction another session."""
    datastore.reach()
    with datastore.get_connection() as session:
        if (version := session.info.server_version // 10_000) < OLDEST:
            raise UnsafeStorage("postgres-too-old", version=version, oldest=OLDEST)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if _shown(session, setting) == "off":
                raise UnsafeStorage("postgres-may-lose", setting=setting)
        for setting in ("server_encoding", "client_encoding"):
            if (encoding := _shown(session, setting)) != "UTF8":
                raise UnsafeStorage("postgres-encoding", setting=setting, encoding=encoding)
        _refuse_shared_sessions(datastore, session)


def _shown(session: Session, setting: str) -> str:
    row = session.execute(SQL("SHOW {0}").format(Identifier(setting))).fetchone()
    assert row
    return str(row[setting])


def _refuse_shared_sessions(datastore: SessionDatastore, session: Session) -> None:
    """Two connections that are both open have a server process each, unless a pooler lends them out by transaction or
    by statement: it then lends the one that was given back last."""
    for _ in range(3):
        with datastore.get_connection() as other:
            if _server_process(session) == _server_process(other):
                raise UnsafeStorage("postgres-pooler")


def _server_process(session: Session) -> int:
    row = session.execute("SELECT pg_backend_pid() AS process").fetchone()
    assert row
    return int(row["process"])

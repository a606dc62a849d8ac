"""What tests of the log share: a village fund and its jobs, the programs they run as processes of their own, and a
line to PostgreSQL that can be cut.

Run as `python -m tests.processes ROLE …` it is such a program: it records in one process what others record at the
same time, and writes down each acknowledgement, synced, before it goes on.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
from eventsourcing.persistence import Notification

from ledger import application
from ledger.aggregates.fund import Fund, Stamp
from ledger.application import Job, Ledger, Outcome, Recorded
from ledger.chart import Pot
from ledger.events import Bylaws, Request
from ledger.register import Text

FUND = "LS-BACSON-01"
OPENED_ON = date(2016, 3, 1)
DAY = date(2024, 1, 5)
NOW = datetime(2026, 6, 6, 3, 0, tzinfo=UTC)
IS_LONG = os.environ.get("MICROFUND_LONG") == "1"
"""Whether the runs take minutes instead of seconds."""

BYLAWS = Bylaws(
    monthly_rate_ppm=10_000,
    interest_method="reducing",
    repayment_mode="equal_principal",
    max_principal=10_000_000,
    max_term_months=24,
    min_membership_months=0,
    one_open_loan_per_household=False,
    interest_to_activity_ppm=300_000,
    monthly_dues=10_000,
    meeting_day=5,
    two_person_approval=False,
)

Decision = Callable[[Fund, Stamp], object]


# --- jobs -------------------------------------------------------------------------------------------------------------


def job(
    key: str,
    decide: Decision,
    *,
    fund: str = FUND,
    on: date = DAY,
    body: str = "",
    texts: dict[str, Text] | None = None,
    **options: Any,
) -> Job:
    """A request with a key and a body, as the service would hand it over; `options` are the job's own."""
    request = Request(key, f"digest of {body}")
    digests = {kind: text.digest for kind, text in (texts or {}).items()}
    stamp = Stamp(on=on, recorded_at=NOW, recorded_by="treasurer-1", request=request, texts=digests or None)
    rows = tuple((texts or {}).values())
    return Job(fund=fund, decide=lambda fund: decide(fund, stamp), request=request, texts=rows, **options)


def opening(fund: str = FUND, *, key: str = "opening-0001") -> Job:
    """The opening of a fund."""
    club = {"club": "CLB Bắc Sơn", "commune": "Bắc Sơn", "district": "Bắc Sơn", "province": "Lạng Sơn"}
    return job(
        key,
        lambda f, stamp: f.open(stamp, bylaws=BYLAWS, founded_on=OPENED_ON, **club),
        fund=fund,
        on=OPENED_ON,
        opens=True,
    )


def gift(key: str, amount: int = 1, **options: Any) -> Job:
    """Cash for the activity pot: never refused."""
    return job(
        key,
        lambda f, stamp: f.receive_donation(stamp, source="community", pot="activity", amount=amount),
        body=f"gift {amount}",
        **options,
    )


def capital(key: str, amount: int, **options: Any) -> Job:
    """Cash for the revolving pot."""
    return job(
        key,
        lambda f, stamp: f.receive_donation(stamp, source="benefactor", pot="revolving", amount=amount),
        **options,
    )


def expense(key: str, amount: int, **options: Any) -> Job:
    """Cash from the activity pot: refused when it is not there."""
    return job(
        key,
        lambda f, stamp: f.pay_expense(stamp, activity="health", amount=amount),
        body=f"expense {amount}",
        **options,
    )


def joining(key: str, **options: Any) -> Job:
    """A new member."""
    return job(
        key, lambda f, stamp: f.join(stamp, sex="female", birth_year=1952, poverty="none", household=None), **options
    )


def lending(key: str, amount: int, **options: Any) -> Job:
    """A whole loan in one act: asked for, granted and handed out, or none of it."""

    def lend(fund: Fund, stamp: Stamp) -> None:
        asked = fund.request_loan(stamp, member=1, principal=amount, term_months=12, purpose="livestock")
        fund.approve_loan(stamp, asked.loan)
        fund.disburse_loan(stamp, asked.loan)

    return job(key, lend, body=f"loan {amount}", several=True, **options)


def recorded(outcome: Outcome) -> Recorded:
    """An outcome that must not be a refusal."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def stored(ledger: Ledger, fund: str = FUND) -> list[bytes]:
    """A fund's lines as they are stored."""
    return [entry.line for entry in ledger.entries(fund)]


def cash(fund: Fund, pot: Pot = "activity") -> int:
    """What lies in a pot's cash box."""
    return fund.balances[pot, "cash", None]


@contextmanager
def opened(url: str, **settings: Any) -> Iterator[Ledger]:
    """A ledger, closed at the end."""
    ledger = Ledger(url, **settings)
    try:
        yield ledger
    finally:
        ledger.close()


# --- programs ---------------------------------------------------------------------------------------------------------


class Forgetful(Ledger):
    """The control that must record twice: it does not look a request's key up."""

    def _decide_on(self, fund: Fund, job: Job, batch: Any) -> Recorded:
        fund.requests.clear()
        return super()._decide_on(fund, job, batch)


class Unguarded(Ledger):
    """The control that must overdraw: it judges by what this process remembers and has done itself, then writes on
    top of whatever the log holds by then."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._memory = self.replayed(FUND)

    def _decide_on(self, fund: Fund, job: Job, batch: Any) -> Recorded:
        assert job.request
        if job.request.key not in self._memory.requests:
            job.decide(self._memory)
        now = self.replayed(job.fund)
        now._refuse_below_zero = lambda *_: None  # type: ignore[method-assign]
        first = now.version + 1
        job.decide(now)
        batch.add(now, job)
        return batch.answer(now, job, first, now.version)


LEDGERS = {"Ledger": Ledger, "Forgetful": Forgetful, "Unguarded": Unguarded}


def start(role: str, *arguments: object) -> subprocess.Popen[str]:
    """A program of this module in a process of its own; it begins when a line is written to it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.processes", role, *map(str, arguments)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(programs: Sequence[subprocess.Popen[str]]) -> list[list[Any]]:
    """Let programs begin at the same moment; answers what each of them reported, line by line."""
    for program in programs:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    reports = []
    for program in programs:
        out, _ = program.communicate()
        assert program.returncode == 0
        reports.append([json.loads(line) for line in out.splitlines()])
    return reports


def _report(row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def _begin() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    assert sys.stdin.readline() == "go\n"


def _outcome(outcome: Outcome) -> list[Any]:
    if isinstance(outcome, Recorded):
        return ["replayed" if outcome.replayed else "recorded", outcome.version, outcome.position]
    return [type(outcome).__name__, None, None]


def record_each(url: str, act: str, name: str, times: str, amount: str, kind: str = "Ledger", fund: str = FUND) -> None:
    """Record a number of acts one by one, each under a key of its own; or, named `same`, all under one key."""
    make = {"gift": gift, "expense": expense, "lending": lending}[act]
    ledger = LEDGERS[kind](url)
    _begin()
    for number in range(int(times)):
        key = "same-key-0001" if name == "same" else f"{name}-{number:06d}"
        (outcome,) = ledger.record([make(key, int(amount), fund=fund)])
        _report(_outcome(outcome))
    ledger.close()


def found(url: str) -> None:
    """Open the database for the first time; reports a secret that all must share."""
    _begin()
    ledger = Ledger(url)
    _report(ledger.request_secret.hex())
    ledger.close()


def follow(url: str, expected: str) -> None:
    """Pull the log by position, as a read model does, until it holds as many entries as expected and no more come;
    reports each one's place."""
    ledger = Ledger(url)
    _begin()
    position, is_complete = 0, False
    rows: Sequence[Notification] = ()
    while rows or not is_complete:
        (held,) = ledger.database.query("SELECT COUNT(*) AS entries FROM stored_events")
        is_complete = held["entries"] == int(expected)
        rows = ledger.recorder.select_notifications(position, 7, inclusive_of_start=False)
        for row in rows:
            _report([row.id, row.originator_id, row.originator_version])
            position = row.id
    ledger.close()


def acknowledge(url: str, journal: str, name: str) -> None:
    """Record in batches without end, and write each acknowledgement to a journal, synced, before going on."""
    ledger = Ledger(url)
    _begin()
    with Path(journal).open("a") as lines:
        for number in range(1_000_000):
            keys = [f"{name}-{number:06d}-{place}" for place in range(5)]
            for key, outcome in zip(keys, ledger.record([gift(key) for key in keys]), strict=True):
                lines.write(f"{key} {recorded(outcome).version}\n")
            lines.flush()
            os.fsync(lines.fileno())
            _report(number)


# --- a line to PostgreSQL that can be cut -----------------------------------------------------------------------------


OF_A_LINE = (b'"recorded_by":', b'"recorded_by":'.hex().encode())
"""What a message to PostgreSQL has in it that stores a line: entries are stored and committed by one message."""


class CutLine:
    """Forwards connections to PostgreSQL over a Unix socket, and cuts them when told."""

    def __init__(self, url: str, directory: Path) -> None:
        parts = urlsplit(url)
        host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
        port = parts.port or 5432
        self._server: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        login = parts.netloc.rpartition("@")[0] or "postgres"
        self.url = f"postgresql://{login}@{parts.path}?host={quote(str(directory), safe='')}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        self._cut: str | None = None
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._is_down = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at_commit(self, when: str) -> None:
        """Cut the connection that commits next: `before` the server hears of it, or `after`, before its answer."""
        self._cut = when

    def go_down(self) -> None:
        """Cut every connection and refuse new ones."""
        self._is_down = True
        _shut(*self._ends)

    def come_back(self) -> None:
        """Let new connections through again."""
        self._is_down = False

    def close(self) -> None:
        """Stop listening and cut what is left."""
        _shut(self._listener, *self._ends)
        for end in (self._listener, *self._ends):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_down:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
                server.connect(self._server)
                self._ends += (client, server)
                is_silent = threading.Event()
                threading.Thread(target=self._ask, args=(client, server, is_silent), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server, is_silent), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, is_silent: threading.Event) -> None:
        with suppress(OSError):
            while piece := client.recv(1 << 16):
                cut = self._cut_for(piece)
                if cut == "before":
                    break
                if cut == "after":
                    is_silent.set()
                server.sendall(piece)
        if not is_silent.is_set():
            _shut(client, server)

    def _cut_for(self, piece: bytes) -> str | None:
        with self._lock:
            if self._cut is None or not any(mark in piece for mark in OF_A_LINE):
                return None
            cut, self._cut = self._cut, None
            self.cuts += 1
            return cut

    @staticmethod
    def _answer(client: socket.socket, server: socket.socket, is_silent: threading.Event) -> None:
        with suppress(OSError):
            while (piece := server.recv(1 << 16)) and not is_silent.is_set():
                client.sendall(piece)
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def set_for_database(url: str, setting: str) -> None:
    """Give a PostgreSQL database a setting that holds for every new connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting}")


if __name__ == "__main__":
    application.PATIENCE_SECONDS = 60.0  # Many processes at one lock: this is about who wins, not about how soon.
    roles: dict[str, Callable[..., None]] = {
        "acknowledge": acknowledge,
        "follow": follow,
        "found": found,
        "record": record_each,
    }
    roles[sys.argv[1]](*sys.argv[2:])

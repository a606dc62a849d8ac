"""Programs that tests run in processes of their own: each records what others record at the same time, or writes down
each acknowledgement, synced, before it goes on.

They are forked from a server that has imported what all of them need, so that to start one takes milliseconds.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple

from eventsourcing.persistence import Notification

from ledger import application
from ledger.aggregates.log import Log
from ledger.application import Ledger
from ledger.database import Transaction
from ledger.jobs import Job, Outcome, Recorded
from ledger.kept_states import KEEP
from service.operations.upgrading import bring_up
from tests.support.jobs import FUND, expense, gift, opened, recorded
from tests.support.keys import key_for

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "tests.support.microfund", "tests.support.servers"])


class Program(NamedTuple):
    """A process of its own and the line to it; it waits to be told that it may begin."""

    process: ForkServerProcess
    line: Connection

    def reports(self) -> list[Any]:
        """All that it reported until its end, which must be a good one."""
        said = []
        with suppress(EOFError):
            while True:
                said.append(self.line.recv())
        self.process.join()
        assert self.process.exitcode == 0
        return said

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.line.close()


def start(program: Callable[..., None], *arguments: object, **options: object) -> Program:
    """Run a function of a module that tests share, in a process of its own; it is given its end of the line first."""
    ours, its = FORKS.Pipe()
    process = FORKS.Process(target=_run, args=(program, its, *arguments), kwargs=options, daemon=True)
    process.start()
    its.close()
    return Program(process, ours)


def _run(program: Callable[..., None], *arguments: object, **options: object) -> None:
    application.PATIENCE_SECONDS = 60.0  # Many processes at one lock: this is about who wins, not about how soon.
    program(*arguments, **options)


def together(programs: Sequence[Program]) -> list[list[Any]]:
    """Let programs begin at the same moment; answers what each of them reported."""
    let_begin(programs)
    return [program.reports() for program in programs]


def let_begin(programs: Sequence[Program]) -> None:
    """Tell programs that they may begin, once all are ready."""
    for program in programs:
        assert program.line.recv() == "ready"
    for program in programs:
        program.line.send("go")


def wait_to_begin(line: Connection) -> None:
    """Say that a program is ready, and wait for the others."""
    line.send("ready")
    assert line.recv() == "go"


# --- ledgers without a guard ------------------------------------------------------------------------------------------


class Forgetful(Ledger):
    """The control that must record twice: it does not look a request's key up."""

    def _decide_on(self, fund: Log, job: Job, batch: Any) -> Recorded:
        fund.requests.clear()
        return super()._decide_on(fund, job, batch)


class Unguarded(Ledger):
    """The control that must overdraw: it judges by what this process remembers and has done itself, then writes on
    top of whatever the log holds by then."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._memory = self.replayed(FUND)

    def _decide_on(self, fund: Log, job: Job, batch: Any) -> Recorded:
        assert job.request
        if job.request.key not in self._memory.requests:
            job.decide(self._memory)
        now = self.replayed(job.fund)
        now._refuse_below_zero = lambda *_: None  # type: ignore[method-assign]
        first = now.version + 1
        job.decide(now)
        batch.add(now, job)
        return batch.note(now, job, first, now.version)


# --- programs ---------------------------------------------------------------------------------------------------------


def _outcome(outcome: Outcome) -> tuple[str, int | None, int | None]:
    if isinstance(outcome, Recorded):
        return "replayed" if outcome.replayed else "recorded", outcome.version, outcome.position
    return type(outcome).__name__, None, None


def record_each(
    line: Connection,
    url: str,
    act: Callable[..., Job],
    name: str,
    times: int,
    amount: int,
    *,
    kind: type[Ledger] = Ledger,
    fund: str = FUND,
) -> None:
    """Record a number of acts one by one, each under a key of its own; or, named `same`, all under one key."""
    ledger = kind(url)
    wait_to_begin(line)
    for number in range(times):
        key = "same-key-0001" if name == "same" else f"{name}-{number:06d}"
        (outcome,) = ledger.record([act(key, amount, fund=fund)])
        line.send(_outcome(outcome))
    ledger.close()


def record_at_random(line: Connection, url: str, seed: int, funds: Sequence[str], batches: int) -> None:
    """Record batches of gifts and expenses on any of the funds, under keys that others draw, too; reports each key with
    what became of it."""
    ledger, draw = Ledger(url), random.Random(seed)
    wait_to_begin(line)
    for _ in range(batches):
        jobs = []
        for number in (draw.randrange(10 * batches) for _ in range(draw.randrange(1, 9))):
            fund = funds[number % len(funds)]
            act, amount = (expense, 7) if number // len(funds) % 2 else (gift, 5)
            jobs.append(act(f"drawn-{number:06d}", amount, fund=fund))
        for job, outcome in zip(jobs, ledger.record(jobs), strict=True):
            assert job.request
            line.send((job.fund, job.request.key, *_outcome(outcome)[:2]))
        ledger.keep_state()
    ledger.close()


def found(line: Connection, url: str) -> None:
    """Open the database for the first time; reports a secret that all must share."""
    wait_to_begin(line)
    ledger = Ledger(url, register_key=key_for(url))
    line.send(ledger.request_secret.hex())
    ledger.close()


def follow(line: Connection, url: str, expected: int) -> None:
    """Pull the log by position, as a read model does, until it holds as many entries as expected and no more come;
    reports each one's place."""
    ledger = Ledger(url, register_key=key_for(url))
    wait_to_begin(line)
    position, is_complete = 0, False
    rows: Sequence[Notification] = ()
    while rows or not is_complete:
        (held,) = ledger.database.query("SELECT COUNT(*) AS entries FROM stored_events")
        is_complete = held["entries"] == expected
        rows = ledger.recorder.select_notifications(position, 7, inclusive_of_start=False)
        for row in rows:
            line.send((row.id, row.originator_id, row.originator_version))
            position = row.id
    ledger.close()


def acknowledge(line: Connection, url: str, journal: Path, name: str) -> None:
    """Record in batches without end, and write each acknowledgement to a journal, synced, before going on."""
    ledger = Ledger(url, register_key=key_for(url))
    wait_to_begin(line)
    with journal.open("a") as lines:
        for number in range(1_000_000):
            keys = [f"{name}-{number:06d}-{place}" for place in range(5)]
            for key, outcome in zip(keys, ledger.record([gift(key) for key in keys]), strict=True):
                lines.write(f"{key} {recorded(outcome).version}\n")
            lines.flush()
            os.fsync(lines.fileno())
            line.send(number)


def bring_up_to_date(line: Connection, url: str) -> None:
    """Do what `microfund upgrade` does, and say so after each transaction."""
    wait_to_begin(line)
    ledger = Ledger(url, "write", register_key=key_for(url))
    line.send("opened")
    bring_up(ledger, line.send)
    ledger.close()


def die_while_keeping(line: Connection, database_url: str, when: str, since: int, upto: int) -> None:
    """Record gifts, and be killed when a state is to be kept: before it is, within its transaction, or right after."""
    with opened(database_url) as ledger:
        ledger.kept_states.every = 10
        execute = Transaction.execute

        def killed(transaction: Transaction, sql: str, **parameters: Any) -> int:
            if when == "within":
                execute(transaction, sql, **parameters)
            if when != "after" and sql == KEEP:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(transaction, sql, **parameters)

        Transaction.execute = killed  # type: ignore[method-assign, assignment]
        for number in range(since, upto + 1):
            line.send(recorded(ledger.record([gift(f"gift-{number:04}", number)])[0]).version)
            kept_at = ledger._logs.cache[FUND].kept_at
            ledger.keep_state()
            if when == "after" and ledger._logs.cache[FUND].kept_at > kept_at:
                os.kill(os.getpid(), signal.SIGKILL)

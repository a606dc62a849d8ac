"""The read model made anew, beside the library's own way to follow a log, and beside programs of plain-text accounting
that sum the same events from our own export."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from ledger.events import Entry
from ledger.exports import beancount_ledger, hledger_journal
from scripts.benchmarks.replays import Works, grown_club, in_turns
from scripts.benchmarks.report import Report
from scripts.benchmarks.rivals import Clubs, library_settings
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import province, province_entries
from scripts.benchmarks.workshop import ENGINES, Workshop, opened_ledger, read_model_of

SECTION = "rebuild"
QUIETLY: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL}
VIEW_TABLES = ("balances", "balances_tracking")
"""What the library's projection fills."""
BEANCOUNT_CLUBS = 2
"""It is slow: it sums a few clubs only, and is compared by its rate."""


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Rebuild a province on both engines, in turns with those who sum it and with the library following its own log."""
    counted = _accountants(shop, scale, report)
    runner = _Runner(shop, scale.runner_events)
    with ExitStack() as opened:
        works: Works = {}
        for engine in ENGINES:
            ledger = opened.enter_context(opened_ledger(province(shop, scale, engine)))
            works[engine] = read_model_of(ledger).rebuild
        works |= {name: partial(subprocess.run, command, **QUIETLY) for name, (command, _) in counted.items()}
        works["ProjectionRunner"] = runner
        found = in_turns(works, scale.replay_seconds, patience_seconds=20)
    found["ProjectionRunner"] = runner.seconds
    events = sum(map(len, province_entries(scale.province_events)))
    sizes = dict.fromkeys(ENGINES, events) | {name: size for name, (_, size) in counted.items()}
    sizes["ProjectionRunner"] = scale.runner_events
    rates = {name: [sizes[name] / each for each in seconds] for name, seconds in found.items()}
    for engine in ENGINES:
        what = f"read model of {events:,} events"
        report.figure(SECTION, what, engine=engine, rate=median(rates[engine]), unit="events")
    what = f"ProjectionRunner, {scale.runner_events:,} events"
    report.figure(SECTION, what, engine="PostgreSQL", rate=median(rates["ProjectionRunner"]), unit="events")
    ratios = [ours / theirs for ours, theirs in zip(rates["PostgreSQL"], rates["ProjectionRunner"], strict=True)]
    report.ratio(SECTION, "rebuild PostgreSQL ÷ ProjectionRunner", ratios, 25)
    for name, (_, summed) in counted.items():
        what = f"balances by {name}"
        report.figure(SECTION, f"{what}, {summed:,} events", rate=median(rates[name]), unit="events")
        for engine in ENGINES:
            target = 1 if (name, engine) == ("hledger", "PostgreSQL") else None
            ratios = [ours / theirs for ours, theirs in zip(rates[engine], rates[name], strict=True)]
            report.ratio(SECTION, f"rebuild {engine} ÷ {what}", ratios, target)


# --- the library's way ------------------------------------------------------------------------------------------------


class BalancesView(PostgresTrackingRecorder):
    """One table of balances, as the library's documentation shows a view: each event and its tracking in one
    transaction."""

    def __init__(self, datastore: PostgresDatastore, **settings: Any) -> None:
        super().__init__(datastore, **settings)
        make = SQL("CREATE TABLE IF NOT EXISTS balances (club text, pot text, amount bigint, PRIMARY KEY (club, pot))")
        self.sql_create_statements.append(make.format())

    def post(self, club: str, pot: str, amount: int, tracking: Tracking) -> None:
        """Add to a balance."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO balances VALUES (%s, %s, %s) "
                "ON CONFLICT (club, pot) DO UPDATE SET amount = balances.amount + excluded.amount",
                (club, pot, amount),
                prepare=True,
            )


class Balances(Projection[BalancesView]):
    """Sums gifts by club and pot; notes when it was given its first event."""

    name = "balances"
    first_at: float | None = None

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take in one event."""
        if self.first_at is None:
            self.first_at = time.perf_counter()
        if hasattr(domain_event, "amount"):
            self.view.post(str(domain_event.originator_id), domain_event.pot, domain_event.amount, tracking)
        else:
            self.view.insert_tracking(tracking)


class _Runner:
    """The library following its own log from the beginning, each time into new tables."""

    def __init__(self, shop: Workshop, events: int) -> None:
        self.seconds: list[float] = []
        """From the first event it was given to the last one applied; to start costs it more."""
        self._url = shop.database("PostgreSQL")
        self._settings = library_settings(self._url)
        clubs = Clubs(self._settings)
        for _ in range(10):
            grown_club(clubs, events // 10)
        self._last = clubs.recorder.max_notification_id()
        clubs.close()

    def __call__(self) -> None:
        with psycopg.connect(self._url) as server:
            server.execute(SQL("DROP TABLE IF EXISTS {0}, {1}").format(*map(Identifier, VIEW_TABLES)))
        with ProjectionRunner(
            application_class=Clubs, projection_class=Balances, view_class=BalancesView, env=self._settings
        ) as runner:
            runner.wait(self._last, timeout=120)
            ended = time.perf_counter()
            began = runner.projection.first_at  # type: ignore[attr-defined]  # Ours has it.
        self.seconds.append(ended - began)


# --- plain-text accounting --------------------------------------------------------------------------------------------


def _accountants(shop: Workshop, scale: Scale, report: Report) -> dict[str, tuple[list[str], int]]:
    """The commands of those programs that are installed, and how many events of ours each sums."""
    clubs = province_entries(scale.province_events)
    journal, beans = shop.home / "province.journal", shop.home / "province.beancount"
    journal.write_text("".join(_apart(hledger_journal(entries), entries) for entries in clubs), "utf-8")
    few = clubs[:BEANCOUNT_CLUBS]
    beans.write_text("".join(_apart(beancount_ledger(entries), entries) for entries in few), "utf-8")
    programs = {
        "hledger": (["--file", str(journal), "balance"], clubs),
        "ledger": (["--file", str(journal), "balance"], clubs),
        "bean-query": (["-q", str(beans), "SELECT account, sum(position) GROUP BY account"], few),
    }
    commands: dict[str, tuple[list[str], int]] = {}
    for name, (arguments, entries) in programs.items():
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        if program := shutil.which(name, path=path):
            commands[name] = ([program, *arguments], sum(map(len, entries)))
        else:
            report.figure(SECTION, f"{name} is not installed")
    return commands


def _apart(text: Any, entries: list[Entry]) -> str:
    """A fund's export with its accounts beneath its own name, so that one file can hold many funds."""
    fund = entries[0].event.fund
    return re.sub(r"\b(assets|liabilities|equity|income|expenses):", rf"\1:{fund}:", "".join(text), flags=re.IGNORECASE)

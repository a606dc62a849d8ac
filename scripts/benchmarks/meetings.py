"""Meetings: sheets of a hundred lines over HTTP, beside COPY of the very lines that one of them stored."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any

import msgspec
import psycopg

from ledger.database import EVENTS_TABLE
from scripts.benchmarks import statements
from scripts.benchmarks.histories import MEMBERS, UNTIL, lived, rows_of, store
from scripts.benchmarks.load import KEY, Outcome, Posting
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, issue_token, opened_ledger, rows_in

SECTION = "meetings"
LINES = 100
CONNECTIONS = 8
DAYS = 60
"""So many meetings of each fund are on days of their own."""
FUNDS = [f"LS-{number:02d}" for number in range(1, 25)]
TARGET = 0.4


def sheet(day: int) -> str:
    """The body of a meeting with dues of everybody and savings of some; every key is new in each request."""
    lines: list[dict[str, Any]] = []
    for number in range(LINES):
        kind, amount = ("dues", 10_000) if number < MEMBERS else ("savings", 20_000)
        member = number % MEMBERS + 1
        key = f"{KEY}-{number:02d}"
        lines.append({"type": "contribution", "key": key, "member": member, "kind": kind, "amount": amount})
    held_on = UNTIL + timedelta(days=day + 1)
    meeting = {"held_on": held_on.isoformat(), "sheet": KEY, "present": list(range(1, MEMBERS + 1)), "lines": lines}
    return msgspec.json.encode(meeting).decode()


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Sheets on both engines and COPY on PostgreSQL, in turns."""
    connections = min(CONNECTIONS, scale.connections[-1])
    with ExitStack() as opened:
        ours = {engine: opened.enter_context(_service(shop, engine)) for engine in ENGINES}
        urls = {engine: url for engine, (url, _) in ours.items()}
        before = {engine: rows_in(url, EVENTS_TABLE) for engine, url in urls.items()}
        answered = dict.fromkeys(ENGINES, 0)
        runs = count()
        found: dict[str, list[Outcome]] = {"COPY": [], **{engine: [] for engine in ENGINES}}
        copied: list[tuple[str, bytes]] = []
        for turn in range(scale.rounds + 1):
            seconds = scale.round_seconds if turn else scale.warm_up_seconds
            for engine, (_, post) in ours.items():
                outcome = post(connections, seconds)
                report.refused(f"meetings {engine}", outcome.unexpected)
                answered[engine] += outcome.answered
                found[engine].append(outcome)
            copied = copied or _lines_of_a_sheet(urls["PostgreSQL"])
            found["COPY"].append(_copy(urls["PostgreSQL"], copied, connections, seconds, next(runs)))
        _tell(report, {name: outcomes[1:] for name, outcomes in found.items()}, connections)
        for engine, url in urls.items():
            stored = rows_in(url, EVENTS_TABLE) - before[engine]
            report.count(SECTION, f"meetings {engine}", acknowledged=answered[engine] * (LINES + 1), stored=stored)


def _tell(report: Report, found: dict[str, list[Outcome]], connections: int) -> None:
    for name, outcomes in found.items():
        report.figure(
            SECTION,
            f"COPY of sheets of {LINES} lines" if name == "COPY" else f"sheets of {LINES} lines",
            engine="PostgreSQL" if name == "COPY" else name,
            rate=median(outcome.rate for outcome in outcomes) * LINES,
            unit="lines",
            p50_ms=median(outcome.p50_ms for outcome in outcomes),
            p99_ms=median(outcome.p99_ms for outcome in outcomes),
            connections=connections,
        )
    for engine, target in (("PostgreSQL", TARGET), ("SQLite", None)):
        ratios = [ours.rate / copy.rate for ours, copy in zip(found[engine], found["COPY"], strict=True)]
        report.ratio(SECTION, f"meeting lines {engine} ÷ COPY of the same lines", ratios, target)


@contextmanager
def _service(shop: Workshop, engine: Engine) -> Iterator[tuple[str, Posting]]:
    url = shop.database(engine)
    with opened_ledger(url) as ledger:
        for fund in FUNDS:
            store(ledger, rows_of(ledger, lived(fund, 2 * MEMBERS).pending))
        token = issue_token(ledger)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": KEY}
    with shop.service(url) as service:
        paths = [f"/v1/funds/{fund}/meetings" for fund in FUNDS]
        yield url, Posting(service.port, paths, tuple(sheet(day) for day in range(DAYS)), headers)


def _lines_of_a_sheet(database_url: str) -> list[tuple[str, bytes]]:
    """The lines that the first sheet stored."""
    with psycopg.connect(database_url) as server:
        rows = server.execute(
            f"SELECT topic, state FROM {EVENTS_TABLE} WHERE originator_id = %s AND originator_version > %s "
            "ORDER BY originator_version LIMIT %s".encode(),
            (FUNDS[0], 2 * MEMBERS, LINES + 1),
        ).fetchall()
    return [(topic, bytes(state)) for topic, state in rows]


def _copy(database_url: str, rows: list[tuple[str, bytes]], connections: int, seconds: float, run: int) -> Outcome:
    return statements.run(
        statements.Statements(
            database_url=database_url,
            connections=connections,
            seconds=seconds,
            rows=rows,
            fund_prefix=f"copy-{run}",
        )
    )

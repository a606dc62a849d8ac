"""Meetings: sheets of a hundred lines over HTTP, beside COPY of the very lines that one of them stored."""

from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any

import msgspec
import psycopg

from ledger.database import EVENTS_TABLE
from scripts.benchmarks import statements
from scripts.benchmarks.histories import MEMBERS, UNTIL
from scripts.benchmarks.load import KEY, Outcome, Posting
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import Served, province_codes, served
from scripts.benchmarks.workshop import ENGINES, Workshop, rows_in

SECTION = "meetings"
LINES = 100
CONNECTIONS = 8
DAYS = 60
"""So many meetings of each fund are on days of their own."""
TARGET = 0.4
LINES_OF_A_SHEET = (
    f"SELECT topic, state FROM {EVENTS_TABLE} JOIN (SELECT max(originator_version) AS held FROM {EVENTS_TABLE} "
    "WHERE originator_id = %(fund)s AND topic = 'MeetingHeld') AS meetings "
    "ON originator_version BETWEEN held - %(lines)s AND held WHERE originator_id = %(fund)s ORDER BY originator_version"
)


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
    urls = {engine: served(shop, engine).url for engine in ENGINES}
    ours = {engine: _posting(served(shop, engine)) for engine in ENGINES}
    before = {engine: rows_in(url, EVENTS_TABLE) for engine, url in urls.items()}
    answered = dict.fromkeys(ENGINES, 0)
    runs = count()
    found: dict[str, list[Outcome]] = {"COPY": [], **{engine: [] for engine in ENGINES}}
    copied: list[tuple[str, bytes]] = []
    for turn in range(scale.rounds + 1):
        seconds = scale.round_seconds if turn else scale.warm_up_seconds
        for engine, post in ours.items():
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


def _posting(ours: Served) -> Posting:
    paths = [f"/v1/funds/{fund}/meetings" for fund in province_codes()]
    return Posting(ours.program.port, paths, tuple(map(sheet, range(DAYS))), ours.headers, key_prefix="meeting")


def _lines_of_a_sheet(database_url: str) -> list[tuple[str, bytes]]:
    """The lines that a sheet has stored, its attendance last."""
    fund = province_codes()[0]
    with psycopg.connect(database_url) as server:
        rows = server.execute(LINES_OF_A_SHEET.encode(), {"fund": fund, "lines": LINES}).fetchall()
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

"""Reads over HTTP, of a club, of a province's 24 clubs and of a country's 8,432; and the memory all this takes."""

import json
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlencode

from ledger.database import EVENTS_TABLE
from scripts.benchmarks.histories import MEMBERS, UNTIL
from scripts.benchmarks.load import KEY, Load, Outcome, ask
from scripts.benchmarks.replays import exponent
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import (
    CLUBS,
    PROVINCES,
    country,
    country_codes,
    province,
    province_codes,
    token_for,
)
from scripts.benchmarks.workshop import ENGINES, Engine, Program, Workshop, opened_ledger, read_model_of, rows_in

SECTION = "reads"
MEMORY = "memory"
CONNECTIONS = 8
"""Beside one client alone, whose times are those that something was promised of."""
MOST_MIB = 600
TOUCHING_SECONDS = 120
"""Ends the touching of every fund whatever happens."""


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Ask a service with a province's books, then one with a country's."""
    for engine in ENGINES[: scale.engines]:
        _province(shop, scale, engine, report)
    for engine in ENGINES[: scale.country_engines]:
        _country(shop, scale, engine, report)


def _province(shop: Workshop, scale: Scale, engine: Engine, report: Report) -> None:
    url = province(shop, scale, engine)
    with opened_ledger(url) as ledger:
        read_model = read_model_of(ledger)
        read_model.create_tables()
        read_model.catch_up()
    token, codes = token_for(url), province_codes()
    with shop.service(url) as service:
        asking = _Asking(service, token, scale, report, engine)
        asking.read("balances", [f"/v1/funds/{code}/balances?as_of={UNTIL}" for code in codes])
        asking.read("borrowing rates of a club", [f"/v1/funds/{code}/borrowing?as_of={UNTIL}" for code in codes])
        province_report = asking.report(f"province report over {CLUBS} clubs", CLUBS * MEMBERS)
    what = f"p99 in ms of the province report over {CLUBS} clubs, {engine}"
    report.ratio(SECTION, what, [province_report.p99_ms], 30, "at most")


def _country(shop: Workshop, scale: Scale, engine: Engine, report: Report) -> None:
    (url, events, stored_in, rebuilt_in), clubs = country(shop, scale, engine), scale.country_clubs
    report.figure(
        "rebuild", f"read model of {clubs:,} clubs, {events:,} events", engine=engine, rate=events / rebuilt_in,
        unit="events", stored_in_seconds=stored_in,
    )  # fmt: skip
    token, codes = token_for(url), country_codes(clubs)
    with shop.service(url) as service:
        at_rest = service.resident_mib()
        asking = _Asking(service, token, scale, report, engine)
        asking.read(f"balances among {clubs:,} clubs", [f"/v1/funds/{code}/balances" for code in codes])
        reports = {
            many: asking.report(f"report over {many:,} clubs", many * scale.country_members, **where)
            for many, where in _places(clubs).items()
        }
        after_reads = service.resident_mib()
        _touch(service, url, token, codes, report, engine)
        touched, highest = service.resident_mib(), service.resident_mib("VmHWM")
    what = f"p99 in ms of the report over {clubs:,} clubs, {engine}"
    report.ratio(SECTION, what, [reports[clubs].p99_ms], 1_000, "at most")
    growth = exponent({many: outcome.p50_ms for many, outcome in reports.items()})
    what = f"growth exponent of the report, {min(reports)} to {clubs:,} clubs, {engine}"
    report.ratio(SECTION, what, [growth], 1.1, "at most")
    report.figure(
        MEMORY, f"microfund, {clubs:,} funds", engine=engine,
        rest_mib=at_rest, after_reads_mib=after_reads, all_touched_mib=touched, peak_mib=highest,
    )  # fmt: skip
    what = f"MiB after an entry on each of {clubs:,} funds, {engine}"
    report.ratio(MEMORY, what, [highest], MOST_MIB, "at most")
    if scale.country_twice:
        _bounded(shop, scale, url, engine, report)


def _places(clubs: int) -> dict[int, dict[str, str]]:
    """How many clubs there are in each of the provinces, and in the whole country."""
    first, second = PROVINCES
    of_second = min(PROVINCES[second], clubs - PROVINCES[first])
    return {PROVINCES[first]: {"province": first}, of_second: {"province": second}, clubs: {}}


def _bounded(shop: Workshop, scale: Scale, url: str, engine: Engine, report: Report) -> None:
    """The same entries again with room for a tenth of the entries in memory: the setting is what bounds it."""
    token, codes = token_for(url), country_codes(scale.country_clubs)
    most = 20_000
    with shop.service(url, MICROFUND_MAX_CACHED_ENTRIES=str(most)) as service:
        _touch(service, url, token, codes, report, engine)
        report.figure(
            MEMORY, f"microfund, {len(codes):,} funds, at most {most:,} entries cached", engine=engine,
            all_touched_mib=service.resident_mib(), peak_mib=service.resident_mib("VmHWM"),
        )  # fmt: skip


def _touch(service: Program, url: str, token: str, codes: Sequence[str], report: Report, engine: Engine) -> None:
    """Record a gift on every fund."""
    load = Load(
        port=service.port,
        connections=64,
        seconds=TOUCHING_SECONDS,
        at_most=len(codes),
        method="POST",
        paths=[f"/v1/funds/{code}/donations" for code in codes],
        bodies=(f'{{"source":"business","pot":"revolving","amount":5000000,"on":"{UNTIL}"}}',),
        headers=_headers(token) | {"Content-Type": "application/json", "Idempotency-Key": KEY},
        key_prefix=f"touch{service.port}",
        expects=201,
    )
    before = rows_in(url, EVENTS_TABLE)
    outcome = ask(load)
    stored = rows_in(url, EVENTS_TABLE) - before
    report.count(SECTION, f"an entry on each fund {engine}", acknowledged=outcome.answered, stored=stored)
    report.refused("touching every fund", outcome.unexpected)
    report.figure(
        SECTION, f"an entry on each of {len(codes):,} funds", engine=engine,
        rate=outcome.rate, unit="posts", p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms,
    )  # fmt: skip
    if outcome.answered != len(codes):
        report.refused("touching every fund", {"unanswered": len(codes) - outcome.answered})


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class _Asking:
    """One service and who asks it."""

    def __init__(self, service: Program, token: str, scale: Scale, report: Report, engine: Engine) -> None:
        self._service = service
        self._token = token
        self._scale = scale
        self._report = report
        self._engine: Engine = engine

    def read(self, what: str, paths: list[str]) -> Outcome:
        """Read by one client and by several; answers what the one found."""
        self._ask(paths, 1, self._scale.warm_up_seconds)
        alone = self._ask(paths, 1, self._scale.read_seconds)
        together = self._ask(paths, CONNECTIONS, self._scale.read_seconds / 3)
        for connections, outcome in ((1, alone), (CONNECTIONS, together)):
            self._report.refused(what, outcome.unexpected)
            self._report.figure(
                SECTION, f"{what}, {connections} connections", engine=self._engine,
                rate=outcome.rate, unit="reads", p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms, reads=outcome.answered,
            )  # fmt: skip
        return alone

    def report(self, what: str, members: int, **where: str) -> Outcome:
        """Read the borrowing rates of all clubs somewhere, which must speak of so many members."""
        path = f"/v1/borrowing?{urlencode({'as_of': UNTIL, **where})}"
        asking = HTTPConnection("127.0.0.1", self._service.port)
        with closing(asking):
            asking.request("GET", path, headers=_headers(self._token))
            told = json.load(asking.getresponse())
        if told.get("members") != members:
            self._report.refused(what, {f"members: {told.get('members')} instead of {members}": 1})
        return self.read(what, [path])

    def _ask(self, paths: list[str], connections: int, seconds: float) -> Outcome:
        return ask(
            Load(
                port=self._service.port,
                connections=connections,
                seconds=seconds,
                paths=paths,
                headers=_headers(self._token),
            )
        )

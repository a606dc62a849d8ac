"""Single posts over HTTP: a gift to one of 24 funds, each with a key of its own, at a few and at many connections."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from statistics import median
from typing import NamedTuple

from ledger.database import EVENTS_TABLE
from scripts.benchmarks import statements
from scripts.benchmarks.histories import UNTIL, lived
from scripts.benchmarks.load import Outcome, Posting
from scripts.benchmarks.report import Report
from scripts.benchmarks.rivals import Club, Clubs, library_settings
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import province_codes, served
from scripts.benchmarks.workshop import ENGINES, Engine, Program, Workshop, opened_ledger, rows_in

SECTION = "posts"
AMOUNTS = 1_009
"""A prime: a fund does not soon see the same gift twice."""
BODIES = tuple(
    f'{{"source":"business","pot":"revolving","amount":{5_000_000 + 1_000 * number},"on":"{UNTIL}"}}'
    for number in range(AMOUNTS)
)

OURS = "microfund"
RIVALS = [sys.executable, "-m", "scripts.benchmarks.rivals"]

Round = Callable[[int, float], Outcome]
"""So many connections for so many seconds."""


class Rival(NamedTuple):
    """One way to record a gift, how many it has stored by now, and its server if it is one."""

    name: str
    engine: Engine | None
    post: Round
    stored: Callable[[], int] | None
    server: Program | None

    @property
    def is_ours(self) -> bool:
        """Whether what it does wrong is a fault of ours."""
        return self.name == OURS

    @property
    def key(self) -> str:
        """Its name in tables."""
        return f"{self.name} {self.engine}" if self.engine else self.name


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Let all ways take turns and compare them round by round."""
    with ExitStack() as opened:
        running = [opened.enter_context(each) for each in _rivals(shop, scale)]
        at_rest = {each.key: each.server.resident_mib() for each in running if each.server}
        acknowledged = {each.key: each.stored() for each in running if each.stored}
        for connections in scale.connections:
            most = connections == scale.connections[-1]
            rounds = scale.rounds if most else max(scale.rounds // 2, 1)
            seconds = scale.round_seconds if most else scale.round_seconds / 2
            for each in running:
                _counted(each, each.post(connections, scale.warm_up_seconds), acknowledged, report)
            found: dict[str, list[Outcome]] = {each.key: [] for each in running}
            for _ in range(rounds):
                for each in running:
                    outcome = each.post(connections, seconds)
                    _counted(each, outcome, acknowledged, report)
                    found[each.key].append(outcome)
            _report_rates(report, running, connections, found)
            _report_ratios(report, connections, found, is_promised=most)
        for each in running:
            if each.stored and each.key not in report.stumbled:
                report.count(SECTION, each.key, acknowledged=acknowledged[each.key], stored=each.stored())
            if each.server:
                report.figure(
                    "memory", f"{each.name} after posts", engine=each.engine,
                    rest_mib=at_rest[each.key], peak_mib=each.server.resident_mib("VmHWM"),
                )  # fmt: skip


def _counted(rival: Rival, outcome: Outcome, acknowledged: dict[str, int], report: Report) -> None:
    (report.refused if rival.is_ours else report.stumbled_at)(rival.key, outcome.unexpected)
    if rival.stored:
        acknowledged[rival.key] += outcome.answered


def _report_rates(report: Report, running: Sequence[Rival], connections: int, found: dict[str, list[Outcome]]) -> None:
    for each in running:
        outcomes = found[each.key]
        report.figure(
            SECTION,
            f"{each.name}, {connections} connections",
            engine=each.engine,
            rate=median(outcome.rate for outcome in outcomes),
            unit="posts",
            p50_ms=median(outcome.p50_ms for outcome in outcomes),
            p99_ms=median(outcome.p99_ms for outcome in outcomes),
        )


def _report_ratios(report: Report, connections: int, found: dict[str, list[Outcome]], *, is_promised: bool) -> None:
    def ratio(ours: str, theirs: str, target: float | None) -> None:
        rounds = zip(found[ours], found[theirs], strict=True)
        what = f"{ours} ÷ {theirs}, {connections} connections"
        values = [our.rate / their.rate for our, their in rounds]
        report.ratio(SECTION, what, values, target if is_promised else None)

    ratio("nothing", "echo", None)
    ratio("microfund PostgreSQL", "echo", 0.6)
    ratio("microfund PostgreSQL", "tutorial PostgreSQL", 4)
    ratio("microfund PostgreSQL", "INSERT PostgreSQL", None)
    ratio("microfund SQLite", "echo", 0.6)
    ratio("microfund SQLite", "tutorial SQLite", None)
    for engine in ENGINES:
        report.ratio(
            SECTION,
            f"microfund {engine} p99 ÷ p50, {connections} connections",
            [outcome.p99_ms / outcome.p50_ms for outcome in found[f"microfund {engine}"]],
            5 if is_promised and engine == "PostgreSQL" else None,
            "at most",
        )


# --- the ways ---------------------------------------------------------------------------------------------------------


def _rivals(shop: Workshop, scale: Scale) -> Iterator[AbstractContextManager[Rival]]:
    yield from (_ours(shop, engine) for engine in ENGINES)
    yield _answering(shop, "nothing")
    yield _answering(shop, "echo")
    yield from (_tutorial(shop, engine, scale.clubs_of_tutorial) for engine in ENGINES)
    yield _insert(shop)


@contextmanager
def _ours(shop: Workshop, engine: Engine) -> Iterator[Rival]:
    ours = served(shop, engine)
    paths = [f"/v1/funds/{fund}/donations" for fund in province_codes()]
    posting = Posting(ours.program.port, paths, BODIES, ours.headers, key_prefix="gift")
    yield Rival(OURS, engine, posting, lambda: rows_in(ours.url, EVENTS_TABLE), ours.program)


@contextmanager
def _answering(shop: Workshop, name: str) -> Iterator[Rival]:
    """A server that stores nothing."""
    with shop.program([*RIVALS, name]) as server:
        yield Rival(name, None, Posting(server.port, ["/donations"], BODIES), None, server)


@contextmanager
def _tutorial(shop: Workshop, engine: Engine, clubs_there: int) -> Iterator[Rival]:
    """The library's tutorial with so many clubs that none grows much: it reads a club's whole history at every post."""
    url = shop.database(engine)
    settings = library_settings(url)
    clubs = Clubs(settings)
    opened = [Club(f"Câu lạc bộ {number}") for number in range(clubs_there)]
    for start in range(0, clubs_there, 128):
        clubs.save(*opened[start : start + 128])
    table = clubs.recorder.events_table_name  # type: ignore[attr-defined]  # Of both engines' recorders.
    clubs.close()
    with shop.program([*RIVALS, "tutorial"], **settings) as server:
        paths = [f"/clubs/{club.id}/donations" for club in opened]
        yield Rival("tutorial", engine, Posting(server.port, paths, BODIES), lambda: rows_in(url, table), server)


@contextmanager
def _insert(shop: Workshop) -> Iterator[Rival]:
    url, runs = shop.database("PostgreSQL"), count()
    with opened_ledger(url) as ledger:
        gift = next(entry for entry in lived("LS-25", 10, members=4).pending if entry.event.name == "DonationReceived")
        row = ledger.mapper.to_stored_event(gift)

    def post(connections: int, seconds: float) -> Outcome:
        return statements.run(
            statements.Statements(
                database_url=url,
                connections=connections,
                seconds=seconds,
                rows=statements.rows_of([row]),
                fund_prefix=f"run-{next(runs)}",
            )
        )

    yield Rival("INSERT", "PostgreSQL", post, None, None)

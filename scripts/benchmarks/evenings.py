"""A country on one evening: old funds of which few are in memory, each asked for its sheet and recorded on, once."""

import os
from datetime import UTC, datetime, time, timedelta

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.database import EVENTS_TABLE
from ledger.events.money import ContributionKind
from scripts.benchmarks.histories import MEMBERS, UNTIL, lived, retold, store
from scripts.benchmarks.load import KEY, Load, ask
from scripts.benchmarks.meetings import LINES, sheet
from scripts.benchmarks.posts import BODIES
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import country_codes, token_for
from scripts.benchmarks.visits import Act, Visits, visit
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, opened_ledger, read_model_of, rows_in

SECTION = "evening"
CONNECTIONS = 8
POSTS = 5
SHARE_IN_MEMORY = 0.05
"""Of the funds; of few funds, as many as are met with at once."""
CLUBS_TARGET, POST_TARGET_MS, SHEET_TARGET_MS, MEMORY_TARGET_MIB = 25, 250, 15, 600

SHEET = Act(name="sheet", path="/v1/funds/{fund}/sheet")
MEETING = Act(
    name=f"meeting of {LINES} lines", method="POST", path="/v1/funds/{fund}/meetings", body=sheet(0), expects=201
)
POST = Act(
    name="post", method="POST", path="/v1/funds/{fund}/donations", body=BODIES[0], expects=201, times=POSTS
)  # fmt: skip


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """One evening on each engine; before it, one client alone asks one fund for its sheet again and again."""
    for engine in ENGINES[: scale.engines]:
        url, weight = _old_books(shop, scale, engine)
        codes, token = country_codes(scale.evening_funds), token_for(url)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": KEY}
        before = rows_in(url, EVENTS_TABLE)
        most = weight * max(round(SHARE_IN_MEMORY * len(codes)), CONNECTIONS)
        with shop.service(url, MICROFUND_MAX_CACHED_ENTRIES=str(most)) as service:
            at_rest = service.resident_mib()
            alone = ask(
                Load(
                    port=service.port,
                    connections=1,
                    seconds=scale.read_seconds,
                    paths=[SHEET.path.format(fund=codes[0])],
                    headers={"Authorization": headers["Authorization"]},
                )
            )
            report.refused("sheet", alone.unexpected)
            evening = visit(
                Visits(
                    port=service.port,
                    connections=CONNECTIONS,
                    funds=codes,
                    acts=[SHEET, MEETING, POST],
                    headers=headers,
                )
            )
            highest = service.resident_mib("VmHWM")
        report.refused("evening", evening.unexpected)
        acknowledged = evening.acts[MEETING.name].answered * (LINES + 1) + evening.acts[POST.name].answered
        stored = rows_in(url, EVENTS_TABLE) - before
        report.count(SECTION, f"evening {engine}", acknowledged=acknowledged, stored=stored)
        _tell(scale, engine, report, at_rest=at_rest, highest=highest)
        report.figure(
            SECTION, f"sheet of {scale.old_fund:,} entries, one client", engine=engine,
            p50_ms=alone.p50_ms, p99_ms=alone.p99_ms,
        )  # fmt: skip
        what = f"p50 in ms of the sheet of {scale.old_fund:,} entries, {engine}"
        report.ratio(SECTION, what, [alone.p50_ms], SHEET_TARGET_MS, "at most")
        for name, outcome in evening.acts.items():
            report.figure(
                SECTION, f"{name}, {CONNECTIONS} connections", engine=engine,
                p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms,
            )  # fmt: skip
        clubs = len(codes) / evening.seconds
        report.figure(SECTION, f"{len(codes):,} clubs", engine=engine, rate=clubs, unit="clubs")
        report.ratio(SECTION, f"clubs a second, {engine}", [clubs], CLUBS_TARGET)
        what = f"p99 in ms of a post on that evening, {engine}"
        report.ratio(SECTION, what, [evening.acts[POST.name].p99_ms], POST_TARGET_MS, "at most")
        report.ratio(SECTION, f"MiB on that evening, {engine}", [highest], MEMORY_TARGET_MIB, "at most")


def _tell(scale: Scale, engine: Engine, report: Report, *, at_rest: float, highest: float) -> None:
    report.figure(
        "memory", f"microfund on an evening of {scale.evening_funds:,} clubs of {scale.old_fund:,} entries",
        engine=engine, rest_mib=at_rest, peak_mib=highest,
    )  # fmt: skip


def _old_books(shop: Workshop, scale: Scale, engine: Engine) -> tuple[str, int]:
    """A database with so many funds of so many entries, their states kept and their tables made; and what one of them
    weighs in memory while it is met with, in entries' worth."""
    url, weight = shop.database(engine), 1
    life = lived("VN-00000", scale.old_fund).pending
    with opened_ledger(url) as ledger:
        for number, code in enumerate(country_codes(scale.evening_funds)):
            store(ledger, retold(life, code, "Lạng Sơn", f"Lạng Sơn {number % 12 + 1}"))
            ledger.kept_states.keep(ledger.replayed(code))
            kept = ledger.kept_states.find(code)
            assert kept
            weight = max(weight, _weight_in_use(kept))
        read_model_of(ledger).rebuild()
    os.sync()  # Gigabytes that are still on their way to the disk would be part of the evening.
    return url, weight


def _weight_in_use(fund: Fund) -> int:
    """What a fund weighs with all open that the lines of a sheet open: where only those fit that lie there untouched,
    each of those that are met with at once pushes out another, and is loaded again for every post."""
    on = UNTIL + timedelta(days=1)
    told = EntryMetadata(on=on, recorded_at=datetime.combine(on, time(12), UTC), recorded_by="p-treasurer")
    for number in range(LINES):
        kind: ContributionKind = "dues" if number < MEMBERS else "savings"
        fund.receive_contribution(told, member=number % MEMBERS + 1, kind=kind, amount=10_000)
    fund.let_go()
    return fund.weight

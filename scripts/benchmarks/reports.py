"""A plan's report over HTTP: of 24 clubs with six years of entries each, and of a country's clubs."""

import json
import time
from contextlib import closing
from http.client import HTTPConnection
from statistics import median

from scripts.benchmarks.histories import MEMBERS, UNTIL, lived, retold, store
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import PROVINCES, country, province_codes, token_for
from scripts.benchmarks.workshop import ENGINES, Engine, Workshop, opened_ledger, read_model_of
from service.demo.places import PLAN

SECTION = "reports"
PROVINCE = next(iter(PROVINCES))
QUERY = f"plan={PLAN}&from={UNTIL.year}-07-01&to={UNTIL}"


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Ask for the half-year of a province with six years behind it, then of a country."""
    for engine in ENGINES[: scale.engines]:
        url = shop.database(engine)
        with opened_ledger(url) as ledger:
            life = lived("LS-00", scale.report_events).pending
            for code in province_codes():
                store(ledger, retold(life, code, PROVINCE, PROVINCE))
            read_model_of(ledger).rebuild()
        clubs = len(province_codes())
        about = f"{clubs} clubs with {scale.report_events:,} entries each"
        _ask(shop, scale, url, engine, report, about, clubs * MEMBERS, 1_000)
    for engine in ENGINES[: scale.country_engines]:
        members = scale.country_clubs * scale.country_members
        about = f"{scale.country_clubs:,} clubs"
        _ask(shop, scale, country(shop, scale, engine).url, engine, report, about, members, 10_000)


def _ask(
    shop: Workshop, scale: Scale, url: str, engine: Engine, report: Report, about: str, members: int, most_ms: int
) -> None:
    """Ask some times, one after the other: the first question of a process has every stored line read for it."""
    headers = {"Authorization": f"Bearer {token_for(url)}"}
    seconds: list[float] = []
    told = b""
    told = b""
    with shop.service(url) as service, closing(HTTPConnection("127.0.0.1", service.port)) as asking:
        for _ in range(2 + scale.rounds):
            began = time.perf_counter()
            asking.request("GET", f"/v1/report?{QUERY}", headers=headers)
            told = asking.getresponse().read()
            seconds.append(time.perf_counter() - began)
    found = json.loads(told)["total"]["members"]
    if found != members:
        report.refused(f"report of {about}", {f"members: {found} instead of {members}": 1})
    first, *others = (each * 1000 for each in seconds)
    report.figure(
        SECTION, f"half-year report of {about}", engine=engine, p50_ms=median(others), first_ms=first, bytes=len(told)
    )
    report.ratio(SECTION, f"ms of the half-year report of {about}, {engine}", [median(others)], most_ms, "at most")

"""The books that faults are tried on: funds that were opened and hold nothing, and a token that opens them all."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.application import Ledger
from ledger.events import Request
from ledger.jobs import Job
from scripts.benchmarks.histories import BYLAWS, DISTRICT, OPENED_ON, PROVINCE, UNTIL
from scripts.benchmarks.workshop import issue_token, opened_ledger

FUNDS = tuple(f"LS-BACSON-{number:02d}" for number in range(1, 5))
DAY = str(UNTIL)
"""The day that everything is dated."""


def opening(code: str) -> Job:
    """The opening of a fund, as its founders would send it."""
    request = Request(f"opening-{code}", hashlib.sha256(code.encode()).hexdigest())
    metadata = EntryMetadata(on=OPENED_ON, recorded_at=datetime.now(UTC), recorded_by="p-treasurer", request=request)

    def decide(fund: Fund) -> None:
        place = {"club": "CLB Bắc Sơn", "commune": "Bắc Sơn", "district": DISTRICT, "province": PROVINCE}
        fund.open(metadata, bylaws=BYLAWS, founded_on=OPENED_ON, **place)

    return Job(fund=code, decide=decide, request=request, opens=True)


def found(database_url: str, codes: Iterable[str] = FUNDS) -> str:
    """Open the funds of a new database; answers the token that opens them."""
    with opened_ledger(database_url) as ledger:
        open_funds(ledger, codes)
        return issue_token(ledger)


def open_funds(ledger: Ledger, codes: Iterable[str]) -> None:
    """Open funds. Raises what keeps one from being opened."""
    for outcome in ledger.record([opening(code) for code in codes]):
        if isinstance(outcome, Exception):
            raise outcome

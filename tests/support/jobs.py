"""What tests of the log share: a village fund, and jobs for its ledger, as the service would hand them over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.application import Ledger
from ledger.chart import Pot
from ledger.events import Bylaws, Request
from ledger.jobs import Job, Outcome, Recorded
from ledger.register import Text
from tests.support.keys import key_for

FUND = "LS-BACSON-01"
OPENED_ON = date(2016, 3, 1)
DAY = date(2024, 1, 5)
NOW = datetime(2026, 6, 6, 3, 0, tzinfo=UTC)
IS_LONG = os.environ.get("MICROFUND_LONG") == "1"
"""Whether tests marked `long` take minutes instead of seconds."""

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

Decision = Callable[[Fund, EntryMetadata], object]


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
    metadata = EntryMetadata(on=on, recorded_at=NOW, recorded_by="treasurer-1", request=request, texts=digests or None)
    rows = tuple((texts or {}).values())
    return Job(fund=fund, decide=lambda fund: decide(fund, metadata), request=request, texts=rows, **options)


def opening(fund: str = FUND, *, key: str = "opening-0001") -> Job:
    """The opening of a fund."""
    club = {"club": "CLB Bắc Sơn", "commune": "Bắc Sơn", "district": "Bắc Sơn", "province": "Lạng Sơn"}
    return job(
        key,
        lambda f, metadata: f.open(metadata, bylaws=BYLAWS, founded_on=OPENED_ON, **club),
        fund=fund,
        on=OPENED_ON,
        opens=True,
    )


def gift(key: str, amount: int = 1, **options: Any) -> Job:
    """Cash for the activity pot: never refused."""
    return job(
        key,
        lambda f, metadata: f.receive_donation(metadata, source="community", pot="activity", amount=amount),
        body=f"gift {amount}",
        **options,
    )


def capital(key: str, amount: int, **options: Any) -> Job:
    """Cash for the revolving pot."""
    return job(
        key,
        lambda f, metadata: f.receive_donation(metadata, source="benefactor", pot="revolving", amount=amount),
        **options,
    )


def expense(key: str, amount: int, **options: Any) -> Job:
    """Cash from the activity pot: refused when it is not there."""
    return job(
        key,
        lambda f, metadata: f.pay_expense(metadata, activity="health", amount=amount),
        body=f"expense {amount}",
        **options,
    )


def joining(key: str, **options: Any) -> Job:
    """A new member."""
    return job(
        key,
        lambda f, metadata: f.join(metadata, sex="female", birth_year=1952, poverty="none", household=None),
        **options,
    )


def lending(key: str, amount: int, **options: Any) -> Job:
    """A whole loan in one act: asked for, granted and handed out, or none of it."""

    def lend(fund: Fund, metadata: EntryMetadata) -> None:
        asked = fund.request_loan(metadata, member=1, principal=amount, term_months=12, purpose="livestock")
        fund.approve_loan(metadata, asked.loan)
        fund.disburse_loan(metadata, asked.loan)

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
    ledger = Ledger(url, **{"register_key": key_for(url), **settings})
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def one_fund(url: str) -> Iterator[Ledger]:
    """A ledger with one fund: two entries, and a gift of 1,000 đ in the activity pot's box."""
    with opened(url) as ledger:
        for outcome in ledger.record([opening(), gift("gift-0000", 1_000)]):
            recorded(outcome)
        yield ledger

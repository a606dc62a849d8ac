"""Reports that were frozen: kept for ever as the bytes they were, with the question that they answered."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec
from eventsourcing.persistence import IntegrityError

from ledger.database import Database, Row
from ledger.events.people import Scope
from ledger.plans import Plan
from ledger.refusals import IdempotencyKeyReused, ReportNotFound
from ledger.register import KEEP, Encrypted
from ledger.reports.periods import Period
from ledger.reports.report import ReportQuestion

MOST_TRIES: Final = 20
"""How often a number is taken anew because another process has just taken it."""

_LISTED = (
    "report, year, serial, plan, question, note, position, report_code, digest, frozen_at, frozen_by, request_digest"
)


class _Asked(msgspec.Struct, frozen=True):
    """A question as it is kept: with the whole plan, whose file may change."""

    plan: Plan
    since: date
    until: date
    preset: Any
    scope: Scope
    threshold: int
    seen_by: Scope


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen report without its bytes. `note` is the digest of a text in the register."""

    report: str
    asked: ReportQuestion
    note: str | None
    position: int
    report_code: str
    digest: str
    frozen_at: str


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be frozen, by which request and by whom."""

    asked: ReportQuestion
    content: bytes
    digest: str
    position: int
    report_code: str
    frozen_at: str
    frozen_by: str
    year: int
    note: str | None
    key: str
    request_digest: str


def freeze(database: Database, new: NewReport, texts: list[Encrypted]) -> tuple[Frozen, bool]:
    """Keep a report under the next number of its year; the same request again is answered by what it froze, and True.
    Raises `IdempotencyKeyReused`."""
    for _ in range(MOST_TRIES - 1):
        try:
            return _frozen(database, new, texts)
        except IntegrityError:
            continue
    return _frozen(database, new, texts)


def _frozen(database: Database, new: NewReport, texts: list[Encrypted]) -> tuple[Frozen, bool]:
    with database.transaction() as transaction:
        for row in transaction.query(f"SELECT {_LISTED} FROM reports WHERE request_key = :key", key=new.key):
            if row["request_digest"] != new.request_digest:
                raise IdempotencyKeyReused(key=new.key, version=row["serial"])
            return _of(row), True
        last = transaction.query("SELECT MAX(serial) AS serial FROM reports WHERE year = :year", year=new.year)
        serial = (last[0]["serial"] or 0) + 1
        asked = _Asked(new.asked.plan, *new.asked.period, new.asked.scope, new.asked.threshold, new.asked.seen_by)
        row = {
            "report": f"R-{new.year:04d}-{serial:04d}",
            "year": new.year,
            "serial": serial,
            "plan": new.asked.plan.code,
            "question": msgspec.json.encode(asked).decode(),
            "note": new.note,
            "position": new.position,
            "report_code": new.report_code,
            "digest": new.digest,
            "frozen_at": new.frozen_at,
            "frozen_by": new.frozen_by,
            "request_key": new.key,
            "request_digest": new.request_digest,
            "content": new.content.decode(),
        }
        transaction.execute(f"INSERT INTO reports VALUES ({', '.join(':' + name for name in row)})", **row)
        transaction.execute_many(KEEP, [each._asdict() for each in texts])
        return _of(row), False


def frozen_report(database: Database, report: str) -> Frozen:
    """A frozen report by number. Raises `ReportNotFound`."""
    for row in database.query(f"SELECT {_LISTED} FROM reports WHERE report = :report", report=report):
        return _of(row)
    raise ReportNotFound


def content_of(database: Database, report: str) -> bytes:
    """The bytes that were frozen."""
    content: str = database.query("SELECT content FROM reports WHERE report = :report", report=report)[0]["content"]
    return content.encode()


def frozen_reports(database: Database) -> list[Frozen]:
    """All frozen reports, newest first."""
    return [_of(row) for row in database.query(f"SELECT {_LISTED} FROM reports ORDER BY year DESC, serial DESC")]


def _of(row: Row) -> Frozen:
    asked = msgspec.json.decode(row["question"], type=_Asked)
    period = Period(asked.since, asked.until, asked.preset)
    return Frozen(
        report=row["report"],
        asked=ReportQuestion(asked.plan, period, asked.scope, asked.threshold, asked.seen_by),
        note=row["note"],
        position=row["position"],
        report_code=row["report_code"],
        digest=row["digest"],
        frozen_at=row["frozen_at"],
    )

"""Freezing a report: its bytes are kept for ever, under a number that is never given again."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

import msgspec

from ledger.application import Ledger
from ledger.days import civil_day
from ledger.events import Request as RequestMark
from ledger.events.people import OPERATOR, PEOPLE, Scope
from ledger.refusals import ReportNotFound
from ledger.register import written
from ledger.reports.frozen import Frozen, NewReport, freeze, frozen_report, frozen_reports
from ledger.reports.report import Report, ReportQuestion, encode
from service.access.places import Places
from service.access.principals import Principal
from service.reports.asking import At, ask_report
from service.reports.questions import may_read
from service.writes.calls import RequestContext

Answer = dict[str, Any]


def freeze_report(
    at: At, context: RequestContext, asked: ReportQuestion, note: str | None, wanted: int
) -> tuple[Answer, bool]:
    """Freeze the report as of now, every stored line read for it; answers what the contract says, and whether the
    request was answered before. Blocks. Raises `PositionNotReached`, `IdempotencyKeyReused`."""
    report = ask_report(at, asked, wanted, anew=True)
    if context.dry_run:
        told = {"report": None, "report_code": report["report_code"], "position": report["position"]}
        return told | {"frozen_at": None, "digest": hashlib.sha256(encode(report)).hexdigest()}, False
    frozen, is_replayed = keep(at.state.ledger, asked, report, context, note)
    return brief(frozen), is_replayed


def keep(
    ledger: Ledger, asked: ReportQuestion, report: Report, context: RequestContext, note: str | None = None
) -> tuple[Frozen, bool]:
    """Keep a report that was just made. Raises `IdempotencyKeyReused`."""
    assert context.mark
    content, texts = encode(report), [written(PEOPLE, note)] if note else []
    new = NewReport(
        asked=asked,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        position=report["position"],
        report_code=report["report_code"],
        frozen_at=_instant(context.at),
        frozen_by=context.principal.id,
        year=civil_day(context.at).year,
        note=texts[0].digest if texts else None,
        key=context.mark.key,
        request_digest=context.mark.digest,
    )
    return freeze(ledger.database, new, ledger.register.encrypted(texts))


def keep_for_operator(ledger: Ledger, asked: ReportQuestion, report: Report, at: datetime) -> Frozen:
    """Keep a report for whoever runs the service, at its command line."""
    operator = Principal(id=OPERATOR, name="", roles=frozenset(), scope=Scope(everything=True))
    context = RequestContext(operator, at, RequestMark(secrets.token_hex(16), ""), None, dry_run=False)
    return keep(ledger, asked, report, context)[0]


def _instant(at: datetime) -> str:
    return msgspec.json.encode(at)[1:-1].decode()


def brief(frozen: Frozen) -> Answer:
    """What freezing is answered with."""
    names = ("report", "report_code", "position", "frozen_at", "digest")
    return {name: getattr(frozen, name) for name in names}


def find(at: At, principal: Principal, places: Places, report: str) -> Frozen:
    """A frozen report that a principal may read. Blocks. Raises `ReportNotFound`, alike for one they may not."""
    frozen = frozen_report(at.state.ledger.database, report)
    if not may_read(principal, frozen.asked.scope, places):
        raise ReportNotFound
    return frozen


def listed(at: At, principal: Principal, places: Places, after: str, limit: int) -> Answer:
    """The frozen reports that a principal may read, newest first. Blocks."""
    reports = [
        frozen
        for frozen in frozen_reports(at.state.ledger.database)
        if (not after or frozen.report < after) and may_read(principal, frozen.asked.scope, places)
    ]
    page = reports[:limit]
    notes = at.state.ledger.register.texts(frozen.note for frozen in page if frozen.note)
    return {
        "items": [_line(frozen, notes.get(frozen.note or "")) for frozen in page],
        "next": page[-1].report if len(reports) > limit else None,
    }


def _line(frozen: Frozen, note: str | None) -> Answer:
    since, until, preset = frozen.asked.period
    scope = frozen.asked.scope
    place = {name: getattr(scope, name) for name in ("province", "district", "commune")}
    about: Answer = brief(frozen) | {"plan": frozen.asked.plan.code, "note": note}
    return about | {
        "period": {"from": since, "to": until, "preset": preset},
        "scope": place | {"funds": list(scope.funds) or None, "threshold": frozen.asked.threshold},
    }

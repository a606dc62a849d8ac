"""What a province spent of a plan's budget: noted, undone and listed, in the plan's own log."""

import asyncio
from collections import Counter
from typing import Any

from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.spending import Spending
from ledger.days import civil_day
from ledger.events import NO_HEAD, check_code
from ledger.events.spending import SpendingRecorded, SpendingReversed, log_of
from ledger.jobs import Job, Recorded
from ledger.plans import Plan
from ledger.register import Text, written
from service.http.refusals import Forbidden
from service.http.state import AppState
from service.reports.bodies import NewSpending, SpendingReversal
from service.reports.questions import may_spend
from service.words import catalogue
from service.writes.calls import RequestContext

Answer = dict[str, Any]


async def note(state: AppState, context: RequestContext, plan: Plan, new: NewSpending) -> Recorded:
    """Note what was spent. Raises `Forbidden`, `BudgetLineNotFound`, and what the writer raises."""
    plan.refuse_unknown_line(new.line)

    def decide(log: Spending, metadata: EntryMetadata) -> None:
        log.spend(metadata, **new.facts())

    return await _recorded(state, context, plan, new, decide)


async def undo(state: AppState, context: RequestContext, plan: Plan, version: int, why: SpendingReversal) -> Recorded:
    """Undo a note. Raises `Forbidden`, and what `Spending.reverse` and the writer raise."""

    def decide(log: Spending, metadata: EntryMetadata) -> None:
        log.reverse(metadata, version)

    return await _recorded(state, context, plan, why, decide)


async def _recorded(state: AppState, context: RequestContext, plan: Plan, body: Any, decide: Any) -> Recorded:
    if not may_spend(context.principal, plan):
        raise Forbidden
    log = log_of(plan.code)
    kept: dict[str, Text] = {kind: written(log, text) for kind, text in body.texts().items()}
    metadata = EntryMetadata(
        on=body.on or civil_day(context.at),
        recorded_at=context.at,
        recorded_by=context.principal.id,
        request=context.mark,
        texts={kind: text.digest for kind, text in kept.items()},
    )
    recorded = await state.writer.record(
        Job(
            fund=log,
            decide=lambda spending: decide(spending, metadata),
            request=context.mark,
            aggregate=Spending,
            texts=tuple(kept.values()),
            expected_version=context.expected_version,
            opens=True,
            dry_run=context.dry_run,
        )
    )
    state.acknowledged.note(recorded)
    return recorded


def told(plan: Plan, recorded: Recorded, language: str) -> Answer:
    """What was noted or undone, with a sentence."""
    (event,) = recorded.events
    answer: Answer = {
        "plan": plan.code,
        "version": recorded.version,
        "position": recorded.position,
        "type": event.name,
        "on": event.on,
        "recorded_at": event.recorded_at,
        "check_code": None if recorded.position is None else check_code(recorded.head),
    }
    if isinstance(event, SpendingRecorded):
        facts = {"line": event.line, "amount": event.amount, "document": event.document}
        said = catalogue.render("report.spending.recorded", language, plan=plan.number, on=event.on, **facts)
        return answer | facts | {"sentence": said}
    assert isinstance(event, SpendingReversed)
    said = catalogue.render("report.spending.reversed", language, on=event.on, version=event.reverses)
    return answer | {"reverses": event.reverses, "sentence": said}


async def listed(state: AppState, plan: Plan) -> Answer:
    """All that was noted, oldest first, with what undid it, and where the log stands."""

    def ask() -> Answer:
        log = Spending(log_of(plan.code))
        for entry in state.ledger.entries(log.id):
            log.apply(entry)
        sums: Counter[str] = Counter()
        items = []
        for version, event in log.recorded.items():
            undone = log.reversed_by.get(version)
            sums[event.line] += 0 if undone else event.amount
            items.append(
                {
                    "version": version,
                    "line": event.line,
                    "amount": event.amount,
                    "document": event.document,
                    "on": event.on,
                    "recorded_at": event.recorded_at,
                    "recorded_by": event.recorded_by,
                    "reversed_by": undone,
                }
            )
        code = None if log.head == NO_HEAD else check_code(log.head)
        about: Answer = {"plan": plan.code, "version": log.version, "head": log.head, "check_code": code}
        return about | {"spent": {line.line: sums[line.line] for line in plan.budget}, "items": items}

    return await asyncio.to_thread(ask)

"""The meeting: a paper sheet sent as a whole, recorded in one commit, all or nothing unless asked otherwise."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Event, MeetingHeld, check_code
from ledger.events import Request as RequestMark
from ledger.jobs import Job, Recorded
from ledger.meeting import LineOutcome, Sheet, SheetLine
from service.http.body import Body, example
from service.http.fields import AmountOrNothing, Code, Day, Number, Some
from service.http.problems import field_problem, misread, problem
from service.http.refusals import FieldError, InvalidFields
from service.words import catalogue
from service.writes.answers import entry_answer
from service.writes.calls import Call, RequestContext, digest_of, line_call
from service.writes.table import TURNS, AnyLine

MOST_LINES: Final = 500
"""A sheet has 50 to 130 lines."""


class Misread(NamedTuple):
    """A line that is not well-formed. A partial sheet is recorded without it."""

    sent: Any
    found: list[Any]


def _read(line: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(line)
    except ValidationError as error:
        return Misread(line, error.errors())


class Meeting(Body):
    """A whole meeting: who came, what lay in the box before and after, and every line of the sheet.

    `mode: partial` records what it can; a refused line that is corrected comes with a new key. `sheet` names the paper
    sheet: attendance is recorded once for each, so a corrected resend adds only what is new.
    """

    model_config = example(
        held_on="2026-01-15",
        present=[1, 2],
        by_proxy=[3],
        opening_cash=1_500_000,
        closing_cash=1_530_000,
        lines=[
            {"type": "contribution", "key": "20260115-01", "member": 1, "kind": "dues", "amount": 10_000},
            {"type": "contribution", "key": "20260115-02", "member": 2, "kind": "dues", "amount": 20_000},
        ],
    )

    held_on: Day
    present: Annotated[list[Number], Some(500)]
    by_proxy: Annotated[list[Number], Some(500, least=0)] | None = None
    opening_cash: AmountOrNothing | None = None
    closing_cash: AmountOrNothing | None = None
    lines: Annotated[list[Annotated[AnyLine, WrapValidator(_read)]], Some(MOST_LINES, least=0)]
    mode: Literal["all", "partial"] = "all"
    sheet: Annotated[str, Code("[A-Za-z0-9_-]{1,64}")] | None = None


def calls_of(meeting: Meeting, fund: str) -> tuple[dict[int, Call], dict[int, InvalidFields]]:
    """The well-formed lines as calls, and what is wrong with the others, by index."""
    calls: dict[int, Call] = {}
    unread: dict[int, InvalidFields] = {}
    lines: list[Any] = meeting.lines  # Those that could not be read are `Misread`.
    for index, line in enumerate(lines):
        if isinstance(line, Misread):
            unread[index] = misread(line.found, line.sent, index)
        elif line.key is None:
            unread[index] = InvalidFields([FieldError(f"/lines/{index}/key", "field-missing")])
        else:
            calls[index] = line_call(line, fund, meeting.held_on)
    return calls, unread


def mark_of(line: dict[str, Any], secret: bytes, sheet: str) -> RequestMark:
    """A line's own key; it counts in the whole fund, whichever sheet carried it."""
    return RequestMark(line["key"], digest_of("line", line, secret), sheet)


class MeetingAct:
    """A sheet on its way through the writer. `unread` are the lines that are not well-formed, `outcomes` those of the
    others, recorded now or before; `others` are the sheets of the same day."""

    def __init__(
        self,
        meeting: Meeting,
        fund: str,
        calls: dict[int, Call],
        marks: dict[int, RequestMark],
        unread: dict[int, InvalidFields],
        context: RequestContext,
    ) -> None:
        self.meeting = meeting
        self.fund = fund
        self.calls = calls
        self.unread = unread
        self.context = context
        self.outcomes: tuple[LineOutcome, ...] = ()
        self.others: tuple[MeetingHeld, ...] = ()
        held = Call(Fund.hold_meeting, (), {}, meeting.held_on, {})
        lines: list[Any] = meeting.lines
        self.sheet = Sheet(
            name=meeting.sheet or meeting.held_on.isoformat(),
            metadata=context.metadata(fund, held),
            lines=tuple(
                SheetLine(context.metadata(fund, call, marks[i]), _deciding(call), TURNS[lines[i].type])
                for i, call in calls.items()
            ),
            present=tuple(meeting.present),
            by_proxy=tuple(meeting.by_proxy or ()),
            opening_cash=meeting.opening_cash,
            closing_cash=meeting.closing_cash,
            partial=meeting.mode == "partial",
        )

    def job(self) -> Job:
        """The job that records the sheet."""
        return Job(
            fund=self.fund,
            decide=self._decide,
            request=self.context.mark,
            speaks_of=self._speaks_of,
            texts=tuple(text for call in self.calls.values() for text in call.texts.values()),
            expected_version=self.context.expected_version,
            several=True,
            facts=1 + len(self.calls),
            dry_run=self.context.dry_run,
        )

    def _decide(self, fund: Fund) -> None:
        self.outcomes = self.sheet.hold(fund)

    def _speaks_of(self, fund: Fund) -> tuple[Event, ...]:
        self.outcomes = self.outcomes or self.sheet.found(fund)
        same_day = fund.meetings_on(self.meeting.held_on)
        self.others = tuple(meeting for meeting in same_day if meeting.sheet != self.sheet.name)
        held = fund.meeting_of(self.sheet.name)
        return (*([held] if held else []), *(event for outcome in self.outcomes for event in outcome.events))


def _deciding(call: Call) -> Callable[[Fund, EntryMetadata], object]:
    return lambda fund, metadata: call.decide(fund, metadata, *call.numbers, **call.facts)


# --- the answer ---------------------------------------------------------------------------------------------------


def meeting_answer(act: MeetingAct, recorded: Recorded, language: str) -> dict[str, Any]:
    """What became of the sheet, line by line, and whether the box agrees with the book."""
    lines = {index: _line(index, a, recorded, language) for index, a in zip(act.calls, act.outcomes, strict=True)}
    for index, refusal in act.unread.items():
        found = problem(refusal, language) | {"errors": [field_problem(error, language) for error in refusal.errors]}
        lines[index] = {"index": index, "key": None, "status": "refused", "problem": found}
    held = [event for event in recorded.events if isinstance(event, MeetingHeld)]
    answer = entry_answer(held[0], recorded, language) if held else {"on": act.meeting.held_on}
    statuses = [line["status"] for line in lines.values()]
    return answer | {
        "fund": recorded.fund,
        "version": recorded.version,
        "type": "MeetingHeld",
        "position": recorded.position,
        "check_code": None if recorded.position is None else check_code(recorded.head),
        "sheet": act.sheet.name,
        "versions": sorted({event.version for event in (*held, *_entered(act))}),
        "totals": {status: statuses.count(status) for status in ("recorded", "replayed", "refused")},
        "cash": _cash(held[0]) if held else None,
        "warnings": _warnings(act, recorded, language),
        "lines": [lines[index] for index in sorted(lines)],
    }


def _entered(act: MeetingAct) -> list[Event]:
    """What the sheet's lines recorded, and did not find recorded before."""
    return [event for line in act.outcomes if line.status == "recorded" for event in line.events]


def _line(index: int, line: LineOutcome, recorded: Recorded, language: str) -> dict[str, Any]:
    about: dict[str, Any] = {"index": index, "key": line.key, "status": line.status}
    if line.refusal:
        return about | {"problem": problem(line.refusal, language)}
    if line.status == "refused":
        title = catalogue.render(f"refusal.{line.code}.title", language)
        return about | {"problem": {"code": line.code, "title": title}}
    return about | entry_answer(line.events[-1], recorded, language)


def _cash(held: MeetingHeld) -> dict[str, Any]:
    """What the club counted before and after, beside the book; a difference is money to look for."""
    counted = {"opening": (held.opening_cash, held.book_opening), "closing": (held.closing_cash, held.book_closing)}
    return {
        when: {"counted": found, "book": book, "difference": None if found is None else found - book}
        for when, (found, book) in counted.items()
    }


def _warnings(act: MeetingAct, recorded: Recorded, language: str) -> list[dict[str, Any]]:
    warnings = []
    if act.others:
        others = ", ".join(meeting.sheet for meeting in act.others)
        warnings.append({"code": "other-sheet-same-day", "sheets": [meeting.sheet for meeting in act.others]})
        warnings[0]["detail"] = catalogue.render("warning.other-sheet-same-day", language, sheets=others)
    if not recorded.events:
        warnings.append({"code": "nothing-new", "detail": catalogue.render("warning.nothing-new", language)})
    return warnings

"""What stands on each paper, asked of the books at one moment."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from ledger.chart import Pot
from ledger.events import CashCounted, Event, LoanRepaid, check_code, head_of
from ledger.events.governance import NOTES
from ledger.projections import journal, loans, members
from service.http.refusals import PaperTooLong
from service.papers.printing import Book
from service.reads.query import Answer
from service.reads.sheet import sheet_of

MOST_LINES: Final = 2_000
"""The longest book that is printed at once, about two busy years of a club."""

LINES_AT_ONCE: Final = 500
"""How many of them are asked for at a time."""

BLANK_LINES: Final = 6
"""Lines of a meeting's sheet for what is neither dues nor savings nor a repayment."""


def fill_voucher(book: Book, number: str) -> Answer | None:
    year = int(number[3:7])
    if not date.min.year <= year <= date.max.year:
        return None
    of_the_year = _cash_lines(book, date(year, 1, 1), min(date(year, 12, 31), book.as_of))
    line = next((line for line in of_the_year if line["voucher"] == number and not line["reverses"]), None)
    if line is None:
        return None
    entry = journal.entry(book.reader, book.fund, line["version"])
    assert entry is not None, "a line of the cash book is an entry"
    event, about = _stored(book, line["version"])
    texts = book.state.ledger.register.texts((event.texts or {}).values())
    written = {kind: texts[digest] for kind, digest in (event.texts or {}).items() if digest in texts}
    cash: dict[str, int] = {}
    for leg in entry["legs"]:
        if leg["account"] == "cash":
            cash[leg["pot"]] = cash.get(leg["pot"], 0) + abs(leg["debit"] - leg["credit"])
    return about | {
        "dated": event.on,
        "line": line,
        "title": number[:2],
        "amount": line["received"] or line["paid"],
        "pots": cash,
        "who": book.people([line["member"]]).get(line["member"]) or written.get("donor") or written.get("lender"),
        "note": written.get("note"),
        "split": event if isinstance(event, LoanRepaid) else None,
    }


def _stored(book: Book, version: int) -> tuple[Event, Answer]:
    """An entry as it is stored, and what proves it on paper: its check code, and the reversal if it was undone."""
    stored = next(book.state.ledger.entries(book.fund, after=version - 1, upto=version))
    entry = journal.entry(book.reader, book.fund, version)
    undone_by = entry and entry["reversed_by"] and journal.entry(book.reader, book.fund, entry["reversed_by"])
    return stored.event, {
        "version": version,
        "code": check_code(head_of(stored.line)),
        "recorded_at": stored.event.recorded_at,
        "undone_by": undone_by and undone_by | {"on": date.fromisoformat(undone_by["on"])},
    }


def fill_cash_book(book: Book, since: date, until: date, pot: Pot | None) -> Answer:
    ends = journal.cash_book(book.reader, book.fund, since, until, pot=pot, limit=1)
    lines = list(_cash_lines(book, since, until, pot))
    return {
        "dated": until,
        "since": since,
        "until": until,
        "pot": pot or "both",
        "opening": ends["opening"],
        "closing": ends["closing"],
        "lines": lines,
        "received": sum(line["received"] for line in lines),
        "paid": sum(line["paid"] for line in lines),
        "people": book.people(line["member"] for line in lines),
    }


def _cash_lines(book: Book, since: date, until: date, pot: Pot | None = None) -> Iterator[dict[str, Any]]:
    """The lines of the cash book. Raises `PaperTooLong`."""
    cursor, count = None, 0
    while True:
        page = journal.cash_book(book.reader, book.fund, since, until, pot=pot, cursor=cursor, limit=LINES_AT_ONCE)
        count += len(page["items"])
        if count > MOST_LINES:
            raise PaperTooLong(most=MOST_LINES)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def fill_loan_book(book: Book) -> Answer:
    listed = loans.loan_book(book.reader, book.fund, book.as_of, limit=MOST_LINES)
    if listed["next"] is not None:
        raise PaperTooLong(most=MOST_LINES)
    handed_out = [_handed_out(book, loan) for loan in listed["items"] if loan["disbursed_on"]]
    together = loans.portfolio(book.reader, book.fund, book.as_of)
    totals = ("principal", "repaid", "outstanding", "interest_due", "overdue_principal")
    return {
        "loans": handed_out,
        "totals": {name: sum(loan[name] for loan in handed_out) for name in totals},
        "together": together | {"at_risk": together["par30"]["numerator"]},
        "people": book.people(loan["member"] for loan in handed_out),
    }


def _handed_out(book: Book, loan: Mapping[str, Any]) -> Answer:
    """A line of the loan book: the loan, what was repaid of it, and since when the term in force counts."""
    planned_anew = loan["rescheduled_on"] and date.fromisoformat(loan["rescheduled_on"])
    return {**loan, "repaid": _repaid(book, loan), "rescheduled_on": planned_anew}


def _repaid(book: Book, loan: Mapping[str, Any]) -> int:
    """The principal that came back. Of a loan that was written off, the books no longer hold what did not."""
    if loan["status"] != "written_off":
        return int(loan["principal"] - loan["outstanding"])
    found = loans.loan(book.reader, book.fund, loan["loan"], book.as_of)
    assert found is not None, "a loan of the loan book is there"
    return sum(repayment["principal"] for repayment in found["repayments"])


def fill_passbook(book: Book, number: int) -> Answer | None:
    found = members.member(book.reader, book.fund, number, book.as_of)
    if found is None:
        return None
    lines = journal.statement(book.reader, book.fund, number, book.as_of)
    if len(lines) > MOST_LINES:
        raise PaperTooLong(most=MOST_LINES)
    last = lines[-1] if lines else {"savings": 0, "outstanding": 0}
    return {
        "member": found,
        "who": book.people([number])[number],
        "lines": [line | _sides(line) for line in lines],
        "savings": last["savings"],
        "outstanding": last["outstanding"],
    }


def _sides(line: Mapping[str, Any]) -> dict[str, int]:
    """On which side of the passbook a line stands; a reversal on that of what it reverses, negative (ghi số âm)."""
    moved = line["amount"]
    is_brought = (moved < 0) if line["reverses"] else (moved > 0)
    return {"brought": moved, "taken": 0} if is_brought else {"brought": 0, "taken": -moved}


def fill_cash_count(book: Book, version: int) -> Answer | None:
    entry = journal.entry(book.reader, book.fund, version)
    if entry is None or entry["type"] != CashCounted.__name__ or entry["on"] > book.as_of.isoformat():
        return None
    count, about = _stored(book, version)
    assert isinstance(count, CashCounted)
    quantities = {note: (count.notes or {}).get(str(note), 0) for note in NOTES}
    return about | {
        "dated": count.on,
        "count": count,
        "notes": quantities if count.notes else None,
        "witnesses": list(book.people(count.witnesses).values()),
    }


def fill_meeting_sheet(book: Book, day: date) -> Answer:
    sheet = sheet_of(book.state, book.fund, day)
    roll = [line | {"owed": sum(month["amount"] for month in line["dues_owed"])} for line in sheet["roll"]]
    return {
        "dated": day,
        "on": day,
        "sheet": sheet,
        "roll": roll,
        "people": book.people(loan["member"] for loan in sheet["loans"]),
        "owed": sum(line["owed"] for line in roll),
        "blank_lines": range(BLANK_LINES),
    }

"""What stands in a club's books when they are printed: the cash book, and a member's passbook."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any, Final

from ledger.chart import Pot
from ledger.projections import journal, members
from service.access.readers import note_shown, showing
from service.http.refusals import PaperTooLong
from service.papers.book_pages import in_pages
from service.papers.printing import Book
from service.reads.query import Answer
from service.words import wording

MOST_LINES: Final = 2_000
"""The longest book that is printed at once, about two busy years of a club."""

LINES_AT_ONCE: Final = 500
"""How many of them are asked for at a time."""


# --- the cash book ------------------------------------------------------------------------------------------------


def fill_cash_book(book: Book, since: date, until: date, pot: Pot | None) -> Answer:
    ends = journal.cash_book(book.reader, book.fund, since, until, pot=pot, limit=1)
    lines = list(cash_lines(book, since, until, pot))
    people = book.people(line["member"] for line in lines)
    told = [line | _told(book, line, people) for line in lines]
    return {
        "dated": until,
        "since": since,
        "until": until,
        "pot": pot or "both",
        "opening": ends["opening"],
        "closing": ends["closing"],
        "pages": in_pages(ends["opening"], told),
    }


def _told(book: Book, line: Mapping[str, Any], people: Mapping[int, str]) -> dict[str, str]:
    """A line of the cash book in words, and in which column the number of its voucher stands."""
    who = people.get(line["member"])
    side = "of_receipt" if (line["voucher"] or "").startswith("PT") else "of_payment"
    undone = book.said("undone_at", version=line["reversed_by"]) if line["reversed_by"] else ""
    return {
        "matter": f"{book.line(line)}, {who}" if who else book.line(line),
        "remark": undone,
        "of_receipt": "",
        "of_payment": "",
        side: line["voucher"] or "",
    }


def cash_lines(book: Book, since: date, until: date, pot: Pot | None = None) -> Iterator[dict[str, Any]]:
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


# --- the passbook -------------------------------------------------------------------------------------------------


def fill_passbook(book: Book, number: int) -> Answer | None:
    found = members.member(book.reader, book.fund, number, book.as_of)
    if found is None:
        return None
    lines = journal.statement(book.reader, book.fund, number, book.as_of)
    if len(lines) > MOST_LINES:
        raise PaperTooLong(most=MOST_LINES)
    last = lines[-1] if lines else {"savings": 0, "outstanding": 0}
    with showing([number]):
        note_shown()  # Also of one whose name was erased.
    return {
        "member": found,
        "who": book.people([number])[number],
        "lines": [_passbook_line(book, together) for together in _dues_together(lines)],
        "savings": last["savings"],
        "outstanding": last["outstanding"],
    }


def _dues_together(lines: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The lines of a passbook, dues for several months that were paid at once as one."""

    def at_once(line: Mapping[str, Any]) -> object:
        are_dues = line["type"] == "ContributionReceived" and line["for_month"] and not line["reversed_by"]
        return line["on"] if are_dues else line["version"]

    return (list(together) for _, together in groupby(lines, at_once))


def _passbook_line(book: Book, together: list[Mapping[str, Any]]) -> Answer:
    last = together[-1]
    sides = [_sides(line) for line in together]
    return {
        "on": last["on"],
        "matter": _matter(book, together),
        "vouchers": ", ".join(line["voucher"] for line in together if line["voucher"]),
        "reversed_by": last["reversed_by"],
        "brought": sum(side["brought"] for side in sides),
        "taken": sum(side["taken"] for side in sides),
        "savings": last["savings"],
        "outstanding": last["outstanding"],
    }


def _matter(book: Book, together: list[Mapping[str, Any]]) -> str:
    """What the line was about; of a repayment also what it consisted of, and that it went through the bank."""
    line = together[-1]
    if len(together) > 1:
        months = ", ".join(wording.month(each["for_month"], book.language) for each in together)
        return book.said("line.dues_for_months", months=months)
    matter = book.line(line)
    if line["type"] in ("LoanRepaid", "SavingsSetOff"):
        given_up = line["written_off"]
        matter += f" ({book.split(line['principal'] - given_up, line['interest'], given_up)})"
    elif line["waived"]:
        matter += f" ({book.phrase('line.interest', interest=line['waived'])})"
    elif line["written_off"]:
        matter += f" ({book.phrase('line.principal', principal=line['written_off'])})"
    return f"{matter}, {book.phrase('line.by_bank')}" if line["amount"] and not line["voucher"] else matter


def _sides(line: Mapping[str, Any]) -> dict[str, int]:
    """On which side of the passbook a line stands; a reversal on that of what it reverses, negative (ghi số âm)."""
    moved = line["amount"]
    is_brought = (moved < 0) if line["reverses"] else (moved > 0)
    return {"brought": moved, "taken": 0} if is_brought else {"brought": 0, "taken": -moved}

"""What stands on the sheet that a club fills in by hand at a meeting."""

from datetime import date
from typing import Any, Final

from ledger.chart import POTS
from ledger.projections import balances
from service.papers.printing import Book
from service.reads.query import Answer
from service.reads.sheet import sheet_of

BLANK_LINES: Final = 6
"""Lines for what is neither dues nor savings nor a repayment."""


def fill_meeting_sheet(book: Book, day: date) -> Answer:
    sheet = sheet_of(book.state, book.reader, book.fund, day)
    born = book.namesakes()
    pots = balances.balances(book.reader, book.fund, day)["pots"]
    return {
        "dated": day,
        "sheet": sheet,
        "roll": [_on_the_roll(line, born) for line in sheet["roll"]],
        "people": book.people(loan["member"] for loan in sheet["loans"]),
        "due": sum(loan["due"] for loan in sheet["loans"]),
        "cash": {pot: pots[pot]["cash"] for pot in POTS},
        "blank_lines": range(BLANK_LINES),
    }


def _on_the_roll(line: dict[str, Any], born: dict[int, int]) -> Answer:
    asked = sum(month["amount"] for month in line["dues_owed"])
    return line | {"asked": asked, "born": born.get(line["member"])}

"""What stands on a phiếu thu or phiếu chi, on the slip of a move between the pots, and on that of a reversal."""

from datetime import date
from typing import Any

from ledger.chart import amount_moved
from ledger.events import (
    AdvanceReceived,
    AdvanceRepaid,
    BankDeposited,
    BankWithdrawn,
    CashCounted,
    EntryReversed,
    Event,
    LoanRepaid,
    PotTransferred,
    Voucher,
)
from ledger.projections import journal
from service.papers.books import cash_lines
from service.papers.entries import entered_instead, entry_of
from service.papers.printing import Book
from service.reads.query import Answer
from service.words import catalogue, wording


def fill_voucher(book: Book, number: str) -> Answer | None:
    year = int(number[3:7])
    if not date.min.year <= year <= date.max.year:
        return None
    of_the_year = cash_lines(book, date(year, 1, 1), min(date(year, 12, 31), book.as_of))
    line = next((line for line in of_the_year if line["voucher"] == number and not line["reverses"]), None)
    found = line and entry_of(book, line["version"], Voucher)
    if not line or not found:
        return None
    event, about = found
    return about | {
        "title": number[:2],
        "amount": line["received"] or line["paid"],
        "pots": _cash_by_pot(about["line"]),
        "matter": _matter(book, event, about),
        "has_a_party": not isinstance(event, CashCounted),
        "who": _party(book, event, about),
        "by_hand_of": _by_hand_of(book, event, about),
        "document": getattr(event, "document", None),
    }


def _cash_by_pot(line: Answer) -> dict[str, int]:
    cash: dict[str, int] = {}
    for leg in line["legs"]:
        if leg["account"] == "cash":
            cash[leg["pot"]] = cash.get(leg["pot"], 0) + abs(leg["debit"] - leg["credit"])
    return cash


def _matter(book: Book, event: Event, about: Answer) -> str:
    """What the money was for: the kind of entry, what a repayment consists of, and what was noted."""
    matter = book.line(about["line"])
    if isinstance(event, LoanRepaid):
        matter += f" ({book.split(event.principal, event.interest, event.forgiven)})"
    return f"{matter}: {note}" if (note := about["written"].get("note")) else matter


def _party(book: Book, event: Any, about: Answer) -> str | None:
    """Who paid or received; None if nobody knows, so that it can be written in by hand."""
    if (member := about["line"]["member"]) is not None:
        return book.people([member])[member]
    if isinstance(event, BankDeposited | BankWithdrawn):
        return wording.capitalised(catalogue.word("office", "treasurer", book.language))
    if isinstance(event, AdvanceRepaid):
        return _lender(book, event.advance)
    if getattr(event, "source", None) == "anonymous":
        return wording.capitalised(catalogue.word("source", "anonymous", book.language))
    named: str | None = about["written"].get("donor") or about["written"].get("lender")
    return named


def _lender(book: Book, advance: int) -> str | None:
    """Who lent the club the advance with this number."""
    received = journal.entries(book.reader, book.fund, types=[AdvanceReceived.__name__], limit=500)["items"]
    for line in received:
        found = entry_of(book, line["version"], AdvanceReceived)
        if found and found[0].advance == advance:
            lender: str | None = found[1]["written"].get("lender")
            return lender
    return None


def _by_hand_of(book: Book, event: Any, about: Answer) -> str | None:
    """Who brought or fetched the money for the member."""
    number = getattr(event, "paid_by", None)
    if number is not None:
        return book.people([number])[number]
    name: str | None = about["written"].get("paid_by")
    return name


def fill_pot_transfer(book: Book, version: int) -> Answer | None:
    found = entry_of(book, version, PotTransferred)
    if found is None:
        return None
    event, about = found
    return about | {"transfer": event}


def fill_reversal(book: Book, version: int) -> Answer | None:
    found = entry_of(book, version, EntryReversed)
    if found is None:
        return None
    event, about = found
    undone = journal.entry(book.reader, book.fund, event.reverses)
    assert undone is not None, "a reversal comes after what it reverses"
    member = about["line"]["member"]
    return about | {
        "reversal": event,
        "legs": event.posted,
        "undone": undone | {"on": date.fromisoformat(undone["on"]), "matter": book.line(undone)},
        "amount": amount_moved(event.posted),
        "instead": entered_instead(book, about["line"]),
        "who": book.people([member]).get(member),
    }

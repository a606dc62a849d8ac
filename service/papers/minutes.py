"""What stands in minutes: of a cash count, of a handover of the box, and of goods that were given."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from ledger.events import CashCounted, InKindDonationReceived, OfficeLeft, OfficeTaken
from ledger.events.governance import NOTES, Office
from ledger.projections import balances, journal
from service.papers.books import cash_lines
from service.papers.entries import entry_of
from service.papers.printing import Book
from service.reads.query import Answer

BOARD: Final[tuple[Office, ...]] = ("treasurer", "accountant", "chair")
"""Who is present when money is counted or goods are handed over."""


def fill_cash_count(book: Book, version: int) -> Answer | None:
    found = entry_of(book, version, CashCounted)
    if found is None:
        return None
    count, about = found
    is_handover = count.reason == "handover"
    return about | {
        "count": count,
        "notes": {note: (count.notes or {}).get(str(note), 0) if count.notes else None for note in NOTES},
        "board": _board(book, count.on),
        "witnesses": list(book.people(count.witnesses).values()),
        "handed_over": _handed_over(book, count) if is_handover else None,
    }


def _handed_over(book: Book, count: CashCounted) -> Answer:
    """What goes with the box: the vouchers of the year, and what lies at the bank, by pot."""
    lines = cash_lines(book, date(count.on.year, 1, 1), count.on)
    numbers = sorted({line["voucher"] for line in lines if line["voucher"] and line["version"] <= count.version})
    pots = balances.balances(book.reader, book.fund, count.on)["pots"]
    return {
        "vouchers": {kind: [number for number in numbers if number.startswith(kind)] for kind in ("PT", "PC")},
        "bank": {pot: held["bank"] for pot, held in pots.items()},
    }


def fill_goods(book: Book, version: int) -> Answer | None:
    found = entry_of(book, version, InKindDonationReceived)
    if found is None:
        return None
    gift, about = found
    return about | {"gift": gift, "donor": about["written"].get("donor"), "board": _board(book, gift.on)}


def _board(book: Book, on: date) -> dict[Office, str | None]:
    """Who held these offices at the end of a day; None where nobody did."""
    told = sorted(_told_of_offices(book, on), key=lambda line: (line["on"], line["version"]))
    holders: dict[str, int] = {}
    for line in told:
        if line["type"] == OfficeTaken.__name__:
            holders[line["part"]] = line["member"]
        elif holders.get(line["part"]) == line["member"]:
            del holders[line["part"]]
    people = book.people(holders.get(office) for office in BOARD)
    return {office: people.get(holders.get(office, 0)) for office in BOARD}


def _told_of_offices(book: Book, on: date) -> Iterable[Answer]:
    for kind in (OfficeTaken, OfficeLeft):
        yield from journal.entries(book.reader, book.fund, types=[kind.__name__], until=on, limit=500)["items"]

"""What stands on the papers of lending: the loan book, a request for a loan, a note of debt, minutes of a write-off."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from ledger.events import Event, LoanDisbursed, LoanRequested, LoanWrittenOff
from ledger.projections import journal, loans, members
from service.http.refusals import PaperTooLong
from service.papers.books import MOST_LINES
from service.papers.entries import E, entry_of
from service.papers.printing import Book
from service.reads.query import Answer

Settled = Literal["in_period", "all"]
"""Which of the loans that nothing is owed of any more stand in the loan book."""


def fill_loan_book(book: Book, since: date, settled: Settled) -> Answer:
    listed = loans.loan_book(book.reader, book.fund, book.as_of, limit=MOST_LINES)
    if listed["next"] is not None:
        raise PaperTooLong(most=MOST_LINES)
    handed_out = [
        loan | {"rescheduled_on": loan["rescheduled_on"] and date.fromisoformat(loan["rescheduled_on"])}
        for loan in listed["items"]
        if loan["disbursed_on"] and (settled == "all" or (loan["closed_on"] or "9999") >= since.isoformat())
    ]
    together = loans.portfolio(book.reader, book.fund, book.as_of)
    totals = ("principal", "principal_repaid", "interest_paid", "outstanding", "interest_due", "overdue_principal")
    return {
        "since": since,
        "settled": settled,
        "loans": handed_out,
        "totals": {name: sum(loan[name] for loan in handed_out) for name in totals},
        "together": together | {"at_risk": together["par30"]["numerator"]},
        "people": book.people(who for loan in handed_out for who in (loan["member"], loan["guarantor"])),
    }


def fill_loan_request(book: Book, number: int) -> Answer | None:
    loan = loans.loan(book.reader, book.fund, number, book.as_of)
    found = loan and _entry_of_loan(book, number, LoanRequested)
    return found and _proven(found) | _parties(book, loan)


def fill_loan_note(book: Book, number: int) -> Answer | None:
    """The note as it was agreed when the money was handed out, whatever was planned anew since. A loan of an old
    club's books has no entry of its own."""
    known = loans.loan(book.reader, book.fund, number, book.as_of)
    if known is None or known["disbursed_on"] is None:
        return None
    on = date.fromisoformat(known["disbursed_on"])
    loan = loans.loan(book.reader, book.fund, number, on) or known
    found = _entry_of_loan(book, number, LoanDisbursed)
    interest = sum(instalment["interest"] for instalment in loan["plan"])
    return _proven(found) | _parties(book, loan) | {"dated": on, "interest": interest}


def fill_write_off(book: Book, version: int) -> Answer | None:
    found = entry_of(book, version, LoanWrittenOff)
    if found is None:
        return None
    event, about = found
    loan = loans.loan(book.reader, book.fund, event.loan, event.on)
    return about | _parties(book, loan) | {"write_off": event, "reason": about["written"].get("reason")}


def _entry_of_loan(book: Book, number: int, kind: type[E]) -> tuple[E, Answer] | None:
    """The latest entry of this kind that is about the loan; one that was undone only if no other is there."""
    told = journal.entries(book.reader, book.fund, types=[kind.__name__], loan=number)["items"]
    latest = sorted(told, key=lambda line: (line["reversed_by"] is None, line["version"]))[-1:]
    for line in latest:
        return entry_of(book, line["version"], kind)
    return None


def _proven(found: tuple[Event, Answer] | None) -> Answer:
    return found[1] if found else {"undone_by": None, "line": None}


def _parties(book: Book, loan: Mapping[str, Any] | None) -> Answer:
    """A loan, and who has to do with it."""
    assert loan, "an entry about a loan is told of a loan"
    people = book.people([loan["member"], loan["guarantor"]])
    borrower = members.member(book.reader, book.fund, loan["member"])
    assert borrower, "a borrower is a member"
    return {
        "loan": loan,
        "who": people[loan["member"]],
        "born": borrower["birth_year"],
        "guarantor": people.get(loan["guarantor"]),
    }

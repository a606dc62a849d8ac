"""What can be chosen in a form: members of the roll, loans that are open to it, months; and amounts that are likely."""

from collections.abc import Iterator
from typing import Any, Final

from ledger.days import add_months
from ledger.projections import funds, loans
from service.pages.club import roll_of
from service.pages.forms import Form, Question
from service.pages.typed import Typed
from service.papers.printing import Book
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery

OPEN_LOANS: Final = {"disbursement": "approved", "recovery": "written_off"}
"""The state of the loans that a form is about; running where none is named."""

MONTHS_BACK: Final = 14
MONTHS_AHEAD: Final = 6


def choices_for(query: FundQuery, book: Book, what: str, form: Form, typed: Typed) -> Answer:
    """What a form offers: `{roll, loans, months, proposals, chosen}`. `proposals` are amounts that are likely, each
    with its key in the catalogue; `chosen` is the member whom it is about, if that is known."""
    kinds = {asked.kind for asked in form.every_question()}
    offered: Answer = {"roll": [], "loans": [], "months": [], "proposals": [], "chosen": None, "names": {}}
    if kinds & {"member", "members"}:
        offered["roll"] = roll_of(query, book)
    if "loan" in kinds:
        listed = loans.loan_book(book.reader, query.fund, query.as_of, status=OPEN_LOANS.get(what, "running"))["items"]
        listed += _loans_named(query, book, form, typed, {loan["loan"] for loan in listed})
        offered |= with_names(query, book.reader, {"loans": listed}, listed)
    if kinds & {"month", "months"}:
        first = query.as_of.replace(day=1)
        offered["months"] = [f"{add_months(first, -n):%Y-%m}" for n in range(-MONTHS_AHEAD, MONTHS_BACK)]
    offered["chosen"] = _chosen(offered, typed)
    if what in ("repayment", "contribution"):
        offered["proposals"] = list(_proposals(query, book, what, typed))
    return offered


def _loans_named(query: FundQuery, book: Book, form: Form, typed: Typed, listed: set[int]) -> Iterator[Answer]:
    """Loans that a form names and that are not in the state it is about: settled since by the very entry."""
    asked: Iterator[Question] = (asked for asked in form.every_question() if asked.kind == "loan")
    for text in (typed.get(each.name, "") for each in asked):
        number = int(text) if text.isdecimal() and len(text) <= 9 else 0
        if number and number not in listed and (found := loans.loan(book.reader, query.fund, number, query.as_of)):
            yield found


def _chosen(offered: Answer, typed: Typed) -> Answer | None:
    """Whom the form is about: the member named, or the one whose loan is named."""
    member, loan = typed.get("member"), typed.get("loan")
    if loan:
        member = next((str(each["member"]) for each in offered["loans"] if str(each["loan"]) == loan), None)
        name = offered["names"].get(int(member)) if member else None
        return {"member": int(member), "name": name} if member else None
    return next((each for each in offered["roll"] if str(each["member"]) == member), None)


def _proposals(query: FundQuery, book: Book, what: str, typed: Typed) -> Iterator[dict[str, Any]]:
    if what == "repayment" and typed.get("loan"):
        running = loans.due(book.reader, query.fund, query.as_of)
        due = next((each for each in running if str(each["loan"]) == typed["loan"]), None)
        if due:
            for name in ("due", "settlement_amount"):
                if due[name]:
                    yield {"name": name, "amount": due[name]}
    club = funds.fund(book.reader, query.fund, query.as_of)
    dues = club["bylaws"]["monthly_dues"] if club and club["bylaws"] else 0
    if what == "contribution" and dues and typed.get("kind", "dues") == "dues":
        yield {"name": "dues", "amount": dues}

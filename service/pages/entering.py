"""Recording on a page: choose what happened, answer the questions, hear it read back, record it."""

from collections import Counter
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.chart import Account
from ledger.jobs import Recorded
from ledger.projections import balances
from ledger.refusals import NotFound
from service.access.roles import WRITERS, admitted
from service.pages.club import CLUB, club_page
from service.pages.forms import EVERYDAY, FORMS
from service.pages.layout import PageRoute
from service.pages.steps import Asking, add_form
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW: Final = CLUB + "/entries/new"
PRESET: Final = frozenset({"member", "loan", "advance", "kind"})
"""What an address may answer beforehand."""
OPENING: Final = "opening_balances"
"""What is recorded before any other money, or never."""
HELD: Final[tuple[Account, ...]] = ("cash", "bank", "loans", "equipment", "savings", "advances")
"""What an old book is about."""


@router.get(NEW, dependencies=[Depends(admitted(WRITERS))])
async def chooser(request: Request, query: AtPoint) -> Response:
    """What happened? What is recorded most comes first."""
    roles = query.principal.roles
    open_to_me = [what for what, form in FORMS.items() if form.write.roles & roles]
    member = request.query_params.get("member", "")
    return await club_page(
        request,
        query,
        "chooser",
        _begun,
        everyday=[what for what in EVERYDAY if what in open_to_me],
        others=[what for what in open_to_me if what not in (*EVERYDAY, OPENING)],
        preset=f"?member={member}" if member.isdecimal() else "",
    )


def _begun(book: Book) -> Answer:
    """Whether it is too late for an old club's books to be taken over."""
    return {"begun": balances.books_have_begun(book.reader, book.fund)}


async def _entry(request: Request, query: AtPoint, what: str) -> Asking:
    """The form of one entry; empty, or with what the address answers."""
    if what not in FORMS:
        raise NotFound
    given = {name: text for name, text in request.query_params.items() if name in PRESET and len(text) <= 40}
    asking = Asking(f"/clubs/{query.fund}/entries/new/{what}", what, FORMS[what], known=given)
    if what != OPENING:
        return asking
    return asking._replace(template="opening-balances", fill=_begun, check="opening-balances-check", shown=_taken_over)


def _taken_over(recorded: Recorded, _: Book) -> Answer:
    """What would be taken over: what each account holds, in đồng, debts too as they are spoken of."""
    (books,) = recorded.events
    held = Counter[str]()
    for leg in books.legs():
        held[leg.account] += abs(leg.amount)
    return {"held": {account: held[account] for account in HELD}, "books": books}


add_form(router, NEW + "/{what}", _entry, WRITERS)

"""Which paper to print, and of what period. The papers themselves are those of `/v1`."""

from datetime import date
from typing import Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from ledger.days import add_months
from ledger.projections import journal
from service.access.roles import DECIDERS, READERS, admitted
from service.pages.club import CLUB, club_page, next_meeting
from service.pages.layout import PageRoute, see_other
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer

router = APIRouter(route_class=PageRoute, include_in_schema=False)

COUNTS_SHOWN: Final = 6


@router.get(CLUB + "/papers", dependencies=[Depends(admitted(READERS))])
async def papers(request: Request, query: AtPoint) -> Response:
    """The papers of a club: the books of a period, the sheet for the next meeting, minutes; and closing the books."""
    today = query.state.today()

    def ask(book: Book) -> Answer:
        counts = journal.entries(book.reader, book.fund, types=("CashCounted",), limit=COUNTS_SHOWN)["items"]
        closed = journal.entries(book.reader, book.fund, types=("PeriodClosed",), limit=1)["items"]
        return {"counts": counts, "closed": closed[0] if closed else None}

    return await club_page(
        request,
        query,
        "papers",
        ask,
        today=today,
        months=[(this_month.isoformat(), _end(this_month, today)) for this_month in _months(today)],
        next_meeting=lambda club: next_meeting(club["bylaws"], today),
        decides=bool(query.principal.roles & DECIDERS),
    )


def _months(today: date) -> list[date]:
    """The first days of this month and of the one before."""
    first = today.replace(day=1)
    return [first, add_months(first, -1)]


def _end(first: date, today: date) -> str:
    last = date.fromordinal(add_months(first, 1).toordinal() - 1)
    return min(last, today).isoformat()


@router.get(CLUB + "/papers/{paper}", dependencies=[Depends(admitted(READERS))])
async def printed(
    request: Request, query: AtPoint, paper: Literal["cash-book", "loan-book", "meeting-sheet"]
) -> Response:
    """Go to the paper that a form asks for; a field that was left empty asks for nothing."""
    asked = {name: text for name, text in request.query_params.items() if text}
    return see_other(f"/v1/funds/{query.fund}/papers/{paper}{'?' if asked else ''}{urlencode(asked)}")

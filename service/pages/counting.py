"""Counting the box, note by note. What the book expects is shown only when all is counted."""

from typing import Final

from fastapi import APIRouter, Request

from ledger.events import CashCounted
from ledger.events.governance import NOTES
from ledger.jobs import Recorded
from ledger.projections import funds
from service.access.roles import COUNTERS, WRITERS
from service.pages.club import CLUB
from service.pages.forms import Form, write_at
from service.pages.inspecting import COUNTED, visit_address, visit_of
from service.pages.layout import PageRoute
from service.pages.steps import Asking, add_form, receipt_address
from service.pages.typed import Typed
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer

router = APIRouter(route_class=PageRoute, include_in_schema=False)

COUNT: Final = Form(
    write_at("cash-counts"), (*(f"notes.{note}" for note in NOTES), "pot", "reason", "witnesses"), ("on",)
)


async def _count(request: Request, query: AtPoint) -> Asking:
    """Notes and pieces, and why they are counted: a treasurer at a meeting, an inspector by surprise. A count that is
    part of a visit carries that along, and leads back to it."""
    visit = request.query_params.get("visit")
    reason = "periodic" if query.principal.roles & WRITERS and visit is None else "surprise"
    return Asking(
        f"/clubs/{query.fund}/cash-count",
        "cash-count",
        COUNT,
        known={"reason": reason} | ({} if visit is None else {"visit": visit}),
        template="cash-count",
        check="cash-count-check",
        shown=_compared,
        leads_to=_back,
    )


def _back(recorded: Recorded, typed: Typed) -> str:
    """The receipt, or the visit that the count is part of."""
    if "visit" not in typed:
        return receipt_address(recorded)
    return visit_address(recorded.fund, visit_of(typed["visit"]) | {COUNTED: str(recorded.version)})


def _compared(recorded: Recorded, book: Book) -> Answer:
    """What was counted beside what the book expects, and what kind of slip such a difference often is."""
    counted = recorded.events[-1]
    assert isinstance(counted, CashCounted)
    club = funds.fund(book.reader, book.fund, counted.on)
    dues = club["bylaws"]["monthly_dues"] if club and club["bylaws"] else 0
    return {"counted": counted, "slip": slip_of(counted.difference, dues)}


def slip_of(difference: int, dues: int) -> str | None:
    """The slip that a difference in đồng looks like: one member's `dues` that were paid and not recorded, or the other
    way round; two digits written in each other's place, which is always a multiple of nine. None if like neither."""
    if not difference:
        return None
    if abs(difference) == dues:
        return "dues"
    return "digits" if difference % 9 == 0 else None


add_form(router, CLUB + "/cash-count", _count, COUNTERS)

"""The bylaws in force in plain words, those before them, and new ones, which the chair may write down."""

import asyncio
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.projections import funds, journal
from ledger.projections.tables import Reader
from service.access.roles import DECIDERS, FIGURE_READERS, MEMBERS, admitted
from service.pages.club import CLUB, MOST, club_page
from service.pages.forms import Form, write_at
from service.pages.layout import PageRoute, language_for
from service.pages.steps import Asking, add_form, ask
from service.pages.typed import typed_of
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer
from service.writes.bodies.club import Bylaws

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW_BYLAWS: Final = Form(write_at("bylaws"), tuple(Bylaws.model_fields), ("on",))


async def _new_bylaws(request: Request, query: AtPoint) -> Asking:
    """New bylaws, beginning with the ones in force."""

    def in_force(reader: Reader) -> Answer | None:
        club = funds.fund(reader, query.fund, query.as_of)
        return club and {"bylaws": club["bylaws"] or {}}

    found = await asyncio.to_thread(query.ask, in_force)
    known = typed_of(NEW_BYLAWS.every_question(), found.figures["bylaws"], language_for(request))
    return Asking(
        f"/clubs/{query.fund}/bylaws",
        "bylaws",
        NEW_BYLAWS,
        known=known,
        template="bylaws",
        fill=lambda book: _before(book) | {"decides": True},
    )


def _before(book: Book) -> Answer:
    """When bylaws were adopted, the latest first."""
    return {"adopted": journal.entries(book.reader, book.fund, types=("BylawsAdopted",), limit=MOST)["items"]}


@router.get(CLUB + "/bylaws", dependencies=[Depends(admitted(FIGURE_READERS | MEMBERS))])
async def bylaws(request: Request, query: AtPoint) -> Response:
    """What the club has agreed upon; and for the chair, the form of what comes next."""
    if query.principal.roles & DECIDERS:
        return await ask(request, query, await _new_bylaws(request, query))
    return await club_page(request, query, "bylaws", _before, decides=False, reads_entries=query.sees_people)


add_form(router, CLUB + "/bylaws", _new_bylaws, DECIDERS, asked_by=None)

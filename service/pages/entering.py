"""Recording on a page: choose what happened, answer the questions, hear it read back, record it."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.refusals import NotFound
from service.access.roles import WRITERS, admitted
from service.pages.club import CLUB, club_page
from service.pages.forms import EVERYDAY, FORMS
from service.pages.layout import PageRoute
from service.pages.steps import Asking, add_form
from service.reads.dependencies import AtPoint

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW: Final = CLUB + "/entries/new"
PRESET: Final = frozenset({"member", "loan", "advance", "kind"})
"""What an address may answer beforehand."""


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
        lambda book: {},
        everyday=[what for what in EVERYDAY if what in open_to_me],
        others=[what for what in open_to_me if what not in EVERYDAY],
        preset=f"?member={member}" if member.isdecimal() else "",
    )


async def _entry(request: Request, query: AtPoint, what: str) -> Asking:
    """The form of one entry; empty, or with what the address answers."""
    if what not in FORMS:
        raise NotFound
    given = {name: text for name, text in request.query_params.items() if name in PRESET and len(text) <= 40}
    return Asking(f"/clubs/{query.fund}/entries/new/{what}", what, FORMS[what], known=given)


add_form(router, NEW + "/{what}", _entry, WRITERS)

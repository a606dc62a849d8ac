"""An inspector's visit: a sample drawn by a public number, the list to tick off, the surprise count, and the finding.

How far a visit has come stands in its address, so that it can be sent, printed and gone back to; nothing is kept, and
nothing is recorded before the count and the finding are.
"""

import asyncio
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.events import CashCounted, Draw, decode
from ledger.projections import funds
from ledger.projections.tables import Reader
from service.access.roles import INSPECTORS, admitted
from service.http.problems import fitted, problem_with_errors
from service.http.refusals import InvalidFields
from service.inspection.samples import told_answer
from service.pages.club import CLUB, club_page
from service.pages.forms import Form, write_at
from service.pages.layout import PageRoute, language_for, see_other
from service.pages.steps import Asking, add_form
from service.pages.typed import Typed, body_of, wrong_fields
from service.reads.dependencies import AtPoint
from service.reads.query import Answer, FundQuery
from service.writes.bodies.inspections import Inspection

router = APIRouter(route_class=PageRoute, include_in_schema=False)

VISIT: Final = CLUB + "/inspection"
ASKED: Final = ("sample.seed", "sample.vouchers", "sample.loans")
PERIOD: Final = ("sample.from", "sample.to")
PINNED: Final = "sample.known_version"
"""The draw is of the entries up to this one, whatever is recorded while the list is looked at."""
LOT: Final = Form(write_at("inspections"), ASKED, PERIOD)
FINDING: Final = Form(write_at("inspections"), ("kind", "finding", *ASKED, PINNED, *PERIOD), ("note", "on"))
USUAL: Final[Typed] = {"sample.vouchers": "10", "sample.loans": "3"}
COUNTED: Final = "count"
"""The entry of the surprise count."""
STATE: Final = (*ASKED, PINNED, *PERIOD, COUNTED)


# --- how far a visit has come -------------------------------------------------------------------------------------


def visit_of(text: str) -> Typed:
    """The state of a visit as it was carried along in a form or an address; whatever else it holds is dropped."""
    return {name: value[:80] for name, value in parse_qsl(text, max_num_fields=40) if name in STATE}


def visit_address(fund: str, visit: Typed) -> str:
    """Where a visit goes on."""
    return f"/clubs/{fund}/inspection{'?' if visit else ''}{urlencode(visit)}"


# --- the visit ----------------------------------------------------------------------------------------------------


@router.get(VISIT, dependencies=[Depends(admitted(INSPECTORS))])
async def visit(request: Request, query: AtPoint) -> Response:
    """Where a sample is asked for; with a number to draw by, what was drawn; and what is still to be done."""
    its = visit_of(request.url.query)
    if not any(its.get(name) for name in ASKED):
        return await _shown(request, query, its)
    try:
        asked = fitted(Inspection, {"kind": "sample"} | body_of(_lot_of(its), its))
    except InvalidFields as refusal:
        return await _shown(request, query, its, refusal=refusal)
    draw: Draw = asked.facts()["sample"]
    latest = query._replace(known_version=None, known_at=None)

    def ask(reader: Reader) -> Answer:
        standing = funds.standing(reader, query.fund)
        assert standing, "a query has a standpoint"
        if draw.known_version is None:
            return {"pinned": standing["version"]}
        pinned = msgspec.structs.replace(draw, known_version=min(draw.known_version, standing["version"]))
        return {"sample": told_answer(pinned, query.fund, reader, query.state.ledger.recorder)}

    found = (await asyncio.to_thread(latest.ask, ask)).figures
    if "pinned" in found:
        return see_other(visit_address(query.fund, its | {PINNED: str(found["pinned"])}))
    return await _shown(request, query, its, sample=found["sample"])


def _lot_of(its: Typed) -> Form:
    """The questions that are answered: what was drawn from is among them from the second look on."""
    return LOT._replace(asked=(*ASKED, PINNED)) if its.get(PINNED) else LOT


async def _shown(
    request: Request,
    query: FundQuery,
    its: Typed,
    *,
    sample: Answer | None = None,
    refusal: InvalidFields | None = None,
) -> Response:
    found = problem_with_errors(refusal, language_for(request), body_of(LOT, its)) if refusal else None
    asked, period = LOT.questions()
    counted = await asyncio.to_thread(_counted, query, its.get(COUNTED, ""))
    response = await club_page(
        request,
        query,
        "inspection",
        lambda book: {},
        what="inspection",
        asked=asked,
        folded=period,
        typed=its if any(its.values()) else USUAL,
        visit=urlencode(its),
        sample=sample,
        counted=counted,
        problem=found,
        wrong=wrong_fields(found.get("errors", ()) if found else ()),
        today=query.state.today().isoformat(),
    )
    if found:
        response.status_code = 422
    return response


def _counted(query: FundQuery, version: str) -> CashCounted | None:
    """The count of this visit, as it is in the book."""
    number = int(version) if version.isdecimal() and len(version) <= 9 else 0
    lines = query.state.ledger.recorder.lines(query.fund, number - 1, number) if number else []
    event = decode(lines[0]) if lines else None
    return event if isinstance(event, CashCounted) else None


# --- the finding --------------------------------------------------------------------------------------------------


async def _finding(request: Request, query: AtPoint) -> Asking:
    """What was found, and which sample was looked at: the fund draws it again when it is recorded."""
    its = visit_of(request.url.query)
    known = {name: text for name, text in its.items() if name != COUNTED and text}
    return Asking(
        f"/clubs/{query.fund}/inspection/finding",
        "inspection",
        FINDING,
        known=known | {"kind": "sample" if "sample.seed" in known else "focal", "visit": urlencode(its)},
        template="inspection-finding",
    )


add_form(router, VISIT + "/finding", _finding, INSPECTORS)

"""The chair's decisions on loan requests: what the rules say of each; approve, reject, or approve as an exception."""

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.projections import loans
from ledger.projections.tables import Reader
from ledger.refusals import IdempotencyKeyReused, NotFound, Refusal
from service.access.roles import DECIDERS, admitted
from service.http.problems import problem, problem_with_errors, refusal_for
from service.pages.club import CLUB, MOST, club_page
from service.pages.forms import Form, write_at
from service.pages.layout import PageRoute, language_for, see_other
from service.pages.steps import Asking, Prepared, already, new_key, receipt_address
from service.pages.typed import Typed, typed_in, wrong_fields
from service.reads.dependencies import AtPoint
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DECISIONS: Final[Mapping[str, Form]] = {
    "approve": Form(write_at("loans/{loan}/approval"), ()),
    "override": Form(write_at("loans/{loan}/approval"), ("override.reason",)),
    "reject": Form(write_at("loans/{loan}/rejection"), ("reason",)),
}
"""What may be decided, by the button for it."""

DECIDING: Final = [Depends(admitted(DECIDERS))]


def _prepared(request: Request, query: FundQuery, act: str, loan: int, typed: Typed) -> Prepared:
    asking = Asking(f"/clubs/{query.fund}/approvals", "approvals", DECISIONS[act], numbers={"loan": loan}, check="")
    return Prepared(request, query, asking, typed)


@router.get(CLUB + "/approvals", dependencies=DECIDING, name="loan_book")
async def approvals(request: Request, query: AtPoint) -> Response:
    """The requests that wait, each with what the rules say about it today."""
    return await _shown(request, query)


@router.post(CLUB + "/approvals", dependencies=DECIDING, name="loan_book")
async def decide(request: Request, query: AtPoint) -> Response:
    """Record one decision, once, and show its receipt."""
    typed = await typed_in(request)
    act, loan = typed.pop("act", ""), typed.pop("loan", "")
    if act not in DECISIONS or not (loan.isdecimal() and len(loan) <= 9):
        raise NotFound
    prepared = _prepared(request, query, act, int(loan), typed)
    try:
        recorded = await prepared.recorded(dry_run=False)
    except IdempotencyKeyReused as reused:  # It was decided otherwise from this very page.
        return await already(prepared, reused, act=act, loan=loan)
    except Exception as error:  # noqa: BLE001  # Whatever it is, what was typed stays on the page.
        return await _shown(request, query, prepared, refusal_for(error))
    return see_other(receipt_address(recorded))


async def _shown(
    request: Request, query: FundQuery, tried: Prepared | None = None, refusal: Refusal | None = None
) -> Response:
    """The page; of a decision that was refused, it says why and keeps what was typed, save the PIN."""
    language = language_for(request)
    found = problem_with_errors(refusal, language, tried.body) if tried and refusal else None

    def requested(reader: Reader) -> Answer:
        return loans.loan_book(reader, query.fund, query.as_of, status="requested", limit=MOST)

    waiting: list[Answer] = (await asyncio.to_thread(query.ask, requested)).figures["items"]
    numbers = [loan["loan"] for loan in waiting]
    refusals = {number: await _prepared(request, query, "approve", number, {}).refusal() for number in numbers}
    people = [*waiting, *({"member": loan["guarantor"]} for loan in waiting)]
    response = await club_page(
        request,
        query,
        "approvals",
        lambda book: with_names(query, book.reader, {"names": {}}, people),
        waiting=[loan | {"key": new_key()} for loan in waiting],
        verdicts={number: each and problem(each, language) for number, each in refusals.items()},
        tried=tried and tried.asking.numbers["loan"],
        typed=tried.typed if tried else {},
        problem=found,
        wrong=wrong_fields(found.get("errors", ()) if found else ()),
        from_phone=request.scope["session"] is not None,
    )
    if found:
        response.status_code = found["status"]
    return response

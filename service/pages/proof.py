"""Is the book whole? The chain of its lines, the checkpoints that vouch for it, the codes in the paper book; and all
that is needed to find out without the server."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.checkpoints import Checkpoints, Made
from ledger.events import check_code, head_of
from ledger.history import Verification
from ledger.projections import times
from ledger.refusals import CheckpointNotFound, LeavesChanged
from service.access.roles import FIGURE_READERS, READERS, admitted
from service.checkpoints.dependencies import AtCheckpoints
from service.http.fields import PathNumber
from service.pages.club import CLUB, club_page
from service.pages.layout import PageRoute
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer, FundQuery

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CHECKPOINTS_SHOWN: Final = 3
MEETINGS_SHOWN: Final = 12


@router.get(CLUB + "/proof", dependencies=[Depends(admitted(FIGURE_READERS))])
async def proof(
    request: Request, query: AtPoint, checkpoints: AtCheckpoints, before: PathNumber | None = None
) -> Response:
    """Every line of the book is read and hashed again for each answer: what was changed a minute ago is found."""
    lines = await asyncio.to_thread(query.state.ledger.recorder.lines, query.fund, 0, None)
    chain = await asyncio.to_thread(query.state.verified.verify, query.fund, lines)

    def ask(book: Book) -> Answer:
        return _meetings(book, lines, chain, before)

    vouching = await asyncio.to_thread(_vouching, query, checkpoints, lines, chain)
    return await club_page(
        request,
        query,
        "proof",
        ask,
        chain=chain,
        vouching=vouching,
        latest=next((each for each in vouching if each["holds"]), None),
        reads_lines=bool(query.principal.roles & READERS),
    )


def _meetings(book: Book, lines: Sequence[bytes], chain: Verification, before: int | None) -> Answer:
    """The meetings, the latest first, each with the check code that went into the paper book after it."""
    held = [each for each in times.meetings(book.reader, book.fund) if each.last <= chain.entries]
    earlier = [each for each in reversed(held) if before is None or each.version < before]
    shown = [
        {"version": each.version, "on": each.on, "last": each.last, "code": check_code(head_of(lines[each.last - 1]))}
        for each in earlier[:MEETINGS_SHOWN]
    ]
    return {"meetings": shown, "next": earlier[MEETINGS_SHOWN - 1].version if len(earlier) > MEETINGS_SHOWN else None}


def _vouching(
    query: FundQuery, checkpoints: Checkpoints, lines: Sequence[bytes], chain: Verification
) -> list[dict[str, Any]]:
    """What the latest checkpoints say of this book: up to which entry each vouches for it, and whether the book still
    is what was signed then."""
    found = (_vouched(query, checkpoints, made, lines, chain) for made in checkpoints.listed(most=CHECKPOINTS_SHOWN))
    return [each for each in found if each]


def _vouched(
    query: FundQuery, checkpoints: Checkpoints, made: Made, lines: Sequence[bytes], chain: Verification
) -> dict[str, Any] | None:
    number, made_at = made.checkpoint.number, made.checkpoint.made_at
    try:
        leaf = checkpoints.inclusion(query.fund, number).leaf
    except CheckpointNotFound:
        return None  # The fund opened after it.
    except LeavesChanged:
        return {"number": number, "made_at": made_at, "version": None, "holds": False}
    holds = leaf.version <= chain.entries and head_of(lines[leaf.version - 1]) == leaf.head
    return {"number": number, "made_at": made_at, "version": leaf.version, "holds": holds}

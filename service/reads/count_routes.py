"""The cash counts of a fund, each with what was recorded behind its back."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from ledger.events import CashCounted, decode
from ledger.projections import counts
from ledger.projections.tables import Reader
from service.access.roles import FIGURE_READERS, admitted
from service.http.parsing import StrictRoute
from service.reads.dependencies import AtPoint, answered
from service.reads.query import Answer

router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/funds/{fund}/cash-counts", dependencies=[Depends(admitted(FIGURE_READERS))])
async def cash_counts(query: AtPoint) -> Response:
    """Every count of the box: what was counted, expected and missing; `reversed_by`, the entry that undid the count, if
    one did; and `recorded_after`, the entries that came later for days the count had covered and change what was
    expected, with what they do to the box."""

    def ask(reader: Reader) -> Answer:
        later, undone = counts.recorded_after(reader, query.fund), counts.reversed_counts(reader, query.fund)
        items = []
        for version in counts.counts(reader, query.fund):
            (line,) = query.state.ledger.recorder.lines(query.fund, version - 1, version)
            count = decode(line)
            assert isinstance(count, CashCounted)
            if count.on <= query.as_of:
                items.append(_told(count, later.get(version, {})) | {"reversed_by": undone.get(version)})
        return {"items": items}

    return await answered(query, ask)


def _told(count: CashCounted, later: dict[int, dict[str, int]]) -> dict[str, Any]:
    moved = {version: _in(count.pot, pots) for version, pots in later.items()}
    return {
        "version": count.version,
        "on": count.on,
        "recorded_at": count.recorded_at,
        "pot": count.pot,
        "reason": count.reason,
        "counted": count.counted,
        "expected": count.expected,
        "difference": count.difference,
        "recorded_after": [{"version": version, "amount": amount} for version, amount in moved.items() if amount],
    }


def _in(pot: str, pots: dict[str, int]) -> int:
    return sum(amount for name, amount in pots.items() if pot in ("both", name))

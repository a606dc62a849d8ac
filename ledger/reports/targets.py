"""The plan's targets against what was found. Shares are tested with integers; nothing is judged of nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from ledger.plans import Plan, Target
from ledger.reports.indicators import READING_TARGETS

NOTHING: Final[dict[str, Any]] = {"numerator": None, "denominator": None, "value": None, "percent": None}


def targets(plan: Plan, until: date, total: Mapping[str, Any], by_club: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Each target with the figure of all clubs together, and which clubs fail it."""
    return [_target(target, until, total, by_club) for target in plan.target]


def _target(
    target: Target, until: date, total: Mapping[str, Any], by_club: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    figure = figure_of(total, target.id)
    told = {
        "id": target.id,
        "clause": target.clause,
        "per": target.per,
        "at_least": target.at_least,
        "at_most": target.at_most,
        **NOTHING,
        **(figure if isinstance(figure, dict) else {"value": figure}),
    }
    if target.per == "total":
        met = None if target.due and until < target.due else _within(figure, target)
        return told | {"met": met, "clubs_met": None, "clubs": None, "clubs_required": None, "failing": []}
    judged = {row["fund"]: _within(figure_of(row, target.id), target) for row in by_club}
    clubs, clubs_met = len(judged), sum(met is True for met in judged.values())
    failing = [fund for fund, met in judged.items() if met is False]
    required = -(-clubs * (100 if target.share is None else target.share) // 100)
    is_judged = bool(clubs) and not (target.due and until < target.due)
    return told | {
        "met": _enough(clubs_met, clubs - len(failing), required) if is_judged else None,
        "clubs_met": clubs_met,
        "clubs": clubs,
        "clubs_required": required,
        "failing": failing,
    }


def _enough(surely: int, at_most: int, required: int) -> bool | None:
    """Whether enough clubs reach a target, where nothing can be said of some of them."""
    return True if surely >= required else False if at_most < required else None


def figure_of(row: Mapping[str, Any], id: str) -> Any:
    """The figure that a target is about, of a club or of all."""
    if reading := READING_TARGETS.get(id):
        return row["good_clubs"][reading]
    if id in ("clubs", "founded", "maintained"):
        return row["clubs"]["counted" if id == "clubs" else id]
    found = row[id]
    return found["met"] if id == "well_managed" and "met" in found else found


def _within(figure: Any, target: Target) -> bool | None:
    """Whether a figure lies within the bounds; None where there are no bounds, or nothing to judge."""
    if figure is None or isinstance(figure, bool):
        return figure
    least, most = target.at_least, target.at_most
    if least is None and most is None:
        return None
    if isinstance(figure, dict):
        numerator, denominator = 100 * figure["numerator"], figure["denominator"]
        if not denominator:
            return None
    else:
        numerator, denominator = figure, 1
    return (least is None or numerator >= least * denominator) and (most is None or numerator <= most * denominator)

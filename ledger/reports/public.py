"""A report for the public: no figure tells of fewer than five people, and none can be worked out from the others.

A count of people under five becomes `"<5"`, nobody included; and so does not stand what leaves so few besides: of 50
members 48 women, for then 2 are men. Counts of clubs add up to that of all, so where one is hidden another must be, of
a club that has room: whatever the hidden count is, from none to four, the others could make up for it. Where no club
has room, the count of all is hidden instead. What else is hidden is null. One report is guarded so, not several of
overlapping clubs or periods side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Final

from ledger.reports.indicators import INDICATORS
from ledger.reports.report import Report

FEW: Final = 5
"""From how many people on a count is told."""
FEWER: Final = f"<{FEW}"
ROOM: Final = FEW - 1
"""By how much a hidden count can be another one."""

MIRRORED: Final = {"older": "younger"}
"""What one of them leaves, the other is."""
SHARES: Final = tuple(id for id, each in INDICATORS.items() if each.kind == "share" and id not in MIRRORED.values())
BREAKDOWNS: Final = ("by_purpose", "by_sex", "by_age", "by_poverty")

Row = dict[str, Any]


def public(report: Report) -> Report:
    """The report with what would tell of few people hidden."""
    found = deepcopy(report)
    total, clubs = found["total"], found["by_club"]
    unnamed = _hide_counts(total, clubs, "members")
    _hide_counts(total, clubs, "volunteers")
    for name in SHARES:
        _hide_shares(total, clubs, name, set() if name == "attendance" else unnamed)
    _hide_lending(total["lending"], [club["lending"] for club in clubs])
    if total["members"] is None or total["members"] == FEWER:
        for name in SHARES:
            _blank_share(total, name)
    for target in found["targets"]:
        if target["id"] in (*SHARES, *MIRRORED.values()):
            target |= total[target["id"]]
        elif target["id"] in ("members", "volunteers"):
            target["value"] = total[target["id"]]
    return found


def _is_few(count: int) -> bool:
    return count < FEW


def _covered(hidden: set[int], room: Sequence[bool], counts: Sequence[int]) -> int | None:
    """Which further count must be hidden with these; None if none must be, or none can."""
    if not hidden or any(room[index] for index in hidden):
        return None
    open_ = [index for index in range(len(counts)) if index not in hidden and room[index]]
    return min(open_, key=lambda index: (counts[index], index), default=None)


def _hide_counts(total: Row, rows: Sequence[Row], name: str) -> set[int]:
    """Hide the small ones of a count, and what they could be worked out from; answers of which rows none is told."""
    counts = [row[name] for row in rows]
    hidden = {index for index, count in enumerate(counts) if _is_few(count)}
    room = [count >= FEW + ROOM for count in counts]
    further = _covered(hidden, room, counts)
    for index in hidden:
        rows[index][name] = FEWER
    if further is not None:
        rows[further][name] = None
        hidden.add(further)
    if _is_few(total[name]):
        total[name] = FEWER
    elif hidden and further is None:
        total[name] = None
    return hidden


def _hide_shares(total: Row, rows: Sequence[Row], name: str, unnamed: Iterable[int]) -> None:
    """The same for a share, and for what it leaves; of the rows that are not to be told of, nothing of it."""
    shares = [row[name] for row in rows]
    counts = [share["numerator"] for share in shares]
    left = [share["denominator"] - share["numerator"] for share in shares]
    hidden = {index for index in range(len(rows)) if _is_few(counts[index]) or _is_few(left[index])} | set(unnamed)
    room = [min(counts[index], left[index]) >= FEW + ROOM for index in range(len(rows))]
    further = _covered(hidden, room, counts)
    has_room = further is not None or any(room[index] for index in hidden)
    for index in hidden | ({further} if further is not None else set()):
        _hide_share(rows[index], name, counts[index], left[index])
        if index in unnamed:
            _blank_share(rows[index], name)
    whole, rest = total[name]["numerator"], total[name]["denominator"] - total[name]["numerator"]
    if _is_few(whole) or _is_few(rest) or (hidden and not has_room):
        _hide_share(total, name, whole, rest)


def _hide_share(row: Row, name: str, count: int, left: int) -> None:
    """Tell only of how many it is a share; and that it, or what it leaves, is small, where it is."""
    for each, number in ((name, count), (MIRRORED.get(name, ""), left)):
        if each:
            row[each] |= {"numerator": FEWER if _is_few(number) else None, "percent": None}


def _blank_share(row: Row, name: str) -> None:
    for each in (name, MIRRORED.get(name, "")):
        if each:
            row[each] |= {"denominator": None, "percent": None}


def _hide_lending(total: Row, clubs: Sequence[Row]) -> None:
    """Loans are people here, and what was handed out in few of them is somebody's own affair. Who borrows is told of
    all together only."""
    for club in clubs:
        club |= dict.fromkeys(BREAKDOWNS)
    _hide_groups(clubs, total, ("disbursed",))
    for name in BREAKDOWNS:
        is_told = isinstance(total["loans"], int)
        if not (is_told and _hide_groups(list(total[name].values()), dict(total), ("disbursed", "outstanding"))):
            total[name] = None


def _hide_groups(groups: Sequence[Row], total: Row, amounts: Sequence[str]) -> bool:
    """Hide small numbers of loans with their amounts; answers whether the number of all could still be told."""
    before = total["loans"]
    hidden = _hide_counts(total, groups, "loans")
    for index in hidden:
        groups[index] |= dict.fromkeys(amounts)
    if total["loans"] != before:
        total |= dict.fromkeys(name for name in amounts if name in total)
        return False
    return True

"""Claims about a report for the public: it tells of no fewer than five people, and whoever adds and subtracts learns no
more."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ledger.reports.public import public
from ledger.reports.shares import share, share_of_all, summed

Report = dict[str, Any]
SHARES = ("women", "older", "hardship", "borrowing_current", "borrowing_in_period", "borrowing_ever")
GROUPS = {"by_sex": 2, "by_age": 4, "by_poverty": 4, "by_purpose": 5}


def drawn(seed: int) -> Report:
    """A report of some clubs, many of them small."""
    random = Random(seed)  # Repeatable on purpose.
    rows = [_club(random, f"LS-{number}") for number in range(random.choice((1, 2, 3, 8)))]
    total: Report = {name: summed([row[name] for row in rows]) for name in ("members", "volunteers", "lending")}
    for name in (*SHARES, "younger", "attendance"):
        total[name] = share_of_all([row[name] for row in rows])
    targets = [{"id": name, "value": None, **total[name]} for name in SHARES]
    return {"total": total, "by_club": rows, "targets": [*targets, {"id": "members", "value": total["members"]}]}


def _club(random: Random, fund: str) -> Report:
    members = random.choice((0, 3, 12, 20, 57, 60))
    row: Report = {"fund": fund, "members": members, "volunteers": random.choice((0, 4, 6, 12))}
    for name in SHARES:
        row[name] = share(min(random.choice((0, 2, 4, 5, 9, 30, 58)), members), members)
    row["younger"] = share(members - row["older"]["numerator"], members)
    row["attendance"] = share(9 * members, 10 * members)
    groups: Report = {}
    for name, many in GROUPS.items():
        groups[name] = {str(n): {"loans": 0, "disbursed": 0, "outstanding": 0} for n in range(many)}
    loans = random.choice((0, 1, 4, 7, 15, 40))
    for each in groups.values():
        for _ in range(loans):
            group = random.choice(list(each.values()))
            group["loans"] += 1
            group["disbursed"] += 1_000_000
    return row | {"lending": {"loans": loans, "disbursed": loans * 1_000_000, **groups}}


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [value]


@pytest.mark.parametrize("seed", range(60))
def test_no_count_of_fewer_than_five_people_is_told(seed: int) -> None:
    shown = public(drawn(seed))
    for row in (shown["total"], *shown["by_club"]):
        counts = [row["members"], row["volunteers"], row["lending"]["loans"]]
        counts += [each["loans"] for by in GROUPS for each in (row["lending"][by] or {}).values()]
        for name in (*SHARES, "younger"):
            of, whole = row[name]["numerator"], row[name]["denominator"]
            counts.append(of)
            if isinstance(of, int) and isinstance(whole, int):
                counts.append(whole - of)
            assert row[name]["percent"] is None or isinstance(of, int)
        assert [count for count in counts if isinstance(count, int) and count < 5] == []


@pytest.mark.parametrize("seed", range(60))
def test_what_is_hidden_of_one_club_cannot_be_worked_out_from_the_others(seed: int) -> None:
    """Every hidden count could be any of five others, as far as the sums that are told allow it."""
    report = drawn(seed)
    shown = public(report)
    for name in ("members", "volunteers"):
        cells = [(row[name], row[name]) for row in shown["by_club"]]
        _is_open(shown["total"][name], cells, [1_000] * len(cells))
    for name in SHARES:
        wholes = [row["members"] for row in report["by_club"]]
        cells = [(row[name]["numerator"], row[name]["denominator"]) for row in shown["by_club"]]
        _is_open(shown["total"][name]["numerator"], cells, wholes)
    for name in GROUPS:
        groups = shown["total"]["lending"][name]
        if groups is not None:
            cells = [(group["loans"], None) for group in groups.values()]
            _is_open(shown["total"]["lending"]["loans"], cells, [10_000] * len(cells))


def _is_open(total: Any, cells: list[tuple[Any, Any]], most: list[int]) -> None:
    """Each hidden cell has five values or more that the others could make up for; `<5` says 0 to 4, and null 5 or
    more."""
    told = sum(cell for cell, _ in cells if isinstance(cell, int))
    bounds = [((0, 4) if cell == "<5" else (5, at_most)) for (cell, _), at_most in zip(cells, most, strict=True)]
    hidden = [index for index, (cell, _) in enumerate(cells) if not isinstance(cell, int)]
    if not isinstance(total, int):
        return
    rest = total - told
    for index in hidden:
        low = rest - sum(bounds[other][1] for other in hidden if other != index)
        high = rest - sum(bounds[other][0] for other in hidden if other != index)
        least, largest = bounds[index]
        assert min(high, largest) - max(low, least) >= min(4, largest - least), (total, cells)


def test_targets_tell_no_more_than_the_total() -> None:
    report = drawn(3)
    report["by_club"][0]["women"] = share(2, report["by_club"][0]["members"])
    shown = public(report)
    for target in shown["targets"]:
        figure = shown["total"][target["id"]]
        assert target["value"] == figure if target["id"] == "members" else target["numerator"] == figure["numerator"]


def test_the_report_itself_is_left_as_it_is() -> None:
    report = drawn(5)
    before = leaves(report)
    public(report)
    assert leaves(report) == before

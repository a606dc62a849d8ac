"""Claims about differences: each figure at both ends is what the legs make it, and the entries between explain it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.differences import End, Figure, Point, differences, movements
from tests.support import moments
from tests.support.histories import random_fund
from tests.support.moments import Moment
from tests.support.village import joins, leaves, metadata, pays, undoes, village

JANUARY, MAY = date(2024, 1, 31), date(2024, 5, 31)


def amounts(found: Any) -> dict[tuple[str, str | None, object], tuple[int, int]]:
    """Each figure that differs, at both ends."""
    return {tuple(each.figure): (each.before, each.after) for each in found if each.amount}


# --- by hand --------------------------------------------------------------------------------------------------------


def test_a_late_receipt_explains_what_the_books_say_now_about_then() -> None:
    fund = village(pays(4, "savings", 300_000, on="2024-01-15"))
    then = fund.version
    pays(4, "savings", 50_000, on="2024-01-20")(fund)
    pays(5, "dues", 10_000, on="2024-02-05")(fund)

    apart, found = differences(fund.entries, Point(JANUARY, then), Point(JANUARY, fund.version))

    assert [event.version for event in apart] == [then + 1]
    assert Point(JANUARY, then).misses(apart[0]) == "recorded_later"
    assert amounts(found) == {
        ("cash", "both", None): (21_300_000, 21_350_000),
        ("cash", "revolving", None): (20_300_000, 20_350_000),
        ("savings", "revolving", None): (300_000, 350_000),
        ("savings", "revolving", 4): (300_000, 350_000),
    }


def test_a_wrong_entry_its_reversal_and_its_replacement_explain_a_difference_together() -> None:
    fund = village(pays(4, "dues", 500_000, on="2024-01-15"))
    wrong = fund.version
    undoes(wrong, on="2024-05-01")(fund)
    pays(4, "dues", 50_000, on="2024-05-01")(fund)

    _, found = differences(fund.entries, Point(JANUARY, fund.version), Point(MAY, fund.version))
    dues = next(each for each in found if each.figure == Figure("contributions", "activity"))

    assert (dues.before, dues.after, dues.amount) == (500_000, 50_000, -450_000)
    assert [tuple(cause) for cause in dues.causes] == [(wrong + 1, -500_000), (wrong + 2, 50_000)]


def test_what_was_entered_and_undone_in_between_is_told_though_no_figure_differs() -> None:
    fund = village()
    then = fund.version
    pays(4, "fine", 5_000, on="2024-01-15")(fund)
    undoes(on="2024-01-16")(fund)

    apart, found = differences(fund.entries, Point(JANUARY, then), Point(JANUARY, fund.version))

    assert [event.name for event in apart] == ["ContributionReceived", "EntryReversed"]
    assert amounts(found) == {}
    assert {tuple(each.figure) for each in found} >= {("fines", "activity", None)}


def test_members_who_came_and_went_are_counted() -> None:
    fund = village(joins(on="2024-03-01"), leaves(1, "2024-04-01"), leaves(2, "2024-05-01"))

    _, found = differences(fund.entries, Point(JANUARY, fund.version), Point(MAY, fund.version))

    assert amounts(found) == {("members", None, None): (5, 4)}
    assert [cause.amount for cause in found[-1].causes] == [1, -1, -1]


def test_a_move_between_the_pots_leaves_both_boxes_together_as_they_were() -> None:
    fund = village()
    fund.transfer_between_pots(metadata("2024-01-09"), source="activity", target="revolving", amount=250_000)

    moved = movements(fund.entries[-1])

    assert moved[Figure("cash", "both")] == 0
    assert (moved[Figure("equity", "activity")], moved[Figure("equity", "revolving")]) == (-250_000, 250_000)


def test_figures_come_in_the_order_a_reader_looks_for_them() -> None:
    fund = village(joins(on="2024-03-01"), pays(4, "savings", 300_000), pays(3, "savings", 1_000), pays(3, "dues", 10))
    fund.pay_expense(metadata("2024-03-01"), activity="health", amount=5_000)
    fund.pay_expense(metadata("2024-03-01"), activity="culture", amount=5_000)

    _, found = differences(fund.entries, Point(MAY, 0), Point(MAY, fund.version))

    assert [tuple(each.figure) for each in found] == [
        ("cash", "both", None),
        ("cash", "revolving", None),
        ("savings", "revolving", None),
        ("equity", "revolving", None),
        ("donations", "revolving", None),
        ("cash", "activity", None),
        ("equity", "activity", None),
        ("contributions", "activity", None),
        ("donations", "activity", None),
        ("expenses", "activity", None),
        ("savings", "revolving", 3),
        ("savings", "revolving", 4),
        ("expenses", "activity", "culture"),
        ("expenses", "activity", "health"),
        ("members", None, None),
    ]


def test_an_end_is_the_version_that_was_known_at_its_instant() -> None:
    fund = village()
    heard = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    for seconds in (0, 0, 60):
        fund.receive_income(
            metadata("2024-02-01", at=heard + timedelta(seconds=seconds)), kind="collective", pot="activity", amount=1
        )
    last = fund.version

    def known(instant: datetime) -> int:
        return End(JANUARY, instant).among(fund.entries).version

    assert [known(heard + timedelta(seconds=seconds)) for seconds in (-1, 0, 59, 60, 61)] == [
        last - 3,
        last - 1,
        last - 1,
        last,
        last,
    ]
    assert known(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert End(None, 3).among(fund.entries) == Point(date.max, 3)
    assert End(MAY, 10**6).among(fund.entries) == End(MAY).among(fund.entries) == Point(MAY, last)


# --- over random histories ------------------------------------------------------------------------------------------

SEEDS = st.integers(1, 8)
PERMILLE = st.integers(0, 1000)


@st.composite
def points(draw: st.DrawFn, count: int) -> tuple[int, list[Point]]:
    """A random history and some points in both its times, late and early, before its beginning and after its end."""
    seed = draw(SEEDS)
    days = sorted(event.on for event in random_fund(seed).entries)
    span = (days[-1] - days[0]).days + 4

    def point() -> Point:
        after, known = draw(PERMILLE), draw(PERMILLE)
        return Point(days[0] + timedelta(after * span // 1000 - 2), known * len(days) // 1000)

    return seed, [point() for _ in range(count)]


def moment_of(point: Point) -> Moment:
    return Moment(point.as_of, point.version)


@drawn(points(2))
def test_every_difference_sums_and_both_ends_are_what_the_legs_alone_make_them(drawn_points: Any) -> None:
    seed, (start, end) = drawn_points
    apart, found = differences(random_fund(seed).entries, start, end)
    before, after = moments.counted(seed, moment_of(start)), moments.counted(seed, moment_of(end))

    for each in found:
        key = tuple(each.figure)
        assert (each.before, each.after) == (before[key], after[key])
        assert sum(cause.amount for cause in each.causes) == after[key] - before[key]
    touched = {tuple(each.figure) for each in found}
    assert all(before[key] == after[key] for key in before.keys() | after.keys() if key not in touched)

    seen_before, seen_after = (
        {line["version"] for line, _ in moments.in_view(seed, moment_of(point))} for point in (start, end)
    )
    assert {event.version for event in apart} == seen_before ^ seen_after
    for event in apart:
        blind = start if event.version in seen_after else end
        assert blind.misses(event) == ("happened_later" if event.on > blind.as_of else "recorded_later")


@drawn(points(3))
def test_a_difference_turned_round_is_its_negative_and_two_make_one(drawn_points: Any) -> None:
    seed, (first, second, third) = drawn_points
    entries = random_fund(seed).entries

    def sums(start: Point, end: Point) -> dict[Figure, int]:
        return {each.figure: each.amount for each in differences(entries, start, end)[1] if each.amount}

    def plus(one: dict[Figure, int], other: dict[Figure, int]) -> dict[Figure, int]:
        together = {figure: one.get(figure, 0) + other.get(figure, 0) for figure in one.keys() | other.keys()}
        return {figure: amount for figure, amount in together.items() if amount}

    assert differences(entries, first, first) == ([], [])
    assert sums(second, first) == {figure: -amount for figure, amount in sums(first, second).items()}
    assert plus(sums(first, second), sums(second, third)) == sums(first, third)


@pytest.mark.parametrize("seed", range(1, 9))
def test_an_entry_steps_from_the_figures_before_it_to_those_after_it(seed: int) -> None:
    fund = random_fund(seed)
    for version in range(1, fund.version + 1, 7):
        _, found = differences(fund.entries, Point(date.max, version - 1), Point(date.max, version))
        before, after = (moments.counted(seed, Moment(date.max, known)) for known in (version - 1, version))

        assert {tuple(each.figure): (each.before, each.after) for each in found} == {
            key: (before[key], after[key]) for key in map(tuple, movements(fund.entries[version - 1]))
        }

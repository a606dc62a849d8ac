"""Claims about the three borrowing rates and the roll they are counted on, by hand in a named village."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.projections import borrowing, members
from ledger.projections.funds import FundFilter
from ledger.projections.tables import Reader, percent
from tests.support.tables import book
from tests.support.village import FUND, borrowing_village, day, given, joins, leaves, metadata, village

ALL = FundFilter()


# --- by hand: the three readings --------------------------------------------------------------------------------------


def counted(found: dict[str, Any]) -> dict[str, tuple[int, int, int, str | None]]:
    """Each reading as people, loans, members and percent."""
    return {
        reading: tuple(found[reading][name] for name in ("borrowers", "loans", "members", "percent"))
        for reading in ("current", "in_period", "ever")
    }


def test_the_three_readings_of_one_sentence_are_three_figures() -> None:
    found = borrowing.borrowing(book(borrowing_village()), ALL, date(2026, 6, 30))

    assert counted(found) == {"current": (1, 1, 4, "25.0"), "in_period": (2, 2, 4, "50.0"), "ever": (3, 3, 4, "75.0")}
    assert [found[reading]["target_met"] for reading in ("current", "in_period", "ever")] == [False, True, True]
    assert (found["in_period"]["from"], found["in_period"]["to"]) == ("2025-07-01", "2026-06-30")
    assert (found["funds"], found["members"], found["purpose"]) == (1, 4, "production")


def test_any_purpose_counts_every_loan_and_people_still_once() -> None:
    found = borrowing.borrowing(book(borrowing_village()), ALL, date(2026, 6, 30), purpose="any")

    assert counted(found) == {"current": (1, 2, 4, "25.0"), "in_period": (2, 3, 4, "50.0"), "ever": (3, 4, 4, "75.0")}


def test_the_rates_of_an_earlier_day_are_those_of_that_day() -> None:
    tables = book(borrowing_village())

    def on(text: str, **asked: Any) -> dict[str, Any]:
        return counted(borrowing.borrowing(tables, ALL, day(text), **asked))

    assert on("2023-12-31")["ever"] == (0, 0, 0, None), "nobody was on the roll: no rate, not a rate of 0"
    assert on("2024-02-01")["current"] == (1, 1, 5, "20.0")
    assert on("2024-03-01")["current"] == (0, 0, 5, "0.0"), "repaid by the end of the day"
    assert on("2024-03-01")["ever"] == (1, 1, 5, "20.0")
    assert on("2026-01-14")["in_period"] == (3, 3, 5, "60.0"), "the last day of Vi Văn Đức"
    assert on("2026-01-15")["in_period"] == (2, 2, 4, "50.0")
    assert on("2026-02-02")["current"] == (2, 2, 4, "50.0"), "the mistake has not been undone yet"
    assert on("2026-02-03")["current"] == (1, 1, 4, "25.0")
    assert on("2026-06-30", since=date(2025, 8, 2))["in_period"] == (1, 1, 4, "25.0")
    assert on("2026-06-30", since=date(2025, 8, 1))["in_period"] == (2, 2, 4, "50.0"), "both ends are included"


def test_the_rates_are_broken_down_by_sex_age_and_poverty() -> None:
    tables = book(borrowing_village())
    found = borrowing.borrowing(tables, ALL, date(2026, 6, 30))
    younger = borrowing.borrowing(tables, ALL, date(2012, 6, 30))

    assert {sex: counted(of)["ever"] for sex, of in found["by_sex"].items()} == {
        "female": (2, 2, 3, "66.7"),
        "male": (1, 1, 1, "100.0"),
    }
    assert {band: (of["members"], of["ever"]["borrowers"]) for band, of in found["by_age"].items()} == {
        "under_60": (0, 0),
        "60_69": (2, 2),
        "70_79": (2, 1),
        "80_plus": (0, 0),
    }
    assert {poverty: counted(of)["ever"] for poverty, of in found["by_poverty"].items()} == {
        "poor": (0, 0, 1, "0.0"),
        "near_poor": (1, 1, 1, "100.0"),
        "hardship": (0, 0, 0, None),
        "none": (2, 2, 2, "100.0"),
    }
    assert younger["by_age"]["under_60"]["ever"]["target_met"] is None


def test_the_age_one_counts_as_older_from_can_be_asked_for() -> None:
    tables = book(given(joins(birth_year=1969), joins(birth_year=1970), joins(birth_year=1946)))

    def bands(threshold: int) -> dict[str, int]:
        found = borrowing.borrowing(tables, ALL, date(2025, 1, 1), threshold=threshold)
        return {band: of["members"] for band, of in found["by_age"].items()}

    assert bands(60) == {"under_60": 2, "60_69": 0, "70_79": 1, "80_plus": 0}
    assert bands(55) == {"under_55": 0, "55_69": 2, "70_79": 1, "80_plus": 0}


def test_a_share_has_one_decimal_half_up_and_no_share_of_nothing() -> None:
    assert [percent(*of) for of in ((1, 3), (2, 3), (1, 2000), (1, 8), (5, 5), (0, 4))] == [
        "33.3",
        "66.7",
        "0.1",
        "12.5",
        "100.0",
        "0.0",
    ]
    assert percent(0, 0) is None


# --- by hand: the roll ------------------------------------------------------------------------------------------------


def changes(member: int, on: str, **fields: Any) -> Any:
    """What is known of a member changes."""
    return lambda fund: fund.change_member(metadata(on), member, **fields)


def on_roll(tables: Reader, text: str, **wanted: Any) -> list[int]:
    """Who is on the roll at the end of a day."""
    return [each["member"] for each in members.roll(tables, FUND, day(text), **wanted)["items"]]


def test_a_change_told_late_holds_from_its_own_day() -> None:
    tables = book(
        village(
            changes(1, "2024-06-01", poverty="poor"),
            changes(1, "2024-03-01", poverty="near_poor"),
            changes(1, "2024-06-01", birth_year=1957),
        )
    )

    def poverty(text: str) -> tuple[str, int]:
        found = members.member(tables, FUND, 1, day(text))
        assert found
        return found["poverty"], found["birth_year"]

    assert [poverty(text) for text in ("2024-02-29", "2024-03-01", "2024-05-31", "2024-06-01")] == [
        ("none", 1958),
        ("near_poor", 1958),
        ("near_poor", 1958),
        ("poor", 1957),
    ]
    assert 1 not in on_roll(tables, "2024-05-31", poverty="poor")
    assert 1 in on_roll(tables, "2024-06-01", poverty="poor")


def test_who_left_is_off_the_roll_at_the_end_of_that_day_and_stays_as_they_last_stood() -> None:
    tables = book(village(changes(4, "2024-02-01", household="H9"), leaves(4, "2024-05-05", "died")))

    assert on_roll(tables, "2024-05-04") == [1, 2, 3, 4, 5]
    assert on_roll(tables, "2024-05-05") == [1, 2, 3, 5]
    before, after = (members.member(tables, FUND, 4, day(text)) for text in ("2024-05-04", "2024-05-05"))
    assert before
    assert after
    assert (before["left_on"], before["leaving_reason"]) == (None, None)
    assert (after["left_on"], after["leaving_reason"], after["household"]) == ("2024-05-05", "died", "H9")
    assert members.member(tables, FUND, 4, date(2023, 12, 31)) is None
    assert members.member(tables, FUND, 99) is None


def test_the_roll_comes_in_pages_and_by_what_is_asked_for() -> None:
    fund = village()
    fund.change_member(metadata("2024-01-02", name="d1d1", phone="e2e2"), 3)
    tables = book(fund)
    first = members.roll(tables, FUND, limit=3)
    rest = members.roll(tables, FUND, limit=3, after=first["next"])

    assert [each["member"] for each in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert rest["next"] is None
    assert (first["items"][2]["name"], first["items"][2]["phone"]) == ("d1d1", "e2e2")
    assert members.names(tables, FUND, [1, 3, 5]) == {3: "d1d1"}
    assert on_roll(tables, "2024-06-01", sex="male") == [2, 5]
    assert on_roll(tables, "2024-06-01", household="H4") == on_roll(tables, "2024-06-01", household="h4") == [4, 5]
    small_letters = book(village(changes(5, "2024-01-02", household="h4")))
    assert on_roll(small_letters, "2024-06-01", household="H4") == [4, 5], "as an old log may have it"

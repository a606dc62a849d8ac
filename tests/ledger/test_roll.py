"""Claims about the roll and the bylaws: who is a member, and which rules are in force on a day."""

from datetime import date

import pytest

from ledger.refusals import (
    AlreadyLeft,
    BirthYearImplausible,
    FundExists,
    MemberNotFound,
    MemberNotOnRoll,
    NoBylawsInForce,
    NothingChanged,
    OutOfOrder,
    RateAboveLegalCeiling,
)
from tests.support.village import (
    CLUB,
    FIVE_MEMBERS,
    FUND,
    OPENED,
    adopts,
    bylaws,
    day,
    given,
    joins,
    leaves,
    metadata,
    pays,
    refused,
)

# The club and its bylaws


def test_a_fund_is_opened_once():
    fund = given()
    with refused(fund, FundExists, fund=FUND):
        fund.open(metadata("2024-02-05"), bylaws=bylaws(), **CLUB)


def test_no_bylaws_are_adopted_above_twenty_per_cent_a_year():
    fund = given()
    with refused(fund, RateAboveLegalCeiling, rate_ppm=16_667, ceiling_ppm=16_666):
        adopts(on="2024-02-05", monthly_rate_ppm=16_667)(fund)
    adopts(on="2024-02-05", monthly_rate_ppm=16_666)(fund)
    with pytest.raises(RateAboveLegalCeiling):
        given(monthly_rate_ppm=16_667)


def test_bylaws_are_in_force_from_their_day_whatever_order_they_were_told_in():
    fund = given(
        adopts(on="2024-06-01", monthly_dues=3),
        adopts(on="2024-03-01", monthly_dues=1),
        adopts(on="2024-03-01", monthly_dues=2),
    )
    in_force = {"2024-02-29": 10_000, "2024-03-01": 2, "2024-05-31": 2, "2024-06-01": 3}
    assert {on: fund.bylaws_on(day(on)).monthly_dues for on in in_force} == in_force
    with refused(fund, NoBylawsInForce, on=date(2023, 12, 31)):
        fund.bylaws_on(date(2023, 12, 31))


# The roll


def test_members_are_numbered_as_they_join_and_no_number_is_given_twice():
    fund = given(joins(), leaves(1, "2024-02-05"), joins(on="2024-02-06"))
    assert sorted(fund.members) == [1, 2]


@pytest.mark.parametrize(("birth_year", "is_plausible"), [(1903, False), (1904, True), (2024, True), (2025, False)])
def test_a_birth_year_must_fit_somebody_alive(birth_year, is_plausible):
    fund = given(joins())
    for act in (
        joins(birth_year=birth_year),
        lambda fund: fund.change_member(metadata(OPENED), 1, birth_year=birth_year),
    ):
        if is_plausible:
            act(fund)
        else:
            with refused(fund, BirthYearImplausible, birth_year=birth_year, year=2024):
                act(fund)


def test_a_change_names_what_changed_and_leaves_the_rest():
    fund = given(*FIVE_MEMBERS)
    before = fund.member(3)
    with refused(fund, NothingChanged):
        fund.change_member(metadata("2024-02-05"), 3)
    fund.change_member(metadata("2024-02-05"), 3, poverty="hardship")
    fund.change_member(metadata("2024-02-05", name="a1b2"), 3)
    after = fund.member(3)
    assert (after.poverty, after.name) == ("hardship", "a1b2")
    assert (after.sex, after.birth_year, after.joined_on) == (before.sex, before.birth_year, before.joined_on)


def test_only_a_member_of_this_fund_is_changed_or_leaves_and_not_before_joining():
    fund = given(joins(on="2024-03-05"))
    for act in (
        lambda number, on: fund.change_member(metadata(on), number, poverty="poor"),
        lambda number, on: fund.leave(metadata(on), number, "resigned"),
    ):
        with refused(fund, MemberNotFound, member=2):
            act(2, "2024-03-05")
        with refused(fund, OutOfOrder, on=day("2024-03-04"), earliest=day("2024-03-05")):
            act(1, "2024-03-04")
    with refused(fund, MemberNotOnRoll, member=1, on=day("2024-03-04")):
        pays(1, "dues", 10_000, on="2024-03-04")(fund)
    with refused(fund, MemberNotFound, member=2):
        pays(2, "dues", 10_000, on="2024-03-05")(fund)
    with refused(fund, MemberNotFound, member=2):
        fund.withdraw_savings(metadata("2024-03-05"), member=2, amount=1)


def test_a_member_leaves_once():
    fund = given(joins(), leaves(1, "2024-03-05", "died"))
    with refused(fund, AlreadyLeft, member=1, left_on=day("2024-03-05")):
        leaves(1, "2024-04-05")(fund)


def test_an_older_change_told_late_does_not_undo_a_newer_one():
    fund = given(*FIVE_MEMBERS)
    fund.change_member(metadata("2024-06-01"), 4, household="H9")
    fund.change_member(metadata("2024-03-01"), 4, household="H1", poverty="none")

    assert (fund.members[4].household, fund.members[4].poverty) == ("H9", "none")

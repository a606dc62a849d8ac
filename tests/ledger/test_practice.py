"""What practice taught: conditions of the day of the act, credit kept, recoveries bounded, coins that nobody has."""

from datetime import date
from typing import Any

import pytest

from ledger.events import OldLoan, OpeningPot
from ledger.projections.dues import monthly_dues
from ledger.refusals import (
    LoanChangedSince,
    LoanHasEntries,
    NoOpeningBalances,
    NotEligible,
    RecoveryAboveLoss,
    RestTooLarge,
    RollChangedSince,
    StillMember,
    WaiverAboveInterest,
    WriteOffAboveOutstanding,
)
from ledger.terms import LoanTerms, standing
from tests.support.tables import book
from tests.support.village import (
    asks,
    bylaws,
    day,
    given,
    gives,
    grants,
    held,
    joins,
    last,
    leaves,
    lends,
    loan_of,
    metadata,
    pays,
    posted,
    refused,
    repays,
    undoes,
    village,
)

# Conditions are those of the day of the act


def test_a_debt_paid_later_still_stood_in_the_way_on_the_day_of_approval():
    fund = village(lends(4, 1_000_000, on="2024-04-02"), one_open_loan_per_household=True, max_principal=10_000_000)
    repays(1, 1_010_000, on="2024-05-02")(fund)
    asks(5, 1_000_000, on="2024-04-20")(fund)
    with refused(fund, NotEligible, loan=2, reasons=("household-has-open-loan",)):
        grants(2, on="2024-04-20")(fund)
    asks(5, 1_000_000, on="2024-05-02")(fund)
    grants(3, on="2024-05-02")(fund)


def test_a_household_joined_later_does_not_stand_in_the_way_of_an_earlier_approval():
    fund = village(lends(4, 1_000_000, on="2024-04-02"), one_open_loan_per_household=True)
    fund.change_member(metadata("2024-07-01"), 2, household="H1")
    asks(2, 1_000_000, on="2024-06-20")(fund)
    grants(2, on="2024-06-20")(fund)
    asks(2, 1_000_000, on="2024-07-02")(fund)
    with refused(fund, NotEligible, loan=3):
        grants(3, on="2024-07-02")(fund)


def test_a_loan_approved_and_not_paid_out_counts_until_it_is_rejected():
    fund = village(asks(4, on="2024-04-02"), grants(1, on="2024-04-02"), one_open_loan_per_household=True)
    asks(5, on="2024-04-20")(fund)
    with refused(fund, NotEligible, loan=2, reasons=("household-has-open-loan",)):
        grants(2, on="2024-04-20")(fund)
    fund.reject_loan(metadata("2024-04-21", reason="e1"), 1)
    with refused(fund, NotEligible, loan=2, reasons=("household-has-open-loan",)):
        grants(2, on="2024-04-20")(fund)
    grants(2, on="2024-04-21")(fund)


def test_membership_counts_from_the_return():
    fund = village(min_membership_months=3)
    leaves(2, "2024-04-01")(fund)
    fund.take_back(metadata("2024-06-01"), 2)
    asks(2, on="2024-08-15")(fund)
    with refused(fund, NotEligible, loan=1, reasons=("membership-too-short",)):
        grants(1, on="2024-08-15")(fund)
    grants(1, on="2024-09-01")(fund)


# Interest paid ahead is kept


def test_interest_paid_ahead_is_carried_through_a_rescheduling_and_used_up_first():
    fund = village(
        gives(10_000_000),
        lends(1, 6_000_000, months=6, on="2024-01-10"),
        repays(1, 1_200_000, on="2024-03-20"),
        repays(1, 3_060_000, on="2024-02-16"),
    )
    fund.reschedule_loan(metadata("2024-04-10", reason="e1"), 1, term_months=6)
    assert last(fund).interest_carried == -70_800  # type: ignore[attr-defined]
    assert loan_of(fund).standing(day("2024-07-10")).interest_due == 0
    now = loan_of(fund).standing(day("2024-07-11"))
    assert now.settlement_amount == now.outstanding + now.interest_begun
    assert now.interest_begun == max(now.outstanding // 100 - now.interest_ahead, 0)


# Rescheduling, recoveries, rounding


def test_a_term_beyond_the_bylaws_needs_the_chairs_override():
    fund = village(lends(1, 1_000_000, on="2024-01-10"), max_term_months=12)
    with refused(fund, NotEligible, loan=1, reasons=("term-above-cap",)):
        fund.reschedule_loan(metadata("2024-04-10"), 1, term_months=13)
    fund.reschedule_loan(metadata("2024-04-10", override="e1"), 1, term_months=13, override=True)
    assert last(fund).override.rules == ("term-above-cap",)  # type: ignore[attr-defined]


def test_no_more_is_recovered_than_was_lost():
    fund = village(lends(1, 1_000_000, on="2024-01-10"))
    fund.write_off_loan(metadata("2024-03-15", reason="e1"), 1)
    lost = 1_000_000 + 2 * 10_000 + 10_000
    with refused(fund, RecoveryAboveLoss, recoverable=lost):
        fund.recover_loan(metadata("2024-04-15"), 1, amount=lost + 1)
    fund.recover_loan(metadata("2024-04-15"), 1, amount=lost - 1)
    with refused(fund, RecoveryAboveLoss, recoverable=1):
        fund.recover_loan(metadata("2024-04-15"), 1, amount=2)


@pytest.mark.parametrize(("rounding", "interest"), [(1, 33_345), (100, 33_300), (500, 33_500), (1_000, 33_000)])
def test_interest_is_a_multiple_of_what_the_bylaws_say(rounding: int, interest: int):
    fund = village(lends(1, 3_334_500, on="2024-01-10"), interest_rounding=rounding)
    assert loan_of(fund).standing(day("2024-02-10")).interest_due == interest
    assert loan_of(fund).standing(day("2024-01-11")).interest_begun == interest


def test_base_times_rate_is_rounded_once():
    """449.5 đ goes down to nothing; rounded to hundreds first, and then again, it would have gone up by steps."""
    terms = LoanTerms(
        principal=449_500,
        term_months=12,
        repayment_mode="equal_principal",
        interest_method="reducing",
        monthly_rate_ppm=1_000,
        interest_rounding=1_000,
    )
    assert standing(terms, date(2024, 1, 10), (), date(2024, 2, 10)).interest_due == 0
    assert standing(terms, date(2024, 1, 10), (), date(2024, 2, 10)) == (449_500, 0, 0, 0)


def test_a_loan_keeps_the_rounding_it_was_granted_with():
    fund = village(lends(1, 3_334_500, on="2024-01-10"), interest_rounding=1_000)
    fund.adopt_bylaws(metadata("2024-01-20"), bylaws(interest_rounding=1))
    assert loan_of(fund).standing(day("2024-02-10")).interest_due == 33_000


def test_a_rest_that_no_note_can_pay_is_forgiven_in_the_act_that_pays():
    fund = village(lends(1, 1_000_400, on="2024-01-10"))
    with refused(fund, RestTooLarge, rest=1_404, most=999):
        fund.repay_loan(metadata("2024-02-10"), 1, amount=1_009_000, settle=True)
    paid = fund.repay_loan(metadata("2024-02-10"), 1, amount=1_010_000, settle=True)
    assert (paid.principal, paid.interest, paid.forgiven, paid.outstanding) == (999_996, 10_004, 404, 0)
    assert loan_of(fund).status == "settled"
    assert held(fund, "revolving", "write_offs") == 404


# Facts that were missing


def test_savings_pay_a_loan_without_cash_also_after_death():
    fund = village(pays(1, "savings", 500_000, on="2024-01-10"), lends(1, 1_000_000, on="2024-01-10"))
    leaves(1, "2024-02-20", "died")(fund)
    box = fund.cash_at(day("2024-03-10"))
    set_off = fund.set_off_savings(metadata("2024-03-10"), 1, amount=320_000)
    assert (set_off.principal, set_off.interest, set_off.savings_left) == (300_000, 20_000, 180_000)
    assert fund.cash_at(day("2024-03-10")) == box
    assert loan_of(fund).outstanding == 700_000


def test_interest_is_waived_up_to_what_is_due_and_the_month_begun_stays_out():
    fund = village(lends(1, 1_000_000, on="2024-01-10"))
    with refused(fund, WaiverAboveInterest, interest_due=20_000):
        fund.waive_interest(metadata("2024-03-15", reason="e1"), 1, amount=20_001)
    fund.waive_interest(metadata("2024-03-15", reason="e1"), 1, amount=15_000)
    assert loan_of(fund).standing(day("2024-03-15"))[:3] == (1_000_000, 5_000, 10_000)
    undoes(on="2024-03-15")(fund)
    assert loan_of(fund).standing(day("2024-03-15"))[:3] == (1_000_000, 20_000, 10_000)


def test_a_part_is_written_off_and_the_rest_runs_on():
    fund = village(lends(1, 1_000_000, months=10, on="2024-01-10"))
    fund.write_off_loan(metadata("2024-02-10", reason="e1"), 1, amount=400_000)
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("running", 600_000)
    assert loan_of(fund).standing(day("2024-03-10"))[:2] == (600_000, 16_000)
    with refused(fund, LoanChangedSince, entry="LoanWrittenOff", version=fund.version):
        repays(1, 10_000, on="2024-02-09")(fund)
    repays(1, 616_000, on="2024-03-10")(fund)
    assert loan_of(fund).status == "settled"
    fund.recover_loan(metadata("2024-04-10"), 1, amount=400_000)


def test_who_comes_back_keeps_their_number_and_what_rests_on_it_stands():
    fund = village()
    with refused(fund, StillMember, member=1):
        fund.take_back(metadata("2024-03-01"), 1)
    leaves(1, "2024-03-01")(fund)
    fund.take_back(metadata("2024-06-01"), 1)
    came_back = fund.version
    assert [fund.members[1].is_on_roll(day(on)) for on in ("2024-03-01", "2024-04-01", "2024-06-01")] == [1, 0, 1]
    pays(1, "dues", 10_000, on="2024-06-02")(fund)
    with refused(fund, RollChangedSince, member=1, version=fund.version):
        undoes(came_back, on="2024-06-03")(fund)
    undoes(on="2024-06-03")(fund)
    undoes(came_back, on="2024-06-03")(fund)
    undoes(came_back - 1, on="2024-06-03")(fund)
    assert fund.members[1].left_on is None


def test_forgiven_dues_are_not_asked_for_any_more():
    fund = village(monthly_dues=10_000, meeting_day=15)
    owed = {month.month for month in monthly_dues(book(fund), fund.id, day("2024-04-20"), member=1) if month.owed}
    fund.forgive_dues(metadata("2024-04-20", reason="e1"), 1, months=("2024-02", "2024-03"))
    left = {month.month for month in monthly_dues(book(fund), fund.id, day("2024-04-20"), member=1) if month.owed}
    assert owed - left == {"2024-02", "2024-03"}


# Old books put right


def old_loan(outstanding: int = 600_000, **more: Any) -> OldLoan:
    facts: dict[str, Any] = {"principal": 1_000_000, "disbursed_on": date(2023, 10, 10), "term_months": 10}
    return OldLoan(member=2, outstanding=outstanding, purpose="crops", **facts | more)


def declares(*loans: OldLoan, cash: int = 500_000) -> dict[str, Any]:
    return {"revolving": OpeningPot(cash, 0), "activity": OpeningPot(0, 0), "loans": loans}


def test_old_books_are_put_right_by_telling_them_anew_and_the_difference_is_posted():
    fund = given(joins(), joins())
    with refused(fund, NoOpeningBalances):
        fund.correct_opening_balances(metadata("2024-01-10"), **declares())
    fund.declare_opening_balances(metadata("2024-01-10"), **declares(old_loan()))
    fund.correct_opening_balances(
        metadata("2024-01-10", reason="e1"), **declares(old_loan(700_000), old_loan(), cash=400_000)
    )
    assert posted(last(fund)) == {
        ("revolving", "cash"): -100_000,
        ("revolving", "loans", 1): 100_000,
        ("revolving", "loans", 2): 600_000,
        ("revolving", "opening"): -600_000,
    }
    assert [loan_of(fund, number).outstanding for number in (1, 2)] == [700_000, 600_000]
    fund.correct_opening_balances(metadata("2024-01-10", reason="e1"), **declares(old_loan(), cash=400_000))
    assert loan_of(fund, 1).outstanding == 600_000
    assert (loan_of(fund, 2).status, held(fund, "revolving", "loans")) == ("rejected", 600_000)


def test_an_old_loan_with_entries_of_its_own_is_not_told_otherwise():
    fund = given(joins(), joins())
    fund.declare_opening_balances(metadata("2024-01-10"), **declares(old_loan()))
    repays(1, 100_000, on="2024-02-10")(fund)
    with refused(fund, LoanHasEntries, loan=1, version=fund.version):
        fund.correct_opening_balances(metadata("2024-01-10"), **declares(old_loan(700_000)))
    fund.correct_opening_balances(metadata("2024-01-10"), **declares(old_loan(), cash=100_000))
    assert fund.cash_at(day("2024-01-10")) == 100_000


def test_an_old_loan_brings_its_own_rate_and_the_interest_owed_by_then():
    fund = given(joins(), joins())
    fund.declare_opening_balances(
        metadata("2024-01-10"), **declares(old_loan(interest_owed=25_000, own_rate_ppm=5_000))
    )
    assert loan_of(fund).standing(day("2024-01-10"))[:2] == (600_000, 25_000)
    assert loan_of(fund).standing(day("2024-02-10"))[:2] == (600_000, 28_000)


def test_no_more_is_written_off_than_is_owed():
    fund = village(lends(1, 1_000_000, on="2024-01-10"))
    with refused(fund, WriteOffAboveOutstanding, outstanding=1_000_000):
        fund.write_off_loan(metadata("2024-02-10"), 1, amount=1_000_001)

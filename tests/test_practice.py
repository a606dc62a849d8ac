"""What practice taught: conditions of the day of the act, credit kept, recoveries bounded, coins that nobody has."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from ledger.aggregates.fund import Fund, Stamp
from ledger.aggregates.warnings import warnings
from ledger.dues import monthly_dues
from ledger.events import Request
from ledger.meeting import Line, Sheet
from ledger.refusals import (
    IdempotencyKeyReused,
    InsufficientFunds,
    LinesRefused,
    LoanChangedSince,
    MeetingNotFound,
    NotEligible,
    RecoveryAboveLoss,
    RestTooLarge,
    RollChangedSince,
    StillMember,
    WaiverAboveInterest,
)
from ledger.terms import LoanTerms, standing
from tests.village import (
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
    pays,
    refused,
    repays,
    spends,
    stamp,
    undoes,
    village,
)

MEETING = "2024-03-15"


def line(key: str, decide: Callable[[Fund, Stamp], object], *, on: str = MEETING, turn: Any = "receipt") -> Line:
    marked = msgspec.structs.replace(stamp(on), request=Request(key, f"digest of {key}", on))
    return Line(marked, decide, turn)


def dues(member: int, amount: int, key: str = "dues-0001", on: str = MEETING) -> Line:
    return line(key, lambda fund, at: fund.receive_contribution(at, member=member, kind="dues", amount=amount), on=on)


def visit(amount: int, key: str = "visit-0001") -> Line:
    return line(key, lambda fund, at: fund.pay_expense(at, activity="visit_gift", amount=amount), turn="payment")


def sheet(*lines: Line, on: str = MEETING, partial: bool = False) -> Sheet:
    return Sheet(name=on, stamp=stamp(on), lines=lines, present=(1,), partial=partial)


# A sheet is one act


def test_an_expense_may_stand_above_the_dues_that_pay_for_it():
    fund = given(joins(), joins())

    answers = sheet(visit(100_000), dues(1, 100_000)).hold(fund)

    assert [answer.status for answer in answers] == ["recorded", "recorded"]
    assert fund.cash_at(day(MEETING)) == 0


def test_savings_may_be_taken_home_above_the_line_that_brings_them():
    fund = given(joins())
    home = line("home-0001", lambda f, at: f.withdraw_savings(at, member=1, amount=50_000), turn="payment")
    brought = line("save-0001", lambda f, at: f.receive_contribution(at, member=1, kind="savings", amount=50_000))

    answers = sheet(home, brought).hold(fund)

    assert [answer.status for answer in answers] == ["recorded", "recorded"]
    assert held(fund, "revolving", "savings") == 0


def test_a_loan_may_be_repaid_above_the_line_that_pays_it_out():
    fund = village(asks(2, 1_000_000, on=MEETING), grants(1, on=MEETING))
    repaid = line("repay-001", lambda f, at: f.repay_loan(at, 1, amount=200_000))
    paid_out = line("payout-01", lambda f, at: f.disburse_loan(at, 1), turn="payment")

    for partial in (False, True):
        trial = fund.fork()
        assert [a.status for a in sheet(repaid, paid_out, partial=partial).hold(trial)] == ["recorded", "recorded"]
        assert loan_of(trial).outstanding == 800_000


def test_a_deposit_and_a_withdrawal_of_the_same_money_fit_together_only():
    fund = given(joins())
    lines = (
        line("bank-0001", lambda f, at: f.move_to_bank(at, pot="activity", amount=70_000), turn="move"),
        line("bank-0002", lambda f, at: f.fetch_from_bank(at, pot="activity", amount=70_000), turn="move"),
    )

    whole, part = fund.fork(), fund.fork()

    assert [answer.status for answer in sheet(*lines).hold(whole)] == ["recorded", "recorded"]
    assert [answer.status for answer in sheet(*lines, partial=True).hold(part)] == ["refused", "refused"]


def test_what_the_days_end_cannot_bear_is_refused_line_by_line_and_nothing_is_recorded():
    fund = given(joins())
    with pytest.raises(LinesRefused) as refusal:
        sheet(visit(100_000), dues(1, 90_000)).hold(fund.fork())
    assert [type(answer.refusal) for answer in refusal.value.lines] == [InsufficientFunds, type(None)]


def test_in_part_receipts_come_first_and_payments_last():
    fund = given(joins())
    answers = sheet(visit(60_000, "visit-0001"), visit(60_000, "visit-0002"), dues(1, 100_000), partial=True).hold(fund)
    assert [answer.status for answer in answers] == ["recorded", "refused", "recorded"]


def test_a_lines_day_is_part_of_what_its_key_stands_for():
    fund = given(joins())
    sheet(dues(1, 20_000, "line-00001", "2024-02-15"), on="2024-02-15").hold(fund)

    again = sheet(dues(1, 20_000, "line-00001", "2024-02-15"), on="2024-02-16").hold(fund)
    (answer,) = sheet(dues(1, 20_000, "line-00001"), partial=True).hold(fund)

    assert [told.status for told in again] == ["replayed"]
    assert isinstance(answer.refusal, IdempotencyKeyReused)


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
    fund.change_member(stamp("2024-07-01"), 2, household="H1")
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
    fund.reject_loan(stamp("2024-04-21", reason="e1"), 1)
    with refused(fund, NotEligible, loan=2, reasons=("household-has-open-loan",)):
        grants(2, on="2024-04-20")(fund)
    grants(2, on="2024-04-21")(fund)


def test_membership_counts_from_the_return():
    fund = village(min_membership_months=3)
    leaves(2, "2024-04-01")(fund)
    fund.take_back(stamp("2024-06-01"), 2)
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
    fund.reschedule_loan(stamp("2024-04-10", reason="e1"), 1, term_months=6)
    assert last(fund).interest_carried == -70_800  # type: ignore[attr-defined]
    assert loan_of(fund).standing(day("2024-07-10")).interest_due == 0
    now = loan_of(fund).standing(day("2024-07-11"))
    assert now.settlement_amount == now.outstanding + now.interest_begun
    assert now.interest_begun == max(now.outstanding // 100 - now.interest_ahead, 0)


# Rescheduling, recoveries, rounding


def test_a_term_beyond_the_bylaws_needs_the_chairs_override():
    fund = village(lends(1, 1_000_000, on="2024-01-10"), max_term_months=12)
    with refused(fund, NotEligible, loan=1, reasons=("term-above-cap",)):
        fund.reschedule_loan(stamp("2024-04-10"), 1, term_months=13)
    fund.reschedule_loan(stamp("2024-04-10", override="e1"), 1, term_months=13, override=True)
    assert last(fund).override.rules == ("term-above-cap",)  # type: ignore[attr-defined]


def test_no_more_is_recovered_than_was_lost():
    fund = village(lends(1, 1_000_000, on="2024-01-10"))
    fund.write_off_loan(stamp("2024-03-15", reason="e1"), 1)
    lost = 1_000_000 + 2 * 10_000 + 10_000
    with refused(fund, RecoveryAboveLoss, recoverable=lost):
        fund.recover_loan(stamp("2024-04-15"), 1, amount=lost + 1)
    fund.recover_loan(stamp("2024-04-15"), 1, amount=lost - 1)
    with refused(fund, RecoveryAboveLoss, recoverable=1):
        fund.recover_loan(stamp("2024-04-15"), 1, amount=2)


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
    fund.adopt_bylaws(stamp("2024-01-20"), bylaws(interest_rounding=1))
    assert loan_of(fund).standing(day("2024-02-10")).interest_due == 33_000


def test_a_rest_that_no_note_can_pay_is_forgiven_in_the_act_that_pays():
    fund = village(lends(1, 1_000_400, on="2024-01-10"))
    with refused(fund, RestTooLarge, rest=1_404, most=999):
        fund.repay_loan(stamp("2024-02-10"), 1, amount=1_009_000, settle=True)
    paid = fund.repay_loan(stamp("2024-02-10"), 1, amount=1_010_000, settle=True)
    assert (paid.principal, paid.interest, paid.forgiven, paid.outstanding) == (999_996, 10_004, 404, 0)
    assert loan_of(fund).status == "settled"
    assert held(fund, "revolving", "write_offs") == 404


# Facts that were missing


def test_savings_pay_a_loan_without_cash_also_after_death():
    fund = village(pays(1, "savings", 500_000, on="2024-01-10"), lends(1, 1_000_000, on="2024-01-10"))
    leaves(1, "2024-02-20", "died")(fund)
    box = fund.cash_at(day("2024-03-10"))
    set_off = fund.set_off_savings(stamp("2024-03-10"), 1, amount=320_000)
    assert (set_off.principal, set_off.interest, set_off.savings_left) == (300_000, 20_000, 180_000)
    assert fund.cash_at(day("2024-03-10")) == box
    assert loan_of(fund).outstanding == 700_000


def test_interest_is_waived_up_to_what_is_due_and_the_month_begun_stays_out():
    fund = village(lends(1, 1_000_000, on="2024-01-10"))
    with refused(fund, WaiverAboveInterest, interest_due=20_000):
        fund.waive_interest(stamp("2024-03-15", reason="e1"), 1, amount=20_001)
    fund.waive_interest(stamp("2024-03-15", reason="e1"), 1, amount=15_000)
    assert loan_of(fund).standing(day("2024-03-15"))[:3] == (1_000_000, 5_000, 10_000)
    undoes(on="2024-03-15")(fund)
    assert loan_of(fund).standing(day("2024-03-15"))[:3] == (1_000_000, 20_000, 10_000)


def test_a_part_is_written_off_and_the_rest_runs_on():
    fund = village(lends(1, 1_000_000, months=10, on="2024-01-10"))
    fund.write_off_loan(stamp("2024-02-10", reason="e1"), 1, amount=400_000)
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("running", 600_000)
    assert loan_of(fund).standing(day("2024-03-10"))[:2] == (600_000, 16_000)
    with refused(fund, LoanChangedSince, entry="LoanWrittenOff", version=fund.version):
        repays(1, 10_000, on="2024-02-09")(fund)
    repays(1, 616_000, on="2024-03-10")(fund)
    assert loan_of(fund).status == "settled"
    fund.recover_loan(stamp("2024-04-10"), 1, amount=400_000)


def test_who_comes_back_keeps_their_number_and_what_rests_on_it_stands():
    fund = village()
    with refused(fund, StillMember, member=1):
        fund.take_back(stamp("2024-03-01"), 1)
    leaves(1, "2024-03-01")(fund)
    fund.take_back(stamp("2024-06-01"), 1)
    came_back = fund.version
    assert [fund.members[1].is_on_roll(day(on)) for on in ("2024-03-01", "2024-04-01", "2024-06-01")] == [1, 0, 1]
    pays(1, "dues", 10_000, on="2024-06-02")(fund)
    with refused(fund, RollChangedSince, member=1, version=fund.version):
        undoes(came_back, on="2024-06-03")(fund)
    undoes(on="2024-06-03")(fund)
    undoes(came_back, on="2024-06-03")(fund)
    undoes(came_back - 1, on="2024-06-03")(fund)
    assert fund.members[1].left_on is None


def test_a_sheet_is_undone_with_all_its_lines_and_its_name_is_free_again():
    fund = given(joins(), joins())
    sheet(dues(1, 20_000), visit(5_000)).hold(fund)
    sheet(dues(2, 20_000, "dues-0002")).hold(fund)  # A resend under the same name adds a line.
    meeting = next(iter(fund.meetings.values()))
    undone = fund.undo_meeting(stamp("2024-04-01"), meeting.version, reason="wrong_date", as_held=True)
    assert undone.on == day(MEETING)
    assert fund.cash_at(day(MEETING)) == 0
    with refused(fund, MeetingNotFound):
        fund.undo_meeting(stamp("2024-04-01"), 1, reason="other")
    assert [answer.status for answer in sheet(dues(1, 20_000)).hold(fund)] == ["replayed"], "keys stay spent"
    assert next(iter(fund.meetings.values())).meeting == 2


# Warnings, and silence in ordinary life


def codes(fund: Fund) -> list[str]:
    return [warning.code for warning in warnings(fund, last(fund))]


def with_dues(fund: Fund, month: str, on: str, amount: int = 10_000, member: int = 1) -> Fund:
    fund.receive_contribution(stamp(on), member=member, kind="dues", amount=amount, for_month=month)
    return fund


def test_dues_paid_already_far_off_or_told_twice_are_asked_about():
    fund = village(monthly_dues=10_000)
    assert codes(with_dues(fund, "2024-03", "2024-03-15", 5_000)) == []
    assert codes(with_dues(fund, "2024-03", "2024-03-16", 5_000)) == [], "half a month is not paid already"
    assert codes(with_dues(fund, "2024-04", "2024-03-16", 5_000)) == [], "other months are not alike"
    assert codes(with_dues(fund, "2024-03", "2024-04-15")) == ["dues-paid-already"]
    assert codes(with_dues(fund, "2025-05", "2024-04-15")) == ["dues-far-month"]
    assert codes(with_dues(fund, "2025-05", "2024-04-15")) == [
        "possible-duplicate",
        "dues-far-month",
        "dues-paid-already",
    ]


def test_ten_times_or_a_tenth_of_the_usual_is_asked_about():
    fund = village()
    for member in (1, 2, 3, 4) * 2:
        pays(member, "dues", 10_000, on="2024-03-15")(fund)
    pays(5, "dues", 90_000, on="2024-03-16")(fund)
    assert codes(fund) == []
    pays(5, "dues", 100_000, on="2024-03-17")(fund)
    assert codes(fund) == ["amount-unusual"]
    pays(5, "dues", 1_000, on="2024-03-18")(fund)
    assert codes(fund) == ["amount-unusual"]


def test_cash_of_a_counted_day_a_later_reversal_and_a_vacant_office_are_asked_about():
    fund = village(gives(1_000_000, pot="activity"))
    fund.take_office(stamp("2024-02-01"), member=2, office="treasurer")
    spends(50_000, on="2024-03-10")(fund)
    undoes(on="2024-03-12")(fund)
    assert codes(fund) == ["reversal-day-differs"]
    fund.count_cash(stamp("2024-03-15"), reason="periodic", counted=fund.cash_at(day("2024-03-15")))
    assert codes(fund) == []
    spends(50_000, on="2024-03-15")(fund)
    assert codes(fund) == ["counts-covered"]
    leaves(2, "2024-03-20")(fund)
    assert codes(fund) == ["office-vacant"]


def test_an_entry_of_somebody_who_left_is_asked_about_also_when_the_departure_is_told_late():
    fund = village(lends(1, 1_000_000, on="2024-01-10"), repays(1, 100_000, on="2024-03-10"))
    repaid = fund.version
    leaves(1, "2024-02-01", "died")(fund)
    (warning,) = warnings(fund, last(fund))
    assert (warning.code, warning.versions) == ("left-before", (repaid,))
    repays(1, 100_000, on="2024-04-10")(fund)
    assert codes(fund) == ["left-before"]


def test_forgiven_dues_are_not_asked_for_any_more():
    fund = village(monthly_dues=10_000, meeting_day=15)
    owed = {month.month for month in monthly_dues(fund, day("2024-04-20")) if month.member == 1 and month.owed}
    fund.forgive_dues(stamp("2024-04-20", reason="e1"), 1, months=("2024-02", "2024-03"))
    left = {month.month for month in monthly_dues(fund, day("2024-04-20")) if month.member == 1 and month.owed}
    assert owed - left == {"2024-02", "2024-03"}

"""Claims about lending: who may have a loan, who decides it, and what follows what (`domain.md` §4)."""

from ledger.aggregates.fund import Fund
from ledger.events import LoanApproved, LoanDisbursed, LoanRequested, Override
from ledger.refusals import (
    AmountNotPositive,
    GuarantorIsBorrower,
    InsufficientFunds,
    LoanNotApproved,
    LoanNotFound,
    LoanNotRequested,
    LoanNotRunning,
    MemberNotFound,
    MemberNotOnRoll,
    NotEligible,
    OutOfOrder,
    OwnLoan,
    PrincipalOverRepaid,
    SamePersonApproved,
)
from tests.support.village import (
    adopts,
    asks,
    day,
    grants,
    hands_out,
    joins,
    leaves,
    lends,
    loan_of,
    metadata,
    pays,
    refused,
    repays,
    spends,
    village,
)

# Who may have one


def eligible(fund: Fund, loan: int = 1, on: str = "2024-07-05", **decision: bool) -> LoanApproved:
    return fund.approve_loan(metadata(on, by="chair", member=1), loan, **decision)


def refused_for(fund: Fund, *reasons: str, loan: int = 1, on: str = "2024-07-05") -> None:
    with refused(fund, NotEligible, loan=loan, reasons=reasons):
        eligible(fund, loan, on)


def test_membership_must_have_lasted_the_months_of_the_bylaws_to_the_day():
    fund = village(joins(on="2024-01-31"), asks(6, on="2024-02-01"), min_membership_months=1)
    refused_for(fund, "membership-too-short", on="2024-02-28")
    eligible(fund, on="2024-02-29")


def test_the_principal_may_reach_the_cap_and_not_a_dong_more():
    fund = village(asks(4, 5_000_001), asks(5, 5_000_000), max_principal=5_000_000)
    refused_for(fund, "principal-above-cap", loan=1)
    eligible(fund, loan=2)


def test_the_term_may_reach_the_cap_and_not_a_month_more():
    fund = village(asks(4, months=13), asks(5, months=12), max_term_months=12)
    refused_for(fund, "term-above-cap", loan=1)
    eligible(fund, loan=2)


def test_one_of_a_household_has_a_loan_at_a_time():
    fund = village(lends(4, 500_000, on="2024-02-05"), asks(5), asks(3), asks(4), one_open_loan_per_household=True)
    refused_for(fund, "household-has-open-loan", loan=2)
    refused_for(fund, "household-has-open-loan", loan=4)
    eligible(fund, loan=3)
    repays(1, 525_000, on="2024-07-05")(fund)
    eligible(fund, loan=2)


def test_a_household_written_in_small_letters_is_the_same_household():
    fund = village(joins(household="h4"), lends(6, 500_000, on="2024-02-05"), asks(4), one_open_loan_per_household=True)
    refused_for(fund, "household-has-open-loan", loan=2)


def test_a_loan_that_is_granted_and_not_yet_handed_out_counts_for_the_household():
    fund = village(asks(4), asks(5), grants(1, on="2024-07-04"), one_open_loan_per_household=True)
    refused_for(fund, "household-has-open-loan", loan=2)


def test_members_without_a_household_are_not_one_household():
    fund = village(lends(2, on="2024-02-05"), asks(3), one_open_loan_per_household=True)
    eligible(fund, loan=2)


def test_a_household_may_have_several_loans_where_the_bylaws_do_not_mind():
    eligible(village(lends(4, on="2024-02-05"), asks(5)), loan=2)


def test_the_bylaws_in_force_on_the_day_of_approval_judge_not_those_of_the_request_nor_the_newest():
    fund = village(
        asks(4, 5_000_000),
        adopts(on="2024-06-01", max_principal=3_000_000, monthly_rate_ppm=9_000),
        adopts(on="2024-08-01", max_principal=8_000_000, monthly_rate_ppm=8_000),
        max_principal=6_000_000,
    )
    refused_for(fund, "principal-above-cap", on="2024-06-01")
    refused_for(fund, "principal-above-cap", on="2024-07-31")
    assert eligible(fund, on="2024-08-01").monthly_rate_ppm == 8_000
    assert eligible(village(asks(4)), on="2024-05-31").monthly_rate_ppm == 10_000


def test_all_reasons_are_given_at_once():
    fund = village(
        lends(5, 100_000, on="2024-02-05"), joins(on="2024-06-30", household="H4"), asks(6, on="2024-06-30", months=40),
        adopts(
            on="2024-07-01",
            min_membership_months=3,
            max_principal=1,
            max_term_months=1,
            one_open_loan_per_household=True,
        ),
    )  # fmt: skip
    reasons = ("membership-too-short", "principal-above-cap", "term-above-cap", "household-has-open-loan")
    refused_for(fund, *reasons, loan=2)
    assert eligible(fund, loan=2, override=True).override == Override(reasons)


def test_an_override_that_sets_nothing_aside_is_none():
    assert eligible(village(asks(4)), override=True).override is None


def test_an_override_never_grants_a_loan_to_oneself():
    fund = village(asks(1))
    for override in (False, True):
        with refused(fund, OwnLoan, loan=1):
            eligible(fund, override=override)
    assert fund.approve_loan(metadata("2024-07-05", by="deputy", member=2), 1).member == 1


def test_an_override_never_stands_in_for_membership():
    fund = village(asks(4), leaves(4, "2024-07-04"))
    with refused(fund, MemberNotOnRoll, member=4):
        eligible(fund, override=True)


def test_an_override_never_stands_in_for_cash_or_approval():
    fund = village(spends(19_500_000, on="2024-07-05", pot="revolving"), asks(4, 1_000_000), asks(5))
    eligible(fund, override=True)
    with refused(fund, InsufficientFunds, pot="revolving", place="cash", available=500_000, amount=1_000_000):
        hands_out(1, on="2024-07-05")(fund)
    with refused(fund, LoanNotApproved, loan=2, status="requested"):
        hands_out(2, on="2024-07-05")(fund)


def test_two_persons_are_needed_where_the_bylaws_ask_for_two():
    fund = village(asks(4), asks(5), two_person_approval=True)
    eligible(fund)
    with refused(fund, SamePersonApproved, loan=1):
        fund.disburse_loan(metadata("2024-07-05", by="chair"), 1)
    adopts(on="2024-07-05", two_person_approval=False)(fund)
    with refused(fund, SamePersonApproved, loan=1):
        fund.disburse_loan(metadata("2024-07-05", by="chair"), 1)
    hands_out(1, on="2024-07-05")(fund)
    eligible(fund, loan=2)
    assert isinstance(fund.disburse_loan(metadata("2024-07-05", by="chair"), 2), LoanDisbursed)


def test_two_principals_of_one_member_are_not_two_persons():
    fund = village(asks(4), two_person_approval=True)
    eligible(fund)
    with refused(fund, SamePersonApproved, loan=1):
        fund.disburse_loan(metadata("2024-07-05", by="another token", aliases=frozenset({"chair", "a third"})), 1)
    other = metadata("2024-07-05", by="another token", aliases=frozenset({"a third"}))
    assert isinstance(fund.disburse_loan(other, 1), LoanDisbursed)


# From request to settlement, in order


def test_only_a_member_on_the_roll_asks_for_a_loan_or_stands_surety():
    fund = village(leaves(5, "2024-02-05"))

    def ask(member: int, guarantor: int | None = None, on: str = "2024-02-06") -> LoanRequested:
        terms = {"principal": 1_000_000, "term_months": 12, "guarantor": guarantor}
        return fund.request_loan(metadata(on), member=member, purpose="trade", **terms)  # type: ignore[arg-type]

    with refused(fund, MemberNotFound, member=9):
        ask(9)
    with refused(fund, MemberNotOnRoll, member=5, on=day("2024-02-06")):
        ask(5)
    with refused(fund, MemberNotOnRoll, member=5):
        ask(4, guarantor=5)
    with refused(fund, GuarantorIsBorrower, member=4):
        ask(4, guarantor=4)
    assert ask(5, guarantor=4, on="2024-02-05").loan == 1
    assert ask(4, on="2024-02-05").loan == 2


def test_each_step_of_a_loan_follows_the_one_before():
    fund = village(asks(4, on="2024-02-05"))
    with refused(fund, LoanNotFound, loan=2):
        eligible(fund, loan=2)
    with refused(fund, OutOfOrder, on=day("2024-02-04"), earliest=day("2024-02-05")):
        eligible(fund, on="2024-02-04")
    with refused(fund, OutOfOrder, earliest=day("2024-02-05")):
        fund.reject_loan(metadata("2024-02-04"), 1)
    with refused(fund, LoanNotRunning, loan=1, status="requested"):
        repays(1, 1_000, on="2024-02-07")(fund)
    grants(1, on="2024-02-06")(fund)
    with refused(fund, LoanNotRequested, loan=1, status="approved"):
        eligible(fund)
    with refused(fund, LoanNotRunning, status="approved"):
        repays(1, 1_000, on="2024-02-07")(fund)
    with refused(fund, OutOfOrder, earliest=day("2024-02-06")):
        hands_out(1, on="2024-02-05")(fund)
    hands_out(1, on="2024-02-07")(fund)
    with refused(fund, LoanNotApproved, loan=1, status="running"):
        hands_out(1, on="2024-02-07")(fund)
    with refused(fund, OutOfOrder, earliest=day("2024-02-07")):
        repays(1, 1_000, on="2024-02-06")(fund)
    repays(1, 1_000_000, on="2024-02-07")(fund)
    with refused(fund, LoanNotRunning, loan=1, status="settled"):
        repays(1, 1_000, on="2024-02-08")(fund)


def test_a_rejected_loan_goes_no_further():
    fund = village(asks(4), lambda fund: fund.reject_loan(metadata("2024-02-05"), 1))
    assert loan_of(fund).status == "rejected"
    with refused(fund, LoanNotRequested, loan=1, status="rejected"):
        eligible(fund)
    with refused(fund, LoanNotApproved, loan=1, status="rejected"):
        hands_out(1, on="2024-07-05")(fund)


# Who leaves


def test_leaving_is_never_refused_and_repayments_and_withdrawals_go_on():
    fund = village(pays(4, "savings", 300_000), lends(4, 1_000_000, on="2024-02-05"), asks(4, on="2024-02-05"))
    fund.leave(metadata("2024-03-01"), 4, "died")
    assert loan_of(fund).status == "running"
    paid = fund.repay_loan(metadata("2024-03-05"), 1, amount=110_000)
    assert (paid.member, paid.outstanding) == (4, 900_000)
    assert fund.withdraw_savings(metadata("2024-03-05"), member=4, amount=300_000).savings_left == 0
    for claim in (lambda: pays(4, "dues", 10_000, on="2024-03-02")(fund), lambda: asks(4, on="2024-03-02")(fund)):
        with refused(fund, MemberNotOnRoll, member=4, on=day("2024-03-02")):
            claim()
    pays(4, "dues", 10_000, on="2024-03-01")(fund)


def test_a_granted_loan_is_not_handed_out_to_who_has_left():
    fund = village(asks(4), grants(1), leaves(4, "2024-03-01", "excluded"))
    with refused(fund, MemberNotOnRoll, member=4, on=day("2024-03-02")):
        hands_out(1, on="2024-03-02")(fund)


def test_nobody_can_ask_for_nothing_or_less():
    fund = village()

    for principal in (0, -1):
        with refused(fund, AmountNotPositive, amount=principal):
            fund.request_loan(metadata("2024-01-10"), member=4, principal=principal, term_months=12, purpose="crops")


def test_a_late_repayment_of_a_loan_settled_since_is_refused_with_the_remedy():
    fund = village(lends(4, 1_000_000, on="2024-01-10"), repays(1, 1_010_000, on="2024-02-10"))

    with refused(fund, PrincipalOverRepaid, loan=1):
        fund.repay_loan(metadata("2024-02-01"), 1, amount=100_000)

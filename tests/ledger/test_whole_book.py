"""The rest of what happens to a fund, claim by claim (`domain.md` §3 and §4): given acts, when a decision, then facts.

The random histories of `test_book_invariants.py` show that nothing breaks; here is what each decision means.
"""

from datetime import date
from typing import Any

from ledger.refusals import (
    AdvanceNotFound,
    AlreadyReversed,
    BelowZero,
    InsufficientFunds,
    InsufficientSavings,
    LaterRepayments,
    LiveRecoveries,
    LiveRepayments,
    LoanChangedSince,
    LoanNotRunning,
    LoanNotWrittenOff,
    NotReversible,
    OutOfOrder,
    SamePot,
)
from tests.support.village import (
    day,
    gives,
    held,
    last,
    leaves,
    lends,
    loan_of,
    metadata,
    pays,
    posted,
    refused,
    repays,
    spends,
    undoes,
    village,
)


def rescheduled(loan: int, *, on: str, months: int) -> Any:
    """A loan is planned anew."""
    return lambda fund: fund.reschedule_loan(metadata(on), loan, term_months=months)


def written_off(loan: int, *, on: str) -> Any:
    """A loan is given up."""
    return lambda fund: fund.write_off_loan(metadata(on), loan)


# --- savings ----------------------------------------------------------------------------------------------------------


def test_savings_are_owed_to_the_member_also_after_leaving() -> None:
    fund = village(pays(4, "savings", 300_000), leaves(4, "2024-02-01", "died"))
    withdrawn = fund.withdraw_savings(metadata("2024-03-01"), member=4, amount=300_000)
    assert posted(withdrawn) == {("revolving", "savings", 4): 300_000, ("revolving", "cash"): -300_000}
    assert withdrawn.voucher == "PC-2024-0001"
    assert held(fund, "revolving", "savings") == 0


def test_nobody_withdraws_what_another_member_saved() -> None:
    fund = village(pays(4, "savings", 300_000), pays(5, "savings", 100_000))
    with refused(fund, InsufficientSavings, member=5, available=100_000, amount=100_001):
        fund.withdraw_savings(metadata("2024-03-01"), member=5, amount=100_001)


def test_a_late_withdrawal_may_not_make_savings_negative_on_an_earlier_or_a_later_day() -> None:
    fund = village(pays(4, "savings", 300_000, on="2024-02-01"), pays(4, "savings", 200_000, on="2024-04-01"))
    fund.withdraw_savings(metadata("2024-04-02"), member=4, amount=450_000)
    with refused(fund, InsufficientSavings, available=50_000, short_on=date(2024, 4, 2)):
        fund.withdraw_savings(metadata("2024-03-01"), member=4, amount=60_000)
    with refused(fund, InsufficientSavings, available=0, short_on=date(2024, 1, 31)):
        fund.withdraw_savings(metadata("2024-01-31"), member=4, amount=1)


def test_a_deposit_already_withdrawn_is_reversed_only_after_the_withdrawal() -> None:
    fund = village(pays(4, "savings", 300_000, on="2024-02-01"))
    deposit = fund.version
    withdrawal = fund.withdraw_savings(metadata("2024-02-02"), member=4, amount=100_000).version
    with refused(fund, InsufficientSavings, member=4, available=200_000, amount=300_000):
        fund.reverse_entry(metadata("2024-02-03"), deposit, reason="wrong_member")
    undoes(withdrawal, on="2024-02-03")(fund)
    undoes(deposit, on="2024-02-03")(fund)
    assert held(fund, "revolving", "savings") == 0


# --- incomes, bank, pots, advances ------------------------------------------------------------------------------------


def test_what_the_bank_pays_in_moves_no_cash_and_bears_no_voucher() -> None:
    fund = village()
    interest = fund.receive_income(
        metadata("2024-02-01"), kind="bank_interest", pot="revolving", place="bank", amount=12_345
    )
    assert posted(interest) == {("revolving", "bank"): 12_345, ("revolving", "bank_interest"): -12_345}
    assert interest.voucher is None
    assert fund.receive_income(metadata("2024-02-01"), kind="other", pot="activity", amount=1).voucher == "PT-2024-0003"


def test_money_goes_to_the_bank_and_back_within_its_pot() -> None:
    fund = village()
    there = fund.move_to_bank(metadata("2024-02-01"), pot="activity", amount=600_000)
    back = fund.fetch_from_bank(metadata("2024-02-02"), pot="activity", amount=200_000)
    assert (there.voucher, back.voucher) == ("PC-2024-0001", "PT-2024-0003")
    assert (held(fund, "activity", "cash"), held(fund, "activity", "bank")) == (600_000, 400_000)
    with refused(fund, InsufficientFunds, place="bank", available=400_000):
        fund.fetch_from_bank(metadata("2024-02-03"), pot="activity", amount=400_001)


def test_a_transfer_between_the_pots_stays_in_the_box_and_bears_no_voucher() -> None:
    fund = village()
    moved = fund.transfer_between_pots(metadata("2024-02-01"), source="activity", target="revolving", amount=250_000)
    assert posted(moved) == {
        ("activity", "transfers"): 250_000,
        ("activity", "cash"): -250_000,
        ("revolving", "cash"): 250_000,
        ("revolving", "transfers"): -250_000,
    }
    assert not hasattr(moved, "voucher")
    with refused(fund, SamePot):
        fund.transfer_between_pots(metadata("2024-02-01"), source="activity", target="activity", amount=1)


def test_an_advance_is_owed_until_it_is_repaid_and_not_beyond() -> None:
    fund = village()
    advance = fund.receive_advance(metadata("2024-02-01"), source="credit_fund", amount=4_000_000)
    assert posted(advance) == {("revolving", "cash"): 4_000_000, ("revolving", "advances", 1): -4_000_000}
    fund.repay_advance(metadata("2024-03-01"), 1, amount=3_000_000)
    with refused(fund, BelowZero, account="advances", available=1_000_000):
        fund.repay_advance(metadata("2024-03-02"), 1, amount=1_000_001)
    with refused(fund, BelowZero, account="advances"):
        fund.reverse_entry(metadata("2024-03-02"), advance.version, reason="other")
    with refused(fund, AdvanceNotFound, advance=2):
        fund.repay_advance(metadata("2024-03-02"), 2, amount=1)


# --- rescheduling -----------------------------------------------------------------------------------------------------


def test_a_reschedule_plans_what_is_outstanding_over_new_months_from_its_day() -> None:
    fund = village(lends(4, 1_200_000, on="2024-01-31"), repays(1, 112_000, on="2024-02-29"))
    rescheduled(1, on="2024-05-15", months=4)(fund)
    planned = loan_of(fund).plan(day("2024-05-15"))
    assert [(line.due_on.isoformat(), line.principal, line.interest) for line in planned] == [
        ("2024-06-15", 275_000, 11_000),
        ("2024-07-15", 275_000, 8_250),
        ("2024-08-15", 275_000, 5_500),
        ("2024-09-15", 275_000, 2_750),
    ]
    assert [line.principal for line in loan_of(fund).plan(day("2024-05-14"))] == [100_000] * 12


def test_a_reschedule_carries_the_interest_accrued_and_payments_meet_it_first() -> None:
    fund = village(lends(4, 1_200_000, on="2024-01-31"))
    rescheduled(1, on="2024-05-15", months=6)(fund)  # 29/02, 31/03 and 30/04 went unpaid: three months of 12,000 đ
    assert (last(fund).outstanding, last(fund).interest_carried) == (1_200_000, 36_000)  # type: ignore[attr-defined]
    assert loan_of(fund).standing(day("2024-05-15"))[:3] == (1_200_000, 36_000, 0)
    assert loan_of(fund).standing(day("2024-06-14"))[:3] == (1_200_000, 36_000, 12_000)
    assert loan_of(fund).standing(day("2024-06-15"))[:3] == (1_200_000, 48_000, 0)
    repaid = fund.repay_loan(metadata("2024-06-15"), 1, amount=50_000)
    assert (repaid.interest, repaid.principal) == (48_000, 2_000)


def test_a_reschedule_may_be_undone_and_the_loan_stands_as_it_would_have() -> None:
    fund = village(lends(4, 1_200_000, on="2024-01-31"))
    rescheduled(1, on="2024-05-15", months=6)(fund)
    undoes(on="2024-05-16")(fund)
    assert posted(last(fund)) == {}
    assert loan_of(fund) == loan_of(village(lends(4, 1_200_000, on="2024-01-31")))


def test_a_rescheduled_loan_is_taken_apart_from_its_end() -> None:
    fund = village(lends(4, 1_200_000, on="2024-01-31"))
    disbursed = fund.version
    repays(1, 112_000, on="2024-02-29")(fund)
    rescheduled(1, on="2024-05-15", months=6)(fund)
    first = fund.version
    rescheduled(1, on="2024-06-20", months=9)(fund)
    second = fund.version
    repays(1, 50_000, on="2024-07-20")(fund)
    for version, rule in (
        (second, LiveRepayments),
        (first, LoanChangedSince),
        (disbursed + 1, LoanChangedSince),
        (disbursed, LiveRepayments),
    ):
        with refused(fund, rule, loan=1):
            fund.reverse_entry(metadata("2024-07-21"), version, reason="other")
    for version in (second + 1, second, first, disbursed + 1, disbursed):
        undoes(version, on="2024-07-21")(fund)
    assert loan_of(fund).status == "approved"
    assert held(fund, "revolving", "loans") == 0


def test_nothing_slips_in_before_a_reschedule_and_it_slips_in_before_no_repayment() -> None:
    fund = village(lends(4, on="2024-01-31"), repays(1, 100_000, on="2024-03-05"))
    with refused(fund, LaterRepayments, loan=1, on=date(2024, 3, 4)):
        rescheduled(1, on="2024-03-04", months=6)(fund)
    with refused(fund, LaterRepayments, loan=1):
        written_off(1, on="2024-03-04")(fund)
    rescheduled(1, on="2024-03-05", months=6)(fund)
    with refused(fund, LoanChangedSince, changed_on=date(2024, 3, 5)):
        repays(1, 10_000, on="2024-03-04")(fund)


# --- writing off and recovering ---------------------------------------------------------------------------------------


def test_a_write_off_moves_what_is_outstanding_and_later_money_is_income() -> None:
    fund = village(lends(4, 1_000_000, on="2024-01-31"), repays(1, 410_000, on="2024-02-29"))
    written_off(1, on="2024-06-01")(fund)
    assert posted(last(fund)) == {("revolving", "write_offs"): 600_000, ("revolving", "loans", 1): -600_000}
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("written_off", 0)
    recovered = fund.recover_loan(metadata("2024-07-01"), 1, amount=50_000)
    assert posted(recovered) == {("revolving", "cash"): 50_000, ("revolving", "recoveries"): -50_000}
    assert recovered.voucher == "PT-2024-0004"


def test_a_loan_given_up_is_recovered_and_no_longer_repaid_or_rescheduled() -> None:
    fund = village(lends(4, on="2024-01-31"))
    with refused(fund, LoanNotWrittenOff, status="running"):
        fund.recover_loan(metadata("2024-03-01"), 1, amount=1)
    written_off(1, on="2024-03-01")(fund)
    for decide in (
        repays(1, 1, on="2024-03-02"),
        rescheduled(1, on="2024-03-02", months=2),
        written_off(1, on="2024-03-02"),
    ):
        with refused(fund, LoanNotRunning, status="written_off"):
            decide(fund)
    with refused(fund, OutOfOrder, earliest=date(2024, 3, 1)):
        fund.recover_loan(metadata("2024-02-29"), 1, amount=1)


def test_a_write_off_is_undone_after_its_recoveries_and_the_loan_runs_on() -> None:
    fund = village(lends(4, on="2024-01-31"))
    written_off(1, on="2024-03-01")(fund)
    given_up = fund.version
    recovered = fund.recover_loan(metadata("2024-03-02"), 1, amount=70_000).version
    with refused(fund, LiveRecoveries, loan=1):
        fund.reverse_entry(metadata("2024-03-03"), given_up, reason="other")
    with refused(fund, LoanChangedSince, loan=1):
        fund.reverse_entry(metadata("2024-03-03"), given_up - 1, reason="other")
    undoes(recovered, on="2024-03-03")(fund)
    undoes(given_up, on="2024-03-03")(fund)
    assert loan_of(fund) == loan_of(village(lends(4, on="2024-01-31")))
    assert held(fund, "revolving", "write_offs") == held(fund, "revolving", "recoveries") == 0


# --- reversals --------------------------------------------------------------------------------------------------------


def test_a_repayment_reversed_in_the_middle_counts_as_never_paid_and_later_splits_stand() -> None:
    fund = village(lends(4, 1_000_000, on="2024-01-10"), repays(1, 210_000, on="2024-02-10"))
    middle = fund.version
    later = fund.repay_loan(metadata("2024-03-10"), 1, amount=108_000)
    assert (later.principal, later.interest, later.outstanding) == (100_000, 8_000, 700_000)
    undoes(middle, on="2024-03-20")(fund)
    assert loan_of(fund).outstanding == held(fund, "revolving", "loans") == 900_000
    # Two months of 10,000 đ on the whole million had accrued by 10/03; 8,000 đ are paid; then a month of 9,000 đ.
    assert loan_of(fund).standing(day("2024-03-20"))[:3] == (900_000, 12_000, 9_000)
    assert fund.repay_loan(metadata("2024-04-10"), 1, amount=921_000).outstanding == 0


def test_a_reversed_disbursement_may_be_paid_out_again() -> None:
    fund = village(lends(4, 1_000_000, on="2024-01-10"))
    disbursed = fund.version
    repays(1, 10_000, on="2024-02-10")(fund)
    with refused(fund, LiveRepayments, loan=1):
        fund.reverse_entry(metadata("2024-02-11"), disbursed, reason="other")
    undoes(disbursed + 1, on="2024-02-11")(fund)
    undoes(disbursed, on="2024-02-11")(fund)
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("approved", 0)
    fund.disburse_loan(metadata("2024-02-12"), 1)
    assert loan_of(fund).standing(day("2024-03-12"))[:3] == (1_000_000, 10_000, 0)


def test_an_entry_is_reversed_once_and_a_reversal_never() -> None:
    fund = village(pays(4, "dues", 10_000))
    paid = fund.version
    undoes(paid, on="2024-02-01")(fund)
    with refused(fund, AlreadyReversed, version=paid, reversed_by=paid + 1):
        fund.reverse_entry(metadata("2024-02-01"), paid, reason="other")
    with refused(fund, NotReversible, entry="EntryReversed"):
        fund.reverse_entry(metadata("2024-02-01"), paid + 1, reason="other")


def test_a_reversal_may_not_empty_the_box_on_a_later_day() -> None:
    fund = village(gives(500_000, pot="activity", on="2024-02-01"))
    gift = fund.version
    spends(1_400_000, on="2024-02-10")(fund)
    with refused(fund, InsufficientFunds, pot="activity", available=100_000, short_on=date(2024, 2, 10)):
        fund.reverse_entry(metadata("2024-02-05"), gift, reason="other")

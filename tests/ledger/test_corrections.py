"""Claims about corrections: nothing is edited or deleted, an entry is undone once and in the right order."""

import msgspec
import pytest

from ledger.aggregates.fund import Fund
from ledger.chart import negated
from ledger.events import Entry, EntryReversed, LoanRepaid, encode
from ledger.refusals import (
    AlreadyReversed,
    BelowZero,
    EntryNotFound,
    InsufficientFunds,
    InsufficientSavings,
    LaterRepayments,
    LiveRecoveries,
    LiveRepayments,
    LoanChangedSince,
    LoanNotFound,
    LoanNotRunning,
    LoanNotWrittenOff,
    NotReversible,
    OutOfOrder,
    WrongEntryStillCounts,
)
from tests.support.village import (
    Act,
    asks,
    day,
    given,
    gives,
    grants,
    hands_out,
    held,
    last,
    lends,
    lines,
    loan_of,
    metadata,
    pays,
    posted,
    refused,
    repays,
    replayed,
    spends,
    state,
    undoes,
    village,
    whole_life,
)


def reschedules(loan: int, months: int, *, on: str) -> Act:
    return lambda fund: fund.reschedule_loan(metadata(on), loan, term_months=months)


def writes_off(loan: int, *, on: str) -> Act:
    return lambda fund: fund.write_off_loan(metadata(on), loan)


def recovers(loan: int, amount: int, *, on: str) -> Act:
    return lambda fund: fund.recover_loan(metadata(on), loan, amount=amount)


# What a reversal is


def test_a_reversal_posts_the_legs_negated_and_says_what_it_undid_and_why():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 110_000, on="2024-03-05"))
    paid = last(fund)
    assert isinstance(paid, LoanRepaid)
    undone = fund.reverse_entry(metadata("2024-03-20", note="77"), paid.version, reason="wrong_member")
    assert undone.legs() == negated(paid.legs())
    assert (undone.reverses, undone.entry, undone.reason) == (paid.version, "LoanRepaid", "wrong_member")
    assert (undone.voucher, undone.member, undone.loan) == (paid.voucher, 4, 1)
    assert undone.on == day("2024-03-20")


NEVER = ("EntryReversed", "OpeningBalancesDeclared", "OpeningBalancesCorrected", "FundDissolved")
LIFE = whole_life()
REVERSIBLE = [event.version for event in LIFE.entries if event.legs() and event.name not in NEVER]


@pytest.mark.parametrize("version", REVERSIBLE)
def test_a_fact_and_its_reversal_leave_the_books_and_the_loans_as_they_were(version):
    fund = Fund(LIFE.id)
    for entry in LIFE.pending[: version - 1]:
        fund.apply(entry)
    for pot in ("revolving", "activity"):
        gives(50_000_000, pot=pot, on="2024-04-01")(fund)  # Nothing but a rule about reversals may stand in its way.
    before = {key: amount for key, amount in fund.balances.items() if amount}, dict(fund.loans)
    fact = msgspec.structs.replace(LIFE.entries[version - 1], version=fund.version + 1, prev=fund.head)
    fund.apply(Entry(fact, encode(fact)))
    undoes(fact.version, on="2024-04-01", reason="other")(fund)
    assert ({key: amount for key, amount in fund.balances.items() if amount}, fund.loans) == before


def test_an_entry_is_undone_once_and_only_if_it_moved_money():
    fund = village(spends(10_000, on="2024-02-05"), undoes(on="2024-02-06"))
    assert fund.reversed_by == {10: 11}
    with refused(fund, AlreadyReversed, version=10, reversed_by=11):
        undoes(10, on="2024-02-07")(fund)
    for version in (0, -1, 12):
        with refused(fund, EntryNotFound, version=version):
            fund.reverse_entry(metadata("2024-02-07"), version, reason="duplicate")
    for version, entry in ((1, "FundOpened"), (2, "BylawsAdopted"), (3, "MemberJoined"), (11, "EntryReversed")):
        with refused(fund, NotReversible, version=version, entry=entry):
            undoes(version, on="2024-02-07")(fund)


def test_the_taking_over_of_an_old_book_is_not_undone():
    opening = next(event for event in LIFE.entries if event.name == "OpeningBalancesDeclared")
    fund = Fund(LIFE.id)
    for entry in LIFE.pending[: opening.version]:
        fund.apply(entry)
    with refused(fund, NotReversible, version=opening.version, entry="OpeningBalancesDeclared"):
        undoes(opening.version, on="2024-02-07")(fund)


def test_an_entry_is_not_undone_before_it_happened():
    fund = village(spends(10_000, on="2024-02-05"))
    with refused(fund, OutOfOrder, on=day("2024-02-04"), earliest=day("2024-02-05")):
        undoes(on="2024-02-04")(fund)
    undoes(on="2024-02-05")(fund)


def test_a_receipt_that_was_spent_is_not_undone():
    fund = given(gives(100_000, pot="activity"), spends(60_000, on="2024-02-05"))
    for on, short_on in (("2024-01-15", "2024-02-05"), ("2024-03-05", "2024-03-05")):
        with refused(fund, InsufficientFunds, available=40_000, amount=100_000, short_on=day(short_on)):
            undoes(3, on=on)(fund)


def test_savings_that_were_withdrawn_and_advances_that_were_repaid_are_not_undone():
    fund = village(
        pays(4, "savings", 30_000, on="2024-02-05"),
        lambda fund: fund.receive_advance(metadata("2024-02-05"), source="business", amount=70_000),
        lambda fund: fund.withdraw_savings(metadata("2024-02-06"), member=4, amount=20_000),
        lambda fund: fund.repay_advance(metadata("2024-02-06"), 1, amount=1_000),
    )
    with refused(fund, InsufficientSavings, member=4, available=10_000, amount=30_000):
        undoes(10, on="2024-02-07")(fund)
    with refused(fund, BelowZero, account="advances", available=69_000, amount=70_000):
        undoes(11, on="2024-02-07")(fund)


# Loans are taken apart from their end


def test_a_disbursement_with_live_repayments_is_not_undone_before_they_are():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 110_000, on="2024-03-05"))
    with refused(fund, LiveRepayments, loan=1):
        undoes(12, on="2024-03-06")(fund)
    undoes(13, on="2024-03-06")(fund)
    undoes(12, on="2024-03-06")(fund)
    assert loan_of(fund).status == "approved"
    assert (held(fund, "revolving", "loans"), loan_of(fund).outstanding) == (0, 0)
    with refused(fund, LoanNotRunning, loan=1, status="approved"):
        repays(1, 1_000, on="2024-03-06")(fund)
    hands_out(1, on="2024-03-06", place="cash")(fund)
    assert (loan_of(fund).disbursed_on, loan_of(fund).outstanding) == (day("2024-03-06"), 1_000_000)


def test_a_repayment_undone_in_the_middle_leaves_later_splits_as_recorded():
    fund = village(
        lends(4, 1_200_000, on="2024-02-05"),
        repays(1, 112_000, on="2024-03-05"),
        repays(1, 111_000, on="2024-04-05"),
        repays(1, 110_000, on="2024-05-05"),
    )
    undoes(14, on="2024-05-06")(fund)
    assert [(each.principal, each.interest) for each in loan_of(fund).repayments.values()] == [
        (100_000, 12_000),
        (100_000, 10_000),
    ]
    # Interest accrued on what was live: 12,000 + 11,000 + 11,000, of which 22,000 are paid.
    assert loan_of(fund).standing(day("2024-05-05"))[:3] == (1_000_000, 12_000, 0)
    assert loan_of(fund).standing(day("2024-05-06")).settlement_amount == 1_000_000 + 12_000 + 10_000


def test_a_settled_loan_runs_again_when_its_last_repayment_is_undone():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 1_010_000, on="2024-03-05"))
    assert loan_of(fund).status == "settled"
    undoes(on="2024-03-06")(fund)
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("running", 1_000_000)


def test_a_wrong_amount_is_undone_and_entered_anew_on_its_own_day():
    """ "It was 500,000, not 50,000.\""""
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 50_000, on="2024-03-05"))
    undoes(on="2024-03-05")(fund)
    right = fund.repay_loan(metadata("2024-03-05"), 1, amount=500_000)
    assert (right.interest, right.principal, right.outstanding) == (10_000, 490_000, 510_000)


# A reversal with its replacement


def corrected(fund: Fund, version: int, replacement: Act, *, on: str) -> Fund:
    """The fund after both, told as one act."""
    after = fund.fork()
    with after.one_act():
        after.reverse_entry(metadata(on), version, reason="wrong_amount")
        replacement(after)
    return after


def test_a_gift_entered_too_high_is_corrected_though_most_of_it_is_spent():
    fund = village(gives(20_500_000, pot="activity", on="2024-02-01"), spends(21_400_000, on="2024-02-02"))
    wrong = last(fund).version - 1
    with refused(fund, InsufficientFunds, available=100_000, amount=20_500_000):
        fund.reverse_entry(metadata("2024-02-01"), wrong, reason="wrong_amount")
    after = corrected(fund, wrong, gives(20_450_000, pot="activity", on="2024-02-01"), on="2024-02-01")
    assert held(after, "activity", "cash") == after.cash_at(day("2024-02-02"), "activity") == 50_000
    assert replayed(lines(after)).balances == after.balances


def test_a_correction_that_leaves_too_little_for_what_was_spent_is_refused_and_says_what_there_would_be():
    fund = village(gives(20_500_000, pot="activity", on="2024-02-01"), spends(21_400_000, on="2024-02-02"))
    wrong, too_little = last(fund).version - 1, gives(20_399_999, pot="activity", on="2024-02-01")
    with refused(fund, InsufficientFunds, available=20_499_999, amount=20_500_000, short_on=day("2024-02-02")):
        corrected(fund, wrong, too_little, on="2024-02-01")


def test_a_deposit_entered_too_high_is_corrected_to_no_less_than_what_was_withdrawn():
    withdraws: Act = lambda fund: fund.withdraw_savings(metadata("2024-02-06"), member=3, amount=300_000)  # noqa: E731
    fund = village(pays(3, "savings", 500_000, on="2024-02-05"), withdraws)
    wrong = last(fund).version - 1
    after = corrected(fund, wrong, pays(3, "savings", 300_000, on="2024-02-05"), on="2024-02-05")
    assert after.balances["revolving", "savings", 3] == 0
    for replacement in (pays(3, "savings", 299_999, on="2024-02-05"), pays(4, "savings", 500_000, on="2024-02-05")):
        with refused(fund, InsufficientSavings, member=3):
            corrected(fund, wrong, replacement, on="2024-02-05")


def test_a_repayment_entered_too_high_is_split_anew_though_its_cash_was_lent_again():
    fund = village(lends(4, 10_000_000, on="2024-02-05"), repays(1, 1_100_000, on="2024-03-05"))
    wrong = last(fund).version
    for member, principal in ((3, 10_000_000), (2, 1_000_000)):
        lends(member, principal, on="2024-03-06")(fund)
    with refused(fund, InsufficientFunds, available=70_000, amount=1_070_000):
        fund.reverse_entry(metadata("2024-03-05"), wrong, reason="wrong_amount")
    after = corrected(fund, wrong, repays(1, 1_050_000, on="2024-03-05"), on="2024-03-05")
    right = last(after)
    assert isinstance(right, LoanRepaid)
    assert (right.interest, right.principal, right.outstanding) == (100_000, 950_000, 9_050_000)
    assert held(after, "revolving", "cash") == 20_000


# Rescheduling and write-off


def test_a_rescheduling_plans_what_is_owed_anew_and_carries_the_interest():
    fund = village(lends(4, 1_200_000, on="2024-02-05"), repays(1, 100_000, on="2024-03-20"))
    changed = fund.reschedule_loan(metadata("2024-04-10"), 1, term_months=4)
    assert (changed.outstanding, changed.interest_carried) == (1_112_000, 11_120)
    loan = loan_of(fund)
    assert [(each.due_on, each.principal) for each in loan.plan(day("2024-04-10"))] == [
        (day("2024-05-10"), 278_000),
        (day("2024-06-10"), 278_000),
        (day("2024-07-10"), 278_000),
        (day("2024-08-10"), 278_000),
    ]
    assert len(loan.plan(day("2024-04-09"))) == 12
    assert loan.standing(day("2024-05-10")).interest_due == 11_120 + 11_120
    paid = fund.repay_loan(metadata("2024-05-10"), 1, amount=122_240)
    assert (paid.interest, paid.principal, paid.outstanding) == (22_240, 100_000, 1_012_000)
    assert loan_of(fund).standing(day("2024-06-10")).interest_due == 10_120


def test_a_rescheduled_loan_is_settled_with_the_interest_of_its_new_plan():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), reschedules(1, 10, on="2024-02-05"))
    repays(1, 1_020_000, on="2024-04-05")(fund)
    assert loan_of(fund).status == "settled"


def test_what_was_paid_before_a_rescheduling_on_its_day_is_not_counted_twice():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 200_000, on="2024-02-05"))
    reschedules(1, 10, on="2024-02-05")(fund)
    repays(1, 300_000, on="2024-02-05")(fund)
    reschedules(1, 5, on="2024-02-05")(fund)
    assert loan_of(fund).standing(day("2024-02-05")).outstanding == 500_000
    assert loan_of(fund).standing(day("2024-03-05")).interest_due == 5_000


def test_what_happened_to_a_loan_before_it_was_changed_stands():
    for change in (reschedules(1, 6, on="2024-04-05"), writes_off(1, on="2024-04-05")):
        fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 10_000, on="2024-03-05"), change)
        for version in (12, 13):
            rule = LiveRepayments if version == 12 else LoanChangedSince
            with refused(fund, rule, loan=1):
                undoes(version, on="2024-04-06")(fund)
    fund = village(lends(4, 1_000_000, on="2024-02-05"), reschedules(1, 6, on="2024-04-05"))
    with refused(fund, LoanChangedSince, loan=1, changed_on=day("2024-04-05")):
        undoes(12, on="2024-04-06")(fund)
    for act in (repays(1, 1_000, on="2024-04-04"), reschedules(1, 3, on="2024-04-04"), writes_off(1, on="2024-04-04")):
        with refused(fund, LoanChangedSince, loan=1, changed_on=day("2024-04-05")):
            act(fund)
    repays(1, 1_000, on="2024-04-05")(fund)


def test_a_loan_is_not_changed_before_a_repayment_of_it():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 10_000, on="2024-03-05"))
    for act in (reschedules(1, 6, on="2024-03-04"), writes_off(1, on="2024-03-04")):
        with refused(fund, LaterRepayments, loan=1, on=day("2024-03-04")):
            act(fund)


CHANGES = [reschedules(1, 6, on="2024-04-05"), writes_off(1, on="2024-04-05")]


@pytest.mark.parametrize("change", CHANGES, ids=["rescheduled", "written off"])
def test_only_a_running_loan_is_changed(change):
    for fund, status in ((village(asks(4), grants(1)), "approved"), (village(asks(4)), "requested")):
        with refused(fund, LoanNotRunning, loan=1, status=status):
            change(fund)
    nobody = village()
    with refused(nobody, LoanNotFound, loan=1):
        change(nobody)
    too_early = village(lends(4, on="2024-04-06"))
    with refused(too_early, OutOfOrder, earliest=day("2024-04-06")):
        change(too_early)


def test_reschedulings_are_undone_from_the_last():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), reschedules(1, 6, on="2024-03-05"))
    before = state(fund)
    reschedules(1, 3, on="2024-04-05")(fund)
    with refused(fund, LoanChangedSince, loan=1, changed_on=day("2024-04-05")):
        undoes(13, on="2024-04-06")(fund)
    repays(1, 60_000, on="2024-04-06")(fund)
    with refused(fund, LiveRepayments, loan=1):
        undoes(14, on="2024-04-06")(fund)
    undoes(15, on="2024-04-06")(fund)
    undoes(14, on="2024-04-06")(fund)
    assert state(fund)["loans"] == before["loans"]
    undoes(13, on="2024-04-06")(fund)
    assert loan_of(fund).standing(day("2024-04-06")).outstanding == 1_000_000


def test_a_write_off_gives_up_the_principal_and_later_money_is_an_income():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 410_000, on="2024-03-05"))
    with refused(fund, LoanNotWrittenOff, loan=1, status="running"):
        recovers(1, 1_000, on="2024-06-05")(fund)
    writes_off(1, on="2024-06-05")(fund)
    assert posted(last(fund)) == {("revolving", "write_offs"): 600_000, ("revolving", "loans", 1): -600_000}
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("written_off", 0)
    with refused(fund, LoanNotRunning, loan=1, status="written_off"):
        repays(1, 1_000, on="2024-06-05")(fund)
    with refused(fund, OutOfOrder, earliest=day("2024-06-05")):
        recovers(1, 1_000, on="2024-06-04")(fund)
    recovers(1, 50_000, on="2024-06-05")(fund)
    assert held(fund, "revolving", "recoveries") == -50_000


def test_a_write_off_is_undone_after_its_recoveries():
    fund = village(
        lends(4, 1_000_000, on="2024-02-05"), reschedules(1, 9, on="2024-03-05"), writes_off(1, on="2024-06-05")
    )
    recovers(1, 50_000, on="2024-06-06")(fund)
    with refused(fund, LoanChangedSince, loan=1, changed_on=day("2024-06-05")):
        undoes(13, on="2024-06-07")(fund)
    with refused(fund, LiveRecoveries, loan=1):
        undoes(14, on="2024-06-07")(fund)
    undoes(15, on="2024-06-07")(fund)
    undoes(14, on="2024-06-07")(fund)
    assert (loan_of(fund).status, loan_of(fund).outstanding) == ("running", 1_000_000)


def test_principal_that_the_books_no_longer_hold_on_a_day_is_not_repaid_on_it():
    """The account forgets an undone repayment only from the day it was undone."""
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 410_000, on="2024-03-05"))
    undoes(on="2024-05-05")(fund)
    with refused(fund, WrongEntryStillCounts, version=13, reversed_by=14, until=day("2024-05-05")):
        repays(1, 1_020_000, on="2024-03-10")(fund)
    repays(1, 1_030_000, on="2024-05-05")(fund)
    assert loan_of(fund).status == "settled"


# The same said twice


def test_an_earlier_live_entry_of_the_day_that_says_the_same_is_pointed_out():
    fund = village(pays(4, "dues", 10_000, on="2024-02-05"), pays(4, "dues", 10_000, on="2024-03-05"))
    assert fund.possible_duplicate(last(fund)) is None
    pays(3, "dues", 10_000, on="2024-03-05")(fund)
    pays(4, "fine", 10_000, on="2024-03-05")(fund)
    assert fund.possible_duplicate(last(fund)) is None
    pays(4, "dues", 10_000, on="2024-03-05")(fund)
    assert fund.possible_duplicate(last(fund)) == 11
    undoes(11, on="2024-03-05")(fund)
    assert fund.possible_duplicate(fund.entries[13]) is None
    assert fund.possible_duplicate(fund.entries[0]) is None
    assert isinstance(last(fund), EntryReversed)

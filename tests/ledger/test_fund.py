"""Claims about the fund: what each fact does to the books, and that no day falls below zero."""

from datetime import timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.aggregates.fund import Fund
from ledger.chart import ASSETS, POTS, is_balanced
from ledger.events import EVENT_TYPES, Item
from ledger.money import MAX_AMOUNT, half_up
from ledger.refusals import (
    AdvanceNotFound,
    AmountNotPositive,
    AmountTooLarge,
    BelowZero,
    InsufficientFunds,
    InsufficientSavings,
    SamePot,
)
from tests.support.village import (
    OPENED,
    Act,
    adopts,
    day,
    given,
    gives,
    held,
    joins,
    last,
    leaves,
    lends,
    metadata,
    pays,
    posted,
    refused,
    repays,
    spends,
    state,
    undoes,
    village,
    whole_life,
)

WHOLE_LIFE = whole_life()

# What each fact does to the books

BOOKED: dict[str, list[dict[tuple[object, ...], int]]] = {
    "OpeningBalancesDeclared": [
        {
            ("revolving", "cash"): 9_000_000,
            ("revolving", "bank"): 2_000_000,
            ("revolving", "loans", 1): 1_000_000,
            ("revolving", "savings", 3): -200_000,
            ("revolving", "advances", 1): -4_000_000,
            ("revolving", "opening"): -7_800_000,
            ("activity", "cash"): 500_000,
            ("activity", "equipment"): 6_500_000,
            ("activity", "opening"): -7_000_000,
        }
    ],
    "InKindDonationReceived": [{("activity", "equipment"): 10_100_000, ("activity", "in_kind"): -10_100_000}],
    "ContributionReceived": [
        {("activity", "cash"): 10_000, ("activity", "contributions"): -10_000},
        {("revolving", "cash"): 100_000, ("revolving", "contributions"): -100_000},
        {("revolving", "cash"): 300_000, ("revolving", "savings", 4): -300_000},
        {("activity", "cash"): 5_000, ("activity", "fines"): -5_000},
    ],
    "DonationReceived": [{("activity", "cash"): 2_000_000, ("activity", "donations"): -2_000_000}],
    "IncomeReceived": [{("activity", "cash"): 150_000, ("activity", "collective"): -150_000}],
    "ExpensePaid": [{("activity", "expenses", "visit_gift"): 120_000, ("activity", "cash"): -120_000}],
    "SavingsWithdrawn": [
        {("revolving", "savings", 4): 100_000, ("revolving", "cash"): -100_000},
        {("revolving", "savings", 1): 50_000, ("revolving", "cash"): -50_000},
        {("revolving", "savings", 3): 185_000, ("revolving", "cash"): -185_000},
        {("revolving", "savings", 4): 200_000, ("revolving", "cash"): -200_000},
    ],
    "PotTransferred": [
        {
            ("activity", "cash"): -250_000,
            ("activity", "transfers"): 250_000,
            ("revolving", "cash"): 250_000,
            ("revolving", "transfers"): -250_000,
        }
    ],
    "BankDeposited": [{("revolving", "bank"): 3_000_000, ("revolving", "cash"): -3_000_000}],
    "BankWithdrawn": [{("revolving", "cash"): 1_500_000, ("revolving", "bank"): -1_500_000}],
    "AdvanceReceived": [{("revolving", "cash"): 5_000_000, ("revolving", "advances", 2): -5_000_000}],
    "AdvanceRepaid": [
        {("revolving", "advances", 2): 1_000_000, ("revolving", "cash"): -1_000_000},
        {("revolving", "advances", 1): 4_000_000, ("revolving", "cash"): -4_000_000},
        {("revolving", "advances", 2): 4_000_000, ("revolving", "cash"): -4_000_000},
    ],
    "LoanDisbursed": [
        {("revolving", "loans", 2): 2_000_000, ("revolving", "cash"): -2_000_000},
        {("revolving", "loans", 3): 2_000_000, ("revolving", "bank"): -2_000_000},
    ],
    "LoanRepaid": [
        {
            ("revolving", "cash"): 167_000 + 14_000,
            ("revolving", "loans", 2): -167_000,
            ("revolving", "interest"): -14_000,
            ("activity", "cash"): 6_000,
            ("activity", "interest"): -6_000,
        },
        # The old loan, 20/05/2023: of its months only those that ended after the taking over are accrued here.
        {
            ("revolving", "cash"): 1_000_000 + 21_000,
            ("revolving", "loans", 1): -1_000_000,
            ("revolving", "interest"): -21_000,
            ("activity", "cash"): 9_000,
            ("activity", "interest"): -9_000,
        },
        {
            ("revolving", "cash"): 2_000_000 + 28_000,
            ("revolving", "loans", 3): -2_000_000,
            ("revolving", "interest"): -28_000,
            ("activity", "cash"): 12_000,
            ("activity", "interest"): -12_000,
        },
    ],
    "EntryReversed": [
        {
            ("revolving", "cash"): -181_000,
            ("revolving", "loans", 2): 167_000,
            ("revolving", "interest"): 14_000,
            ("activity", "cash"): -6_000,
            ("activity", "interest"): 6_000,
        }
    ],
    "OpeningBalancesCorrected": [{("revolving", "opening"): 50_000, ("revolving", "savings", 1): -50_000}],
    "SavingsSetOff": [
        {
            ("revolving", "savings", 3): 15_000,
            ("revolving", "interest"): -10_500,
            ("revolving", "transfers"): -4_500,
            ("activity", "transfers"): 4_500,
            ("activity", "interest"): -4_500,
        }
    ],
    "LoanWrittenOff": [{("revolving", "write_offs"): 2_000_000, ("revolving", "loans", 2): -2_000_000}],
    "LoanRecovered": [{("revolving", "cash"): 50_000, ("revolving", "recoveries"): -50_000}],
    "CashCounted": [{("activity", "cash_short"): 4_000, ("activity", "cash"): -4_000}],
    "FundDissolved": [
        {
            ("revolving", "transfers"): 4_714_000 + 1_500_000,
            ("revolving", "cash"): -4_714_000,
            ("revolving", "bank"): -1_500_000,
            ("activity", "transfers"): 2_312_000 + 16_600_000,
            ("activity", "cash"): -2_312_000,
            ("activity", "equipment"): -16_600_000,
        }
    ],
}
"""By event type, the legs of each such event of the whole life, in order. What is not named posts nothing."""


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_of_fact_is_booked_as_a_bookkeeper_would(name):
    facts = [event for event in WHOLE_LIFE.entries if event.name == name]
    assert facts, "the whole life has one of each"
    assert [posted(event) for event in facts] == BOOKED.get(name, [{}] * len(facts))
    assert all(is_balanced(event.legs()) for event in facts)


def test_the_legs_of_a_life_add_up_to_the_funds_balances():
    sums = dict.fromkeys(WHOLE_LIFE.balances, 0)
    for event in WHOLE_LIFE.entries:
        for leg in event.legs():
            sums[leg.pot, leg.account, leg.of] += leg.amount
    assert sums == WHOLE_LIFE.balances


@pytest.mark.parametrize("pot", POTS)
def test_nothing_is_left_of_a_fund_that_was_dissolved(pot):
    assert [held(WHOLE_LIFE, pot, account) for account in sorted(ASSETS)] == [0, 0, 0, 0]


def test_a_gift_in_kind_touches_neither_cash_nor_loan_capital():
    fund = given()
    gift = (Item("Máy đo huyết áp", 2, "chiếc", 1_800_000), Item("Loa kéo", 1, "bộ", 28_200_000))
    fund.receive_in_kind_donation(metadata(OPENED), source="state_budget", items=gift)
    assert held(fund, "activity", "equipment") == 30_000_000
    assert {account for _, account, _ in fund.balances} == {"equipment", "in_kind"}


@pytest.mark.parametrize(("kind", "account"), [("bank_interest", "bank_interest"), ("other", "other_income")])
def test_income_may_come_in_at_the_bank(kind, account):
    fund = given()
    earned = fund.receive_income(metadata(OPENED), kind=kind, pot="revolving", amount=7_000, place="bank")
    assert posted(earned) == {("revolving", "bank"): 7_000, ("revolving", account): -7_000}


def test_a_repayment_of_interest_only_posts_no_empty_leg():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), interest_to_activity_ppm=0)
    repays(1, 10_000, on="2024-03-05")(fund)
    assert posted(last(fund)) == {("revolving", "cash"): 10_000, ("revolving", "interest"): -10_000}


@pytest.mark.parametrize(("above", "below", "rounded"), [(0, 2, 0), (1, 2, 1), (1, 3, 0), (2, 3, 1), (5, 2, 3)])
def test_a_half_is_rounded_up(above, below, rounded):
    assert half_up(above, below) == rounded


# Never negative


def test_the_box_may_be_emptied_and_not_a_dong_more_be_taken_out():
    fund = given(gives(100_000, pot="activity"))
    with refused(fund, InsufficientFunds, pot="activity", place="cash", available=100_000, amount=100_001):
        spends(100_001, on=OPENED)(fund)
    spends(100_000, on=OPENED)(fund)
    assert held(fund, "activity", "cash") == 0


def test_the_pots_do_not_help_each_other_out_nor_the_bank_the_box():
    fund = given(gives(500_000), gives(100_000, pot="activity"))
    with refused(fund, InsufficientFunds, pot="activity", place="cash", available=100_000):
        spends(200_000, on=OPENED)(fund)
    with refused(fund, InsufficientFunds, pot="revolving", place="bank", available=0):
        fund.fetch_from_bank(metadata(OPENED), pot="revolving", amount=1)
    fund.move_to_bank(metadata(OPENED), pot="revolving", amount=400_000)
    with refused(fund, InsufficientFunds, pot="revolving", place="cash", available=100_000):
        spends(200_000, on=OPENED, pot="revolving")(fund)


def test_a_late_payment_may_not_empty_last_months_box():
    fund = given(
        gives(100_000, pot="activity"), spends(90_000, on="2024-02-05"), gives(500_000, pot="activity", on="2024-03-05")
    )
    short = {"available": 10_000, "amount": 20_000, "short_on": day("2024-02-05")}
    for on in ("2024-01-20", "2024-02-05"):
        with refused(fund, InsufficientFunds, **short):
            spends(20_000, on=on)(fund)
    with refused(fund, InsufficientFunds, **short | {"short_on": day("2024-02-20")}):
        spends(20_000, on="2024-02-20")(fund)
    spends(20_000, on="2024-03-05")(fund)


def test_money_that_came_and_went_on_one_day_counts_at_the_end_of_the_day():
    fund = given(gives(100_000, pot="activity", on="2024-02-05"), spends(100_000, on="2024-02-05"))
    with refused(fund, InsufficientFunds, available=0):
        spends(1, on="2024-02-05")(fund)


def test_savings_are_withdrawn_up_to_what_is_owed_on_that_day_and_every_later_one():
    fund = village(pays(4, "savings", 300_000, on="2024-02-05"), pays(3, "savings", 50_000, on="2024-02-05"))
    fund.withdraw_savings(metadata("2024-04-05"), member=4, amount=250_000)
    with refused(fund, InsufficientSavings, member=4, available=50_000, amount=60_000, short_on=day("2024-04-05")):
        fund.withdraw_savings(metadata("2024-03-05"), member=4, amount=60_000)
    with refused(fund, InsufficientSavings, member=4, available=0, short_on=day("2024-02-04")):
        fund.withdraw_savings(metadata("2024-02-04"), member=4, amount=1)
    with refused(fund, InsufficientSavings, member=2, available=0):
        fund.withdraw_savings(metadata("2024-04-05"), member=2, amount=1)
    assert fund.withdraw_savings(metadata("2024-03-05"), member=4, amount=50_000).savings_left == 0


def test_an_advance_is_repaid_up_to_what_is_owed():
    fund = village(lambda fund: fund.receive_advance(metadata("2024-02-05"), source="credit_fund", amount=3_000_000))
    with refused(fund, AdvanceNotFound, advance=2):
        fund.repay_advance(metadata("2024-02-05"), 2, amount=1)
    with refused(fund, BelowZero, pot="revolving", account="advances", available=3_000_000, amount=3_000_001):
        fund.repay_advance(metadata("2024-02-05"), 1, amount=3_000_001)
    assert fund.repay_advance(metadata("2024-02-05"), 1, amount=2_000_000).outstanding == 1_000_000
    assert fund.receive_advance(metadata("2024-02-05"), source="credit_fund", amount=1).advance == 2


def test_asking_for_an_advance_or_savings_that_never_were_leaves_no_trace_in_the_books():
    fund = village()
    assert fund.balances["revolving", "advances", 1] == 0
    assert fund.receive_advance(metadata(OPENED), source="credit_fund", amount=1).advance == 1


MOVES = st.lists(
    st.tuples(st.sampled_from(["in", "out"]), st.integers(1, 50), st.integers(0, 12)), min_size=1, max_size=20
)


def lowest_day(fund: Fund) -> int:
    """The lowest end-of-day cash of the activity pot, by sorting all legs by day and adding them up."""
    legs = [(event.on, leg.amount) for event in fund.entries for leg in event.legs() if leg.account == "cash"]
    return min((sum(amount for on, amount in legs if on <= each) for each, _ in legs), default=0)


@drawn(MOVES)
def test_an_entry_is_refused_exactly_if_it_would_leave_a_day_below_zero(moves):
    fund = given()
    for direction, amount, days in moves:
        on = OPENED + timedelta(days)
        unguarded = sorted(
            [(event.on, leg.amount) for event in fund.entries for leg in event.legs() if leg.account == "cash"]
            + [(on, amount if direction == "in" else -amount)]
        )
        worst = min(sum(each for its_day, each in unguarded if its_day <= until) for until, _ in unguarded)
        if worst < 0:
            with refused(fund, InsufficientFunds, amount=amount, available=worst + amount):
                spends(amount, on=on)(fund)
        else:
            (gives(amount, pot="activity", on=on) if direction == "in" else spends(amount, on=on))(fund)
        assert lowest_day(fund) >= 0


def test_a_single_amount_has_a_ceiling_and_sums_of_amounts_have_none():
    fund = given(gives(MAX_AMOUNT), gives(MAX_AMOUNT))
    assert held(fund, "revolving", "cash") == 2 * MAX_AMOUNT
    with refused(fund, AmountTooLarge, amount=MAX_AMOUNT + 1, ceiling=MAX_AMOUNT):
        gives(MAX_AMOUNT + 1)(fund)
    gift = (Item("Nhà văn hóa", 1, "cái", MAX_AMOUNT), Item("Bàn", 1, "cái", 1))
    with refused(fund, AmountTooLarge, amount=MAX_AMOUNT + 1):
        fund.receive_in_kind_donation(metadata(OPENED), source="business", items=gift)


def test_money_moves_between_two_different_pots():
    fund = village()
    with refused(fund, SamePot):
        fund.transfer_between_pots(metadata(OPENED), source="activity", target="activity", amount=1)


# A trial

TRIALS: dict[str, Act] = {
    "joins": joins(on="2024-05-01"),
    "gives": gives(5_000, on="2024-05-01"),
    "saves": pays(2, "savings", 9_000, on="2024-05-01"),
    "spends": spends(1_000, on="2024-05-01"),
    "lends": lends(3, 400_000, on="2024-05-01"),
    "repays": repays(2, 100_000, on="2024-05-01"),
    "undoes": undoes(on="2024-05-01"),
    "adopts": adopts(on="2024-05-01"),
    "changes": lambda fund: fund.change_member(metadata("2024-05-01"), 2, poverty="poor"),
    "leaves": leaves(2, "2024-05-01"),
    "takes office": lambda fund: fund.take_office(metadata("2024-05-01"), member=2, office="volunteer"),
    "leaves office": lambda fund: fund.leave_office(metadata("2024-05-01"), member=1, office="chair"),
    "meets": lambda fund: fund.hold_meeting(
        metadata("2024-05-01", key="sheet-0501"), sheet="2024-05-01", present=[1], book_opening=0
    ),
    "counts": lambda fund: fund.count_cash(metadata("2024-05-01"), reason="periodic", counted=1),
    "closes": lambda fund: fund.close_period(metadata("2024-05-01"), through=day("2024-04-30")),
}


@pytest.mark.parametrize("name", TRIALS)
def test_a_trial_on_a_copy_leaves_no_trace_in_the_fund(name):
    fund = village(
        lambda fund: fund.take_office(metadata("2024-02-01"), member=1, office="chair"),
        lends(4, 1_200_000, on="2024-02-05"),
        lends(5, 1_200_000, on="2024-02-05"),
        repays(1, 112_000, on="2024-03-05"),
    )
    before = state(fund)
    trial, other = fund.fork(), fund.fork()
    TRIALS[name](trial)
    assert state(fund) == state(other) == before
    TRIALS[name](fund)
    assert state(other) == before
    fund = other
    assert (trial.version > fund.version, len(trial.pending) > len(fund.pending)) == (True, True)
    assert state(trial) != before


@pytest.mark.parametrize("amount", [0, -5])
def test_no_amount_is_less_than_one_dong(amount):
    fund = village(lends(4, 1_000_000, on="2024-01-10"))

    with refused(fund, AmountNotPositive, amount=amount):
        fund.pay_expense(metadata("2024-02-10"), activity="culture", amount=amount)
    with refused(fund, AmountNotPositive, amount=amount):
        fund.withdraw_savings(metadata("2024-02-10"), member=4, amount=amount)

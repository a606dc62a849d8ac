"""Claims about loans: what they cost to the đồng, who may have one, and how repayments divide (`domain.md` §4)."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import assume
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.days import add_months
from ledger.events import LoanRepaid
from ledger.refusals import (
    LaterRepayments,
    OutOfOrder,
    Overpayment,
    PrincipalOverRepaid,
    SettlementShort,
)
from ledger.terms import Instalment, LoanTerms, Repayment, lateness, plan, split, standing
from tests.support.village import (
    adopts,
    asks,
    day,
    given,
    gives,
    grants,
    held,
    joins,
    last,
    lends,
    loan_of,
    metadata,
    refused,
    repays,
    undoes,
    village,
)

GOLDEN = Path(__file__).parents[1] / "golden"
Rows = list[dict[str, str]]


def golden_cases(name: str) -> Iterator[tuple[str, Rows]]:
    rows = csv.DictReader((GOLDEN / name).read_text("utf-8").splitlines())
    for case, of_case in groupby(rows, key=lambda row: row["case"]):
        yield case, list(of_case)


def terms_of(row: dict[str, str], principal: str) -> LoanTerms:
    return LoanTerms(
        principal=int(row[principal]),
        term_months=int(row["term_months"]),
        repayment_mode=row["repayment_mode"],  # type: ignore[arg-type]
        interest_method=row["interest_method"],  # type: ignore[arg-type]
        monthly_rate_ppm=int(row["monthly_rate_ppm"]),
    )


# What was promised


@pytest.mark.parametrize(("case", "rows"), list(golden_cases("loan_schedules.csv")))
def test_a_plan_is_the_golden_one_to_the_dong(case, rows):
    promised = plan(terms_of(rows[0], "principal"), day(rows[0]["disbursed_on"]))
    assert promised == [
        Instalment(int(row["instalment"]), day(row["due_on"]), int(row["principal_due"]), int(row["interest_due"]))
        for row in rows
    ]


TERMS = st.builds(
    LoanTerms,
    principal=st.integers(1, 20_000_000),
    term_months=st.integers(1, 36),
    repayment_mode=st.sampled_from(["equal_principal", "bullet", "interest_at_maturity"]),
    interest_method=st.sampled_from(["reducing", "flat"]),
    monthly_rate_ppm=st.integers(0, 16_666),
)
START = date(2024, 1, 31)


@drawn(TERMS)
def test_instalments_sum_to_the_principal_and_none_is_negative(terms):
    promised = plan(terms, START)
    assert sum(instalment.principal for instalment in promised) == terms.principal
    assert all(instalment.principal >= 0 and instalment.interest >= 0 for instalment in promised)
    assert [instalment.due_on for instalment in promised] == [
        add_months(START, month) for month in range(1, terms.term_months + 1)
    ]


@drawn(TERMS)
def test_who_keeps_to_the_plan_pays_exactly_the_plan(terms):
    """Plan and accrual are two ways to the same figures as long as what happens is what was promised."""
    promised = plan(terms, START)
    assume(promised[-1].principal)  # Rounding up to whole thousands clears some small loans before their last month.
    paid: list[Repayment] = []
    for _, due_on, principal, interest in promised:
        before = standing(terms, START, paid, due_on)
        if principal + interest == 0:
            continue
        if before.outstanding == principal:
            assert before.settlement_amount == principal + interest
        parts = split(terms, START, paid, due_on, principal + interest)
        assert (parts.principal, parts.interest) == (principal, interest)
        paid.append(Repayment(due_on, *parts))
    assert standing(terms, START, paid, add_months(START, terms.term_months)).settlement_amount == 0


# What really happens


@pytest.mark.parametrize(("case", "rows"), list(golden_cases("repayments.csv")))
def test_repayments_divide_as_in_the_golden_list_to_the_dong(case, rows):
    terms, disbursed_on = terms_of(rows[0], "loan_principal"), rows[0]["disbursed_on"]
    fund = given(
        joins(on="2024-01-01"),
        gives(50_000_000),
        lends(1, terms.principal, months=terms.term_months, on=disbursed_on),
        monthly_rate_ppm=terms.monthly_rate_ppm,
        repayment_mode=terms.repayment_mode,
        interest_method=terms.interest_method,
    )
    for row in rows:
        amount, settlement = int(row["amount"]), int(row["settle_amount_before"])
        assert loan_of(fund).standing(day(row["paid_on"])).settlement_amount == settlement
        if row["refused"]:
            rule = {"overpayment": Overpayment, "settlement-short": SettlementShort}[row["refused"]]
            with refused(fund, rule, amount=amount, settlement_amount=settlement):
                fund.repay_loan(metadata(row["paid_on"]), 1, amount=amount)
        else:
            paid = fund.repay_loan(metadata(row["paid_on"]), 1, amount=amount)
            assert (paid.principal, paid.interest) == (int(row["principal"]), int(row["interest"]))
            assert paid.outstanding == int(row["outstanding_after"])
        assert loan_of(fund).outstanding == int(row["outstanding_after"])
    assert loan_of(fund).status == ("settled" if rows[-1]["outstanding_after"] == "0" else "running")


@drawn(TERMS, st.lists(st.tuples(st.integers(0, 900), st.integers(1, 5_000_000)), max_size=5), st.integers(0, 1200))
def test_the_settlement_amount_closes_a_loan_and_one_dong_more_is_refused(terms, payments, days):
    paid: list[Repayment] = []
    for after, amount in sorted(payments):
        on = START + timedelta(after)
        if amount < standing(terms, START, paid, on).outstanding:
            paid.append(Repayment(on, *split(terms, START, paid, on, amount)))
    today = START + timedelta(max(days, *(after for after, _ in payments), 0))
    now = standing(terms, START, paid, today)
    closing = split(terms, START, paid, today, now.settlement_amount)
    assert closing.principal == now.outstanding > 0
    assert sum(closing) == now.settlement_amount
    with pytest.raises(Overpayment) as refusal:
        split(terms, START, paid, today, now.settlement_amount + 1)
    assert refusal.value.facts["settlement_amount"] == now.settlement_amount


@drawn(TERMS, st.integers(0, 900))
def test_a_dong_less_than_the_settlement_never_clears_the_principal(terms, days):
    """It is refused if only the interest would stay unpaid; else the last đồng of principal stays owed."""
    today = START + timedelta(days)
    now = standing(terms, START, [], today)
    held_back = terms.repayment_mode == "interest_at_maturity" and today < terms.maturity(START)
    unpaid = now.interest_begun + (now.interest_due if held_back else 0)
    if unpaid:
        with pytest.raises(SettlementShort) as refusal:
            split(terms, START, [], today, now.settlement_amount - 1)
        assert refusal.value.facts["settlement_amount"] == now.settlement_amount
    else:
        assert split(terms, START, [], today, now.settlement_amount - 1).principal == now.outstanding - 1


def test_the_interest_is_split_between_the_pots_half_up_and_the_cash_follows():
    fund = village(lends(4, 1_000_050, on="2024-02-05"), interest_to_activity_ppm=333_333)
    activity, revolving = held(fund, "activity", "cash"), held(fund, "revolving", "cash")
    paid = fund.repay_loan(metadata("2024-03-05"), 1, amount=20_000)
    assert (paid.principal, paid.interest, paid.interest_to_activity) == (9_999, 10_001, 3_334)
    assert held(fund, "activity", "cash") - activity == 3_334
    assert held(fund, "revolving", "cash") - revolving == 9_999 + 6_667
    assert -held(fund, "activity", "interest") == 3_334
    assert -held(fund, "revolving", "interest") == 6_667


@pytest.mark.parametrize(("share", "to_activity"), [(0, 0), (500_000, 5), (1_000_000, 9)])
def test_all_some_or_none_of_the_interest_goes_to_the_activity_pot(share, to_activity):
    fund = village(lends(4, 900, on="2024-02-05"), interest_to_activity_ppm=share)
    paid = fund.repay_loan(metadata("2024-03-05"), 1, amount=9)
    assert (paid.interest, paid.interest_to_activity) == (9, to_activity)


def test_a_loan_keeps_its_terms_whatever_the_bylaws_say_later():
    fund = village(
        lends(4, 1_200_000, on="2024-02-05"),
        adopts(on="2024-02-06", monthly_rate_ppm=5_000, repayment_mode="bullet", interest_to_activity_ppm=1_000_000),
    )
    paid = fund.repay_loan(metadata("2024-03-05"), 1, amount=112_000)
    assert (paid.interest, paid.interest_to_activity, paid.principal) == (12_000, 3_600, 100_000)
    assert loan_of(fund).plan(day("2024-03-05"))[0].principal == 100_000


# Late entries between others


def test_a_late_repayment_is_split_by_what_was_live_up_to_its_own_day_and_later_splits_stand():
    fund = village(lends(4, 5_000_000, on="2024-01-31"), repays(1, 200_000, on="2024-03-31"))
    recorded = last(fund)
    assert isinstance(recorded, LoanRepaid)
    assert (recorded.interest, recorded.principal) == (100_000, 100_000)
    late = fund.repay_loan(metadata("2024-02-29"), 1, amount=467_000)
    assert (late.interest, late.principal, late.outstanding) == (50_000, 417_000, 4_483_000)
    assert loan_of(fund).repayments[recorded.version] == Repayment(day("2024-03-31"), 100_000, 100_000)
    # By the end of March 50,000 and 45,830 had accrued and 150,000 were paid: 54,170 of it in advance.
    assert loan_of(fund).standing(day("2024-03-31")).interest_due == 0
    assert loan_of(fund).standing(day("2024-04-30")).interest_due == 0
    assert loan_of(fund).standing(day("2024-05-31")).interest_due == 44_830 + 44_830 - 54_170


def test_interest_paid_in_advance_lowers_the_settlement_of_the_month_begun():
    fund = village(lends(4, 5_000_000, on="2024-01-31"), repays(1, 200_000, on="2024-03-31"))
    fund.repay_loan(metadata("2024-02-29"), 1, amount=467_000)
    assert loan_of(fund).standing(day("2024-04-10")).settlement_amount == 4_483_000
    assert loan_of(fund).standing(day("2024-05-10")).settlement_amount == 4_483_000 + 44_830 + 44_830 - 54_170


def test_a_late_repayment_that_would_repay_more_than_was_lent_is_refused_with_the_remedy():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 910_000, on="2024-03-05"))
    with refused(fund, PrincipalOverRepaid, loan=1, available=100_000, amount=500_000):
        fund.repay_loan(metadata("2024-02-20"), 1, amount=500_000)
    later = fund.version
    undoes(later, on="2024-03-05", reason="wrong_date")(fund)
    fund.repay_loan(metadata("2024-02-20"), 1, amount=500_000)
    fund.repay_loan(metadata("2024-03-05"), 1, amount=505_000)
    assert loan_of(fund).status == "settled"


def test_a_late_repayment_may_not_clear_the_principal_over_interest_still_owed():
    fund = village(lends(4, 1_000_000, on="2024-01-10"), repayment_mode="interest_at_maturity")
    repays(1, 600_000, on="2024-06-10")(fund)

    with refused(fund, LaterRepayments, loan=1, on=day("2024-02-10")):
        fund.repay_loan(metadata("2024-02-10"), 1, amount=400_000)


def test_a_written_off_loan_owes_nothing_any_more():
    fund = village(lends(4, 1_000_000, on="2024-01-10"))
    fund.write_off_loan(metadata("2024-06-10", by="chair"), 1)

    assert fund.loans[1].standing(day("2024-06-09")).outstanding == 1_000_000
    assert fund.loans[1].standing(day("2024-06-10")).settlement_amount == 0


def test_an_approval_can_be_taken_back_until_the_money_is_handed_out():
    fund = village(asks(4), grants(1, on="2024-01-10"), one_open_loan_per_household=True)

    with refused(fund, OutOfOrder):
        fund.reject_loan(metadata("2024-01-09", by="chair"), 1)
    fund.reject_loan(metadata("2024-01-11", by="chair"), 1)
    asks(4)(fund)
    grants(2, on="2024-01-12")(fund)

    assert (fund.loans[1].status, fund.loans[2].status) == ("rejected", "approved")


def test_a_late_repayment_sees_nothing_of_what_was_paid_after_its_day():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 60_000, on="2024-04-05"))
    with refused(fund, Overpayment, settlement_amount=1_010_000):
        fund.repay_loan(metadata("2024-03-05"), 1, amount=1_010_001)


def test_of_two_repayments_on_one_day_the_second_finds_the_interest_paid():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 15_000, on="2024-03-05"))
    again = fund.repay_loan(metadata("2024-03-05"), 1, amount=15_000)
    assert (again.interest, again.principal) == (0, 15_000)


def test_a_repayment_on_an_anniversary_does_not_lower_the_interest_of_the_month_it_ends():
    """The base is the principal outstanding when that day begins."""
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 510_000, on="2024-03-05"))
    assert loan_of(fund).standing(day("2024-03-05")).interest_due == 0
    assert loan_of(fund).standing(day("2024-04-05")).interest_due == 5_000


# Lateness


@pytest.mark.parametrize(
    ("today", "overdue", "days_late"),
    [("2024-03-05", 0, 0), ("2024-03-06", 100_000, 1), ("2024-04-05", 100_000, 31), ("2024-04-06", 200_000, 32)],
)
def test_a_loan_is_late_from_the_day_after_an_instalment_was_due(today, overdue, days_late):
    fund = village(lends(4, 1_200_000, on="2024-02-05"))
    loan = loan_of(fund)
    found = lateness(loan.plan(day(today)), loan.repayments.values(), day(today))
    assert (found.overdue_principal, found.days_late) == (overdue, days_late)


def test_what_was_repaid_by_the_day_meets_the_oldest_instalments_first():
    instalments = plan(terms_of(next(golden_cases("loan_schedules.csv"))[1][0], "principal"), START)
    paid = [Repayment(day("2024-02-29"), 417_000, 0), Repayment(day("2024-04-15"), 500_000, 0)]
    assert lateness(instalments, paid, day("2024-04-14")) == (417_000, 14)
    assert lateness(instalments, paid, day("2024-05-01")) == (3 * 417_000 - 917_000, 1)
    assert lateness(instalments, paid, day("2024-04-30")) == (0, 0)
    assert lateness(instalments, paid, day("2026-01-01")) == (5_000_000 - 917_000, 611)

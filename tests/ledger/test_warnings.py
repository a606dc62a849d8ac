"""Claims about warnings: what is worth a second look is said, everyday life raises none, and nothing is refused."""

from ledger.aggregates.fund import Fund
from ledger.aggregates.warnings import warnings
from tests.support.village import day, gives, last, leaves, lends, metadata, pays, repays, spends, undoes, village

# Warnings, and silence in ordinary life


def codes(fund: Fund) -> list[str]:
    return [warning.code for warning in warnings(fund, last(fund))]


def with_dues(fund: Fund, month: str, on: str, amount: int = 10_000, member: int = 1) -> Fund:
    fund.receive_contribution(metadata(on), member=member, kind="dues", amount=amount, for_month=month)
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
    fund.take_office(metadata("2024-02-01"), member=2, office="treasurer")
    spends(50_000, on="2024-03-10")(fund)
    undoes(on="2024-03-12")(fund)
    assert codes(fund) == ["reversal-day-differs"]
    fund.count_cash(metadata("2024-03-15"), reason="periodic", counted=fund.cash_at(day("2024-03-15")))
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


def test_who_comes_for_somebody_that_left_is_not_asked_about_once_it_is_said():
    fund = village(lends(1, 1_000_000, on="2024-01-10"), pays(1, "savings", 200_000), leaves(1, "2024-02-01", "died"))
    fund.repay_loan(metadata("2024-03-10", paid_by="9c2f"), 1, amount=100_000)
    assert codes(fund) == []
    fund.repay_loan(metadata("2024-03-10"), 1, amount=110_000, paid_by=2)
    assert codes(fund) == []
    fund.withdraw_savings(metadata("2024-03-10", paid_by="9c2f"), member=1, amount=200_000)
    assert codes(fund) == []


def test_a_repayment_that_is_what_its_loan_asks_for_is_not_unusual_however_it_compares():
    loans = (lends(1, 1_000_000, months=2, on="2024-01-10") for _ in range(12))
    fund = village(*loans, repayment_mode="bullet", one_open_loan_per_household=False)
    for loan in range(1, 10):
        repays(loan, 10_000, on="2024-02-10")(fund)
        assert codes(fund) == []
    repays(11, 500_000, on="2024-03-09")(fund)  # Ahead of the plan.
    assert codes(fund) == ["amount-unusual"]
    undoes(on="2024-03-09")(fund)
    repays(1, 1_010_000, on="2024-03-10")(fund)  # All of it.
    assert codes(fund) == []
    repays(10, 500_000, on="2024-03-10")(fund)  # Some of what is late.
    assert codes(fund) == []

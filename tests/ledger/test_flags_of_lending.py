"""Claims about red flags in lending. Each rule has a village in which it speaks and one next to it in which it keeps
quiet."""

from datetime import date

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import OldLoan, OpeningPot
from tests.support.flagged import behind, raised
from tests.support.village import (
    FIVE_MEMBERS,
    Act,
    asks,
    given,
    grants,
    joins,
    lends,
    metadata,
    repays,
    settle_all,
    village,
)


def granted_against_the_bylaws(loans: int, *, on: str) -> Act:
    def grant(fund: Fund) -> None:
        for _ in range(loans):
            asks(3, 12_000_000, on=on)(fund)
            grants(len(fund.loans), on=on, override=True)(fund)

    return grant


def test_a_chair_who_sets_the_bylaws_aside_again_and_again_is_asked_why():
    (flag,) = raised(village(granted_against_the_bylaws(3, on="2024-02-05")), "overrides")

    assert flag.facts == {"year": 2024, "overrides": 3, "approvals": 3, "rules": ("principal-above-cap",)}


def test_an_override_now_and_then_is_what_it_is_for():
    twice = village(granted_against_the_bylaws(2, on="2024-02-05"))
    among_many = village(
        granted_against_the_bylaws(3, on="2024-02-05"),
        *(act for number in range(4, 32) for act in (asks(3, on="2024-02-05"), grants(number, on="2024-02-05"))),
    )

    assert raised(twice, "overrides") == []
    assert raised(among_many, "overrides") == []


def test_nobody_can_have_been_a_member_long_enough_in_a_new_club():
    acts = [act for number in (1, 2, 3) for act in (asks(3), grants(number, override=True))]
    later = [
        act
        for number in (1, 2, 3)
        for act in (asks(6, on="2024-05-05"), grants(number, on="2024-05-05", override=True))
    ]

    assert raised(village(*acts, min_membership_months=3), "overrides") == []
    joined = lambda fund: fund.join(metadata("2024-05-01"), birth_year=1960, sex="male", poverty="none")  # noqa: E731
    assert len(raised(village(joined, *later, min_membership_months=3), "overrides")) == 1


def test_a_loan_paid_back_with_the_next_one_on_the_same_day_is_a_question():
    fund = village(
        lends(4, 5_000_000, months=3, on="2024-01-10"),
        repays(1, 5_150_000, on="2024-04-10"),
        lends(5, 5_000_000, on="2024-04-10"),
    )

    (flag,) = raised(fund, "same-day-loan")

    assert flag.facts == {"loan": 1, "paid": 5_000_000, "on": date(2024, 4, 10), "new_loan": 2, "lent": 5_000_000}
    assert [event.name for event in behind(fund, flag)] == ["LoanRepaid", "LoanDisbursed"]


@pytest.mark.parametrize(
    ("borrower", "principal", "on"),
    [(3, 5_000_000, "2024-04-10"), (4, 2_000_000, "2024-04-10"), (4, 5_000_000, "2024-05-10")],
    ids=["another household", "less", "a month later"],
)
def test_a_loan_to_others_or_a_smaller_or_a_later_one_is_not(borrower: int, principal: int, on: str):
    fund = village(
        lends(4, 5_000_000, months=3, on="2024-01-10"),
        repays(1, 5_150_000, on="2024-04-10"),
        lends(borrower, principal, on=on),
    )

    assert raised(fund, "same-day-loan") == []


def test_a_new_loan_after_a_last_small_instalment_is_no_renewal():
    fund = village(
        lends(4, 2_000_000, months=4, on="2024-01-10"),
        repays(1, 520_000, on="2024-02-10"),
        repays(1, 515_000, on="2024-03-10"),
        repays(1, 510_000, on="2024-04-10"),
        repays(1, 505_000, on="2024-05-10"),
        lends(4, 5_000_000, on="2024-05-10"),
    )

    assert raised(fund, "same-day-loan") == []


def test_two_loans_in_one_household_above_what_one_member_may_borrow_are_a_question():
    fund = village(lends(4, 6_000_000, on="2024-01-10"), lends(5, 6_000_000, on="2024-02-10"))

    (flag,) = raised(fund, "household-loans")

    assert flag.facts == {"loan": 2, "on": date(2024, 2, 10), "loans": 2, "owed": 12_000_000, "cap": 10_000_000}
    assert [event.name for event in behind(fund, flag)] == ["LoanDisbursed", "LoanDisbursed"]
    old_line = village(
        joins(household="h4"), lends(4, 6_000_000, on="2024-01-10"), lends(6, 6_000_000, on="2024-02-10")
    )
    assert len(raised(old_line, "household-loans")) == 1, "small letters in an old line are the same household"


def test_two_small_loans_or_one_after_the_other_or_to_two_households_are_not():
    small = village(lends(4, 3_000_000, on="2024-01-10"), lends(5, 3_000_000, on="2024-02-10"))
    after = village(
        lends(4, 6_000_000, on="2024-01-10"),
        repays(1, 6_060_000, on="2024-02-10"),
        lends(5, 6_000_000, on="2024-02-11"),
    )
    apart = village(lends(3, 6_000_000, on="2024-01-10"), lends(5, 6_000_000, on="2024-02-10"))

    for fund in (small, after, apart):
        assert raised(fund, "household-loans") == []


def test_a_loan_of_the_old_book_counts_for_its_household():
    fund = given(*FIVE_MEMBERS)
    old = OldLoan(
        member=4,
        principal=6_000_000,
        outstanding=5_000_000,
        disbursed_on=date(2023, 11, 5),
        term_months=12,
        purpose="crops",
    )
    fund.declare_opening_balances(
        metadata("2024-01-02"), revolving=OpeningPot(9_000_000, 0), activity=OpeningPot(0, 0), loans=(old,)
    )
    lends(5, 6_000_000, on="2024-02-10")(fund)

    (flag,) = raised(fund, "household-loans")

    assert [event.name for event in behind(fund, flag)] == ["OpeningBalancesDeclared", "LoanDisbursed"]


def takes_the_chair(member: int, on: str = "2024-01-01") -> Act:
    return lambda fund: fund.take_office(metadata(on), member=member, office="chair")


def approved_by(principal: str, *, borrower: int = 5, on: str = "2024-03-10") -> Act:
    def approve(fund: Fund) -> None:
        asks(borrower, on=on)(fund)
        fund.approve_loan(metadata(on, by=principal), len(fund.loans))

    return approve


def test_a_loan_approved_by_somebody_of_the_borrowers_household_is_a_question():
    by_account = village(takes_the_chair(1), approved_by("p1"))
    by_office = village(takes_the_chair(4), approved_by("p1"))

    (account,) = raised(by_account, "approver-household", linked={"p1": 4})
    (office,) = raised(by_office, "approver-household")

    assert account.facts == {
        "loan": 1, "borrower": 5, "approver": 4, "known_by": "account", "on": date(2024, 3, 10)
    }  # fmt: skip
    assert office.facts == {**account.facts, "known_by": "office"}


def test_approving_ones_own_loan_by_an_account_that_hides_it_is_a_question():
    (flag,) = raised(village(takes_the_chair(3), approved_by("p1", borrower=3)), "approver-household")

    assert (flag.facts["approver"], flag.facts["borrower"]) == (3, 3)


def test_an_approval_for_another_household_is_everyday_and_an_account_says_more_than_an_office():
    others = village(takes_the_chair(4), approved_by("p1", borrower=3))
    by_deputy = village(takes_the_chair(4), approved_by("p1"))
    nobody = village(approved_by("p1"))
    successor = village(takes_the_chair(4), takes_the_chair(1, "2024-03-01"), approved_by("p1"))

    assert raised(others, "approver-household") == []
    assert raised(by_deputy, "approver-household", linked={"p1": 2}) == []
    assert raised(nobody, "approver-household") == []
    assert raised(by_deputy, "approver-household", linked={"p1": 99}) == [], "linked to a number nobody has"
    assert raised(successor, "approver-household") == []


def test_interest_taken_twice_for_the_same_month_is_a_question():
    # The slip of 10 March is found after the repayment of 10 April was split without it.
    late_slip = [repays(1, 4_000_000, on="2024-04-10"), repays(1, 4_000_000, on="2024-03-10")]
    fund = village(lends(4, 10_000_000, on="2024-02-10"), *late_slip)

    (flag,) = raised(fund, "interest-differs")

    assert flag.facts == {"loan": 1, "taken": 300_000, "accrued": 161_000, "off": 139_000}
    assert len(flag.versions) == 2


def test_interest_of_repayments_told_in_their_order_is_as_the_terms_make_it():
    in_order = [repays(1, 4_000_000, on="2024-03-10"), repays(1, 4_000_000, on="2024-04-10")]
    running = village(lends(4, 10_000_000, on="2024-02-10"), *in_order)
    settled = village(lends(4, 10_000_000, on="2024-02-10"), *in_order)
    settle_all(settled, "2024-06-20")
    rescheduled = village(lends(4, 10_000_000, on="2024-02-10"), *in_order)
    rescheduled.reschedule_loan(metadata("2024-05-20"), 1, term_months=6)
    settle_all(rescheduled, "2024-07-01")

    for fund in (running, settled, rescheduled):
        assert raised(fund, "interest-differs", interest_dong=0) == []


def planned_anew_twice(repaid: int) -> Fund:
    fund = village(lends(3, 6_000_000, months=6, on="2024-01-10"))
    fund.reschedule_loan(metadata("2024-03-10"), 1, term_months=6)
    if repaid:
        repays(1, repaid, on="2024-04-10")(fund)
    fund.reschedule_loan(metadata("2024-05-10"), 1, term_months=6)
    return fund


def test_a_loan_planned_anew_again_with_little_repaid_between_is_a_question():
    fund = planned_anew_twice(repaid=0)

    (flag,) = raised(fund, "rescheduled-again")

    since, until = date(2024, 3, 10), date(2024, 5, 10)
    assert flag.facts == {"loan": 1, "times": 2, "repaid": 0, "since": since, "until": until}
    assert [event.name for event in behind(fund, flag)] == ["LoanRescheduled", "LoanRescheduled"]


def test_a_loan_planned_anew_again_by_who_pays_is_none():
    assert raised(planned_anew_twice(repaid=3_000_000), "rescheduled-again") == []

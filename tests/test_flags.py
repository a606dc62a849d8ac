"""Claims about red flags: each rule has a village in which it speaks and one next to it in which it keeps quiet."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from ledger.aggregates.fund import Fund, Stamp
from ledger.events import ContributionReceived, Event, OldLoan, OpeningPot
from ledger.flags import RULES, Flag, Thresholds, flags
from service import catalogue
from service.lookout import told
from tests.histories import random_fund
from tests.village import (
    CLUB,
    FIVE_MEMBERS,
    FUND,
    OPENED,
    Act,
    asks,
    bylaws,
    day,
    given,
    gives,
    grants,
    lends,
    repays,
    settle_all,
    stamp,
    undoes,
    village,
    whole_life,
)

END = date(2024, 7, 15)


def raised(
    fund: Fund, rule: str, on: date | str = END, linked: dict[str, int] | None = None, **limits: int
) -> list[Flag]:
    """The flags of one rule, which the reader can be told of in both languages."""
    thresholds = Thresholds(**limits)
    found = [each for each in flags(fund, thresholds, day(on), linked) if each.rule == rule]
    for each in found:
        assert all(1 <= version <= fund.version for version in each.versions)
        for language in ("vi", "en"):
            assert told(each, thresholds, language)["finding"]
    return found


def behind(fund: Fund, flag: Flag) -> list[Event]:
    """The entries behind a flag."""
    return [fund.entries[version - 1] for version in flag.versions]


def evening(on: str | date, late: int = 0) -> datetime:
    return datetime.combine(day(on) + timedelta(days=late), time(13), UTC)


def said(on: str | date, late: int = 0, by: str = "treasurer") -> Stamp:
    """Told on the evening of the day itself, or so many days later."""
    return stamp(on, at=evening(on, late), by=by)


def prompt(*acts: Act) -> Fund:
    """A club of five members that opened in 2024 and enters things when they happen."""
    fund = Fund(FUND)
    fund.open(said("2024-01-01", by="admin"), bylaws=bylaws(), **CLUB)
    for number in range(5):
        fund.join(said("2024-01-01"), birth_year=1950 + number, sex="female", poverty="none")
    fund.receive_donation(said("2024-01-01"), source="benefactor", pot="activity", amount=5_000_000)
    for act in acts:
        act(fund)
    return fund


def spends(on: str | date, late: int = 0, amount: int = 20_000, by: str = "treasurer") -> Act:
    return lambda fund: fund.pay_expense(said(on, late, by), activity="culture", amount=amount)


def days(first: str, number: int) -> Iterator[date]:
    return (day(first) + timedelta(days=later) for later in range(number))


# --- late -------------------------------------------------------------------------------------------------------------


def test_slips_that_trickle_in_weeks_late_all_month_are_a_question():
    fund = prompt(*(spends(on, late=20) for on in days("2024-02-15", 6)))

    (flag,) = raised(fund, "late-entries")

    assert flag.facts == {"month": "2024-03", "entries": 6, "sittings": 6, "most_days": 20}
    assert flag.versions == tuple(range(fund.version - 5, fund.version + 1))


def test_a_whole_meeting_entered_three_weeks_late_is_everyday():
    fund = prompt(*(spends("2024-02-15", late=21) for _ in range(40)))

    assert raised(fund, "late-entries") == []


def test_one_slip_found_after_months_is_a_question_and_one_found_after_weeks_is_not():
    months, weeks = prompt(spends("2024-02-15", late=70)), prompt(spends("2024-02-15", late=40))

    assert [flag.facts["most_days"] for flag in raised(months, "late-entries")] == [70]
    assert raised(weeks, "late-entries") == []


def test_an_old_book_that_is_taken_over_is_not_late():
    fund = given(*FIVE_MEMBERS)
    fund.declare_opening_balances(
        stamp("2024-01-02"), revolving=OpeningPot(1_000_000, 0), activity=OpeningPot(500_000, 0)
    )

    assert raised(fund, "late-entries", "2026-06-30") == []


def inspected(on: str) -> Act:
    return lambda fund: fund.note_inspection(said(on, by="inspector"), kind="sample")


def test_vouchers_found_on_the_eve_of_an_inspection_are_a_question():
    hurried = [spends(on, late=30 - later) for later, on in enumerate(days("2024-03-10", 3))]
    fund = prompt(*hurried, inspected("2024-04-10"))

    (flag,) = raised(fund, "before-inspection")

    assert flag.facts == {"on": date(2024, 4, 10), "entries": 3, "most_days": 30}
    assert flag.versions[-1] == fund.version, "the inspection itself"


def test_a_meeting_entered_on_the_eve_of_an_inspection_or_slips_found_long_before_are_not():
    meeting = prompt(*(spends("2024-04-05", late=4) for _ in range(30)), inspected("2024-04-10"))
    long_before = prompt(*(spends("2024-02-01", late=20) for _ in range(3)), inspected("2024-04-10"))

    assert raised(meeting, "before-inspection") == []
    assert raised(long_before, "before-inspection") == []


# --- undone and out of order ------------------------------------------------------------------------------------------


def reversed_by(by: str, times: int) -> Act:
    def reverse(fund: Fund) -> None:
        for _ in range(times):
            spends("2024-03-05")(fund)
            fund.reverse_entry(said("2024-03-05", by=by), fund.version, reason="wrong_amount")

    return reverse


def test_a_treasurer_who_undoes_every_tenth_entry_is_asked_why():
    fund = prompt(*(spends("2024-03-05") for _ in range(90)), reversed_by("treasurer", 10))

    (flag,) = raised(fund, "reversals-by-person")

    assert flag.facts == {"by": "treasurer", "year": 2024, "reversals": 10, "entries": 101}
    assert [event.name for event in behind(fund, flag)] == ["EntryReversed"] * 10


def test_a_typing_mistake_now_and_then_is_everyday_and_two_people_are_counted_apart():
    seldom = prompt(*(spends("2024-03-05", amount=1_000) for _ in range(400)), reversed_by("treasurer", 10))
    apart = prompt(reversed_by("treasurer", 6), reversed_by("chair", 6))

    assert raised(seldom, "reversals-by-person") == []
    assert raised(apart, "reversals-by-person") == []


def test_many_vouchers_dated_before_earlier_numbers_are_a_question():
    fund = prompt(spends("2024-05-05"), *(spends("2024-03-05", late=61) for _ in range(5)))

    (flag,) = raised(fund, "voucher-order")

    assert flag.facts == {"series": "PC-2024", "displaced": 5, "vouchers": 6}
    assert flag.versions == tuple(range(fund.version - 4, fund.version + 1))


def test_a_few_vouchers_out_of_order_or_last_years_told_in_january_are_not():
    few = prompt(spends("2024-05-05"), *(spends("2024-03-05", late=61) for _ in range(4)))
    last_year = prompt(spends("2025-01-30"), *(spends("2024-12-05", late=60) for _ in range(5)))

    assert raised(few, "voucher-order") == []
    assert raised(last_year, "voucher-order", "2025-02-28") == []


def counted(on: str) -> Act:
    return lambda fund: fund.count_cash(said(on), reason="periodic", counted=fund.cash_at(day(on)), witnesses=[1])


def test_much_that_is_entered_behind_a_count_is_a_question():
    often = prompt(counted("2024-03-05"), *(spends("2024-03-01", late=10) for _ in range(6)))
    much = prompt(
        counted("2024-03-05"),
        lambda fund: fund.receive_donation(said("2024-03-01", 10), source="business", pot="activity", amount=6_000_000),
    )

    (flag,) = raised(often, "over-count")
    (other,) = raised(much, "over-count")

    assert flag.facts == {"on": date(2024, 3, 5), "entries": 6, "into": 0, "out": 120_000}
    assert (other.facts["into"], len(other.versions)) == (6_000_000, 2)


def test_a_slip_or_two_behind_a_count_and_all_that_happened_after_it_are_not():
    fund = prompt(
        counted("2024-03-05"), spends("2024-03-01", late=10), *(spends("2024-03-06", late=5) for _ in range(20))
    )

    assert raised(fund, "over-count") == []


# --- lending ----------------------------------------------------------------------------------------------------------


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
    joined = lambda fund: fund.join(stamp("2024-05-01"), birth_year=1960, sex="male", poverty="none")  # noqa: E731
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
        stamp("2024-01-02"), revolving=OpeningPot(9_000_000, 0), activity=OpeningPot(0, 0), loans=(old,)
    )
    lends(5, 6_000_000, on="2024-02-10")(fund)

    (flag,) = raised(fund, "household-loans")

    assert [event.name for event in behind(fund, flag)] == ["OpeningBalancesDeclared", "LoanDisbursed"]


def takes_the_chair(member: int, on: str = "2024-01-01") -> Act:
    return lambda fund: fund.take_office(stamp(on), member=member, office="chair")


def approved_by(principal: str, *, borrower: int = 5, on: str = "2024-03-10") -> Act:
    def approve(fund: Fund) -> None:
        asks(borrower, on=on)(fund)
        fund.approve_loan(stamp(on, by=principal), len(fund.loans))

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
    rescheduled.reschedule_loan(stamp("2024-05-20"), 1, term_months=6)
    settle_all(rescheduled, "2024-07-01")

    for fund in (running, settled, rescheduled):
        assert raised(fund, "interest-differs", interest_dong=0) == []


# --- the box ----------------------------------------------------------------------------------------------------------


def meets(on: str, *members: int) -> Act:
    return lambda fund: fund.hold_meeting(stamp(on), sheet=on, present=members, book_opening=0)


def pays_dues(member: int, month: str, *, on: str) -> Act:
    return lambda fund: fund.receive_contribution(stamp(on), member=member, kind="dues", amount=10_000, for_month=month)


def lapped(*, present: bool = True, rounds: int = 3) -> Fund:
    """Each month another member's dues reach the box at the next meeting; `present` tells whether they had come."""
    months = [f"2024-{number:02}" for number in range(1, rounds + 2)]
    acts: list[Act] = [pays_dues(5, month, on=f"{month}-10") for month in months]
    for member, (month, following) in enumerate(pairwise(months), 1):
        came = [1, 2, 3, 4, 5] if present else [number for number in (1, 2, 3, 4, 5) if number != member]
        acts += [meets(f"{month}-10", *came), pays_dues(member, month, on=f"{following}-10")]
    return village(*acts)


def test_dues_that_reach_the_box_a_month_after_the_meeting_month_after_month_are_a_question():
    fund = lapped()

    (flag,) = raised(fund, "lapping")

    assert flag.facts == {"since": "2024-02", "until": "2024-04", "months": 3, "payments": 3}
    dues = [event for event in behind(fund, flag) if isinstance(event, ContributionReceived)]
    assert [event.for_month for event in dues] == ["2024-01", "2024-02", "2024-03"]


def test_who_was_not_at_the_meeting_pays_at_the_next_and_two_months_are_no_run():
    assert raised(lapped(present=False), "lapping") == []
    assert raised(lapped(rounds=2), "lapping") == []


def test_repayments_shifted_by_a_month_are_seen_as_dues_are():
    loans = [lends(member, 1_200_000, on="2024-01-10") for member in (3, 4, 5)]
    every = [meets(f"2024-{month:02}-10", 1, 2, 3, 4, 5) for month in (1, 2, 3, 4, 5)]
    punctual = [repays(loan, 112_000, on=f"2024-{month:02}-10") for month in (2, 3, 4, 5) for loan in (1, 2, 3)]
    skipping = {(1, 2), (2, 3), (3, 4)}
    shifted = [
        repays(loan, 112_000, on=f"2024-{month:02}-10")
        for month in (2, 3, 4, 5)
        for loan in (1, 2, 3)
        if (loan, month) not in skipping
    ]

    assert raised(village(*loans, *punctual, *every), "lapping") == []
    (flag,) = raised(village(*loans, *shifted, *every), "lapping")
    assert flag.facts["payments"] == 3


def test_a_box_that_is_not_counted_for_long_is_a_question():
    never = village()
    rarely = village(
        lambda fund: fund.count_cash(stamp("2024-01-05"), reason="periodic", counted=fund.cash_at(day("2024-01-05"))),
        lambda fund: fund.count_cash(stamp("2024-12-05"), reason="periodic", counted=fund.cash_at(day("2024-12-05"))),
    )

    assert [flag.facts["days"] for flag in raised(never, "count-gaps", "2024-12-31")] == [365]
    (gap,) = raised(rarely, "count-gaps", "2024-12-31")
    assert gap.facts == {"since": date(2024, 1, 5), "until": date(2024, 12, 5), "days": 335}
    assert gap.versions == (rarely.version - 1, rarely.version)


def test_a_box_counted_every_half_year_and_a_fund_without_cash_are_quiet():
    halves = village(
        *(
            lambda fund, on=on: fund.count_cash(stamp(on), reason="periodic", counted=fund.cash_at(day(on)))
            for on in ("2024-01-15", "2024-07-10", "2025-01-20")
        )
    )

    assert raised(halves, "count-gaps", "2025-07-01") == []
    assert raised(given(*FIVE_MEMBERS), "count-gaps", "2025-07-01") == []


def test_much_cash_kept_for_months_is_a_question():
    fund = village(gives(5_000_000, on="2024-02-01"), lends(3, 8_000_000, on="2024-04-10"))

    (flag,) = raised(fund, "cash-high")

    assert flag.facts == {
        "since": date(2024, 1, 1), "until": date(2024, 4, 10), "days": 100, "most": 26_000_000
    }  # fmt: skip


def test_much_cash_for_some_days_or_in_the_bank_is_not():
    for_days = village(lends(3, 8_000_000, on="2024-02-10"))
    in_bank = village(lambda fund: fund.move_to_bank(stamp("2024-01-05"), pot="revolving", amount=15_000_000))

    assert raised(for_days, "cash-high") == []
    assert raised(in_bank, "cash-high") == []
    assert raised(village(), "cash-high")[0].facts["until"] == END, "it still lies there"


# --- all of them ------------------------------------------------------------------------------------------------------


def test_thresholds_move_the_line():
    fund = village(lends(4, 3_000_000, on="2024-01-10"), lends(5, 3_000_000, on="2024-02-10"))

    assert raised(fund, "household-loans") == []
    assert len(raised(fund, "household-loans", household_percent=50)) == 1
    assert raised(village(), "cash-high", cash_high_dong=25_000_000) == []
    assert raised(lapped(), "lapping", lapping_months=4) == []


def test_a_threshold_below_zero_is_refused():
    for threshold in fields(Thresholds):
        with pytest.raises(ValueError, match=threshold.name):
            Thresholds(**{threshold.name: -1})


def test_what_happened_or_was_undone_after_a_day_is_not_in_its_flags():
    fund = village(lends(4, 6_000_000, on="2024-01-10"), lends(5, 6_000_000, on="2024-02-10"), undoes(on="2024-03-10"))

    assert len(raised(fund, "household-loans", "2024-02-20")) == 1
    assert raised(fund, "household-loans", "2024-01-20") == []
    assert raised(fund, "household-loans", "2024-03-20") == []
    assert flags(fund, Thresholds(), OPENED - timedelta(days=1)) == []


def test_flags_come_in_the_order_of_the_rules_and_are_the_same_again():
    fund = whole_life()
    strict = Thresholds(**{threshold.name: 0 for threshold in fields(Thresholds)})

    found = flags(fund, strict, date(2026, 6, 30))

    rules = list(RULES)
    places = [(rules.index(flag.rule), flag.versions) for flag in found]
    assert places == sorted(places)
    assert found == flags(fund, strict, date(2026, 6, 30))
    assert len({flag.rule for flag in found}) >= 5


def test_no_history_is_too_strange_for_the_rules_and_what_came_later_is_behind_no_flag():
    strict = Thresholds(**{threshold.name: 0 for threshold in fields(Thresholds)})
    spoken: set[str] = set()
    for fund in map(random_fund, range(20)):
        happened_on = sorted(fund.last_on)
        for on in (happened_on[len(happened_on) // 2], happened_on[-1]):
            for flag in flags(fund, strict, on, linked={"chair": 3}):
                spoken.add(flag.rule)
                assert flag.versions
                assert all(event.on <= on for event in behind(fund, flag))
                assert told(flag, strict, "vi")["finding"]

    assert len(spoken) >= 10, "or the histories try too little"


def test_a_flag_carries_numbers_days_and_codes_and_no_text_about_anybody():
    fund = whole_life()
    strict = Thresholds(**{threshold.name: 0 for threshold in fields(Thresholds)})

    for flag in flags(fund, strict, date(2026, 6, 30)):
        for fact in flag.facts.values():
            assert isinstance(fact, int | date | tuple) or " " not in str(fact)
            assert fact not in (fund.opened.club, fund.opened.commune)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_told_in_words_with_all_its_thresholds(rule: str):
    limits = {threshold.name for threshold in fields(Thresholds)}
    for language in ("vi", "en"):
        assert {name for name, _ in catalogue.fields(f"flag.{rule}.rule", language)} <= limits
        assert catalogue.fields(f"flag.{rule}.title", language) == frozenset()


def test_every_threshold_is_named_in_the_words_of_a_rule():
    named = {name for rule in RULES for name, _ in catalogue.fields(f"flag.{rule}.rule", "vi")}

    assert named == {threshold.name for threshold in fields(Thresholds)}


def test_a_club_that_keeps_its_book_well_raises_nothing():
    fund = prompt(*(spends(on) for on in days("2024-01-05", 60)), counted("2024-03-20"), counted("2024-07-01"))
    fund.receive_donation(said("2024-07-02"), source="business", pot="revolving", amount=9_000_000)
    fund.request_loan(said("2024-07-02"), member=3, principal=5_000_000, term_months=12, purpose="crops")
    fund.approve_loan(said("2024-07-02", by="chair"), 1)
    fund.disburse_loan(said("2024-07-02"), 1)
    fund.note_inspection(said("2024-07-10", by="inspector"), kind="sample")

    assert flags(fund, Thresholds(), END) == []

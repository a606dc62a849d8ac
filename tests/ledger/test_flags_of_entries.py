"""Claims about red flags in what was entered late, undone, out of order or behind a count. Each rule has a village in
which it speaks and one next to it in which it keeps quiet."""

from datetime import date
from typing import Any

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import OpeningPot
from tests.support.flagged import behind, counted, days, prompt, raised, said, spends
from tests.support.village import FIVE_MEMBERS, Act, day, given, metadata, village

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
        metadata("2024-01-02"), revolving=OpeningPot(1_000_000, 0), activity=OpeningPot(500_000, 0)
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


def test_whoever_undoes_with_two_tokens_is_one_person():
    fund = prompt(*(spends("2024-03-05") for _ in range(78)), reversed_by("p2", 6), reversed_by("p1", 6))

    (flag,) = raised(fund, "reversals-by-person", linked={"p1": 2, "p2": 2, "treasurer": 1})

    assert flag.facts == {"by": "p1", "year": 2024, "reversals": 12, "entries": 0}
    assert raised(fund, "reversals-by-person", linked={"p1": 2, "p2": 3}) == []


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


def counted_then_undone(reason: Any, *, by: str) -> Fund:
    """A count that found 4,000 đ too little, recorded by the treasurer and reversed by somebody."""
    fund = village()
    fund.count_cash(metadata("2024-02-05"), reason=reason, counted=fund.cash_at(day("2024-02-05")) - 4_000)
    fund.reverse_entry(metadata("2024-02-06", by=by), fund.version, reason="wrong_amount")
    return fund


@pytest.mark.parametrize(("reason", "by"), [("surprise", "chair"), ("periodic", "treasurer")])
def test_a_surprise_count_or_ones_own_count_that_was_undone_is_a_question(reason: str, by: str):
    fund = counted_then_undone(reason, by=by)

    (flag,) = raised(fund, "count-undone")

    assert flag.facts == {"on": date(2024, 2, 5), "undone_on": date(2024, 2, 6), "reason": reason}
    assert [event.name for event in behind(fund, flag)] == ["CashCounted", "EntryReversed"]


def test_a_count_of_the_clubs_own_that_somebody_else_put_right_is_none():
    assert raised(counted_then_undone("periodic", by="chair"), "count-undone") == []

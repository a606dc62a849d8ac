"""Claims about red flags in the box, and about all there are. Each rule has a village in which it speaks
and one next to it in which it keeps quiet."""

from dataclasses import fields
from datetime import date, timedelta
from itertools import pairwise

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import ContributionReceived
from ledger.flags import RULES, Thresholds, flags
from service.inspection.flag_service import flag_answer
from service.words import catalogue
from tests.support.flagged import END, behind, counted, days, prompt, raised, said, spends
from tests.support.histories import random_fund
from tests.support.village import (
    FIVE_MEMBERS,
    OPENED,
    Act,
    day,
    given,
    gives,
    lends,
    metadata,
    repays,
    undoes,
    village,
    whole_life,
)

# --- the box ----------------------------------------------------------------------------------------------------------


def meets(on: str, *members: int) -> Act:
    return lambda fund: fund.hold_meeting(metadata(on), sheet=on, present=members, book_opening=0)


def pays_dues(member: int, month: str, *, on: str) -> Act:
    return lambda fund: fund.receive_contribution(
        metadata(on), member=member, kind="dues", amount=10_000, for_month=month
    )


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
        lambda fund: fund.count_cash(
            metadata("2024-01-05"), reason="periodic", counted=fund.cash_at(day("2024-01-05"))
        ),
        lambda fund: fund.count_cash(
            metadata("2024-12-05"), reason="periodic", counted=fund.cash_at(day("2024-12-05"))
        ),
    )

    assert [flag.facts["days"] for flag in raised(never, "count-gaps", "2024-12-31")] == [365]
    (gap,) = raised(rarely, "count-gaps", "2024-12-31")
    assert gap.facts == {"since": date(2024, 1, 5), "until": date(2024, 12, 5), "days": 335}
    assert gap.versions == (rarely.version - 1, rarely.version)


def test_a_box_counted_every_half_year_and_a_fund_without_cash_are_quiet():
    halves = village(
        *(
            lambda fund, on=on: fund.count_cash(metadata(on), reason="periodic", counted=fund.cash_at(day(on)))
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
    in_bank = village(lambda fund: fund.move_to_bank(metadata("2024-01-05"), pot="revolving", amount=15_000_000))

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
        happened_on = sorted({event.on for event in fund.entries})
        for on in (happened_on[len(happened_on) // 2], happened_on[-1]):
            for flag in flags(fund, strict, on, linked={"chair": 3}):
                spoken.add(flag.rule)
                assert flag.versions
                assert all(event.on <= on for event in behind(fund, flag))
                assert flag_answer(flag, strict, "vi")["finding"]

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

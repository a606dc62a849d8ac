"""How a club keeps itself honest, claim by claim (`domain.md` §3): counts, periods, meetings, offices, the old book's
taking over, and the end.
"""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from ledger.aggregates.fund import Fund
from ledger.events import Item, OldLoan, OpeningPot, OpeningSavings
from ledger.refusals import (
    BooksHaveBegun,
    FundIsDissolved,
    FutureDay,
    InsufficientFunds,
    MemberNotFound,
    MemberNotOnRoll,
    NamedTwice,
    NobodyPresent,
    NotesDoNotAddUp,
    NothingToClose,
    NotReversible,
    OfficeHeldAlready,
    OfficeNotHeld,
    OpeningLoanImplausible,
    OutOfOrder,
    PeriodIsClosed,
    PeriodNotClosed,
    Refusal,
    StillOwed,
)
from tests.support.village import (
    FIVE_MEMBERS,
    day,
    given,
    gives,
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

NOTHING = OpeningPot(0, 0)


# --- counts -----------------------------------------------------------------------------------------------------------


def test_a_shortage_is_the_activity_pots() -> None:
    fund = village()
    counted = fund.count_cash(metadata("2024-02-01"), reason="periodic", counted=20_960_000)
    assert (counted.expected, counted.difference, counted.from_revolving) == (21_000_000, -40_000, 0)
    assert posted(counted) == {("activity", "cash_short"): 40_000, ("activity", "cash"): -40_000}
    assert counted.voucher == "PC-2024-0001"


def test_what_the_activity_pot_cannot_bear_falls_on_the_revolving_pot() -> None:
    fund = village(spends(900_000, on="2024-03-01"))
    counted = fund.count_cash(
        metadata("2024-02-01"), reason="surprise", counted=20_700_000
    )  # 300,000 đ short, told late
    assert posted(counted) == {
        ("activity", "cash_short"): 100_000,
        ("activity", "cash"): -100_000,
        ("revolving", "cash_short"): 200_000,
        ("revolving", "cash"): -200_000,
    }
    assert fund.cash_at(day("2024-02-01")) == 20_700_000


def test_what_is_over_is_the_activity_pots_too() -> None:
    fund = village()
    counted = fund.count_cash(metadata("2024-02-01"), reason="handover", counted=20_000_500, pot="revolving")
    assert posted(counted) == {("activity", "cash"): 500, ("activity", "cash_over"): -500}
    assert counted.voucher == "PT-2024-0003"


def test_a_count_without_a_difference_posts_nothing_and_is_not_reversed() -> None:
    fund = village()
    counted = fund.count_cash(metadata("2024-02-01"), reason="periodic", counted=1_000_000, pot="activity")
    assert (counted.legs(), counted.voucher) == ((), None)
    with refused(fund, NotReversible, entry="CashCounted"):
        fund.reverse_entry(metadata("2024-02-02"), counted.version, reason="other")


def test_the_notes_of_a_count_add_up_and_its_witnesses_are_members() -> None:
    fund = village(leaves(5, "2024-01-15"))
    notes = {"500000": 41, "100000": 5}
    with refused(fund, NotesDoNotAddUp, notes_total=21_000_000, counted=21_000_001):
        fund.count_cash(metadata("2024-02-01"), reason="periodic", counted=21_000_001, notes=notes)
    for witnesses, rule in (([3, 3], NamedTwice), ([5], MemberNotOnRoll), ([9], MemberNotFound)):
        with refused(fund, rule, member=witnesses[0]):
            fund.count_cash(metadata("2024-02-01"), reason="periodic", counted=0, witnesses=witnesses)
    fund.count_cash(metadata("2024-02-01"), reason="periodic", counted=21_000_000, notes=notes, witnesses=[3])


# --- periods ----------------------------------------------------------------------------------------------------------


def test_a_closed_period_certifies_its_balances_and_takes_no_entry() -> None:
    fund = village(lends(4, 1_000_000, on="2024-01-20"), pays(4, "savings", 200_000, on="2024-02-02"))
    closed = fund.close_period(metadata("2024-02-05"), through=day("2024-01-31"))
    certified = {(leg.pot, leg.account): leg.amount for leg in closed.balances}
    assert certified == {
        ("revolving", "cash"): 19_000_000,
        ("revolving", "loans"): 1_000_000,
        ("activity", "cash"): 1_000_000,
    }
    for decide in (spends(1, on="2024-01-31"), leaves(4, "2024-01-31"), gives(1, on="2024-01-01")):
        with refused(fund, PeriodIsClosed, closed_through=date(2024, 1, 31)):
            decide(fund)
    spends(1, on="2024-02-01")(fund)


def test_an_entry_of_a_closed_period_is_reversed_on_an_open_day() -> None:
    fund = village(spends(5_000, on="2024-01-20"))
    fund.close_period(metadata("2024-02-05"), through=day("2024-01-31"))
    with refused(fund, PeriodIsClosed, closed_through=date(2024, 1, 31)):
        fund.reverse_entry(metadata("2024-01-31"), fund.version - 1, reason="other")
    undoes(fund.version - 1, on="2024-02-01")(fund)


def test_a_period_is_reopened_from_a_day_on_and_closed_again() -> None:
    fund = village()
    fund.close_period(metadata("2024-04-05"), through=day("2024-03-31"))
    fund.reopen_period(metadata("2024-04-06"), since=day("2024-03-01"))
    assert fund.closed_through == date(2024, 2, 29)
    spends(1, on="2024-03-01")(fund)
    with refused(fund, PeriodIsClosed, closed_through=date(2024, 2, 29)):
        spends(1, on="2024-02-29")(fund)
    with refused(fund, PeriodNotClosed, since=date(2024, 3, 1)):
        fund.reopen_period(metadata("2024-04-07"), since=day("2024-03-01"))
    with refused(fund, NothingToClose, closed_through=date(2024, 2, 29)):
        fund.close_period(metadata("2024-04-07"), through=day("2024-02-29"))
    with refused(fund, FutureDay, on=date(2024, 4, 8)):
        fund.close_period(metadata("2024-04-07"), through=day("2024-04-08"))
    fund.close_period(metadata("2024-04-07"), through=day("2024-03-31"))


# --- meetings and offices ---------------------------------------------------------------------------------------------


def held_meeting(fund: Fund, **sheet: Any) -> Any:
    """A meeting of 05/02/2024."""
    usual: dict[str, Any] = {"sheet": "A", "present": [1, 2], "book_opening": 0}
    return fund.hold_meeting(metadata("2024-02-05"), **usual | sheet)


def test_a_meeting_keeps_who_was_there_once_for_each_sheet() -> None:
    fund = village(leaves(5, "2024-02-04"))
    meeting = held_meeting(fund, by_proxy=[4])
    assert (meeting.meeting, meeting.absent, meeting.book_closing) == (1, (3,), 21_000_000)
    version = fund.version
    assert held_meeting(fund) is None
    assert fund.version == version
    assert held_meeting(fund, sheet="B").meeting == 2


def test_a_meeting_names_members_of_the_day_once_and_somebody_is_there() -> None:
    fund = village(leaves(5, "2024-02-04"))
    with refused(fund, NobodyPresent):
        held_meeting(fund, present=[])
    with refused(fund, NamedTwice, member=2):
        held_meeting(fund, by_proxy=[2])
    with refused(fund, MemberNotOnRoll, member=5):
        held_meeting(fund, by_proxy=[5])


def test_an_office_of_the_board_is_handed_over_and_volunteers_are_many() -> None:
    fund = village()
    for member in (2, 3):
        fund.take_office(metadata(f"2024-02-0{member}"), member=member, office="treasurer")
        fund.take_office(metadata(f"2024-02-0{member}"), member=member, office="volunteer")
    assert fund.offices == {("treasurer", 3), ("volunteer", 2), ("volunteer", 3)}
    handed_over = [(e.name, e.member, e.on.day) for e in fund.entries if e.name == "OfficeLeft"]  # type: ignore[attr-defined]
    assert handed_over == [("OfficeLeft", 2, 3)]


def test_an_office_ends_by_naming_its_holder_with_the_last_day() -> None:
    fund = village()
    fund.take_office(metadata("2024-02-01"), member=1, office="chair")
    with refused(fund, OfficeHeldAlready, member=1, office="chair"):
        fund.take_office(metadata("2024-02-02"), member=1, office="chair")
    ended = fund.take_office(metadata("2024-05-01"), member=1, office="chair", until=day("2024-04-30"))
    assert (ended.name, ended.on, fund.offices) == ("OfficeLeft", date(2024, 4, 30), set())
    with refused(fund, OfficeNotHeld, member=1, office="chair"):
        fund.leave_office(metadata("2024-05-01"), member=1, office="chair")


def test_an_office_ends_no_sooner_than_it_begins_whoever_ends_it() -> None:
    fund = village()
    with refused(fund, OutOfOrder, on=date(2024, 1, 31), earliest=date(2024, 2, 1)):
        fund.take_office(metadata("2024-02-01"), member=1, office="chair", until=day("2024-01-31"))
    fund.take_office(metadata("2024-02-01"), member=1, office="chair")
    with refused(fund, OutOfOrder, on=date(2024, 1, 31), earliest=date(2024, 2, 1)):
        fund.leave_office(metadata("2024-01-31"), member=1, office="chair")
    with refused(fund, OutOfOrder, on=date(2024, 1, 31), earliest=date(2024, 2, 1)):
        fund.take_office(metadata("2024-01-31"), member=2, office="chair")


def test_an_inspection_is_noted_and_moves_nothing() -> None:
    fund = village()
    assert fund.note_inspection(metadata("2024-02-01", finding="0a1b"), kind="focal").legs() == ()


# --- taking over an old book ------------------------------------------------------------------------------------------

OLD_LOAN = OldLoan(
    member=4,
    principal=3_000_000,
    outstanding=2_000_000,
    disbursed_on=date(2023, 9, 20),
    term_months=12,
    purpose="crops",
)


def taken_over(*acts: Any, **book: Any) -> Fund:
    """A fund whose books are taken over on 10/01/2024."""
    fund = given(*FIVE_MEMBERS, *acts)
    pots: dict[str, Any] = {"revolving": OpeningPot(4_000_000, 1_000_000), "activity": OpeningPot(500_000, 0)}
    fund.declare_opening_balances(metadata("2024-01-10"), **pots | book)
    return fund


def test_equity_is_what_an_old_book_has_beyond_what_it_owes() -> None:
    fund = taken_over(
        equipment=[Item("Ti vi", 1, "chiếc", 6_500_000)],
        savings=[OpeningSavings(3, 200_000), OpeningSavings(5, 100_000)],
        loans=[OLD_LOAN],
        advances=[("credit_fund", 1_500_000)],
    )
    assert posted(last(fund)) == {
        ("revolving", "cash"): 4_000_000,
        ("revolving", "bank"): 1_000_000,
        ("revolving", "loans", 1): 2_000_000,
        ("revolving", "savings", 3): -200_000,
        ("revolving", "savings", 5): -100_000,
        ("revolving", "advances", 1): -1_500_000,
        ("revolving", "opening"): -5_200_000,
        ("activity", "cash"): 500_000,
        ("activity", "equipment"): 6_500_000,
        ("activity", "opening"): -7_000_000,
    }
    fund.withdraw_savings(metadata("2024-01-11"), member=3, amount=200_000)
    fund.repay_advance(metadata("2024-01-11"), 1, amount=1_500_000)


def test_a_loan_of_the_old_book_accrues_only_after_the_day_it_was_taken_over() -> None:
    fund = taken_over(loans=[OLD_LOAN])
    assert loan_of(fund).standing(day("2024-01-10")).interest_due == 0
    assert loan_of(fund).standing(day("2024-01-20"))[:3] == (2_000_000, 20_000, 0)
    repaid = fund.repay_loan(metadata("2024-02-20"), 1, amount=290_000)
    assert (repaid.interest, repaid.principal, repaid.outstanding) == (40_000, 250_000, 1_750_000)
    assert loan_of(fund).plan(day("2024-02-20"))[-1].due_on == date(2024, 9, 20)


def test_no_money_is_dated_before_the_old_book_was_taken_over_for_it_is_in_there() -> None:
    fund = taken_over(loans=[OLD_LOAN])
    for decide in (pays(4, "dues", 10_000, on="2024-01-09"), repays(1, 10_000, on="2024-01-09")):
        with refused(fund, OutOfOrder, on=date(2024, 1, 9), earliest=date(2024, 1, 10)):
            decide(fund)
    fund.take_office(metadata("2024-01-09"), member=1, office="chair")


def test_an_old_book_is_taken_over_once_and_before_any_other_money() -> None:
    again: dict[str, Any] = {"revolving": NOTHING, "activity": NOTHING}
    fund = taken_over(**again)
    with refused(fund, BooksHaveBegun, version=fund.version):
        fund.declare_opening_balances(metadata("2024-01-11"), **again)
    fund = village()
    with refused(fund, BooksHaveBegun, version=8):
        fund.declare_opening_balances(metadata("2024-01-11"), **again)


@pytest.mark.parametrize(
    ("book", "rule"),
    [
        ({"savings": [OpeningSavings(9, 1)]}, MemberNotFound),
        ({"savings": [OpeningSavings(3, 1), OpeningSavings(3, 2)]}, NamedTwice),
        ({"loans": [replace(OLD_LOAN, outstanding=3_000_001)]}, OpeningLoanImplausible),
        ({"loans": [replace(OLD_LOAN, disbursed_on=date(2024, 1, 11))]}, OpeningLoanImplausible),
        ({"revolving": OpeningPot(-1, 0)}, InsufficientFunds),
    ],
)
def test_an_implausible_old_book_changes_nothing(book: dict[str, Any], rule: type[Refusal]) -> None:
    fund = given(*FIVE_MEMBERS)
    with refused(fund, rule):
        fund.declare_opening_balances(metadata("2024-01-10"), **{"revolving": NOTHING, "activity": NOTHING} | book)


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owing", "account"),
    [
        (lends(4, 1_000_000, on="2024-02-01"), "loans"),
        (pays(4, "savings", 1_000_000, on="2024-02-01"), "savings"),
        (lambda fund: fund.receive_advance(metadata("2024-02-01"), source="credit_fund", amount=1_000_000), "advances"),
    ],
)
def test_a_fund_is_not_dissolved_while_something_is_owed(owing: Any, account: str) -> None:
    fund = village(owing)
    with refused(fund, StillOwed, account=account, amount=1_000_000):
        fund.dissolve(metadata("2024-03-01"))


def test_a_fund_is_not_dissolved_before_its_last_entry() -> None:
    fund = village(spends(100_000, on="2024-03-01"))
    with refused(fund, OutOfOrder, earliest=date(2024, 3, 1)):
        fund.dissolve(metadata("2024-02-29"))


def test_a_dissolved_fund_accounts_for_all_that_was_left_and_takes_nothing_more() -> None:
    fund = village()
    fund.move_to_bank(metadata("2024-02-01"), pot="revolving", amount=8_000_000)
    fund.receive_in_kind_donation(
        metadata("2024-02-01"), source="business", items=(Item("Ghế", 10, "chiếc", 1_200_000),)
    )
    dissolved = fund.dissolve(metadata("2024-03-01"))
    assert {(leg.pot, leg.account): leg.amount for leg in dissolved.remainder} == {
        ("revolving", "cash"): 12_000_000,
        ("revolving", "bank"): 8_000_000,
        ("activity", "cash"): 1_000_000,
        ("activity", "equipment"): 1_200_000,
    }
    assert dissolved.voucher == "PC-2024-0002"
    with refused(fund, FundIsDissolved, on=date(2024, 3, 1)):
        pays(4, "dues", 10_000, on="2024-03-01")(fund)
    with refused(fund, FundIsDissolved):
        fund.reverse_entry(metadata("2024-03-01"), 8, reason="other")

"""Claims about the club: meetings, counts, periods, offices, its beginning and its end."""

from datetime import date
from typing import Any

from ledger.aggregates.fund import Fund
from ledger.events import CashCounted, Item, OldLoan, OpeningPot, OpeningSavings
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
    OfficeHeldAlready,
    OfficeNotHeld,
    OpeningLoanImplausible,
    OutOfOrder,
    PeriodIsClosed,
    PeriodNotClosed,
    StillOwed,
)
from tests.village import (
    FIVE_MEMBERS,
    OPENED,
    adopts,
    asks,
    day,
    given,
    gives,
    held,
    joins,
    last,
    leaves,
    lends,
    loan_of,
    pays,
    posted,
    refused,
    repays,
    spends,
    stamp,
    undoes,
    village,
)

# Meetings


def meets(fund: Fund, *, on: str = "2024-02-05", sheet: str | None = None, **who: list[int]) -> object:
    return fund.hold_meeting(stamp(on), sheet=sheet or on, book_opening=0, **who)  # type: ignore[arg-type]


def test_who_is_neither_present_nor_represented_is_absent():
    fund = given(*FIVE_MEMBERS, leaves(2, "2024-02-04"))
    meets(fund, present=[4, 1], by_proxy=[3])
    held_on = fund.meetings["2024-02-05"]
    assert (held_on.present, held_on.by_proxy, held_on.absent) == ((4, 1), (3,), (5,))


def test_attendance_is_kept_once_for_each_sheet():
    fund = given(*FIVE_MEMBERS)
    meets(fund, present=[1])
    assert meets(fund, present=[1, 2]) is None
    meets(fund, present=[3], sheet="afternoon")
    assert [(each.meeting, each.present) for each in fund.meetings.values()] == [(1, (1,)), (2, (3,))]


def test_a_meeting_is_of_members_each_named_once():
    fund = given(*FIVE_MEMBERS, leaves(2, "2024-02-04"))
    with refused(fund, NobodyPresent):
        meets(fund, present=[], by_proxy=[1])
    with refused(fund, NamedTwice, member=1):
        meets(fund, present=[1], by_proxy=[1])
    with refused(fund, MemberNotFound, member=9):
        meets(fund, present=[9])
    with refused(fund, MemberNotOnRoll, member=2):
        meets(fund, present=[1], by_proxy=[2])


def test_a_meeting_keeps_what_the_books_say_of_the_box_that_evening():
    fund = village(gives(5_000, on="2024-02-06"))
    meets(fund, present=[1])
    assert fund.meetings["2024-02-05"].book_closing == 21_000_000


# Counts


def test_what_lies_in_the_box_too_much_or_too_little_is_the_activity_pots():
    fund = village()
    over = fund.count_cash(stamp("2024-02-05"), reason="periodic", counted=21_000_500)
    assert (over.expected, over.difference, over.voucher) == (21_000_000, 500, "PT-2024-0003")
    assert posted(over) == {("activity", "cash"): 500, ("activity", "cash_over"): -500}
    short = fund.count_cash(stamp("2024-02-05"), reason="surprise", pot="revolving", counted=19_999_000)
    assert (short.expected, short.difference, short.voucher) == (20_000_000, -1_000, "PC-2024-0001")
    assert posted(short) == {("activity", "cash"): -1_000, ("activity", "cash_short"): 1_000}


def test_a_count_that_finds_what_the_books_say_moves_nothing_and_has_no_voucher():
    fund = village(spends(1_000_000, on="2024-02-06"))
    count = fund.count_cash(stamp("2024-02-05"), reason="handover", pot="activity", counted=1_000_000, witnesses=[1, 3])
    assert (count.difference, count.voucher, posted(count)) == (0, None, {})
    assert fund.last_count is count


def test_a_shortage_the_activity_pot_cannot_bear_falls_on_the_revolving_pot():
    fund = village(spends(900_000, on="2024-03-05"))
    short = fund.count_cash(stamp("2024-02-05"), reason="periodic", counted=20_500_000)
    assert short.from_revolving == 400_000
    assert posted(short) == {
        ("activity", "cash"): -100_000,
        ("activity", "cash_short"): 100_000,
        ("revolving", "cash"): -400_000,
        ("revolving", "cash_short"): 400_000,
    }
    empty = given(gives(10_000))
    assert empty.count_cash(stamp(OPENED), reason="periodic", counted=4_000).from_revolving == 6_000


def test_a_shortage_of_money_that_was_spent_later_is_refused():
    """The box cannot have been empty then and have paid afterwards: one of the two is wrong."""
    fund = given(gives(100_000), spends(90_000, on="2024-03-05", pot="revolving"))
    with refused(fund, InsufficientFunds, pot="revolving", available=10_000, short_on=day("2024-03-05")):
        fund.count_cash(stamp("2024-02-05"), reason="periodic", counted=50_000)


def test_the_notes_make_what_was_counted_and_witnesses_are_members_each_once():
    fund = village()

    def count(**how: Any) -> CashCounted:
        return fund.count_cash(stamp(OPENED), reason="periodic", counted=21_000_000, **how)

    with refused(fund, NotesDoNotAddUp, notes_total=20_500_000, counted=21_000_000):
        count(notes={"500000": 41})
    with refused(fund, NamedTwice, member=1):
        count(witnesses=[1, 1])
    with refused(fund, MemberNotFound, member=9):
        count(witnesses=[9])
    assert count(notes={"500000": 42}, witnesses=[1, 2]).notes == {"500000": 42}


# Periods


def test_nothing_is_entered_in_a_closed_period_until_it_is_reopened():
    fund = village(spends(10_000, on="2024-01-31"))
    fund.close_period(stamp("2024-02-05"), through=day("2024-01-31"))
    for act in (
        gives(1, on="2024-01-31"),
        undoes(9, on="2024-01-31"),
        leaves(3, "2024-01-15"),
        adopts(on="2024-01-02"),
    ):
        with refused(fund, PeriodIsClosed, closed_through=day("2024-01-31")):
            act(fund)
    undoes(10, on="2024-02-01")(fund)
    fund.reopen_period(stamp("2024-02-06"), since=day("2024-01-20"))
    with refused(fund, PeriodIsClosed, on=day("2024-01-19"), closed_through=day("2024-01-19")):
        gives(1, on="2024-01-19")(fund)
    gives(1, on="2024-01-20")(fund)


def test_a_period_is_closed_forwards_and_not_before_it_is_over():
    fund = village()
    with refused(fund, FutureDay, on=day("2024-02-06")):
        fund.close_period(stamp("2024-02-05"), through=day("2024-02-06"))
    fund.close_period(stamp("2024-02-05"), through=day("2024-01-31"))
    with refused(fund, NothingToClose, closed_through=day("2024-01-31")):
        fund.close_period(stamp("2024-02-05"), through=day("2024-01-31"))
    fund.close_period(stamp("2024-03-05"), through=day("2024-02-29"))


def test_only_what_is_closed_is_reopened():
    fund = village()
    with refused(fund, PeriodNotClosed, since=day("2024-01-01")):
        fund.reopen_period(stamp("2024-02-05"), since=day("2024-01-01"))
    fund.close_period(stamp("2024-02-05"), through=day("2024-01-31"))
    with refused(fund, PeriodNotClosed, since=day("2024-02-01")):
        fund.reopen_period(stamp("2024-02-05"), since=day("2024-02-01"))
    reopened = fund.reopen_period(stamp("2024-01-31"), since=day("2024-01-31"))
    assert reopened.closed_through == day("2024-01-30")


def test_a_closed_period_certifies_the_balances_of_its_last_day():
    fund = village(
        pays(4, "savings", 30_000, on="2024-01-31"), lends(3, 500_000, on="2024-01-15"), gives(7, on="2024-02-01")
    )
    closed = fund.close_period(stamp("2024-02-05"), through=day("2024-01-31"))
    assert {(leg.pot, leg.account): leg.amount for leg in closed.balances} == {
        ("revolving", "cash"): 19_530_000,
        ("revolving", "loans"): 500_000,
        ("revolving", "savings"): -30_000,
        ("activity", "cash"): 1_000_000,
    }


# Offices


def test_an_office_passes_from_one_to_the_next_and_volunteers_are_many():
    fund = given(*FIVE_MEMBERS)
    for member, office in ((1, "chair"), (3, "volunteer"), (4, "volunteer"), (2, "chair")):
        fund.take_office(stamp("2024-02-05"), member=member, office=office)  # type: ignore[arg-type]
    assert fund.offices == {("chair", 2), ("volunteer", 3), ("volunteer", 4)}
    with refused(fund, OfficeHeldAlready, member=2, office="chair"):
        fund.take_office(stamp("2024-02-06"), member=2, office="chair")
    with refused(fund, OfficeNotHeld, member=1, office="chair"):
        fund.leave_office(stamp("2024-02-06"), member=1, office="chair")
    with refused(fund, MemberNotFound, member=9):
        fund.take_office(stamp("2024-02-06"), member=9, office="chair")
    fund.leave_office(stamp("2024-02-06"), member=3, office="volunteer")
    assert fund.offices == {("chair", 2), ("volunteer", 4)}


def test_naming_the_holder_again_with_an_end_ends_the_office_on_that_day():
    fund = given(*FIVE_MEMBERS)
    fund.take_office(stamp("2024-02-05"), member=1, office="secretary")
    ended = fund.take_office(stamp("2024-03-05"), member=1, office="secretary", until=day("2024-03-01"))
    assert (ended.name, ended.on, fund.offices) == ("OfficeLeft", day("2024-03-01"), set())


# The beginning


EMPTY = OpeningPot(0, 0)


def old_loan(member: int, **changes: object) -> OldLoan:
    usual = {"principal": 1_200_000, "outstanding": 600_000, "disbursed_on": date(2023, 6, 30), "term_months": 12}
    return OldLoan(member=member, purpose="trade", **usual | changes)  # type: ignore[arg-type]


def takes_over(fund: Fund, *loans: OldLoan, on: str = "2024-01-15", **old_book: object) -> object:
    pots = {"revolving": OpeningPot(5_000_000, 0), "activity": EMPTY} | old_book
    return fund.declare_opening_balances(stamp(on), loans=loans, **pots)  # type: ignore[arg-type]


def test_an_old_book_is_taken_over_once_and_before_any_other_money():
    fund = given(joins())
    takes_over(fund)
    with refused(fund, BooksHaveBegun, version=4):
        takes_over(fund)
    begun = given(gives(1), undoes(on="2024-01-02"))
    with refused(begun, BooksHaveBegun, version=3):
        takes_over(begun)
    empty = given()
    takes_over(empty, revolving=EMPTY)
    with refused(empty, BooksHaveBegun, version=3):
        takes_over(empty)


def test_an_old_book_names_members_once_and_plausible_loans():
    fund = given(*FIVE_MEMBERS)
    with refused(fund, MemberNotFound, member=9):
        takes_over(fund, savings=(OpeningSavings(9, 1),))
    with refused(fund, NamedTwice, member=3):
        takes_over(fund, savings=(OpeningSavings(3, 1), OpeningSavings(3, 2)))
    with refused(fund, MemberNotFound, member=9):
        takes_over(fund, old_loan(9))
    for wrong in ({"outstanding": 0}, {"outstanding": 1_200_001}, {"disbursed_on": date(2024, 1, 16)}):
        with refused(fund, OpeningLoanImplausible, member=4):
            takes_over(fund, old_loan(4, **wrong))
    takes_over(fund, old_loan(4, outstanding=1_200_000), old_loan(5, disbursed_on=date(2024, 1, 15)))
    assert sorted(fund.loans) == [1, 2]


def test_an_old_loan_goes_on_under_the_bylaws_in_force_from_the_day_it_was_taken_over():
    fund = given(*FIVE_MEMBERS, asks(2, on="2024-01-05"))
    takes_over(fund, old_loan(4), on="2024-01-30")
    loan = loan_of(fund, 2)
    assert (loan.status, loan.outstanding, held(fund, "revolving", "loans")) == ("running", 600_000, 600_000)
    assert loan.standing(day("2024-01-30")).settlement_amount == 600_000
    assert loan.standing(day("2024-02-01")).settlement_amount == 606_000
    assert loan.standing(day("2024-03-30")).interest_due == 2 * 6_000
    with refused(fund, OutOfOrder, earliest=day("2024-01-30")):
        repays(2, 100_000, on="2024-01-29")(fund)
    repays(2, 606_000, on="2024-02-29")(fund)
    assert loan_of(fund, 2).status == "settled"
    assert sum(instalment.principal for instalment in loan.plan(day("2024-02-29"))) == 1_200_000


def test_equity_is_what_is_left_of_an_old_book():
    fund = given(*FIVE_MEMBERS)
    takes_over(
        fund,
        old_loan(4),
        activity=OpeningPot(10_000, 20_000),
        equipment=(Item("Tủ", 1, "cái", 900_000),),
        savings=(OpeningSavings(3, 50_000),),
        advances=(("credit_fund", 2_000_000),),
    )
    assert posted(last(fund))["revolving", "opening"] == -(5_000_000 + 600_000 - 50_000 - 2_000_000)
    assert posted(last(fund))["activity", "opening"] == -(10_000 + 20_000 + 900_000)


# The end


def test_a_fund_is_dissolved_when_nothing_is_owed_to_it_or_by_it():
    fund = village(
        lends(4, 500_000, on="2024-02-05"),
        pays(3, "savings", 30_000, on="2024-02-05"),
        lambda fund: fund.receive_advance(stamp("2024-02-05"), source="business", amount=70_000),
    )
    steps = (
        ("loans", 500_000, repays(1, 500_000, on="2024-02-05")),
        ("savings", 30_000, lambda fund: fund.withdraw_savings(stamp("2024-02-05"), member=3, amount=30_000)),
        ("advances", 70_000, lambda fund: fund.repay_advance(stamp("2024-02-05"), 1, amount=70_000)),
    )
    for account, amount, mend in steps:
        with refused(fund, StillOwed, account=account, amount=amount):
            fund.dissolve(stamp("2024-02-05"))
        mend(fund)
    dissolved = fund.dissolve(stamp("2024-02-05"))
    assert {leg.pot: leg.amount for leg in dissolved.remainder} == {"revolving": 20_000_000, "activity": 1_000_000}
    assert dissolved.voucher == "PC-2024-0004"
    for act in (gives(1, on="2024-02-06"), joins(on="2024-02-06"), undoes(8, on="2024-02-06")):
        with refused(fund, FundIsDissolved, on=day("2024-02-05")):
            act(fund)


def test_an_inspection_is_kept_and_moves_nothing():
    fund = village()
    fund.note_inspection(stamp("2024-02-05", finding="0d0d"), kind="complaint")
    assert posted(last(fund)) == {}
    assert last(fund).texts == {"finding": "0d0d"}

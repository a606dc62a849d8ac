"""Random histories: whatever a club tells, late, wrong and twice, its books stay sound after every step.

All public decisions of `Fund` are tried with random days and amounts; what must hold is said by `bookkeeper.py`.

`MICROFUND_TEST_HISTORIES` says how many histories are tried; without it they are the same few every time.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.aggregates.fund import Fund
from ledger.events import Item, OldLoan, OpeningPot, OpeningSavings
from ledger.refusals import Refusal
from tests.bookkeeper import MOVES_NOTHING, check_books, check_settlement
from tests.village import OPENED, bylaws, given, joins, stamp, state, whole_life

HISTORIES = os.environ.get("MICROFUND_TEST_HISTORIES")
TODAY = OPENED + timedelta(500)

# --- random histories ---------------------------------------------------------------------------------------------

DAYS = st.one_of(
    st.integers(0, 500).map(lambda days: OPENED + timedelta(days)),
    st.sampled_from([OPENED, date(2024, 1, 31), date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 31), TODAY]),
)
AMOUNTS = st.one_of(st.integers(1, 3_000_000), st.sampled_from([1, 1_000, 500_000, 1_000_000]))
MEMBERS = st.integers(1, 5)
LOANS = st.integers(1, 4)
POT = st.sampled_from(["revolving", "activity"])
PLACE = st.sampled_from(["cash", "cash", "bank"])
BYLAWS = st.fixed_dictionaries(
    {
        "monthly_rate_ppm": st.sampled_from([0, 6_500, 10_000, 16_666]),
        "interest_method": st.sampled_from(["reducing", "flat"]),
        "repayment_mode": st.sampled_from(["equal_principal", "bullet", "interest_at_maturity"]),
        "interest_to_activity_ppm": st.sampled_from([0, 333_333, 1_000_000]),
        "two_person_approval": st.booleans(),
        "one_open_loan_per_household": st.booleans(),
        "min_membership_months": st.sampled_from([0, 0, 2]),
    }
)


class History(RuleBasedStateMachine):
    """A club that tells of its year and a half in no particular order."""

    def __init__(self) -> None:
        super().__init__()
        self.fund = given(*[joins(household="H1" if number > 3 else None) for number in range(5)])
        self.decided = True

    def tell(self, decision: Callable[..., object], on: date, *about: Any, by: str = "treasurer", **facts: Any) -> None:
        """Tell the fund of something; a refusal leaves no trace."""
        self.decided = True
        before = state(self.fund)
        try:
            decision(stamp(on, by=by), *about, **facts)
        except Refusal:
            assert state(self.fund) == before
            self.decided = False

    @rule(on=DAYS, pot=POT, amount=AMOUNTS)
    def give(self, on: date, pot: Any, amount: int) -> None:
        self.tell(self.fund.receive_donation, on, source="community", pot=pot, amount=amount * 3)

    @rule(on=DAYS, member=MEMBERS, kind=st.sampled_from(["dues", "share", "savings", "fine"]), amount=AMOUNTS)
    def contribute(self, on: date, member: int, kind: Any, amount: int) -> None:
        self.tell(self.fund.receive_contribution, on, member=member, kind=kind, amount=amount)

    @rule(on=DAYS, member=MEMBERS, amount=AMOUNTS)
    def withdraw(self, on: date, member: int, amount: int) -> None:
        self.tell(self.fund.withdraw_savings, on, member=member, amount=amount)

    @rule(on=DAYS, pot=POT, value=AMOUNTS)
    def give_in_kind(self, on: date, pot: Any, value: int) -> None:
        items = (Item("Loa", 1, "bộ", value), Item("Ghế", 10, "chiếc", 1))
        self.tell(self.fund.receive_in_kind_donation, on, source="business", pot=pot, items=items)

    @rule(on=DAYS, pot=POT, place=PLACE, amount=AMOUNTS, kind=st.sampled_from(["collective", "bank_interest", "other"]))
    def earn(self, on: date, pot: Any, place: Any, amount: int, kind: Any) -> None:
        self.tell(self.fund.receive_income, on, kind=kind, pot=pot, place=place, amount=amount)

    @rule(on=DAYS, pot=POT, place=PLACE, amount=AMOUNTS, activity=st.sampled_from(["health", "culture"]))
    def spend(self, on: date, pot: Any, place: Any, amount: int, activity: Any) -> None:
        self.tell(self.fund.pay_expense, on, activity=activity, pot=pot, place=place, amount=amount)

    @rule(on=DAYS, giver=POT, taker=POT, amount=AMOUNTS)
    def transfer(self, on: date, giver: Any, taker: Any, amount: int) -> None:
        self.tell(self.fund.transfer_between_pots, on, source=giver, target=taker, amount=amount)

    @rule(on=DAYS, pot=POT, amount=AMOUNTS, direction=st.sampled_from(["deposit", "withdrawal"]))
    def bank(self, on: date, pot: Any, amount: int, direction: Any) -> None:
        self.tell(self.fund.move_by_bank, on, direction=direction, pot=pot, amount=amount)

    @rule(on=DAYS, amount=AMOUNTS)
    def borrow_capital(self, on: date, amount: int) -> None:
        self.tell(self.fund.receive_advance, on, source="credit_fund", amount=amount)

    @rule(on=DAYS, number=st.integers(1, 2), amount=AMOUNTS)
    def give_capital_back(self, on: date, number: int, amount: int) -> None:
        self.tell(self.fund.repay_advance, on, number, amount=amount)

    @rule(on=DAYS, member=MEMBERS, principal=AMOUNTS, months=st.integers(1, 14), guarantor=st.none() | MEMBERS)
    def ask(self, on: date, member: int, principal: int, months: int, guarantor: int | None) -> None:
        asked: dict[str, Any] = {"member": member, "principal": principal, "term_months": months, "purpose": "trade"}
        self.tell(self.fund.request_loan, on, guarantor=guarantor, **asked)

    @rule(on=DAYS, loan=LOANS, override=st.booleans())
    def approve(self, on: date, loan: int, *, override: bool) -> None:
        self.tell(self.fund.approve_loan, on, loan, by="chair", override=override)

    @rule(on=DAYS, loan=LOANS)
    def reject(self, on: date, loan: int) -> None:
        self.tell(self.fund.reject_loan, on, loan)

    @rule(on=DAYS, loan=LOANS, place=PLACE, by=st.sampled_from(["treasurer", "chair"]))
    def disburse(self, on: date, loan: int, place: Any, by: str) -> None:
        self.tell(self.fund.disburse_loan, on, loan, place=place, by=by)

    @rule(on=DAYS, member=MEMBERS, principal=AMOUNTS, months=st.integers(1, 14))
    def lend(self, on: date, member: int, principal: int, months: int) -> None:
        """A loan asked for, granted and handed out on one day: most loans of a random history get no further else."""
        number = len(self.fund.loans) + 1
        self.give(on, "revolving", principal)
        self.ask(on, member, principal, months, None)
        if self.decided:
            self.approve(on, number, override=True)
            self.disburse(on, number, "cash", "treasurer")

    @rule(loan=LOANS, after=st.integers(0, 400), amount=AMOUNTS, settles=st.booleans())
    def repay(self, loan: int, after: int, amount: int, *, settles: bool) -> None:
        lent = self.fund.loans.get(loan)
        on = min((lent.disbursed_on if lent and lent.disbursed_on else OPENED) + timedelta(after), TODAY)
        if settles and lent and lent.status == "running":
            amount = max(lent.standing(on).settlement_amount, 1)
        self.tell(self.fund.repay_loan, on, loan, amount=amount)

    @rule(on=DAYS, loan=LOANS, months=st.integers(1, 10))
    def reschedule(self, on: date, loan: int, months: int) -> None:
        self.tell(self.fund.reschedule_loan, on, loan, term_months=months)

    @rule(on=DAYS, loan=LOANS)
    def write_off(self, on: date, loan: int) -> None:
        self.tell(self.fund.write_off_loan, on, loan)

    @rule(on=DAYS, loan=LOANS, amount=AMOUNTS)
    def recover(self, on: date, loan: int, amount: int) -> None:
        self.tell(self.fund.recover_loan, on, loan, amount=amount)

    @rule(back=st.integers(0, 12), late=st.integers(0, 60))
    def reverse(self, back: int, late: int) -> None:
        version = self.fund.version - back
        on = self.fund.entries[version - 1].on if version > 0 else OPENED
        self.tell(self.fund.reverse_entry, min(on + timedelta(late), TODAY), version, reason="wrong_amount")

    @rule(on=DAYS, member=MEMBERS, reason=st.sampled_from(["moved", "died"]))
    def leave(self, on: date, member: int, reason: str) -> None:
        self.tell(self.fund.leave, max(on, date(2025, 1, 1)), member, reason)

    @rule(on=DAYS, member=MEMBERS, poverty=st.sampled_from(["poor", "none"]), household=st.sampled_from(["H1", "H2"]))
    def change(self, on: date, member: int, poverty: str, household: str) -> None:
        self.tell(self.fund.change_member, on, member, poverty=poverty, household=household)

    @rule(on=DAYS, household=st.sampled_from([None, "H1"]))
    def join(self, on: date, household: str | None) -> None:
        self.tell(self.fund.join, on, birth_year=1950, sex="male", poverty="none", household=household)

    @rule(on=DAYS, rules=BYLAWS)
    def adopt(self, on: date, rules: dict[str, Any]) -> None:
        self.tell(self.fund.adopt_bylaws, on, bylaws(**rules))

    @rule(
        on=DAYS,
        sheet=st.sampled_from("ab"),
        present=st.lists(MEMBERS, max_size=3),
        proxy=st.lists(MEMBERS, max_size=1),
    )
    def meet(self, on: date, sheet: str, present: list[int], proxy: list[int]) -> None:
        self.tell(self.fund.hold_meeting, on, sheet=sheet, present=present, by_proxy=proxy, book_opening=0)

    @rule(on=DAYS, pot=st.sampled_from(["both", "revolving", "activity"]), off=st.integers(-20_000, 20_000))
    def count(self, on: date, pot: Any, off: int) -> None:
        counted = max(self.fund.cash_at(on, pot) + off, 0)
        self.tell(self.fund.count_cash, on, pot=pot, counted=counted, reason="periodic")

    @rule(on=DAYS, through=st.sampled_from([date(2024, 1, 10), date(2024, 1, 20)]))
    def close(self, on: date, through: date) -> None:
        self.tell(self.fund.close_period, on, through=through)

    @rule(on=DAYS, since=st.sampled_from([OPENED, date(2024, 1, 15)]))
    def reopen(self, on: date, since: date) -> None:
        self.tell(self.fund.reopen_period, on, since=since)

    @rule(on=DAYS, member=MEMBERS, office=st.sampled_from(["chair", "volunteer"]), until=st.none() | DAYS)
    def take_office(self, on: date, member: int, office: Any, until: date | None) -> None:
        self.tell(self.fund.take_office, on, member=member, office=office, until=until)

    @rule(on=DAYS, member=MEMBERS, office=st.sampled_from(["chair", "volunteer"]))
    def leave_office(self, on: date, member: int, office: Any) -> None:
        self.tell(self.fund.leave_office, on, member=member, office=office)

    @rule(on=DAYS)
    def inspect(self, on: date) -> None:
        self.tell(self.fund.note_inspection, on, kind="sample")

    @rule(on=DAYS, cash=st.integers(0, 5_000_000), saved=AMOUNTS, outstanding=AMOUNTS)
    def take_over(self, on: date, cash: int, saved: int, outstanding: int) -> None:
        old = OldLoan(
            member=2,
            principal=3_000_000,
            outstanding=outstanding,
            disbursed_on=date(2023, 8, 31),
            term_months=8,
            purpose="crops",
        )
        self.tell(
            self.fund.declare_opening_balances,
            on,
            revolving=OpeningPot(cash, 0),
            activity=OpeningPot(0, cash),
            savings=(OpeningSavings(1, saved),),
            loans=(old,),
            advances=(("credit_fund", 500_000),),
        )

    @rule()
    def dissolve_a_copy(self) -> None:
        """The end of a fund would be the end of the history: it is tried beside it."""
        if not self.fund.dissolved:
            twin, self.fund = self.fund, self.fund.fork()
            self.tell(self.fund.dissolve, TODAY)
            check_books(self.fund)
            self.fund = twin

    @rule(on=DAYS)
    def open_again(self, on: date) -> None:
        self.tell(self.fund.open, on, bylaws=bylaws(), club="", commune="", district="", province="", founded_on=on)
        assert not self.decided

    @invariant()
    def the_books_are_sound(self) -> None:
        """Judged only when there is something new to judge."""
        if self.decided:
            check_books(self.fund)
            check_settlement(self.fund, TODAY)


History.TestCase.settings = settings(
    max_examples=int(HISTORIES or 150),
    stateful_step_count=40,
    derandomize=HISTORIES is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestHistory = History.TestCase


# --- the bookkeeper's own test ------------------------------------------------------------------------------------


def test_our_own_bookkeeper_agrees_on_a_life_in_which_everything_happens():
    life = whole_life()
    check_books(life)
    assert {event.name for event in life.entries} >= MOVES_NOTHING


def test_every_decision_of_the_fund_is_tried_in_random_histories():
    decisions = {
        name
        for name, method in inspect.getmembers(Fund, inspect.isfunction)
        if not name.startswith("_") and "stamp" in inspect.signature(method).parameters
    }
    tried = set(re.findall(r"self\.fund\.(\w+)", inspect.getsource(History)))
    by_another = {"move_to_bank", "fetch_from_bank"}  # Two names for what `move_by_bank` does.
    assert decisions - tried - by_another == set()

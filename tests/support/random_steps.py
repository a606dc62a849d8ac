"""A club that tells of its year and a half in any order: every decision of `Fund`; `bookkeeper.py` checks each step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.aggregates.fund import REVERSIBLE_MEMOS
from ledger.aggregates.loan import Loan
from ledger.events import ContributionReceived, Draw, Item, LoanRepaid, OldLoan, OpeningPot, OpeningSavings
from ledger.refusals import Refusal
from tests.support.bookkeeper import check_books, check_replay, check_settlement
from tests.support.village import OPENED, bylaws, given, joins, metadata, settle_all, state

TODAY = OPENED + timedelta(500)

DAYS = st.one_of(
    st.integers(0, 500).map(lambda days: OPENED + timedelta(days)),
    st.sampled_from([OPENED, date(2024, 1, 31), date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 31), TODAY]),
)
AMOUNTS = st.one_of(st.integers(1, 3_000_000), st.sampled_from([1, 1_000, 500_000, 1_000_000]))
MEMBERS = st.integers(1, 5)
CHOICE = st.integers(0, 99)
"""Which of those there are, counted round and round."""
POT = st.sampled_from(["revolving", "activity"])
KIND = st.sampled_from(["dues", "share", "savings", "savings", "fine"])
PLACE = st.sampled_from(["cash", "cash", "bank"])
ON_ROLL = st.sampled_from(["join", "change", "change", "leave", "return", "move"])
SELDOM = st.sampled_from([False, False, False, True])
LATER = st.one_of(st.integers(0, 60), st.integers(0, 400), st.sampled_from([0, 29, 30, 31]))
BYLAWS = st.fixed_dictionaries(
    {
        "monthly_rate_ppm": st.sampled_from([0, 6_500, 10_000, 16_666]),
        "interest_method": st.sampled_from(["reducing", "flat"]),
        "repayment_mode": st.sampled_from(["equal_principal", "bullet", "interest_at_maturity"]),
        "interest_rounding": st.sampled_from([1, 1, 500, 1_000]),
        "interest_to_activity_ppm": st.sampled_from([0, 333_333, 1_000_000]),
        "two_person_approval": st.booleans(),
        "one_open_loan_per_household": st.booleans(),
        "min_membership_months": st.sampled_from([0, 0, 2]),
    }
)


class History(RuleBasedStateMachine):
    """A club that tells of its year and a half in no particular order."""

    steps: ClassVar[int]
    events: ClassVar[set[str]]
    """How many steps were tried, and the types of event that came of them, over all histories of a part."""

    @initialize(
        rules=BYLAWS,
        old_book=st.booleans(),
        cash=st.integers(1, 5_000_000),
        outstanding=AMOUNTS,
        loans=st.lists(st.tuples(DAYS, MEMBERS, AMOUNTS, st.integers(1, 14)), max_size=3),
    )
    def begin(self, rules: dict[str, Any], *, old_book: bool, cash: int, outstanding: int, loans: list[Any]) -> None:
        """Five members, perhaps an old book, something to lend, perhaps some loans, and one that is asked for."""
        self.fund = given(*[joins(household="H1" if number > 3 else None) for number in range(5)], **rules)
        self.checked_version = 0
        self.settled: dict[int, Loan] = {}
        if old_book:
            self.take_over(OPENED, cash, outstanding)
        self.give(OPENED, "revolving", 1_000_000)
        self.give(OPENED, "activity", 100_000)
        for on, member, principal, months in loans:
            self.lend(on, member, principal, months)
        self.ask(OPENED, 1, 500_000, 6, None)

    def tell(self, decision: Callable[..., object], on: date, *about: Any, by: str = "treasurer", **facts: Any) -> bool:
        """Tell the fund of something; a refusal leaves no trace. Answers whether it was recorded."""
        before = state(self.fund)
        try:
            decision(metadata(on, by=by), *about, **facts)
        except Refusal:
            assert state(self.fund) == before
            return False
        self.events.add(self.fund.entries[-1].name)
        return True

    def some_loan(self, choice: int, *statuses: str) -> int:
        """The number of a loan that stands where it is asked for, or else of any; now and then of none."""
        fitting = [number for number, loan in self.fund.loans.items() if loan.status in statuses] or list(
            self.fund.loans
        )
        return fitting[choice % len(fitting)] if fitting and choice else len(self.fund.loans) + 1

    def after(self, loan: int, days: int) -> date:
        """A day in the life of a loan."""
        lent = self.fund.loans.get(loan)
        return min((lent.disbursed_on if lent and lent.disbursed_on else OPENED) + timedelta(days), TODAY)

    # Money

    @rule(on=DAYS, pot=POT, amount=AMOUNTS)
    def give(self, on: date, pot: Any, amount: int) -> None:
        self.tell(self.fund.receive_donation, on, source="community", pot=pot, amount=amount * 3)

    @rule(on=DAYS, member=MEMBERS, kind=KIND, amount=AMOUNTS, place=PLACE)
    def contribute(self, on: date, member: int, kind: Any, amount: int, place: Any) -> None:
        self.tell(self.fund.receive_contribution, on, member=member, kind=kind, amount=amount, place=place)

    @rule(on=DAYS, member=MEMBERS)
    def forgive(self, on: date, member: int) -> None:
        """Dues of some month are not asked for any more, and other things that move no money."""
        self.tell(self.fund.forgive_dues, on, member, months=(f"{on:%Y-%m}",))
        self.tell(self.fund.hold_activity, on, area="health", participants=member)
        self.tell(self.fund.give_mutual_help, on, kind="labour", quantity=member, unit="công", people=1)

    @rule(on=DAYS, choice=CHOICE, amount=AMOUNTS)
    def withdraw(self, on: date, choice: int, amount: int) -> None:
        """Mostly somebody who has savings takes some back, or all of them."""
        savings = {key[2]: -left for key, left in self.fund.balances.items() if key[1] == "savings" and left}
        member = sorted(savings, key=str)[choice % len(savings)] if savings and choice else 1 + choice % 5
        assert isinstance(member, int)
        self.tell(self.fund.withdraw_savings, on, member=member, amount=min(amount, savings.get(member, amount)))

    @rule(on=DAYS, pot=POT, place=PLACE, amount=AMOUNTS, activity=st.sampled_from(["health", "culture"]))
    def spend(self, on: date, pot: Any, place: Any, amount: int, activity: Any) -> None:
        self.tell(self.fund.pay_expense, on, activity=activity, pot=pot, place=place, amount=amount)

    @rule(on=DAYS, pot=POT, amount=AMOUNTS, kind=st.sampled_from(["collective", "bank_interest", "other", "in kind"]))
    def earn(self, on: date, pot: Any, amount: int, kind: Any) -> None:
        """The club earns something, or is given equipment."""
        if kind == "in kind":
            items = (Item("Loa", 1, "bộ", amount), Item("Ghế", 10, "chiếc", 1))
            self.tell(self.fund.receive_in_kind_donation, on, source="business", pot=pot, items=items)
        else:
            place: Any = "bank" if kind == "bank_interest" else "cash"
            self.tell(self.fund.receive_income, on, kind=kind, pot=pot, place=place, amount=amount)

    @rule(on=DAYS, pot=POT, other=POT, amount=AMOUNTS)
    def transfer(self, on: date, pot: Any, other: Any, amount: int) -> None:
        """From one pot to the other; to the same is refused."""
        self.tell(self.fund.transfer_between_pots, on, source=pot, target=other, amount=amount)

    @rule(on=DAYS, pot=POT, amount=AMOUNTS, direction=st.sampled_from(["deposit", "withdrawal"]))
    def bank(self, on: date, pot: Any, amount: int, direction: Any) -> None:
        """Mostly no more is fetched than is there."""
        there = self.fund.balances[pot, "bank", None] if direction == "withdrawal" else 0
        self.tell(self.fund.move_by_bank, on, direction=direction, pot=pot, amount=min(amount, there or amount))

    @rule(on=DAYS, amount=AMOUNTS, gives_back=st.booleans())
    def borrow(self, on: date, amount: int, *, gives_back: bool) -> None:
        """The club takes an advance, or gives some of the first one back."""
        if gives_back:
            self.tell(self.fund.repay_advance, on, 1, amount=amount)
        else:
            self.tell(self.fund.receive_advance, on, source="credit_fund", amount=amount)

    # Loans

    @rule(on=DAYS, member=MEMBERS, principal=AMOUNTS, months=st.integers(1, 14), guarantor=st.none() | MEMBERS)
    def ask(self, on: date, member: int, principal: int, months: int, guarantor: int | None) -> None:
        asked: dict[str, Any] = {"member": member, "principal": principal, "term_months": months, "purpose": "trade"}
        self.tell(self.fund.request_loan, on, guarantor=guarantor, **asked)

    @rule(on=DAYS, choice=CHOICE, override=st.booleans(), rejects=st.booleans())
    def decide(self, on: date, choice: int, *, override: bool, rejects: bool) -> None:
        loan = self.some_loan(choice, "requested")
        if rejects:
            self.tell(self.fund.reject_loan, on, loan)
        else:
            self.tell(self.fund.approve_loan, on, loan, by="chair", override=override)

    @rule(on=DAYS, choice=CHOICE, place=PLACE, by=st.sampled_from(["treasurer", "treasurer", "chair"]))
    def disburse(self, on: date, choice: int, place: Any, by: str) -> None:
        self.tell(self.fund.disburse_loan, on, self.some_loan(choice, "approved"), place=place, by=by)

    @rule(on=DAYS, member=MEMBERS, principal=AMOUNTS, months=st.integers(1, 14))
    def lend(self, on: date, member: int, principal: int, months: int) -> None:
        """A loan asked for, granted and handed out on one day, from money given for it."""
        self.give(on, "revolving", principal)
        number = len(self.fund.loans) + 1
        self.ask(on, member, principal, months, None)
        if number in self.fund.loans:
            self.tell(self.fund.approve_loan, on, number, by="chair", override=True)
            self.tell(self.fund.disburse_loan, on, number)

    @rule(choice=CHOICE, payments=st.lists(st.tuples(LATER, st.integers(1, 300_000), SELDOM), min_size=1, max_size=4))
    def repay(self, choice: int, payments: list[tuple[int, int, bool]]) -> None:
        """Payments on one loan, told in any order; some are meant to settle it, a small rest perhaps forgiven."""
        loan = self.some_loan(choice, "running")
        for days, amount, settles in payments:
            on, lent, rest = self.after(loan, days), self.fund.loans.get(loan), 0
            if settles and lent and lent.status == "running":
                rest = amount % 3 and amount % 1_100
                amount = max(lent.standing(on).settlement_amount - rest, 1)
            self.tell(self.fund.repay_loan, on, loan, amount=amount, settle=bool(rest))

    @rule(choice=CHOICE, days=LATER, amount=AMOUNTS, from_savings=st.booleans())
    def let_go(self, choice: int, days: int, amount: int, *, from_savings: bool) -> None:
        """Interest is waived, mostly no more than there is, or what the borrower has just saved pays."""
        loan, part = self.some_loan(choice, "running"), amount // 20 or 1
        on, lent = self.after(loan, days), self.fund.loans.get(loan)
        if from_savings:
            if lent:
                self.contribute(on, lent.member, "savings", part, "cash")
            self.tell(self.fund.set_off_savings, on, loan, amount=part)
        else:
            due = lent.standing(on).interest_due if lent and lent.status == "running" else 0
            self.tell(self.fund.waive_interest, on, loan, amount=min(part, due) or part)

    @rule(choice=CHOICE, days=LATER, months=st.integers(1, 30))
    def reschedule(self, choice: int, days: int, months: int) -> None:
        """A loan that cannot be repaid as promised, now and then for longer than the bylaws have it."""
        loan = self.some_loan(choice, "running")
        self.tell(self.fund.reschedule_loan, self.after(loan, days), loan, term_months=months, override=months % 2 > 0)

    @rule(choice=CHOICE, days=LATER, amount=AMOUNTS, comes_back=st.booleans())
    def give_up(self, choice: int, days: int, amount: int, *, comes_back: bool) -> None:
        """A loan is written off, or a part of it; something may come in on it, or on one given up before."""
        loan = self.some_loan(choice, "running")
        part = amount // 10 if choice % 2 else None
        self.tell(self.fund.write_off_loan, self.after(loan, days), loan, amount=part or None)
        if comes_back:
            self.tell(self.fund.recover_loan, TODAY, self.some_loan(choice, "written_off"), amount=amount)

    @rule(choice=CHOICE, days=LATER, of_loans=st.booleans())
    def reverse(self, choice: int, days: int, *, of_loans: bool) -> None:
        """Some entry that moved money, or any other."""
        entries = [event for event in self.fund.entries if event.legs() or isinstance(event, REVERSIBLE_MEMOS)]
        if of_loans:
            entries = [event for event in entries if getattr(event, "loan", None)] or entries
        wrong = entries[-1 - choice % len(entries)] if choice else self.fund.entries[0]
        on = min(wrong.on + timedelta(days), TODAY)
        self.tell(self.fund.reverse_entry, on, wrong.version, reason="wrong_amount")

    @rule(choice=CHOICE, amount=AMOUNTS)
    def correct(self, choice: int, amount: int) -> None:
        """A contribution or a repayment is undone and entered anew on its own day, both or neither."""
        entries = [event for event in self.fund.entries if isinstance(event, ContributionReceived | LoanRepaid)]
        if not entries:
            return
        wrong, corrected = entries[-1 - choice % len(entries)], self.fund.fork()
        with suppress(Refusal):
            with corrected.one_act():
                corrected.reverse_entry(metadata(wrong.on), wrong.version, reason="wrong_amount")
                if isinstance(wrong, LoanRepaid):
                    corrected.repay_loan(metadata(wrong.on), wrong.loan, amount=amount // 20 or 1)
                else:
                    facts: Any = {"member": wrong.member, "kind": wrong.kind}
                    corrected.receive_contribution(metadata(wrong.on), amount=amount, **facts)
            self.fund = corrected

    # The club

    @rule(on=DAYS, pot=st.sampled_from(["both", "revolving", "activity"]), off=st.integers(-20_000, 20_000))
    def count(self, on: date, pot: Any, off: int) -> None:
        counted = max(self.fund.cash_at(on, pot) + off, 0)
        self.tell(self.fund.count_cash, on, pot=pot, counted=counted, reason="periodic")

    @rule(what=ON_ROLL, on=DAYS, member=MEMBERS, household=MEMBERS)
    def enrol(self, what: str, on: date, member: int, household: int) -> None:
        """What happens to the roll, or to the club as a whole."""
        match what:
            case "join":
                self.tell(self.fund.join, on, birth_year=1950, sex="male", poverty="none", household="H1")
            case "change":
                self.tell(self.fund.change_member, on, member, poverty="poor", household=f"H{household % 2}")
            case "leave":
                self.tell(self.fund.leave, max(on, date(2025, 1, 1)), member, "died")
            case "return":
                gone = [number for number, each in self.fund.members.items() if each.left_on]
                back = gone[member % len(gone)] if gone else len(self.fund.members)
                self.tell(self.fund.leave, max(on, date(2025, 1, 1)), back, "moved")  # Who is gone cannot.
                self.tell(self.fund.take_back, max(on, date(2025, 1, 1)), back)
            case "move":
                self.tell(self.fund.change_place, on, commune=f"xã {household % 2}", province="Lạng Sơn")

    @rule(on=DAYS, rules=BYLAWS, opens_again=SELDOM)
    def adopt(self, on: date, rules: dict[str, Any], *, opens_again: bool) -> None:
        """New bylaws; and a fund is opened only once."""
        if opens_again:
            assert not self.tell(self.fund.open, on, bylaws=bylaws(), club="", founded_on=on, commune="", province="")
        self.tell(self.fund.adopt_bylaws, on, bylaws(**rules))

    @rule(on=DAYS, member=MEMBERS, other=MEMBERS, lot=st.none() | st.integers(0, 20))
    def meet(self, on: date, member: int, other: int, lot: int | None) -> None:
        """The club meets, or an inspector comes."""
        if member == other:
            draw = Draw(seed="XSMB-48213", vouchers=3, loans=1, known_version=lot or None) if lot is not None else None
            self.tell(self.fund.note_inspection, on, kind="sample", sample=draw)
        else:
            attendance: dict[str, Any] = {"present": [member], "by_proxy": [other]}
            self.tell(self.fund.hold_meeting, on, sheet="abc"[other % 3], book_opening=0, **attendance)

    @rule(choice=CHOICE, undoes=st.booleans(), member=MEMBERS)
    def put_right(self, choice: int, member: int, *, undoes: bool) -> None:
        """A sheet is undone, or who came is noted anew."""
        meetings = list(self.fund.meetings.values())
        version = meetings[choice % len(meetings)].version if meetings and choice else 1
        if undoes:
            self.undo(version)
        else:
            self.tell(self.fund.correct_attendance, TODAY, version, present=[member])

    def undo(self, version: int) -> None:
        """An act of several facts is tried on a copy."""
        kept, self.fund = self.fund, self.fund.fork()
        try:
            self.fund.undo_meeting(metadata(TODAY), version, reason="wrong_date")
        except Refusal:
            self.fund = kept

    @rule(on=DAYS, member=MEMBERS, office=st.sampled_from(["chair", "volunteer"]), until=st.none() | DAYS)
    def take_office(self, on: date, member: int, office: Any, until: date | None) -> None:
        self.tell(self.fund.take_office, on, member=member, office=office, until=until)

    @rule(choice=CHOICE, on=DAYS)
    def leave_office(self, choice: int, on: date) -> None:
        """Mostly somebody who holds one."""
        held = sorted(self.fund.offices)
        office, member = held[choice % len(held)] if held and choice else ("treasurer", 1)
        self.tell(self.fund.leave_office, on, member=member, office=office)

    @rule(days=st.integers(1, 50), back=st.none() | st.integers(-2, 30))
    def close(self, days: int, back: int | None) -> None:
        """A period is closed, or opened again so many days back."""
        if back is None:
            self.tell(self.fund.close_period, TODAY, through=OPENED + timedelta(days))
        else:
            closed = self.fund.closed_through or OPENED
            self.tell(self.fund.reopen_period, TODAY, since=max(closed - timedelta(back), OPENED))

    @rule(on=DAYS, cash=st.integers(0, 5_000_000), outstanding=AMOUNTS)
    def take_over(self, on: date, cash: int, outstanding: int) -> None:
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
            savings=(OpeningSavings(1, cash + 1),),
            loans=(old,),
            advances=(("credit_fund", 500_000),),
        )

    @rule(cash=st.integers(0, 5_000_000), outstanding=AMOUNTS, several=st.integers(0, 2))
    def correct_old_book(self, cash: int, outstanding: int, several: int) -> None:
        """The old book is told anew, with other loans."""
        old = OldLoan(
            member=2,
            principal=3_000_000,
            outstanding=outstanding,
            disbursed_on=date(2023, 8, 31),
            term_months=8,
            purpose="crops",
            interest_owed=cash // 100,
        )
        self.tell(
            self.fund.correct_opening_balances,
            self.fund.old_books.on if self.fund.old_books else OPENED,
            revolving=OpeningPot(cash, 0),
            activity=OpeningPot(0, cash),
            savings=(OpeningSavings(1, cash + 1),),
            loans=(old,) * several,
            advances=(("credit_fund", 500_000),),
        )

    @rule()
    def dissolve_a_copy(self) -> None:
        """The end of a fund would be the end of the history: it is tried beside it, all debts paid."""
        history, self.fund = self.fund, self.fund.fork()
        with suppress(Refusal):
            settle_all(self.fund, TODAY)
        self.tell(self.fund.dissolve, TODAY)
        check_books(self.fund)
        check_replay(self.fund)
        self.fund = history

    @invariant()
    def the_books_are_sound(self) -> None:
        type(self).steps += 1
        if self.fund.version == self.checked_version:
            return  # All that was told was refused, and `tell` saw that nothing changed.
        self.checked_version = self.fund.version
        check_books(self.fund)
        changed = [number for number, loan in self.fund.loans.items() if self.settled.get(number) is not loan]
        check_settlement(self.fund, TODAY, changed)
        self.settled = dict(self.fund.loans)

    def teardown(self) -> None:
        """Once a fund differs from its lines it stays so: at the end of a history is early enough to look."""
        if hasattr(self, "fund"):
            check_replay(self.fund)

"""Random histories of one made-up club over every decision of `Fund`: seeded, mostly sensible, now and then wrong.

A history is told day by day. What the club does is drawn by lot, and so is every amount; some of it is told late, and
some of it is a mistake that the fund must refuse. Refusals are counted by class, for a rule that is never tried is not
tested. The same seed and number of steps give the same lines, byte for byte.
"""

from datetime import date, timedelta
from functools import cache
from typing import Any, get_args

from ledger.aggregates.fund import Fund
from ledger.aggregates.loan import Loan
from ledger.chart import POTS
from ledger.days import add_months
from ledger.events import Bylaws, Item, OldLoan, OpeningPot, OpeningSavings
from ledger.events.club import LeavingReason
from ledger.events.governance import CountedPot, CountReason, Office
from ledger.events.inspections import InspectionKind
from ledger.events.loans import Purpose
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from ledger.money import MAX_AMOUNT
from ledger.terms import InterestMethod, RepaymentMode
from tests.support.borrowers import PLACES
from tests.support.second_thoughts import SecondThoughts

SOURCES: tuple[DonationSource, ...] = get_args(DonationSource)
OFFICES: tuple[Office, ...] = get_args(Office)


@cache
def random_history(seed: int, steps: int = 150) -> "History":
    """A history told to its end, shared between tests: whoever wants to change the fund forks it."""
    return History(seed).told(steps)


def random_fund(seed: int, steps: int = 150) -> Fund:
    """The fund of a random history; its `pending` holds all its entries."""
    return random_history(seed, steps).fund


class History(SecondThoughts):
    """A club whose life is drawn by lot."""

    def told(self, steps: int) -> "History":
        """Tell the whole of it: the founding, as many steps as asked for, for some clubs the end."""
        self._found()
        names, weights = zip(*ACTS.items(), strict=True)
        for act in self.random.choices(names, weights, k=steps):
            self.today += timedelta(days=self.random.choice((0, 0, 0, 1, 2, 4, 9)))
            self._try(getattr(self, act))
        if self.seed % 6 == 0:
            self._wind_up()
        return self

    # --- the beginning ------------------------------------------------------------------------------------------------

    def _bylaws(self) -> Bylaws:
        pick = self.random.choice
        methods: tuple[InterestMethod, ...] = get_args(InterestMethod)
        modes: tuple[RepaymentMode, ...] = get_args(RepaymentMode)
        return Bylaws(
            monthly_rate_ppm=pick((0, 6_500, 8_000, 10_000, 12_345, 16_666)),
            interest_method=pick(methods),
            repayment_mode=pick(modes),
            max_principal=pick((3_000_000, 5_000_000, 10_000_000)),
            max_term_months=pick((6, 12, 24)),
            min_membership_months=pick((0, 0, 1)),
            one_open_loan_per_household=self._chance(0.5),
            interest_to_activity_ppm=pick((0, 250_000, 333_333, 1_000_000)),
            monthly_dues=pick((5_000, 10_000)),
            meeting_day=pick((5, 15, 25)),
            two_person_approval=self._chance(0.5),
        )

    def _found(self) -> None:
        on = self.today
        self.fund.open(
            self._metadata(on),
            bylaws=self._bylaws(),
            club=f"Câu lạc bộ số {self.seed}",
            commune="Quảng Lạc",
            district="Lạng Sơn",
            province="Lạng Sơn",
            founded_on=on - timedelta(days=self.random.randrange(2000)),
        )
        for _ in range(self.random.randint(5, 9)):
            self._join(on)
        if self.seed % 3 == 0:
            self._try(lambda: self._take_over(on - timedelta(days=1)))
            self._try(lambda: self._take_over(on))
        else:
            self.fund.receive_donation(
                self._metadata(on), source="state_budget", pot="revolving", amount=self._amount(40_000_000) % MAX_AMOUNT
            )

    def _join(self, on: date | None = None) -> None:
        metadata = self._metadata(on)
        self.fund.join(
            metadata,
            birth_year=1850 if self._chance(0.02) and not on else self.random.randint(1935, 1990),
            sex=self.random.choice(("female", "female", "male")),
            poverty=self.random.choice(("poor", "near_poor", "hardship", "none")),
            household=f"H{self.random.randint(1, 12)}",
        )

    def join(self) -> None:
        """Somebody joins."""
        self._join()

    def _take_over(self, on: date) -> None:
        people, most = list(self.fund.members), 5_000_000
        self.random.shuffle(people)
        debtors = people[: self.random.randint(0, 3)]
        loans = []
        for member in debtors:
            principal = self.random.randint(2, 8) * 500_000
            outstanding = principal if self._chance(0.3) else self.random.randint(1, principal)
            before = timedelta(days=self.random.randrange(300))
            loans.append(
                OldLoan(
                    member=member,
                    principal=principal,
                    outstanding=principal + 1 if self._chance(0.1) else outstanding,
                    disbursed_on=on - before,
                    term_months=self.random.choice((6, 12)),
                    purpose=self._any(Purpose),
                )
            )
        savers = people[: self.random.randint(0, 4)]
        if savers and self._chance(0.05):
            savers.append(savers[0])
        self.fund.declare_opening_balances(
            self._metadata(on),
            revolving=OpeningPot(self.random.randrange(20_000_000), self.random.randrange(9_000_000)),
            activity=OpeningPot(self.random.randrange(2_000_000), self.random.randrange(500_000)),
            equipment=[Item("Loa", 1, "bộ", 3_500_000)] if self._chance(0.5) else [],
            savings=[OpeningSavings(member, self.random.randint(1, most)) for member in savers],
            loans=loans,
            advances=[("credit_fund", 2_000_000)] if self._chance(0.3) else [],
        )

    def take_over(self) -> None:
        """Opening balances are declared, mostly too late for that."""
        self._take_over(self.today)

    # --- the club and its roll ----------------------------------------------------------------------------------------

    def open_again(self) -> None:
        """Somebody opens a fund that is open already."""
        self.fund.open(self._metadata(), bylaws=self._bylaws())

    def adopt_bylaws(self) -> None:
        """The bylaws change, now and then to a rate beyond the law."""
        bylaws = self._bylaws()
        if self._chance(0.25):
            bylaws = Bylaws(**{field: getattr(bylaws, field) for field in bylaws.__struct_fields__} | USURY)
        self.fund.adopt_bylaws(self._metadata(), bylaws)

    def change_place(self) -> None:
        """The club lies in another commune, or in the same."""
        self.fund.change_place(self._metadata(), commune=f"xã {self.random.randrange(3)}", province="Lạng Sơn")

    def change_member(self) -> None:
        """Something known of a member changes."""
        changes: tuple[dict[str, Any], ...] = ({"household": "H1"}, {"poverty": "none"}, {"birth_year": 1950}, {})
        metadata = self._metadata(self.fund.opened.on if self._chance(0.1) else None)
        self.fund.change_member(metadata, self._member(), **self.random.choice(changes))

    def leave(self) -> None:
        """Somebody moves away, resigns, is excluded or dies."""
        self.fund.leave(self._metadata(), self._member(), self._any(LeavingReason))

    # --- money that comes and goes ------------------------------------------------------------------------------------

    def receive_contribution(self) -> None:
        """Dues, a share, savings or a fine."""
        kind = self._any(ContributionKind)
        month = f"{self.today:%Y-%m}" if kind == "dues" else None
        self.fund.receive_contribution(
            self._metadata(), member=self._member(), kind=kind, amount=self._amount(500_000), for_month=month
        )

    def receive_donation(self) -> None:
        """A gift of cash."""
        self.fund.receive_donation(
            self._metadata(),
            source=self.random.choice(SOURCES),
            pot=self.random.choice(POTS),
            amount=self._amount(5_000_000),
            foreign=self._chance(0.1),
        )

    def receive_in_kind_donation(self) -> None:
        """Equipment."""
        items = tuple(Item(what, 1, "chiếc", self._amount(2_000_000)) for what in ("Máy đo huyết áp", "Ghế", "Trống"))
        self.fund.receive_in_kind_donation(
            self._metadata(), source=self.random.choice(SOURCES), items=items, pot=self.random.choice(POTS)
        )

    def pay_expense(self) -> None:
        """A visit, a tea, a metadata."""
        self.fund.pay_expense(
            self._metadata(),
            activity=self._any(Activity),
            amount=self._amount(400_000),
            pot="activity" if self._chance(0.9) else "revolving",
            place=self.random.choice(PLACES),
        )

    def withdraw_savings(self) -> None:
        """Mostly a saver takes back a part of what they have, sometimes all of it."""
        savings = {key[2]: -left for key, left in self.fund.balances.items() if key[1] == "savings" and left}
        member = self.random.choice(list(savings)) if savings and self._chance(0.9) else self._member()
        left = savings.get(member, 50_000)
        amount = left if self._chance(0.3) else self._amount(left + 1_000)
        assert isinstance(member, int)
        self.fund.withdraw_savings(self._metadata(), member=member, amount=amount)

    def receive_income(self) -> None:
        """What the club earned."""
        self.fund.receive_income(
            self._metadata(),
            kind=self._any(IncomeKind),
            pot=self.random.choice(POTS),
            amount=self._amount(600_000),
            place=self.random.choice(PLACES),
        )

    def transfer_between_pots(self) -> None:
        """A transfer that the meeting minuted."""
        source = self.random.choice(POTS)
        target = source if self._chance(0.1) else next(pot for pot in POTS if pot != source)
        self.fund.transfer_between_pots(self._metadata(), source=source, target=target, amount=self._amount(500_000))

    def move_to_bank(self) -> None:
        """To the bank."""
        self.fund.move_to_bank(self._metadata(), pot=self.random.choice(POTS), amount=self._amount(3_000_000))

    def fetch_from_bank(self) -> None:
        """From the bank."""
        self.fund.fetch_from_bank(self._metadata(), pot=self.random.choice(POTS), amount=self._amount(2_000_000))

    def receive_advance(self) -> None:
        """Capital lent to the club."""
        self.fund.receive_advance(self._metadata(), source=self.random.choice(SOURCES), amount=self._amount(4_000_000))

    def repay_advance(self) -> None:
        """Some of it goes back."""
        if not self.fund.advances and self._chance(0.8):
            return
        number = self.random.randint(1, len(self.fund.advances) + self._chance(0.1) or 1)
        owed = -self.fund.balances.get(("revolving", "advances", number), 0)
        amount = owed if owed and self._chance(0.2) else self._amount(1_500_000)
        self.fund.repay_advance(self._metadata(), number, amount=amount)

    # --- governance ---------------------------------------------------------------------------------------------------

    def hold_meeting(self) -> None:
        """The club meets; a sheet may be sent twice."""
        metadata = self._metadata()
        on_roll = [member.number for member in self.fund.members.values() if member.is_on_roll(metadata.on)]
        present = [number for number in on_roll if self._chance(0.6)]
        by_proxy = [number for number in on_roll if number not in present and self._chance(0.3)]
        if self._chance(0.05):
            by_proxy += present[:1]
        cash = self.fund.cash_at(metadata.on)
        self.fund.hold_meeting(
            metadata,
            sheet=f"{metadata.on}-{self.random.randint(1, 2)}",
            present=present if self._chance(0.95) else [],
            by_proxy=by_proxy,
            opening_cash=cash if self._chance(0.5) else None,
            book_opening=cash,
        )

    def count_cash(self) -> None:
        """The box is counted; one time in two there is a difference."""
        metadata = self._metadata()
        pot: CountedPot = self.random.choice((*get_args(CountedPot), "both"))
        expected = self.fund.cash_at(metadata.on, pot)
        off = 0 if self._chance(0.5) else self.random.randint(-300_000, 100_000)
        counted = 0 if self._chance(0.04) else max(expected + off, 0)
        notes = {"1": counted + self._chance(0.1)} if self._chance(0.3) else None
        witnesses = [self._member() for _ in range(2)]
        self.fund.count_cash(
            metadata, reason=self._any(CountReason), counted=counted, pot=pot, notes=notes, witnesses=witnesses
        )

    def close_period(self) -> None:
        """Last month is closed, or another time."""
        back = self.random.choice((15, 40, 60, 80, 120, 0 if self._chance(0.2) else -1 if self._chance(0.1) else 50))
        self.fund.close_period(self._metadata(self.today), through=self.today - timedelta(days=back))

    def reopen_period(self) -> None:
        """What was closed is opened again, for a voucher that was found."""
        closed = self.fund.closed_through or self.today
        since = closed - timedelta(days=self.random.randint(-3, 40))
        self.fund.reopen_period(self._metadata(self.today), since=since)

    def take_office(self) -> None:
        """Somebody takes an office, or gives it up."""
        until = self.today if self._chance(0.2) else None
        self.fund.take_office(self._metadata(), member=self._member(), office=self.random.choice(OFFICES), until=until)

    def leave_office(self) -> None:
        """Mostly whoever holds an office gives it up."""
        held = sorted(self.fund.offices)
        office, member = self.random.choice(held) if held and self._chance(0.8) else ("treasurer", self._member())
        self.fund.leave_office(self._metadata(), member=member, office=office)  # type: ignore[arg-type]

    def note_inspection(self) -> None:
        """An inspector comes."""
        self.fund.note_inspection(self._metadata(), kind=self._any(InspectionKind))

    def dissolve(self) -> None:
        """Somebody would wind the fund up while it is owed and owes."""
        if any(left for key, left in self.fund.balances.items() if key[1] in ("loans", "savings", "advances")):
            self.fund.dissolve(self._metadata())

    # --- the end ------------------------------------------------------------------------------------------------------

    def _wind_up(self) -> None:
        """Settle all that is owed, hand over what is left, and find that nothing more can be entered."""
        fund = self.fund
        self.today = add_months(self.today, 1)
        for loan in [loan for loan in fund.loans.values() if loan.status == "running"]:
            self._settle(loan)
        owed = sum(-left for key, left in fund.balances.items() if key[1] in ("savings", "advances"))
        if owed > 0:
            fund.receive_donation(self._metadata(self.today), source="community", pot="revolving", amount=owed)
        for (_, account, number), left in list(fund.balances.items()):
            assert isinstance(number, int) or account not in ("savings", "advances")
            if account == "savings" and left < 0:
                fund.withdraw_savings(self._metadata(self.today), member=number, amount=-left)  # type: ignore[arg-type]
            elif account == "advances" and left < 0:
                fund.repay_advance(self._metadata(self.today), number, amount=-left)  # type: ignore[arg-type]
        self._try(lambda: fund.dissolve(self._metadata(self.today)))
        self._try(self.join)

    def _settle(self, loan: Loan) -> None:
        amount = loan.standing(self.today).settlement_amount
        if self._chance(0.3):
            self.fund.write_off_loan(self._metadata(self.today), loan.number)
            lost = self.fund.loan(loan.number).loss
            self._try(lambda: self.fund.recover_loan(self._metadata(self.today), loan.number, amount=lost + 1))
        else:
            self._try(lambda: self.fund.repay_loan(self._metadata(self.today), loan.number, amount=amount))


USURY = {"monthly_rate_ppm": 16_667}

ACTS: dict[str, float] = {
    "join": 2,
    "take_over": 0.3,
    "correct_opening_balances": 0.5,
    "open_again": 0.3,
    "adopt_bylaws": 0.6,
    "change_place": 0.3,
    "change_member": 1,
    "leave": 1,
    "take_back": 1.2,
    "forgive_dues": 0.7,
    "receive_contribution": 12,
    "receive_donation": 5,
    "receive_in_kind_donation": 1,
    "pay_expense": 6,
    "withdraw_savings": 5,
    "receive_income": 4,
    "transfer_between_pots": 3,
    "move_to_bank": 4,
    "fetch_from_bank": 3,
    "receive_advance": 2,
    "repay_advance": 2.5,
    "request_loan": 8,
    "approve_loan": 3,
    "reject_loan": 1,
    "disburse_loan": 3,
    "repay_loan": 16,
    "set_off_savings": 2,
    "waive_interest": 1.5,
    "reschedule_loan": 3,
    "write_off_loan": 1.2,
    "recover_loan": 4,
    "reverse_entry": 12,
    "hold_activity": 1,
    "give_mutual_help": 0.6,
    "hold_meeting": 2.5,
    "correct_attendance": 0.7,
    "undo_meeting": 0.8,
    "count_cash": 3,
    "close_period": 0.8,
    "reopen_period": 0.6,
    "take_office": 3,
    "leave_office": 0.7,
    "note_inspection": 0.5,
    "dissolve": 0.3,
}
"""How often each act is drawn; the names are those of the methods above."""

"""How a club keeps itself honest: meetings, counts, closed periods, offices, its beginning and its end."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from ledger.chart import POTS, Account, Leg, Legs, Pot, transfer
from ledger.events.base import Event, Voucher
from ledger.events.club import Bylaws
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource, Item
from ledger.terms import InterestMethod, RepaymentMode

if TYPE_CHECKING:
    from ledger.aggregates.state import State

Office = Literal["chair", "deputy_chair", "secretary", "accountant", "treasurer", "volunteer"]
CountReason = Literal["periodic", "surprise", "handover"]
CountedPot = Literal["revolving", "activity", "both"]

NOTES: tuple[int, ...] = (500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100)
"""The denominations of cash in circulation, in đồng."""


class MeetingHeld(Event, frozen=True, kw_only=True, gc=False):
    """The club met. `sheet` names the paper sheet; attendance is recorded once for each.

    `opening_cash` and `closing_cash` are what the club counted, the `book_…` what the books say for the same moment.
    `refused` are the codes of the lines that were not recorded, by their key, when the club asked for what could be.
    """

    meeting: int
    sheet: str
    present: tuple[int, ...]
    by_proxy: tuple[int, ...]
    absent: tuple[int, ...]
    opening_cash: int | None = None
    closing_cash: int | None = None
    book_opening: int
    book_closing: int
    refused: dict[str, str] | None = None

    def evolve(self, fund: State) -> None:
        fund.meetings[self.sheet] = self
        fund.meetings_held = self.meeting

    def revoke(self, fund: State) -> None:
        del fund.meetings[self.sheet]


class AttendanceCorrected(Event, frozen=True, kw_only=True, gc=False):
    """Who came to a meeting was noted wrongly: `of` is the version of its `MeetingHeld`, the lists are the right ones.
    Why lies in the register."""

    of: int
    sheet: str
    present: tuple[int, ...]
    by_proxy: tuple[int, ...]
    absent: tuple[int, ...]

    def evolve(self, fund: State) -> None:
        fund.meetings[self.sheet] = msgspec.structs.replace(
            fund.meetings[self.sheet], present=self.present, by_proxy=self.by_proxy, absent=self.absent
        )


class CashCounted(Voucher, frozen=True, kw_only=True, gc=False):
    """The box was counted, in đồng; by being in the chain the count certifies everything before it.

    `difference` = counted − expected. It belongs to the activity pot; what that pot cannot bear of a shortage falls on
    the revolving pot (`from_revolving`), for money that is gone cannot be refused.
    """

    pot: CountedPot
    counted: int
    expected: int
    difference: int
    reason: CountReason
    witnesses: tuple[int, ...] = ()
    notes: dict[str, int] | None = None
    from_revolving: int = 0

    def legs(self) -> Legs:
        if self.difference > 0:
            return transfer("activity", "cash", "cash_over", self.difference)
        shares: tuple[tuple[Pot, int], ...] = (
            ("activity", -self.difference - self.from_revolving),
            ("revolving", self.from_revolving),
        )
        return tuple(leg for pot, short in shares if short for leg in transfer(pot, "cash_short", "cash", short))

    def evolve(self, fund: State) -> None:
        fund.counts[self.version] = self.on

    def revoke(self, fund: State) -> None:
        fund.counts.pop(self.version, None)


class PeriodClosed(Event, frozen=True, kw_only=True, gc=False):
    """The books are closed up to `through`, with the balances they certify, by pot and account."""

    through: date
    balances: tuple[Leg, ...]

    def evolve(self, fund: State) -> None:
        fund.closed_through = self.through


class PeriodReopened(Event, frozen=True, kw_only=True, gc=False):
    """Days from `since` on take entries again; why lies in the register."""

    since: date = msgspec.field(name="from")
    closed_through: date

    def evolve(self, fund: State) -> None:
        fund.closed_through = self.closed_through


class OfficeTaken(Event, frozen=True, kw_only=True, gc=False):
    """A member took an office, or became a home-care volunteer."""

    member: int
    office: Office
    until: date | None = None

    def evolve(self, fund: State) -> None:
        fund.offices.add((self.office, self.member))


class OfficeLeft(Event, frozen=True, kw_only=True, gc=False):
    """A member gave an office up."""

    member: int
    office: Office

    def evolve(self, fund: State) -> None:
        fund.offices.discard((self.office, self.member))


class OpeningPot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a pot held when the books were taken over, in đồng."""

    cash: int
    bank: int


class OpeningSavings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Savings owed to a member when the books were taken over."""

    member: int
    amount: int


class OldLoan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A loan in an old club's own book; amounts in đồng. `interest_owed` had accrued by the closing day; without
    `own_rate_ppm` it keeps the rate of the bylaws in force."""

    member: int
    principal: int
    outstanding: int
    disbursed_on: date
    term_months: int
    purpose: Purpose
    interest_owed: int = 0
    guarantor: int | None = None
    own_rate_ppm: int | None = None


class OpeningLoan(OldLoan, frozen=True, gc=False, kw_only=True):
    """A loan that was running when the books were taken over, and the terms it keeps."""

    loan: int
    monthly_rate_ppm: int
    interest_method: InterestMethod
    repayment_mode: RepaymentMode
    interest_to_activity_ppm: int
    interest_rounding: int = 1

    @classmethod
    def of(cls, old: OldLoan, number: int, bylaws: Bylaws) -> OpeningLoan:
        """The loan under the fund's numbering, on the terms of the bylaws."""
        return cls(
            loan=number,
            **msgspec.structs.asdict(old),
            monthly_rate_ppm=bylaws.monthly_rate_ppm if old.own_rate_ppm is None else old.own_rate_ppm,
            interest_method=bylaws.interest_method,
            repayment_mode=bylaws.repayment_mode,
            interest_to_activity_ppm=bylaws.interest_to_activity_ppm,
            interest_rounding=bylaws.interest_rounding,
        )


class OpeningAdvance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Capital owed to a lender when the books were taken over."""

    advance: int
    source: DonationSource
    amount: int


class OpeningBooks(Event, frozen=True, kw_only=True, gc=False):
    """What an old club's books held on their closing day."""

    revolving: OpeningPot
    activity: OpeningPot
    equipment: tuple[Item, ...] = ()
    savings: tuple[OpeningSavings, ...] = ()
    loans: tuple[OpeningLoan, ...] = ()
    advances: tuple[OpeningAdvance, ...] = ()
    document: str | None = None

    def opening_legs(self) -> Legs:
        """The books as legs; equity is the difference, per pot."""
        held = (
            Leg("revolving", "cash", self.revolving.cash),
            Leg("revolving", "bank", self.revolving.bank),
            *(Leg("revolving", "loans", loan.outstanding, loan.loan) for loan in self.loans),
            *(Leg("revolving", "savings", -saved.amount, saved.member) for saved in self.savings),
            *(Leg("revolving", "advances", -advance.amount, advance.advance) for advance in self.advances),
            Leg("activity", "cash", self.activity.cash),
            Leg("activity", "bank", self.activity.bank),
            Leg("activity", "equipment", sum(item.value for item in self.equipment)),
        )
        equity = (Leg(pot, "opening", -sum(leg.amount for leg in held if leg.pot == pot)) for pot in POTS)
        return tuple(leg for leg in (*held, *equity) if leg.amount)


class OpeningBalancesDeclared(OpeningBooks, frozen=True, kw_only=True, gc=False):
    """An old club's books were taken over; equity is the difference, per pot."""

    def legs(self) -> Legs:
        return self.opening_legs()

    def evolve(self, fund: State) -> None:
        fund.take_over(self)


class OpeningBalancesCorrected(OpeningBooks, frozen=True, kw_only=True, gc=False):
    """The old books, whole, as they should have been declared. `posted` is the difference to what stood until then, by
    account, so that the line explains itself alone; why lies in the register."""

    posted: tuple[Leg, ...]

    def legs(self) -> Legs:
        return self.posted

    def evolve(self, fund: State) -> None:
        fund.take_over(self)


class FundDissolved(Voucher, frozen=True, kw_only=True, gc=False):
    """The fund was wound up: every loan, saving and advance settled, and what was left handed over.

    `remainder` is what was handed over, by pot and account.
    """

    remainder: tuple[Leg, ...]
    document: str | None = None

    def legs(self) -> Legs:
        return tuple(
            leg for held in self.remainder for leg in transfer(held.pot, "transfers", held.account, held.amount)
        )

    def evolve(self, fund: State) -> None:
        fund.dissolved = self


CERTIFIED: tuple[Account, ...] = ("cash", "bank", "loans", "equipment", "savings", "advances")
"""The accounts whose balances a closed period certifies."""

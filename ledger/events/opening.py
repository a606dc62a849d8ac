"""How an old club's books are taken over on their closing day, and put right later."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from ledger.chart import POTS, Leg, Legs
from ledger.events.base import Event
from ledger.events.club import Bylaws
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource, Item
from ledger.terms import InterestMethod, RepaymentMode

if TYPE_CHECKING:
    from ledger.aggregates.state import State


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

"""Money and goods that come in and go out of the two pots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ledger.chart import Account, Legs, Place, Pot, transfer
from ledger.events.base import Event, Voucher

if TYPE_CHECKING:
    from ledger.aggregates.state import State

ContributionKind = Literal["dues", "share", "savings", "fine"]
DonationSource = Literal[
    "state_budget",
    "political_org",
    "mass_org",
    "business",
    "benefactor",
    "elderly_care_fund",
    "social_security_fund",
    "credit_fund",
    "other_local_fund",
    "programme",
    "elderly_association",
    "member",
    "better_off_member",
    "community",
    "anonymous",
    "foreign_org",
    "foreign_individual",
]
Activity = Literal[
    "administration",
    "training",
    "health",
    "home_care",
    "community",
    "rights",
    "culture",
    "visit_gift",
    "other",
]

IncomeKind = Literal["collective", "bank_interest", "other"]

INCOME_ACCOUNT: dict[IncomeKind, Account] = {
    "collective": "collective",
    "bank_interest": "bank_interest",
    "other": "other_income",
}

CONTRIBUTION_ACCOUNT: dict[ContributionKind, tuple[Pot, Account]] = {
    "dues": ("activity", "contributions"),
    "share": ("revolving", "contributions"),
    "savings": ("revolving", "savings"),
    "fine": ("activity", "fines"),
}
"""Where each kind of contribution belongs (`domain.md` §3); savings are a liability, the others are the club's own."""


class ContributionReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """A member paid dues, a share, savings or a fine. Dues may name the month they are for, `YYYY-MM`; `paid_by` is
    the member who brought the money for them."""

    member: int
    kind: ContributionKind
    amount: int
    for_month: str | None = None
    place: Place = "cash"
    paid_by: int | None = None

    def legs(self) -> Legs:
        pot, account = CONTRIBUTION_ACCOUNT[self.kind]
        return transfer(pot, self.place, account, self.amount, of=self.member)

    def evolve(self, fund: State) -> None:
        if self.kind == "dues" and self.for_month:
            fund.pay_dues(self.version, self.member, self.for_month, self.amount)

    def revoke(self, fund: State) -> None:
        if self.kind == "dues" and self.for_month:
            fund.unpay_dues(self.version, self.member, self.for_month, self.amount)


class DonationReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """Cash was given to the pot the donor named."""

    source: DonationSource
    foreign: bool
    pot: Pot
    amount: int
    document: str | None = None

    def legs(self) -> Legs:
        return transfer(self.pot, "cash", "donations", self.amount)


class SavingsWithdrawn(Voucher, frozen=True, kw_only=True, gc=False):
    """A member took back some of their savings; `savings_left` are still owed to them. `paid_by` is the member who
    received the money for them."""

    member: int
    amount: int
    savings_left: int
    place: Place = "cash"
    paid_by: int | None = None

    def legs(self) -> Legs:
        return transfer("revolving", "savings", self.place, self.amount, of=self.member)


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A line of a gift in kind; `value` is the worth of the whole line in đồng."""

    what: str
    quantity: int
    unit: str
    value: int


class InKindDonationReceived(Event, frozen=True, kw_only=True, gc=False):
    """Equipment was given. It never touches cash or loan capital (plan 47, III.2: 30 triệu đồng bằng hiện vật)."""

    source: DonationSource
    foreign: bool
    pot: Pot
    items: tuple[Item, ...]
    document: str | None = None

    @property
    def amount(self) -> int:
        """The worth of all items together, in đồng."""
        return sum(item.value for item in self.items)

    def legs(self) -> Legs:
        return transfer(self.pot, "equipment", "in_kind", self.amount)


class ExpensePaid(Voucher, frozen=True, kw_only=True, gc=False):
    """The club paid for one of its activities."""

    activity: Activity
    pot: Pot
    place: Place
    amount: int

    def legs(self) -> Legs:
        return transfer(self.pot, "expenses", self.place, self.amount, of=self.activity)


class IncomeReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """The club earned something: collective fund-raising, interest from the bank, other."""

    kind: IncomeKind
    pot: Pot
    place: Place
    amount: int

    def legs(self) -> Legs:
        return transfer(self.pot, self.place, INCOME_ACCOUNT[self.kind], self.amount)


class PotTransferred(Event, frozen=True, kw_only=True, gc=False):
    """Cash was moved from one pot to the other, as minuted. It stays in the same box, so it bears no voucher."""

    source: Pot = msgspec.field(name="from")
    target: Pot = msgspec.field(name="to")
    amount: int

    def legs(self) -> Legs:
        return (
            *transfer(self.source, "transfers", "cash", self.amount),
            *transfer(self.target, "cash", "transfers", self.amount),
        )


class BankDeposited(Voucher, frozen=True, kw_only=True, gc=False):
    """Cash of a pot was taken to the bank."""

    pot: Pot
    amount: int

    def legs(self) -> Legs:
        return transfer(self.pot, "bank", "cash", self.amount)


class BankWithdrawn(Voucher, frozen=True, kw_only=True, gc=False):
    """Money of a pot was fetched from the bank."""

    pot: Pot
    amount: int

    def legs(self) -> Legs:
        return transfer(self.pot, "cash", "bank", self.amount)


class AdvanceReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """Somebody lent capital to the club for its revolving pot, free of interest: a liability."""

    advance: int
    source: DonationSource
    amount: int

    def legs(self) -> Legs:
        return transfer("revolving", "cash", "advances", self.amount, of=self.advance)


class AdvanceRepaid(Voucher, frozen=True, kw_only=True, gc=False):
    """The club gave back some of an advance; `outstanding` is still owed."""

    advance: int
    amount: int
    outstanding: int

    def legs(self) -> Legs:
        return transfer("revolving", "advances", "cash", self.amount, of=self.advance)

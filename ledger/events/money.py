"""Money and goods that come in and go out of the two pots."""

from __future__ import annotations

from typing import Literal

import msgspec

from ledger.chart import Account, Legs, Place, Pot, transfer
from ledger.events.base import Event, Voucher

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

CONTRIBUTION_ACCOUNT: dict[ContributionKind, tuple[Pot, Account]] = {
    "dues": ("activity", "contributions"),
    "share": ("revolving", "contributions"),
    "savings": ("revolving", "savings"),
    "fine": ("activity", "fines"),
}
"""Where each kind of contribution belongs (`domain.md` §3); savings are a liability, the others are the club's own."""


class ContributionReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """A member paid dues, a share, savings or a fine in cash. Dues may name the month they are for, `YYYY-MM`."""

    member: int
    kind: ContributionKind
    amount: int
    for_month: str | None = None

    def legs(self) -> Legs:
        pot, account = CONTRIBUTION_ACCOUNT[self.kind]
        return transfer(pot, "cash", account, self.amount, of=self.member)


class DonationReceived(Voucher, frozen=True, kw_only=True, gc=False):
    """Cash was given to the pot the donor named."""

    source: DonationSource
    foreign: bool
    pot: Pot
    amount: int
    document: str | None = None

    def legs(self) -> Legs:
        return transfer(self.pot, "cash", "donations", self.amount)


class Item(msgspec.Struct, frozen=True, gc=False):
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

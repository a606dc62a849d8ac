"""The chart of accounts and the legs of double entry (`domain.md` §3).

Debits are positive, credits negative; the legs of one event sum to zero within each pot.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Pot = Literal["revolving", "activity"]
"""The two pots that never mix: quỹ tăng thu nhập, quỹ hoạt động (plan 47, I.2)."""

Place = Literal["cash", "bank"]
"""Where a pot's money lies."""

Account = Literal[
    # assets
    "cash",
    "bank",
    "loans",
    "equipment",
    # liabilities
    "savings",
    "advances",
    # equity
    "opening",
    "contributions",
    "donations",
    "in_kind",
    "transfers",
    # income
    "interest",
    "fines",
    "collective",
    "bank_interest",
    "recoveries",
    "other_income",
    "cash_over",
    # expenses
    "expenses",
    "write_offs",
    "cash_short",
]

POTS: tuple[Pot, ...] = get_args(Pot)
ACCOUNTS: tuple[Account, ...] = get_args(Account)
ASSETS = frozenset({"cash", "bank", "loans", "equipment"})
LIABILITIES = frozenset({"savings", "advances"})

NEVER_NEGATIVE: dict[str, int] = dict.fromkeys(ASSETS, 1) | dict.fromkeys(LIABILITIES, -1)
"""Accounts that may not fall below zero at the end of any day, with the sign that makes a sound balance positive."""


class Leg(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One side of a posting, in đồng. `of` names what lies beneath the account: the loan's, the member's or the
    advance's number, or the activity an expense was for."""

    pot: Pot
    account: Account
    amount: int
    of: int | str | None = None


Legs = tuple[Leg, ...]

Key = tuple[Pot, Account, int | str | None]
"""What a balance is kept for: a pot, an account and, beneath it, a loan, a member, an advance or an activity."""


def transfer(pot: Pot, debit: Account, credit: Account, amount: int, *, of: int | str | None = None) -> Legs:
    """The usual pair of legs. `of` belongs to whichever of the two accounts is kept in parts."""
    return (
        Leg(pot, debit, amount, of if debit in IN_PARTS else None),
        Leg(pot, credit, -amount, of if credit in IN_PARTS else None),
    )


IN_PARTS = frozenset({"loans", "savings", "advances", "expenses"})
"""Accounts kept per loan, member, advance or activity."""


def negated(legs: Legs) -> Legs:
    """The legs that undo these."""
    return tuple(msgspec.structs.replace(leg, amount=-leg.amount) for leg in legs)


def is_balanced(legs: Legs) -> bool:
    """Whether debits equal credits within each pot."""
    if len(legs) == 2:
        one, other = legs
        return one.pot == other.pot and one.amount == -other.amount
    sums: dict[str, int] = defaultdict(int)
    for leg in legs:
        sums[leg.pot] += leg.amount
    return not any(sums.values())


def cash_movement(legs: Iterable[Leg]) -> int:
    """What the legs bring into the cash box (negative: take out of it), both pots together."""
    brought = 0
    for leg in legs:
        if leg.account == "cash":
            brought += leg.amount
    return brought


def amount_moved(legs: Iterable[Leg]) -> int:
    """The one amount that legs are about, in đồng, never negative: the money that came or went; where none did, what
    was moved within the club, such as from one pot to the other or from a saving to a loan."""
    legs = tuple(legs)
    if money := sum(leg.amount for leg in legs if leg.account in ("cash", "bank")):
        return abs(money)
    return sum(leg.amount for leg in legs if leg.amount > 0 and leg.account != "transfers")

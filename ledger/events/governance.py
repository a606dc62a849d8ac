"""How a club keeps itself honest: meetings, counts, closed periods, offices, its end."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from ledger.chart import Account, Leg, Legs, Pot, transfer
from ledger.events.base import Event, Voucher

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
        fund.meet(self)

    def revoke(self, fund: State) -> None:
        fund.meetings.pop(self.sheet)


class AttendanceCorrected(Event, frozen=True, kw_only=True, gc=False):
    """Who came to a meeting was noted wrongly: `of` is the version of its `MeetingHeld`, the lists are the right ones.
    Why lies in the register."""

    of: int
    sheet: str
    present: tuple[int, ...]
    by_proxy: tuple[int, ...]
    absent: tuple[int, ...]

    def evolve(self, fund: State) -> None:
        fund.meetings[self.sheet] = msgspec.structs.replace(fund.meetings[self.sheet], corrected_by=self.version)


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
        fund.install(self)


class OfficeLeft(Event, frozen=True, kw_only=True, gc=False):
    """A member gave an office up."""

    member: int
    office: Office

    def evolve(self, fund: State) -> None:
        fund.offices.discard((self.office, self.member))


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

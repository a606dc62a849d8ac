"""`Fund`: every decision about a club's revolving fund, and nothing else.

A public method refuses, with a `Refusal`, or records. Its parts: `books.py` holds what every fact shares, `roll.py` the
bylaws and the members, `lending.py` the loans; money that simply comes and goes, and corrections, are here.
"""

from __future__ import annotations

from ledger.aggregates.books import BrokenChain, Stamp
from ledger.aggregates.lending import Lending
from ledger.chart import Place, Pot, negated
from ledger.events import (
    ContributionReceived,
    DonationReceived,
    EntryReversed,
    ExpensePaid,
    InKindDonationReceived,
    Item,
    LoanDisbursed,
)
from ledger.events.corrections import ReversalReason
from ledger.events.money import Activity, ContributionKind, DonationSource
from ledger.refusals import AlreadyReversed, EntryNotFound, LiveRepayments, NotReversible, OutOfOrder

__all__ = ["BrokenChain", "Fund", "Stamp"]


class Fund(Lending):
    """One club's fund, built by replaying its log."""

    def receive_contribution(
        self, stamp: Stamp, *, member: int, kind: ContributionKind, amount: int, for_month: str | None = None
    ) -> ContributionReceived:
        """Take dues, a share, savings or a fine. Raises `MemberNotFound`, `MemberNotOnRoll`."""
        self._member_on_roll(member, stamp.on)
        return self._record(ContributionReceived, stamp, member=member, kind=kind, amount=amount, for_month=for_month)

    def receive_donation(
        self,
        stamp: Stamp,
        *,
        source: DonationSource,
        pot: Pot,
        amount: int,
        foreign: bool = False,
        document: str | None = None,
    ) -> DonationReceived:
        """Take a gift of cash, to the pot the donor names."""
        return self._record(
            DonationReceived, stamp, source=source, foreign=foreign, pot=pot, amount=amount, document=document
        )

    def receive_in_kind_donation(
        self,
        stamp: Stamp,
        *,
        source: DonationSource,
        items: tuple[Item, ...],
        pot: Pot = "activity",
        foreign: bool = False,
        document: str | None = None,
    ) -> InKindDonationReceived:
        """Take equipment; it touches neither cash nor loan capital. Raises `AmountTooLarge`."""
        return self._record(
            InKindDonationReceived, stamp, source=source, foreign=foreign, pot=pot, items=items, document=document
        )

    def pay_expense(
        self, stamp: Stamp, *, activity: Activity, amount: int, pot: Pot = "activity", place: Place = "cash"
    ) -> ExpensePaid:
        """Pay for an activity. Raises `InsufficientFunds`."""
        return self._record(ExpensePaid, stamp, activity=activity, pot=pot, place=place, amount=amount)

    def reverse_entry(self, stamp: Stamp, version: int, *, reason: ReversalReason) -> EntryReversed:
        """Undo an entry by posting its legs negated: once, and only if no later day falls below zero by it.

        Raises `EntryNotFound`, `AlreadyReversed`, `NotReversible`, `OutOfOrder`, `LiveRepayments`,
        `InsufficientFunds`, `InsufficientSavings`.
        """
        if not 1 <= version <= self.version:
            raise EntryNotFound(version=version)
        event = self.entries[version - 1]
        if version in self.reversed_by:
            raise AlreadyReversed(version=version, reversed_by=self.reversed_by[version])
        if isinstance(event, EntryReversed) or not event.legs():
            raise NotReversible(version=version, entry=event.name)
        if stamp.on < event.on:
            raise OutOfOrder(on=stamp.on, earliest=event.on)
        if isinstance(event, LoanDisbursed) and self.loans[event.loan].repayments:
            raise LiveRepayments(loan=event.loan)
        return self._record(
            EntryReversed,
            stamp,
            reverses=version,
            entry=event.name,
            reason=reason,
            posted=negated(event.legs()),
            voucher=getattr(event, "voucher", None),
            member=getattr(event, "member", None),
            loan=getattr(event, "loan", None),
        )

"""`Fund`: every decision about a club's revolving fund, and nothing else.

A public method refuses, with a `Refusal`, or records. `state.py` holds what the facts have made of the fund, `books.py`
the rules that hold for every fact. The decisions stand beside one another on these two: `roll.py` the bylaws and the
members, `lending.py` the loans, `governance.py` meetings, counts, periods, offices, the beginning and the end; money
that simply comes and goes, and corrections, are here.
"""

from __future__ import annotations

from typing import Literal

from ledger.aggregates.governance import Governance
from ledger.aggregates.lending import Lending
from ledger.aggregates.log import BrokenChain, Stamp
from ledger.aggregates.roll import Roll
from ledger.chart import Place, Pot, negated
from ledger.events import (
    AdvanceReceived,
    AdvanceRepaid,
    BankDeposited,
    BankWithdrawn,
    ContributionReceived,
    DonationReceived,
    EntryReversed,
    ExpensePaid,
    FundDissolved,
    IncomeReceived,
    InKindDonationReceived,
    Item,
    LoanRescheduled,
    OpeningBalancesDeclared,
    PotTransferred,
    SavingsWithdrawn,
)
from ledger.events.corrections import ReversalReason
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from ledger.refusals import AdvanceNotFound, AlreadyReversed, EntryNotFound, NotReversible, OutOfOrder, SamePot

__all__ = ["BrokenChain", "Fund", "Stamp"]


NEVER_REVERSED = (EntryReversed, OpeningBalancesDeclared, FundDissolved)
"""Facts that move money and are yet not undone by a reversal."""


class Fund(Roll, Lending, Governance):
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

    def withdraw_savings(self, stamp: Stamp, *, member: int, amount: int) -> SavingsWithdrawn:
        """Give a member back some of their savings, also after they left. Raises `MemberNotFound`,
        `InsufficientSavings`, `InsufficientFunds`."""
        self.member(member)
        left = -self.balances.get(("revolving", "savings", member), 0) - amount
        return self._record(SavingsWithdrawn, stamp, member=member, amount=amount, savings_left=left)

    def receive_income(
        self, stamp: Stamp, *, kind: IncomeKind, pot: Pot, amount: int, place: Place = "cash"
    ) -> IncomeReceived:
        """Take what the club earned."""
        return self._record(IncomeReceived, stamp, kind=kind, pot=pot, place=place, amount=amount)

    def transfer_between_pots(self, stamp: Stamp, *, source: Pot, target: Pot, amount: int) -> PotTransferred:
        """Move cash from one pot to the other, as the meeting minuted. Raises `SamePot`, `InsufficientFunds`."""
        if source == target:
            raise SamePot
        return self._record(PotTransferred, stamp, source=source, target=target, amount=amount)

    def move_by_bank(
        self, stamp: Stamp, *, direction: Literal["deposit", "withdrawal"], pot: Pot, amount: int
    ) -> BankDeposited | BankWithdrawn:
        """Take cash to the bank, or fetch it from there. Raises `InsufficientFunds`."""
        if direction == "deposit":
            return self.move_to_bank(stamp, pot=pot, amount=amount)
        return self.fetch_from_bank(stamp, pot=pot, amount=amount)

    def move_to_bank(self, stamp: Stamp, *, pot: Pot, amount: int) -> BankDeposited:
        """Take cash to the bank. Raises `InsufficientFunds`."""
        return self._record(BankDeposited, stamp, pot=pot, amount=amount)

    def fetch_from_bank(self, stamp: Stamp, *, pot: Pot, amount: int) -> BankWithdrawn:
        """Fetch cash from the bank. Raises `InsufficientFunds`."""
        return self._record(BankWithdrawn, stamp, pot=pot, amount=amount)

    def receive_advance(self, stamp: Stamp, *, source: DonationSource, amount: int) -> AdvanceReceived:
        """Borrow capital for the revolving pot, free of interest."""
        return self._record(AdvanceReceived, stamp, advance=len(self.advances) + 1, source=source, amount=amount)

    def repay_advance(self, stamp: Stamp, number: int, *, amount: int) -> AdvanceRepaid:
        """Give back some of an advance. Raises `AdvanceNotFound`, `BelowZero`, `InsufficientFunds`."""
        if number not in self.advances:
            raise AdvanceNotFound(advance=number)
        left = -self.balances.get(("revolving", "advances", number), 0) - amount
        return self._record(AdvanceRepaid, stamp, advance=number, amount=amount, outstanding=left)

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
        if isinstance(event, NEVER_REVERSED) or not (event.legs() or isinstance(event, LoanRescheduled)):
            raise NotReversible(version=version, entry=event.name)
        if stamp.on < event.on:
            raise OutOfOrder(on=stamp.on, earliest=event.on)
        self._refuse_loan_reversal(event)
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

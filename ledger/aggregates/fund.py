"""`Fund`: every decision about a club's revolving fund, and nothing else.

A public method refuses, with a `Refusal`, or records. `state.py` holds what the facts have made of the fund, `books.py`
the rules that hold for every fact. The decisions stand beside one another on these two: `roll.py` the bylaws and the
members, `lending.py` the loans, `governance.py` meetings, counts, periods, offices, the beginning and the end,
`activities.py` what moves no money; money that simply comes and goes, and corrections, are here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from ledger.aggregates.activities import Activities
from ledger.aggregates.governance import Governance
from ledger.aggregates.lending import Lending
from ledger.aggregates.log import BrokenChain, EntryMetadata
from ledger.aggregates.roll import Roll
from ledger.chart import Place, Pot, negated
from ledger.events import (
    ActivityHeld,
    AdvanceReceived,
    AdvanceRepaid,
    BankDeposited,
    BankWithdrawn,
    ContributionReceived,
    DonationReceived,
    DuesForgiven,
    EntryReversed,
    Event,
    ExpensePaid,
    FundDissolved,
    IncomeReceived,
    InKindDonationReceived,
    InterestWaived,
    Item,
    LoanRequested,
    LoanRescheduled,
    MeetingHeld,
    MemberLeft,
    MemberReturned,
    MutualHelpGiven,
    OpeningBooks,
    PotTransferred,
    SavingsWithdrawn,
)
from ledger.events.corrections import ReversalReason
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from ledger.refusals import (
    AdvanceNotFound,
    AlreadyReversed,
    EntryNotFound,
    MeetingNotFound,
    NotReversible,
    OutOfOrder,
    SamePot,
)

__all__ = ["BrokenChain", "EntryMetadata", "Fund", "is_reversible"]


NEVER_REVERSED = (EntryReversed, OpeningBooks, FundDissolved)
"""Facts that move money and are yet not undone by a reversal."""

REVERSIBLE_MEMOS = (
    LoanRescheduled,
    InterestWaived,
    DuesForgiven,
    MemberLeft,
    MemberReturned,
    ActivityHeld,
    MutualHelpGiven,
)
"""Facts that move no money and can yet be undone."""


def is_reversible(event: Event) -> bool:
    """Whether an entry is of a kind that a reversal undoes; a whole sheet is undone in a way of its own."""
    return not isinstance(event, NEVER_REVERSED) and (bool(event.legs()) or isinstance(event, REVERSIBLE_MEMOS))


class Fund(Roll, Lending, Governance, Activities):
    """One club's fund, built by replaying its log."""

    def receive_contribution(
        self,
        metadata: EntryMetadata,
        *,
        member: int,
        kind: ContributionKind,
        amount: int,
        for_month: str | None = None,
        place: Place = "cash",
        paid_by: int | None = None,
    ) -> ContributionReceived:
        """Take dues, a share, savings or a fine, brought by the member or by `paid_by`. Raises `MemberNotFound`,
        `MemberNotOnRoll`."""
        self._member_on_roll(member, metadata.on)
        if paid_by is not None:
            self.member(paid_by)
        return self._record(
            ContributionReceived,
            metadata,
            member=member,
            kind=kind,
            amount=amount,
            for_month=for_month,
            place=place,
            paid_by=paid_by,
        )

    def receive_donation(
        self,
        metadata: EntryMetadata,
        *,
        source: DonationSource,
        pot: Pot,
        amount: int,
        foreign: bool = False,
        document: str | None = None,
    ) -> DonationReceived:
        """Take a gift of cash, to the pot the donor names."""
        return self._record(
            DonationReceived, metadata, source=source, foreign=foreign, pot=pot, amount=amount, document=document
        )

    def receive_in_kind_donation(
        self,
        metadata: EntryMetadata,
        *,
        source: DonationSource,
        items: tuple[Item, ...],
        pot: Pot = "activity",
        foreign: bool = False,
        document: str | None = None,
    ) -> InKindDonationReceived:
        """Take equipment; it touches neither cash nor loan capital. Raises `AmountTooLarge`."""
        return self._record(
            InKindDonationReceived, metadata, source=source, foreign=foreign, pot=pot, items=items, document=document
        )

    def pay_expense(
        self, metadata: EntryMetadata, *, activity: Activity, amount: int, pot: Pot = "activity", place: Place = "cash"
    ) -> ExpensePaid:
        """Pay for an activity. Raises `InsufficientFunds`."""
        return self._record(ExpensePaid, metadata, activity=activity, pot=pot, place=place, amount=amount)

    def withdraw_savings(
        self, metadata: EntryMetadata, *, member: int, amount: int, place: Place = "cash", paid_by: int | None = None
    ) -> SavingsWithdrawn:
        """Give a member back some of their savings, also after they left; `paid_by` received it for them. Raises
        `MemberNotFound`, `InsufficientSavings`, `InsufficientFunds`."""
        self.member(member)
        if paid_by is not None:
            self.member(paid_by)
        left = -self.balances.get(("revolving", "savings", member), 0) - amount
        return self._record(
            SavingsWithdrawn, metadata, member=member, amount=amount, savings_left=left, place=place, paid_by=paid_by
        )

    def receive_income(
        self, metadata: EntryMetadata, *, kind: IncomeKind, pot: Pot, amount: int, place: Place = "cash"
    ) -> IncomeReceived:
        """Take what the club earned."""
        return self._record(IncomeReceived, metadata, kind=kind, pot=pot, place=place, amount=amount)

    def transfer_between_pots(
        self, metadata: EntryMetadata, *, source: Pot, target: Pot, amount: int
    ) -> PotTransferred:
        """Move cash from one pot to the other, as the meeting minuted. Raises `SamePot`, `InsufficientFunds`."""
        if source == target:
            raise SamePot
        return self._record(PotTransferred, metadata, source=source, target=target, amount=amount)

    def move_by_bank(
        self, metadata: EntryMetadata, *, direction: Literal["deposit", "withdrawal"], pot: Pot, amount: int
    ) -> BankDeposited | BankWithdrawn:
        """Take cash to the bank, or fetch it from there. Raises `InsufficientFunds`."""
        if direction == "deposit":
            return self.move_to_bank(metadata, pot=pot, amount=amount)
        return self.fetch_from_bank(metadata, pot=pot, amount=amount)

    def move_to_bank(self, metadata: EntryMetadata, *, pot: Pot, amount: int) -> BankDeposited:
        """Take cash to the bank. Raises `InsufficientFunds`."""
        return self._record(BankDeposited, metadata, pot=pot, amount=amount)

    def fetch_from_bank(self, metadata: EntryMetadata, *, pot: Pot, amount: int) -> BankWithdrawn:
        """Fetch cash from the bank. Raises `InsufficientFunds`."""
        return self._record(BankWithdrawn, metadata, pot=pot, amount=amount)

    def receive_advance(self, metadata: EntryMetadata, *, source: DonationSource, amount: int) -> AdvanceReceived:
        """Borrow capital for the revolving pot, free of interest."""
        return self._record(AdvanceReceived, metadata, advance=len(self.advances) + 1, source=source, amount=amount)

    def repay_advance(self, metadata: EntryMetadata, number: int, *, amount: int) -> AdvanceRepaid:
        """Give back some of an advance. Raises `AdvanceNotFound`, `BelowZero`, `InsufficientFunds`."""
        if number not in self.advances:
            raise AdvanceNotFound(advance=number)
        left = -self.balances.get(("revolving", "advances", number), 0) - amount
        return self._record(AdvanceRepaid, metadata, advance=number, amount=amount, outstanding=left)

    def reverse_entry(self, metadata: EntryMetadata, version: int, *, reason: ReversalReason) -> EntryReversed:
        """Undo an entry by posting its legs negated: once, and only if no later day falls below zero by it.

        Raises `EntryNotFound`, `AlreadyReversed`, `NotReversible`, `OutOfOrder`, `LiveRepayments`, `LoanChangedSince`,
        `RollChangedSince`, `InsufficientFunds`, `InsufficientSavings`.
        """
        event = self._live_entry(version)
        if not is_reversible(event):
            raise NotReversible(version=version, entry=event.name)
        return self._reverse(metadata, event, reason)

    def _live_entry(self, version: int) -> Event:
        """An entry that was not reversed. Raises `EntryNotFound`, `AlreadyReversed`."""
        if not 1 <= version <= self.version:
            raise EntryNotFound(version=version)
        if version in self.reversed_by:
            raise AlreadyReversed(version=version, reversed_by=self.reversed_by[version])
        return self.entries[version - 1]

    def _reverse(self, metadata: EntryMetadata, event: Event, reason: ReversalReason) -> EntryReversed:
        if metadata.on < event.on:
            raise OutOfOrder(on=metadata.on, earliest=event.on)
        self._refuse_loan_reversal(event)
        if isinstance(event, MemberLeft | MemberReturned):
            self._refuse_roll_reversal(event)
        return self._record(
            EntryReversed,
            metadata,
            reverses=event.version,
            entry=event.name,
            reason=reason,
            posted=negated(event.legs()),
            voucher=getattr(event, "voucher", None),
            member=getattr(event, "member", None),
            loan=getattr(event, "loan", None),
        )

    def undo_meeting(
        self, metadata: EntryMetadata, version: int, *, reason: ReversalReason, as_held: bool = False
    ) -> EntryReversed:
        """Undo a whole sheet in one act: all its live lines, last first, and then its attendance; its name is free
        again, the keys of its lines stay spent. `version` is that of its `MeetingHeld`.

        Dated as the meeting (`as_held`) or on `metadata.on`; a line with a day of its own is reversed no earlier than
        that. Raises what reversing each line raises, and `MeetingNotFound`.
        """
        held = self._live_entry(version)
        if not isinstance(held, MeetingHeld):
            raise MeetingNotFound(version=version)
        if as_held:
            metadata = msgspec.structs.replace(metadata, on=held.on)
        with self.one_act():
            for line in reversed(self._lines_of(held)):
                then = msgspec.structs.replace(metadata, on=max(metadata.on, line.on))
                if isinstance(line, LoanRequested):
                    self.reject_loan(then, line.loan)
                else:
                    self._reverse(then, line, reason)
            return self._reverse(metadata, held, reason)

    def _lines_of(self, held: MeetingHeld) -> list[Event]:
        """A sheet's live lines, in order, those of later resends too."""
        lines = {line.version: line for line in (*self._unnamed_lines_of(held), *self.lines_of(held.sheet))}
        return [line for _, line in sorted(lines.items()) if not self._is_undone(line)]

    def _unnamed_lines_of(self, held: MeetingHeld) -> Iterator[Event]:
        """Lines of older books do not name their sheet: they stand right before it, told at the same instant."""
        for event in self.entries.before(held.version):
            request = event.request
            if event.recorded_at != held.recorded_at or request is None or request == held.request or request.sheet:
                return
            yield event

    def _is_undone(self, event: Event) -> bool:
        is_rejected = isinstance(event, LoanRequested) and self.loans[event.loan].status == "rejected"
        return is_rejected or event.version in self.reversed_by

"""How a club keeps itself honest: meetings, counts, periods, offices, taking over old books, dissolution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from ledger.aggregates.books import Books
from ledger.aggregates.log import EntryMetadata
from ledger.chart import ASSETS, POTS, Key, Leg, Legs
from ledger.events import (
    AttendanceCorrected,
    CashCounted,
    Draw,
    FundDissolved,
    InspectionMade,
    Item,
    MeetingHeld,
    OfficeLeft,
    OfficeTaken,
    OldLoan,
    OpeningAdvance,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    OpeningBooks,
    OpeningLoan,
    OpeningPot,
    OpeningSavings,
    PeriodClosed,
    PeriodReopened,
    drawn,
)
from ledger.events.governance import CERTIFIED, CountedPot, CountReason, Office
from ledger.events.inspections import InspectionKind
from ledger.events.money import DonationSource
from ledger.money import MAX_MONTHLY_RATE_PPM
from ledger.refusals import (
    BooksHaveBegun,
    EntryNotFound,
    FutureDay,
    GuarantorIsBorrower,
    LoanHasEntries,
    MeetingNotFound,
    NamedTwice,
    NobodyPresent,
    NoOpeningBalances,
    NotesDoNotAddUp,
    NothingToClose,
    OfficeHeldAlready,
    OfficeNotHeld,
    OpeningLoanImplausible,
    OutOfOrder,
    PeriodNotClosed,
    RateAboveLegalCeiling,
    StillOwed,
)


def _difference(stood: OpeningBooks, corrected: OpeningBooks) -> Legs:
    """What turns one declaration of the old books into another, by account."""
    sums: Counter[Key] = Counter()
    for sign, books in ((-1, stood), (1, corrected)):
        for leg in books.opening_legs():
            sums[leg.pot, leg.account, leg.of] += sign * leg.amount
    return tuple(Leg(*key[:2], amount, key[2]) for key, amount in sorted(sums.items(), key=str) if amount)


SEVERAL_HOLDERS = frozenset({"volunteer"})
"""Offices that many may hold at once; of the others there is one each."""


class Governance(Books):
    """Decisions about the club as such."""

    # --- meetings and counts --------------------------------------------------------------------------------------

    def hold_meeting(
        self,
        metadata: EntryMetadata,
        *,
        sheet: str,
        present: Sequence[int],
        by_proxy: Sequence[int] = (),
        opening_cash: int | None = None,
        closing_cash: int | None = None,
        book_opening: int,
        refused: dict[str, str] | None = None,
    ) -> MeetingHeld | None:
        """Keep the attendance of a meeting, after its lines; once for each paper sheet, None from then on.

        `book_opening` is the cash in the books before the lines. Raises `NobodyPresent`, `NamedTwice`,
        `MemberNotFound`, `MemberNotOnRoll`.
        """
        if sheet in self.meetings:
            return None
        return self._record(
            MeetingHeld,
            metadata,
            meeting=self.meetings_held + 1,
            sheet=sheet,
            **self._attendance(metadata.on, present, by_proxy),
            opening_cash=opening_cash,
            closing_cash=closing_cash,
            book_opening=book_opening,
            book_closing=self.cash_at(metadata.on),
            refused=refused,
        )

    def _attendance(self, on: date, present: Sequence[int], by_proxy: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Who came, who sent somebody, and who of the roll of the day was absent."""
        if not present:
            raise NobodyPresent
        named = [*present, *by_proxy]
        for number in named:
            self._member_on_roll(number, on)
            if named.count(number) > 1:
                raise NamedTwice(member=number)
        on_roll = (member.number for member in self.members.values() if member.is_on_roll(on))
        absent = tuple(sorted(set(on_roll) - set(named)))
        return {"present": tuple(present), "by_proxy": tuple(by_proxy), "absent": absent}

    def correct_attendance(
        self, metadata: EntryMetadata, version: int, *, present: Sequence[int], by_proxy: Sequence[int] = ()
    ) -> AttendanceCorrected:
        """Note anew who came to a meeting, named by the version of its `MeetingHeld`; dated as the meeting. Raises
        `MeetingNotFound`, `NobodyPresent`, `NamedTwice`, `MemberNotFound`, `MemberNotOnRoll`."""
        held = self.entries[version - 1] if 1 <= version <= self.version else None
        known = self.meetings.get(held.sheet) if isinstance(held, MeetingHeld) else None
        if not isinstance(held, MeetingHeld) or known is None or known.version != version:
            raise MeetingNotFound(version=version)
        then = msgspec.structs.replace(metadata, on=held.on)
        attendance = self._attendance(held.on, present, by_proxy)
        return self._record(AttendanceCorrected, then, of=version, sheet=held.sheet, **attendance)

    def count_cash(
        self,
        metadata: EntryMetadata,
        *,
        reason: CountReason,
        counted: int,
        pot: CountedPot = "both",
        notes: dict[str, int] | None = None,
        witnesses: Sequence[int] = (),
    ) -> CashCounted:
        """Certify the box: what was counted, what the books expected, and the difference, which is posted.

        Raises `NotesDoNotAddUp`, `NamedTwice`, `MemberNotFound`, `MemberNotOnRoll`.
        """
        if notes is not None:
            total = sum(int(denomination) * quantity for denomination, quantity in notes.items())
            if total != counted:
                raise NotesDoNotAddUp(notes_total=total, counted=counted)
        for number in witnesses:
            self._member_on_roll(number, metadata.on)
            if list(witnesses).count(number) > 1:
                raise NamedTwice(member=number)
        expected = self.cash_at(metadata.on, pot)
        short = max(expected - counted, 0)
        bearable = self._lowest_cash("activity", metadata.on)
        return self._record(
            CashCounted,
            metadata,
            pot=pot,
            counted=counted,
            expected=expected,
            difference=counted - expected,
            reason=reason,
            witnesses=tuple(witnesses),
            notes=notes,
            from_revolving=max(short - bearable, 0),
        )

    # --- periods --------------------------------------------------------------------------------------------------

    def close_period(self, metadata: EntryMetadata, *, through: date) -> PeriodClosed:
        """Close the books up to and including `through`, with the balances they certify.

        Raises `NothingToClose`, `FutureDay`.
        """
        if through > metadata.on:
            raise FutureDay(on=through, today=metadata.on)
        if self.closed_through and through <= self.closed_through:
            raise NothingToClose(closed_through=self.closed_through)
        balances = (
            Leg(pot, account, amount)
            for pot in POTS
            for account in CERTIFIED
            if (amount := self._balance_at(pot, account, through))
        )
        return self._record(PeriodClosed, metadata, through=through, balances=tuple(balances))

    def reopen_period(self, metadata: EntryMetadata, *, since: date) -> PeriodReopened:
        """Let the days from `since` on take entries again. Raises `PeriodNotClosed`."""
        if not self.closed_through or since > self.closed_through:
            raise PeriodNotClosed(since=since)
        return self._record(PeriodReopened, metadata, since=since, closed_through=since - timedelta(days=1))

    # --- offices --------------------------------------------------------------------------------------------------

    def take_office(
        self, metadata: EntryMetadata, *, member: int, office: Office, until: date | None = None
    ) -> OfficeTaken | OfficeLeft:
        """Put a member in an office, or end it: naming the holder again with `until` ends it on that day.

        Of most offices there is one: whoever held it leaves it on the same day. Raises `MemberNotFound`,
        `MemberNotOnRoll`, `OfficeHeldAlready`, `OutOfOrder`.
        """
        holds = (office, member) in self.offices
        if holds and until:
            return self.leave_office(msgspec.structs.replace(metadata, on=until), member=member, office=office)
        if holds:
            raise OfficeHeldAlready(member=member, office=office)
        self._member_on_roll(member, metadata.on)
        if until and until < metadata.on:
            raise OutOfOrder(on=until, earliest=metadata.on)
        if office not in SEVERAL_HOLDERS:
            for predecessor in [holder for held, holder in self.offices if held == office]:
                self.leave_office(metadata, member=predecessor, office=office)
        return self._record(OfficeTaken, metadata, member=member, office=office, until=until)

    def leave_office(self, metadata: EntryMetadata, *, member: int, office: Office) -> OfficeLeft:
        """End a member's office. Raises `OfficeNotHeld`, `OutOfOrder`."""
        if (office, member) not in self.offices:
            raise OfficeNotHeld(member=member, office=office)
        since = self.in_office_since[office, member]
        if metadata.on < since:
            raise OutOfOrder(on=metadata.on, earliest=since)
        return self._record(OfficeLeft, metadata, member=member, office=office)

    # --- the beginning and the end --------------------------------------------------------------------------------

    def declare_opening_balances(
        self,
        metadata: EntryMetadata,
        *,
        revolving: OpeningPot,
        activity: OpeningPot,
        equipment: Sequence[Item] = (),
        savings: Sequence[OpeningSavings] = (),
        loans: Sequence[OldLoan] = (),
        advances: Sequence[tuple[DonationSource, int]] = (),
        document: str | None = None,
    ) -> OpeningBalancesDeclared:
        """Take over an old club's books: once, before any other money; equity is the difference.

        Loans keep the terms of the bylaws in force; advances are given by source and amount. Raises `BooksHaveBegun`,
        `MemberNotFound`, `NamedTwice`, `OpeningLoanImplausible`, `NoBylawsInForce`.
        """
        if self.begun_by:
            raise BooksHaveBegun(version=self.begun_by)
        declared = self._opening_books(
            metadata.on,
            revolving=revolving,
            activity=activity,
            equipment=equipment,
            savings=savings,
            loans=loans,
            advances=advances,
            document=document,
        )
        return self._record(OpeningBalancesDeclared, metadata, **declared)

    def _opening_books(
        self,
        on: date,
        *,
        revolving: OpeningPot,
        activity: OpeningPot,
        equipment: Sequence[Item] = (),
        savings: Sequence[OpeningSavings] = (),
        loans: Sequence[OldLoan] = (),
        advances: Sequence[tuple[DonationSource, int]] = (),
        document: str | None = None,
    ) -> dict[str, Any]:
        """The old books as their event tells them, if they can be true."""
        savers = [saved.member for saved in savings]
        for number in savers:
            self.member(number)
            if savers.count(number) > 1:
                raise NamedTwice(member=number)
        for loan in loans:
            self._refuse_implausible(loan, on)
        bylaws, first = self.bylaws_on(on), self.loans_told + 1
        return {
            "revolving": revolving,
            "activity": activity,
            "equipment": tuple(equipment),
            "savings": tuple(savings),
            "loans": tuple(OpeningLoan.of(old, number, bylaws) for number, old in enumerate(loans, first)),
            "advances": tuple(OpeningAdvance(number, *lent) for number, lent in enumerate(advances, 1)),
            "document": document,
        }

    def correct_opening_balances(
        self, metadata: EntryMetadata, *, loans: Sequence[OldLoan] = (), **books: Any
    ) -> OpeningBalancesCorrected:
        """Put right what was taken over: the whole declaration as it should have been, on the opening day; the
        difference is posted on that day. Loans are matched by their place in the list, new ones come last.

        Raises `NoOpeningBalances`, `OutOfOrder`, `LoanHasEntries` where a loan with entries of its own would change,
        and what declaring them raises.
        """
        if self.old_books is None:
            raise NoOpeningBalances
        if metadata.on != self.old_books.on:
            raise OutOfOrder(on=metadata.on, earliest=self.old_books.on)
        declared = self._opening_books(metadata.on, loans=loans, **books)
        numbers = [old.loan for old in self.old_books.loans]
        numbers += range(self.loans_told + 1, self.loans_told + 1 + len(loans) - len(numbers))
        declared["loans"] = tuple(
            msgspec.structs.replace(loan, loan=number) for loan, number in zip(declared["loans"], numbers, strict=False)
        )
        self._refuse_changing_loans_in_use(declared["loans"])
        posted = _difference(self.old_books, msgspec.structs.replace(self.old_books, **declared))
        return self._record(OpeningBalancesCorrected, metadata, posted=posted, **declared)

    def _refuse_changing_loans_in_use(self, loans: Sequence[OpeningLoan]) -> None:
        assert self.old_books
        declared = {loan.loan: loan for loan in loans}
        for old in self.old_books.loans:
            loan = self.loans[old.loan]
            own = loan.repayments.keys() - self.openings
            if declared.get(old.loan) != old and (own or loan.reschedulings or loan.recoveries):
                raise LoanHasEntries(loan=old.loan, version=min((*own, *(r.version for r in loan.reschedulings))))

    def _refuse_implausible(self, loan: OldLoan, on: date) -> None:
        self.member(loan.member)
        if loan.guarantor is not None:
            self.member(loan.guarantor)
            if loan.guarantor == loan.member:
                raise GuarantorIsBorrower(member=loan.member)
        if (loan.own_rate_ppm or 0) > MAX_MONTHLY_RATE_PPM:
            raise RateAboveLegalCeiling(rate_ppm=loan.own_rate_ppm, ceiling_ppm=MAX_MONTHLY_RATE_PPM)
        if loan.disbursed_on > on or not 0 < loan.outstanding <= loan.principal:
            raise OpeningLoanImplausible(
                member=loan.member,
                outstanding=loan.outstanding,
                principal=loan.principal,
                disbursed_on=loan.disbursed_on,
            )

    def note_inspection(
        self, metadata: EntryMetadata, *, kind: InspectionKind, sample: Draw | None = None
    ) -> InspectionMade:
        """Keep that an inspector came. A sample is drawn here, never brought along. Raises `EntryNotFound`."""
        if sample and sample.known_version and sample.known_version > self.version:
            raise EntryNotFound(version=sample.known_version)
        return self._record(InspectionMade, metadata, kind=kind, sample=drawn(sample, self.entries) if sample else None)

    def dissolve(self, metadata: EntryMetadata, *, document: str | None = None) -> FundDissolved:
        """Wind the fund up and hand over what is left. Raises `StillOwed`, `OutOfOrder`."""
        if self.latest_on and metadata.on < self.latest_on:
            raise OutOfOrder(on=metadata.on, earliest=self.latest_on)
        open_sums = {
            account: abs(sum(amount for (_, its_account, _), amount in self.balances.items() if its_account == account))
            for account in ("loans", "savings", "advances")
        }
        for account, amount in open_sums.items():
            if amount:
                raise StillOwed(account=account, amount=amount)
        remainder = (
            Leg(pot, account, amount)
            for (pot, account, _), amount in sorted(self.balances.items(), key=lambda item: item[0][:2])
            if account in ASSETS and amount
        )
        return self._record(FundDissolved, metadata, remainder=tuple(remainder), document=document)

"""A fund's state: all that its events make of it, and what is asked of that. Decisions rest on it and never change it.

The chain and the requests answered before are any log's (`log.py`); here are the balances by day, the vouchers, the
roll, the loan book, the meetings, counts and offices.
"""

from __future__ import annotations

from array import array
from bisect import insort
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, Self

import msgspec

from ledger.aggregates import parts, usual
from ledger.aggregates.duplicates import SaidOnDay
from ledger.aggregates.entries import Runs, with_next
from ledger.aggregates.loan import Conditions, Loan
from ledger.aggregates.log import Log
from ledger.aggregates.member import Member
from ledger.aggregates.pages import Pages
from ledger.aggregates.parts import DuesPaid, Meeting
from ledger.aggregates.posting import VOUCHERS, Moved, by_account
from ledger.chart import NEVER_NEGATIVE, POTS, Account, Key, Pot
from ledger.days import DailyBalance
from ledger.events import (
    AttendanceCorrected,
    Bylaws,
    Event,
    FundOpened,
    LoanApproved,
    LoanRequested,
    MeetingHeld,
    MemberChanged,
    MemberJoined,
    OfficeTaken,
    OpeningBooks,
    PlaceChanged,
)
from ledger.events.governance import CountedPot
from ledger.refusals import LoanNotFound, MemberNotFound, MemberNotOnRoll, NoBylawsInForce
from ledger.terms import Repayment

OPEN_AS_ONE: Final = 3
"""How many loans, days and the like, unpacked, take as much memory as one entry."""


class State(Log):
    """What a fund's events have made of it."""

    opened: FundOpened

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        self.balances: Pages[Key, int] = Pages(parts.BALANCES)
        self.daily: Pages[Key, DailyBalance] = Pages(parts.DAILY)
        self.last_vouchers: dict[str, str] = {}
        self.reversed_by: Pages[int, int] = Pages(parts.REVERSED)
        # Of wrong entries that count until a later day: their own, and that of the reversal.
        self.reversed_later: dict[int, tuple[date, date]] = {}
        # The lines of each meeting's sheet, and the entries of each day.
        self.sheets: Pages[str, Runs] = Pages(parts.SHEETS)
        self.days: Pages[date, Runs] = Pages(parts.DAYS)
        # The run that the last entry belongs to is no part of that yet: its day, and where it begins.
        self.run_on: date | None = None
        self.run_from = 1
        self.latest_on: date | None = None
        self.latest_amounts: Pages[str, bytearray] = Pages(parts.AMOUNTS)
        self.said = SaidOnDay()
        # What its state took when it was last packed.
        self.packed_bytes = 0
        # After a trial was forked off, or of a trial: the accounts whose balances by day are no longer shared.
        self.copied: set[Key] | None = None
        self.closed_through: date | None = None
        self.taken_over_on: date | None = None
        self.dissolved: Event | None = None
        self.bylaws: list[tuple[date, int, Bylaws]] = []
        self.places: list[tuple[date, int, FundOpened | PlaceChanged]] = []
        # Members and loans are numbered from 1 on: how many there ever were.
        self.members: Pages[int, Member] = Pages(parts.MEMBERS)
        self.members_told = 0
        # By member and month: dues that were paid, and the day on which they were forgiven.
        self.dues_paid: Pages[tuple[int, str], DuesPaid] = Pages(parts.DUES)
        self.forgiven_dues: dict[tuple[int, str], date] = {}
        self.loans: Pages[int, Loan] = Pages(parts.LOANS)
        self.loans_told = 0
        # By loan: from which day on it is over, as `date.toordinal()` counts, 0 for none.
        self.over_from = array("i")
        self.meetings: Pages[str, Meeting] = Pages(parts.MEETINGS)
        self.meetings_held = 0
        # The days that were counted, by the version of the count.
        self.counts: dict[int, date] = {}
        # The first entry that moved money, or took old books over; and all that took over or corrected those.
        self.begun_by: int | None = None
        self.old_books: OpeningBooks | None = None
        self.openings: set[int] = set()
        self.offices: set[tuple[str, int]] = set()
        # The day on which a member last took an office, and who last took each.
        self.in_office_since: dict[tuple[str, int], date] = {}
        self.last_holders: dict[str, int] = {}

    # --- replay ---------------------------------------------------------------------------------------------------

    def _take_in(self, event: Event) -> None:
        event.evolve(self)
        if legs := event.legs():
            self.begun_by = self.begun_by or event.version
            day = event.on.toordinal()
            for leg in legs:
                self._post((leg.pot, leg.account, leg.of), leg.amount, (day, leg.amount))
        self._note(event)

    def _take_in_all(self, events: Sequence[Event]) -> None:
        # One thing after the other for all of them, postings by account: half the time that it takes event by event.
        super()._take_in_all(events)
        self.begun_by = self.begun_by or next((event.version for event in events if event.legs()), None)
        for key, moved in by_account(events).items():
            self._post(key, sum(moved[1::2]), moved)
        for event in events:
            self._note(event)

    def _post(self, key: Key, amount: int, moved: Moved) -> None:
        self.balances[key] += amount
        if key[1] in NEVER_NEGATIVE:
            try:
                daily = self.daily[key]
            except KeyError:
                daily = self.daily[key] = DailyBalance()
            if self.copied is not None and key not in self.copied:  # A fund and its trial share it.
                self.copied.add(key)
                daily = self.daily[key] = daily.copy()
            daily.add_all(moved)

    def _note(self, event: Event) -> None:
        """Keep where an event stands among those of its day, its sheet, its vouchers and its kind."""
        version, on = event.version, event.on
        if on != self.run_on:
            self._begin_run(on, version)
        if on == self.said.day:
            self.said.add(event)
        if (request := event.request) and (sheet := request.sheet):
            self.sheets[sheet] = with_next(self.sheets[sheet], version)
        if type(event) in VOUCHERS and (voucher := event.voucher):  # type: ignore[attr-defined]  # It has one.
            self.last_vouchers[voucher[:8]] = voucher
        if kind := usual.kind_of(event):
            usual.note(self.latest_amounts, kind, version, event.amount)  # type: ignore[attr-defined]  # It is ordinary.

    def _begin_run(self, on: date, version: int) -> None:
        if ended := self.run_on:
            self.days[ended] = (*self.days[ended], self.run_from, version - 1)
        self.run_on, self.run_from = on, version
        if self.latest_on is None or on > self.latest_on:
            self.latest_on = on

    def versions_on(self, day: date) -> Runs:
        """The versions of a day's entries."""
        return (*self.days[day], self.run_from, self.version) if day == self.run_on else self.days[day]

    def fork(self) -> Self:
        twin = super().fork()
        self.copied, twin.copied = set(), set()
        twin.said = self.said.copy()
        return twin

    @property
    def weight(self) -> int:
        paged = (self.balances, self.daily, self.days, self.members, self.dues_paid, self.loans)
        lying_open = sum(mapping.count_open() for mapping in paged) + len(self.requests)
        return super().weight + self.packed_bytes // 1_000 + lying_open // OPEN_AS_ONE

    def possible_duplicate(self, event: Event) -> int | None:
        """The version of an earlier live entry of the same day that says the same: after "did it save?" it is worth
        a question, though two like facts may both be true."""
        if self.said.day != event.on:
            self.said.begin(event.on, self.entries.of(self.versions_on(event.on)))
        alike = (version for version in self.said.alike(event) if version < event.version)
        return next((version for version in alike if version not in self.reversed_by), None)

    def entries_after(self, day: date) -> Iterator[Event]:
        """The entries of all days after one."""
        if self.latest_on and day < self.latest_on:
            for on in {*self.days, self.run_on}:
                if on and on > day:
                    yield from self.entries.of(self.versions_on(on))

    def strike(self, wrong: Event, reversal: Event) -> None:
        """Note that an entry was reversed; where that counts from a later day on, it counts until then."""
        self.reversed_by[wrong.version] = reversal.version
        if wrong.on < reversal.on:
            self.reversed_later[wrong.version] = (wrong.on, reversal.on)

    def lines_of(self, sheet: str) -> Iterator[Event]:
        """The lines of a meeting's sheet, those of older ones of this name too that were undone."""
        return self.entries.of(self.sheets[sheet])

    # --- meetings, dues and offices -------------------------------------------------------------------------------

    def meet(self, held: MeetingHeld) -> None:
        """Keep that a meeting was held."""
        self.meetings[held.sheet] = Meeting(held.version, held.on, held.meeting)
        self.meetings_held = held.meeting

    def meeting_of(self, sheet: str) -> MeetingHeld | None:
        """The meeting of a sheet, unless it is undone, with those who came as they were noted last."""
        if (known := self.meetings.get(sheet)) is None:
            return None
        held = self.entries[known.version - 1]
        assert isinstance(held, MeetingHeld)
        if known.corrected_by is None:
            return held
        noted = self.entries[known.corrected_by - 1]
        assert isinstance(noted, AttendanceCorrected)
        return msgspec.structs.replace(held, present=noted.present, by_proxy=noted.by_proxy, absent=noted.absent)

    def meetings_on(self, day: date) -> list[MeetingHeld]:
        """The meetings of a day that are not undone, in order."""
        told = (event.sheet for event in self.entries.of(self.versions_on(day)) if isinstance(event, MeetingHeld))
        return [held for sheet in dict.fromkeys(told) if (held := self.meeting_of(sheet)) and held.on == day]

    def pay_dues(self, version: int, member: int, month: str, amount: int) -> None:
        """Keep dues that were paid for a month."""
        paid = self.dues_paid[member, month]
        self.dues_paid[member, month] = DuesPaid(paid.amount + amount, (*paid.versions, version))

    def unpay_dues(self, version: int, member: int, month: str, amount: int) -> None:
        """Take dues back whose entry was wrong."""
        paid = self.dues_paid[member, month]
        live = tuple(each for each in paid.versions if each != version)
        self.dues_paid[member, month] = DuesPaid(paid.amount - amount, live)

    def install(self, taken: OfficeTaken) -> None:
        """Put a member in an office."""
        self.offices.add((taken.office, taken.member))
        self.in_office_since[taken.office, taken.member] = taken.on
        self.last_holders[taken.office] = taken.member

    # --- the roll -------------------------------------------------------------------------------------------------

    def adopt(self, on: date, bylaws: Bylaws) -> None:
        """Keep bylaws by the day they come into force; of two on one day the later recorded holds."""
        insort(self.bylaws, (on, len(self.bylaws), bylaws))

    def settle(self, told: FundOpened | PlaceChanged) -> None:
        """Keep where the club lies by the day from which it does; of two on one day the later recorded holds."""
        insort(self.places, (told.on, told.version, told))

    def place_on(self, day: date) -> FundOpened | PlaceChanged:
        """What says where the club lay on `day`, from its opening on."""
        return next(told for on, _, told in reversed(self.places) if on <= day)

    def enrol(self, joined: MemberJoined) -> None:
        """Put a new member on the roll."""
        self.members_told = max(self.members_told, joined.member)
        self.members[joined.member] = Member.of(joined)

    def change(self, changed: MemberChanged) -> None:
        """Take over what is known of a member now."""
        self.members[changed.member] = self.members[changed.member].changed(changed)

    def depart(self, number: int, on: date) -> None:
        """Take a member off the roll from a day on."""
        self.members[number] = msgspec.structs.replace(self.members[number], left_on=on)

    def undo_departure(self, number: int) -> None:
        """Put a member on the roll as if they had never left."""
        self.members[number] = msgspec.structs.replace(self.members[number], left_on=None)

    def welcome_back(self, number: int, on: date) -> None:
        """Put a former member on the roll again, under the same number."""
        member = self.members[number]
        assert member.left_on
        absences = (*member.absences, (member.left_on, on))
        self.members[number] = msgspec.structs.replace(member, left_on=None, absences=absences)

    def undo_return(self, number: int) -> None:
        """Take a member off the roll as before they came back."""
        member = self.members[number]
        *before, (left_on, _) = member.absences
        self.members[number] = msgspec.structs.replace(member, left_on=left_on, absences=tuple(before))

    def bylaws_on(self, day: date) -> Bylaws:
        """The bylaws in force on `day`. Raises `NoBylawsInForce`."""
        in_force = [bylaws for on, _, bylaws in self.bylaws if on <= day]
        if not in_force:
            raise NoBylawsInForce(on=day)
        return in_force[-1]

    def member(self, number: int) -> Member:
        """A member by number, whether still on the roll or not. Raises `MemberNotFound`."""
        if number not in self.members:
            raise MemberNotFound(member=number)
        return self.members[number]

    def _member_on_roll(self, number: int, day: date) -> Member:
        member = self.member(number)
        if not member.is_on_roll(day):
            raise MemberNotOnRoll(member=number, on=day)
        return member

    # --- the loan book --------------------------------------------------------------------------------------------

    def open_loan(self, requested: LoanRequested) -> None:
        """Enter a request in the loan book."""
        self.enter_loan(
            Loan(
                number=requested.loan,
                member=requested.member,
                principal=requested.principal,
                term_months=requested.term_months,
                purpose=requested.purpose,
                requested_on=requested.on,
            )
        )

    def grant(self, approved: LoanApproved) -> None:
        """Keep the terms that a loan was granted on."""
        loan = self.loans[approved.loan]
        self.loans[approved.loan] = msgspec.structs.replace(loan, conditions=Conditions.of(approved))

    def enter_loan(self, loan: Loan) -> None:
        """Enter a loan in the loan book."""
        self.loans[loan.number] = loan
        self.loans_told = max(self.loans_told, loan.number)

    def note_loans_over(self) -> None:
        """Bring up to date from when on each loan is over: of those that are packed, that is known without looking."""
        self.over_from.extend([0] * (self.loans_told - len(self.over_from)))
        for number, loan in self.loans.lying_open.items():
            self.over_from[number - 1] = loan.over_from.toordinal() if loan.over_from else 0

    def loans_not_over(self, day: date) -> Iterator[Loan]:
        """The loans that were not over by a day: paid back, written off or rejected."""
        ordinal = day.toordinal()
        self.note_loans_over()
        return (self.loans[number] for number, over in enumerate(self.over_from, 1) if not over or over > ordinal)

    def loan(self, number: int) -> Loan:
        """A loan by number. Raises `LoanNotFound`."""
        if number not in self.loans:
            raise LoanNotFound(loan=number)
        return self.loans[number]

    def take_over(self, opening: OpeningBooks) -> None:
        """Enter the loans of an old book as they stood; of one that was corrected, those that are told otherwise."""
        before = {old.loan: old for old in self.old_books.loans} if self.old_books else {}
        self.taken_over_on, self.old_books = opening.on, opening
        self.openings.add(opening.version)
        self.begun_by = self.begun_by or opening.version
        for gone in before.keys() - {old.loan for old in opening.loans}:
            self.loans[gone] = msgspec.structs.replace(self.loans[gone], disbursed_on=None, rejected_on=opening.on)
        for old in opening.loans:
            if before.get(old.loan) == old:
                continue
            repaid = Repayment(opening.on, old.principal - old.outstanding, 0)
            self.enter_loan(
                Loan(
                    number=old.loan,
                    member=old.member,
                    principal=old.principal,
                    term_months=old.term_months,
                    purpose=old.purpose,
                    requested_on=old.disbursed_on,
                    conditions=Conditions.of(old),
                    disbursed_on=old.disbursed_on,
                    repayments={opening.version: repaid} if repaid.principal else {},
                    taken_over_on=opening.on,
                )
            )

    @property
    def advances(self) -> set[int]:
        """The numbers of all advances the club has ever taken."""
        return {int(number) for _, account, number in self.balances if account == "advances" and number is not None}

    # --- the boxes ------------------------------------------------------------------------------------------------

    def cash_at(self, day: date, pot: CountedPot = "both") -> int:
        """What the books say lies in the cash box at the end of `day`, in đồng."""
        boxes = (self._box(each) for each in (POTS if pot == "both" else (pot,)))
        return sum(box.at(day) for box in boxes if box)

    def _box(self, pot: Pot) -> DailyBalance | None:
        box: DailyBalance | None = self.daily.get((pot, "cash", None))
        return box

    def _balance_at(self, pot: Pot, account: Account, day: date) -> int:
        kept = (daily for key, daily in self.daily.items() if key[:2] == (pot, account))
        return sum(daily.at(day) for daily in kept)

    def _lowest_cash(self, pot: Pot, on: date) -> int:
        """The least that the pot's box holds at the end of any day from `on`."""
        box = self._box(pot)
        return box.worst_from(on, 1)[0] if box else 0

"""The bylaws and the roll: who may decide what, and who is a member (`domain.md` §1 and §3)."""

from __future__ import annotations

from typing import Any

from ledger.aggregates.books import Books
from ledger.aggregates.log import EntryMetadata
from ledger.events import (
    Bylaws,
    BylawsAdopted,
    ContributionReceived,
    DuesForgiven,
    Event,
    FundOpened,
    LoanApproved,
    LoanDisbursed,
    LoanRequested,
    MeetingHeld,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    OfficeTaken,
    PlaceChanged,
)
from ledger.events.club import PRACTICE, place_of
from ledger.money import MAX_MONTHLY_RATE_PPM
from ledger.refusals import (
    AlreadyLeft,
    BirthYearImplausible,
    FundExists,
    NothingChanged,
    OutOfOrder,
    PracticeCodeNeeded,
    PracticeCodeReserved,
    RateAboveLegalCeiling,
    RollChangedSince,
    StillMember,
)

ACTS_OF_MEMBERS = (ContributionReceived, LoanRequested, LoanApproved, LoanDisbursed, OfficeTaken)
"""What only somebody on the roll does, or has done for them."""

OLDEST_AGE = 120
"""No older birth year is believed."""


def acting_members(event: Event) -> frozenset[int]:
    """The members who had to be on the roll for an event."""
    if isinstance(event, MeetingHeld):
        return frozenset((*event.present, *event.by_proxy))
    return frozenset((event.member,)) if isinstance(event, ACTS_OF_MEMBERS) else frozenset()


class Roll(Books):
    """Decisions about the club and its members."""

    def open(self, metadata: EntryMetadata, *, bylaws: Bylaws, **club: Any) -> FundOpened:
        """Open the fund, with the bylaws it starts under; one for `practice` has a code that says so. Raises
        `FundExists`, `PracticeCodeNeeded`, `PracticeCodeReserved`, `RateAboveLegalCeiling`."""
        if self.version:
            raise FundExists(fund=self.id)
        practice, says_so = club.get("practice", False), self.id.startswith(PRACTICE)
        if practice and not says_so:
            raise PracticeCodeNeeded(begins=PRACTICE)
        if says_so and not practice:
            raise PracticeCodeReserved(begins=PRACTICE)
        self._refuse_usury(bylaws)
        opened = self._record(FundOpened, metadata, **club)
        self._record(BylawsAdopted, metadata, bylaws=bylaws)
        return opened

    def adopt_bylaws(self, metadata: EntryMetadata, bylaws: Bylaws) -> BylawsAdopted:
        """Put a new set of bylaws in force from the entry's day. Raises `RateAboveLegalCeiling`."""
        self._refuse_usury(bylaws)
        return self._record(BylawsAdopted, metadata, bylaws=bylaws)

    def change_place(
        self,
        metadata: EntryMetadata,
        *,
        commune: str,
        province: str,
        district: str | None = None,
        document: str | None = None,
    ) -> PlaceChanged:
        """The club lies elsewhere from the metadata's day, or its commune has another name. Raises `NothingChanged`."""
        self._refuse_day(PlaceChanged, metadata.on)
        if place_of(self.place_on(metadata.on)) == (commune, district, province):
            raise NothingChanged
        return self._record(
            PlaceChanged, metadata, commune=commune, district=district, province=province, document=document
        )

    @staticmethod
    def _refuse_usury(bylaws: Bylaws) -> None:
        if bylaws.monthly_rate_ppm > MAX_MONTHLY_RATE_PPM:
            raise RateAboveLegalCeiling(rate_ppm=bylaws.monthly_rate_ppm, ceiling_ppm=MAX_MONTHLY_RATE_PPM)

    def join(self, metadata: EntryMetadata, *, birth_year: int, **person: Any) -> MemberJoined:
        """Put a member on the roll, under the next number. Raises `BirthYearImplausible`."""
        self._refuse_birth_year(metadata, birth_year)
        return self._record(MemberJoined, metadata, member=self.members_told + 1, birth_year=birth_year, **person)

    def change_member(self, metadata: EntryMetadata, number: int, **changes: Any) -> MemberChanged:
        """Change what is known of a member. Raises `MemberNotFound`, `NothingChanged`, `OutOfOrder`."""
        member = self.member(number)
        if not changes and not metadata.texts:
            raise NothingChanged
        if metadata.on < member.joined_on:
            raise OutOfOrder(on=metadata.on, earliest=member.joined_on)
        if "birth_year" in changes:
            self._refuse_birth_year(metadata, changes["birth_year"])
        return self._record(MemberChanged, metadata, member=number, **changes)

    @staticmethod
    def _refuse_birth_year(metadata: EntryMetadata, birth_year: int) -> None:
        if not metadata.on.year - OLDEST_AGE <= birth_year <= metadata.on.year:
            raise BirthYearImplausible(birth_year=birth_year, year=metadata.on.year)

    def leave(self, metadata: EntryMetadata, number: int, reason: str) -> MemberLeft:
        """Take a member off the roll; never refused for what they owe. Raises `MemberNotFound`, `AlreadyLeft`."""
        member = self.member(number)
        if member.left_on:
            raise AlreadyLeft(member=number, left_on=member.left_on)
        earliest = member.absences[-1][1] if member.absences else member.joined_on
        if metadata.on < earliest:
            raise OutOfOrder(on=metadata.on, earliest=earliest)
        return self._record(MemberLeft, metadata, member=number, reason=reason)

    def take_back(self, metadata: EntryMetadata, number: int) -> MemberReturned:
        """Put a former member on the roll again under the same number: debts, savings and "ever" go on. Raises
        `MemberNotFound`, `StillMember`, `OutOfOrder`."""
        member = self.member(number)
        if member.left_on is None:
            raise StillMember(member=number)
        if metadata.on < member.left_on:
            raise OutOfOrder(on=metadata.on, earliest=member.left_on)
        return self._record(MemberReturned, metadata, member=number)

    def forgive_dues(self, metadata: EntryMetadata, number: int, *, months: tuple[str, ...]) -> DuesForgiven:
        """Ask a member no longer for the dues of some months (`YYYY-MM`). Raises `MemberNotFound`, `NothingChanged`."""
        self.member(number)
        new = tuple(sorted({month for month in months if (number, month) not in self.forgiven_dues}))
        if not new:
            raise NothingChanged
        return self._record(DuesForgiven, metadata, member=number, months=new)

    def _refuse_roll_reversal(self, event: MemberLeft | MemberReturned) -> None:
        """A departure or a return is undone while nothing rests on it: no later one, and nobody on the roll by it."""
        later = (each for each in self.entries[event.version :] if each.version not in self.reversed_by)
        for each in later:
            if isinstance(each, MemberLeft | MemberReturned) and each.member == event.member:
                raise RollChangedSince(member=event.member, version=each.version)
            if isinstance(event, MemberReturned) and event.member in acting_members(each):
                raise RollChangedSince(member=event.member, version=each.version)

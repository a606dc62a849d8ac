"""The bylaws and the roll: who may decide what, and who is a member (`domain.md` §1 and §3)."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from datetime import date
from typing import Any

import msgspec

from ledger.aggregates.books import Books, Stamp
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
)
from ledger.money import MAX_MONTHLY_RATE_PPM
from ledger.refusals import (
    AlreadyLeft,
    BirthYearImplausible,
    FundExists,
    MemberNotFound,
    MemberNotOnRoll,
    NoBylawsInForce,
    NothingChanged,
    OutOfOrder,
    RateAboveLegalCeiling,
    RollChangedSince,
    StillMember,
)

ACTS_OF_MEMBERS = (ContributionReceived, LoanRequested, LoanApproved, LoanDisbursed, OfficeTaken)
"""What only somebody on the roll does, or has done for them."""

OLDEST_AGE = 120
"""No older birth year is believed."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as the fund knows them: by number. `absences` are the days they left and came back; `name` is the digest
    of the name in the register; `changed_on` the day of the latest change of each field, for a change may be told late;
    `households` what they belonged to, from which day."""

    number: int
    sex: str
    birth_year: int
    poverty: str
    household: str | None
    joined_on: date
    left_on: date | None = None
    absences: tuple[tuple[date, date], ...] = ()
    name: str | None = None
    changed_on: dict[str, date] = {}
    households: tuple[tuple[date, str], ...] = ()

    def is_on_roll(self, day: date) -> bool:
        """Whether they may still act as a member on `day`; the day of leaving is the last one."""
        was_away = any(left < day < returned for left, returned in self.absences)
        return self.joined_on <= day and (self.left_on is None or day <= self.left_on) and not was_away

    def member_since(self, day: date) -> date:
        """From when their membership of `day` counts: the day they joined, or last came back."""
        return max((returned for _, returned in self.absences if returned <= day), default=self.joined_on)

    def household_on(self, day: date) -> str | None:
        """The household they belonged to on `day`."""
        return next((household for since, household in reversed(self.households) if since <= day), None)


def acting_members(event: Event) -> frozenset[int]:
    """The members who had to be on the roll for an event."""
    if isinstance(event, MeetingHeld):
        return frozenset((*event.present, *event.by_proxy))
    return frozenset((event.member,)) if isinstance(event, ACTS_OF_MEMBERS) else frozenset()


class Roll(Books):
    """Decisions about the club and its members."""

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        self.bylaws: list[tuple[date, int, Bylaws]] = []
        self.members: dict[int, Member] = {}
        # By member and month: dues paid in đồng, and the day on which they were forgiven.
        self.dues_paid: Counter[tuple[int, str]] = Counter()
        self.forgiven_dues: dict[tuple[int, str], date] = {}

    # --- state ----------------------------------------------------------------------------------------------------

    def adopt(self, on: date, bylaws: Bylaws) -> None:
        """Keep bylaws by the day they come into force; of two on one day the later recorded holds."""
        insort(self.bylaws, (on, len(self.bylaws), bylaws))

    def enrol(self, joined: MemberJoined) -> None:
        """Put a new member on the roll."""
        self.members[joined.member] = Member(
            number=joined.member,
            sex=joined.sex,
            birth_year=joined.birth_year,
            poverty=joined.poverty,
            household=joined.household,
            joined_on=joined.on,
            name=(joined.texts or {}).get("name"),
            households=((joined.on, joined.household),) if joined.household else (),
        )

    def change(self, changed: MemberChanged) -> None:
        """Take over changed fields, and a changed name; a later day's change outlives an earlier one told after it."""
        changes: dict[str, Any] = changed.changes()
        if changed.texts and "name" in changed.texts:
            changes["name"] = changed.texts["name"]
        member = self.members[changed.member]
        known = member.changed_on
        news = {field: value for field, value in changes.items() if known.get(field, changed.on) <= changed.on}
        changed_on = known | dict.fromkeys(news, changed.on)
        moved = ((changed.on, changed.household),) if changed.household else ()
        households = tuple(sorted((*member.households, *moved), key=lambda since: since[0]))
        self.members[changed.member] = msgspec.structs.replace(
            member, **news, changed_on=changed_on, households=households
        )

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

    # --- decisions ------------------------------------------------------------------------------------------------

    def open(self, stamp: Stamp, *, bylaws: Bylaws, **club: Any) -> FundOpened:
        """Open the fund, with the bylaws it starts under. Raises `FundExists`, `RateAboveLegalCeiling`."""
        if self.version:
            raise FundExists(fund=self.id)
        self._refuse_usury(bylaws)
        opened = self._record(FundOpened, stamp, **club)
        self._record(BylawsAdopted, stamp, bylaws=bylaws)
        return opened

    def adopt_bylaws(self, stamp: Stamp, bylaws: Bylaws) -> BylawsAdopted:
        """Put a new set of bylaws in force from the stamp's day. Raises `RateAboveLegalCeiling`."""
        self._refuse_usury(bylaws)
        return self._record(BylawsAdopted, stamp, bylaws=bylaws)

    @staticmethod
    def _refuse_usury(bylaws: Bylaws) -> None:
        if bylaws.monthly_rate_ppm > MAX_MONTHLY_RATE_PPM:
            raise RateAboveLegalCeiling(rate_ppm=bylaws.monthly_rate_ppm, ceiling_ppm=MAX_MONTHLY_RATE_PPM)

    def join(self, stamp: Stamp, *, birth_year: int, **person: Any) -> MemberJoined:
        """Put a member on the roll, under the next number. Raises `BirthYearImplausible`."""
        self._refuse_birth_year(stamp, birth_year)
        return self._record(MemberJoined, stamp, member=len(self.members) + 1, birth_year=birth_year, **person)

    def change_member(self, stamp: Stamp, number: int, **changes: Any) -> MemberChanged:
        """Change what is known of a member. Raises `MemberNotFound`, `NothingChanged`, `OutOfOrder`."""
        member = self.member(number)
        if not changes and not stamp.texts:
            raise NothingChanged
        if stamp.on < member.joined_on:
            raise OutOfOrder(on=stamp.on, earliest=member.joined_on)
        if "birth_year" in changes:
            self._refuse_birth_year(stamp, changes["birth_year"])
        return self._record(MemberChanged, stamp, member=number, **changes)

    @staticmethod
    def _refuse_birth_year(stamp: Stamp, birth_year: int) -> None:
        if not stamp.on.year - OLDEST_AGE <= birth_year <= stamp.on.year:
            raise BirthYearImplausible(birth_year=birth_year, year=stamp.on.year)

    def leave(self, stamp: Stamp, number: int, reason: str) -> MemberLeft:
        """Take a member off the roll; never refused for what they owe. Raises `MemberNotFound`, `AlreadyLeft`."""
        member = self.member(number)
        if member.left_on:
            raise AlreadyLeft(member=number, left_on=member.left_on)
        earliest = member.absences[-1][1] if member.absences else member.joined_on
        if stamp.on < earliest:
            raise OutOfOrder(on=stamp.on, earliest=earliest)
        return self._record(MemberLeft, stamp, member=number, reason=reason)

    def take_back(self, stamp: Stamp, number: int) -> MemberReturned:
        """Put a former member on the roll again under the same number: debts, savings and "ever" go on. Raises
        `MemberNotFound`, `StillMember`, `OutOfOrder`."""
        member = self.member(number)
        if member.left_on is None:
            raise StillMember(member=number)
        if stamp.on < member.left_on:
            raise OutOfOrder(on=stamp.on, earliest=member.left_on)
        return self._record(MemberReturned, stamp, member=number)

    def forgive_dues(self, stamp: Stamp, number: int, *, months: tuple[str, ...]) -> DuesForgiven:
        """Ask a member no longer for the dues of some months (`YYYY-MM`). Raises `MemberNotFound`, `NothingChanged`."""
        self.member(number)
        new = tuple(sorted({month for month in months if (number, month) not in self.forgiven_dues}))
        if not new:
            raise NothingChanged
        return self._record(DuesForgiven, stamp, member=number, months=new)

    def _refuse_roll_reversal(self, event: MemberLeft | MemberReturned) -> None:
        """A departure or a return is undone while nothing rests on it: no later one, and nobody on the roll by it."""
        later = (each for each in self.entries[event.version :] if each.version not in self.reversed_by)
        for each in later:
            if isinstance(each, MemberLeft | MemberReturned) and each.member == event.member:
                raise RollChangedSince(member=event.member, version=each.version)
            if isinstance(event, MemberReturned) and event.member in acting_members(each):
                raise RollChangedSince(member=event.member, version=each.version)

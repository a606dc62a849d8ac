"""The bylaws and the roll: who may decide what, and who is a member (`domain.md` §1 and §3)."""

from __future__ import annotations

from bisect import insort
from datetime import date
from typing import Any

import msgspec

from ledger.aggregates.log import Stamp
from ledger.aggregates.member import Member
from ledger.aggregates.state import Books
from ledger.events import (
    Bylaws,
    BylawsAdopted,
    FundOpened,
    MemberChanged,
    MemberJoined,
    MemberLeft,
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
)

OLDEST_AGE = 120
"""No older birth year is believed."""


class Roll(Books):
    """Decisions about the club and its members."""

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        self.bylaws: list[tuple[date, int, Bylaws]] = []
        self.members: dict[int, Member] = {}

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
        self.members[changed.member] = msgspec.structs.replace(member, **news, changed_on=changed_on)

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
        if stamp.on < member.joined_on:
            raise OutOfOrder(on=stamp.on, earliest=member.joined_on)
        return self._record(MemberLeft, stamp, member=number, reason=reason)

"""The bylaws and the roll: who may decide what, and who is a member (`domain.md` §1 and §3)."""

from __future__ import annotations

from typing import Any

from ledger.aggregates.books import Books
from ledger.aggregates.log import Stamp
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
    NothingChanged,
    OutOfOrder,
    RateAboveLegalCeiling,
)

OLDEST_AGE = 120
"""No older birth year is believed."""


class Roll(Books):
    """Decisions about the club and its members."""

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

"""The club itself: its founding, its bylaws, its roll."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from ledger.events.base import Event
from ledger.terms import InterestMethod, RepaymentMode

if TYPE_CHECKING:
    from ledger.aggregates.state import State

Sex = Literal["female", "male"]
Poverty = Literal["poor", "near_poor", "hardship", "none"]
LeavingReason = Literal["moved", "resigned", "excluded", "died"]


def household_key(household: str) -> str:
    """What tells one household's code from another's: `H12` and `h12` are one, also where old lines have both."""
    return household.upper()


class Bylaws(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The club's own rules (quy chế), whole; amounts in đồng, rates in ppm a month (`domain.md` §4). Interest is a
    multiple of `interest_rounding` đồng."""

    monthly_rate_ppm: int
    interest_method: InterestMethod
    repayment_mode: RepaymentMode
    max_principal: int
    max_term_months: int
    min_membership_months: int
    one_open_loan_per_household: bool
    interest_to_activity_ppm: int
    monthly_dues: int
    meeting_day: int
    two_person_approval: bool
    interest_rounding: int = 1


PRACTICE: Final = "TAP-"
"""What the code of a club for practice begins with, and that of no other ("tập")."""


class FundOpened(Event, frozen=True, kw_only=True, gc=False):
    """A club's fund was opened in the ledger. Since July 2025 there are no districts. One for `practice` stays one: no
    other event tells of it."""

    club: str
    commune: str
    district: str | None = None
    province: str
    founded_on: date
    plan: str | None = None
    practice: bool = False

    def evolve(self, fund: State) -> None:
        fund.opened = self
        fund.settle(self)


class PlaceChanged(Event, frozen=True, kw_only=True, gc=False):
    """The club lies elsewhere from `on`, or its commune bears another name: the whole place as it is from then, and the
    number of the resolution. A wrong one is put right by another of the same day, as bylaws are."""

    commune: str
    district: str | None = None
    province: str
    document: str | None = None

    def evolve(self, fund: State) -> None:
        fund.settle(self)


def place_of(event: FundOpened | PlaceChanged) -> tuple[str, str | None, str]:
    """Commune, district and province that an event tells of."""
    return event.commune, event.district, event.province


class BylawsAdopted(Event, frozen=True, kw_only=True, gc=False):
    """The club adopted its bylaws, in force from `on`."""

    bylaws: Bylaws

    def evolve(self, fund: State) -> None:
        fund.adopt(self.on, self.bylaws)


class MemberJoined(Event, frozen=True, kw_only=True, gc=False):
    """Somebody joined. Only what the figures need is in here; the name lies in the register."""

    member: int
    sex: Sex
    birth_year: int
    poverty: Poverty
    household: str | None = None

    def evolve(self, fund: State) -> None:
        fund.enrol(self)


class MemberChanged(Event, frozen=True, kw_only=True, gc=False):
    """What is known of a member changed from `on`; only changed fields are given."""

    member: int
    sex: Sex | None = None
    birth_year: int | None = None
    poverty: Poverty | None = None
    household: str | None = None

    def changes(self) -> dict[str, str | int]:
        """The changed fields, by name."""
        fields = ("sex", "birth_year", "poverty", "household")
        return {field: value for field in fields if (value := getattr(self, field)) is not None}

    def evolve(self, fund: State) -> None:
        fund.change(self)


class MemberLeft(Event, frozen=True, kw_only=True, gc=False):
    """A member left the roll. Open loans stay open and savings stay owed."""

    member: int
    reason: LeavingReason

    def evolve(self, fund: State) -> None:
        fund.depart(self.member, self.on)

    def revoke(self, fund: State) -> None:
        fund.undo_departure(self.member)


class MemberReturned(Event, frozen=True, kw_only=True, gc=False):
    """A former member came back under the same number: debts, savings and loans received before go on."""

    member: int

    def evolve(self, fund: State) -> None:
        fund.welcome_back(self.member, self.on)

    def revoke(self, fund: State) -> None:
        fund.undo_return(self.member)


class DuesForgiven(Event, frozen=True, kw_only=True, gc=False):
    """The chair let go of a member's dues for some months (`YYYY-MM`): they are not asked for any more. Dues are booked
    when they come, so nothing is posted."""

    member: int
    months: tuple[str, ...]

    def evolve(self, fund: State) -> None:
        fund.forgiven_dues |= {(self.member, month): self.on for month in self.months}

    def revoke(self, fund: State) -> None:
        for month in self.months:
            fund.forgiven_dues.pop((self.member, month), None)

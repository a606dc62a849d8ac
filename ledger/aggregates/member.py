"""A member as the fund knows them: by number, and without a name."""

from __future__ import annotations

from datetime import date

import msgspec

from ledger.events.club import household_key


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as the fund knows them: by number. `name` is the digest of the name in the register; `changed_on` the
    day of the latest change of each field, for a change may be told late."""

    number: int
    sex: str
    birth_year: int
    poverty: str
    household: str | None
    joined_on: date
    left_on: date | None = None
    name: str | None = None
    changed_on: dict[str, date] = {}

    @property
    def home(self) -> str | None:
        """Their household as it is compared."""
        return household_key(self.household) if self.household else None

    def is_on_roll(self, day: date) -> bool:
        """Whether they may still act as a member on `day`; the day of leaving is the last one."""
        return self.joined_on <= day and (self.left_on is None or day <= self.left_on)

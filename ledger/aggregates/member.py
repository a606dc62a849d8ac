"""A member as the fund knows them: by number, and without a name."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from ledger.events.club import MemberChanged, MemberJoined, household_key


class Member(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
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

    @classmethod
    def of(cls, joined: MemberJoined) -> Member:
        """Somebody who joined."""
        return cls(
            number=joined.member,
            sex=joined.sex,
            birth_year=joined.birth_year,
            poverty=joined.poverty,
            household=joined.household,
            joined_on=joined.on,
            name=(joined.texts or {}).get("name"),
            households=((joined.on, joined.household),) if joined.household else (),
        )

    def changed(self, changed: MemberChanged) -> Member:
        """Them with changed fields, or a changed name; a later day's change outlives an earlier one told after it."""
        changes: dict[str, Any] = changed.changes()
        if changed.texts and "name" in changed.texts:
            changes["name"] = changed.texts["name"]
        news = {
            field: value for field, value in changes.items() if self.changed_on.get(field, changed.on) <= changed.on
        }
        changed_on = self.changed_on | dict.fromkeys(news, changed.on)
        moved = ((changed.on, changed.household),) if changed.household else ()
        households = tuple(sorted((*self.households, *moved), key=lambda since: since[0]))
        return msgspec.structs.replace(self, **news, changed_on=changed_on, households=households)

    @property
    def home(self) -> str | None:
        """Their household as it is compared."""
        return household_key(self.household) if self.household else None

    def is_on_roll(self, day: date) -> bool:
        """Whether they may still act as a member on `day`; the day of leaving is the last one."""
        was_away = any(left < day < returned for left, returned in self.absences)
        return self.joined_on <= day and (self.left_on is None or day <= self.left_on) and not was_away

    def member_since(self, day: date) -> date:
        """From when their membership of `day` counts: the day they joined, or last came back."""
        return max((returned for _, returned in self.absences if returned <= day), default=self.joined_on)

    def home_on(self, day: date) -> str | None:
        """The household they belonged to on `day`, as it is compared."""
        of_then = (household_key(household) for since, household in reversed(self.households) if since <= day)
        return next(of_then, None)

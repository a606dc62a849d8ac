"""The roll: who was a member, and as what, on any day."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.projections.tables import Reader


def roll(
    reader: Reader,
    fund: str,
    as_of: date | None = None,
    *,
    sex: str | None = None,
    poverty: str | None = None,
    household: str | None = None,
    after: int = 0,
    limit: int = 500,
) -> dict[str, Any]:
    """The members on the roll at the end of a day, by number: `{"items": […], "next": number or None}`.

    An item is `{member, sex, birth_year, poverty, household, joined_on, left_on, leaving_reason, name, phone}`, as
    things stood then; `name` and `phone` are digests to look up in the register, always the latest. Whoever left on
    the day is off the roll at its end.
    """
    raise NotImplementedError


def member(reader: Reader, fund: str, number: int, as_of: date | None = None) -> dict[str, Any] | None:
    """One member as in `roll`, on the roll or not (then as they last stood); None before they joined."""
    raise NotImplementedError

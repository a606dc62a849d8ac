"""Funds: which there are, where they stand, and their key figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from ledger.projections.tables import Reader


class Scope(NamedTuple):
    """The funds a question is about: all that meet every condition given. `Scope()` is all funds."""

    funds: Sequence[str] | None = None
    province: str | None = None
    district: str | None = None


def fund(reader: Reader, code: str, as_of: date) -> dict[str, Any] | None:
    """One fund with its key figures, None if there is none.

    `{fund, club, commune, district, province, founded_on, opened_on, plan, version, head, check_code, bylaws, members,
    loans, outstanding, cash, latest_on}`. `version`, `head` and `check_code` are the read model's; `bylaws` are those
    in force at `as_of` (None before the first), `members` are on the roll and `loans` have `outstanding` principal at
    `as_of`; `cash` is in both boxes together, in đồng.
    """
    raise NotImplementedError


def funds(reader: Reader, scope: Scope, as_of: date, *, after: str = "", limit: int = 100) -> dict[str, Any]:
    """The funds in scope by code, each as `fund` has it but without bylaws: `{"items": […], "next": code or None}`.

    `next` is the `after` of the next page.
    """
    raise NotImplementedError


def standing(reader: Reader, code: str) -> dict[str, Any] | None:
    """Where the read model has a fund: `{fund, version, head, position, parked}`, None if there is none.

    `parked` is None or `{version, why}`: what follows that version is not in any figure.
    """
    raise NotImplementedError

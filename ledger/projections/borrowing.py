"""Member borrowing rates: three readings of one sentence of the plan, side by side (`domain.md` §5).

"ít nhất 50% thành viên được vay vốn sản xuất, kinh doanh" (plan 47, I.2) does not say when. Counting is done by the
database in one statement, the same for one fund and for all of a country.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from ledger.projections.funds import Scope
from ledger.projections.tables import Reader

PurposeAsked = Literal["production", "any"]


def borrowing(
    reader: Reader,
    scope: Scope,
    as_of: date,
    *,
    since: date | None = None,
    purpose: PurposeAsked = "production",
    threshold: int = 60,
) -> dict[str, Any]:
    """The borrowing rates of the members on the roll of all funds in scope at the end of `as_of`.

    `{as_of, funds, members, purpose, current: R, in_period: R + {from, to}, ever: R, by_sex: {sex: G}, by_age: {band:
    G}, by_poverty: {poverty: G}, definition}`, where R = `{borrowers, loans, members, percent, target_met, definition}`
    and G = `{members, current, in_period, ever}`, each of the three an R. `percent` has one decimal and a point
    ("33.3"), None without members; `target_met` says whether at least half borrow (None without members).
    `borrowers` are people, `loans` their loans. `since` is the first day of `in_period`, by default the day after the
    same day twelve months earlier. `threshold` is the age from which one counts as older: 60 by law, 55 on request.
    """
    raise NotImplementedError


def borrowing_of(reader: Reader, fund: str, as_of: date, **asked: Any) -> dict[str, Any]:
    """`borrowing` of one fund."""
    return borrowing(reader, Scope(funds=[fund]), as_of, **asked)

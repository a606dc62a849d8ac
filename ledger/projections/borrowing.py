"""Member borrowing rates: three readings of one sentence of the plan, side by side (`domain.md` §5).

"ít nhất 50% thành viên được vay vốn sản xuất, kinh doanh" (plan 47, I.2) does not say when. Counting is done by the
database in one statement, the same for one fund and for all of a country.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Literal

from ledger.database import Row
from ledger.days import add_months
from ledger.events import PRODUCTION
from ledger.projections.funds import Scope, count
from ledger.projections.tables import Reader, percent

PurposeAsked = Literal["production", "any"]

TARGET_PERCENT = 50
"""What the plan asks for at least (plan 47, I.2)."""

READINGS = ("current", "in_period", "ever")
DEFINITIONS = {
    "current": "members on the roll with a loan outstanding at as_of / members on the roll at as_of",
    "in_period": "members on the roll at as_of who received a loan from `from` to `to` / members on the roll at as_of",
    "ever": "members on the roll at as_of who ever received a loan from their fund / members on the roll at as_of",
}
DEFINITION = "domain.md §5: people, not loans; members on the roll at as_of, of all funds in scope together"
SEXES = ("female", "male")
POVERTIES = ("poor", "near_poor", "hardship", "none")

# Of each member on the roll: how many loans are outstanding, and how many were received, in the period and ever. Then
# the people are counted, by whatever is broken down.
COUNT = """
WITH roll AS (
    SELECT fund, member, sex, poverty,
        CASE WHEN :year - birth_year < :threshold THEN 0 WHEN :year - birth_year < 70 THEN 1
            WHEN :year - birth_year < 80 THEN 2 ELSE 3 END AS band
    FROM member_spells WHERE from_day <= :as_of AND until_day > :as_of{scope}
), owing AS (
    SELECT fund, member, COUNT(DISTINCT loan) AS loans
    FROM loan_spells WHERE from_day <= :as_of AND until_day > :as_of{scope}{purposes}
    GROUP BY fund, member
), received AS (
    SELECT fund, member, COUNT(DISTINCT loan) AS loans,
        COUNT(DISTINCT CASE WHEN received_on >= :since THEN loan END) AS lately
    FROM loan_receipts WHERE from_day <= :as_of AND until_day > :as_of{scope}{purposes}
    GROUP BY fund, member
)
SELECT roll.sex, roll.poverty, roll.band, COUNT(*) AS members,
    COUNT(owing.loans) AS current_borrowers, CAST(COALESCE(SUM(owing.loans), 0) AS BIGINT) AS current_loans,
    COUNT(CASE WHEN received.lately > 0 THEN 1 END) AS in_period_borrowers,
    CAST(COALESCE(SUM(received.lately), 0) AS BIGINT) AS in_period_loans,
    COUNT(received.loans) AS ever_borrowers, CAST(COALESCE(SUM(received.loans), 0) AS BIGINT) AS ever_loans
FROM roll
LEFT JOIN owing ON owing.fund = roll.fund AND owing.member = roll.member
LEFT JOIN received ON received.fund = roll.fund AND received.member = roll.member
GROUP BY roll.sex, roll.poverty, roll.band
"""


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
    since = since or add_months(as_of, -12) + timedelta(days=1)
    conditions, parameters = scope.sql()
    purposes = ", ".join(f"'{each}'" for each in sorted(PRODUCTION))
    groups = reader.query(
        COUNT.format(scope=conditions, purposes=f" AND purpose IN ({purposes})" if purpose == "production" else ""),
        as_of=as_of.isoformat(),
        since=since.isoformat(),
        year=as_of.year,
        threshold=threshold,
        **parameters,
    )
    whole = _readings(groups)
    for reading in READINGS:
        whole[reading]["definition"] = DEFINITIONS[reading]
    whole["in_period"] |= {"from": since.isoformat(), "to": as_of.isoformat()}
    bands = (f"under_{threshold}", f"{threshold}_69", "70_79", "80_plus")
    return {
        "as_of": as_of.isoformat(),
        "funds": count(reader, scope),
        "purpose": purpose,
        **whole,
        "by_sex": _broken_down(groups, "sex", {sex: sex for sex in SEXES}),
        "by_age": _broken_down(groups, "band", dict(enumerate(bands))),
        "by_poverty": _broken_down(groups, "poverty", {poverty: poverty for poverty in POVERTIES}),
        "definition": DEFINITION,
    }


def _broken_down(groups: Iterable[Row], column: str, names: Mapping[Any, str]) -> dict[str, Any]:
    return {name: _readings(group for group in groups if group[column] == key) for key, name in names.items()}


def _readings(groups: Iterable[Row]) -> dict[str, Any]:
    """The groups together: members, and each reading of how many of them borrow."""
    groups = list(groups)
    members = _sum(groups, "members")
    return {"members": members} | {
        reading: _reading(_sum(groups, f"{reading}_borrowers"), _sum(groups, f"{reading}_loans"), members)
        for reading in READINGS
    }


def _reading(borrowers: int, loans: int, members: int) -> dict[str, Any]:
    return {
        "borrowers": borrowers,
        "loans": loans,
        "members": members,
        "percent": percent(borrowers, members),
        "target_met": 100 * borrowers >= TARGET_PERCENT * members if members else None,
    }


def _sum(groups: Iterable[Row], column: str) -> int:
    return sum(group[column] for group in groups)

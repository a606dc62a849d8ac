"""Member borrowing rates: three readings of one sentence of the plan, side by side (`domain.md` §5).

"ít nhất 50% thành viên được vay vốn sản xuất, kinh doanh" (plan 47, I.2) does not say when. Counting is done by the
database in one statement, the same for one fund and for all of a country.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Literal

from ledger.database import Row
from ledger.days import add_months
from ledger.events import PRODUCTION
from ledger.projections.funds import FundFilter, count
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
DEFINITION = "people, not loans; members on the roll at as_of, of all funds in scope together"
SEXES = ("female", "male")
POVERTIES = ("poor", "near_poor", "hardship", "none")

# People are counted by what is broken down, year of birth by year of birth: all on the roll; of those, who owes a loan
# and how many; and who ever received one, of them lately, and how many. Borrowers are few beside members, so that each
# count starts from its own rows; one statement sees one moment.
COUNT = """
SELECT 'members' AS counted, sex, poverty, birth_year, COUNT(*) AS people, 0 AS loans, 0 AS lately, 0 AS loans_lately
FROM member_spells WHERE from_day <= :as_of AND until_day > :as_of{scope}
GROUP BY sex, poverty, birth_year
UNION ALL
SELECT 'owing', s.sex, s.poverty, s.birth_year, COUNT(*), CAST(SUM(borrower.loans) AS BIGINT), 0, 0
FROM (
    SELECT fund, member, COUNT(DISTINCT loan) AS loans
    FROM loan_spells WHERE from_day <= :as_of AND until_day > :as_of{scope}{purposes}
    GROUP BY fund, member
) AS borrower
JOIN member_spells s ON s.fund = borrower.fund AND s.member = borrower.member
    AND s.from_day <= :as_of AND s.until_day > :as_of
GROUP BY s.sex, s.poverty, s.birth_year
UNION ALL
SELECT 'received', s.sex, s.poverty, s.birth_year, COUNT(*), CAST(SUM(borrower.loans) AS BIGINT),
    COUNT(CASE WHEN borrower.lately > 0 THEN 1 END), CAST(SUM(borrower.lately) AS BIGINT)
FROM (
    SELECT fund, member, COUNT(DISTINCT loan) AS loans,
        COUNT(DISTINCT CASE WHEN received_on >= :since THEN loan END) AS lately
    FROM loan_receipts WHERE from_day <= :as_of AND until_day > :as_of{scope}{purposes}
    GROUP BY fund, member
) AS borrower
JOIN member_spells s ON s.fund = borrower.fund AND s.member = borrower.member
    AND s.from_day <= :as_of AND s.until_day > :as_of
GROUP BY s.sex, s.poverty, s.birth_year
"""


def borrowing(
    reader: Reader,
    scope: FundFilter,
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
    conditions, parameters = scope.sql(as_of)
    purposes = ", ".join(f"'{each}'" for each in sorted(PRODUCTION))
    groups = reader.query(
        COUNT.format(scope=conditions, purposes=f" AND purpose IN ({purposes})" if purpose == "production" else ""),
        as_of=as_of.isoformat(),
        since=since.isoformat(),
        **parameters,
    )
    whole = _readings(groups)
    for reading in READINGS:
        whole[reading]["definition"] = DEFINITIONS[reading]
    whole["in_period"] |= {"from": since.isoformat(), "to": as_of.isoformat()}
    bands = (f"under_{threshold}", f"{threshold}_69", "70_79", "80_plus")
    for group in groups:
        group["band"] = bands[bisect((threshold, 70, 80), as_of.year - group["birth_year"])]
    return {
        "as_of": as_of.isoformat(),
        "funds": count(reader, scope, as_of),
        "purpose": purpose,
        **whole,
        "by_sex": _broken_down(groups, "sex", SEXES),
        "by_age": _broken_down(groups, "band", bands),
        "by_poverty": _broken_down(groups, "poverty", POVERTIES),
        "definition": DEFINITION,
    }


def _broken_down(groups: Iterable[Row], column: str, values: Iterable[str]) -> dict[str, Any]:
    return {value: _readings(group for group in groups if group[column] == value) for value in values}


def _readings(groups: Iterable[Row]) -> dict[str, Any]:
    """The groups together: members, and each reading of how many of them borrow."""
    sums: Counter[tuple[str, str]] = Counter()
    for group in groups:
        for column in ("people", "loans", "lately", "loans_lately"):
            sums[group["counted"], column] += group[column]
    members = sums["members", "people"]
    return {
        "members": members,
        "current": _reading(sums["owing", "people"], sums["owing", "loans"], members),
        "in_period": _reading(sums["received", "lately"], sums["received", "loans_lately"], members),
        "ever": _reading(sums["received", "people"], sums["received", "loans"], members),
    }


def _reading(borrowers: int, loans: int, members: int) -> dict[str, Any]:
    return {
        "borrowers": borrowers,
        "loans": loans,
        "members": members,
        "percent": percent(borrowers, members),
        "target_met": 100 * borrowers >= TARGET_PERCENT * members if members else None,
    }

"""Red flags: what an inspector should ask about, folded from one fund's log, each with the entries behind it.

A flag is a question, not an accusation. Everyday life in a village (a slip found late, a meeting entered weeks after, a
typing mistake put right) stays quiet; where it ends is a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from ledger.aggregates.fund import Fund
from ledger.flags.base import Flag, Past, Thresholds
from ledger.flags.boxes import cash_high, count_gaps, counts_undone, lapping
from ledger.flags.entering import before_inspection, late_entries, over_count, reversals_by_person, voucher_order
from ledger.flags.lending import (
    approver_household,
    household_loans,
    interest_differs,
    overrides,
    rescheduled_again,
    same_day_loan,
)

__all__ = ["RULES", "Flag", "Thresholds", "flags"]

RULES: dict[str, Callable[[Past, Thresholds], Iterator[Flag]]] = {
    "late-entries": late_entries,
    "before-inspection": before_inspection,
    "reversals-by-person": reversals_by_person,
    "overrides": overrides,
    "same-day-loan": same_day_loan,
    "household-loans": household_loans,
    "approver-household": approver_household,
    "lapping": lapping,
    "count-gaps": count_gaps,
    "cash-high": cash_high,
    "voucher-order": voucher_order,
    "interest-differs": interest_differs,
    "over-count": over_count,
    "count-undone": counts_undone,
    "rescheduled-again": rescheduled_again,
}
"""Every rule by its code, in the order in which they are told."""


def flags(fund: Fund, limits: Thresholds, day: date, linked: Mapping[str, int] | None = None) -> list[Flag]:
    """What raises a question in what had happened by the end of `day`: by rule, then by the entries.

    `linked` gives the member's number of each principal who is a member of the fund: `approver_household` asks for it,
    and principals of one number are one person.
    """
    past = Past(fund, day, linked or {})
    return [found for rule in RULES.values() for found in sorted(rule(past, limits), key=lambda each: each.versions)]

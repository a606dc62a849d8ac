"""The journal: every entry with its legs, the cash book, and each member's passbook."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.chart import Pot
from ledger.projections.tables import Reader


class BadCursor(ValueError):
    """A cursor that no page of ours ended with."""


def entries(
    reader: Reader,
    fund: str,
    *,
    kind: str | None = None,
    member: int | None = None,
    loan: int | None = None,
    since: date | None = None,
    until: date | None = None,
    ascending: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> dict[str, Any]:
    """A page of the journal, newest first: `{"items": […], "next": cursor or None}`; filters must stay the same.

    `kind` is an event's type; `since` and `until` are days, both included. An item is `{version, type, on, recorded_at,
    recorded_by, request_key, voucher, member, loan, part, for_month, amount, reverses, reversed_by}`: `part` says what
    of the type it is (the kind of contribution or income, the activity, the source, the reason of a reversal); a
    reversal's `amount` is the negative of what it reverses. All pages are of the fund's version at the first.
    Raises `BadCursor`.
    """
    raise NotImplementedError


def entry(reader: Reader, fund: str, version: int) -> dict[str, Any] | None:
    """One entry as in `entries`, with `legs: [{pot, account, of, debit, credit}]`; None if there is none."""
    raise NotImplementedError


def cash_book(
    reader: Reader,
    fund: str,
    since: date,
    until: date,
    *,
    pot: Pot | None = None,
    cursor: str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """Sổ quỹ tiền mặt of both boxes or one pot's, both days included: `{opening, items, closing, next}`.

    Every entry that moved cash, by day and version: `{version, type, part, on, voucher, member, loan, received, paid,
    balance, reverses, reversed_by}`. A reversal stands on the side of what it reverses, negative, with the wrong
    voucher's number (ghi số âm). `opening` is before the page's first line, `closing` at the end of `until`.
    Raises `BadCursor`.
    """
    raise NotImplementedError


def statement(reader: Reader, fund: str, member: int, as_of: date | None = None) -> list[dict[str, Any]]:
    """A member's passbook, by day and version: `{version, type, part, on, voucher, loan, for_month, amount, principal,
    interest, savings, outstanding, reverses, reversed_by}`.

    `amount` is the cash the member brought (negative: took home); `savings` and `outstanding` (the principal of all
    their loans) run along. A reversal stands with its own day.
    """
    raise NotImplementedError

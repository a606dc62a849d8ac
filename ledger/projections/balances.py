"""Balances: what each account of each pot holds, now and at the end of any day."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.projections.tables import Reader


def balances(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """A fund's position in đồng: `{cash, pots: {revolving: {cash, bank, loans, equipment, savings, advances, equity},
    activity: {…}}}`.

    Liabilities are positive; `equity` = assets − liabilities; the outer `cash` is what both boxes hold.
    """
    raise NotImplementedError


def trial_balance(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """Every account that is not zero: `{rows: [{pot, account, debit, credit}], debit, credit}`; the sums are equal."""
    raise NotImplementedError

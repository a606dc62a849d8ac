"""The loan book: every loan's terms, plan and standing at the end of any day."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.projections.tables import Reader


def loan_book(
    reader: Reader,
    fund: str,
    as_of: date,
    *,
    status: str | None = None,
    member: int | None = None,
    after: int = 0,
    limit: int = 500,
) -> dict[str, Any]:
    """The loans there were at the end of `as_of`, by number: `{"items": […], "next": number or None}`.

    An item is `{loan, member, principal, term_months, purpose, guarantor, status, requested_on, approved_on,
    rejected_on, disbursed_on, maturity, monthly_rate_ppm, interest_method, repayment_mode, interest_to_activity_ppm,
    override, outstanding, interest_due, settlement_amount, overdue_principal, days_late, par30}`. Amounts in đồng;
    `settlement_amount` is None unless the loan is running. `status` is one of `requested, approved, rejected, running,
    settled, written_off`; `override` lists the rules of the bylaws that were set aside.
    """
    raise NotImplementedError


def loan(reader: Reader, fund: str, number: int, as_of: date) -> dict[str, Any] | None:
    """One loan as in `loan_book`, None if there was none. Also `interest_begun`, `recovered`,
    `plan: [{number, due_on, principal, interest}]` (in force at `as_of`; before disbursement empty),
    `repayments: [{version, on, principal, interest}]` (live ones), `reschedulings: [{version, on, term_months,
    outstanding, interest_carried}]`, and the cost of a year in ppm: `nominal_yearly_ppm` (the rate as agreed, times
    twelve) beside `effective_yearly_ppm` (the rate on the reducing balance that the plan comes to, times twelve).
    """
    raise NotImplementedError


def portfolio(reader: Reader, fund: str, as_of: date) -> dict[str, Any]:
    """The running loans together: `{loans, borrowers, outstanding, interest_due, overdue_principal, late_loans, par30:
    {numerator, denominator, percent}}`; PAR30 is the principal of loans more than 30 days late ÷ all outstanding."""
    raise NotImplementedError

"""What a phone keeps for a meeting, and how the club stands with its dues."""

from collections import defaultdict
from datetime import date
from typing import Any

from ledger.aggregates.fund import Fund
from ledger.aggregates.loan import Loan
from ledger.dues import monthly_dues, recent_months
from ledger.events import check_code
from service.http.state import AppState
from service.reads.people import namesakes
from service.reads.query import Answer


def sheet_of(state: AppState, code: str, on: date) -> dict[str, Any]:
    """The sheet for a day, as the route answers it. Raises `FundNotFound`."""
    fund = state.ledger.replayed(code)
    owed: dict[int, list[dict[str, Any]]] = defaultdict(list)
    recent = recent_months(on)
    for month in monthly_dues(fund, on):
        if month.owed and month.month in recent:
            owed[month.member].append({"month": month.month, "amount": month.owed})
    on_roll = [member for member in fund.members.values() if member.is_on_roll(on)]
    texts = state.ledger.register.texts(member.name for member in on_roll if member.name)
    names = {member.number: texts.get(member.name or "") for member in on_roll}
    shared = namesakes(names.values())
    running = [loan for loan in fund.loans.values() if loan.status == "running" and _begun(loan, on)]
    return {
        "fund": code,
        "on": on,
        "version": fund.version,
        "check_code": check_code(fund.head),
        "closing_cash": fund.cash_at(on),
        "roll": [
            {
                "member": member.number,
                "name": names[member.number],
                **({"birth_year": member.birth_year} if names[member.number] in shared else {}),
                "dues_owed": owed[member.number],
                "savings": -fund.balances.get(("revolving", "savings", member.number), 0),
            }
            for member in on_roll
        ],
        "loans": [{"loan": loan.number, "member": loan.member, **_due(loan, on)} for loan in running],
    }


def _begun(loan: Loan, on: date) -> bool:
    return loan.disbursed_on is not None and loan.disbursed_on <= on


def _due(loan: Loan, on: date) -> dict[str, int]:
    """What the plan and the accrual ask for by the end of a day, and what would close the loan."""
    now, phase = loan.standing(on), loan.phase(on)
    promised = sum(instalment.principal for instalment in loan.plan(on) if instalment.due_on <= on)
    repaid = sum(repayment.principal for repayment in phase.repayments if repayment.on <= on)
    held_back = phase.terms.repayment_mode == "interest_at_maturity" and on < phase.terms.maturity(phase.starts_on)
    principal_due, interest_due = max(promised - repaid, 0), 0 if held_back else now.interest_due
    return {
        "outstanding": now.outstanding,
        "due": principal_due + interest_due,
        "principal_due": principal_due,
        "interest_due": interest_due,
        "settlement_amount": now.settlement_amount,
    }


def dues_by_month(fund: Fund, as_of: date) -> Answer:
    months: dict[str, dict[str, int]] = {}
    for entry in monthly_dues(fund, as_of):
        month = months.setdefault(entry.month, {"members": 0, "expected": 0, "paid": 0, "members_paid_up": 0})
        month["members"] += 1
        month["expected"] += entry.expected
        month["paid"] += entry.paid
        month["members_paid_up"] += entry.owed == 0
    return {"items": [{"month": month, **figures} for month, figures in sorted(months.items())]}

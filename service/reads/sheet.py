"""What a phone keeps for a meeting, and how the club stands with its dues."""

from collections import defaultdict
from datetime import date
from typing import Any

from ledger.events import check_code
from ledger.projections import balances, dues, funds, loans, members
from ledger.projections.tables import Reader
from ledger.refusals import FundNotFound
from service.http.state import AppState
from service.reads.people import namesakes
from service.reads.query import Answer


def sheet_of(state: AppState, reader: Reader, fund: str, on: date) -> Answer:
    """The sheet for a day, as the route answers it. Raises `FundNotFound`."""
    standing = funds.standing(reader, fund)
    if standing is None:
        raise FundNotFound(fund=fund)
    owed: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for month in dues.monthly_dues(reader, fund, on, since=dues.first_recent_month(on)):
        if month.owed:
            owed[month.member].append({"month": month.month, "amount": month.owed})
    on_roll = members.roll(reader, fund, on)["items"]
    texts = state.ledger.register.texts(member["name"] for member in on_roll if member["name"])
    names = {member["member"]: texts.get(member["name"] or "") for member in on_roll}
    shared = namesakes(names.values())
    saved = balances.savings(reader, fund, on)
    return {
        "fund": fund,
        "on": on,
        "version": standing["version"],
        "check_code": check_code(standing["head"]),
        "closing_cash": balances.balances(reader, fund, on)["cash"],
        "roll": [
            {
                "member": member["member"],
                "name": names[member["member"]],
                **({"birth_year": member["birth_year"]} if names[member["member"]] in shared else {}),
                "dues_owed": owed[member["member"]],
                "savings": saved.get(member["member"], 0),
            }
            for member in on_roll
        ],
        "loans": loans.due(reader, fund, on),
    }


def dues_by_month(reader: Reader, fund: str, as_of: date) -> Answer:
    """The dues of all members together, by month, as the route answers them."""
    months: dict[str, dict[str, int]] = {}
    for entry in dues.monthly_dues(reader, fund, as_of):
        month = months.setdefault(entry.month, {"members": 0, "expected": 0, "paid": 0, "members_paid_up": 0})
        month["members"] += 1
        month["expected"] += entry.expected
        month["paid"] += entry.paid
        month["members_paid_up"] += entry.owed == 0
    return {"items": [{"month": month, **figures} for month, figures in sorted(months.items())]}

"""A village of three clubs: two that write down what happens when it happens, and one that does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.support.service import OPENED_ON, House, opening

WELL_KEPT = ("LS-CL-MAIPHA", "LS-VQ-DIEMHE")
BADLY_KEPT = "LS-HL-VANNHAM"
CLUBS = (*WELL_KEPT, BADLY_KEPT)
MEETINGS = ("2024-02-15", "2024-03-15", "2024-04-15", "2024-05-15")
VISIT = "2024-06-15"
MEMBERS = 4
DUES = 10_000
LATE_GIFT = 400_000
"""Received in March, and in the book in May."""


def on(house: House, day: str) -> None:
    """It is the evening of a day in the village."""
    house.clock.now = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12)


def settle(house: House) -> None:
    """Let the clubs live for half a year."""
    on(house, OPENED_ON)
    for fund in CLUBS:
        house.recorded("/funds", opening(fund, club=f"Câu lạc bộ {fund}"))
        member = {"sex": "female", "birth_year": 1955, "poverty": "none", "on": OPENED_ON}
        for _ in range(MEMBERS):
            house.recorded(f"/funds/{fund}/members", member)
        gift = {"source": "business", "pot": "revolving", "amount": 5_000_000, "on": OPENED_ON}
        house.recorded(f"/funds/{fund}/donations", gift)
        loan = {"member": 1, "principal": 1_000_000, "term_months": 10, "purpose": "livestock", "on": OPENED_ON}
        house.recorded(f"/funds/{fund}/loans", loan)
        house.recorded(f"/funds/{fund}/loans/1/approval", {"on": OPENED_ON})
        house.recorded(f"/funds/{fund}/loans/1/disbursement", {"on": OPENED_ON})
    for day in MEETINGS:
        on(house, day)
        for fund in CLUBS:
            meet(house, fund, day)
            if fund in WELL_KEPT:
                count = {"counted": cash(house, fund), "reason": "periodic", "on": day}
                house.recorded(f"/funds/{fund}/cash-counts", count)
    late: dict[str, Any] = {"source": "business", "pot": "activity", "amount": LATE_GIFT, "on": "2024-03-01"}
    on(house, "2024-05-20")
    house.recorded(f"/funds/{BADLY_KEPT}/donations", late)
    on(house, VISIT)


def meet(house: House, fund: str, day: str) -> None:
    """A meeting at which everybody pays their dues."""
    lines = [
        {"type": "contribution", "key": f"{fund}-{day}-{number}", "member": number, "kind": "dues", "amount": DUES}
        for number in range(1, MEMBERS + 1)
    ]
    present = list(range(1, MEMBERS + 1))
    house.recorded(f"/funds/{fund}/meetings", {"held_on": day, "present": present, "lines": lines})


def cash(house: House, fund: str) -> int:
    """What lies in the boxes by the book."""
    return int(house.get(f"/funds/{fund}").json()["cash"])

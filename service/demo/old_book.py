"""How a club that kept its book on paper brings it along, and what was left out of it at first."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from ledger.aggregates.fund import Fund
from ledger.days import add_months
from ledger.events import Item, OldLoan, OpeningPot, OpeningSavings
from ledger.events.club import Poverty
from ledger.events.loans import Purpose
from ledger.projections.dues import meeting_in
from service.demo.diary import instant
from service.demo.staff import TREASURER
from service.demo.village import Village

SAVERS, BORROWERS = 18, 7
"""How many members the old book has savings of, and how many run loans that are paid as agreed."""
LENT_BEFORE = (2, 5)
"""How many months ago those were paid out."""
TERM = 12
MATURED_BEFORE = (5, 23)
"""Two loans are long overdue: so many months ago they should have been paid back."""
PURPOSES: tuple[Purpose, ...] = ("livestock", "crops", "trade")
EQUIPMENT = (Item("Bộ loa và micrô", 1, "bộ", 6_500_000), Item("Ghế nhựa", 40, "chiếc", 3_200_000))
CORRECTION_REASON = "Sổ cũ ghi thiếu tiền tiết kiệm của một thành viên"


class OldBook:
    """One club's book on paper."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._declared: dict[str, Any] = {}
        self._on = date.min

    def declare(self, lines: Iterator[datetime], on: date, roll: Sequence[Poverty]) -> None:
        """Take the book over on its closing day, after the roll; who could not pay their loan back is poor."""
        village, random = self._village, self._village.random
        numbers = range(TREASURER + 1, len(roll) + 1)
        debtors = random.sample([n for n in numbers if roll[n - 1] != "none"], len(MATURED_BEFORE))
        borrowers = random.sample([n for n in numbers if n not in debtors], BORROWERS)
        lent = [(member, random.randint(*LENT_BEFORE)) for member in borrowers]
        lent += [(member, TERM + months) for member, months in zip(debtors, MATURED_BEFORE, strict=True)]
        self._on = on
        self._declared = {
            "revolving": OpeningPot(6_400_000, 21_000_000),
            "activity": OpeningPot(2_350_000, 1_000_000),
            "equipment": EQUIPMENT,
            "savings": [
                OpeningSavings(member, random.randint(3, 40) * 10_000)
                for member in sorted(random.sample(numbers, SAVERS))
            ],
            "loans": [self._lent(member, on, months) for member, months in lent],
        }
        village.diary.tell(next(lines), on, village.treasurer, Fund.declare_opening_balances, **self._declared)

    def _lent(self, member: int, on: date, months: int) -> OldLoan:
        random, meeting_day = self._village.random, self._village.bylaws.meeting_day
        principal = random.randint(4, 10) * 500_000
        return OldLoan(
            member=member,
            principal=principal,
            outstanding=principal,
            disbursed_on=meeting_in(add_months(on.replace(day=1), -months), meeting_day),
            term_months=TERM,
            purpose=random.choice(PURPOSES),
            interest_owed=150_000 if months > TERM else 0,
        )

    def correct(self, month: date) -> None:
        """A month later somebody shows a passbook with more savings than the old book had."""
        if not self._declared:
            return
        (first, *others), village = self._declared["savings"], self._village
        right = msgspec.structs.replace(first, amount=first.amount + 200_000)
        facts = self._declared | {"savings": [right, *others]}
        village.diary.tell(
            instant(month.replace(day=3), 9, 20),
            self._on,
            village.treasurer,
            Fund.correct_opening_balances,
            texts={"reason": CORRECTION_REASON},
            **facts,
        )

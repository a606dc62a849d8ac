"""Drawing lots for a made-up club: days, metadata, amounts, members and loans, mostly fitting, now and then not."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, get_args

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Request
from ledger.money import MAX_AMOUNT
from ledger.refusals import Refusal

BOARD = ("p-chair", "p-treasurer")


class Lots:
    """A fund, a day and a seeded chance; refusals are counted by class, and leave no trace."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.today = date(2021, 1, 1) + timedelta(days=self.random.randrange(700))
        self.fund = Fund(f"LS-{seed:04d}")
        self.refused: Counter[str] = Counter()
        self._told = 0

    # --- telling ------------------------------------------------------------------------------------------------------

    def _try(self, act: Callable[[], object]) -> None:
        version, head = self.fund.version, self.fund.head
        try:
            act()
        except Refusal as refusal:
            assert (self.fund.version, self.fund.head) == (version, head), "a refusal leaves no trace"
            self.refused[type(refusal).__name__] += 1

    def _metadata(self, on: date | None = None, **more: Any) -> EntryMetadata:
        """Mostly of today; one in nine is told late, and one in 150 is dated tomorrow."""
        chance = self.random.random()
        if on is None:
            late = timedelta(days=self.random.randint(1, 45) if chance < 0.11 else 0)
            on = self.today - late + timedelta(days=chance > 0.994)
        self._told += 1
        key = f"{self.fund.id}-{self._told:05d}"
        return EntryMetadata(
            on=on,
            recorded_at=datetime.combine(self.today, time(11, 0), UTC) + timedelta(seconds=self._told),
            recorded_by=self.random.choice(BOARD),
            request=Request(key, hashlib.sha256(key.encode()).hexdigest()),
            texts={"note": hashlib.sha256(f"note {key}".encode()).hexdigest()} if chance > 0.9 else None,
            **more,
        )

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def _any(self, literal: Any) -> Any:
        return self.random.choice(get_args(literal))

    def _amount(self, most: int) -> int:
        """Whole thousands, now and then an odd sum, once in a long while an absurd one."""
        most = max(most, 1)
        if self._chance(0.003):
            return MAX_AMOUNT + self.random.randint(1, 9)
        if self._chance(0.1):
            return self.random.randint(1, most)
        return self.random.randint(1, max(most // 1000, 1)) * 1000

    def _member(self) -> int:
        """Mostly somebody there is."""
        return self.random.randint(1, len(self.fund.members) + self._chance(0.02))

    def _somebody(self) -> int | None:
        """Now and then a neighbour who brings the money."""
        return self._member() if self._chance(0.1) else None

    def _loan(self, *statuses: str) -> int:
        """Mostly a loan that stands where one is wanted."""
        fitting = [loan.number for loan in self.fund.loans.values() if loan.status in statuses]
        if fitting and self._chance(0.93):
            return self.random.choice(fitting)
        return self.random.randint(1, len(self.fund.loans) + self._chance(0.1) or 1)

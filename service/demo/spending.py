"""What the province spends of the plan's budget outside any club, noted in the plan's own log."""

from datetime import date, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.spending import Spending
from ledger.events.spending import log_of
from ledger.jobs import Recorded
from service.demo.diary import Diary, instant
from service.demo.places import PLAN


class Spent(NamedTuple):
    """A sum of a line of the budget: when and by which document, and how many days later it was noted."""

    line: str
    amount: int
    document: str
    on: date
    noted_after: int


SPENT: Final = (
    Spent("training", 18_600_000, "214/QĐ-SLĐTBXH", date(2022, 6, 24), 21),
    Spent("training", 19_900_000, "388/QĐ-SLĐTBXH", date(2022, 10, 20), 3),
)
"""Two courses for the boards (plan 47, III.4). The first was noted when the half-year had been reported on."""
NOTED_WRONGLY: Final = 9_900_000
"""What was noted at first of the second."""
WHY: Final = "Ghi thiếu một con số của quyết định"


class Spender:
    """Whoever keeps the plan's log for the province, from a day on."""

    def __init__(self, reporter: str, since: date) -> None:
        self.version = 0
        self.diary = Diary(log_of(PLAN), Random(PLAN))  # noqa: S311  # Repeatable on purpose; no secret.
        for spent in SPENT:
            if spent.on >= since:
                self._note(spent, reporter)

    def _note(self, spent: Spent, by: str) -> None:
        day, tell = spent.on + timedelta(days=spent.noted_after), self.diary.tell
        facts: dict[str, Any] = {"line": spent.line, "document": spent.document}
        if spent is SPENT[-1]:
            wrong = facts | {"amount": NOTED_WRONGLY}
            key = tell(instant(day, 9), spent.on, by, Spending.spend, opens=True, aggregate=Spending, **wrong)
            tell(instant(day, 9, 12), spent.on, by, undo, texts={"reason": WHY}, aggregate=Spending, key=key)
        right = facts | {"amount": spent.amount}
        tell(instant(day, 9, 15), spent.on, by, Spending.spend, opens=True, aggregate=Spending, **right)

    def hear(self, recorded: Recorded) -> None:
        """Take note of what was recorded."""
        self.version = recorded.version


def undo(spending: Spending, metadata: EntryMetadata, *, key: str) -> None:
    """Undo what a request noted."""
    spending.reverse(metadata, spending.requests[key])

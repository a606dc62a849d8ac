"""What a club does beside money: an activity or two a month, and neighbours who help one another."""

from datetime import date
from random import Random
from typing import Final

from ledger.aggregates.fund import Fund
from ledger.events.activities import AREAS, HelpKind
from service.demo.diary import instant
from service.demo.places import Keeping
from service.demo.village import Village

ACTIVITIES: Final[dict[Keeping, int]] = {"careful": 2, "usual": 1, "bad": 0}
"""How many activities a club holds after each meeting; whoever holds two has been through all areas in half a year."""
SELDOM: Final = 0.15
"""How likely a badly kept club holds one at all."""
HELPS: Final[tuple[tuple[HelpKind, str, int, int], ...]] = (
    ("labour", "công", 12, 150_000),
    ("goods", "kg gạo", 30, 18_000),
    ("skill", "buổi", 3, 0),
    ("money", "lần", 1, 0),
)
"""How neighbours help: in what, counted how, at most how much of it in a month, and what one is worth in đồng, if
anybody ever reckons that."""


class CommonLife:
    """The activities of one club. It draws by itself, so that nothing else in the club's life depends on them."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._random = Random(f"{village.club.code} beside money")  # noqa: S311  # Repeatable on purpose; no secret.
        self._held = 0

    def act(self, on: date) -> None:
        """What was done around a meeting, noted on its day before it begins."""
        village, random = self._village, self._random
        tell, keeping = village.diary.tell, village.club.keeping
        for _ in range(ACTIVITIES[keeping] or int(random.random() < SELDOM)):
            area = AREAS[self._held % len(AREAS)]
            tell(
                instant(on, 16, self._held % 50),
                on,
                village.treasurer,
                Fund.hold_activity,
                area=area,
                participants=random.randint(12, 48),
                volunteers=random.randint(3, 7),
            )
            self._held += 1
        if random.random() < 0.6:
            kind, unit, most, worth = random.choice(HELPS)
            quantity = random.randint(1, most)
            tell(
                instant(on, 16, 55),
                on,
                village.treasurer,
                Fund.give_mutual_help,
                kind=kind,
                quantity=quantity,
                unit=unit,
                people=random.randint(1, 6),
                worth=quantity * worth or None,
            )

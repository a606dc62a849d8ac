"""What a club does beside lending: an activity or two a month, who supports that, and neighbours who help one
another."""

from datetime import date
from functools import cache
from random import Random
from typing import Final

from ledger.aggregates.fund import Fund
from ledger.events.activities import AREAS, HelpKind
from ledger.events.money import DonationSource
from service.demo.diary import instant
from service.demo.places import Keeping
from service.demo.village import Village

ACTIVITIES: Final[dict[Keeping, int]] = {"careful": 2, "usual": 1, "bad": 0}
"""How many activities a club holds after each meeting; whoever holds two has been through all areas in half a year."""
IS_BUSY: Final = 0.7
"""How likely a usual club holds as many in a half-year as a careful one."""
SELDOM: Final = 0.15
"""How likely a badly kept club holds one at all."""
SUPPORT: Final = 0.1
"""How likely a fund of the place, or somebody from far away, supports what a club does in a month."""
SUPPORTERS: Final[tuple[tuple[DonationSource, bool, str], ...]] = (
    ("social_security_fund", False, "Quỹ An sinh xã hội {commune}"),
    ("elderly_care_fund", False, "Quỹ Chăm sóc và phát huy vai trò người cao tuổi {commune}"),
    ("credit_fund", False, "Quỹ Tín dụng nhân dân {commune}"),
    ("other_local_fund", False, "Quỹ Vì người nghèo {commune}"),
    ("member", False, "Thành viên câu lạc bộ góp thêm"),
    ("foreign_org", True, "Một tổ chức phi chính phủ nước ngoài"),
)
"""From whom (plan 47, II.7 and III.3), whether from abroad, and under which name."""
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
        tell = village.diary.tell
        self._take_support(on)
        for _ in range(self._activities(on)):
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

    def _activities(self, on: date) -> int:
        """How many activities there are around a meeting."""
        club = self._village.club
        if club.keeping == "usual" and is_busy(club.code, on.year, on.month > 6):
            return ACTIVITIES["careful"]
        return ACTIVITIES[club.keeping] or int(self._random.random() < SELDOM)

    def _take_support(self, on: date) -> None:
        village, random = self._village, self._random
        if random.random() >= SUPPORT:
            return
        source, is_foreign, name = random.choice(SUPPORTERS)
        donor = name.format(commune=village.club.place_on(on)["commune"])
        village.diary.tell(
            instant(on, 15, 40),
            on,
            village.treasurer,
            Fund.receive_donation,
            texts={"donor": donor},
            salted_by=random,
            source=source,
            foreign=is_foreign,
            pot="activity",
            amount=random.randint(5, 14) * 100_000 + 50_000,
        )


@cache
def is_busy(club: str, year: int, is_second: bool) -> bool:
    """Whether a usual club has much in hand in a half-year."""
    half = Random(f"{club} {year}-{1 + is_second} beside money")  # noqa: S311  # Repeatable on purpose; no secret.
    return half.random() < IS_BUSY

"""The people of the villages, all made up: names as they are common among Tày, Nùng and Kinh of the region.

Names go to the erasable register; the fund knows a number, a sex, a birth year, the poverty list and a household.
"""

from collections.abc import Collection
from datetime import date
from random import Random
from typing import NamedTuple

from ledger.aggregates.member import Member
from ledger.events.club import Poverty, Sex

ELDERLY_AGE = 60
"""Người cao tuổi by law (39/2009/QH12, article 2)."""

# fmt: off
FAMILY_NAMES = (
    "Hoàng", "Hoàng", "Nông", "Nông", "Lương", "Vi", "Hà", "Triệu", "Lý", "Lộc", "Đàm", "Chu", "La", "Lành",
    "Phùng", "Linh", "Hứa", "Bế", "Mã", "Lâm", "Dương", "Nguyễn", "Trần", "Lê", "Vũ", "Đinh", "Phạm",
)
FEMALE_NAMES = (
    "Lan", "Hoa", "Mai", "Yến", "Liên", "Hiền", "Bích", "Nhung", "Thơm", "Hằng", "Loan", "Sen", "Đào", "Cúc",
    "Thủy", "Hồng", "Nga", "Phượng", "Thanh", "Vân", "Xuân", "Thu", "Hường", "Dung", "Huệ", "Mến", "Nhàn",
    "Tâm", "Thắm", "Vui", "Ngọc", "Quyên", "Hạnh", "Duyên", "Điệp", "Chiêm", "Sầm",
)
MALE_NAMES = (
    "Bình", "Cường", "Dũng", "Đức", "Hải", "Hòa", "Hùng", "Khánh", "Lâm", "Long", "Minh", "Nam", "Phúc",
    "Quang", "Sơn", "Tài", "Thành", "Thắng", "Toàn", "Trường", "Tuấn", "Vinh", "Chiến", "Đông", "Hợp", "Kiên",
    "Lợi", "Nghĩa", "Sinh", "Thái", "Tiến", "Trọng", "Viện",
)
# fmt: on
MALE_MIDDLE_NAMES = ("Văn", "Văn", "Văn", "Đức", "Minh", "Hữu", "Quang", "Ngọc", "Đình")
FEMALE_MIDDLE_NAMES = ("Thị", "Thị", "Thị", "Thị", "Thúy", "Ngọc", "Bích")


class Newcomer(NamedTuple):
    """Somebody about to join."""

    name: str
    sex: Sex
    birth_year: int
    poverty: Poverty
    household: str


def newcomer(random: Random, today: date, roll: Collection[Newcomer | Member]) -> Newcomer:
    """Somebody who keeps the club within the plan's bands: 60–70 % women, 60–70 % aged 60 or more (plan 47, I.2)."""
    women = sum(member.sex == "female" for member in roll)
    elderly = sum(today.year - member.birth_year >= ELDERLY_AGE for member in roll)
    sex: Sex = "female" if random.random() < _leaning(women, len(roll)) else "male"
    is_elderly = random.random() < _leaning(elderly, len(roll))
    age = min(60 + int(random.expovariate(1 / 8)), 92) if is_elderly else random.randint(24, 56)
    poverties: list[Poverty] = ["poor", "near_poor", "hardship", "none"]
    poverty = random.choices(poverties, (12, 18, 14, 56))[0]
    return Newcomer(_name(random, sex), sex, today.year - age, poverty, _household(random, roll))


def _leaning(have: int, of: int) -> float:
    """How likely the next one is of the kind that two thirds should be."""
    if of < 10:
        return 0.65
    return 0.9 if 100 * have < 63 * of else 0.2 if 100 * have > 67 * of else 0.65


def _name(random: Random, sex: Sex) -> str:
    family = random.choice(FAMILY_NAMES)
    if sex == "female":
        return f"{family} {random.choice(FEMALE_MIDDLE_NAMES)} {random.choice(FEMALE_NAMES)}"
    return f"{family} {random.choice(MALE_MIDDLE_NAMES)} {random.choice(MALE_NAMES)}"


def _household(random: Random, roll: Collection[Newcomer | Member]) -> str:
    """A household of their own, or, for about one in eight, that of somebody who is a member already."""
    households = sorted({member.household for member in roll if member.household})
    if households and random.random() < 0.12:
        return random.choice(households)
    return f"H{1 + max((int(household[1:]) for household in households), default=0):03}"


def yearly_mortality(age: int) -> float:
    """About how many of that age die within a year."""
    return 0.003 if age < 60 else 0.012 if age < 70 else 0.035 if age < 80 else 0.09

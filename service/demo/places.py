"""Where the plan's clubs are and what rules they live by: 24 communes of Lạng Sơn, by the names they had at the time.

The clubs and their bylaws are made up; the communes are real, and so are the plan's figures (plan 47, I.2 and III.2).
"""

from datetime import date
from typing import Any, Literal, NamedTuple

import msgspec

from ledger.days import add_months
from ledger.events import Bylaws, Item
from ledger.register import folded
from ledger.terms import InterestMethod, RepaymentMode

PROVINCE = "Lạng Sơn"
PLAN = "VN-LS-47-2022"
DOCUMENT = "8668/QĐ-SLĐTBXH"
"""The decision that gave each club of 2022 its 30,000,000 đ in kind."""

EQUIPMENT = (
    Item("Bộ loa, âm ly và micrô", 1, "bộ", 12_500_000),
    Item("Ghế nhựa có tựa", 60, "chiếc", 7_200_000),
    Item("Bàn gấp", 6, "chiếc", 3_600_000),
    Item("Trang phục văn nghệ", 12, "bộ", 4_200_000),
    Item("Máy đo huyết áp", 2, "chiếc", 1_700_000),
    Item("Cân sức khỏe", 1, "chiếc", 800_000),
)
"""What each club of 2022 was given: 30,000,000 đ together."""

REPAYMENT_MODES: tuple[RepaymentMode, ...] = ("equal_principal", "bullet", "interest_at_maturity")
INTEREST_METHODS: tuple[InterestMethod, ...] = ("reducing", "flat")


Keeping = Literal["careful", "usual", "bad"]
"""How well the treasurer keeps the books."""
Weakness = Literal["closing", "counting", "minutes", "offices"]
"""What a club falls short of in some half-years: closing months in time, counting the box each quarter, noting who came
to a meeting, having somebody else than the treasurer write."""


class Club(NamedTuple):
    """One club: its place, its founding, its bylaws, and how well it keeps its books."""

    commune: str
    district: str
    merged_into: str | None
    founded_on: date
    bylaws: Bylaws
    new_bylaws: Bylaws | None
    lends: bool
    keeping: Keeping
    weakness: Weakness | None

    @property
    def code(self) -> str:
        """The fund's code: `LS-MAI-PHA`."""
        return "LS-" + folded(self.commune).upper().replace(" ", "-")

    @property
    def name(self) -> str:
        """The club's full name."""
        return f"Câu lạc bộ Liên thế hệ tự giúp nhau xã {self.commune}"

    def place_on(self, day: date) -> dict[str, Any]:
        """Where it lies: with a district until the reform, without one since."""
        if day < REFORM:
            return {"commune": f"xã {self.commune}", "district": self.district, "province": PROVINCE}
        return {"commune": self.merged_into or f"xã {self.commune}", "province": PROVINCE}

    @property
    def begins_on(self) -> date:
        """When its fund is opened here: on its founding day, or, where an old book is taken over, a year later."""
        return add_months(self.founded_on, 12) if self.has_old_book else self.founded_on

    @property
    def has_old_book(self) -> bool:
        """Whether it kept its books on paper at first, and brings them along."""
        return self.commune == WITH_OLD_BOOK

    def meeting_on(self, day: int) -> "Club":
        """The same club, if it met on another day of the month."""
        return self._replace(bylaws=msgspec.structs.replace(self.bylaws, meeting_day=day))

    @property
    def badly_kept(self) -> bool:
        """Whether it is the club that an inspector should find."""
        return self.keeping == "bad"

    @property
    def is_new(self) -> bool:
        """Whether it is one of the four that the plan founded in 2022."""
        return self.founded_on.year == 2022


BADLY_KEPT = "Vân Nham"
WITHOUT_REVOLVING_POT = "Bính Xá"
WITH_OLD_BOOK = "Hợp Thành"

REFORM = date(2025, 7, 1)
RESOLUTION = "1672/NQ-UBTVQH15"
"""Since then there are no districts, and the province's communes are 61 and four wards, most of several old ones."""
KEPT = None
"""The commune's name went on, of a larger commune."""

_FOUNDED = (
    ("Mai Pha", "thành phố Lạng Sơn", date(2016, 9, 20), "phường Đông Kinh"),
    (BADLY_KEPT, "huyện Hữu Lũng", date(2017, 3, 9), KEPT),
    (WITHOUT_REVOLVING_POT, "huyện Đình Lập", date(2019, 10, 1), "xã Đình Lập"),
    ("Đề Thám", "huyện Tràng Định", date(2022, 5, 12), "xã Tràng Định"),
    ("Hợp Thành", "huyện Cao Lộc", date(2016, 10, 1), "phường Kỳ Lừa"),
    ("Gia Cát", "huyện Cao Lộc", date(2017, 6, 6), "phường Kỳ Lừa"),
    ("Tú Đoạn", "huyện Lộc Bình", date(2017, 8, 15), "xã Na Dương"),
    ("Yên Khoái", "huyện Lộc Bình", date(2018, 4, 18), "xã Mẫu Sơn"),
    ("Mai Sao", "huyện Chi Lăng", date(2016, 11, 24), "xã Nhân Lý"),
    ("Vạn Linh", "huyện Chi Lăng", date(2018, 6, 6), KEPT),
    ("Y Tịch", "huyện Chi Lăng", date(2019, 5, 16), "xã Vạn Linh"),
    ("Yên Bình", "huyện Hữu Lũng", date(2018, 9, 27), KEPT),
    ("Hòa Lạc", "huyện Hữu Lũng", date(2020, 6, 6), "xã Tân Thành"),
    ("Long Đống", "huyện Bắc Sơn", date(2017, 10, 1), "xã Bắc Sơn"),
    ("Hưng Vũ", "huyện Bắc Sơn", date(2019, 3, 26), KEPT),
    ("Hồng Thái", "huyện Bình Gia", date(2018, 11, 8), "xã Tân Văn"),
    ("Tân Văn", "huyện Bình Gia", date(2020, 8, 20), KEPT),
    ("Điềm He", "huyện Văn Quan", date(2020, 1, 18), KEPT),
    ("Yên Phúc", "huyện Văn Quan", date(2019, 8, 22), KEPT),
    ("Hoàng Việt", "huyện Văn Lãng", date(2019, 12, 5), "xã Na Sầm"),
    ("Quốc Khánh", "huyện Tràng Định", date(2020, 10, 1), KEPT),
    ("Tân Liên", "huyện Cao Lộc", date(2022, 6, 6), "phường Kỳ Lừa"),
    ("Tân Mỹ", "huyện Văn Lãng", date(2022, 7, 14), "xã Hoàng Văn Thụ"),
    ("Quảng Lạc", "thành phố Lạng Sơn", date(2022, 8, 25), "phường Lương Văn Tri"),
)
"""Commune, district, founding, and the commune or ward it has been in since the reform. The unusual ones come first, so
that a small demo has one of each."""


def _bylaws(number: int, *, badly_kept: bool) -> Bylaws:
    """Bylaws that differ from club to club and together show every repayment mode with every interest method."""
    method = INTEREST_METHODS[number // 3 % 2]
    return Bylaws(
        monthly_rate_ppm=(8_000, 10_000, 9_000, 12_000)[number % 4] - (2_000 if method == "flat" else 0),
        interest_method=method,
        repayment_mode=REPAYMENT_MODES[number % 3],
        max_principal=(5_000_000, 10_000_000, 8_000_000, 6_000_000, 7_000_000)[number % 5],
        max_term_months=(12, 18, 12, 24)[number % 4],
        min_membership_months=(3, 6, 1)[number // 2 % 3],
        one_open_loan_per_household=number % 7 != 5,
        interest_to_activity_ppm=(300_000, 400_000, 500_000, 250_000)[number // 2 % 4],
        monthly_dues=(10_000, 10_000, 5_000, 15_000)[number // 4 % 4],
        meeting_day=5 + number * 5 % 18,
        two_person_approval=not badly_kept,
        interest_rounding=(1_000, 500)[number % 2],
    )


def _new_bylaws(number: int, bylaws: Bylaws) -> Bylaws | None:
    """What every fourth club changed once: dearer dues, cheaper and larger loans, all repaid month by month."""
    if number % 4 != 1:
        return None
    return Bylaws(
        monthly_rate_ppm=bylaws.monthly_rate_ppm - 1_000,
        interest_method=bylaws.interest_method,
        repayment_mode="equal_principal",
        max_principal=10_000_000,
        max_term_months=max(bylaws.max_term_months, 18),
        min_membership_months=bylaws.min_membership_months,
        one_open_loan_per_household=bylaws.one_open_loan_per_household,
        interest_to_activity_ppm=bylaws.interest_to_activity_ppm,
        monthly_dues=bylaws.monthly_dues + 5_000,
        meeting_day=bylaws.meeting_day,
        two_person_approval=bylaws.two_person_approval,
        interest_rounding=bylaws.interest_rounding,
    )


_WEAKNESSES: tuple[Weakness | None, ...] = ("closing", "counting", "minutes", None, "closing", "offices", "counting")
"""Of the clubs that are neither kept carefully nor badly, in turn."""


def _club(number: int, commune: str, district: str, founded_on: date, merged_into: str | None) -> Club:
    keeping: Keeping = "bad" if commune == BADLY_KEPT else "usual" if number % 3 else "careful"
    bylaws = _bylaws(number, badly_kept=keeping == "bad")
    lends = commune != WITHOUT_REVOLVING_POT
    weakness = _WEAKNESSES[number % len(_WEAKNESSES)] if keeping == "usual" else None
    new_bylaws = _new_bylaws(number, bylaws)
    return Club(commune, district, merged_into, founded_on, bylaws, new_bylaws, lends, keeping, weakness)


CLUBS: tuple[Club, ...] = tuple(_club(number, *place) for number, place in enumerate(_FOUNDED))
"""The plan's 24: twenty of 2016–2020 and four of 2022."""

"""What comes into a club's boxes besides loans and dues, what it spends, and what it finds when it counts."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.chart import Place
from ledger.events.money import Activity, DonationSource, IncomeKind
from service.demo.diary import evening, instant
from service.demo.staff import CHAIR, TREASURER
from service.demo.village import Village

IN_THE_BOX = 8_000_000
"""What a well-kept club leaves of its loan capital in the box; more goes to the bank."""

ADVANCE, ADVANCE_STEP = 5_000_000, 1_000_000
"""What another local fund lends to a new club free of interest, and what of it is given back each December."""

RESERVE = 300_000
"""What the activity pot keeps, so that a correction or a forgotten bill finds it."""

ELDERLY_DAY, OLDER_PERSONS_DAY = (6, 6), (10, 1)
"""Ngày truyền thống Người cao tuổi Việt Nam, 6/6, and the International Day of Older Persons, 1/10."""

DONORS: tuple[tuple[DonationSource, str], ...] = (
    ("mass_org", "Hội Liên hiệp Phụ nữ {commune}"),
    ("mass_org", "Ủy ban Mặt trận Tổ quốc Việt Nam {commune}"),
    ("elderly_association", "Hội Người cao tuổi {above}"),
    ("elderly_care_fund", "Quỹ Chăm sóc và phát huy vai trò người cao tuổi {commune}"),
    ("business", "Hợp tác xã dịch vụ nông nghiệp {commune}"),
    ("benefactor", "Một gia đình buôn bán ở chợ"),
    ("better_off_member", "Một thành viên câu lạc bộ"),
    ("community", "Bà con trong thôn"),
    ("anonymous", "Nhà hảo tâm giấu tên"),
)
"""Of the commune as it was named then, and of what stood above it: the district, since the reform the province."""

MONTHLY: tuple[tuple[Activity, int, int], ...] = (
    ("administration", 50_000, 150_000),
    ("culture", 100_000, 400_000),
    ("home_care", 80_000, 250_000),
    ("community", 80_000, 250_000),
    ("rights", 80_000, 200_000),
    ("training", 100_000, 400_000),
    ("health", 100_000, 500_000),
    ("other", 20_000, 60_000),
)
"""What a club spends on from month to month, from–to in đồng; the first more often than the last."""

INTEREST_FROM = 100_000
"""What has to lie at the bank for its interest to be worth a line, in đồng."""

MOST_GIFTS = 450_000
"""What a feast's gifts come to at most, beside visits of 50,000 or 100,000 đ."""
VISIT_NOTES = ("Thăm hỏi thành viên tại nhà", "Thăm thành viên cao tuổi neo đơn", "Mừng thọ thành viên")
FUNERAL_NOTE = "Phúng viếng thành viên qua đời"


class Purse:
    """Gifts and spending of one club."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._to_spend = 0

    def begin(self, month: date) -> None:
        """Count what may be spent, and receive what is given around the feasts: Tết, 6/6 and 1/10."""
        self._to_spend = self._village.balances["activity", "cash"] - RESERVE
        feasts = {
            1: date(month.year, 1, 18),
            6: date(month.year, *ELDERLY_DAY),
            10: date(month.year, *OLDER_PERSONS_DAY),
        }
        if feast := feasts.get(month.month):
            self._celebrate(feast)

    def receive_capital(self, lines: Iterator[datetime], on: date) -> None:
        """The money a club begins to lend with. The clubs of 2022 were given things, and find their money nearby."""
        village, random = self._village, self._village.random
        if village.club.lends:
            source: DonationSource = "other_local_fund" if village.club.is_new else "programme"
            amount = (random.randint(15, 30) if village.club.is_new else random.randint(40, 75)) * 1_000_000
            tell, by = village.diary.tell, village.treasurer
            tell(next(lines), on, by, Fund.receive_donation, source=source, pot="revolving", amount=amount)
            if village.club.is_new:
                tell(next(lines), on, by, Fund.receive_advance, source=source, amount=ADVANCE)
            if not village.club.badly_kept:
                tell(next(lines), on, by, Fund.move_to_bank, pot="revolving", amount=amount - IN_THE_BOX)

    def repay_advance(self, lines: Iterator[datetime], on: date, in_box: int) -> int:
        """Give back some of what the club borrowed itself; answers how much, in đồng."""
        village = self._village
        if on.month != 12 or not village.balances["revolving", "advances"] or in_box < ADVANCE_STEP:
            return 0
        village.diary.tell(next(lines), on, village.treasurer, Fund.repay_advance, number=1, amount=ADVANCE_STEP)
        return ADVANCE_STEP

    def _celebrate(self, feast: date) -> None:
        village, random = self._village, self._village.random
        given_on = feast - timedelta(days=random.randint(0, 8) if feast.day > 8 else 0)
        lines, place = evening(random, given_on), village.club.place_on(given_on)
        above = place.get("district", f"tỉnh {place['province']}")
        donors = random.sample(DONORS, random.choice((1, 1, 2, 3)))
        # Like gifts of one day are asked about; here none are alike.
        for (source, donor), amount in zip(donors, random.sample(range(2, 16), len(donors)), strict=True):
            to_loans = village.club.lends and village.chance(0.25)
            village.diary.tell(
                next(lines),
                given_on,
                village.treasurer,
                Fund.receive_donation,
                texts={"donor": donor.format(commune=place["commune"], above=above)},
                source=source,
                pot="revolving" if to_loans else "activity",
                amount=amount * 100_000,
            )
        lines = evening(random, feast)
        festive = max(self._to_spend, 0) // 3 // 10_000 * 10_000
        self.spend(next(lines), feast, "culture", festive)
        self.spend(next(lines), feast, "visit_gift", min(festive // 2, MOST_GIFTS), VISIT_NOTES[2])

    def spend(self, at: datetime, on: date, activity: Activity, amount: int, note: str | None = None) -> None:
        """Pay for an activity if there is money for it."""
        if not 0 < amount <= self._to_spend:
            return
        self._to_spend -= amount
        texts = {"note": note} if note else None
        tell = self._village.diary.tell
        tell(at, on, self._village.treasurer, Fund.pay_expense, texts=texts, activity=activity, amount=amount)

    def mourn(self, on: date) -> None:
        """A wreath and a gift to the family of a member who died."""
        self.spend(instant(on + timedelta(days=1), 19), on, "visit_gift", 200_000, FUNERAL_NOTE)

    def meet(self, lines: Iterator[datetime], on: date) -> None:
        """The month's spending, entered with the meeting; a badly kept club enters some of it weeks late."""
        village, random = self._village, self._village.random
        for activity, least, most in dict.fromkeys(
            random.choices(MONTHLY, range(len(MONTHLY), 0, -1), k=random.randint(1, 3))
        ):
            day = on - timedelta(days=random.randint(0, 6))
            at = instant(on + timedelta(days=20), 19, random.randint(0, 59))
            is_late = village.club.badly_kept and village.chance(0.25)
            self.spend(at if is_late else next(lines), day, activity, random.randint(least, most) // 5_000 * 5_000)
        for days in random.sample(range(7), random.choice((0, 1, 1, 2))):
            self.spend(
                next(lines),
                on - timedelta(days=days),
                "visit_gift",
                random.choice((50_000, 100_000)),
                random.choice(VISIT_NOTES[:2]),
            )
        self._bank(next(lines), on)
        if village.chance(0.12):
            self._earn(next(lines), on, kind="collective", place="cash", amount=random.randint(4, 20) * 50_000)

    def _bank(self, at: datetime, on: date) -> None:
        """Take what is not needed soon to the bank, and fetch it when the box runs low; once a year lend some of it."""
        village = self._village
        in_bank = village.balances["activity", "bank"]
        if on.month == 2 and village.club.lends and self._to_spend > 2_000_000:
            self._to_spend -= 1_000_000
            facts: dict[str, Any] = {"source": "activity", "target": "revolving", "amount": 1_000_000}
            village.diary.tell(at, on, village.treasurer, Fund.transfer_between_pots, **facts)
            return
        if self._to_spend > 4_000_000:
            self._to_spend -= 2_000_000
            village.diary.tell(at, on, village.treasurer, Fund.move_to_bank, pot="activity", amount=2_000_000)
        elif self._to_spend < 200_000 and in_bank >= 1_000_000:
            village.diary.tell(at, on, village.treasurer, Fund.fetch_from_bank, pot="activity", amount=1_000_000)
        elif on.month == 12 and in_bank >= INTEREST_FROM:
            amount = in_bank * 45 // 1_000  # About 4,5 % a year.
            self._earn(at, on, kind="bank_interest", place="bank", amount=amount)

    def _earn(self, at: datetime, on: date, *, kind: IncomeKind, place: Place, amount: int) -> None:
        tell = self._village.diary.tell
        facts: dict[str, Any] = {"kind": kind, "pot": "activity", "place": place, "amount": amount}
        tell(at, on, self._village.treasurer, Fund.receive_income, **facts)

    def find_vouchers(self, lines: Iterator[datetime], on: date) -> None:
        """Before an inspection, vouchers turn up for what is missing from the box, dated weeks back."""
        for _ in range(self._village.random.randint(3, 5)):
            day = on - timedelta(days=self._village.random.randint(16, 40))
            self.spend(next(lines), day, "other", self._village.random.randint(2, 5) * 10_000)

    def count(self, at: datetime, on: date, random: Random, missing: int | None = None) -> None:
        """The board counts the box in front of the meeting; in a badly kept club a little is often missing, or as much
        as is said."""
        village = self._village
        is_off = random.random() < (0.7 if village.club.badly_kept else 0.06)
        difference = random.choice((-50_000, -20_000, -10_000, 5_000, 10_000)) if is_off else 0
        difference = difference if missing is None else missing
        others = [member.number for member in village.roll if member.number not in (CHAIR, TREASURER)]
        witnesses = sorted(random.sample(others, 2))
        village.diary.tell(at, on, village.treasurer, count_box, difference=difference, witnesses=witnesses)


def count_box(fund: Fund, metadata: EntryMetadata, *, difference: int, witnesses: list[int]) -> None:
    """Find in the box what the books expect, but for a difference."""
    counted = max(fund.cash_at(metadata.on) + difference, 0)
    fund.count_cash(metadata, reason="periodic", counted=counted, witnesses=witnesses)

"""A club's life, month by month: founding, meetings, dues, joining, leaving, closing the year.

Each month is planned from what has been recorded until then, so that hardly anything is ever refused; the rules of the
fund still judge every act.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from ledger.aggregates.fund import Fund
from ledger.aggregates.member import Member
from ledger.days import add_months
from ledger.events.club import LeavingReason, Poverty
from ledger.events.governance import Office
from ledger.projections.dues import meeting_in
from service.demo.common_life import CommonLife
from service.demo.diary import evening, instant
from service.demo.lending import LoanDesk
from service.demo.minutes import Minutes
from service.demo.old_book import OldBook
from service.demo.oversight import Oversight
from service.demo.people import Newcomer, newcomer, yearly_mortality
from service.demo.places import DOCUMENT, EQUIPMENT, PLAN, REFORM, RESOLUTION, Club
from service.demo.purse import Purse
from service.demo.staff import CHAIR, TREASURER, Board, Province
from service.demo.village import FAMILY, Village

LOCKDOWNS = frozenset({"2020-04", "2021-05", "2021-06", "2021-08"})
"""Months of the epidemic in which no meeting was allowed."""

OFFICES: tuple[Office, ...] = ("chair", "treasurer", "deputy_chair", "secretary", "accountant")
CHAIRS_AGE = range(60, 69)
"""Whom a club for the elderly elects: somebody retired and still strong."""
MONTHS_BEFORE_NEW_BYLAWS = 30
MOST_MONTHS_OWED = 3
"""Older dues are forgotten, as clubs do."""
FORGIVEN: frozenset[Poverty] = frozenset({"poor", "hardship"})
"""Whose dues the chair may let go of at the end of a year, and says so."""
FORGIVING_REASON = "Gia đình khó khăn, cuối năm Ban Chủ nhiệm đề nghị miễn"

COME_BACK: dict[LeavingReason, float] = {"moved": 0.35, "resigned": 0.15}
"""How likely somebody comes back: from a child's house far away, or with another mind."""
AWAY_MONTHS = (4, 15)

KIN, CHAIR_HOUSEHOLD = (2, 5), "H001"
"""In the badly kept club, who joins third and sixth is of the chair's household."""
POCKETING = range(2, 7)
"""The lean months before the harvest, in which the badly kept club's dues reach the box a month late."""

BETTER_OFF: dict[str, Poverty] = {"poor": "near_poor", "near_poor": "none", "hardship": "none"}


class Life:
    """What one club does."""

    def __init__(self, club: Club, board: Board, seed: int, opened_on: date, province: Province) -> None:
        self.village = Village(club, board, seed)
        self.opened_on = opened_on
        self._province = province
        self._offices: dict[int, Office] = {}
        self._loans = LoanDesk(self.village)
        self._purse = Purse(self.village)
        self._minutes = Minutes(self.village)
        self._old_book = OldBook(self.village)
        self._common_life = CommonLife(self.village)
        self._oversight = Oversight(self.village, self._purse, self._offices)
        self._size = self.village.random.randint(52, 63)
        self._inspected_in = self.village.random.randint(4, 11)
        self._inspection = self.village.random.choice(("sample", "focal"))
        self._owed: dict[int, list[str]] = defaultdict(list)
        self._savers = frozenset(self.village.random.sample(range(1, 200), 40))
        self._shareholders: set[int] = set()
        self._pocketed: list[tuple[int, str]] = []

    def has_begun(self, month: date) -> bool:
        """Whether the club's fund is open by the end of a month."""
        return self.opened_on.replace(day=1) <= month

    def live(self, month: date) -> None:
        """Plan the acts of the month that begins on `month`."""
        if not self.has_begun(month):
            return
        if not self.has_begun(add_months(month, -1)):
            self._found()
            return
        self._purse.begin(month)
        if month == REFORM:
            self._move()
        if month == add_months(self.opened_on.replace(day=1), MONTHS_BEFORE_NEW_BYLAWS):
            self._adopt_new_bylaws(month)
        if month == add_months(self.opened_on.replace(day=1), 1):
            self._old_book.correct(month)
        self._oversight.close(add_months(month, -1))
        on = meeting_in(month, self.village.bylaws.meeting_day)
        self._owe_dues(f"{month:%Y-%m}")
        if f"{month:%Y-%m}" not in LOCKDOWNS:
            self._common_life.act(on)
            self._meet(on)
        self._leave(on)
        if month.month == 12:
            self._review_poverty(month)

    # --- founding -------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        village, on, club = self.village, self.opened_on, self.village.club
        village.diary.tell(
            instant(on, 9, 30),
            on,
            self._province.admin.id,
            Fund.open,
            opens=True,
            club=club.name,
            **club.place_on(on),
            founded_on=club.founded_on,
            plan=PLAN,
            bylaws=club.bylaws,
        )
        lines = evening(village.random, on)
        people: list[Newcomer] = []
        for _ in range(self._size - village.random.randint(0, 3)):
            people.append(self._join(lines, on, people))
        volunteers: list[Office] = ["volunteer"] * village.random.randint(5, 8)
        for number, office in enumerate([*OFFICES, *volunteers], 1):
            self._appoint(next(lines), on, number, office)
        if club.is_new:
            village.diary.tell(
                next(lines),
                on,
                village.treasurer,
                Fund.receive_in_kind_donation,
                source="state_budget",
                items=EQUIPMENT,
                document=DOCUMENT,
            )
        if club.has_old_book:
            self._old_book.declare(lines, on, [person.poverty for person in people])
        else:
            self._purse.receive_capital(lines, on)

    def _join(self, lines: Iterator[datetime], on: date, roll: Collection[Newcomer | Member]) -> Newcomer:
        person = newcomer(self.village.random, on, roll)
        if len(roll) < CHAIR:
            person = person._replace(birth_year=on.year - self.village.random.choice(CHAIRS_AGE))
        if self.village.club.badly_kept and len(roll) in KIN:
            person = person._replace(household=CHAIR_HOUSEHOLD)
        facts = person._asdict()
        texts = {"name": facts.pop("name")}
        self.village.diary.tell(next(lines), on, self.village.treasurer, Fund.join, texts=texts, **facts)
        return person

    def _appoint(self, at: datetime, on: date, member: int, office: Office) -> None:
        self._offices[member] = office
        self.village.diary.tell(
            at, on, self.village.chair, Fund.take_office, several=True, member=member, office=office
        )

    # --- meetings -------------------------------------------------------------------------------------------------

    def _meet(self, on: date) -> None:
        """The treasurer enters the meeting that evening, or a few days after, but within the month."""
        village, random = self.village, self.village.random
        last_day = add_months(on.replace(day=1), 1) - timedelta(days=1)
        entered_on = min(on + timedelta(days=random.choice((0, 0, 0, 0, 0, 1, 1, 2, 4))), last_day)
        lines = evening(random, entered_on)
        present, by_proxy = self._attendance()
        self._minutes.mistake_the_day(lines, on, [member.number for member in present], f"{on:%Y-%m}")
        self._put_back(lines, on)
        carriers = {member.number: random.choice(present).number for member in by_proxy}
        for member in (*present, *by_proxy):
            self._pay_dues(lines, on, member, carriers.get(member.number))
            if village.club.lends:
                self._pay_in(lines, on, member, carriers.get(member.number))
        if village.club.lends:
            self._loans.meet(lines, on, set_aside=self._pay_out(lines, on))
        self._purse.meet(lines, on)
        if len(village.roll) < self._size:
            for _ in range(random.randint(1, 2)):
                self._join(lines, on, village.roll)
        numbers = ([member.number for member in each] for each in (present, by_proxy))
        self._minutes.hold(lines, on, *numbers, is_written=self._oversight.writes_minutes(on))
        self._keep_order(lines, on)
        self._oversight.meet(on, entered_on)

    def _attendance(self) -> tuple[list[Member], list[Member]]:
        """Who came, and for whom somebody else did."""
        village = self.village
        present, by_proxy = [], []
        for member in village.roll:
            if member.number in (CHAIR, TREASURER) or village.chance(0.62):
                present.append(member)
            elif village.chance(0.25):
                by_proxy.append(member)
        return present, by_proxy

    def _pay_dues(self, lines: Iterator[datetime], on: date, member: Member, paid_by: int | None) -> None:
        """This month's dues, and often one of the months still owed."""
        village = self.village
        owed = self._owed[member.number]
        if not owed or not village.chance(0.92 if member.poverty == "none" else 0.72):
            return
        paid = [owed.pop()]
        if owed and village.chance(0.08):
            paid.insert(0, owed.pop(0))
        for month in paid:
            if village.club.badly_kept and on.month in POCKETING and village.chance(0.3):
                self._pocketed.append((member.number, month))
            else:
                self._enter_dues(lines, on, member.number, month, paid_by)

    def _put_back(self, lines: Iterator[datetime], on: date) -> None:
        """Dues that went into a pocket at the last meeting are entered at this one, and others go the same way."""
        for member, month in self._pocketed:
            if self.village.members[member].left_on is None:
                self._enter_dues(lines, on, member, month)
        self._pocketed.clear()

    def _enter_dues(
        self, lines: Iterator[datetime], on: date, member: int, month: str, paid_by: int | None = None
    ) -> None:
        dues = self.village.bylaws.monthly_dues
        facts = {"member": member, "amount": dues, "for_month": month, "paid_by": paid_by}
        self.village.enter(lines, on, Fund.receive_contribution, kind="dues", **facts)

    def _owe_dues(self, month: str) -> None:
        """From this month on everybody owes its dues; what is older than some months is forgotten."""
        earliest = f"{add_months(date.fromisoformat(f'{month}-01'), 1 - MOST_MONTHS_OWED):%Y-%m}"
        for member in self.village.roll:
            self._owed[member.number] = [owed for owed in (*self._owed[member.number], month) if owed >= earliest]

    def _pay_in(self, lines: Iterator[datetime], on: date, member: Member, paid_by: int | None) -> None:
        """A share once, and savings from those who save."""
        village, random = self.village, self.village.random
        receive, facts = Fund.receive_contribution, {"member": member.number, "paid_by": paid_by}
        if member.number not in self._shareholders and village.chance(0.7):
            self._shareholders.add(member.number)
            amount = random.choice((200_000, 300_000) if member.poverty == "none" else (50_000, 100_000))
            village.enter(lines, on, receive, kind="share", amount=amount, **facts)
        if member.number in self._savers and village.chance(0.45):
            amount = random.choice((20_000, 30_000, 50_000, 50_000, 100_000))
            village.enter(lines, on, receive, kind="savings", amount=amount, **facts)

    def _pay_out(self, lines: Iterator[datetime], on: date) -> int:
        """Savings go back to those who need them and to the families of those who left, if these owe nothing any more;
        and some of what the club borrowed itself. Answers how much, in đồng."""
        village = self.village
        in_box = village.balances["revolving", "cash"] // 2
        paid = self._purse.repay_advance(lines, on, in_box)
        for number, saved in sorted(village.savings.items()):
            has_left = number in village.leaving
            if has_left and self._loans.owes(number):
                continue
            amount = saved if has_left else saved // 20_000 * 10_000
            if amount and (has_left or village.chance(0.02)) and paid + amount <= in_box:
                paid += amount
                texts = {"paid_by": FAMILY} if has_left else None
                facts: dict[str, Any] = {"member": number, "amount": amount}
                village.diary.tell(next(lines), on, village.treasurer, Fund.withdraw_savings, texts=texts, **facts)
        return paid

    def _keep_order(self, lines: Iterator[datetime], on: date) -> None:
        """Count the box twice a year, look at last year's report in March, be inspected once a year; or pretend to."""
        village = self.village
        if on.month == 12:
            self._forgive_dues(lines, on)
        if on.month in (1, 7) and not (village.club.badly_kept and village.chance(0.4)):
            self._purse.count(next(lines), on, village.random)
            self._oversight.was_counted(on)
        through = date(on.year - 1, 12, 31)
        if on.month == 3 and through > self.opened_on and not village.club.badly_kept:
            self._minutes.close_year(lines, on, through)
        if on.month == self._inspected_in:
            kind = "complaint" if village.club.badly_kept and village.chance(0.5) else self._inspection
            day = on + timedelta(days=5)
            if village.club.badly_kept:
                self._purse.find_vouchers(evening(village.random, day - timedelta(days=1)), on)
            village.diary.tell(instant(day, 15, 10), day, self._province.inspector.id, Fund.note_inspection, kind=kind)

    def _forgive_dues(self, lines: Iterator[datetime], on: date) -> None:
        """At the year's end some who are poor are not asked any longer for what they owe."""
        village, texts = self.village, {"reason": FORGIVING_REASON}
        for member in village.roll:
            owed = self._owed[member.number]
            if len(owed) > 1 and member.poverty in FORGIVEN and village.chance(0.15):
                facts: dict[str, Any] = {"number": member.number, "months": tuple(owed)}
                village.diary.tell(next(lines), on, village.chair, Fund.forgive_dues, texts=texts, **facts)
                owed.clear()

    # --- changes --------------------------------------------------------------------------------------------------

    def _move(self) -> None:
        """The commune was merged with others; the province enters it the same morning."""
        admin, tell = self._province.admin.id, self.village.diary.tell
        place = self.village.club.place_on(REFORM)
        tell(instant(REFORM, 8), REFORM, admin, Fund.change_place, document=RESOLUTION, **place)

    def _adopt_new_bylaws(self, month: date) -> None:
        village = self.village
        if village.club.new_bylaws:
            village.bylaws = village.club.new_bylaws
            at = instant(month, 20, 15)
            village.diary.tell(at, month, village.chair, Fund.adopt_bylaws, bylaws=village.bylaws)

    def _leave(self, meeting: date) -> None:
        """Members die, move away or give up, in the days after the meeting; the board itself stays."""
        village = self.village
        for member in village.roll:
            reason = self._leaving_reason(meeting.year - member.birth_year)
            if reason and member.number not in (CHAIR, TREASURER):
                self._part(member.number, meeting + timedelta(days=village.random.randint(1, 6)), reason)

    def _leaving_reason(self, age: int) -> LeavingReason | None:
        reasons: tuple[LeavingReason | None, ...] = ("died", "moved", "resigned", "excluded", None)
        per_year = (yearly_mortality(age), 0.02 if age < 60 else 0.008, 0.012, 0.001)
        weights = [chance / 12 for chance in per_year]
        return self.village.random.choices(reasons, [*weights, 1 - sum(weights)])[0]

    def _part(self, number: int, on: date, reason: LeavingReason) -> None:
        village, random = self.village, self.village.random
        village.leaving.add(number)
        lines = evening(random, on + timedelta(days=random.randint(0, 10)))
        if office := self._offices.pop(number, None):
            successor = random.choice([m.number for m in village.roll if m.number not in self._offices])
            self._appoint(next(lines), on, successor, office)
            if office == "volunteer":
                village.diary.tell(next(lines), on, village.chair, Fund.leave_office, member=number, office=office)
        village.diary.tell(next(lines), on, village.treasurer, Fund.leave, number=number, reason=reason)
        if reason == "died":
            self._loans.bereave(number)
            self._purse.mourn(on)
        elif village.chance(COME_BACK.get(reason, 0)):
            back_in = add_months(on.replace(day=1), random.randint(*AWAY_MONTHS))
            back_on = meeting_in(back_in, village.bylaws.meeting_day)
            village.diary.tell(instant(back_on, 17, 30), back_on, village.treasurer, Fund.take_back, number=number)

    def _review_poverty(self, month: date) -> None:
        """Each December the commune reviews its list of poor households; some have left it."""
        village = self.village
        lines, on = evening(village.random, month.replace(day=26)), month.replace(day=26)
        for member in village.roll:
            if (better := BETTER_OFF.get(member.poverty)) and village.chance(0.08):
                tell = village.diary.tell
                tell(next(lines), on, village.treasurer, Fund.change_member, number=member.number, poverty=better)

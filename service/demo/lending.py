"""How a club lends: who asks, who decides, who pays on time, who late, who never again.

Requests are made at one meeting, decided upon at noon before the next, and paid out there from what was in the box
before it.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.aggregates.loan import Loan
from ledger.aggregates.member import Member
from ledger.days import add_months, whole_months
from ledger.events.loans import Purpose
from ledger.projections.dues import meeting_in
from service.demo.diary import instant
from service.demo.purse import IN_THE_BOX
from service.demo.staff import CHAIR
from service.demo.village import FAMILY, Village

Temper = Literal["punctual", "late", "lost", "early"]
TEMPERS: tuple[Temper, ...] = ("punctual", "late", "lost", "early")
WILL_PAY: dict[Temper, float] = {"punctual": 0.98, "early": 0.98, "late": 0.6, "lost": 0.8}
"""How likely a borrower pays at a meeting; a lost one only for the first months."""

PURPOSES: tuple[Purpose, ...] = ("livestock", "crops", "trade", "small_business", "other")
TERMS = (6, 9, 10, 12, 12, 18, 24)
SMALLEST_LOAN, LARGEST_LOAN, LOAN_STEP = 2_000_000, 10_000_000, 500_000
RESERVE = 500_000
"""What always stays in the box, so that a correction finds it."""
DAYS_AHEAD = 12
"""Who is at the meeting pays the instalment that falls due soon after it, too."""

REJECTION_REASONS = (
    "Chưa có phương án sản xuất cụ thể",
    "Gia đình đang có khoản vay ở nơi khác",
    "Ban Chủ nhiệm đề nghị vay ở đợt sau",
)
NO_MONEY_REASON = "Quỹ chưa đủ tiền trong kỳ này"
OVERRIDE_REASONS = (
    "Ban Chủ nhiệm thống nhất vì gia đình cần vốn gấp cho vụ mới",
    "Cuộc họp biểu quyết đồng ý, có người bảo lãnh",
    "Hoàn cảnh khó khăn, cuộc họp nhất trí hỗ trợ",
)
RESCHEDULING_REASON = "Gia đình xin gia hạn, trả dần theo tháng"
RELIEF_REASON = "Hộ khó khăn, cuộc họp thành viên đồng ý xóa một nửa, phần còn lại trả dần"
WRITE_OFF_REASON = "Không còn khả năng thu hồi, cuộc họp thành viên đồng ý xóa nợ"
AFTER_FLOODS = frozenset({"2022-06", "2024-10", "2025-11"})
"""The meetings after a flood, at which those who lost crops or animals are let off a month's interest."""
FLOOD_REASON = "Nhà bị thiệt hại do mưa lũ, cuộc họp thành viên đồng ý miễn lãi một tháng"
SMALL_NOTES = 1_000
"""Below this a rest is often let go when a loan is settled: nobody has such notes."""


class LoanDesk:
    """The club's lending, meeting by meeting."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._tempers: dict[int, Temper] = {}
        self._keen: dict[int, bool] = {}
        self._generosity_percent = village.random.choice((50, 85, 92, 95, 98))
        """The part of its capital that this club likes to have lent out."""
        self._usual_percent = village.random.choice((25, 30, 35, 40, 80))
        """What is usually asked for, as a part of the largest loan; the smaller, the more people borrow."""

    def meet(self, lines: Iterator[datetime], on: date, set_aside: int) -> None:
        """What a meeting does about loans; `set_aside` is cash already promised, in đồng."""
        village, collected = self._village, self._collect(lines, on)
        in_bank = village.balances["revolving", "bank"]
        left = village.balances["revolving", "cash"] - RESERVE - set_aside + in_bank
        fetched_at = next(lines)
        for loan in [loan for loan in village.loans.values() if loan.status == "requested"]:
            left -= self._decide(loan, lines, on, left)
        if (short := in_bank - left) > 0:
            short = min(-(-short // 100_000) * 100_000, in_bank)  # As a bank pays it out.
            village.diary.tell(fetched_at, on, village.treasurer, Fund.fetch_from_bank, pot="revolving", amount=short)
        if not village.club.badly_kept:
            self._bank(next(lines), on, max(-short, 0) + collected - IN_THE_BOX)
        self._ask(lines, on, left)

    def _bank(self, at: datetime, on: date, over: int) -> None:
        """Take to the bank what should not lie in a house."""
        if over >= 2_000_000:
            village, amount = self._village, over // 1_000_000 * 1_000_000
            village.diary.tell(at, on, village.treasurer, Fund.move_to_bank, pot="revolving", amount=amount)

    # --- repayments -----------------------------------------------------------------------------------------------

    def _collect(self, lines: Iterator[datetime], on: date) -> int:
        """Take what borrowers bring; answers how much, in đồng."""
        collected = 0
        for loan in self._village.running:
            if self._waive(loan, lines, on) or self._set_off(loan, lines, on):
                continue
            temper = self._temper(loan, on)
            months = whole_months(_disbursed_on(loan), on)
            if temper in ("late", "lost") and months >= loan.term_months and self._renews(loan, on):
                self._renew(loan, lines, on)
            elif temper == "lost" and months >= 3:
                self._despair(loan, lines, on)
            elif self._village.chance(WILL_PAY[temper]):
                is_careless = loan.number in self._village.careless
                settles = temper == "early" and 2 * months >= loan.term_months and not is_careless
                amount = loan.standing(on).settlement_amount if settles else due(loan, on)
                if temper == "late" and amount > 400_000 and self._village.chance(0.3):
                    amount = amount // 20_000 * 10_000  # About a half, in round notes.
                if amount:
                    collected += self._bring(loan, lines, on, amount)
        return collected

    def _bring(self, loan: Loan, lines: Iterator[datetime], on: date, amount: int) -> int:
        """A repayment; answers how much of it is put into the box, in đồng. Of somebody who left, the family brings it,
        and somebody takes care over that; now and then it was paid in at the bank, or a neighbour brings it."""
        village, random = self._village, self._village.random
        facts: dict[str, Any] = {"number": loan.number, "amount": amount}
        tell, rest = village.diary.tell, self._rest(loan, on, amount)
        if loan.member in village.leaving:
            texts = {"paid_by": FAMILY}
            tell(next(lines), on, village.treasurer, Fund.repay_loan, texts=texts, **facts)
        elif rest and village.chance(0.5):
            facts |= {"amount": amount - rest, "settle": True}
            tell(next(lines), on, village.treasurer, Fund.repay_loan, **facts)
        elif not village.club.badly_kept and village.chance(0.01):
            village.enter(lines, on, Fund.repay_loan, place="bank", **facts)
            return 0
        else:
            neighbour = random.choice(village.roll).number if village.chance(0.02) else loan.member
            village.enter(lines, on, Fund.repay_loan, paid_by=None if neighbour == loan.member else neighbour, **facts)
        return amount

    def _rest(self, loan: Loan, on: date, amount: int) -> int:
        """What of a settlement no note can pay, if it is so little of the principal."""
        rest = amount % SMALL_NOTES
        now = loan.standing(on) if rest else None
        return rest if now and amount == now.settlement_amount and rest <= now.outstanding else 0

    def _waive(self, loan: Loan, lines: Iterator[datetime], on: date) -> bool:
        """After a flood, whether a borrower who lost what the loan was for is let off the month's interest."""
        village = self._village
        if f"{on:%Y-%m}" not in AFTER_FLOODS or loan.purpose not in ("crops", "livestock") or village.club.badly_kept:
            return False
        now = loan.standing(on)
        month = min(loan.phase(on).terms.month_interest(1, now.outstanding), now.interest_due)
        if not month or not village.chance(0.3):
            return False
        tell, texts = village.diary.tell, {"reason": FLOOD_REASON}
        tell(next(lines), on, village.chair, Fund.waive_interest, texts=texts, number=loan.number, amount=month)
        return True

    def _set_off(self, loan: Loan, lines: Iterator[datetime], on: date) -> bool:
        """Whether the savings of somebody who died or moved away pay on what they owe, before the family has to."""
        village = self._village
        if loan.member not in village.leaving or not (saved := village.savings[loan.member]):
            return False
        now = loan.standing(on)
        pays_all = saved >= now.settlement_amount
        amount = now.settlement_amount if pays_all else min(saved, now.outstanding - SMALL_NOTES)
        if amount > 0:
            tell, by = village.diary.tell, village.treasurer
            tell(next(lines), on, by, Fund.set_off_savings, number=loan.number, amount=amount)
        return amount > 0

    def owes(self, member: int) -> bool:
        """Whether a member has a loan that is not paid back."""
        return any(loan.member == member for loan in self._village.loans.values() if loan.status == "running")

    def _temper(self, loan: Loan, on: date) -> Temper:
        """How a borrower pays; what is long overdue when an old book is taken over stays so."""
        if loan.number not in self._tempers:
            weights = (45, 40, 9, 6) if self._village.club.badly_kept else (82, 11, 1, 6)
            drawn = self._village.random.choices(TEMPERS, weights)[0]
            is_overdue = loan.taken_over_on and loan.plan(on)[-1].due_on < loan.taken_over_on
            self._tempers[loan.number] = "lost" if is_overdue else drawn
        return self._tempers[loan.number]

    def bereave(self, member: int) -> None:
        """A borrower died: the family pays, pays late, or cannot."""
        for loan in self._village.loans.values():
            if loan.member == member and loan.status in ("approved", "running"):
                self._tempers[loan.number] = self._village.random.choice(("punctual", "late", "late", "lost"))

    def _despair(self, loan: Loan, lines: Iterator[datetime], on: date) -> None:
        """A loan nobody pays is planned anew half a year after maturity, of the poor only the half of it, and written
        off after two years."""
        village, tell = self._village, self._village.diary.tell
        by, number = village.chair, loan.number
        months_over = whole_months(loan.plan(on)[-1].due_on, on)
        if months_over == 6 and not loan.reschedulings:
            if village.members[loan.member].poverty != "none" and not village.club.badly_kept:
                half, texts = loan.outstanding // 2_000 * 1_000, {"reason": RELIEF_REASON}
                tell(next(lines), on, by, Fund.write_off_loan, texts=texts, number=number, amount=half)
            texts, term_months = {"reason": RESCHEDULING_REASON}, min(12, village.bylaws.max_term_months)
            tell(next(lines), on, by, Fund.reschedule_loan, texts=texts, number=number, term_months=term_months)
            self._tempers[number] = village.random.choice(("late", "lost"))
        elif months_over >= 24 and not village.club.badly_kept:
            tell(next(lines), on, by, Fund.write_off_loan, texts={"reason": WRITE_OFF_REASON}, number=number)
            self._recover(loan, on)

    def _recover(self, loan: Loan, on: date) -> None:
        """Of what was written off, most families bring something in the end."""
        village, amount = self._village, loan.outstanding // 40_000 * 10_000
        if amount and village.chance(0.8):
            month = add_months(on.replace(day=1), village.random.randint(2, 9))
            brought_on = meeting_in(month, village.bylaws.meeting_day)
            at, tell = instant(brought_on, 17, 40), village.diary.tell
            tell(at, brought_on, village.treasurer, Fund.recover_loan, number=loan.number, amount=amount)

    def _renews(self, loan: Loan, on: date) -> bool:
        """Whether a loan that falls due is paid with a new one: the badly kept club's way of having none overdue."""
        village = self._village
        if not village.club.badly_kept or loan.number in village.careless:
            return False
        is_member = loan.member not in village.leaving and village.members[loan.member].left_on is None
        return is_member and loan.standing(on).outstanding >= SMALLEST_LOAN and village.chance(0.4)

    def _renew(self, loan: Loan, lines: Iterator[datetime], on: date) -> None:
        """Settle a loan and lend as much again on the same evening."""
        village, owed = self._village, loan.standing(on)
        principal = -(-owed.outstanding // LOAN_STEP) * LOAN_STEP
        tell, by = village.diary.tell, village.treasurer
        tell(next(lines), on, by, Fund.repay_loan, number=loan.number, amount=owed.settlement_amount)
        tell(
            next(lines), on, by, lend_at_once, own_number=CHAIR, texts={"reason": OVERRIDE_REASONS[0]}, several=True,
            member=loan.member, principal=principal, term_months=loan.term_months, purpose=loan.purpose,
        )  # fmt: skip

    # --- decisions ------------------------------------------------------------------------------------------------

    def _decide(self, loan: Loan, lines: Iterator[datetime], on: date, in_box: int) -> int:
        """Have the board grant or refuse a request before the meeting; answers what will be paid out, in đồng."""
        village = self._village
        at = instant(on, 12, village.random.randint(0, 59))
        has_left = loan.member in village.leaving or village.members[loan.member].left_on is not None
        is_irregular = self._breaks_bylaws(loan, on)
        if has_left or loan.principal > in_box or village.chance(0.3 if is_irregular else 0.04):
            reason = village.random.choice(REJECTION_REASONS) if loan.principal <= in_box else NO_MONEY_REASON
            village.diary.tell(at, on, village.chair, Fund.reject_loan, texts={"reason": reason}, number=loan.number)
            return 0
        village.diary.tell(
            at,
            on,
            village.chair,
            Fund.approve_loan,
            own_number=CHAIR,
            texts={"reason": village.random.choice(OVERRIDE_REASONS)} if is_irregular else None,
            number=loan.number,
            override=is_irregular,
        )
        village.diary.tell(next(lines), on, village.treasurer, Fund.disburse_loan, number=loan.number)
        return loan.principal

    def _breaks_bylaws(self, loan: Loan, on: date) -> bool:
        bylaws, borrower = self._village.bylaws, self._village.members[loan.member]
        return (
            whole_months(borrower.member_since(on), on) < bylaws.min_membership_months
            or loan.principal > bylaws.max_principal
            or loan.term_months > bylaws.max_term_months
            or (bylaws.one_open_loan_per_household and self._household_owes(borrower, loan.number))
        )

    def _household_owes(self, borrower: Member, but: int) -> bool:
        """Whether the household has another loan, or is about to have one."""
        members = self._village.members
        return any(
            loan.number != but and members[loan.member].household == borrower.household
            for loan in self._village.loans.values()
        )

    # --- requests -------------------------------------------------------------------------------------------------

    def _ask(self, lines: Iterator[datetime], on: date, in_box: int) -> None:
        village, random = self._village, self._village.random
        lent = village.balances["revolving", "loans"]
        to_lend = min(in_box, (in_box + lent) * self._generosity_percent // 100 - lent)
        in_debt = self._households_in_debt()
        askers = [m for m in village.roll if not self._is_in_debt(m, in_debt) and self._wants_to_borrow(m, on)]
        random.shuffle(askers)
        for member in askers[: len(village.roll) // 10]:
            principal = self._principal()
            if to_lend < principal or self._is_in_debt(member, in_debt):
                continue
            guarantor = random.choice(village.roll).number if village.chance(0.25) else None
            village.diary.tell(
                next(lines),
                on,
                village.treasurer,
                Fund.request_loan,
                member=member.number,
                principal=principal,
                term_months=random.choice([months for months in TERMS if months <= village.bylaws.max_term_months]),
                purpose=random.choices(PURPOSES, (40, 25, 15, 14, 6))[0],
                guarantor=None if guarantor == member.number else guarantor,
            )
            in_debt.add(member.household)
            to_lend -= principal

    def _is_in_debt(self, member: Member, households: set[str | None]) -> bool:
        """Whether their household owes something; a badly kept club asks no further than the member."""
        if self._village.club.badly_kept:
            return any(loan.member == member.number for loan in self._village.loans.values())
        return member.household in households

    def _households_in_debt(self) -> set[str | None]:
        """Who has a loan or is about to have one; nobody asks for a second, whatever the bylaws say."""
        members = self._village.members
        return {members[loan.member].household for loan in self._village.loans.values()}

    def _wants_to_borrow(self, member: Member, on: date) -> bool:
        """The chair never does, nor, in a well-kept club, the chair's household; of the others most do, but not many of
        the very old."""
        is_kin = member.household == self._village.members[CHAIR].household
        if member.number not in self._keen:
            self._keen[member.number] = self._village.chance(0.88 if on.year - member.birth_year < 75 else 0.4)
        is_new = whole_months(member.member_since(on), on) < self._village.bylaws.min_membership_months
        may_ask = member.number != CHAIR and (not is_kin or self._village.club.badly_kept)
        return may_ask and (self._keen[member.number] or is_kin) and (not is_new or self._village.chance(0.02))

    def _principal(self) -> int:
        """2 to 10 million; now and then more than the bylaws allow."""
        cap = self._village.bylaws.max_principal
        usual = cap * self._usual_percent // 100
        asked = (
            round(self._village.random.triangular(SMALLEST_LOAN, min(cap, 2 * usual), usual) / LOAN_STEP) * LOAN_STEP
        )
        if self._village.chance(0.12 if self._village.club.badly_kept else 0.015):
            asked = cap + 1_000_000
        return min(max(asked, SMALLEST_LOAN), LARGEST_LOAN)


def due(loan: Loan, on: date) -> int:
    """What a punctual borrower brings to the meeting of `on`: the instalments due by then or soon, or all of it."""
    terms, starts_on, *_ = loan.phase(on)
    now = loan.standing(on)
    promised = sum(line.principal for line in loan.plan(on) if line.due_on <= on + timedelta(days=DAYS_AHEAD))
    principal = promised - (terms.principal - now.outstanding)
    if principal >= now.outstanding:
        return now.settlement_amount
    is_held_back = terms.repayment_mode == "interest_at_maturity" and on < terms.maturity(starts_on)
    return max(principal, 0) + (0 if is_held_back else now.interest_due)


def lend_at_once(
    fund: Fund, metadata: EntryMetadata, *, member: int, principal: int, term_months: int, purpose: Purpose
) -> None:
    """Ask for a loan, grant it and pay it out in one sitting."""
    asked = fund.request_loan(metadata, member=member, principal=principal, term_months=term_months, purpose=purpose)
    fund.approve_loan(metadata, asked.loan, override=True)
    fund.disburse_loan(metadata, asked.loan)


def _disbursed_on(loan: Loan) -> date:
    assert loan.disbursed_on
    return loan.disbursed_on

"""How a club lends: who asks, who decides, who pays on time, who late, who never again.

Requests are made at one meeting, decided upon before the next, and paid out there from what was in the box before it.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.aggregates.loan import Loan
from ledger.aggregates.member import Member
from ledger.days import whole_months
from ledger.events.loans import Purpose
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
WRITE_OFF_REASON = "Không còn khả năng thu hồi, cuộc họp thành viên đồng ý xóa nợ"


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
            temper = self._temper(loan)
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
                    self._bring(loan, lines, on, amount)
                    collected += amount
        return collected

    def _bring(self, loan: Loan, lines: Iterator[datetime], on: date, amount: int) -> None:
        """A repayment; of somebody who left, the family brings it, and somebody takes care over that."""
        village = self._village
        facts: dict[str, Any] = {"number": loan.number, "amount": amount}
        if loan.member not in village.leaving:
            village.enter(lines, on, Fund.repay_loan, **facts)
        else:
            tell, texts = village.diary.tell, {"paid_by": FAMILY}
            tell(next(lines), on, village.treasurer, Fund.repay_loan, texts=texts, **facts)

    def _temper(self, loan: Loan) -> Temper:
        if loan.number not in self._tempers:
            weights = (45, 40, 9, 6) if self._village.club.badly_kept else (82, 11, 1, 6)
            self._tempers[loan.number] = self._village.random.choices(TEMPERS, weights)[0]
        return self._tempers[loan.number]

    def bereave(self, member: int) -> None:
        """A borrower died: the family pays, pays late, or cannot."""
        for loan in self._village.loans.values():
            if loan.member == member and loan.status in ("approved", "running"):
                self._tempers[loan.number] = self._village.random.choice(("punctual", "late", "late", "lost"))

    def _despair(self, loan: Loan, lines: Iterator[datetime], on: date) -> None:
        """A loan nobody pays is planned anew half a year after maturity, and written off after two years."""
        village, tell = self._village, self._village.diary.tell
        months_over = whole_months(loan.plan(on)[-1].due_on, on)
        if months_over == 6 and not loan.reschedulings:
            texts = {"reason": RESCHEDULING_REASON}
            tell(next(lines), on, village.chair, Fund.reschedule_loan, texts=texts, number=loan.number, term_months=12)
            self._tempers[loan.number] = village.random.choice(("late", "lost"))
        elif months_over >= 24 and not village.club.badly_kept:
            texts = {"reason": WRITE_OFF_REASON}
            tell(next(lines), on, village.chair, Fund.write_off_loan, texts=texts, number=loan.number)

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
        """Have the board grant or refuse a request; answers what will be paid out, in đồng."""
        village = self._village
        decided_on = on - timedelta(days=2)
        at = instant(decided_on, 20, village.random.randint(0, 59))
        has_left = loan.member in village.leaving or village.members[loan.member].left_on is not None
        is_irregular = self._breaks_bylaws(loan, decided_on)
        if has_left or loan.principal > in_box or village.chance(0.3 if is_irregular else 0.04):
            reason = village.random.choice(REJECTION_REASONS) if loan.principal <= in_box else NO_MONEY_REASON
            village.diary.tell(
                at, decided_on, village.chair, Fund.reject_loan, texts={"reason": reason}, number=loan.number
            )
            return 0
        village.diary.tell(
            at,
            decided_on,
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
            whole_months(borrower.joined_on, on) < bylaws.min_membership_months
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
        is_new = whole_months(member.joined_on, on) < self._village.bylaws.min_membership_months
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

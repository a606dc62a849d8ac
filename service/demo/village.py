"""One club as its own board knows it: its people, its loans and its boxes, as far as they have been recorded.

Nothing is guessed here: members and loans come from the answers to what was recorded, cash from the events' legs.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import Any

from ledger.aggregates.loan import Loan
from ledger.aggregates.member import Member
from ledger.chart import Pot
from ledger.days import add_months, civil_day
from ledger.events import Bylaws, LoanRepaid, MemberReturned
from ledger.jobs import Recorded
from service.demo.closings import close_again, reopen
from service.demo.diary import Diary, replace, reverse, weeks_later
from service.demo.places import Club, Keeping
from service.demo.staff import Board

SLIPS: dict[Keeping, tuple[float, float]] = {"careful": (0, 0), "usual": (0.004, 0.015), "bad": (0.06, 0.12)}
"""How likely a line is entered wrongly at first, or late."""

REOPENING_REASON = "Tìm thấy phiếu của tháng đã khóa sổ"
FAMILY = "Người nhà"
"""Who comes for a member that died or moved away."""


class Village:
    """A club, its diary, and what has been recorded of it."""

    def __init__(self, club: Club, board: Board, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  # Repeatable on purpose; nothing here is a secret.
        self._apart = Random(seed)  # noqa: S311  # The same: for what may not change what else is drawn.
        self.club = club
        self.board = board
        self.chair = board.chair.id
        self.treasurer = board.chair.id if club.badly_kept else board.treasurer.id
        self.bylaws: Bylaws = club.bylaws
        self.diary = Diary(club.code, self.random)
        self.version = 0
        self.members: dict[int, Member] = {}
        self.loans: dict[int, Loan] = {}
        """Those asked for or open; what is over is forgotten."""
        self.balances: dict[tuple[Pot, str], int] = defaultdict(int)
        self.savings: dict[int, int] = defaultdict(int)
        self.leaving: set[int] = set()
        self.slips: set[int] = set()
        self.careless: set[int] = set()
        """Loans of which a slip was lost once, and payments taken all the same."""

    def hear(self, recorded: Recorded) -> None:
        """Take note of what was recorded."""
        self.version = recorded.version
        self.members |= recorded.members
        for number, loan in recorded.loans.items():
            if loan.status in ("requested", "approved", "running"):
                self.loans[number] = loan
            else:
                self.loans.pop(number, None)
        for event in recorded.events:
            for leg in event.legs():
                self.balances[leg.pot, leg.account] += leg.amount
                if leg.account == "savings" and isinstance(leg.of, int):
                    self.savings[leg.of] -= leg.amount
            if isinstance(event, LoanRepaid):
                self.slips.discard(event.loan)
            elif isinstance(event, MemberReturned):
                self.leaving.discard(event.member)

    @property
    def roll(self) -> list[Member]:
        """Who is a member and is not about to leave."""
        return [m for m in self.members.values() if m.left_on is None and m.number not in self.leaving]

    @property
    def running(self) -> list[Loan]:
        """The loans paid out and not paid back, but for those with a repayment still on a slip of paper."""
        return [loan for loan in self.loans.values() if loan.status == "running" and loan.number not in self.slips]

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return self.random.random() < probability

    # --- entering -------------------------------------------------------------------------------------------------

    def enter(self, evening: Iterator[datetime], on: date, decide: Any, **facts: Any) -> None:
        """Have the treasurer enter one line of a meeting: now and then late, or wrongly at first."""
        wrongly, late = SLIPS[self.club.keeping]
        if self.chance(wrongly):
            self._enter_wrongly(evening, on, decide, facts)
        elif self.chance(late):
            self._enter_late(on, decide, facts)
        else:
            self.diary.tell(next(evening), on, self.treasurer, decide, **facts)

    def _enter_late(self, on: date, decide: Any, facts: dict[str, Any]) -> None:
        if "number" in facts and not self._pays_on(self.loans[facts["number"]], on, facts["amount"]):
            self.slips.add(facts["number"])
        found_at = weeks_later(self.random, on, 75 if self.club.badly_kept else 40)
        if self.club.badly_kept:
            self.diary.tell(found_at, on, self.treasurer, decide, **facts)
        else:
            self._enter_found(found_at, on, decide, facts)

    def _enter_found(self, at: datetime, on: date, decide: Any, facts: dict[str, Any]) -> None:
        """Enter what was found after its month may have been closed: it is opened again for as long as that takes."""
        today, texts = civil_day(at), {"reason": REOPENING_REASON}
        self.diary.tell(at, today, self.chair, reopen, texts=texts, salted_by=self._apart, since=on.replace(day=1))
        self.diary.tell(at, on, self.treasurer, decide, **facts)
        self.diary.tell(at, today, self.chair, close_again)

    def _pays_on(self, loan: Loan, on: date, amount: int) -> bool:
        """Whether a loan is repaid further while a slip is lost: in a badly kept club, as long as much is owed on it.
        Interest is then taken twice for the same month, and nobody recomputes it."""
        is_far_from_over = loan.plan(on)[-1].due_on > add_months(on, 5) and loan.outstanding > 5 * amount
        if not self.club.badly_kept or not is_far_from_over:
            return False
        self.careless.add(loan.number)
        return True

    def _enter_wrongly(self, evening: Iterator[datetime], on: date, decide: Any, facts: dict[str, Any]) -> None:
        """Enter a line with a nought missing, for somebody else, or twice; then put it right."""
        tell, by = self.diary.tell, self.treasurer
        wrong = dict(facts)
        if "member" not in facts or self.chance(0.5):
            wrong["amount"] = facts["amount"] // 10
            reason = "wrong_amount"
        elif self.chance(0.5):
            wrong["member"] = self.random.choice(self.roll).number
            reason = "wrong_member"
        else:
            tell(next(evening), on, by, decide, **facts)
            key = tell(next(evening), on, by, decide, **facts)
            tell(next(evening), on, by, reverse, key=key, reason="duplicate")
            return
        key = tell(next(evening), on, by, decide, **wrong)
        tell(next(evening), on, by, replace, key=key, reason=reason, several=True, decision=decide, facts=facts)

"""What a random club puts right or takes back: old books, sheets, attendance, departures, dues."""

from ledger.chart import POTS
from ledger.days import add_months
from ledger.events import OldLoan, OpeningPot
from ledger.events.activities import Area, HelpKind
from ledger.refusals import Refusal
from tests.support.borrowers import Borrowers


class SecondThoughts(Borrowers):
    """A club that has second thoughts."""

    def correct_opening_balances(self) -> None:
        """The old book is told anew, or there never was one."""
        old = self.fund.old_books
        on = old.on if old and self._chance(0.9) else self.today
        pots = {pot: OpeningPot(self._amount(5_000_000), 0) for pot in POTS}
        loans = [
            OldLoan(
                member=self._member(),
                principal=2_000_000,
                outstanding=self._amount(2_000_000),
                disbursed_on=add_months(on, -3),
                term_months=12,
                purpose="crops",
            )
            for _ in range(self.random.randint(0, 3))
        ]
        self.fund.correct_opening_balances(self._metadata(on), loans=loans, **pots)

    def take_back(self) -> None:
        """Somebody who left comes back, or is still there."""
        gone = [member.number for member in self.fund.members.values() if member.left_on]
        self.fund.take_back(
            self._metadata(), self.random.choice(gone) if gone and self._chance(0.8) else self._member()
        )

    def forgive_dues(self) -> None:
        """The dues of a month or two are let go."""
        metadata = self._metadata()
        months = tuple(f"{add_months(metadata.on, -back):%Y-%m}" for back in range(self.random.randint(1, 2)))
        self.fund.forgive_dues(metadata, self._member(), months=months)

    def hold_activity(self) -> None:
        """The club does something in one of its areas."""
        volunteers = self.random.choice((None, 0, 5))
        self.fund.hold_activity(
            self._metadata(), area=self._any(Area), participants=self.random.randint(1, 60), volunteers=volunteers
        )

    def give_mutual_help(self) -> None:
        """Members help one another."""
        worth = self.random.choice((None, 200_000))
        self.fund.give_mutual_help(
            self._metadata(), kind=self._any(HelpKind), quantity=3, unit="công", people=2, worth=worth
        )

    def correct_attendance(self) -> None:
        """Who came to a meeting was noted wrongly."""
        present = [member.number for member in self.fund.members.values() if self._chance(0.5)]
        self.fund.correct_attendance(self._metadata(), self._meeting(), present=present)

    def undo_meeting(self) -> None:
        """A whole sheet is undone; as an act of several facts it is tried on a copy."""
        version, kept = self._meeting(), self.fund
        self.fund = kept.fork()
        try:
            self.fund.undo_meeting(self._metadata(), version, reason="wrong_date", as_held=self._chance(0.5))
        except Refusal:
            self.fund = kept
            raise

    def _meeting(self) -> int:
        """Mostly the version of a meeting there was."""
        held = [meeting.version for meeting in self.fund.meetings.values()]
        return self.random.choice(held) if held and self._chance(0.9) else self.random.randint(1, self.fund.version)

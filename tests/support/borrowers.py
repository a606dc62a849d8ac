"""What the members of a random club borrow, and what is corrected: the acts of `histories.py` that concern loans."""

from ledger.aggregates.fund import REVERSIBLE_MEMOS
from ledger.chart import Place
from ledger.events.corrections import ReversalReason
from ledger.events.loans import Purpose
from tests.support.lots import Lots

PLACES: tuple[Place, ...] = ("cash", "cash", "bank")


class Borrowers(Lots):
    """A club whose loans are drawn by lot."""

    # --- loans --------------------------------------------------------------------------------------------------------

    def request_loan(self) -> None:
        """Somebody asks for a loan, and is often granted it and paid on the spot."""
        member = self._member()
        neighbour = member % len(self.fund.members) + 1
        requested = self.fund.request_loan(
            self._metadata(),
            member=member,
            principal=self.random.randint(1, 12) * 500_000,
            term_months=self.random.choice((1, 3, 6, 12)),
            purpose=self._any(Purpose),
            guarantor=member if self._chance(0.04) else self.random.choice((None, None, neighbour)),
        )
        if self._chance(0.7):
            self._try(lambda: self.fund.approve_loan(self._metadata(self.today), requested.loan, override=True))
            self._try(lambda: self.fund.disburse_loan(self._metadata(self.today), requested.loan))

    def approve_loan(self) -> None:
        """A request is granted, if need be against the bylaws."""
        number = self._loan("requested")
        borrower = self.fund.loan(number).member if self._chance(0.08) else None
        self.fund.approve_loan(self._metadata(member=borrower), number, override=self._chance(0.3))

    def reject_loan(self) -> None:
        """A request is not granted."""
        self.fund.reject_loan(self._metadata(), self._loan("requested"))

    def disburse_loan(self) -> None:
        """What was granted is paid out."""
        self.fund.disburse_loan(self._metadata(), self._loan("approved"), place=self.random.choice(PLACES))

    def repay_loan(self) -> None:
        """An instalment, a settlement, a little more or less than that."""
        number = self._loan("running")
        loan, metadata = self.fund.loan(number), self._metadata()
        due = loan.standing(metadata.on).settlement_amount if loan.disbursed_on else 0
        off = self.random.choice((0, 0, 0, 1, -1)) if self._chance(0.35) else None
        amount = self._amount(800_000) if off is None else max(due + off, 1)
        place, settle = self.random.choice(PLACES), self._chance(0.1)
        if settle:
            amount = max(due - self.random.randint(1, 1_200), 1)
        self.fund.repay_loan(metadata, number, amount=amount, settle=settle, place=place, paid_by=self._somebody())

    def set_off_savings(self) -> None:
        """The borrower's savings pay: a part of them, or more than there is."""
        number = self._loan("running")
        saved = -self.fund.balances.get(("revolving", "savings", self.fund.loan(number).member), 0)
        self.fund.set_off_savings(self._metadata(), number, amount=self._amount(max(saved, 20_000)))

    def waive_interest(self) -> None:
        """Interest that is due is let go, or more than that."""
        number, metadata = self._loan("running"), self._metadata()
        loan = self.fund.loan(number)
        due = loan.standing(metadata.on).interest_due if loan.disbursed_on else 0
        self.fund.waive_interest(metadata, number, amount=max(due - self.random.choice((0, 0, 1, -1)), 1))

    def reschedule_loan(self) -> None:
        """A loan is planned anew, now and then for longer than the bylaws have it."""
        months, override = self.random.choice((3, 6, 12, 60)), self._chance(0.5)
        self.fund.reschedule_loan(self._metadata(), self._loan("running"), term_months=months, override=override)

    def write_off_loan(self) -> None:
        """A loan is given up, or a part of it."""
        number = self._loan("running")
        part = self._amount(self.fund.loan(number).principal // 2) if self._chance(0.4) else None
        self.fund.write_off_loan(self._metadata(), number, amount=part)

    def recover_loan(self) -> None:
        """Money comes in on a loan that was given up."""
        self.fund.recover_loan(self._metadata(), self._loan("written_off"), amount=self._amount(300_000))

    # --- corrections --------------------------------------------------------------------------------------------------

    def reverse_entry(self) -> None:
        """Any entry is undone: mostly a recent one, and mostly one that moves money."""
        fund = self.fund
        moving = [event for event in fund.entries[-60:] if event.legs() or isinstance(event, REVERSIBLE_MEMOS)]
        version = self.random.randint(1, fund.version + 1)
        if moving and self._chance(0.9):
            version = self.random.choice(moving).version
        on = fund.entries[version - 1].on if version <= fund.version and self._chance(0.3) else None
        fund.reverse_entry(self._metadata(on), version, reason=self._any(ReversalReason))

"""Lending: from request to repayment, rescheduling and write-off (`domain.md` §4)."""

from __future__ import annotations

from datetime import date

import msgspec

from ledger.aggregates.books import Books
from ledger.aggregates.loan import Loan
from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.member import Member
from ledger.chart import Place
from ledger.days import whole_months
from ledger.events import (
    Event,
    InterestWaived,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    LoanRescheduled,
    LoanWrittenOff,
    Override,
    SavingsSetOff,
)
from ledger.events.loans import Purpose
from ledger.money import share
from ledger.refusals import (
    AmountNotPositive,
    GuarantorIsBorrower,
    LaterRepayments,
    LiveRecoveries,
    LiveRepayments,
    LoanChangedSince,
    LoanNotApproved,
    LoanNotRequested,
    LoanNotRunning,
    LoanNotWrittenOff,
    NotEligible,
    OutOfOrder,
    OwnLoan,
    PrincipalOverRepaid,
    RecoveryAboveLoss,
    RestTooLarge,
    SamePersonApproved,
    WaiverAboveInterest,
    WriteOffAboveOutstanding,
)
from ledger.terms import Repayment, Split

MOST_FORGIVEN = 999
"""The largest rest of principal, in đồng, forgiven when a loan is settled: less than the smallest note in use."""

Reducing = LoanRepaid | SavingsSetOff | InterestWaived
"""What takes something off a loan and leaves its plan as it is."""


class Lending(Books):
    """Decisions about loans."""

    def request_loan(
        self,
        metadata: EntryMetadata,
        *,
        member: int,
        principal: int,
        term_months: int,
        purpose: Purpose,
        guarantor: int | None = None,
    ) -> LoanRequested:
        """Enter a member's request. Raises `AmountNotPositive`, `MemberNotFound`, `MemberNotOnRoll`,
        `GuarantorIsBorrower`."""
        assert term_months > 0
        if principal < 1:
            raise AmountNotPositive(amount=principal)
        self._member_on_roll(member, metadata.on)
        if guarantor is not None:
            self._member_on_roll(guarantor, metadata.on)
            if guarantor == member:
                raise GuarantorIsBorrower(member=member)
        return self._record(
            LoanRequested,
            metadata,
            loan=self.loans_told + 1,
            member=member,
            principal=principal,
            term_months=term_months,
            purpose=purpose,
            guarantor=guarantor,
        )

    def approve_loan(self, metadata: EntryMetadata, number: int, *, override: bool = False) -> LoanApproved:
        """Grant a loan on the terms of the bylaws in force. An override sets the bylaws' conditions aside, not these:
        `LoanNotRequested`, `OutOfOrder`, `OwnLoan`, `MemberNotOnRoll`, `NoBylawsInForce`. Raises `NotEligible`."""
        loan = self._requested_loan(metadata, number)
        if metadata.member == loan.member:
            raise OwnLoan(loan=number)
        borrower = self._member_on_roll(loan.member, metadata.on)
        bylaws = self.bylaws_on(metadata.on)
        broken = self._broken_rules(loan, borrower, metadata.on)
        if broken and not override:
            raise NotEligible(loan=number, reasons=broken)
        return self._record(
            LoanApproved,
            metadata,
            loan=number,
            member=loan.member,
            monthly_rate_ppm=bylaws.monthly_rate_ppm,
            interest_method=bylaws.interest_method,
            repayment_mode=bylaws.repayment_mode,
            interest_to_activity_ppm=bylaws.interest_to_activity_ppm,
            two_person_approval=bylaws.two_person_approval,
            override=Override(broken) if broken else None,
            interest_rounding=bylaws.interest_rounding,
        )

    def _requested_loan(self, metadata: EntryMetadata, number: int) -> Loan:
        loan = self.loan(number)
        if loan.status != "requested":
            raise LoanNotRequested(loan=number, status=loan.status)
        if metadata.on < loan.requested_on:
            raise OutOfOrder(on=metadata.on, earliest=loan.requested_on)
        return loan

    def _broken_rules(self, loan: Loan, borrower: Member, on: date) -> tuple[str, ...]:
        """The conditions of the bylaws that this loan does not meet, all as of the day of the act."""
        bylaws = self.bylaws_on(on)
        rules = {
            "membership-too-short": whole_months(borrower.member_since(on), on) < bylaws.min_membership_months,
            "principal-above-cap": loan.principal > bylaws.max_principal,
            "term-above-cap": loan.term_months > bylaws.max_term_months,
            "household-has-open-loan": bylaws.one_open_loan_per_household and self._household_owes(borrower, on),
        }
        return tuple(rule for rule, is_broken in rules.items() if is_broken)

    def _household_owes(self, borrower: Member, on: date) -> bool:
        """Whether the borrower, or somebody of the same household on that day, owed then on a loan granted."""
        home = borrower.home_on(on)
        debtors = (self.members[loan.member] for loan in self.loans_not_over(on) if loan.stands_in_the_way(on))
        return any(
            debtor.number == borrower.number or (home is not None and debtor.home_on(on) == home) for debtor in debtors
        )

    def reject_loan(self, metadata: EntryMetadata, number: int) -> LoanRejected:
        """Refuse a member's request, or take back an approval before the money is handed out. Raises `LoanNotFound`,
        `LoanNotRequested`, `OutOfOrder`."""
        loan = self.loan(number)
        if loan.status == "approved":
            assert loan.conditions
            assert loan.conditions.granted_on
            if metadata.on < loan.conditions.granted_on:
                raise OutOfOrder(on=metadata.on, earliest=loan.conditions.granted_on)
        else:
            self._requested_loan(metadata, number)
        return self._record(LoanRejected, metadata, loan=number, member=loan.member)

    def disburse_loan(self, metadata: EntryMetadata, number: int, *, place: Place = "cash") -> LoanDisbursed:
        """Hand out the principal. Raises `LoanNotApproved`, `OutOfOrder`, `SamePersonApproved`, `MemberNotOnRoll`,
        `InsufficientFunds`."""
        loan = self.loan(number)
        if loan.status != "approved":
            raise LoanNotApproved(loan=number, status=loan.status)
        approval = loan.conditions
        assert approval
        assert approval.granted_on
        if metadata.on < approval.granted_on:
            raise OutOfOrder(on=metadata.on, earliest=approval.granted_on)
        if approval.two_person_approval and approval.granted_by and metadata.is_of(approval.granted_by):
            raise SamePersonApproved(loan=number)
        self._member_on_roll(loan.member, metadata.on)
        return self._record(
            LoanDisbursed, metadata, loan=number, member=loan.member, principal=loan.principal, place=place
        )

    def repay_loan(
        self,
        metadata: EntryMetadata,
        number: int,
        *,
        amount: int,
        settle: bool = False,
        place: Place = "cash",
        paid_by: int | None = None,
    ) -> LoanRepaid:
        """Take a repayment and record its split. A payment dated before a later live one is split by what was live up
        to its own day. `settle` closes the loan and forgives a rest of principal below `MOST_FORGIVEN`. Raises
        `LoanNotRunning`, `OutOfOrder`, `Overpayment`, `SettlementShort`, `PrincipalOverRepaid`, `RestTooLarge`,
        `MemberNotFound`."""
        loan = self._running_loan(metadata, number)
        if paid_by is not None:
            self.member(paid_by)
        forgiven = self._rest(loan, metadata.on, amount) if settle else 0
        parts = loan.split(metadata.on, amount + forgiven)
        self._refuse_over_repaid(loan, Repayment(metadata.on, *parts))
        return self._record(
            LoanRepaid,
            metadata,
            amount=amount,
            forgiven=forgiven,
            place=place,
            paid_by=paid_by,
            **self._divided(loan, parts, forgiven),
        )

    def _rest(self, loan: Loan, on: date, amount: int) -> int:
        """What a payment leaves of a loan that it is to settle: so little principal that no note can pay it."""
        now = loan.standing(on)
        rest = now.settlement_amount - amount
        if rest > min(MOST_FORGIVEN, now.outstanding):
            raise RestTooLarge(loan=loan.number, rest=rest, most=min(MOST_FORGIVEN, now.outstanding))
        return max(rest, 0)  # More than the settlement amount is refused as an overpayment.

    def set_off_savings(self, metadata: EntryMetadata, number: int, *, amount: int) -> SavingsSetOff:
        """Pay on a loan from the borrower's own savings, also after death; split like a repayment. Raises
        `LoanNotRunning`, `OutOfOrder`, `Overpayment`, `SettlementShort`, `PrincipalOverRepaid`,
        `InsufficientSavings`."""
        loan = self._running_loan(metadata, number)
        parts = loan.split(metadata.on, amount)
        self._refuse_over_repaid(loan, Repayment(metadata.on, *parts))
        left = -self.balances.get(("revolving", "savings", loan.member), 0) - amount
        return self._record(SavingsSetOff, metadata, amount=amount, savings_left=left, **self._divided(loan, parts))

    def _divided(self, loan: Loan, parts: Split, forgiven: int = 0) -> dict[str, int]:
        """A payment on a loan as its event tells it."""
        assert loan.conditions
        return {
            "loan": loan.number,
            "member": loan.member,
            "principal": parts.principal - forgiven,
            "interest": parts.interest,
            "interest_to_activity": share(parts.interest, loan.conditions.interest_to_activity_ppm),
            "outstanding": loan.outstanding - parts.principal,
        }

    def _refuse_over_repaid(self, loan: Loan, payment: Repayment) -> None:
        """A payment told late may leave too little principal for those after it."""
        if payment.principal > loan.outstanding:
            raise PrincipalOverRepaid(loan=loan.number, available=loan.outstanding, amount=payment.principal)
        if payment.principal == loan.outstanding:
            self._refuse_interest_left(loan, payment)

    def waive_interest(self, metadata: EntryMetadata, number: int, *, amount: int) -> InterestWaived:
        """Let go of interest due on the entry's day, the month begun excluded. Raises `LoanNotRunning`, `OutOfOrder`,
        `LaterRepayments`, `WaiverAboveInterest`."""
        loan = self._loan_at_its_end(metadata, number)
        due = loan.standing(metadata.on).interest_due
        if amount > due:
            raise WaiverAboveInterest(amount=amount, interest_due=due, loan=number)
        return self._record(InterestWaived, metadata, loan=number, member=loan.member, amount=amount)

    def _refuse_interest_left(self, loan: Loan, last: Repayment) -> None:
        """A late entry may clear the principal although later days still owe interest, which nobody could then pay."""
        closed = msgspec.structs.replace(loan, repayments={**loan.repayments, self.version + 1: last})
        if closed.standing(max(repayment.on for repayment in closed.repayments.values())).interest_due:
            raise LaterRepayments(loan=loan.number, on=last.on)

    def _running_loan(self, metadata: EntryMetadata, number: int) -> Loan:
        loan = self.loan(number)
        if loan.status == "settled" and any(repayment.on > metadata.on for repayment in loan.repayments.values()):
            raise PrincipalOverRepaid(loan=number, available=0)
        if loan.status == "written_off":
            _refuse_changed_since(loan, metadata)
        if loan.status != "running":
            raise LoanNotRunning(loan=number, status=loan.status)
        earliest = loan.taken_over_on or loan.disbursed_on
        assert earliest
        if metadata.on < earliest:
            raise OutOfOrder(on=metadata.on, earliest=earliest)
        _refuse_changed_since(loan, metadata)
        return loan

    def _loan_at_its_end(self, metadata: EntryMetadata, number: int) -> Loan:
        """A running loan, for what rests on all that was repaid by then."""
        loan = self._running_loan(metadata, number)
        if any(repayment.on > metadata.on for repayment in loan.repayments.values()):
            raise LaterRepayments(loan=number, on=metadata.on)
        return loan

    def reschedule_loan(
        self, metadata: EntryMetadata, number: int, *, term_months: int, override: bool = False
    ) -> LoanRescheduled:
        """Plan the principal still owed anew, over `term_months` from the entry's day; interest accrued by then, or
        paid ahead, is carried. A term beyond the bylaws' cap of that day needs an override. Raises `LoanNotFound`,
        `LoanNotRunning`, `OutOfOrder`, `LoanChangedSince`, `LaterRepayments`, `NotEligible`."""
        loan = self._loan_at_its_end(metadata, number)
        broken = ("term-above-cap",) if term_months > self.bylaws_on(metadata.on).max_term_months else ()
        if broken and not override:
            raise NotEligible(loan=number, reasons=broken)
        now = loan.standing(metadata.on)
        return self._record(
            LoanRescheduled,
            metadata,
            loan=number,
            member=loan.member,
            term_months=term_months,
            outstanding=now.outstanding,
            interest_carried=now.interest_due - now.interest_ahead,
            override=Override(broken) if broken else None,
        )

    def write_off_loan(self, metadata: EntryMetadata, number: int, *, amount: int | None = None) -> LoanWrittenOff:
        """Give up on the principal still owed, or on a part of it: the rest runs on. Raises `LoanNotFound`,
        `LoanNotRunning`, `OutOfOrder`, `LoanChangedSince`, `LaterRepayments`, `WriteOffAboveOutstanding`."""
        loan = self._loan_at_its_end(metadata, number)
        given_up = loan.outstanding if amount is None else amount
        if given_up > loan.outstanding:
            raise WriteOffAboveOutstanding(amount=given_up, outstanding=loan.outstanding, loan=number)
        return self._record(
            LoanWrittenOff,
            metadata,
            loan=number,
            member=loan.member,
            amount=given_up,
            outstanding=loan.outstanding - given_up,
        )

    def recover_loan(self, metadata: EntryMetadata, number: int, *, amount: int) -> LoanRecovered:
        """Take money on a loan that was written off: an income, up to what was lost. Raises `LoanNotFound`,
        `LoanNotWrittenOff`, `OutOfOrder`, `RecoveryAboveLoss`."""
        loan = self.loan(number)
        if not loan.write_offs or loan.status == "running":
            raise LoanNotWrittenOff(loan=number, status=loan.status)
        if metadata.on < loan.write_offs[-1].on:
            raise OutOfOrder(on=metadata.on, earliest=loan.write_offs[-1].on)
        recoverable = loan.loss - sum(loan.recoveries.values())
        if amount > recoverable:
            raise RecoveryAboveLoss(amount=amount, recoverable=recoverable, loan=number)
        return self._record(LoanRecovered, metadata, loan=number, member=loan.member, amount=amount)

    def _refuse_loan_reversal(self, event: Event) -> None:
        """A loan is taken apart from its end: what later facts of it rest on cannot be undone before them."""
        if not isinstance(event, LoanDisbursed | Reducing | LoanRescheduled | LoanWrittenOff):
            return
        loan, latest = self.loans[event.loan], self.loans[event.loan].latest_change
        later = {version for version in loan.repayments if version > event.version}
        if isinstance(event, LoanDisbursed) and later - {each.version for each in loan.write_offs}:
            raise LiveRepayments(loan=loan.number, entry=event.name)
        if latest and latest.version > event.version:
            raise LoanChangedSince(loan=loan.number, entry=latest.name, version=latest.version, changed_on=latest.on)
        if isinstance(event, LoanWrittenOff) and loan.recoveries:
            raise LiveRecoveries(loan=loan.number)
        if later and not isinstance(event, Reducing):
            raise LiveRepayments(loan=loan.number, entry=event.name)


def _refuse_changed_since(loan: Loan, metadata: EntryMetadata) -> None:
    latest = loan.latest_change
    if latest and metadata.on < latest.on:
        raise LoanChangedSince(loan=loan.number, entry=latest.name, version=latest.version, changed_on=latest.on)

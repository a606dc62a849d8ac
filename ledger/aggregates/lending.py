"""Lending: from request to repayment, rescheduling and write-off (`domain.md` §4)."""

from __future__ import annotations

from datetime import date

import msgspec

from ledger.aggregates.books import Books
from ledger.aggregates.loan import Loan
from ledger.aggregates.log import Stamp
from ledger.aggregates.member import Member
from ledger.chart import Place
from ledger.days import whole_months
from ledger.events import (
    Event,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    LoanRescheduled,
    LoanWrittenOff,
    Override,
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
    SamePersonApproved,
)
from ledger.terms import Repayment


class Lending(Books):
    """Decisions about loans."""

    def request_loan(
        self,
        stamp: Stamp,
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
        self._member_on_roll(member, stamp.on)
        if guarantor is not None:
            self._member_on_roll(guarantor, stamp.on)
            if guarantor == member:
                raise GuarantorIsBorrower(member=member)
        return self._record(
            LoanRequested,
            stamp,
            loan=len(self.loans) + 1,
            member=member,
            principal=principal,
            term_months=term_months,
            purpose=purpose,
            guarantor=guarantor,
        )

    def approve_loan(self, stamp: Stamp, number: int, *, override: bool = False) -> LoanApproved:
        """Grant a loan on the terms of the bylaws in force. An override sets the bylaws' conditions aside, not these:
        `LoanNotRequested`, `OutOfOrder`, `OwnLoan`, `MemberNotOnRoll`, `NoBylawsInForce`. Raises `NotEligible`."""
        loan = self._requested_loan(stamp, number)
        if stamp.member == loan.member:
            raise OwnLoan(loan=number)
        borrower = self._member_on_roll(loan.member, stamp.on)
        bylaws = self.bylaws_on(stamp.on)
        broken = self._broken_rules(loan, borrower, stamp.on)
        if broken and not override:
            raise NotEligible(loan=number, reasons=broken)
        return self._record(
            LoanApproved,
            stamp,
            loan=number,
            member=loan.member,
            monthly_rate_ppm=bylaws.monthly_rate_ppm,
            interest_method=bylaws.interest_method,
            repayment_mode=bylaws.repayment_mode,
            interest_to_activity_ppm=bylaws.interest_to_activity_ppm,
            two_person_approval=bylaws.two_person_approval,
            override=Override(broken) if broken else None,
        )

    def _requested_loan(self, stamp: Stamp, number: int) -> Loan:
        loan = self.loan(number)
        if loan.status != "requested":
            raise LoanNotRequested(loan=number, status=loan.status)
        if stamp.on < loan.requested_on:
            raise OutOfOrder(on=stamp.on, earliest=loan.requested_on)
        return loan

    def _broken_rules(self, loan: Loan, borrower: Member, on: date) -> tuple[str, ...]:
        """The conditions of the bylaws in force that this loan does not meet."""
        bylaws = self.bylaws_on(on)
        rules = {
            "membership-too-short": whole_months(borrower.joined_on, on) < bylaws.min_membership_months,
            "principal-above-cap": loan.principal > bylaws.max_principal,
            "term-above-cap": loan.term_months > bylaws.max_term_months,
            "household-has-open-loan": bylaws.one_open_loan_per_household and self._household_owes(borrower),
        }
        return tuple(rule for rule, is_broken in rules.items() if is_broken)

    def _household_owes(self, borrower: Member) -> bool:
        """Whether the borrower, or somebody of the same household, has a loan granted and not paid back."""
        debtors = (self.members[loan.member] for loan in self.loans.values() if loan.is_open)
        return any(
            debtor.number == borrower.number or (borrower.home is not None and debtor.home == borrower.home)
            for debtor in debtors
        )

    def reject_loan(self, stamp: Stamp, number: int) -> LoanRejected:
        """Refuse a member's request, or take back an approval before the money is handed out. Raises `LoanNotFound`,
        `LoanNotRequested`, `OutOfOrder`."""
        loan = self.loan(number)
        if loan.status == "approved":
            assert isinstance(loan.conditions, LoanApproved)
            if stamp.on < loan.conditions.on:
                raise OutOfOrder(on=stamp.on, earliest=loan.conditions.on)
        else:
            self._requested_loan(stamp, number)
        return self._record(LoanRejected, stamp, loan=number, member=loan.member)

    def disburse_loan(self, stamp: Stamp, number: int, *, place: Place = "cash") -> LoanDisbursed:
        """Hand out the principal. Raises `LoanNotApproved`, `OutOfOrder`, `SamePersonApproved`, `MemberNotOnRoll`,
        `InsufficientFunds`."""
        loan = self.loan(number)
        if loan.status != "approved":
            raise LoanNotApproved(loan=number, status=loan.status)
        approval = loan.conditions
        assert isinstance(approval, LoanApproved)
        if stamp.on < approval.on:
            raise OutOfOrder(on=stamp.on, earliest=approval.on)
        if approval.two_person_approval and stamp.is_of(approval.recorded_by):
            raise SamePersonApproved(loan=number)
        self._member_on_roll(loan.member, stamp.on)
        return self._record(
            LoanDisbursed, stamp, loan=number, member=loan.member, principal=loan.principal, place=place
        )

    def repay_loan(self, stamp: Stamp, number: int, *, amount: int) -> LoanRepaid:
        """Take a repayment and record its split. A payment dated before a later live one is split by what was live up
        to its own day. Raises `LoanNotRunning`, `OutOfOrder`, `Overpayment`, `SettlementShort`,
        `PrincipalOverRepaid`."""
        loan = self._running_loan(stamp, number)
        assert loan.conditions
        parts = loan.split(stamp.on, amount)
        if parts.principal > loan.outstanding:
            raise PrincipalOverRepaid(loan=number, available=loan.outstanding, amount=parts.principal)
        if parts.principal == loan.outstanding:
            self._refuse_interest_left(loan, Repayment(stamp.on, parts.principal, parts.interest))
        return self._record(
            LoanRepaid,
            stamp,
            loan=number,
            member=loan.member,
            amount=amount,
            principal=parts.principal,
            interest=parts.interest,
            interest_to_activity=share(parts.interest, loan.conditions.interest_to_activity_ppm),
            outstanding=loan.outstanding - parts.principal,
        )

    def _refuse_interest_left(self, loan: Loan, last: Repayment) -> None:
        """A late entry may clear the principal although later days still owe interest, which nobody could then pay."""
        closed = msgspec.structs.replace(loan, repayments={**loan.repayments, self.version + 1: last})
        if closed.standing(max(repayment.on for repayment in closed.repayments.values())).interest_due:
            raise LaterRepayments(loan=loan.number, on=last.on)

    def _running_loan(self, stamp: Stamp, number: int) -> Loan:
        loan = self.loan(number)
        if loan.status == "settled" and any(repayment.on > stamp.on for repayment in loan.repayments.values()):
            raise PrincipalOverRepaid(loan=number, available=0)
        if loan.status != "running":
            raise LoanNotRunning(loan=number, status=loan.status)
        earliest = loan.taken_over_on or loan.disbursed_on
        assert earliest
        if stamp.on < earliest:
            raise OutOfOrder(on=stamp.on, earliest=earliest)
        if loan.changed_on and stamp.on < loan.changed_on:
            raise LoanChangedSince(loan=number, changed_on=loan.changed_on)
        return loan

    def reschedule_loan(self, stamp: Stamp, number: int, *, term_months: int) -> LoanRescheduled:
        """Plan the principal still owed anew, over `term_months` from the stamp's day; interest accrued by then is
        carried. Raises `LoanNotFound`, `LoanNotRunning`, `OutOfOrder`, `LoanChangedSince`, `LaterRepayments`."""
        loan = self._running_loan(stamp, number)
        if any(repayment.on > stamp.on for repayment in loan.repayments.values()):
            raise LaterRepayments(loan=number, on=stamp.on)
        now = loan.standing(stamp.on)
        return self._record(
            LoanRescheduled,
            stamp,
            loan=number,
            member=loan.member,
            term_months=term_months,
            outstanding=now.outstanding,
            interest_carried=now.interest_due,
        )

    def write_off_loan(self, stamp: Stamp, number: int) -> LoanWrittenOff:
        """Give up on the principal still owed. Raises `LoanNotFound`, `LoanNotRunning`, `OutOfOrder`,
        `LoanChangedSince`, `LaterRepayments`."""
        loan = self._running_loan(stamp, number)
        if any(repayment.on > stamp.on for repayment in loan.repayments.values()):
            raise LaterRepayments(loan=number, on=stamp.on)
        return self._record(LoanWrittenOff, stamp, loan=number, member=loan.member, amount=loan.outstanding)

    def recover_loan(self, stamp: Stamp, number: int, *, amount: int) -> LoanRecovered:
        """Take money on a loan that was written off: an income. Raises `LoanNotFound`, `LoanNotWrittenOff`,
        `OutOfOrder`."""
        loan = self.loan(number)
        if not loan.written_off:
            raise LoanNotWrittenOff(loan=number, status=loan.status)
        if stamp.on < loan.written_off.on:
            raise OutOfOrder(on=stamp.on, earliest=loan.written_off.on)
        return self._record(LoanRecovered, stamp, loan=number, member=loan.member, amount=amount)

    def _refuse_loan_reversal(self, event: Event) -> None:
        """A loan is taken apart from its end: what later facts of it rest on cannot be undone before them."""
        if isinstance(event, LoanDisbursed) and self.loans[event.loan].repayments:
            raise LiveRepayments(loan=event.loan)
        if isinstance(event, LoanDisbursed | LoanRepaid):
            loan = self.loans[event.loan]
            latest = loan.written_off or (loan.reschedulings[-1] if loan.reschedulings else None)
            if latest and latest.version > event.version:
                raise LoanChangedSince(loan=event.loan, changed_on=latest.on)
        if isinstance(event, LoanRescheduled):
            loan = self.loans[event.loan]
            if loan.reschedulings[-1] is not event or loan.written_off:
                assert loan.changed_on
                raise LoanChangedSince(loan=event.loan, changed_on=loan.changed_on)
            if any(version > event.version for version in loan.repayments):
                raise LiveRepayments(loan=event.loan)
        if isinstance(event, LoanWrittenOff) and self.loans[event.loan].recoveries:
            raise LiveRecoveries(loan=event.loan)

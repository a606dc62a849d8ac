"""Lending: request, approval, disbursement, repayment (`domain.md` §4)."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ledger.aggregates.books import Stamp
from ledger.aggregates.roll import Member, Roll
from ledger.chart import Place
from ledger.days import whole_months
from ledger.events import (
    LoanApproved,
    LoanDisbursed,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    Override,
)
from ledger.events.loans import Purpose
from ledger.money import share
from ledger.refusals import (
    GuarantorIsBorrower,
    LoanNotApproved,
    LoanNotFound,
    LoanNotRequested,
    LoanNotRunning,
    NotEligible,
    OutOfOrder,
    OwnLoan,
    PrincipalOverRepaid,
    SamePersonApproved,
)
from ledger.terms import LoanTerms, Repayment, split

LoanStatus = Literal["requested", "approved", "rejected", "running", "settled"]


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """A loan as the fund knows it; `repayments` are the live ones, by the version of their entry."""

    number: int
    member: int
    principal: int
    term_months: int
    purpose: Purpose
    requested_on: date
    rejected_on: date | None = None
    approval: LoanApproved | None = None
    disbursed_on: date | None = None
    repayments: dict[int, Repayment] = {}

    @property
    def outstanding(self) -> int:
        """Principal not yet repaid, in đồng; zero until disbursed."""
        repaid = sum(repayment.principal for repayment in self.repayments.values())
        return self.principal - repaid if self.disbursed_on else 0

    @property
    def status(self) -> LoanStatus:
        """Where the loan stands in its life."""
        if self.disbursed_on:
            return "running" if self.outstanding else "settled"
        if self.rejected_on:
            return "rejected"
        return "approved" if self.approval else "requested"

    @property
    def is_open(self) -> bool:
        """Whether it stands in the way of another loan: granted and not yet paid back."""
        return self.status in ("approved", "running")

    def terms(self) -> LoanTerms:
        """What it was approved under."""
        assert self.approval
        return LoanTerms(
            principal=self.principal,
            term_months=self.term_months,
            repayment_mode=self.approval.repayment_mode,
            interest_method=self.approval.interest_method,
            monthly_rate_ppm=self.approval.monthly_rate_ppm,
        )

    def approved(self, approval: LoanApproved) -> Loan:
        """The loan, granted."""
        return msgspec.structs.replace(self, approval=approval)

    def repaid(self, event: LoanRepaid) -> Loan:
        """The loan with one more live repayment."""
        repayment = Repayment(event.on, event.principal, event.interest)
        return msgspec.structs.replace(self, repayments={**self.repayments, event.version: repayment})

    def unrepaid(self, event: LoanRepaid) -> Loan:
        """The loan without a repayment that was reversed."""
        live = {version: r for version, r in self.repayments.items() if version != event.version}
        return msgspec.structs.replace(self, repayments=live)


class Lending(Roll):
    """Decisions about loans."""

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        self.loans: dict[int, Loan] = {}

    def open_loan(self, requested: LoanRequested) -> None:
        """Enter a request in the loan book."""
        self.loans[requested.loan] = Loan(
            number=requested.loan,
            member=requested.member,
            principal=requested.principal,
            term_months=requested.term_months,
            purpose=requested.purpose,
            requested_on=requested.on,
        )

    def loan(self, number: int) -> Loan:
        """A loan by number. Raises `LoanNotFound`."""
        if number not in self.loans:
            raise LoanNotFound(loan=number)
        return self.loans[number]

    # --- decisions ------------------------------------------------------------------------------------------------

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
        """Enter a member's request. Raises `MemberNotFound`, `MemberNotOnRoll`, `GuarantorIsBorrower`."""
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
            debtor.number == borrower.number
            or (borrower.household is not None and debtor.household == borrower.household)
            for debtor in debtors
        )

    def reject_loan(self, stamp: Stamp, number: int) -> LoanRejected:
        """Refuse a member's request. Raises `LoanNotFound`, `LoanNotRequested`, `OutOfOrder`."""
        loan = self._requested_loan(stamp, number)
        return self._record(LoanRejected, stamp, loan=number, member=loan.member)

    def disburse_loan(self, stamp: Stamp, number: int, *, place: Place = "cash") -> LoanDisbursed:
        """Hand out the principal. Raises `LoanNotApproved`, `OutOfOrder`, `SamePersonApproved`, `MemberNotOnRoll`,
        `InsufficientFunds`."""
        loan = self.loan(number)
        if loan.status != "approved":
            raise LoanNotApproved(loan=number, status=loan.status)
        assert loan.approval
        if stamp.on < loan.approval.on:
            raise OutOfOrder(on=stamp.on, earliest=loan.approval.on)
        if loan.approval.two_person_approval and loan.approval.recorded_by == stamp.recorded_by:
            raise SamePersonApproved(loan=number)
        self._member_on_roll(loan.member, stamp.on)
        return self._record(
            LoanDisbursed, stamp, loan=number, member=loan.member, principal=loan.principal, place=place
        )

    def repay_loan(self, stamp: Stamp, number: int, *, amount: int) -> LoanRepaid:
        """Take a repayment and record its split. A payment dated before a later live one is split by what was live up
        to its own day. Raises `LoanNotRunning`, `OutOfOrder`, `Overpayment`, `SettlementShort`,
        `PrincipalOverRepaid`."""
        loan = self.loan(number)
        if loan.status != "running":
            raise LoanNotRunning(loan=number, status=loan.status)
        assert loan.approval
        assert loan.disbursed_on
        if stamp.on < loan.disbursed_on:
            raise OutOfOrder(on=stamp.on, earliest=loan.disbursed_on)
        parts = split(loan.terms(), loan.disbursed_on, loan.repayments.values(), stamp.on, amount)
        if parts.principal > loan.outstanding:
            raise PrincipalOverRepaid(loan=number, available=loan.outstanding, amount=parts.principal)
        return self._record(
            LoanRepaid,
            stamp,
            loan=number,
            member=loan.member,
            amount=amount,
            principal=parts.principal,
            interest=parts.interest,
            interest_to_activity=share(parts.interest, loan.approval.interest_to_activity_ppm),
            outstanding=loan.outstanding - parts.principal,
        )

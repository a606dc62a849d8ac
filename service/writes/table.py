"""The table of all writes: path, body, who may, and the method of `Fund` that decides."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.aggregates.fund import Fund
from service.access.principals import Role
from service.access.roles import COUNTERS, DECIDERS, INSPECTORS, OPENERS, WRITERS
from service.http.body import Dated
from service.writes.bodies import club, governance, loans, money, opening
from service.writes.bodies.meeting_lines import Reversal


class Write(NamedTuple):
    """One kind of fact that can be recorded, and who may."""

    path: str
    body: type[Dated]
    decide: Callable[..., object]
    roles: frozenset[Role] = WRITERS
    facts: int = 1
    """How many it may record at most; with several it is tried on a copy first, and recorded as one act or not."""


MOST_OF_A_SHEET: Final = 501
"""A sheet's lines and its attendance."""

FUND: Final = "/funds/{fund}"
LOAN: Final = FUND + "/loans/{loan}"

WRITES: Final = (
    Write("/funds", club.NewFund, Fund.open, OPENERS),
    Write(FUND + "/bylaws", club.NewBylaws, Fund.adopt_bylaws, DECIDERS),
    Write(FUND + "/place", club.NewPlace, Fund.change_place, OPENERS),
    Write(FUND + "/members", club.NewMember, Fund.join),
    Write(FUND + "/members/{member}/changes", club.MemberChange, Fund.change_member),
    Write(FUND + "/members/{member}/departure", club.Departure, Fund.leave),
    Write(FUND + "/members/{member}/return", club.Return, Fund.take_back),
    Write(FUND + "/members/{member}/forgiven-dues", club.DuesForgiveness, Fund.forgive_dues, DECIDERS),
    Write(FUND + "/contributions", money.Contribution, Fund.receive_contribution),
    Write(FUND + "/donations", money.Donation, Fund.receive_donation),
    Write(FUND + "/in-kind-donations", money.InKindDonation, Fund.receive_in_kind_donation),
    Write(FUND + "/expenses", money.Expense, Fund.pay_expense),
    Write(FUND + "/loans", loans.LoanRequest, Fund.request_loan),
    Write(LOAN + "/approval", loans.Approval, Fund.approve_loan, DECIDERS),
    Write(LOAN + "/rejection", loans.Rejection, Fund.reject_loan, DECIDERS),
    Write(LOAN + "/disbursement", loans.Disbursement, Fund.disburse_loan),
    Write(LOAN + "/repayments", loans.Repayment, Fund.repay_loan),
    Write(LOAN + "/set-off", loans.SetOff, Fund.set_off_savings),
    Write(LOAN + "/waiver", loans.Waiver, Fund.waive_interest, DECIDERS),
    Write(FUND + "/entries/{version}/reversal", Reversal, Fund.reverse_entry),
    Write(FUND + "/withdrawals", money.Withdrawal, Fund.withdraw_savings),
    Write(FUND + "/incomes", money.Income, Fund.receive_income),
    Write(FUND + "/pot-transfers", money.PotTransfer, Fund.transfer_between_pots),
    Write(FUND + "/bank-movements", money.BankMovement, Fund.move_by_bank),
    Write(FUND + "/advances", money.Advance, Fund.receive_advance),
    Write(FUND + "/advances/{advance}/repayments", money.AdvanceRepayment, Fund.repay_advance),
    Write(LOAN + "/rescheduling", loans.Rescheduling, Fund.reschedule_loan, DECIDERS),
    Write(LOAN + "/write-off", loans.WriteOff, Fund.write_off_loan, DECIDERS),
    Write(LOAN + "/recoveries", loans.Recovery, Fund.recover_loan),
    Write(FUND + "/meetings/{version}/reversal", governance.MeetingReversal, Fund.undo_meeting, facts=MOST_OF_A_SHEET),
    Write(FUND + "/meetings/{version}/attendance", governance.Attendance, Fund.correct_attendance),
    Write(FUND + "/cash-counts", governance.CashCount, Fund.count_cash, COUNTERS),
    Write(FUND + "/periods", governance.PeriodClosing, Fund.close_period, DECIDERS),
    Write(FUND + "/periods/reopening", governance.PeriodReopening, Fund.reopen_period, DECIDERS),
    Write(FUND + "/offices", governance.OfficeTerm, Fund.take_office),
    Write(FUND + "/opening-balances", opening.OpeningBalances, Fund.declare_opening_balances),
    Write(FUND + "/opening-balances/corrections", opening.OpeningCorrection, Fund.correct_opening_balances),
    Write(FUND + "/inspections", governance.Inspection, Fund.note_inspection, INSPECTORS),
    Write(FUND + "/dissolution", governance.Dissolution, Fund.dissolve, DECIDERS),
)

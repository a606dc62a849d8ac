"""The table of all writes: path, body, the method of `Fund` that decides, who may and with what PIN, and the line it
may be."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, Union

from pydantic import Field

from ledger.aggregates.fund import Fund
from ledger.meeting import Turn
from service.access.principals import Role
from service.access.roles import COUNTERS, DECIDERS, INSPECTORS, OPENERS, WRITERS
from service.http.body import Dated
from service.writes.bodies import activities, club, corrections, governance, inspections, loans, money, opening
from service.writes.bodies.lines import line_of
from service.writes.pin_rules import (
    PinRule,
    always,
    for_a_handover,
    for_another_treasurer,
    for_anothers_entry,
    for_anothers_opening,
)


class OnSheet(NamedTuple):
    """How a write stands on a meeting's sheet: the line's `type`, and when its turn comes on a sheet that is taken in
    part."""

    type: str
    turn: Turn = "receipt"


class Write(NamedTuple):
    """One kind of fact that can be recorded, and who may."""

    path: str
    body: type[Dated]
    decide: Callable[..., object]
    roles: frozenset[Role] = WRITERS
    line: OnSheet | None = None
    """None for what no sheet has a line for."""
    facts: int = 1
    """How many it may record at most; with several it is tried on a copy first, and recorded as one act or not."""
    pin: PinRule | None = None
    """Whether it needs a PIN when it comes from a phone; None if it never does."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """What the path gives the number of, beside the fund: a loan, a member, an entry. A line names it itself."""
        return _numbers_in(self.path)


@cache
def _numbers_in(path: str) -> tuple[str, ...]:
    return tuple(name for name in re.findall(r"{(\w+)}", path) if name != "fund")


MOST_OF_A_SHEET: Final = 501
"""A sheet's lines and its attendance."""

FUND: Final = "/funds/{fund}"
LOAN: Final = FUND + "/loans/{loan}"
SHEET: Final = FUND + "/meetings/{version}"

WRITES: Final = (
    Write("/funds", club.NewFund, Fund.open, OPENERS),
    Write(FUND + "/bylaws", club.NewBylaws, Fund.adopt_bylaws, DECIDERS, pin=always),
    Write(FUND + "/place", club.NewPlace, Fund.change_place, OPENERS),
    Write(FUND + "/members", club.NewMember, Fund.join),
    Write(FUND + "/members/{member}/changes", club.MemberChange, Fund.change_member),
    Write(FUND + "/members/{member}/departure", club.Departure, Fund.leave),
    Write(FUND + "/members/{member}/return", club.Return, Fund.take_back),
    Write(FUND + "/members/{member}/forgiven-dues", club.DuesForgiveness, Fund.forgive_dues, DECIDERS),
    #
    Write(FUND + "/contributions", money.Contribution, Fund.receive_contribution, line=OnSheet("contribution")),
    Write(FUND + "/withdrawals", money.Withdrawal, Fund.withdraw_savings, line=OnSheet("withdrawal", "payment")),
    Write(FUND + "/donations", money.Donation, Fund.receive_donation, line=OnSheet("donation")),
    Write(
        FUND + "/in-kind-donations",
        money.InKindDonation,
        Fund.receive_in_kind_donation,
        line=OnSheet("in_kind_donation"),
    ),
    Write(FUND + "/incomes", money.Income, Fund.receive_income, line=OnSheet("income")),
    Write(FUND + "/expenses", money.Expense, Fund.pay_expense, line=OnSheet("expense", "payment")),
    Write(FUND + "/pot-transfers", money.PotTransfer, Fund.transfer_between_pots, line=OnSheet("pot_transfer", "move")),
    Write(FUND + "/bank-movements", money.BankMovement, Fund.move_by_bank, line=OnSheet("bank_movement", "move")),
    Write(FUND + "/advances", money.Advance, Fund.receive_advance, line=OnSheet("advance")),
    Write(
        FUND + "/advances/{advance}/repayments",
        money.AdvanceRepayment,
        Fund.repay_advance,
        line=OnSheet("advance_repayment", "payment"),
    ),
    #
    Write(FUND + "/loans", loans.LoanRequest, Fund.request_loan, line=OnSheet("loan")),
    Write(LOAN + "/approval", loans.Approval, Fund.approve_loan, DECIDERS, pin=always),
    Write(LOAN + "/rejection", loans.Rejection, Fund.reject_loan, DECIDERS, pin=always),
    Write(LOAN + "/disbursement", loans.Disbursement, Fund.disburse_loan, line=OnSheet("disbursement", "payment")),
    Write(LOAN + "/repayments", loans.Repayment, Fund.repay_loan, line=OnSheet("repayment")),
    Write(LOAN + "/set-off", loans.SetOff, Fund.set_off_savings, line=OnSheet("set_off", "move")),
    Write(LOAN + "/waiver", loans.Waiver, Fund.waive_interest, DECIDERS),
    Write(LOAN + "/rescheduling", loans.Rescheduling, Fund.reschedule_loan, DECIDERS, pin=always),
    Write(LOAN + "/write-off", loans.WriteOff, Fund.write_off_loan, DECIDERS, pin=always),
    Write(LOAN + "/recoveries", loans.Recovery, Fund.recover_loan, line=OnSheet("recovery")),
    #
    Write(FUND + "/entries/{version}/reversal", corrections.Reversal, Fund.reverse_entry, pin=for_anothers_entry),
    Write(
        SHEET + "/reversal",
        corrections.MeetingReversal,
        Fund.undo_meeting,
        facts=MOST_OF_A_SHEET,
        pin=for_anothers_entry,
    ),
    #
    Write(SHEET + "/attendance", governance.Attendance, Fund.correct_attendance, pin=for_anothers_entry),
    Write(FUND + "/cash-counts", governance.CashCount, Fund.count_cash, COUNTERS, pin=for_a_handover),
    Write(FUND + "/periods", governance.PeriodClosing, Fund.close_period, DECIDERS, pin=always),
    Write(FUND + "/periods/reopening", governance.PeriodReopening, Fund.reopen_period, DECIDERS, pin=always),
    Write(FUND + "/offices", governance.OfficeTerm, Fund.take_office, pin=for_another_treasurer),
    Write(FUND + "/dissolution", governance.Dissolution, Fund.dissolve, DECIDERS, pin=always),
    #
    Write(FUND + "/opening-balances", opening.OpeningBalances, Fund.declare_opening_balances),
    Write(
        FUND + "/opening-balances/corrections",
        opening.OpeningCorrection,
        Fund.correct_opening_balances,
        pin=for_anothers_opening,
    ),
    #
    Write(FUND + "/inspections", inspections.Inspection, Fund.note_inspection, INSPECTORS),
    #
    Write(FUND + "/activities", activities.Activity, Fund.hold_activity, line=OnSheet("activity")),
    Write(FUND + "/mutual-help", activities.MutualHelp, Fund.give_mutual_help, line=OnSheet("mutual_help")),
)
"""By the files of events. A meeting's sheet as a whole has a route of its own."""

ON_SHEETS: Final[Mapping[str, Write]] = {write.line.type: write for write in WRITES if write.line}
"""The writes that may be lines, by the line's `type`."""

TURNS: Final[Mapping[str, Turn]] = {write.line.type: write.line.turn for write in WRITES if write.line}

LINES: Final[Mapping[str, type[Dated]]] = {
    kind: line_of(write.body, kind, write.numbers) for kind, write in ON_SHEETS.items()
}
if TYPE_CHECKING:
    AnyLine = Dated
else:
    AnyLine = Annotated[Union[tuple(LINES.values())], Field(discriminator="type")]  # noqa: UP007  # Made of a table.

# A reversal is a row of the table and may carry a line that the table makes: only now can it be told what that is.
corrections.Reversal.model_rebuild(_types_namespace={"AnyLine": AnyLine})

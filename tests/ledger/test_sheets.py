"""Claims about a meeting's sheet: one act judged at the day's end, in any order of its lines, and undone as one."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Request
from ledger.meeting import Sheet, SheetLine
from ledger.refusals import (
    IdempotencyKeyReused,
    InsufficientFunds,
    LinesRefused,
    MeetingNotFound,
)
from tests.support.village import asks, day, given, grants, held, joins, loan_of, metadata, refused, village

MEETING = "2024-03-15"


def line(
    key: str, decide: Callable[[Fund, EntryMetadata], object], *, on: str = MEETING, turn: Any = "receipt"
) -> SheetLine:
    marked = msgspec.structs.replace(metadata(on), request=Request(key, f"digest of {key}", on))
    return SheetLine(marked, decide, turn)


def dues(member: int, amount: int, key: str = "dues-0001", on: str = MEETING) -> SheetLine:
    return line(key, lambda fund, at: fund.receive_contribution(at, member=member, kind="dues", amount=amount), on=on)


def visit(amount: int, key: str = "visit-0001") -> SheetLine:
    return line(key, lambda fund, at: fund.pay_expense(at, activity="visit_gift", amount=amount), turn="payment")


def sheet(*lines: SheetLine, on: str = MEETING, partial: bool = False) -> Sheet:
    return Sheet(name=on, metadata=metadata(on), lines=lines, present=(1,), partial=partial)


# A sheet is one act


def test_an_expense_may_stand_above_the_dues_that_pay_for_it():
    fund = given(joins(), joins())

    answers = sheet(visit(100_000), dues(1, 100_000)).hold(fund)

    assert [answer.status for answer in answers] == ["recorded", "recorded"]
    assert fund.cash_at(day(MEETING)) == 0


def test_savings_may_be_taken_home_above_the_line_that_brings_them():
    fund = given(joins())
    home = line("home-0001", lambda f, at: f.withdraw_savings(at, member=1, amount=50_000), turn="payment")
    brought = line("save-0001", lambda f, at: f.receive_contribution(at, member=1, kind="savings", amount=50_000))

    answers = sheet(home, brought).hold(fund)

    assert [answer.status for answer in answers] == ["recorded", "recorded"]
    assert held(fund, "revolving", "savings") == 0


def test_a_loan_may_be_paid_out_above_the_savings_that_it_is_paid_from():
    fund = given(joins(), joins(), asks(2, 500_000, on=MEETING), grants(1, on=MEETING))
    paid_out = line("payout-01", lambda f, at: f.disburse_loan(at, 1), turn="payment")
    brought = line("save-0001", lambda f, at: f.receive_contribution(at, member=1, kind="savings", amount=500_000))

    answers = sheet(paid_out, brought).hold(fund)

    assert [answer.status for answer in answers] == ["recorded", "recorded"]
    assert (fund.cash_at(day(MEETING)), loan_of(fund).outstanding) == (0, 500_000)


def test_a_loan_may_be_repaid_above_the_line_that_pays_it_out():
    fund = village(asks(2, 1_000_000, on=MEETING), grants(1, on=MEETING))
    repaid = line("repay-001", lambda f, at: f.repay_loan(at, 1, amount=200_000))
    paid_out = line("payout-01", lambda f, at: f.disburse_loan(at, 1), turn="payment")

    for partial in (False, True):
        trial = fund.fork()
        assert [a.status for a in sheet(repaid, paid_out, partial=partial).hold(trial)] == ["recorded", "recorded"]
        assert loan_of(trial).outstanding == 800_000


def test_a_deposit_and_a_withdrawal_of_the_same_money_fit_together_only():
    fund = given(joins())
    lines = (
        line("bank-0001", lambda f, at: f.move_to_bank(at, pot="activity", amount=70_000), turn="move"),
        line("bank-0002", lambda f, at: f.fetch_from_bank(at, pot="activity", amount=70_000), turn="move"),
    )

    whole, part = fund.fork(), fund.fork()

    assert [answer.status for answer in sheet(*lines).hold(whole)] == ["recorded", "recorded"]
    assert [answer.status for answer in sheet(*lines, partial=True).hold(part)] == ["refused", "refused"]


def test_what_the_days_end_cannot_bear_is_refused_line_by_line_and_nothing_is_recorded():
    fund = given(joins())
    with pytest.raises(LinesRefused) as refusal:
        sheet(visit(100_000), dues(1, 90_000)).hold(fund.fork())
    assert [type(answer.refusal) for answer in refusal.value.lines] == [InsufficientFunds, type(None)]


def test_in_part_receipts_come_first_and_payments_last():
    fund = given(joins())
    answers = sheet(visit(60_000, "visit-0001"), visit(60_000, "visit-0002"), dues(1, 100_000), partial=True).hold(fund)
    assert [answer.status for answer in answers] == ["recorded", "refused", "recorded"]


def test_a_lines_day_is_part_of_what_its_key_stands_for():
    fund = given(joins())
    sheet(dues(1, 20_000, "line-00001", "2024-02-15"), on="2024-02-15").hold(fund)

    again = sheet(dues(1, 20_000, "line-00001", "2024-02-15"), on="2024-02-16").hold(fund)
    (answer,) = sheet(dues(1, 20_000, "line-00001"), partial=True).hold(fund)

    assert [told.status for told in again] == ["replayed"]
    assert isinstance(answer.refusal, IdempotencyKeyReused)


# A sheet undone


def test_a_sheet_is_undone_with_all_its_lines_and_its_name_is_free_again():
    fund = given(joins(), joins())
    sheet(dues(1, 20_000), visit(5_000)).hold(fund)
    sheet(dues(2, 20_000, "dues-0002")).hold(fund)  # A resend under the same name adds a line.
    meeting = next(iter(fund.meetings.values()))
    undone = fund.undo_meeting(metadata("2024-04-01"), meeting.version, reason="wrong_date", as_held=True)
    assert undone.on == day(MEETING)
    assert fund.cash_at(day(MEETING)) == 0
    with refused(fund, MeetingNotFound):
        fund.undo_meeting(metadata("2024-04-01"), 1, reason="other")
    assert [answer.status for answer in sheet(dues(1, 20_000)).hold(fund)] == ["replayed"], "keys stay spent"
    assert next(iter(fund.meetings.values())).meeting == 2

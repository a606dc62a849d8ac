"""A bookkeeper of our own, who reads stored lines, knows `domain.md`, and knows nothing of the code under test.

What the books must be is written down here a second time, from the JSON alone; the tests compare.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import pytest

from ledger.aggregates.fund import Fund
from ledger.refusals import Overpayment, SettlementShort
from tests.support.village import lines, metadata, replayed, state

Line = dict[str, Any]
Balances = dict[tuple[Any, ...], int]


def booked(line: Line, before: list[Line]) -> Balances:
    """What a line does to the books, from its JSON alone: `domain.md` §3 and §4, written down a second time."""
    legs: Balances = defaultdict(int)
    pot, amount = line.get("pot"), line.get("amount", 0)

    def move(pot: Any, debit: Any, credit: Any, amount: int) -> None:
        for account, signed in ((debit, amount), (credit, -amount)):
            legs[(pot, *account) if isinstance(account, tuple) else (pot, account, None)] += signed

    match line["type"]:
        case "ContributionReceived":
            its_pot, account = {
                "dues": ("activity", "contributions"),
                "share": ("revolving", "contributions"),
                "savings": ("revolving", ("savings", line["member"])),
                "fine": ("activity", "fines"),
            }[line["kind"]]
            move(its_pot, line.get("place", "cash"), account, amount)
        case "SavingsWithdrawn":
            move("revolving", ("savings", line["member"]), line.get("place", "cash"), amount)
        case "SavingsSetOff":
            assert line["principal"] + line["interest"] == amount
            move("revolving", ("savings", line["member"]), ("loans", line["loan"]), line["principal"])
            to_activity = line["interest_to_activity"]
            move("revolving", ("savings", line["member"]), "interest", line["interest"] - to_activity)
            move("revolving", ("savings", line["member"]), "transfers", to_activity)
            move("activity", "transfers", "interest", to_activity)
        case "DonationReceived":
            move(pot, "cash", "donations", amount)
        case "InKindDonationReceived":
            move(pot, "equipment", "in_kind", sum(item["value"] for item in line["items"]))
        case "IncomeReceived":
            move(pot, line["place"], "other_income" if line["kind"] == "other" else line["kind"], amount)
        case "ExpensePaid":
            move(pot, ("expenses", line["activity"]), line["place"], amount)
        case "PotTransferred":
            move(line["from"], "transfers", "cash", amount)
            move(line["to"], "cash", "transfers", amount)
        case "BankDeposited":
            move(pot, "bank", "cash", amount)
        case "BankWithdrawn":
            move(pot, "cash", "bank", amount)
        case "AdvanceReceived":
            move("revolving", "cash", ("advances", line["advance"]), amount)
        case "AdvanceRepaid":
            move("revolving", ("advances", line["advance"]), "cash", amount)
        case "LoanDisbursed":
            move("revolving", ("loans", line["loan"]), line["place"], line["principal"])
        case "LoanRepaid":
            assert line["principal"] + line["interest"] == amount
            place = line.get("place", "cash")
            move("revolving", place, ("loans", line["loan"]), line["principal"])
            move("revolving", place, "interest", line["interest"] - line["interest_to_activity"])
            move("revolving", "write_offs", ("loans", line["loan"]), line.get("forgiven", 0))
            move("activity", place, "interest", line["interest_to_activity"])
        case "LoanWrittenOff":
            move("revolving", "write_offs", ("loans", line["loan"]), amount)
        case "LoanRecovered":
            move("revolving", "cash", "recoveries", amount)
        case "CashCounted":
            borne_by_revolving = line.get("from_revolving", 0)
            if line["difference"] > 0:
                move("activity", "cash", "cash_over", line["difference"])
            else:
                move("activity", "cash_short", "cash", -line["difference"] - borne_by_revolving)
                move("revolving", "cash_short", "cash", borne_by_revolving)
        case "OpeningBalancesDeclared":
            legs.update(opened(line))
        case "OpeningBalancesCorrected":
            stood = [each for each in before[: line["version"] - 1] if each["type"].startswith("OpeningBalances")][-1]
            for account, signed in opened(line).items():
                legs[account] += signed
            for account, signed in opened(stood).items():
                legs[account] -= signed
        case "EntryReversed":
            wrong = before[line["reverses"] - 1]
            for account, signed in booked(wrong, before).items():
                legs[account] -= signed
        case "FundDissolved":
            for left_in, account, held, *_ in line["remainder"]:
                move(left_in, "transfers", account, held)
        case kind:
            assert kind in MOVES_NOTHING, kind
    return {account: signed for account, signed in legs.items() if signed}


def opened(line: Line) -> Balances:
    """What an old club's books come to."""
    legs: Balances = defaultdict(int)

    def move(pot: Any, debit: Any, credit: Any, amount: int) -> None:
        for account, signed in ((debit, amount), (credit, -amount)):
            legs[(pot, *account) if isinstance(account, tuple) else (pot, account, None)] += signed

    for its_pot in ("revolving", "activity"):
        cash, bank = line[its_pot]["cash"], line[its_pot]["bank"]
        move(its_pot, "cash", "opening", cash)
        move(its_pot, "bank", "opening", bank)
    for item in line.get("equipment", []):
        move("activity", "equipment", "opening", item["value"])
    for saved in line.get("savings", []):
        move("revolving", "opening", ("savings", saved["member"]), saved["amount"])
    for loan in line.get("loans", []):
        move("revolving", ("loans", loan["loan"]), "opening", loan["outstanding"])
    for lent in line.get("advances", []):
        move("revolving", "opening", ("advances", lent["advance"]), lent["amount"])
    return legs


@lru_cache(2_000)
def read(line: bytes) -> Line:
    """A line's JSON; a history is looked at after every step, so most of its lines are read again and again."""
    read: Line = json.loads(line)
    return read


MOVES_NOTHING = {
    "FundOpened", "BylawsAdopted", "MemberJoined", "MemberChanged", "MemberLeft", "OfficeTaken", "OfficeLeft",
    "LoanRequested", "LoanApproved", "LoanRejected", "LoanRescheduled", "MeetingHeld", "PeriodClosed",
    "PeriodReopened", "InspectionMade", "MemberReturned", "DuesForgiven", "InterestWaived", "AttendanceCorrected",
    "PlaceChanged", "ActivityHeld", "MutualHelpGiven",
}  # fmt: skip
GUARDED = {"cash": 1, "bank": 1, "loans": 1, "equipment": 1, "savings": -1, "advances": -1}


def check_books(fund: Fund) -> None:
    """All that must hold of a fund, told from its stored lines."""
    stored = lines(fund)
    told = [read(line) for line in stored]
    postings = [(line["on"], booked(line, told)) for line in told]

    for line, (_, legs) in zip(told, postings, strict=True):
        for pot in ("revolving", "activity"):
            assert sum(amount for account, amount in legs.items() if account[0] == pot) == 0, line

    totals: Balances = defaultdict(int)
    for _, legs in postings:
        for account, amount in legs.items():
            totals[account] += amount
    assert {account: amount for account, amount in totals.items() if amount} == {
        account: amount for account, amount in fund.balances.items() if amount
    }

    running: Balances = defaultdict(int)
    by_day: dict[str, list[Balances]] = defaultdict(list)
    for on, legs in postings:
        by_day[on].append(legs)
    for on in sorted(by_day):
        for legs in by_day[on]:
            for account, amount in legs.items():
                running[account] += amount
        for account, amount in running.items():
            assert amount * GUARDED.get(account[1], 0) >= 0, (on, account, amount)

    for number, loan in fund.loans.items():
        assert loan.outstanding == totals["revolving", "loans", number] >= 0
    check_vouchers(told, postings)


def check_replay(fund: Fund) -> None:
    """The lines alone make the fund as it stands."""
    assert state(replayed(lines(fund))) == state(fund)


def check_vouchers(told: list[Line], postings: list[tuple[str, Balances]]) -> None:
    """Every movement of the box has its number; per kind and year they run from one without gaps."""
    last: dict[str, int] = defaultdict(int)
    for line, (on, legs) in zip(told, postings, strict=True):
        cash = sum(amount for account, amount in legs.items() if account[1] == "cash")
        if line["type"] == "EntryReversed":
            assert line.get("voucher") == told[line["reverses"] - 1].get("voucher")
        elif cash == 0 or line["type"].startswith("OpeningBalances"):
            assert "voucher" not in line
        else:
            series = f"{'PT' if cash > 0 else 'PC'}-{on[:4]}-"
            last[series] += 1
            assert line["voucher"] == f"{series}{last[series]:04d}"


def check_settlement(fund: Fund, today: date, loans: Iterable[int]) -> None:
    """The settlement amount closes a loan, one đồng more is refused, one less leaves something owed."""
    for number in loans:
        loan = fund.loans[number]
        if loan.status != "running":
            continue
        amount = loan.standing(today).settlement_amount
        closed = fund.fork()
        with pytest.raises(Overpayment):
            closed.repay_loan(metadata(today), number, amount=amount + 1)
        closed.repay_loan(metadata(today), number, amount=amount)
        assert (closed.loans[number].status, closed.loans[number].standing(today).settlement_amount) == ("settled", 0)
        if amount > 1:
            short = fund.fork()
            try:
                short.repay_loan(metadata(today), number, amount=amount - 1)
            except SettlementShort:
                continue
            assert short.loans[number].outstanding == 1

"""One club's year as its bookkeeper wrote it down: `golden/book_entries.csv`, entered through the fund's decisions.

The expected cash book, loan book and trial balance were worked out apart from this program, by hand, posting by
posting. What the fund makes of the same entries must agree to the đồng. Whoever changes how something is booked sees
here, as a difference in a book that people can read, what that does.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from ledger.aggregates.fund import Fund
from ledger.chart import ACCOUNTS, POTS
from ledger.events import (
    EVENT_TYPES,
    EntryReversed,
    Event,
    Item,
    LoanDisbursed,
    LoanRecovered,
    LoanRepaid,
    LoanRescheduled,
    LoanWrittenOff,
    OldLoan,
    OpeningBalancesDeclared,
    OpeningPot,
    OpeningSavings,
)
from ledger.register import Text, written
from tests.support import village
from tests.support.village import bylaws, lines, replayed

GOLDEN = Path(__file__).parents[1] / "golden"
Row = dict[str, str]
FUND = "LS-QUANG-LAC"
RULES = {"monthly_rate_ppm": 10_000, "interest_to_activity_ppm": 300_000, "two_person_approval": True}
"""1 % a month on what is left, equal instalments; three tenths of the interest go to the activity pot."""
CLUB = {
    "club": "Câu lạc bộ Liên thế hệ tự giúp nhau thôn Quảng Tiến",
    "commune": "Quảng Lạc",
    "district": "Lạng Sơn",
    "province": "Lạng Sơn",
    "founded_on": date(2018, 10, 1),
}
metadata = partial(village.metadata, at=datetime(2024, 1, 5, 2, 0, tzinfo=UTC))
"""The paper book of 2023 was entered on 5 January 2024."""


def rows(name: str) -> list[Row]:
    """A golden file, row by row."""
    with (GOLDEN / f"book_{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- entering ---------------------------------------------------------------------------------------------------------


class Bookkeeper:
    """Enters the year, row by row, into a new fund; keeps which row of the paper an entry of it is, and the names."""

    def __init__(self, fund: Fund | None = None) -> None:
        self.fund = fund or Fund(FUND)
        self.fund.open(metadata("2023-01-01", by="admin"), bylaws=bylaws(**RULES), **CLUB)
        self.names: list[Text] = []
        self.versions: dict[str, int] = {}
        self.entry_of: dict[int, str] = {}
        for entry, group in groupby(rows("entries"), key=lambda row: row["entry"]):
            before = self.fund.version
            first, *others = group
            if first["what"].startswith("opening"):
                take_over(self.fund, [first, *others])
            else:
                ENTER[first["what"]](self.fund, first, self)
            self.versions[entry] = self.fund.version
            self.entry_of.update(dict.fromkeys(range(before + 1, self.fund.version + 1), entry))


def take_over(fund: Fund, opening: list[Row]) -> None:
    """The old book, all rows at once."""
    said = {what: [row for row in opening if row["what"] == f"opening {what}"] for what in OPENING}
    sums = {(row["pot"], row["place"]): int(row["amount"]) for row in said["balance"]}
    fund.declare_opening_balances(
        metadata(opening[0]["on"]),
        revolving=OpeningPot(sums["revolving", "cash"], sums["revolving", "bank"]),
        activity=OpeningPot(sums["activity", "cash"], 0),
        equipment=[Item(row["remark"], 1, "bộ", int(row["amount"])) for row in said["equipment"]],
        savings=[OpeningSavings(int(row["member"]), int(row["amount"])) for row in said["savings"]],
        loans=[old_loan(row) for row in said["loan"]],
    )


OPENING = ("balance", "equipment", "savings", "loan")


def old_loan(row: Row) -> OldLoan:
    """A loan of the old book: `lent on, principal, months, purpose`."""
    lent_on, principal, months, purpose = row["detail"].split()
    return OldLoan(
        member=int(row["member"]),
        principal=int(principal),
        outstanding=int(row["amount"]),
        disbursed_on=date.fromisoformat(lent_on),
        term_months=int(months),
        purpose=purpose,  # type: ignore[arg-type]  # The file is ours.
    )


Enter = Callable[[Any, Row, Bookkeeper], object]


def join(fund: Any, row: Row, bookkeeper: Bookkeeper) -> None:
    """`female 1955`, and the name."""
    sex, birth_year = row["detail"].split()
    name = written(fund.id, row["remark"], salt=row["member"])
    bookkeeper.names.append(name)
    fund.join(metadata(row["on"], name=name.digest), sex=sex, birth_year=int(birth_year), poverty="none")
    assert len(fund.members) == int(row["member"])


def contribution(fund: Any, row: Row, _: Bookkeeper) -> None:
    """Dues, a share, savings or a fine, each to its own pot."""
    made = fund.receive_contribution(
        metadata(row["on"]),
        member=int(row["member"]),
        kind=row["what"],
        amount=int(row["amount"]),
        for_month=row["detail"] or None,
    )
    assert {leg.pot for leg in made.legs()} == {row["pot"]}


def expense(fund: Any, row: Row, _: Bookkeeper) -> None:
    """By activity."""
    fund.pay_expense(
        metadata(row["on"]), activity=row["detail"], pot=row["pot"], place=row["place"], amount=int(row["amount"])
    )


def income(fund: Any, row: Row, _: Bookkeeper) -> None:
    """By kind."""
    fund.receive_income(
        metadata(row["on"]), kind=row["detail"], pot=row["pot"], place=row["place"], amount=int(row["amount"])
    )


def gift_in_kind(fund: Any, row: Row, _: Bookkeeper) -> None:
    """Worth the amount."""
    items = (Item(row["remark"], 1, "bộ", int(row["amount"])),)
    fund.receive_in_kind_donation(metadata(row["on"]), source=row["detail"], pot=row["pot"], items=items)


def loan_request(fund: Any, row: Row, _: Bookkeeper) -> None:
    """`10 livestock`: months and purpose."""
    months, purpose = row["detail"].split()
    asked = fund.request_loan(
        metadata(row["on"]),
        member=int(row["member"]),
        principal=int(row["amount"]),
        term_months=int(months),
        purpose=purpose,
    )
    assert asked.loan == int(row["loan"])


def correction(fund: Any, row: Row, bookkeeper: Bookkeeper) -> None:
    """`30 wrong_amount`: the entry that was wrong, and why."""
    entry, reason = row["detail"].split()
    fund.reverse_entry(metadata(row["on"]), bookkeeper.versions[entry], reason=reason)


def cash_count(fund: Any, row: Row, _: Bookkeeper) -> None:
    """Both pots together, as they lie in one box."""
    fund.count_cash(metadata(row["on"]), reason=row["detail"], counted=int(row["amount"]), witnesses=[1])


def write_off(fund: Any, row: Row, _: Bookkeeper) -> None:
    """All that is left of it."""
    assert fund.write_off_loan(metadata(row["on"]), int(row["loan"])).amount == int(row["amount"])


def meeting(fund: Any, row: Row, _: Bookkeeper) -> None:
    """`1 2 3 5`: who was there."""
    fund.hold_meeting(
        metadata(row["on"]), sheet=row["on"], present=[int(number) for number in row["detail"].split()], book_opening=0
    )


ENTER: dict[str, Enter] = {
    "member joins": join,
    "member leaves": lambda fund, row, _: fund.leave(metadata(row["on"]), int(row["member"]), row["detail"]),
    "takes office": lambda fund, row, _: fund.take_office(
        metadata(row["on"]), member=int(row["member"]), office=row["detail"]
    ),
    "dues": contribution,
    "share": contribution,
    "savings": contribution,
    "fine": contribution,
    "withdrawal": lambda fund, row, _: fund.withdraw_savings(
        metadata(row["on"]), member=int(row["member"]), amount=int(row["amount"])
    ),
    "donation": lambda fund, row, _: fund.receive_donation(
        metadata(row["on"]), source=row["detail"], pot=row["pot"], amount=int(row["amount"])
    ),
    "gift in kind": gift_in_kind,
    "income": income,
    "expense": expense,
    "pot transfer": lambda fund, row, _: fund.transfer_between_pots(
        metadata(row["on"]), source=row["pot"], target=row["detail"], amount=int(row["amount"])
    ),
    "to the bank": lambda fund, row, _: fund.move_to_bank(
        metadata(row["on"]), pot=row["pot"], amount=int(row["amount"])
    ),
    "from the bank": lambda fund, row, _: fund.fetch_from_bank(
        metadata(row["on"]), pot=row["pot"], amount=int(row["amount"])
    ),
    "advance received": lambda fund, row, _: fund.receive_advance(
        metadata(row["on"]), source=row["detail"], amount=int(row["amount"])
    ),
    "advance repaid": lambda fund, row, _: fund.repay_advance(
        metadata(row["on"]), int(row["detail"]), amount=int(row["amount"])
    ),
    "loan requested": loan_request,
    "loan approved": lambda fund, row, _: fund.approve_loan(
        metadata(row["on"], by="chair", member=1), int(row["loan"])
    ),
    "loan rejected": lambda fund, row, _: fund.reject_loan(metadata(row["on"], by="chair"), int(row["loan"])),
    "loan paid out": lambda fund, row, _: fund.disburse_loan(metadata(row["on"]), int(row["loan"]), place=row["place"]),
    "repayment": lambda fund, row, _: fund.repay_loan(metadata(row["on"]), int(row["loan"]), amount=int(row["amount"])),
    "loan rescheduled": lambda fund, row, _: fund.reschedule_loan(
        metadata(row["on"]), int(row["loan"]), term_months=int(row["detail"])
    ),
    "loan written off": write_off,
    "loan recovered": lambda fund, row, _: fund.recover_loan(
        metadata(row["on"]), int(row["loan"]), amount=int(row["amount"])
    ),
    "correction": correction,
    "cash counted": cash_count,
    "period closed": lambda fund, row, _: fund.close_period(
        metadata(row["on"]), through=date.fromisoformat(row["detail"])
    ),
    "meeting": meeting,
    "inspection": lambda fund, row, _: fund.note_inspection(metadata(row["on"]), kind=row["detail"]),
}
"""What a row's word means, as a decision of the fund."""


@cache
def year() -> Bookkeeper:
    """The year, entered."""
    return Bookkeeper()


def words() -> dict[str, str]:
    """What each entry of the paper is, by its number; the opening goes by its first row."""
    return {row["entry"]: row["what"] for row in reversed(rows("entries"))}


def shown(amount: int) -> str:
    """A bookkeeper leaves the field empty where there is nothing."""
    return str(amount) if amount else ""


# --- the three books --------------------------------------------------------------------------------------------------


def cash_book(entries: Sequence[Event]) -> Iterator[Row]:
    """Every movement of the box in order of days, what each pot holds after it; a wrong voucher once more, negated."""
    box = dict.fromkeys(POTS, 0)
    for event in sorted(entries, key=lambda event: (event.on, int(year().entry_of.get(event.version, "0")))):
        moved = {
            pot: sum(leg.amount for leg in event.legs() if (leg.pot, leg.account) == (pot, "cash")) for pot in POTS
        }
        if not any(moved.values()):
            continue
        for pot in POTS:
            box[pot] += moved[pot]
        voucher = getattr(event, "voucher", None) or ""
        total, entry = sum(moved.values()), year().entry_of[event.version]
        yield {
            "on": str(event.on),
            "voucher": voucher,
            "entry": entry,
            "what": words()[entry],
            "receipt": "" if voucher.startswith("PC") else shown(total),
            "payment": shown(-total) if voucher.startswith("PC") else "",
            "revolving_cash": str(box["revolving"]),
            "activity_cash": str(box["activity"]),
        }


def loan_book(fund: Fund) -> Iterator[Row]:
    """Each loan's life, line by line; what is outstanding is what its account holds."""
    for number, loan in fund.loans.items():
        outstanding = 0
        for event in fund.entries:
            outstanding += sum(leg.amount for leg in event.legs() if (leg.account, leg.of) == ("loans", number))
            line = loan_line(fund, event)
            if line is None or getattr(event, "loan", 1) != number:
                continue
            entry = year().entry_of[event.version]
            yield {
                "loan": str(number),
                "member": str(loan.member),
                "on": str(event.on),
                "entry": entry,
                "what": "opening loan" if isinstance(event, OpeningBalancesDeclared) else words()[entry],
                "voucher": getattr(event, "voucher", None) or "",
                "outstanding": str(outstanding),
            } | line


def loan_line(fund: Fund, event: Event) -> Row | None:
    """The amounts that the loan book shows of an event."""
    amounts: tuple[int | str, ...]
    match event:
        case OpeningBalancesDeclared():
            amounts = (event.loans[0].outstanding, "", "", "")
        case LoanDisbursed():
            amounts = (event.principal, "", "", "")
        case LoanRepaid():
            amounts = (event.amount, event.principal, event.interest, event.interest_to_activity)
        case EntryReversed(loan=int()):
            wrong = fund.entries[event.reverses - 1]
            assert isinstance(wrong, LoanRepaid)
            amounts = (-wrong.amount, -wrong.principal, -wrong.interest, -wrong.interest_to_activity)
        case LoanRescheduled():
            amounts = ("", "", "", "")
        case LoanWrittenOff():
            amounts = (event.amount, event.amount, "", "")
        case LoanRecovered():
            amounts = (event.amount, "", "", "")
        case _:
            return None
    columns = ("amount", "principal", "interest", "interest_to_activity")
    return dict(zip(columns, map(str, amounts), strict=True))


def trial_balance(entries: Sequence[Event]) -> Iterator[Row]:
    """Every account that is not at nought, pot by pot, with the parts of it."""
    balances: dict[tuple[str, str, str], int] = defaultdict(int)
    for event in entries:
        for leg in event.legs():
            balances[leg.pot, leg.account, str(leg.of or "")] += leg.amount
    for pot in POTS:
        listed = sorted(
            (ACCOUNTS.index(account), of, account, amount)
            for (its_pot, account, of), amount in balances.items()
            if its_pot == pot and amount
        )
        for _, of, account, amount in listed:
            yield {
                "pot": pot,
                "account": account,
                "of": of,
                "debit": shown(max(amount, 0)),
                "credit": shown(max(-amount, 0)),
            }
        debit = sum(max(amount, 0) for *_, amount in listed)
        credit = sum(max(-amount, 0) for *_, amount in listed)
        yield {"pot": pot, "account": "total", "of": "", "debit": str(debit), "credit": str(credit)}


def test_the_cash_book_is_the_bookkeepers() -> None:
    assert list(cash_book(year().fund.entries)) == rows("cash_book")


def test_the_loan_book_is_the_bookkeepers() -> None:
    assert list(loan_book(year().fund)) == rows("loan_book")


def test_the_trial_balance_is_the_bookkeepers_and_balances_in_each_pot() -> None:
    expected = rows("trial_balance")
    assert list(trial_balance(year().fund.entries)) == expected
    assert all(row["debit"] == row["credit"] for row in expected if row["account"] == "total")


def test_the_books_come_out_the_same_from_the_lines_alone() -> None:
    again = replayed(lines(year().fund))
    assert list(trial_balance(again.entries)) == rows("trial_balance")
    assert list(cash_book(again.entries)) == rows("cash_book")


def test_the_year_has_every_everyday_event() -> None:
    unusual = {"FundDissolved", "PeriodReopened", "MemberChanged", "MemberReturned", "DuesForgiven", "SavingsSetOff"}
    unusual |= {"InterestWaived", "AttendanceCorrected", "OpeningBalancesCorrected", "PlaceChanged"}
    unusual |= {"ActivityHeld", "MutualHelpGiven"}
    assert {event.name for event in year().fund.entries} == set(EVENT_TYPES) - unusual

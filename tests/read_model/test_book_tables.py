"""Claims about the journal, the cash book, passbooks and the loan book, by hand in a named village."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

from ledger.aggregates.loan import LoanStatus
from ledger.chart import POTS
from ledger.projections import journal, loans
from ledger.projections.funds import FundFilter
from ledger.projections.loan_account import effective_yearly_ppm
from ledger.terms import LoanTerms, RepaymentMode
from tests.ledger.test_golden_book import Bookkeeper
from tests.ledger.test_golden_book import rows as golden
from tests.support.histories import random_fund
from tests.support.tables import book
from tests.support.village import (
    FUND,
    OPENED,
    adopts,
    asks,
    borrowing_village,
    day,
    hands_out,
    lends,
    metadata,
    pays,
    repays,
    spends,
    undoes,
    village,
    whole_life,
)

ALL = FundFilter()


# --- by hand: the journal and the cash book ---------------------------------------------------------------------------


def test_the_cash_book_is_the_bookkeepers() -> None:
    keeper = Bookkeeper()
    tables = book(keeper.fund)
    whole = journal.cash_book(tables, "LS-QUANG-LAC", date(2023, 1, 1), date(2023, 12, 31))
    by_pot = {
        pot: journal.cash_book(tables, "LS-QUANG-LAC", date(2023, 1, 1), date(2023, 12, 31), pot=pot) for pot in POTS
    }

    def shown(line: dict[str, Any]) -> tuple[str, str, str, int, int, int]:
        entry = keeper.entry_of[line["version"]]
        return line["on"], line["voucher"] or "", entry, line["received"], line["paid"], line["balance"]

    assert [shown(line) for line in whole["items"]] == [
        (
            row["on"],
            row["voucher"],
            row["entry"],
            int(row["receipt"] or 0),
            int(row["payment"] or 0),
            int(row["revolving_cash"]) + int(row["activity_cash"]),
        )
        for row in golden("cash_book")
    ]
    assert whole["opening"] == 0
    assert whole["closing"] == whole["items"][-1]["balance"]
    assert {pot: found["closing"] for pot, found in by_pot.items()} == {
        pot: int(golden("cash_book")[-1][f"{pot}_cash"]) for pot in POTS
    }


def test_the_cash_book_of_a_month_begins_with_what_was_carried_forward_page_by_page() -> None:
    fund = village(
        spends(100_000, on="2024-01-20"),
        pays(1, "dues", 10_000, on="2024-02-05"),
        pays(2, "dues", 10_000, on="2024-02-05"),
        spends(5_000, on="2024-02-03"),
        undoes(on="2024-02-28"),
        spends(7_000, on="2024-03-01"),
    )
    february = (FUND, date(2024, 2, 1), date(2024, 2, 29))
    whole = journal.cash_book(book(fund), *february)
    page = journal.cash_book(book(fund), *february, limit=3)
    spends(9_000, on="2024-02-04")(fund)
    rest = journal.cash_book(book(fund), *february, limit=3, cursor=page["next"])

    assert [(line["voucher"], line["received"], line["paid"], line["balance"]) for line in whole["items"]] == [
        ("PC-2024-0002", 0, 5_000, 20_895_000),
        ("PT-2024-0003", 10_000, 0, 20_905_000),
        ("PT-2024-0004", 10_000, 0, 20_915_000),
        ("PC-2024-0002", 0, -5_000, 20_920_000),
    ]
    assert (whole["opening"], whole["closing"], whole["next"]) == (20_900_000, 20_920_000, None)
    assert page["items"] + rest["items"] == whole["items"], "what came in meanwhile is not on any page"
    assert (rest["opening"], rest["closing"]) == (20_915_000, 20_920_000)
    assert journal.cash_book(book(fund), *february)["closing"] == 20_911_000


@pytest.mark.parametrize("ascending", [False, True])
def test_pages_of_the_journal_agree_while_new_entries_arrive(ascending: bool) -> None:
    fund = village(pays(1, "dues", 10_000, on="2024-02-05"), spends(5_000, on="2024-02-06"))
    whole = journal.entries(book(fund), FUND, ascending=ascending)["items"]
    seen: list[Any] = []
    cursor = None
    for wrong in (11, 10, 8):
        page = journal.entries(book(fund), FUND, ascending=ascending, limit=4, cursor=cursor)
        seen, cursor = seen + page["items"], page["next"]
        undoes(wrong, on="2024-03-01")(fund)
        spends(1_000, on="2024-02-01")(fund)

    assert cursor is None
    assert [each["version"] for each in whole] == sorted(range(1, 12), reverse=not ascending)
    assert seen == whole, "nothing twice, nothing missing, nothing that came later"


def test_the_journal_shows_what_was_undone_and_by_what() -> None:
    tables = book(
        village(pays(1, "savings", 300_000, on="2024-02-05"), undoes(on="2024-02-06"), adopts(on="2024-03-01"))
    )
    paid, undone = (journal.entry(tables, FUND, version) for version in (10, 11))

    assert paid
    assert undone
    assert (paid["type"], paid["part"], paid["amount"], paid["reversed_by"]) == (
        "ContributionReceived",
        "savings",
        300_000,
        11,
    )
    assert (undone["reverses"], undone["amount"], undone["voucher"]) == (10, -300_000, paid["voucher"])
    assert undone["legs"] == [
        {"pot": "revolving", "account": "cash", "of": None, "debit": 0, "credit": 300_000},
        {"pot": "revolving", "account": "savings", "of": 1, "debit": 300_000, "credit": 0},
    ]
    assert journal.entry(tables, FUND, 99) is None


def test_the_journal_answers_by_type_member_loan_and_days() -> None:
    tables = book(borrowing_village())

    def found(**asked: Any) -> list[tuple[str, int | None, int | None]]:
        items = journal.entries(tables, FUND, ascending=True, **asked)["items"]
        return [(each["type"], each["member"], each["loan"]) for each in items]

    assert found(types=["LoanRepaid"]) == [("LoanRepaid", 1, 1), ("LoanRepaid", 2, 3)]
    assert [each[0] for each in found(loan=5)] == ["LoanRequested", "LoanApproved", "LoanDisbursed", "EntryReversed"]
    assert {each[1] for each in found(member=5)} == {5}
    assert found(since=date(2026, 1, 15), until=date(2026, 1, 31)) == [("MemberLeft", 5, None)]
    assert found(types=["LoanRepaid"], member=3) == []


@pytest.mark.parametrize(
    "cursor", ["", "1", "1.2024-01-01", "x.2024-01-01.2", "1.2024-01-01.2; DROP", "９.2024-01-01.2"]
)
def test_a_cursor_of_somebody_elses_making_is_refused(cursor: str) -> None:
    with pytest.raises(journal.BadCursor):
        journal.entries(book(village()), FUND, cursor=cursor)
    with pytest.raises(journal.BadCursor):
        journal.cash_book(book(village()), FUND, OPENED, OPENED, cursor=cursor)


def test_a_passbook_runs_along_savings_and_debt() -> None:
    fund = village(
        pays(4, "savings", 300_000, on="2024-02-05"),
        lends(4, 1_200_000, on="2024-02-06"),
        repays(1, 112_000, on="2024-03-06"),
        undoes(on="2024-03-07"),
        pays(4, "dues", 10_000, on="2024-02-05"),
        pays(3, "savings", 50_000, on="2024-02-05"),
    )
    fund.withdraw_savings(metadata("2024-03-08"), member=4, amount=100_000)
    lines = journal.statement(book(fund), FUND, 4)

    columns = ("on", "part", "amount", "principal", "interest", "savings", "outstanding")
    assert [tuple(line[column] for column in columns) for line in lines] == [
        ("2024-02-05", "savings", 300_000, 0, 0, 300_000, 0),
        ("2024-02-05", "dues", 10_000, 0, 0, 300_000, 0),
        ("2024-02-06", None, -1_200_000, -1_200_000, 0, 300_000, 1_200_000),
        ("2024-03-06", None, 112_000, 100_000, 12_000, 300_000, 1_100_000),
        ("2024-03-07", "wrong_amount", -112_000, -100_000, -12_000, 300_000, 1_200_000),
        ("2024-03-08", None, -100_000, 0, 0, 200_000, 1_200_000),
    ]
    assert len(journal.statement(book(fund), FUND, 4, date(2024, 3, 6))) == 4


def test_a_passbook_shows_what_was_planned_anew_given_up_and_got_back_after_all() -> None:
    fund = village(lends(4, 1_200_000, on="2024-02-06"), repays(1, 112_000, on="2024-03-06"))
    for on, months in (("2024-03-07", 4), ("2024-03-08", 6)):
        fund.reschedule_loan(metadata(on), 1, term_months=months)
    undoes(on="2024-03-09")(fund)
    for on in ("2024-05-10", "2024-05-12"):
        fund.write_off_loan(metadata(on), 1)
        if on == "2024-05-10":
            undoes(on="2024-05-11")(fund)
    fund.recover_loan(metadata("2024-06-20"), 1, amount=50_000)
    lines = journal.statement(book(fund), FUND, 4)

    columns = ("on", "type", "amount", "principal", "written_off", "term_months", "outstanding")
    assert [tuple(line[column] for column in columns) for line in lines[2:]] == [
        ("2024-03-07", "LoanRescheduled", 0, 0, 0, 4, 1_100_000),
        ("2024-03-08", "LoanRescheduled", 0, 0, 0, 6, 1_100_000),
        ("2024-03-09", "EntryReversed", 0, 0, 0, None, 1_100_000),
        ("2024-05-10", "LoanWrittenOff", 0, 1_100_000, 1_100_000, None, 0),
        ("2024-05-11", "EntryReversed", 0, -1_100_000, -1_100_000, None, 1_100_000),
        ("2024-05-12", "LoanWrittenOff", 0, 1_100_000, 1_100_000, None, 0),
        ("2024-06-20", "LoanRecovered", 50_000, 0, 0, None, 0),
    ]


def test_a_passbook_begins_with_what_an_old_book_said() -> None:
    tables = book(whole_life())

    assert next((line["type"], line["savings"]) for line in journal.statement(tables, FUND, 3)) == (
        "OpeningBalancesDeclared",
        200_000,
    )
    opening, *_ = journal.statement(tables, FUND, 2)
    assert (opening["amount"], opening["savings"], opening["outstanding"]) == (0, 0, 1_000_000)
    assert [line["type"] for line in journal.statement(tables, FUND, 1)][:1] == ["OpeningBalancesCorrected"]


# --- by hand: loans ---------------------------------------------------------------------------------------------------


def test_a_loan_stands_on_each_day_where_it_stood() -> None:
    fund = village(
        asks(1, 1_200_000, on="2024-01-10"),
        lambda fund: fund.approve_loan(metadata("2024-01-20"), 1),
        hands_out(1, on="2024-01-31"),
        repays(1, 112_000, on="2024-02-29"),
        undoes(on="2024-03-05"),
        repays(1, 112_000, on="2024-03-06"),
    )
    tables = book(fund)

    def stood(text: str) -> tuple[Any, ...]:
        found = loans.loan(tables, FUND, 1, day(text))
        assert found
        names = ("status", "outstanding", "interest_due", "settlement_amount", "overdue_principal", "days_late")
        return tuple(found[name] for name in names)

    assert loans.loan(tables, FUND, 1, day("2024-01-09")) is None
    assert stood("2024-01-10") == ("requested", 0, 0, None, 0, 0)
    assert stood("2024-01-20") == ("approved", 0, 0, None, 0, 0)
    assert stood("2024-01-31") == ("running", 1_200_000, 0, 1_200_000, 0, 0)
    assert stood("2024-02-29") == ("running", 1_100_000, 0, 1_100_000, 0, 0)
    assert stood("2024-03-05") == ("running", 1_200_000, 12_000, 1_224_000, 100_000, 5)
    assert stood("2024-03-06") == ("running", 1_100_000, 0, 1_111_000, 0, 0)
    assert stood("2024-05-15")[4:] == (200_000, 45)


def test_the_portfolio_at_risk_is_what_is_more_than_thirty_days_late() -> None:
    tables = book(
        village(
            lends(1, 1_200_000, on="2024-01-31"),
            lends(2, 2_400_000, on="2024-02-10"),
            lends(3, 600_000, on="2024-02-29"),
        )
    )

    def at_risk(text: str) -> tuple[int, int, str | None, int]:
        found = loans.portfolio(tables, FUND, day(text))
        return *found["par30"].values(), found["late_loans"]

    assert at_risk("2024-03-30") == (0, 4_200_000, "0.0", 3)
    assert at_risk("2024-03-31") == (1_200_000, 4_200_000, "28.6", 3)
    assert at_risk("2024-01-30") == (0, 0, None, 0)
    assert [each["loan"] for each in loans.loan_book(tables, FUND, day("2024-03-31"))["items"] if each["par30"]] == [1]


def test_the_loan_book_comes_in_pages_by_status_and_member() -> None:
    tables = book(borrowing_village())

    def book_of(**asked: Any) -> list[int]:
        return [each["loan"] for each in loans.loan_book(tables, FUND, date(2026, 6, 30), **asked)["items"]]

    assert book_of(status="settled") == [1, 3]
    assert book_of(status="running") == [2, 4, 6]
    assert book_of(status="approved") == [5], "handed out by mistake, and taken back"
    assert book_of(member=3, status="running") == [4, 6]
    first = loans.loan_book(tables, FUND, date(2026, 6, 30), limit=4)
    assert (len(first["items"]), first["next"], book_of(after=first["next"])) == (4, 4, [5, 6])


def test_flat_interest_costs_almost_twice_what_it_is_called() -> None:
    flat = village(lends(1, 12_000_000, on="2024-01-31"), interest_method="flat", max_principal=12_000_000)
    found = loans.loan(book(flat), FUND, 1, date(2024, 2, 1))

    assert found
    assert found["nominal_yearly_ppm"] == 120_000
    assert found["effective_yearly_ppm"] == 214_571  # 21.46 % a year: 12 payments of 1,120,000 for 12,000,000.
    lent: dict[str, Any] = {"principal": 12_000_000, "term_months": 12, "monthly_rate_ppm": 10_000}
    for mode in get_args(RepaymentMode)[:2]:
        terms = LoanTerms(**lent, repayment_mode=mode, interest_method="reducing")
        assert effective_yearly_ppm(terms) in (119_999, 120_000)
    free = LoanTerms(**lent | {"monthly_rate_ppm": 0}, repayment_mode="bullet", interest_method="flat")
    assert effective_yearly_ppm(free) == 0


def test_a_loan_shows_all_that_happened_to_it() -> None:
    tables = book(whole_life())
    before, after = (loans.loan(tables, FUND, 2, day(text)) for text in ("2024-02-25", "2024-03-02"))
    old, rejected, overridden = (loans.loan(tables, FUND, number, day("2024-02-01")) for number in (1, 4, 3))

    assert before
    assert after
    assert old
    assert rejected
    assert overridden
    assert before["reschedulings"] == [
        {"version": 38, "on": "2024-02-20", "term_months": 6, "outstanding": 2_000_000, "interest_carried": 0}
    ]
    assert (len(before["plan"]), before["maturity"]) == (6, "2024-08-20")
    assert before["repayments"] == [{"version": 37, "on": "2024-02-17", "principal": 0, "interest": 15_000}]
    assert before["interest_waived"] == 5_000
    in_force = ("term_months", "term_months_in_force", "times_rescheduled", "rescheduled_on")
    assert [before[name] for name in in_force] == [12, 6, 1, "2024-02-20"]
    assert [rejected[name] for name in in_force[1:]] == [None, 0, None], "never handed out"
    assert (after["status"], after["outstanding"], after["settlement_amount"]) == ("written_off", 0, None)
    assert after["recovered"] == 50_000
    assert (old["status"], old["outstanding"], old["disbursed_on"]) == ("running", 1_000_000, "2023-05-20")
    assert old["interest_due"] == 10_000, "of the month since the books were taken over; the old book saw to the rest"
    assert old["repayments"] == [{"version": 8, "on": "2024-01-02", "principal": 2_000_000, "interest": 0}]
    assert (rejected["status"], rejected["rejected_on"]) == ("rejected", "2024-01-15")
    assert overridden["override"] == ["term-above-cap"]


# --- by lot: a part of the book is the book's -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_loans_asked_for_by_status_or_member_are_those_of_the_whole_book(seed: int) -> None:
    fund = random_fund(seed, steps=220)
    tables = book(fund)
    days = sorted({event.on for event in fund.entries})
    for on in days[:: max(len(days) // 6, 1)] + days[-1:]:
        whole = loans.loan_book(tables, fund.id, on)["items"]
        for status in get_args(LoanStatus):
            those = [loan for loan in whole if loan["status"] == status]
            assert loans.loan_book(tables, fund.id, on, status=status)["items"] == those, (on, status)
        for member in {loan["member"] for loan in whole}:
            theirs = [loan for loan in whole if loan["member"] == member]
            assert loans.loan_book(tables, fund.id, on, member=member)["items"] == theirs, (on, member)
        over = [loan for loan in whole if loan["status"] in ("settled", "written_off", "rejected")]
        assert loans.closed(tables, fund.id, on, 2) == {"loans": len(over), "latest": over[::-1][:2]}, on
        running = [loan for loan in whole if loan["status"] == "running"]
        assert [due["loan"] for due in loans.due(tables, fund.id, on)] == [loan["loan"] for loan in running]
        assert loans.portfolio(tables, fund.id, on)["outstanding"] == sum(loan["outstanding"] for loan in running)

"""Claims about what the tables answer: by hand in a named village, and worked out anew over random histories."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from ledger.aggregates.fund import Fund
from ledger.chart import ACCOUNTS, POTS
from ledger.days import add_months
from ledger.events import (
    PRODUCTION,
    EntryReversed,
    Event,
    LoanDisbursed,
    LoanRequested,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    OpeningBalancesDeclared,
)
from ledger.projections import balances, borrowing, funds, journal, loans, members
from ledger.projections.funds import Scope
from ledger.projections.knowledge import Known, known
from ledger.projections.loan_account import effective_yearly_ppm
from ledger.projections.tables import LAST_DAY, Reader, percent
from ledger.terms import LoanTerms, RepaymentMode
from tests.histories import random_fund
from tests.processes import opened
from tests.test_golden_book import GOLDEN, Bookkeeper
from tests.test_read_model import following, in_turn, store
from tests.village import (
    CLUB,
    FUND,
    OPENED,
    adopts,
    asks,
    day,
    given,
    grants,
    hands_out,
    joins,
    leaves,
    lends,
    pays,
    repays,
    spends,
    stamp,
    undoes,
    village,
    whole_life,
)

SEEDS = range(1, 9)
ALL = Scope()


def book(fund: Fund) -> Known:
    """The tables of a fund."""
    return known(fund.pending)


def days_of(fund: Fund) -> list[date]:
    """Days on which answers may differ: the opening, some of the days things happened with their eves, and the end."""
    happened = sorted({event.on for event in fund.entries})
    some = happened[:: max(len(happened) // 6, 1)]
    return sorted({OPENED, *some, *(each - timedelta(days=1) for each in some), happened[-1]})


# --- by hand: the three readings --------------------------------------------------------------------------------------


def borrowing_village() -> Fund:
    """Of four on the roll in June 2026: one owes, two were lent to within the year, three have ever been.

    Hoàng Thị Sầm's loan of 2024 is repaid. Lý Văn Páo's, of last August, is repaid, too. Triệu Thị Mẩy's, of December,
    runs, and so does her second, for consumption. Vi Văn Đức, who had one of last July, has left; Nông Thị Lả never
    borrowed, for hers was a mistake and undone.
    """
    fund = village(
        lends(1, 1_200_000, on="2024-02-01"),
        repays(1, 1_212_000, on="2024-03-01"),
        lends(5, 600_000, on="2025-07-10"),
        lends(2, 1_200_000, on="2025-08-01"),
        repays(3, 1_212_000, on="2025-09-01"),
        lends(3, 1_200_000, on="2025-12-01"),
        leaves(5, "2026-01-15"),
        lends(4, 700_000, on="2026-02-01"),
        undoes(on="2026-02-03"),
    )
    fund.request_loan(stamp("2026-03-01"), member=3, principal=500_000, term_months=6, purpose="other")
    grants(6, on="2026-03-01")(fund)
    hands_out(6, on="2026-03-01")(fund)
    return fund


def counted(found: dict[str, Any]) -> dict[str, tuple[int, int, int, str | None]]:
    """Each reading as people, loans, members and percent."""
    return {
        reading: tuple(found[reading][name] for name in ("borrowers", "loans", "members", "percent"))
        for reading in ("current", "in_period", "ever")
    }


def test_the_three_readings_of_one_sentence_are_three_figures() -> None:
    found = borrowing.borrowing(book(borrowing_village()), ALL, date(2026, 6, 30))

    assert counted(found) == {"current": (1, 1, 4, "25.0"), "in_period": (2, 2, 4, "50.0"), "ever": (3, 3, 4, "75.0")}
    assert [found[reading]["target_met"] for reading in ("current", "in_period", "ever")] == [False, True, True]
    assert (found["in_period"]["from"], found["in_period"]["to"]) == ("2025-07-01", "2026-06-30")
    assert (found["funds"], found["members"], found["purpose"]) == (1, 4, "production")


def test_any_purpose_counts_every_loan_and_people_still_once() -> None:
    found = borrowing.borrowing(book(borrowing_village()), ALL, date(2026, 6, 30), purpose="any")

    assert counted(found) == {"current": (1, 2, 4, "25.0"), "in_period": (2, 3, 4, "50.0"), "ever": (3, 4, 4, "75.0")}


def test_the_rates_of_an_earlier_day_are_those_of_that_day() -> None:
    tables = book(borrowing_village())

    def on(text: str, **asked: Any) -> dict[str, Any]:
        return counted(borrowing.borrowing(tables, ALL, day(text), **asked))

    assert on("2023-12-31")["ever"] == (0, 0, 0, None), "nobody was on the roll: no rate, not a rate of 0"
    assert on("2024-02-01")["current"] == (1, 1, 5, "20.0")
    assert on("2024-03-01")["current"] == (0, 0, 5, "0.0"), "repaid by the end of the day"
    assert on("2024-03-01")["ever"] == (1, 1, 5, "20.0")
    assert on("2026-01-14")["in_period"] == (3, 3, 5, "60.0"), "the last day of Vi Văn Đức"
    assert on("2026-01-15")["in_period"] == (2, 2, 4, "50.0")
    assert on("2026-02-02")["current"] == (2, 2, 4, "50.0"), "the mistake has not been undone yet"
    assert on("2026-02-03")["current"] == (1, 1, 4, "25.0")
    assert on("2026-06-30", since=date(2025, 8, 2))["in_period"] == (1, 1, 4, "25.0")
    assert on("2026-06-30", since=date(2025, 8, 1))["in_period"] == (2, 2, 4, "50.0"), "both ends are included"


def test_the_rates_are_broken_down_by_sex_age_and_poverty() -> None:
    tables = book(borrowing_village())
    found = borrowing.borrowing(tables, ALL, date(2026, 6, 30))
    younger = borrowing.borrowing(tables, ALL, date(2012, 6, 30))

    assert {sex: counted(of)["ever"] for sex, of in found["by_sex"].items()} == {
        "female": (2, 2, 3, "66.7"),
        "male": (1, 1, 1, "100.0"),
    }
    assert {band: (of["members"], of["ever"]["borrowers"]) for band, of in found["by_age"].items()} == {
        "under_60": (0, 0),
        "60_69": (2, 2),
        "70_79": (2, 1),
        "80_plus": (0, 0),
    }
    assert {poverty: counted(of)["ever"] for poverty, of in found["by_poverty"].items()} == {
        "poor": (0, 0, 1, "0.0"),
        "near_poor": (1, 1, 1, "100.0"),
        "hardship": (0, 0, 0, None),
        "none": (2, 2, 2, "100.0"),
    }
    assert younger["by_age"]["under_60"]["ever"]["target_met"] is None


def test_the_age_one_counts_as_older_from_can_be_asked_for() -> None:
    tables = book(given(joins(birth_year=1969), joins(birth_year=1970), joins(birth_year=1946)))

    def bands(threshold: int) -> dict[str, int]:
        found = borrowing.borrowing(tables, ALL, date(2025, 1, 1), threshold=threshold)
        return {band: of["members"] for band, of in found["by_age"].items()}

    assert bands(60) == {"under_60": 2, "60_69": 0, "70_79": 1, "80_plus": 0}
    assert bands(55) == {"under_55": 0, "55_69": 2, "70_79": 1, "80_plus": 0}


def test_a_share_has_one_decimal_half_up_and_no_share_of_nothing() -> None:
    assert [percent(*of) for of in ((1, 3), (2, 3), (1, 2000), (1, 8), (5, 5), (0, 4))] == [
        "33.3",
        "66.7",
        "0.1",
        "12.5",
        "100.0",
        "0.0",
    ]
    assert percent(0, 0) is None


# --- by hand: the roll ------------------------------------------------------------------------------------------------


def changes(member: int, on: str, **fields: Any) -> Any:
    """What is known of a member changes."""
    return lambda fund: fund.change_member(stamp(on), member, **fields)


def on_roll(tables: Reader, text: str, **wanted: Any) -> list[int]:
    """Who is on the roll at the end of a day."""
    return [each["member"] for each in members.roll(tables, FUND, day(text), **wanted)["items"]]


def test_a_change_told_late_holds_from_its_own_day() -> None:
    tables = book(
        village(
            changes(1, "2024-06-01", poverty="poor"),
            changes(1, "2024-03-01", poverty="near_poor"),
            changes(1, "2024-06-01", birth_year=1957),
        )
    )

    def poverty(text: str) -> tuple[str, int]:
        found = members.member(tables, FUND, 1, day(text))
        assert found
        return found["poverty"], found["birth_year"]

    assert [poverty(text) for text in ("2024-02-29", "2024-03-01", "2024-05-31", "2024-06-01")] == [
        ("none", 1958),
        ("near_poor", 1958),
        ("near_poor", 1958),
        ("poor", 1957),
    ]
    assert 1 not in on_roll(tables, "2024-05-31", poverty="poor")
    assert 1 in on_roll(tables, "2024-06-01", poverty="poor")


def test_who_left_is_off_the_roll_at_the_end_of_that_day_and_stays_as_they_last_stood() -> None:
    tables = book(village(changes(4, "2024-02-01", household="H9"), leaves(4, "2024-05-05", "died")))

    assert on_roll(tables, "2024-05-04") == [1, 2, 3, 4, 5]
    assert on_roll(tables, "2024-05-05") == [1, 2, 3, 5]
    before, after = (members.member(tables, FUND, 4, day(text)) for text in ("2024-05-04", "2024-05-05"))
    assert before
    assert after
    assert (before["left_on"], before["leaving_reason"]) == (None, None)
    assert (after["left_on"], after["leaving_reason"], after["household"]) == ("2024-05-05", "died", "H9")
    assert members.member(tables, FUND, 4, date(2023, 12, 31)) is None
    assert members.member(tables, FUND, 99) is None


def test_the_roll_comes_in_pages_and_by_what_is_asked_for() -> None:
    fund = village()
    fund.change_member(stamp("2024-01-02", name="d1d1", phone="e2e2"), 3)
    tables = book(fund)
    first = members.roll(tables, FUND, limit=3)
    rest = members.roll(tables, FUND, limit=3, after=first["next"])

    assert [each["member"] for each in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert rest["next"] is None
    assert (first["items"][2]["name"], first["items"][2]["phone"]) == ("d1d1", "e2e2")
    assert members.names(tables, FUND, [1, 3, 5]) == {3: "d1d1"}
    assert on_roll(tables, "2024-06-01", sex="male") == [2, 5]
    assert on_roll(tables, "2024-06-01", household="H4") == [4, 5]


# --- by hand: balances ------------------------------------------------------------------------------------------------


def test_a_reversal_counts_from_its_own_day() -> None:
    tables = book(
        village(
            pays(1, "savings", 300_000, on="2024-02-05"),
            undoes(on="2024-04-05"),
            spends(400_000, on="2024-03-05"),
        )
    )

    def held(text: str) -> tuple[int, int, int]:
        found = balances.balances(tables, FUND, day(text))
        revolving = found["pots"]["revolving"]
        return found["cash"], revolving["savings"], revolving["equity"]

    assert held("2024-02-04") == (21_000_000, 0, 20_000_000)
    assert held("2024-02-05") == (21_300_000, 300_000, 20_000_000)
    assert held("2024-03-05") == (20_900_000, 300_000, 20_000_000)
    assert held("2024-04-05") == (20_600_000, 0, 20_000_000)
    assert balances.balances(tables, FUND) == balances.balances(tables, FUND, date(2024, 4, 5))


def test_the_trial_balance_is_the_bookkeepers() -> None:
    found = balances.trial_balance(book(Bookkeeper().fund), "LS-QUANG-LAC")

    totals = [row for row in golden("trial_balance") if row["account"] == "total"]
    assert found["debit"] == found["credit"] == sum(int(row["debit"]) for row in totals)
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for row in golden("trial_balance"):
        if row["account"] != "total":
            expected[row["pot"], row["account"]] += int(row["debit"] or 0) - int(row["credit"] or 0)
    assert {(row["pot"], row["account"]): row["debit"] - row["credit"] for row in found["rows"]} == expected


def golden(name: str) -> list[dict[str, str]]:
    """A book of the golden year."""
    with (GOLDEN / f"book_{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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

    assert found(kind="LoanRepaid") == [("LoanRepaid", 1, 1), ("LoanRepaid", 2, 3)]
    assert [each[0] for each in found(loan=5)] == ["LoanRequested", "LoanApproved", "LoanDisbursed", "EntryReversed"]
    assert {each[1] for each in found(member=5)} == {5}
    assert found(since=date(2026, 1, 15), until=date(2026, 1, 31)) == [("MemberLeft", 5, None)]
    assert found(kind="LoanRepaid", member=3) == []


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
    fund.withdraw_savings(stamp("2024-03-08"), member=4, amount=100_000)
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


def test_a_passbook_begins_with_what_an_old_book_said() -> None:
    tables = book(whole_life())

    assert next((line["type"], line["savings"]) for line in journal.statement(tables, FUND, 3)) == (
        "OpeningBalancesDeclared",
        200_000,
    )
    opening, *_ = journal.statement(tables, FUND, 2)
    assert (opening["amount"], opening["savings"], opening["outstanding"]) == (0, 0, 1_000_000)
    assert journal.statement(tables, FUND, 1) == []


# --- by hand: loans ---------------------------------------------------------------------------------------------------


def test_a_loan_stands_on_each_day_where_it_stood() -> None:
    fund = village(
        asks(1, 1_200_000, on="2024-01-10"),
        lambda fund: fund.approve_loan(stamp("2024-01-20"), 1),
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
        {"version": 35, "on": "2024-02-20", "term_months": 6, "outstanding": 2_000_000, "interest_carried": 20_000}
    ]
    assert (len(before["plan"]), before["maturity"], before["repayments"]) == (6, "2024-08-20", [])
    assert (after["status"], after["outstanding"], after["settlement_amount"]) == ("written_off", 0, None)
    assert after["recovered"] == 50_000
    assert (old["status"], old["outstanding"], old["disbursed_on"]) == ("running", 1_000_000, "2023-05-20")
    assert old["interest_due"] == 10_000, "of the month since the books were taken over; the old book saw to the rest"
    assert old["repayments"] == [{"version": 8, "on": "2024-01-02", "principal": 2_000_000, "interest": 0}]
    assert (rejected["status"], rejected["rejected_on"]) == ("rejected", "2024-01-15")
    assert overridden["override"] == ["term-above-cap"]


# --- by hand: funds ---------------------------------------------------------------------------------------------------


def test_a_fund_shows_its_key_figures_and_the_bylaws_in_force() -> None:
    fund = village(
        lends(1, 1_200_000, on="2024-02-01"),
        adopts(on="2024-06-01", monthly_rate_ppm=8_000),
        adopts(on="2024-04-01", monthly_rate_ppm=9_000),
        leaves(5, "2024-03-01"),
    )
    tables = book(fund)

    def shown(text: str) -> dict[str, Any]:
        found = funds.fund(tables, FUND, day(text))
        assert found
        return found

    february = shown("2024-02-10")
    assert {name: february[name] for name in ("club", "commune", "district", "province", "plan")} == {
        name: CLUB[name] for name in ("club", "commune", "district", "province", "plan")
    }
    assert (february["version"], february["head"], february["latest_on"]) == (fund.version, fund.head, "2024-06-01")
    assert (february["members"], february["loans"], february["outstanding"]) == (5, 1, 1_200_000)
    assert (february["cash"], shown("2024-01-31")["cash"]) == (19_800_000, 21_000_000)
    assert [shown(text)["bylaws"]["monthly_rate_ppm"] for text in ("2024-03-31", "2024-05-31", "2024-06-01")] == [
        10_000,
        9_000,
        8_000,
    ]
    assert shown("2024-03-01")["members"] == 4
    assert shown("2023-12-31")["bylaws"] is None
    assert funds.fund(tables, "LS-NONE") is None
    assert funds.standing(tables, "LS-NONE") is None


def _opened(code: str, district: str, *acts: Any, province: str = "Lạng Sơn") -> Fund:
    """A fund of another club."""
    fund = Fund(code)
    club = CLUB | {"district": district, "province": province}
    fund.open(stamp(OPENED), bylaws=village().bylaws_on(OPENED), **club)
    for act in (joins(), joins(sex="male"), *acts):
        act(fund)
    return fund


def test_the_funds_in_scope_are_listed_and_counted_together(database_url: str) -> None:
    capital = lambda fund: fund.receive_donation(stamp(OPENED), source="member", pot="revolving", amount=9_000_000)  # noqa: E731
    clubs = (
        _opened("LS-A", "Chi Lăng", capital, lends(1, on="2024-02-01")),
        _opened("LS-B", "Chi Lăng"),
        _opened("LS-C", "Bắc Sơn", capital, lends(1, on="2024-02-01"), lends(2, on="2024-02-01")),
        _opened("TN-A", "Chi Lăng", leaves(2, "2024-02-01"), province="Thái Nguyên"),
    )
    with opened(database_url) as ledger:
        store(ledger, in_turn(*(fund.pending for fund in clubs)))
        following(ledger).catch_up()
        tables = ledger.database

        def codes(scope: Scope, **asked: Any) -> list[str]:
            return [each["fund"] for each in funds.funds(tables, scope, **asked)["items"]]

        def owing(scope: Scope) -> tuple[int, int, int]:
            found = borrowing.borrowing(tables, scope, date(2024, 6, 30))
            return found["funds"], found["current"]["borrowers"], found["current"]["members"]

        assert codes(Scope()) == ["LS-A", "LS-B", "LS-C", "TN-A"]
        assert codes(Scope(province="Lạng Sơn", district="Chi Lăng")) == ["LS-A", "LS-B"]
        assert codes(Scope(funds=["LS-B", "TN-A", "LS-C"], province="Lạng Sơn")) == ["LS-B", "LS-C"]
        assert codes(Scope(funds=[])) == []
        assert codes(Scope(), limit=3, after="LS-A") == ["LS-B", "LS-C", "TN-A"]
        assert funds.funds(tables, Scope(), limit=2)["next"] == "LS-B"
        assert [each["outstanding"] for each in funds.funds(tables, Scope())["items"]] == [1_000_000, 0, 2_000_000, 0]
        assert owing(Scope()) == (4, 3, 7)
        assert owing(Scope(district="Chi Lăng")) == (3, 1, 5)
        assert owing(Scope(funds=["LS-C"])) == (1, 2, 2)
        assert owing(Scope(funds=[])) == (0, 0, 0)
        standing = funds.standing(tables, "LS-B")
        assert standing == {"fund": "LS-B", "version": 4, "head": clubs[1].head, "position": 28, "parked": None}


# --- worked out anew --------------------------------------------------------------------------------------------------


def happened(fund: Fund, as_of: date) -> list[Event]:
    """What had happened by the end of a day, in the order it was told."""
    return [event for event in fund.entries if event.on <= as_of]


def told_balances(events: Iterable[Event]) -> dict[tuple[str, str], int]:
    """The balances, by adding up legs."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for event in events:
        for leg in event.legs():
            sums[leg.pot, leg.account] += leg.amount
    return sums


def told_roll(events: list[Event]) -> dict[int, tuple[Any, ...]]:
    """Who is on the roll, and as what."""
    people: dict[int, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: (event.on, event.version)):
        if isinstance(event, MemberJoined):
            people[event.member] = {
                name: getattr(event, name) for name in ("sex", "birth_year", "poverty", "household")
            }
        elif isinstance(event, MemberChanged) and event.member in people:
            people[event.member] |= event.changes()
        elif isinstance(event, MemberLeft):
            del people[event.member]
    return {number: tuple(person.values()) for number, person in people.items()}


def told_borrowers(events: list[Event], as_of: date, since: date, any_purpose: bool) -> dict[str, tuple[int, int]]:
    """People and loans of each reading, from the events alone."""
    roll, purpose, borrower = told_roll(events), {}, {}
    principal: dict[int, int] = defaultdict(int)
    received: dict[int, set[date]] = defaultdict(set)
    undone = {event.reverses for event in events if isinstance(event, EntryReversed)}
    for event in events:
        for leg in event.legs():
            if leg.account == "loans":
                assert isinstance(leg.of, int)
                principal[leg.of] += leg.amount
        if isinstance(event, LoanRequested):
            purpose[event.loan], borrower[event.loan] = event.purpose, event.member
        elif isinstance(event, LoanDisbursed) and event.version not in undone:
            received[event.loan].add(event.on)
        elif isinstance(event, OpeningBalancesDeclared):
            for old in event.loans:
                purpose[old.loan], borrower[old.loan] = old.purpose, old.member
                received[old.loan].add(old.disbursed_on)
    counts = [n for n in purpose if borrower[n] in roll and (any_purpose or purpose[n] in PRODUCTION)]
    readings = {
        "current": [number for number in counts if principal[number] > 0],
        "in_period": [number for number in counts if any(since <= on <= as_of for on in received[number])],
        "ever": [number for number in counts if received[number]],
    }
    return {name: (len({borrower[number] for number in of}), len(of)) for name, of in readings.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_balances_are_the_sums_of_what_had_happened(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    for as_of in days_of(fund):
        expected = told_balances(happened(fund, as_of))
        found = balances.trial_balance(tables, fund.id, as_of)
        position = balances.balances(tables, fund.id, as_of)

        assert {(row["pot"], row["account"]): row["debit"] - row["credit"] for row in found["rows"]} == {
            key: amount for key, amount in expected.items() if amount
        }
        assert found["debit"] == found["credit"]
        assert position["cash"] == sum(expected[pot, "cash"] for pot in POTS)
        for pot in POTS:
            equity = -sum(expected[pot, account] for account in ACCOUNTS[ACCOUNTS.index("opening") :])
            assert position["pots"][pot]["equity"] == equity
    assert balances.trial_balance(tables, fund.id) == balances.trial_balance(tables, fund.id, fund.entries[-1].on.max)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_roll_is_who_had_joined_and_not_left(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    for as_of in days_of(fund):
        found = members.roll(tables, fund.id, as_of)["items"]
        assert {
            each["member"]: (each["sex"], each["birth_year"], each["poverty"], each["household"]) for each in found
        } == told_roll(happened(fund, as_of))


@pytest.mark.parametrize("seed", SEEDS)
def test_borrowing_rates_are_those_of_the_events_alone(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    for as_of in days_of(fund):
        for since, purpose in ((add_months(as_of, -12) + timedelta(days=1), "production"), (date(2021, 3, 1), "any")):
            found = borrowing.borrowing(
                tables, Scope([fund.id]), as_of, since=since, purpose="any" if purpose == "any" else "production"
            )
            expected = told_borrowers(happened(fund, as_of), as_of, since, any_purpose=purpose == "any")

            assert {name: (found[name]["borrowers"], found[name]["loans"]) for name in expected} == expected
            assert found["members"] == len(told_roll(happened(fund, as_of)))
            for breakdown in ("by_sex", "by_age", "by_poverty"):
                for reading in expected:
                    parts = [(of[reading]["borrowers"], of[reading]["members"]) for of in found[breakdown].values()]
                    whole = (found[reading]["borrowers"], found[reading]["members"])
                    assert tuple(map(sum, zip(*parts, strict=True))) == whole


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loan_book_agrees_with_the_fund_itself(seed: int) -> None:
    fund = random_fund(seed)
    today = max(event.on for event in fund.entries)
    found = {each["loan"]: each for each in loans.loan_book(book(fund), fund.id, today)["items"]}

    assert list(found) == sorted(fund.loans)
    for number, loan in fund.loans.items():
        page = loans.loan(book(fund), fund.id, number, today)
        assert page
        assert (page["status"], page["outstanding"]) == (loan.status, loan.outstanding)
        assert {name: page[name] for name in found[number]} == found[number]
        if loan.status == "running":
            standing = loan.standing(today)
            assert page["interest_due"] == standing.interest_due
            assert page["settlement_amount"] == standing.settlement_amount
            assert [(day(each["due_on"]), each["principal"], each["interest"]) for each in page["plan"]] == [
                (each.due_on, each.principal, each.interest) for each in loan.plan(today)
            ]
    assert sum(each["outstanding"] for each in found.values()) == told_balances(fund.entries)["revolving", "loans"]


@pytest.mark.parametrize("seed", SEEDS)
def test_passbooks_and_cash_books_end_where_the_accounts_stand(seed: int) -> None:
    fund = random_fund(seed)
    tables = book(fund)
    cash = journal.cash_book(tables, fund.id, OPENED.min, date.fromisoformat(LAST_DAY), limit=10_000)
    by_member = {number: journal.statement(tables, fund.id, number) for number in fund.members}
    ends = [lines[-1] for lines in by_member.values() if lines]

    assert cash["items"][-1]["balance"] == cash["closing"] == balances.balances(tables, fund.id)["cash"]
    sums = told_balances(fund.entries)
    assert sum(line["savings"] for line in ends) == -sums["revolving", "savings"]
    assert sum(line["outstanding"] for line in ends) == sums["revolving", "loans"]


def test_every_question_is_answered_alike_by_both_engines_and_from_memory(sqlite_url: str, postgres_url: str) -> None:
    told = (random_fund(1), random_fund(6), whole_life())
    answers: list[Any] = []
    for url in (sqlite_url, postgres_url):
        with opened(url) as ledger:
            store(ledger, in_turn(*(fund.pending for fund in told)))
            following(ledger).catch_up()
            with ledger.database.transaction(commit=False) as tables:
                answers.append([asked(tables, fund) for fund in told])
    answers.append([asked(book(fund), fund) for fund in told])

    assert answers[0] == answers[1]
    assert answers[0] == answers[2]


def asked(reader: Reader, fund: Fund) -> list[Any]:
    """Every question there is, on several days."""
    scope = Scope([fund.id])
    answers: list[Any] = [journal.entry(reader, fund.id, version) for version in range(1, fund.version + 1, 9)]
    answers += [journal.entries(reader, fund.id, limit=20, ascending=ascending) for ascending in (False, True)]
    answers += [journal.entries(reader, fund.id, member=1, loan=1, kind="LoanRepaid", since=OPENED, until=OPENED)]
    answers += [members.names(reader, fund.id, fund.members)]
    for as_of in days_of(fund):
        answers += [balances.balances(reader, fund.id, as_of), balances.trial_balance(reader, fund.id, as_of)]
        answers += [members.roll(reader, fund.id, as_of, sex="female"), members.member(reader, fund.id, 2, as_of)]
        answers += [loans.loan_book(reader, fund.id, as_of), loans.loan(reader, fund.id, 1, as_of)]
        answers += [loans.portfolio(reader, fund.id, as_of), borrowing.borrowing(reader, scope, as_of)]
        answers += [funds.fund(reader, fund.id, as_of), funds.funds(reader, scope, as_of)]
        answers += [journal.cash_book(reader, fund.id, OPENED, as_of, limit=7)]
        answers += [journal.statement(reader, fund.id, number, as_of) for number in (1, 2, 3)]
    answers += [balances.balances(reader, fund.id), balances.trial_balance(reader, fund.id)]
    return answers

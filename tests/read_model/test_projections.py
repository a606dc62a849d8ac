"""Claims about what the tables answer: balances and funds by hand, and all of it worked out anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

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
    MemberReturned,
    OpeningBalancesDeclared,
    check_code,
    head_of,
)
from ledger.projections import balances, borrowing, funds, journal, loans, members
from ledger.projections.funds import Area, FundFilter
from ledger.projections.tables import LAST_DAY, Reader
from tests.ledger.test_golden_book import Bookkeeper
from tests.ledger.test_golden_book import rows as golden
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import book, following, in_turn, store
from tests.support.village import (
    CLUB,
    FUND,
    OPENED,
    adopts,
    day,
    joins,
    leaves,
    lends,
    metadata,
    pays,
    spends,
    undoes,
    village,
    whole_life,
)

SEEDS = range(1, 9)
ALL = FundFilter()


def days_of(fund: Fund) -> list[date]:
    """Days on which answers may differ: the opening, some of the days things happened with their eves, and the end."""
    happened = sorted({event.on for event in fund.entries})
    some = happened[:: max(len(happened) // 6, 1)]
    return sorted({OPENED, *some, *(each - timedelta(days=1) for each in some), happened[-1]})


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
    fund.open(metadata(OPENED), bylaws=village().bylaws_on(OPENED), **club)
    for act in (joins(), joins(sex="male"), *acts):
        act(fund)
    return fund


def test_the_funds_in_scope_are_listed_and_counted_together(database_url: str) -> None:
    capital = lambda fund: fund.receive_donation(metadata(OPENED), source="member", pot="revolving", amount=9_000_000)  # noqa: E731
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

        def codes(scope: FundFilter, **asked: Any) -> list[str]:
            return [each["fund"] for each in funds.funds(tables, scope, **asked)["items"]]

        def owing(scope: FundFilter) -> tuple[int, int, int]:
            found = borrowing.borrowing(tables, scope, date(2024, 6, 30))
            return found["funds"], found["current"]["borrowers"], found["current"]["members"]

        assert codes(FundFilter()) == ["LS-A", "LS-B", "LS-C", "TN-A"]
        assert codes(FundFilter(area=Area("Lạng Sơn", "Chi Lăng"))) == ["LS-A", "LS-B"]
        assert codes(FundFilter(["LS-B", "TN-A", "LS-C"], Area("Lạng Sơn"))) == ["LS-B", "LS-C"]
        assert codes(FundFilter(funds=[])) == []
        assert codes(FundFilter(), limit=3, after="LS-A") == ["LS-B", "LS-C", "TN-A"]
        assert funds.funds(tables, FundFilter(), limit=2)["next"] == "LS-B"
        assert [each["outstanding"] for each in funds.funds(tables, FundFilter())["items"]] == [
            1_000_000,
            0,
            2_000_000,
            0,
        ]
        assert owing(FundFilter()) == (4, 3, 7)
        assert owing(FundFilter(area=Area(district="Chi Lăng"))) == (3, 1, 5)
        assert owing(FundFilter(funds=["LS-C"])) == (1, 2, 2)
        assert owing(FundFilter(funds=[])) == (0, 0, 0)
        standing = funds.standing(tables, "LS-B")
        assert standing == {"fund": "LS-B", "version": 4, "head": clubs[1].head, "position": 28, "parked": None}


# --- worked out anew --------------------------------------------------------------------------------------------------


def happened(fund: Fund, as_of: date) -> list[Event]:
    """What had happened by the end of a day, in the order it was told; a departure undone later never was one."""
    undoing = [event for event in fund.entries if isinstance(event, EntryReversed) and not event.posted]
    return [event for event in fund.entries if event.on <= as_of or event in undoing]


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
    gone: dict[int, dict[str, Any]] = {}
    undone = {event.reverses for event in events if isinstance(event, EntryReversed)}
    for event in sorted(events, key=lambda event: (event.on, event.version)):
        if event.version in undone:
            continue
        if isinstance(event, MemberJoined):
            people[event.member] = {
                name: getattr(event, name) for name in ("sex", "birth_year", "poverty", "household")
            }
        elif isinstance(event, MemberChanged):
            (people if event.member in people else gone)[event.member] |= event.changes()
        elif isinstance(event, MemberLeft):
            gone[event.member] = people.pop(event.member)
        elif isinstance(event, MemberReturned):
            people[event.member] = gone.pop(event.member)
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
                tables, FundFilter([fund.id]), as_of, since=since, purpose="any" if purpose == "any" else "production"
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


def test_entries_are_found_by_member_and_by_check_code_in_every_thousand_of_a_funds_years(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FEWEST_RANGES", 1)  # Else only funds of more than 16,000 entries ask for more.
    fund = village(*(pays(1 + n % 5, "dues", 10_000, on=OPENED) for n in range(2_100)))
    told = list(fund.pending)
    codes = {version: check_code(head_of(told[version - 1].line)).replace("-", "") for version in (1, 1023, 1024, 2048)}
    with opened(database_url) as ledger:
        store(ledger, told)
        following(ledger).catch_up()
        with ledger.database.transaction(commit=False) as tables:
            passbook = [line["version"] for line in journal.statement(tables, FUND, 2)]
            found = [journal.entry_of_code(tables, FUND, code) for code in codes.values()]
    joined, *paid = (entry.event.version for entry in told if getattr(entry.event, "member", 0) == 2)
    assert (passbook, joined) == (paid, 4)
    assert [entry and entry["version"] for entry in found] == [*codes]


def asked(reader: Reader, fund: Fund) -> list[Any]:
    """Every question there is, on several days."""
    scope = FundFilter([fund.id])
    answers: list[Any] = [journal.entry(reader, fund.id, version) for version in range(1, fund.version + 1, 9)]
    answers += [journal.entries(reader, fund.id, limit=20, ascending=ascending) for ascending in (False, True)]
    answers += [journal.entries(reader, fund.id, member=1, loan=1, types=["LoanRepaid"], since=OPENED, until=OPENED)]
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

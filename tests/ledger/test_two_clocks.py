"""Claims about the two clocks: what had happened by a day, of what was known then, is what the legs alone make it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from ledger.chart import POTS
from ledger.days import add_months
from ledger.events import Entry
from ledger.projections import balances, borrowing, journal, loans, members
from ledger.projections.funds import FundFilter
from ledger.projections.knowledge import Known
from tests.support import moments
from tests.support.histories import random_fund
from tests.support.moments import OWED, OWNED, Moment
from tests.support.service import House, house
from tests.support.tables import in_turn, store, store_line

SEEDS = range(1, 9)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_moment_is_what_the_legs_alone_make_it(seed: int) -> None:
    fund = random_fund(seed)
    for moment in moments.moments(seed, 3):
        tables, day = Known(fund.pending[: moment.version]), moment.as_of
        sums = moments.held(seed, moment)

        def total(account: str, pot: str, sums: dict[Any, int] = sums) -> int:
            return sum(amount for key, amount in sums.items() if key[:2] == (pot, account))

        position = balances.balances(tables, fund.id, day)["pots"]
        for pot in POTS:
            owned, owed = {a: total(a, pot) for a in OWNED}, {a: -total(a, pot) for a in OWED}
            assert position[pot] == owned | owed | {"equity": sum(owned.values()) - sum(owed.values())}

        trial = balances.trial_balance(tables, fund.id, day)["rows"]
        accounts = {key[:2] for key in sums}
        assert {(row["pot"], row["account"]): row["debit"] - row["credit"] for row in trial} == {
            (pot, account): total(account, pot) for pot, account in accounts if total(account, pot)
        }

        since = day - timedelta(60)
        before = moments.held(seed, Moment(since - timedelta(1), moment.version))
        for pot_asked in (None, *POTS):
            book = journal.cash_book(tables, fund.id, since, day, pot=pot_asked, limit=10_000)
            asked = POTS if pot_asked is None else (pot_asked,)
            assert book["opening"] == sum(before[pot, "cash", None] for pot in asked)
            assert book["closing"] == sum(sums[pot, "cash", None] for pot in asked)
            running = book["items"][-1]["balance"] if book["items"] else book["opening"]
            assert running == book["closing"]

        on_roll = {each["member"] for each in members.roll(tables, fund.id, day)["items"]}
        assert on_roll == moments.roll(seed, moment)
        for number in fund.members:
            passbook = journal.statement(tables, fund.id, number, day)
            assert (passbook[-1]["savings"] if passbook else 0) == -sums["revolving", "savings", number]

        for number in fund.loans:
            loan = loans.loan(tables, fund.id, number, day)
            assert (loan["outstanding"] if loan else 0) == sums["revolving", "loans", number]
        listed = loans.loan_book(tables, fund.id, day)["items"]
        assert {each["loan"]: each["outstanding"] for each in listed if each["outstanding"]} == {
            key[2]: amount for key, amount in sums.items() if key[1] == "loans" and amount
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_the_borrowing_rates_of_any_moment_are_those_of_its_lines(seed: int) -> None:
    fund = random_fund(seed)
    for moment in moments.moments(seed, 3):
        since = add_months(moment.as_of, -3)
        tables = Known(fund.pending[: moment.version])
        found = borrowing.borrowing(tables, FundFilter([fund.id]), moment.as_of, since=since, purpose="any")

        readings = {name: (found[name]["borrowers"], found[name]["loans"]) for name in ("current", "in_period", "ever")}
        assert readings == moments.borrowers(seed, moment, since)
        assert found["members"] == len(moments.roll(seed, moment))


# --- asked of the service -------------------------------------------------------------------------------------------

FIGURES = (
    "", "/balances", "/trial-balance", "/cash-book", "/members", "/members/1", "/loans", "/loans/1", "/borrowing",
    "/entries", "/cash-counts", "/dues",
)  # fmt: skip
CLUBS = (1, 6)


@contextmanager
def several(database_url: str) -> Iterator[House]:
    """A service with the books of some clubs, their entries recorded by turns."""
    with house(database_url, read_wait_seconds=30) as running:
        store(running.state.ledger, in_turn(*(random_fund(seed).pending for seed in CLUBS)))
        yield running


@pytest.fixture
def clubs(database_url: str) -> Iterator[House]:
    with several(database_url) as running:
        yield running


@pytest.fixture
def clubs_in_a_file(sqlite_url: str) -> Iterator[House]:
    with several(sqlite_url) as running:
        yield running


def answered(clubs: House, seed: int, figure: str, query: str) -> Any:
    answer = clubs.get(f"/funds/{random_fund(seed).id}{figure}?min_position={clubs.entries()}{query}")
    return answer.json() if answer.status_code == 200 else answer.status_code


def last_heard(entries: list[Entry], version: int) -> int:
    """The last version that was heard in the same instant."""
    heard = entries[version - 1].event.recorded_at
    return max(entry.event.version for entry in entries if entry.event.recorded_at == heard)


def instant(entries: list[Entry], version: int) -> str:
    return entries[version - 1].event.recorded_at.isoformat().replace("+00:00", "Z")


def test_what_is_known_now_of_what_had_happened_by_today_is_the_read_model(clubs: House) -> None:
    today = clubs.state.today()
    for seed in CLUBS:
        entries = random_fund(seed).pending
        for figure in FIGURES:
            now = answered(clubs, seed, figure, "")
            assert now not in (404, 422)
            # An instant is always answered from the log, in memory; without one, the tables answer.
            assert answered(clubs, seed, figure, f"&as_of={today}&known_at={instant(entries, len(entries))}") == now


def test_each_figure_takes_both_clocks_alone_and_together(clubs_in_a_file: House) -> None:
    for seed in CLUBS:
        entries = random_fund(seed).pending
        random = Random(seed)
        version = last_heard(entries, random.randint(30, len(entries) - 10))
        day = entries[version - random.randint(5, 20)].event.on
        for figure in FIGURES:
            by_day = answered(clubs_in_a_file, seed, figure, f"&as_of={day}")
            by_version = answered(clubs_in_a_file, seed, figure, f"&known_version={version}")
            both = answered(clubs_in_a_file, seed, figure, f"&as_of={day}&known_version={version}")

            assert (by_day["as_of"], by_day["version"]) == (str(day), len(entries))
            assert by_version["version"] == both["version"] == version
            assert both["as_of"] == str(day)
            assert both == answered(clubs_in_a_file, seed, figure, f"&as_of={day}&known_at={instant(entries, version)}")


def test_a_rate_of_all_clubs_on_any_day_is_the_sum_of_theirs(clubs: House) -> None:
    days = [random_fund(seed).entries[50].on for seed in CLUBS] + [clubs.state.today()]
    for day in days:
        everywhere = clubs.get(f"/borrowing?as_of={day}&purpose=any&min_position={clubs.entries()}").json()
        each = [answered(clubs, seed, "/borrowing", f"&as_of={day}&purpose=any") for seed in CLUBS]
        since = date.fromisoformat(everywhere["in_period"]["from"])

        for reading in ("current", "in_period", "ever"):
            for count in ("borrowers", "loans", "members"):
                assert everywhere[reading][count] == sum(one[reading][count] for one in each)
        by_hand = [moments.borrowers(seed, Moment(day, random_fund(seed).version), since) for seed in CLUBS]
        for reading in ("current", "in_period", "ever"):
            people, lent = (sum(one[reading][place] for one in by_hand) for place in (0, 1))
            assert (everywhere[reading]["borrowers"], everywhere[reading]["loans"]) == (people, lent)


def test_a_difference_asked_for_sums_to_what_the_legs_make_it(clubs: House) -> None:
    for seed in CLUBS:
        start, end = moments.moments(seed, 2)
        before, after = moments.counted(seed, start), moments.counted(seed, end)
        found = clubs.get(
            f"/funds/{random_fund(seed).id}/diff?from={start.as_of}@{start.version}&to={end.as_of}"
        ).json()

        assert found["position"] >= found["version"] == end.version
        assert {
            tuple(each["figure"].values()): (each["from"], each["to"], sum(one["amount"] for one in each["entries"]))
            for each in found["figures"]
        } == {
            key: (before[key], after[key], after[key] - before[key])
            for key in before.keys() | after.keys()
            if before[key] != after[key]
        }


def test_of_a_parked_fund_nothing_from_there_on_is_in_any_moment(clubs_in_a_file: House) -> None:
    seed = CLUBS[0]
    fund = random_fund(seed)
    before = {figure: answered(clubs_in_a_file, seed, figure, "") for figure in FIGURES}
    store_line(clubs_in_a_file.state.ledger, fund.id, fund.version + 1, b"nothing that anybody wrote")
    parked = {"version": fund.version + 1, "why": "DecodeError"}
    for figure in FIGURES:
        for version in (fund.version + 1, fund.version + 7):
            moment = answered(clubs_in_a_file, seed, figure, f"&known_version={version}")
            assert moment | {"position": 0} == before[figure] | {"position": 0, "parked": parked}


def test_a_moment_of_a_history_that_was_changed_is_refused(clubs_in_a_file: House) -> None:
    seed = CLUBS[0]
    fund = random_fund(seed)
    assert answered(clubs_in_a_file, seed, "/balances", "")["version"] == fund.version
    clubs_in_a_file.state.ledger.database.execute(
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 9",
        line=fund.pending[8].line.replace(b'"recorded_by":"', b'"recorded_by":"x'),
        fund=fund.id,
    )
    refused = clubs_in_a_file.get(f"/funds/{fund.id}/balances?known_version=20")
    assert (refused.status_code, refused.json()["code"], refused.json()["version"]) == (500, "history-broken", 10)

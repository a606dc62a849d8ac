"""Claims about what was known: a moment is read off the tables, and is what the first entries alone come to."""

from __future__ import annotations

import hmac
import json
import threading
from datetime import date, datetime, timedelta

import pytest

from ledger.events import head_of
from ledger.projections import balances, journal, loans, members
from ledger.projections import funds as funds_
from ledger.projections.batch import PARKED, TABLES
from ledger.projections.days import ACCOUNT_DAYS, ENTRY_DAYS
from ledger.projections.knowledge import Known, Then, version_at
from service.writes.calls import digest_of
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import following, store

DAY = date(2024, 12, 31)
SEEDS = (3, 5, 7)
LOOKED_BACK_AT_OTHERWISE = (ACCOUNT_DAYS, ENTRY_DAYS, PARKED)
"""Sums by day are asked of many clubs at once, and by who takes out of them what was told later."""


def test_a_moment_read_off_the_tables_is_what_the_first_entries_alone_come_to(database_url: str) -> None:
    rows = "SELECT {columns} FROM {table} WHERE fund = :fund"
    with opened(database_url) as ledger:
        model, funds = following(ledger), [random_fund(seed) for seed in SEEDS]
        for fund in funds:
            store(ledger, fund.pending)
        model.catch_up()
        for fund in funds:
            for version in (1, 7, 60, len(fund.pending) - 1, len(fund.pending)):
                entries = fund.pending[:version]
                with ledger.database.transaction(commit=False) as tables:
                    then, known = Then(tables, fund.id, version, head_of(entries[-1].line)), Known(entries)
                    for table in TABLES:
                        if table not in LOOKED_BACK_AT_OTHERWISE:
                            sql = rows.format(columns=", ".join(table.names), table=table.name)
                            found, expected = (
                                sorted(map(repr, each.query(sql, fund=fund.id))) for each in (then, known)
                            )
                            assert found == expected, (fund.id, version, table.name)
                    for on in {fund.pending[0].event.on, entries[version // 2].event.on, entries[-1].event.on, DAY}:
                        for question in (balances.balances, balances.trial_balance, balances.savings, funds_.fund):
                            assert question(then, fund.id, on) == question(known, fund.id, on)


def test_what_had_been_recorded_by_an_instant_is_found_to_the_microsecond(database_url: str) -> None:
    fund = random_fund(7)
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        model.catch_up()
        with ledger.database.transaction(commit=False) as tables:
            for entry in fund.pending[::13]:
                at = entry.event.recorded_at
                for instant in (at, at - timedelta(microseconds=1), at + timedelta(seconds=1)):
                    told = [each.event.version for each in fund.pending if each.event.recorded_at <= instant]
                    assert version_at(tables, fund.id, instant) == (told[-1] if told else 0)
            for text in ("0001-01-01T00:00:00+14:00", "0003-01-01T00:00:00Z", "0999-12-31T00:00:00Z"):
                assert version_at(tables, fund.id, datetime.fromisoformat(text)) == 0
            assert version_at(tables, fund.id, datetime.fromisoformat("9999-12-31T23:59:59-12:00")) == fund.version


@pytest.mark.parametrize("first", ["balances", "loans", "journal", "members"])
def test_whichever_question_comes_first_the_answers_are_the_same(first: str) -> None:
    questions = {
        "balances": lambda reader, fund: balances.trial_balance(reader, fund, DAY),
        "loans": lambda reader, fund: loans.loan_book(reader, fund, DAY),
        "journal": lambda reader, fund: journal.entries(reader, fund),
        "members": lambda reader, fund: members.roll(reader, fund, DAY),
    }
    fund = random_fund(3)
    moment = Known(fund.pending)
    answers = {first: questions[first](moment, fund.id)}
    answers |= {name: ask(moment, fund.id) for name, ask in questions.items() if name != first}
    assert answers == {name: ask(Known(fund.pending), fund.id) for name, ask in questions.items()}


def test_threads_that_ask_of_one_moment_take_turns() -> None:
    fund = random_fund(5)
    moment, expected = Known(fund.pending), balances.balances(Known(fund.pending), fund.id, DAY)
    answers = []

    def ask() -> None:
        for _ in range(20):
            loans.loan_book(moment, fund.id, DAY)
            answers.append(balances.balances(moment, fund.id, DAY) == expected)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 120


def test_a_requests_digest_is_of_its_json_with_the_keys_in_order() -> None:
    """Digests lie in the log for ever: written otherwise, a request sent again after an update would be refused."""
    body = {
        "amount": 50_000,
        "on": "2024-03-05",
        "items": [{"what": 'loa "kéo"', "đơn": None}],
        "foreign": True,
        "a\\b": [],
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    written = hmac.new(b"secret", f"POST /v1/funds/F/donations\n{text}".encode(), "sha256").hexdigest()
    assert digest_of("POST /v1/funds/F/donations", body, b"secret") == written

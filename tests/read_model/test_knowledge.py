"""Claims about what was known: a moment is made once for all its questions, and forgotten when others crowd it out."""

from __future__ import annotations

import hmac
import json
import threading
from datetime import date

import pytest

from ledger.projections import balances, journal, loans, members
from ledger.projections.knowledge import Known, Moments
from service.writes.calls import digest_of
from tests.support.histories import random_fund

DAY = date(2024, 12, 31)


def test_a_moment_asked_about_again_is_not_made_again() -> None:
    entries = random_fund(7).pending
    moments = Moments(most_entries=1_000)
    assert moments.get("LS-0007", 40) is None
    made = moments.make("LS-0007", entries[:40])
    assert moments.make("LS-0007", entries[:40]) is made
    assert moments.get("LS-0007", 40) is made
    assert moments.make("LS-0007", entries[:41]) is not made


def test_moments_are_bounded_by_the_entries_behind_them_and_the_last_one_stays() -> None:
    entries = random_fund(7).pending
    moments = Moments(most_entries=90)
    for version in (40, 50, 30):
        moments.make("LS-0007", entries[:version])
        moments.get("LS-0007", 40)
    assert [moments.get("LS-0007", version) is None for version in (40, 50, 30)] == [False, True, False]
    late = len(entries)
    assert late > 90
    moments.make("LS-0007", entries)
    assert [moments.get("LS-0007", version) is None for version in (40, 30, late)] == [True, True, False]


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

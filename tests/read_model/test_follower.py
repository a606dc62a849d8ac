"""Claims about the follower: it keeps up with this process and with others, and says so when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eventsourcing.persistence import OperationalError

from ledger.database import Database, Transaction
from ledger.projections.follower import Follower
from ledger.projections.proof import divergences
from ledger.projections.read_model import ReadModel
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import delete_tail, following, store

PATIENCE = 30.0
"""Seconds; only a failing test waits so long."""


def test_the_follower_catches_up_when_woken_and_tells_who_waits(database_url: str) -> None:
    fund = random_fund(1)
    with opened(database_url) as ledger, Follower(following(ledger)) as follower:
        store(ledger, fund.pending[:30])
        follower.wake()
        assert follower.wait_for(30, PATIENCE)
        store(ledger, fund.pending[30:])

        assert asyncio.run(follower.reached(fund.version, PATIENCE)), "a waiter wakes it"
        assert follower.wait_for(fund.version, 0)
        assert not follower.wait_for(fund.version + 1, 0)
        assert not asyncio.run(follower.reached(fund.version + 1, 0.01))
        assert follower.trouble is None
        assert list(divergences(ledger)) == []


class Unwoken(Follower):
    """A follower nobody wakes: other processes commit without telling."""

    def wake(self) -> None:
        pass


def test_the_follower_notices_what_other_processes_commit(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, opened(sqlite_url) as other, Unwoken(following(ledger)) as follower:
        store(other, random_fund(1).pending)

        assert follower.wait_for(random_fund(1).version, PATIENCE)


class Away(Database):
    """A database that is away at first."""

    def __init__(self, database: Database, times: int) -> None:
        super().__init__(database._datastore)
        self._times = times

    @contextmanager
    def transaction(self, *, commit: bool = True) -> Iterator[Transaction]:
        if self._times:
            self._times -= 1
            raise OperationalError("the name of nobody")
        with super().transaction(commit=commit) as transaction:
            yield transaction


def test_the_follower_tries_again_when_the_storage_was_away(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, random_fund(1).pending)
        following(ledger)
        away = ReadModel(Away(ledger.database, 2))
        with Follower(away) as follower:
            assert follower.wait_for(random_fund(1).version, PATIENCE)

        assert follower.trouble is None
        assert [record.getMessage() for record in caplog.records] == [
            "the read model does not follow: OperationalError"
        ]


def test_the_follower_says_that_the_log_has_lost_its_tail_and_goes_on_once_it_is_mended(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, random_fund(1).pending)
        model.catch_up()
        delete_tail(ledger, "LS-0001", 10)
        with Follower(model) as follower:
            assert not follower.wait_for(random_fund(1).version, 0.1)
            assert follower.trouble == "ReadModelBroken"

            model.rebuild()

            assert follower.wait_for(10, PATIENCE)
            assert follower.trouble is None


class Buggy(ReadModel):
    """A read model with a bug of ours."""

    def advance(self, limit: int = 1) -> int:
        """Raises."""
        raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_follower_that_died_of_a_bug_says_so(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, Follower(Buggy(ledger.database)) as follower:
        follower._thread.join(PATIENCE)

        assert follower.trouble == "ZeroDivisionError"

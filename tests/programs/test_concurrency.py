"""Several processes on one database: nothing is lost, nothing is doubled, nothing is overdrawn, nothing is overlooked.

Each claim comes with its control: the same run with the guard taken away must break it, or the run proves nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.history import verify
from ledger.writer import Writer
from scripts.fault_trials.cut_line import CutLine
from tests.support.jobs import (
    DAY,
    FUND,
    IS_LONG,
    capital,
    cash,
    expense,
    gift,
    joining,
    lending,
    opened,
    opening,
    recorded,
    stored,
)
from tests.support.processes import Forgetful, Unguarded, follow, found, record_at_random, record_each, start, together

pytestmark = pytest.mark.usefixtures("usual_sessions")

WRITERS = 6
LOANS = 60
MILLION = 1_000_000


def test_six_processes_lend_sixty_loans_each_and_never_more_than_is_there(database_url: str) -> None:
    with opened(database_url) as ledger:
        for each in ledger.record([opening(), joining("joining-0001"), capital("capital-0001", 100 * MILLION)]):
            recorded(each)
        reports = together(
            [start(record_each, database_url, lending, f"writer-{n}", LOANS, MILLION) for n in range(WRITERS)]
        )
        outcomes = Counter(report[0] for reported in reports for report in reported)
        fund = ledger.replayed(FUND)
        assert outcomes == {"recorded": 100, "InsufficientFunds": WRITERS * LOANS - 100}
        assert sum(1 for loan in fund.loans.values() if loan.status == "running") == len(fund.loans) == 100
        assert cash(fund, "revolving") == 0
        assert verify(stored(ledger)).valid


@pytest.mark.parametrize(("kind", "left"), [(Ledger, 0), (Unguarded, 10 - 16)])
def test_a_box_is_overdrawn_only_by_those_who_judge_from_their_own_memory(
    sqlite_url: str, kind: type[Ledger], left: int
) -> None:
    with opened(sqlite_url) as ledger:
        for each in ledger.record([opening(), gift("gift-0001", 10)]):
            recorded(each)
        together([start(record_each, sqlite_url, expense, f"writer-{n}", 8, 1, kind=kind) for n in range(2)])
        assert cash(ledger.replayed(FUND)) == left


@pytest.mark.parametrize("times", [(4, 8)])
def test_the_same_request_from_many_processes_is_recorded_once(database_url: str, times: tuple[int, int]) -> None:
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        processes, each = times
        reports = together([start(record_each, database_url, gift, "same", each, 7) for _ in range(processes)])
        assert Counter(report[0] for reported in reports for report in reported) == {"recorded": 1, "replayed": 31}
        assert len({(version, at) for reported in reports for _, version, at in reported}) == 1
        assert cash(ledger.replayed(FUND)) == 7


def test_three_who_record_on_the_same_funds_at_random_double_nothing_and_overdraw_nothing(database_url: str) -> None:
    funds = [f"LS-{number:02d}" for number in range(3)]
    with opened(database_url) as ledger:
        for each in ledger.record([opening(fund) for fund in funds]):
            recorded(each)
        batches = 200 if IS_LONG else 40
        reports = together([start(record_at_random, database_url, seed, funds, batches) for seed in range(3)])
        answers = [report for reported in reports for report in reported]
        assert {what for _, _, what, _ in answers} == {"recorded", "replayed", "InsufficientFunds"}
        for code in funds:
            fund = ledger.replayed(code)
            keys = {event.version: event.request.key for event in fund.entries[2:] if event.request}
            told = {(version, key) for of, key, what, version in answers if of == code and version}
            assert len(set(keys.values())) == len(keys)
            assert told == set(keys.items())
            assert sum(1 for of, _, what, _ in answers if of == code and what == "recorded") == len(keys)
            assert verify(stored(ledger, code)).valid
            assert fund.daily["activity", "cash", None].worst_from(DAY, 1)[0] >= 0


def test_thirty_two_at_once_in_one_process_are_recorded_once(database_url: str) -> None:
    async def post(writer: Writer) -> list[bool]:
        answers = await asyncio.gather(*(writer.record(gift("same-key-0001", 7)) for _ in range(32)))
        return [answer.replayed for answer in answers]

    with opened(database_url) as ledger, Writer(ledger) as writer:
        recorded(ledger.record([opening()])[0])
        assert Counter(asyncio.run(post(writer))) == {False: 1, True: 31}
        assert cash(ledger.replayed(FUND)) == 7


def test_control_without_looking_the_key_up_every_duplicate_counts(database_url: str) -> None:
    ledger = Forgetful(database_url)
    recorded(ledger.record([opening()])[0])
    for each in ledger.record([gift("same-key-0001", 7)] * 32):
        recorded(each)
    assert cash(ledger.replayed(FUND)) == 32 * 7
    ledger.close()


@pytest.mark.long
def test_a_follower_misses_nothing_while_four_processes_write(database_url: str) -> None:
    each = 250 if IS_LONG else 60
    codes = [f"LS-{number:02d}" for number in range(4)]
    with opened(database_url) as ledger:
        for each_opened in ledger.record([opening(code) for code in codes]):
            recorded(each_opened)
        writers = [start(record_each, database_url, gift, f"to-{code}", each, 1, fund=code) for code in codes]
        *_, pulled = together([*writers, start(follow, database_url, 4 * (2 + each))])
        positions = [position for position, _, _ in pulled]
        assert positions == sorted(set(positions))
        for code in codes:
            assert [version for _, fund, version in pulled if fund == code] == list(range(1, each + 3))
        assert all(ledger.recorder.position_of(fund, version) == at for at, fund, version in pulled)


@pytest.mark.bare
def test_processes_that_start_at_the_same_moment_agree_on_the_tables(database_url: str) -> None:
    programs = [start(found, database_url) for _ in range(4)]
    secrets = {secret for (secret,) in together(programs)}
    assert len(secrets) == 1


# --- a cut line -------------------------------------------------------------------------------------------------------


@pytest.fixture
def line(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CutLine]:
    """A line to an empty PostgreSQL database, in a directory whose name is short enough for a socket."""
    line = CutLine(postgres_url, tmp_path_factory.mktemp("line"))
    yield line
    line.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_cut_at_commit_still_ends_in_one_entry_and_an_answer(line: CutLine, when: str) -> None:
    with opened(line.url) as ledger:
        recorded(ledger.record([opening()])[0])
        for number in range(5):
            line.cut_at_commit(when)
            jobs = [gift(f"gift-{number}-{place}") for place in range(3)]
            answers = [recorded(each) for each in ledger.record(jobs)]
            assert [answer.version for answer in answers] == [3 + number * 3 + place for place in range(3)]
            assert {answer.replayed for answer in answers} == {when == "after"}
        assert line.cuts == 5
        assert cash(ledger.replayed(FUND)) == ledger.replayed(FUND).version - 2 == 15


def test_control_without_looking_the_key_up_a_cut_answer_doubles_the_entry(line: CutLine) -> None:
    ledger = Forgetful(line.url)
    recorded(ledger.record([opening()])[0])
    line.cut_at_commit("after")
    recorded(ledger.record([gift("gift-0001", 7)])[0])
    assert cash(ledger.replayed(FUND)) == 14
    ledger.close()


def test_a_refusal_after_a_cut_answer_is_judged_anew(line: CutLine) -> None:
    with opened(line.url) as ledger:
        recorded(ledger.record([opening()])[0])
        line.cut_at_commit("after")
        first, refused = ledger.record([gift("gift-0001", 7), expense("expense-0001", 8)])
        assert recorded(first).version == 3
        assert type(refused).__name__ == "InsufficientFunds"
        assert ledger.replayed(FUND).version == 3


def test_a_server_that_is_away_is_said_to_be_away_and_serves_when_it_is_back(
    line: CutLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.2)
    with opened(line.url) as ledger:
        recorded(ledger.record([opening()])[0])
        pool: Any = ledger.recorder.datastore.pool
        pool.timeout = 0.2
        line.go_down()
        outcomes = ledger.record([gift("gift-0001"), gift("gift-0002")])
        assert [type(each).__name__ for each in outcomes] == ["StorageUnavailable"] * 2
        line.come_back()
        give_up_at = time.monotonic() + 30
        while ledger.health.trouble and time.monotonic() < give_up_at:
            ledger.health.examine()  # As the writer does each second.
        again = [recorded(each) for each in ledger.record([gift("gift-0001"), gift("gift-0002")])]
        assert [(each.version, each.replayed) for each in again] == [(3, False), (4, False)]

"""Another process has recorded on the same fund since this one last looked: what is remembered goes back to what is
stored, the lines since are read and no more, and all is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from ledger.aggregates.kept import differences
from ledger.application import CONTENDED_BATCHES, Ledger
from ledger.history import verify
from ledger.jobs import Job, Recorded, StorageUnavailable
from ledger.losses import Loss
from ledger.refusals import FundNotFound, InsufficientFunds
from tests.support.jobs import (
    FUND,
    capital,
    cash,
    expense,
    gift,
    joining,
    lending,
    one_fund,
    opened,
    opening,
    recorded,
    stored,
)
from tests.support.tables import delete_tail

OTHER = "LS-BACSON-02"


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger that holds a fund in memory."""
    with one_fund(database_url) as ledger:
        recorded(ledger.record([gift("gift-0001", 10)])[0])
        yield ledger


@pytest.fixture
def other(ledger: Ledger, database_url: str) -> Iterator[Ledger]:
    """Another one on the same database."""
    with opened(database_url) as other:
        yield other


def overtake(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, rows_from: int = 1, times: int = 1
) -> None:
    """Have another act right before the ledger stores so many rows or more, and that so many times."""
    store, left = ledger.recorder.insert_events, iter(range(times))

    def overtaken(rows: Sequence[Any], **how: Any) -> Any:
        if len(rows) >= rows_from and next(left, None) is not None:
            act()
        return store(rows, **how)

    monkeypatch.setattr(ledger.recorder, "insert_events", overtaken)


def lines_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """How many lines each later question to the log brings, by what is asked."""
    answers: dict[str, list[int]] = {"lines": [], "lines_since": []}

    def count_those_of(question: str) -> None:
        read = getattr(ledger.recorder, question)

        def counted(*asked: Any) -> Any:
            lines = read(*asked)
            answers[question].append(len(lines))
            return lines

        monkeypatch.setattr(ledger.recorder, question, counted)

    for question in answers:
        count_those_of(question)
    return answers


def in_memory_is_what_is_stored(ledger: Ledger) -> bool:
    """Whether a fund in memory is what a replay of its log makes it."""
    fund: Any = ledger._logs.cache[FUND]
    replayed = ledger.replayed(FUND)
    return (fund.version, fund.head, fund.pending) == (replayed.version, replayed.head, []) and not differences(
        fund, replayed
    )


def test_after_the_first_time_only_the_lines_since_are_read(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(other.record([gift("other-0001")])[0])
    recorded(ledger.record([gift("mine-0001")])[0])
    read = lines_read(ledger, monkeypatch)
    for number in range(2, 6):
        for place in range(3):
            recorded(other.record([gift(f"other-{number}-{place}")])[0])
        recorded(ledger.record([gift(f"mine-{number:04}"), gift(f"mine-{number:04}-b")])[0])

    assert read == {"lines": [], "lines_since": [1 + 3] * 4}, "the line that memory ends with is looked at, too"
    assert in_memory_is_what_is_stored(ledger)
    assert verify(stored(ledger)).valid


@pytest.mark.parametrize("act", [gift, lending])
def test_who_is_overtaken_at_the_commit_itself_reads_no_more_either(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch, act: Callable[..., Job]
) -> None:
    for job in (capital("capital-0001", 1_000), joining("joining-0001"), gift("other-0001")):
        recorded(other.record([job])[0])
    recorded(ledger.record([gift("mine-0001")])[0])
    recorded(other.record([gift("other-0002", 20)])[0])
    read = lines_read(ledger, monkeypatch)
    overtake(ledger, monkeypatch, lambda: recorded(other.record([gift("other-0003", 30)])[0]))
    recorded(ledger.record([act("mine-0002", 40), gift("mine-0003", 50)])[0])

    assert read == {"lines": [], "lines_since": [1 + 1, 1 + 1]}
    assert in_memory_is_what_is_stored(ledger)


def test_who_is_alone_again_asks_no_more(ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(other.record([gift("other-0001")])[0])
    for number in range(CONTENDED_BATCHES + 1):
        recorded(ledger.record([gift(f"mine-{number:04}", 100 + number)])[0])
    read = lines_read(ledger, monkeypatch)
    recorded(ledger.record([gift("mine-9999", 9_999)])[0])
    assert read == {"lines": [], "lines_since": []}


@pytest.mark.parametrize("contended", [False, True])
def test_nothing_of_a_batch_that_was_overtaken_stays_in_memory(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch, *, contended: bool
) -> None:
    if contended:
        recorded(other.record([gift("other-0000")])[0])
        recorded(ledger.record([gift("mine-0000")])[0])
        recorded(other.record([gift("other-0001")])[0])
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0)
    numbers = count(2)
    overtake(
        ledger, monkeypatch, lambda: recorded(other.record([gift(f"other-{next(numbers):04}", 1_000)])[0]), times=1_000
    )  # It always comes first.
    before = cash(ledger.replayed(FUND))
    jobs = [gift("mine-0001", 7), capital("capital-0001", 100), joining("joining-0001"), lending("lending-0001", 100)]
    assert {type(outcome) for outcome in ledger.record(jobs)} == {StorageUnavailable}
    assert ledger.replayed(FUND).loans == {}
    monkeypatch.undo()

    assert isinstance(ledger.record([expense("expense-0001", before + 1_000 * next(numbers))])[0], InsufficientFunds)
    assert in_memory_is_what_is_stored(ledger)
    assert [recorded(outcome).replayed for outcome in ledger.record(jobs[:3])] == [False] * 3
    assert in_memory_is_what_is_stored(ledger)


def test_what_the_other_has_spent_is_not_spent_again(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(other.record([gift("other-0001")])[0])
    recorded(ledger.record([gift("mine-0001")])[0])
    box = cash(ledger.replayed(FUND))
    overtake(ledger, monkeypatch, lambda: recorded(other.record([expense("other-0002", box)])[0]))
    spent, given = ledger.record([expense("mine-0002", box), gift("mine-0003", 5)])
    assert isinstance(spent, InsufficientFunds)
    assert cash(ledger.replayed(FUND)) == 5
    assert recorded(given).version == ledger.replayed(FUND).version


def test_a_request_that_the_other_has_recorded_meanwhile_is_answered_with_its_entry(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: list[Recorded] = []
    overtake(ledger, monkeypatch, lambda: theirs.append(recorded(other.record([gift("same-0001", 7)])[0])))
    answer = recorded(ledger.record([gift("same-0001", 7)])[0])
    assert (answer.replayed, answer.version, answer.position) == (True, theirs[0].version, theirs[0].position)


def test_two_who_open_a_fund_at_once_end_with_one_fund(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(other.record([gift("other-0001")])[0])
    recorded(ledger.record([gift("mine-0001")])[0])
    overtake(ledger, monkeypatch, lambda: recorded(other.record([opening(OTHER, key="theirs-0001")])[0]))
    (mine,) = ledger.record([opening(OTHER, key="mine-0002")])
    assert not isinstance(mine, Recorded)
    assert recorded(ledger.record([gift("gift-0002", fund=OTHER)])[0]).version == 3


def test_a_fund_whose_opening_was_not_stored_is_not_found(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0)
    numbers = count()
    overtake(ledger, monkeypatch, lambda: recorded(other.record([gift(f"other-{next(numbers):04}")])[0]), times=1_000)
    for outcome in ledger.record([opening(OTHER), gift("mine-0001")]):
        assert isinstance(outcome, StorageUnavailable)
    assert isinstance(ledger.record([gift("mine-0002", fund=OTHER)])[0], FundNotFound)


def test_a_large_batch_is_recorded_however_often_another_is_faster(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = count()
    overtake(
        ledger,
        monkeypatch,
        lambda: recorded(other.record([gift(f"other-{next(numbers):04}")])[0]),
        rows_from=4,
        times=1_000_000,
    )
    answers = ledger.record([gift(f"mine-{number:04}") for number in range(16)])
    versions = [recorded(answer).version for answer in answers]
    assert versions == sorted(set(versions))
    assert verify(stored(ledger)).valid


def test_a_loss_is_found_by_who_looks_what_others_have_recorded(ledger: Ledger, other: Ledger) -> None:
    recorded(other.record([gift("other-0001")])[0])
    version = recorded(ledger.record([gift("mine-0001")])[0]).version
    assert ledger._contended
    delete_tail(ledger, FUND, version - 2)
    assert recorded(ledger.record([gift("mine-0002")])[0]).version == version - 1
    assert ledger.losses.found() == [Loss(FUND, version - 1, version)]
    assert verify(stored(ledger)).valid

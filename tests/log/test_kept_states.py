"""Claims about states kept beside the log: a fund goes on from one as from its whole history, nothing that is wrong
with one does harm, and what differs from a replay is found.
"""

from __future__ import annotations

import logging
import signal
from datetime import date
from typing import Any

import msgspec
import pytest

from ledger import kept_states
from ledger.aggregates import kept
from ledger.aggregates.entries import HELD
from ledger.application import Ledger
from ledger.events import encode
from ledger.history import verify
from ledger.kept_states import KEEP, Difference
from ledger.refusals import IdempotencyKeyReused, InsufficientFunds
from ledger.register import written
from service.checkpoints.anchoring import Anchoring
from tests.support.commands import command
from tests.support.jobs import FUND, NOW, cash, expense, gift, job, opened, opening, recorded, stored
from tests.support.processes import die_while_keeping, start
from tests.support.tables import delete_tail

EVERY = 10
GIFTS = 40


@pytest.fixture(autouse=True)
def kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_states, "EVERY", EVERY)


def grow(ledger: Ledger, *, since: int = 1, upto: int = GIFTS) -> None:
    """Gifts of 1, 2, 3 … đồng, one batch each, as the writer records them."""
    for number in range(since, upto + 1):
        recorded(ledger.record([gift(f"gift-{number:04}", number)])[0])
        ledger.keep_state()


@pytest.fixture
def url(database_url: str) -> str:
    """A database with a fund of 42 entries, whose state was kept at the latest ten entries ago."""
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        grow(ledger)
    return database_url


def row(ledger: Ledger) -> dict[str, Any]:
    (found,) = ledger.database.query("SELECT * FROM kept_states")
    return found


def write(ledger: Ledger, **changes: Any) -> None:
    """Put something else in the place of the state that is kept."""
    changed = row(ledger) | changes
    del changed["is_proved"]
    ledger.database.execute(KEEP, **changed)


def wrong_state(ledger: Ledger, amount: int = 1_000_000) -> bytes:
    """A whole state of the right form, by which the box holds more than it does."""
    fund = kept.unpack(FUND, row(ledger)["state"])
    fund.balances["activity", "cash", None] += amount
    fund.daily["activity", "cash", None].add(fund.opened.on, amount)
    return kept.pack(fund)


def lines_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each later question to the log brings."""
    read, answers = ledger.recorder.lines, list[int]()

    def counted(*asked: Any) -> list[bytes]:
        lines = read(*asked)
        answers.append(len(lines))
        return lines

    monkeypatch.setattr(ledger.recorder, "lines", counted)
    return answers


def test_a_fund_is_loaded_by_its_state_and_the_lines_since(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(url) as ledger:
        since = GIFTS + 2 - row(ledger)["version"]
        assert 0 <= since < EVERY
        answers = lines_read(ledger, monkeypatch)
        assert recorded(ledger.record([gift("gift-0041", 41, on=date(2024, 1, 8))])[0]).version == GIFTS + 3
        assert answers == [since + 1], "the line that the state stands on is looked at, too"
        assert verify(stored(ledger)).valid
        assert cash(ledger.replayed(FUND)) == sum(range(1, 42))


def test_every_key_counts_for_ever_and_is_answered_from_the_line(url: str) -> None:
    with opened(url) as ledger:
        for number in (1, 2, 20, 30, 40):
            answer = recorded(ledger.record([gift(f"gift-{number:04}", number)])[0])
            assert (answer.replayed, answer.version) == (True, number + 2)
            assert stored(ledger)[number + 1] == encode(answer.events[0])
        (reused,) = ledger.record([gift("gift-0003", 4)])
        assert isinstance(reused, IdempotencyKeyReused)
        assert len(stored(ledger)) == GIFTS + 2


def test_an_old_entry_is_reversed_once_and_its_day_is_still_known(url: str) -> None:
    def undo(key: str) -> Any:
        return job(key, lambda fund, metadata: fund.reverse_entry(metadata, 5, reason="other"))

    with opened(url) as ledger:
        assert recorded(ledger.record([undo("undo-0001")])[0]).events[0].reverses == 5  # type: ignore[attr-defined]
        assert isinstance(ledger.record([undo("undo-0002")])[0], Exception)
        assert isinstance(ledger.record([expense("all-0001", sum(range(1, 41)))])[0], InsufficientFunds)
        told = recorded(ledger.record([gift("again-0001", 7)])[0])
        assert [found.code for found in told.warnings[told.version]] == ["possible-duplicate"]


@pytest.mark.parametrize("wrong", ["form", "bytes", "empty", "head", "version", "line"])
def test_a_state_that_is_foreign_or_damaged_or_stands_on_no_line_is_not_used_and_made_anew(
    url: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(url) as ledger:
        good = row(ledger)
        if wrong == "form":
            write(ledger, form="0" * 64, state=wrong_state(ledger))
        elif wrong == "bytes":
            write(ledger, state=good["state"][:-9] + b"\0" + good["state"][-8:])
        elif wrong == "empty":
            write(ledger, state=b"")
        elif wrong == "head":
            fund = kept.unpack(FUND, wrong_state(ledger))
            fund.head = "a" * 64
            write(ledger, state=kept.pack(fund), head="a" * 64)
        elif wrong == "version":
            write(ledger, version=good["version"] + 1)
        else:
            delete_tail(ledger, FUND, good["version"] - 1)
        left = len(stored(ledger))
        answers = lines_read(ledger, monkeypatch)
        assert isinstance(ledger.record([expense("all-0001", 100_000)])[0], InsufficientFunds)
        assert max(answers) == left, "all of it was read"
        recorded(ledger.record([gift("gift-0050", 50)])[0])
        ledger.keep_state()
        assert verify(stored(ledger)).valid
        assert (row(ledger)["version"], row(ledger)["form"]) == (left + 1, kept.form())
        assert list(ledger.prove_states()) == [None]


def test_a_state_that_says_something_else_than_a_replay_is_found_and_told(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(url) as ledger:
        version = row(ledger)["version"]
        assert list(ledger.prove_states()) == [None]
        assert list(ledger.prove_states()) == [], "each is compared once"
        write(ledger, state=wrong_state(ledger))
        recorded(ledger.record([expense("wrong-0001", 100_000)])[0])  # The harm that a wrong state does.

    assert command(url, "verify", FUND, "--lang", "en").returncode == 1
    told = command(url, "verify", "--all", "--lang", "en").stdout
    assert f"{FUND}: the state kept at version {version} is NOT what a replay of the log makes it (balances," in told
    with opened(url) as ledger:
        recorded(ledger.record([gift("gift-0060")])[0])
        found = list(ledger.prove_states())
        assert found == [Difference(FUND, version, ("balances", "daily"))]
        assert ledger.database.query("SELECT * FROM kept_states") == [], "nothing rests on it any more"
        assert isinstance(ledger.record([expense("wrong-0002", 1)])[0], InsufficientFunds)
        another = ledger.replayed(FUND)
        another.meetings_held += 1
        ledger.kept_states.keep(another)
        with caplog.at_level(logging.ERROR):
            looked(ledger)
        assert [record.getMessage() for record in caplog.records] == [
            f"a kept state was wrong: fund {FUND}, version {another.version}, in meetings_held"
        ]
    assert command(url, "verify", FUND).returncode == 0


class _Checkpoints:
    """Checkpoints of which nothing is asked here."""

    def latest(self) -> Any:
        return type("Made", (), {"checkpoint": type("Note", (), {"made_at": NOW})})


def looked(ledger: Ledger) -> None:
    """What the daily checkpoint's run does."""
    checkpoints: Any = _Checkpoints()
    signer: Any = None
    Anchoring(checkpoints, signer, lambda: NOW, 60.0, ledger.prove_states).look()


def test_what_memory_holds_is_the_state_and_few_entries(url: str) -> None:
    with opened(url) as ledger:
        grow(ledger, since=41, upto=140)
        fund = ledger._logs.cache[FUND]
        assert len(fund.entries) == 142
        assert len(fund.entries.held) <= 4 * HELD
        assert [event.version for event in fund.entries] == list(range(1, 143))


def test_names_are_in_no_state(database_url: str) -> None:
    name = written(FUND, "Nông Thị Bươm")
    join = job(
        "join-0001",
        lambda fund, metadata: fund.join(metadata, sex="female", birth_year=1952, poverty="none"),
        texts={"name": name},
    )
    with opened(database_url) as ledger:
        for each in (opening(), join):
            recorded(ledger.record([each])[0])
        grow(ledger, upto=9)
        state = row(ledger)["state"]
        fund = kept.unpack(FUND, state)
        told = msgspec.json.encode([fund.members[1], fund.opened])
        assert name.digest.encode() in told
        assert not any(word.encode() in state + told for word in ("Nông", "Thị", "Bươm"))


# A crash between line and state


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_crash_between_a_line_and_the_state_does_no_harm(url: str, when: str) -> None:
    with opened(url) as ledger:
        before = row(ledger)
    program = start(die_while_keeping, url, when, GIFTS + 1, GIFTS + 2 * EVERY)
    program.process.join()
    assert program.process.exitcode == -signal.SIGKILL
    acknowledged = []
    while program.line.poll():
        try:
            acknowledged.append(program.line.recv())
        except EOFError:
            break
    with opened(url) as ledger:
        lines = stored(ledger)
        assert verify(lines).valid
        assert acknowledged[-1] == len(lines), "the line was acknowledged, and is there"
        assert (row(ledger)["version"] > before["version"]) == (when == "after")
        answer = recorded(ledger.record([gift(f"gift-{GIFTS + 1:04}", GIFTS + 1)])[0])
        assert (answer.replayed, answer.version) == (True, GIFTS + 3)
        grow(ledger, since=GIFTS + 1, upto=GIFTS + 3 * EVERY)
        assert cash(ledger.replayed(FUND)) == sum(range(1, GIFTS + 3 * EVERY + 1))
        assert [found for found in ledger.prove_states() if found] == []


def test_a_state_that_cannot_be_stored_is_told_and_harms_nobody(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kept_states, "KEEP", "INSERT INTO no_such_table VALUES (:log)")
    with opened(url) as ledger, caplog.at_level(logging.WARNING):
        grow(ledger, since=41, upto=60)
        assert cash(ledger.replayed(FUND)) == sum(range(1, 61))
    assert {record.getMessage().partition(":")[0] for record in caplog.records} == {"the state of a fund was not kept"}

"""Claims about kept states: whatever a club tells, a fund that knows only its state decides as one that knows all its
history.
"""

from __future__ import annotations

import ast
import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger import days
from ledger.aggregates import kept
from ledger.aggregates.entries import HELD, Entries, Read, versions_in, with_next
from ledger.aggregates.fund import Fund
from ledger.aggregates.kept import differences, form, pack, unpack
from ledger.aggregates.requests import Requests
from ledger.aggregates.warnings import warnings
from ledger.events import Entry, Event, decode
from ledger.refusals import Refusal
from tests.support.histories import History, random_fund
from tests.support.village import lines, replayed, whole_life


@pytest.fixture(autouse=True)
def packed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the boxes of young funds, too, most days lie packed."""
    monkeypatch.setattr(days, "STRETCH", 3)


DECISIONS = frozenset(
    name
    for name, method in inspect.getmembers(Fund, inspect.isfunction)
    if not name.startswith("_") and "metadata" in inspect.signature(method).parameters
)


def reading(fund: Fund) -> Read:
    """Reads what a fund has in memory, as if it were the log."""
    return lambda first, last: fund.entries[first - 1 : last]


class Twins:
    """A fund that knows its whole history, and one beside it that forgets all but its state before every decision.
    Whatever is decided is decided by both."""

    def __init__(self, whole: Fund, by_state: Fund) -> None:
        self.whole = whole
        self.by_state = by_state

    def __getattr__(self, name: str) -> Any:
        if name not in DECISIONS:
            return getattr(self.whole, name)
        return lambda *about, **facts: self._decide(name, *about, **facts)

    def _decide(self, name: str, *about: Any, **facts: Any) -> Any:
        is_alone = self.whole.unjudged is None
        if is_alone and self.by_state.version:
            self.by_state = unpack(self.whole.id, pack(self.by_state), reading(self.whole))
        before = self.whole.version
        ours, theirs = (_outcome(fund, name, about, facts) for fund in (self.whole, self.by_state))
        assert _told(ours) == _told(theirs), name
        assert self.by_state.head == self.whole.head
        if isinstance(ours, Refusal):
            raise ours
        for event in self.whole.entries[before:] if is_alone else ():
            assert event.request
            assert warnings(self.by_state, event) == warnings(self.whole, event)
            assert self.by_state.recorded_request(event.request.key) == self.whole.recorded_request(event.request.key)
        return ours

    def fork(self) -> Twins:
        return Twins(self.whole.fork(), self.by_state.fork())

    @contextmanager
    def one_act(self) -> Iterator[None]:
        with self.whole.one_act(), self.by_state.one_act():
            yield


def _outcome(fund: Fund, name: str, about: tuple[Any, ...], facts: dict[str, Any]) -> Any:
    try:
        return getattr(fund, name)(*about, **facts)
    except Refusal as refusal:
        return refusal


def _told(outcome: Any) -> Any:
    return (type(outcome), outcome.facts) if isinstance(outcome, Refusal) else outcome


class TwiceTold(History):
    """A random history of both."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.fund: Any = Twins(self.fund, Fund(self.fund.id))


@pytest.mark.parametrize("seed", range(12))
def test_a_fund_that_knows_only_its_state_decides_as_one_that_knows_its_history(seed: int) -> None:
    told = TwiceTold(seed).told(150)
    twins: Any = told.fund
    assert lines(twins.whole) == lines(History(seed).told(150).fund), "the same history as ever"
    assert differences(twins.by_state, replayed(lines(twins.whole))) == []
    assert told.refused, "and some of it was refused"


def test_a_state_that_forgets_something_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the reversals a fund is not the one it was."""
    seed = 3
    monkeypatch.setitem(kept.PAGED, "reversed_by", kept.PAGED["reversed_by"]._replace(decode=lambda _: {}))
    with pytest.raises(AssertionError):
        TwiceTold(seed).told(150)


@pytest.mark.parametrize("version", range(2, len(lines(whole_life())) + 1))
def test_a_life_in_which_everything_happens_goes_on_from_every_version(version: int) -> None:
    stored = lines(whole_life())
    whole = replayed(stored)
    fund = unpack(whole.id, pack(replayed(stored[:version])), reading(whole))
    for line in stored[version:]:
        fund.apply(Entry(decode(line), line))
    assert fund.head == whole.head
    assert differences(fund, replayed(stored)) == []


def test_all_that_a_fund_knows_is_kept_or_is_passing() -> None:
    assert set(vars(whole_life())) == set(kept.Kept.__struct_fields__) | kept.PASSING


# Whole, and of this program


def test_a_state_with_any_byte_changed_is_none() -> None:
    state = pack(replayed(lines(whole_life())))
    for place in random.Random(1).sample(range(len(state)), 200):
        changed = bytearray(state)
        changed[place] ^= 1
        with pytest.raises(kept.Unreadable):
            unpack("LS-BACSON-01", bytes(changed))
    with pytest.raises(kept.Unreadable):
        unpack("LS-BACSON-01", b"")


def test_the_form_covers_all_source_that_a_state_is_made_by() -> None:
    """What the aggregates and the events import of ours, and what that imports."""
    files = {path for name in kept.MADE_BY for path in [kept.HOME / name, *(kept.HOME / name).rglob("*.py")]}
    reached = {edge for source, edge in imports() if source in files}
    assert reached - files == set()
    assert len(form()) == 64


def test_what_lies_in_pages_is_never_taken_out_by_a_del_that_does_not_see_what_is_packed() -> None:
    deleted = {
        target.value.attr
        for path in kept.HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Delete)
        for target in node.targets
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute)
    }
    assert deleted
    assert not deleted & set(kept.PAGED)


def imports() -> Iterator[tuple[Any, Any]]:
    """Which file of the ledger imports which."""
    for path in kept.HOME.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ledger"):
                yield path, file_of(str(node.module))


def file_of(module: str) -> Any:
    there = kept.HOME.parent / module.replace(".", "/")
    return there / "__init__.py" if there.is_dir() else there.with_suffix(".py")


# Entries and keys


def test_entries_that_memory_let_go_of_are_read_by_version_range_and_from_the_end() -> None:
    whole = replayed(lines(random_fund(3)))
    events = list(whole.entries)
    some = Entries(reading(whole))
    for event in events:
        some.held.append(event)
        some.let_go()
    assert HELD <= len(some.held) <= 4 * HELD < len(events) == len(some)
    assert list(some) == events
    assert list(reversed(some)) == events[::-1]
    assert [some[0], some[-1], some[40]] == [events[0], events[-1], events[40]]
    for start, end in ((0, 10), (len(events) - 40, len(events) - 5), (5, None), (-3, None), (9, 2)):
        assert some[start:end] == events[start:end]
    assert list(some.before(50)) == events[48::-1]
    assert list(some.of((3, 5, 60, 61))) == [*events[2:5], *events[59:61]]
    with pytest.raises(IndexError):
        some[len(events)]


def test_the_lines_of_a_sheet_that_is_sent_again_are_read_together() -> None:
    whole = replayed(lines(random_fund(3)))
    asked: list[tuple[int, int]] = []

    def read(first: int, last: int) -> list[Event]:
        asked.append((first, last))
        return whole.entries[first - 1 : last]

    fund = unpack(whole.id, pack(replayed(lines(random_fund(3)))), read)
    for event in whole.entries[:64]:
        if event.request and event.request.key:
            assert fund.recorded_request(event.request.key) == whole.recorded_request(event.request.key)
    assert sorted(set(asked)) == [(1, 32), (33, 64), (65, 96)]
    assert len(asked) <= 2 * len(set(asked)) + 2, "once, and once more where a request ends with its block"


def test_runs_hold_versions_however_they_come() -> None:
    versions = [1, 2, 3, 7, 8, 40]
    runs: tuple[int, ...] = ()
    for version in versions:
        runs = with_next(runs, version)
    assert runs == (1, 3, 7, 8, 40, 40)
    assert list(versions_in(runs)) == versions


def test_every_key_is_known_for_ever_and_a_new_one_is_hardly_ever_looked_for() -> None:
    keys = Requests()
    for version in range(1, 70_001):
        keys[f"key-{version}"] = version
        if version % 30_000 == 0:
            keys.packed()
    assert len(b"".join(keys.packed())) == 4 * 70_000
    again = Requests(keys.packed())
    for version in range(1, 70_001, 97):
        assert any(version in block for block in again.blocks(f"key-{version}"))
    in_vain = sum(any(True for _ in again.blocks(f"new-{number}")) for number in range(10_000))
    assert in_vain < 300, "one in some hundreds for each 32,768 keys"

"""History changed behind the log's back, in real database files: what loading alone finds, what needs an earlier
check code, and that nothing is found where nothing was changed.

Whoever changes a history and recomputes every later hash makes a chain that is sound in itself; only a check code
written down before, in the paper book, tells it from the true one. So does a history cut short at its end.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from ledger.aggregates.log import BrokenChain
from ledger.application import Ledger
from ledger.events import check_code, decode, encode, head_of
from ledger.history import verify
from scripts.fault_trials.tampering import WAYS, Lines, chained, renumbered, rewritten, swapped
from tests.support.jobs import FUND, IS_LONG, expense, gift, joining, opened, opening, recorded, stored

OTHER = "LS-BACSON-02"
LENGTH = 40


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with two funds of forty entries each."""
    draw = random.Random(47)
    with opened(database_url) as ledger:
        for fund in (FUND, OTHER):
            jobs = [opening(fund), joining("joining-0001", fund=fund)]
            for number in range(LENGTH - 3):
                act = expense if number and draw.random() < 0.3 else gift
                amount = draw.randrange(1, 1_000) if act is expense else draw.randrange(1_000, 100_000)
                jobs.append(act(f"act-{number:04d}", amount, fund=fund))
            for outcome in ledger.record(jobs):
                recorded(outcome)
        yield ledger


def found_by_loading(ledger: Ledger) -> int | None:
    """The version at which loading the fund stops, or None."""
    try:
        ledger.replayed(FUND)
    except BrokenChain as broken:
        return broken.version
    return None


def dearer(line: bytes) -> bytes:
    """The line with a zero behind its amount."""
    changed = re.sub(rb'("amount":\d+)', rb"\g<1>0", line)
    assert changed != line
    return changed


# --- one at a time ----------------------------------------------------------------------------------------------------

DRILLS: dict[str, tuple[Callable[[Lines], Lines], int | None]] = {
    "an amount is changed": (lambda h: [*h[:19], dearer(h[19]), *h[20:]], 21),
    "the last amount is changed": (lambda h: [*h[:39], dearer(h[39])], None),
    "a blank is added": (lambda h: [*h[:19], h[19] + b" ", *h[20:]], 20),
    "a line is spoilt": (lambda h: [*h[:19], h[19][:-1], *h[20:]], 20),
    "a line is emptied": (lambda h: [*h[:19], b"", *h[20:]], 20),
    "a line is taken out": (lambda h: h[:19] + h[20:], 20),
    "the first line is taken out": (lambda h: h[1:], 1),
    "the last ten are taken out": (lambda h: h[:30], None),
    "two lines change places": (lambda h: swapped(h, 19, 20), 20),
    "two distant lines change places": (lambda h: swapped(h, 9, 29), 10),
    "a line is put in twice": (lambda h: [*h[:20], h[19], *h[20:]], 21),
    "a line is put in, versions counted anew": (lambda h: renumbered([*h[:20], h[19], *h[20:]], 20), None),
    "an amount is changed, hashes recomputed": (lambda h: chained([*h[:19], dearer(h[19]), *h[20:]], 19), None),
    "a line is taken out, all recomputed": (lambda h: renumbered(h[:38] + h[39:], 38), None),
}
"""What is done to a history of forty lines, and where the chain alone shows it: None where only a check code does."""


@pytest.mark.parametrize("drill", DRILLS)
def test_a_changed_history_is_found_by_the_chain_or_by_an_earlier_check_code(ledger: Ledger, drill: str) -> None:
    tamper, broken_at = DRILLS[drill]
    lines = stored(ledger)
    before = verify(lines)
    assert (before.valid, before.entries, found_by_loading(ledger)) == (True, LENGTH, None)
    rewritten(ledger, FUND, tamper(lines))
    after = verify(ledger.recorder.lines(FUND, 0, None), code=before.check_code)
    assert after.first_broken == broken_at
    # Loading reads what a line says, and knows by the line after it that its bytes are others.
    assert found_by_loading(ledger) == (21 if drill == "a blank is added" else broken_at)
    assert after.valid is (broken_at is None)
    assert after.matches_version is None


def test_rows_that_change_versions_are_found(ledger: Ledger) -> None:
    with ledger.database.transaction() as transaction:
        for old, new in ((20, 99), (21, 20), (99, 21)):
            transaction.execute(
                "UPDATE stored_events SET originator_version = :new WHERE originator_id = :fund "
                "AND originator_version = :old",
                new=new,
                old=old,
                fund=FUND,
            )
    assert found_by_loading(ledger) == verify(ledger.recorder.lines(FUND, 0, None)).first_broken == 20


def test_a_line_or_a_whole_history_of_another_fund_is_found(ledger: Ledger) -> None:
    lines, others = stored(ledger), stored(ledger, OTHER)
    rewritten(ledger, FUND, [*lines[:19], others[19], *lines[20:]])
    assert found_by_loading(ledger) == verify(ledger.recorder.lines(FUND, 0, None)).first_broken == 20
    rewritten(ledger, FUND, others)
    assert found_by_loading(ledger) == 1
    assert verify(ledger.recorder.lines(FUND, 0, None), code=verify(lines).check_code).matches_version is None


def test_an_earlier_code_still_names_its_version_when_only_later_lines_are_gone(ledger: Ledger) -> None:
    lines = stored(ledger)
    codes = [check_code(head_of(line)) for line in lines]
    rewritten(ledger, FUND, lines[:30])
    kept = ledger.recorder.lines(FUND, 0, None)
    assert verify(kept, code=codes[29]).matches_version == 30
    assert verify(kept, code=codes[11]).matches_version == 12
    assert verify(kept, code=codes[30]).matches_version is None


def test_the_same_facts_written_otherwise_are_another_history(ledger: Ledger) -> None:
    """The bytes count, not their meaning: a line that says the same in other words has another hash."""
    lines = stored(ledger)
    spaced = lines[19].replace(b'","', b'", "', 1)
    assert decode(spaced) == decode(lines[19])
    assert encode(decode(spaced)) == lines[19]
    rewritten(ledger, FUND, [*lines[:19], spaced, *lines[20:]])
    assert found_by_loading(ledger) == 21


# --- hundreds at random -----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_of_hundreds_of_random_changes_none_is_overlooked_and_no_alarm_is_false(ledger: Ledger) -> None:
    draw = random.Random(2022)
    lines = stored(ledger)
    codes = [check_code(head_of(line)) for line in lines]
    tried: Counter[str] = Counter()
    for _ in range(3_000 if IS_LONG else 250):
        tamper = draw.choice(WAYS)
        rewritten(ledger, FUND, tamper(draw, lines))
        now = ledger.recorder.lines(FUND, 0, None)
        held = draw.randrange(1, LENGTH + 1)
        found = verify(now, code=codes[held - 1])
        is_changed = now != lines
        tried[f"{'changed' if is_changed else 'as it was'}, {'valid' if found.valid else 'broken'}"] += 1
        assert (found.matches_version == held) is (now[:held] == lines[:held])
        if not is_changed:
            assert found.valid
        newest = verify(now, code=codes[-1])
        assert (newest.valid and newest.matches_version == LENGTH == newest.entries) is not is_changed
        if now and not found.valid:
            assert found_by_loading(ledger) is not None
    assert set(tried) == {"as it was, valid", "changed, broken", "changed, valid"}
    assert min(tried.values()) > 15

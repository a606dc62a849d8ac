"""Claims about checkpoints: whoever holds an old one finds every fund that was rewritten, cut short or is gone, however
well the hashes were made to fit; and nothing is found where nothing was changed.

Real database files are changed, on both engines, as somebody with the file or the superuser's password could.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.checkpoints import LEAF, NO_END, Checkpoints, Made
from ledger.checkpoints.vouching import Mismatch
from ledger.events import head_of
from ledger.refusals import (
    FundsChanged,
    LeavesChanged,
    SignedByAnotherKey,
)
from tests.support.jobs import FUND, expense, gift, joining, opened, opening, recorded
from tests.support.sealing import NOW, OTHER, SIGNER, STRANGER, THIRD, found, kinds, record, three_funds


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with three_funds(database_url) as ledger:
        yield ledger


def change(ledger: Ledger, sql: str, **parameters: Any) -> None:
    assert ledger.database.execute(sql, **parameters) > 0


def rewrite(ledger: Ledger, lines: list[bytes], fund: str = FUND) -> None:
    """Put other lines in the place of a fund's own, all hashes made to fit."""
    rows: list[tuple[str, int, str, bytes]] = []
    for number, line in enumerate(lines, 1):
        prev = head_of(rows[-1][3]) if rows else "0" * 64
        line = re.sub(rb'"version":\d+', b'"version":%d' % number, line, count=1)
        line = re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % prev.encode(), line, count=1)
        rows.append((fund, number, "", line))
    with ledger.database.transaction() as transaction:
        transaction.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=fund)
        transaction.insert("stored_events", ("originator_id", "originator_version", "topic", "state"), rows)


def forge_leaves(ledger: Ledger) -> None:
    """Make the stored leaves say what the fund's lines say now."""
    last = ledger.recorder.lines(FUND, 0, None)
    change(
        ledger,
        "UPDATE checkpoint_leaves SET version = :version, head = :head WHERE fund = :fund",
        version=len(last),
        head=head_of(last[-1]),
        fund=FUND,
    )


def edits(ledger: Ledger) -> list[bytes]:
    lines: list[bytes] = ledger.recorder.lines(FUND, 0, None)
    return [*lines[:6], lines[6].replace(b'"amount":1003', b'"amount":1009'), *lines[7:]]


def test_a_fund_rewritten_with_all_its_hashes(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    rewrite(ledger, edits(ledger))
    assert found(checkpoints, first) == [Mismatch("rewritten", FUND, 12, 0)]
    with pytest.raises(FundsChanged) as refused:
        checkpoints.make(SIGNER, NOW)
    assert refused.value.facts == {"count": 1, "funds": (FUND,)}


def test_a_fund_rewritten_and_recorded_in_since(
    ledger: Ledger, checkpoints: Checkpoints, first: Made, database_url: str
):
    record(ledger, FUND, 1, 2, key="since")
    second = checkpoints.make(SIGNER, NOW)
    rewrite(ledger, [*ledger.recorder.lines(FUND, 0, 12), *ledger.recorder.lines(FUND, 12, 13)])
    assert found(checkpoints, first) == []
    assert found(checkpoints, second) == [Mismatch("truncated", FUND, 14, 12)]
    with opened(database_url) as restarted:
        record(restarted, FUND, 3, 4, key="anew")
    assert found(checkpoints, second) == [Mismatch("rewritten", FUND, 14, 12)]
    with pytest.raises(FundsChanged):
        checkpoints.make(SIGNER, NOW)


def test_an_edited_byte_behind_an_untouched_head(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(
        ledger,
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 7",
        line=edits(ledger)[6],
        fund=FUND,
    )
    assert found(checkpoints, first) == [Mismatch("broken", FUND, 8, 0)]


def test_a_broken_line_after_the_last_leaf(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    record(ledger, FUND, 1_003, 1, key="since")
    line = ledger.recorder.lines(FUND, 12, 13)[0].replace(b'"amount":1003', b'"amount":1009')
    change(
        ledger,
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 13",
        line=line,
        fund=FUND,
    )
    record(ledger, OTHER, 1)
    with pytest.raises(FundsChanged) as refused:
        checkpoints.make(SIGNER, NOW)
    assert refused.value.facts["funds"] == (FUND,)
    assert checkpoints.latest() == first._replace(is_new=False), "nothing is signed for the others either"
    assert found(checkpoints, first) == []


def test_a_truncated_tail(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(ledger, "DELETE FROM stored_events WHERE originator_id = :fund AND originator_version > 2", fund=FUND)
    assert found(checkpoints, first) == [Mismatch("truncated", FUND, 3, 0)]
    with pytest.raises(FundsChanged):
        checkpoints.make(SIGNER, NOW)


def test_a_vanished_fund(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(ledger, "DELETE FROM stored_events WHERE originator_id = :fund", fund=THIRD)
    assert found(checkpoints, first) == [Mismatch("vanished", THIRD, 1, 0)]
    with pytest.raises(FundsChanged) as refused:
        checkpoints.make(SIGNER, NOW)
    assert refused.value.facts["funds"] == (THIRD,)


def test_every_changed_fund_is_named(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    rewrite(ledger, edits(ledger))
    change(ledger, "DELETE FROM stored_events WHERE originator_id = :fund AND originator_version > 2", fund=OTHER)
    change(ledger, "DELETE FROM stored_events WHERE originator_id = :fund", fund=THIRD)
    assert kinds(checkpoints, first) == {("rewritten", FUND), ("truncated", OTHER), ("vanished", THIRD)}


def test_stored_leaves_made_to_fit_a_rewritten_fund(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    rewrite(ledger, edits(ledger))
    forge_leaves(ledger)
    assert kinds(checkpoints, first) == {("leaves", None)}
    for proving in (
        lambda: checkpoints.make(SIGNER, NOW),
        lambda: checkpoints.inclusion(FUND, 1),
        lambda: checkpoints.inclusion(OTHER, 1),
    ):
        with pytest.raises(LeavesChanged):
            proving()


def test_a_leaf_edited_or_deleted(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    record(ledger, OTHER, 1)
    leaves = [(number, *leaf) for number, leaf in enumerate(checkpoints.leaves(0, NO_END))]
    for sql in (
        "DELETE FROM checkpoint_leaves WHERE number = 2",
        "DELETE FROM checkpoint_leaves",
        "UPDATE checkpoint_leaves SET fund = 'LS-BACSON-09' WHERE number = 1",
        "UPDATE checkpoint_leaves SET version = 11 WHERE number = 1",
        "UPDATE checkpoint_leaves SET number = 9 WHERE number = 0",
    ):
        change(ledger, sql)
        assert ("leaves", None) in kinds(checkpoints, first)
        with pytest.raises(LeavesChanged):
            checkpoints.make(SIGNER, NOW)
        with ledger.database.transaction() as transaction:
            transaction.execute("DELETE FROM checkpoint_leaves")
            transaction.insert("checkpoint_leaves", LEAF, leaves)
    assert checkpoints.make(SIGNER, NOW).checkpoint.number == 2


def test_a_leaf_added_behind_the_signature(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(ledger, "INSERT INTO checkpoint_leaves VALUES (3, 'LS-BACSON-09', 1, 'ab')")
    assert found(checkpoints, first) == []
    with pytest.raises(LeavesChanged):
        checkpoints.make(SIGNER, NOW)


def test_leaves_without_any_checkpoint(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(ledger, "DELETE FROM checkpoints")
    assert kinds(checkpoints, first) == {("note", None)}
    with pytest.raises(LeavesChanged):
        checkpoints.make(SIGNER, NOW)


def test_an_edited_checkpoint_row(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    record(ledger, OTHER, 1)
    for old, new, refusal in (
        ("entries 36", "entries 37", SignedByAnotherKey),
        ("number 1", "number 2", LeavesChanged),
        ("funds", "fonds", LeavesChanged),
    ):
        change(ledger, "UPDATE checkpoints SET note = :note", note=first.note.replace(old, new))
        assert kinds(checkpoints, first) == {("note", None)}
        with pytest.raises(refusal):
            checkpoints.make(SIGNER, NOW)


def test_a_signature_by_another_key(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    """Somebody with the database but without the key rewrites a fund, all leaves and the checkpoint itself."""
    rewrite(ledger, edits(ledger))
    change(ledger, "DELETE FROM checkpoint_leaves")
    change(ledger, "DELETE FROM checkpoints")
    forged = checkpoints.make(STRANGER, NOW)
    assert found(checkpoints, forged, STRANGER.key) == []
    assert kinds(checkpoints, forged) == {("signature", None)}
    assert kinds(checkpoints, first) == {("note", None), ("leaves", None)}
    record(ledger, OTHER, 1)
    with pytest.raises(SignedByAnotherKey):
        checkpoints.make(SIGNER, NOW)
    assert checkpoints.make(SIGNER, NOW, after_another_key=True).is_new


def test_an_old_backup_of_the_whole_database(ledger: Ledger, checkpoints: Checkpoints, first: Made, database_url: str):
    """The log and the checkpoints go back together, and fit each other; whoever holds the second note knows better."""
    record(ledger, FUND, 5)
    second = checkpoints.make(SIGNER, NOW)
    change(ledger, "DELETE FROM stored_events WHERE originator_version > 12")
    change(ledger, "DELETE FROM checkpoints WHERE number = 2")
    change(ledger, "DELETE FROM checkpoint_leaves WHERE number > 2")
    assert found(checkpoints, first) == []
    assert kinds(checkpoints, second) == {("note", None), ("leaves", None)}
    with opened(database_url) as restarted:
        record(restarted, FUND, 6, key="anew")
    checkpoints.make(SIGNER, NOW)
    assert kinds(checkpoints, second) == {("note", None), ("leaves", None)}


def test_two_checkpoints_that_are_not_one_history(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    record(ledger, FUND, 5)
    checkpoints.make(SIGNER, NOW)
    change(ledger, "UPDATE checkpoint_leaves SET head = :head WHERE number = 3", head="0" * 64)
    with pytest.raises(LeavesChanged):
        checkpoints.consistency(2, 1)
    change(ledger, "DELETE FROM checkpoint_leaves WHERE number > 0")
    with pytest.raises(LeavesChanged):
        checkpoints.consistency(2, 1)


def test_hundreds_of_changes_at_random_are_found(sqlite_url: str):
    """Lines edited, cut, swapped or doubled, with every later number and hash made to fit or not."""
    with opened(sqlite_url) as ledger:
        for outcome in ledger.record([opening(), joining("joining-0001"), gift("gift-0000", 90_000)]):
            recorded(outcome)
        for number in range(1, 15):
            recorded(ledger.record([expense(f"act-{number:04}", number)])[0])
        checkpoints = Checkpoints(ledger.database, ledger.recorder)
        made = checkpoints.make(SIGNER, NOW)
        lines: list[bytes] = ledger.recorder.lines(FUND, 0, None)
        draw = random.Random(9162)
        for _ in range(200):
            one, other = sorted(draw.sample(range(len(lines)), 2))
            forged = draw.choice(
                [
                    lines[:one],
                    lines[:one] + lines[other:],
                    [*lines[:one], lines[other], *lines[one + 1 : other], lines[one], *lines[other + 1 :]],
                    [*lines[:one], lines[other], *lines[one:]],
                    [
                        *lines[:one],
                        lines[one].replace(b'"2024', b'"2023').replace(b'"2016', b'"2015'),
                        *lines[one + 1 :],
                    ],
                ]
            )
            rewrite(ledger, forged)
            assert [finding.fund for finding in found(checkpoints, made)] == [FUND]
        rewrite(ledger, lines)
        assert found(checkpoints, made) == []


def test_the_page_has_a_row_for_each_drill():
    page = (Path(__file__).parents[2] / "docs" / "verify.md").read_text("utf-8")
    for text in page.split("\n---\n"):
        rows = re.findall(r"^\| .+ \| `(test_\w+)` \|$", text.partition("\n## 8. ")[2], re.MULTILINE)
        assert len(rows) == len(set(rows)) == 11
        assert set(rows) <= globals().keys()

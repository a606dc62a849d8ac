"""Claims about checkpoints: whoever holds an old one finds every fund that was rewritten, cut short or is gone, however
well the hashes were made to fit; and nothing is found where nothing was changed.

Real database files are changed, on both engines, as somebody with the file or the superuser's password could.
"""

from __future__ import annotations

import base64
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.application import Ledger
from ledger.checkpoints import LEAF, NO_END, Checkpoints, Leaf, Made
from ledger.events import head_of
from ledger.merkle import extends, includes, leaf_hash, root_of
from ledger.notes import Checkpoint, Key, NotACheckpoint, Signer, read
from ledger.projections.read_model import ReadModel
from ledger.refusals import (
    CheckpointNotFound,
    FundsChanged,
    LeavesChanged,
    NothingToVouchFor,
    SignedByAnotherKey,
)
from ledger.vouching import Finding, findings
from tests.jobs import FUND, expense, gift, joining, opened, opening, recorded

OTHER, THIRD = "LS-BACSON-02", "LS-BACSON-03"
FUNDS = [FUND, OTHER, THIRD]
NOW = datetime(2026, 6, 6, 3, 0, tzinfo=UTC)
SIGNER = Signer("so-quy.example/bac-son", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
ROOT = Path(__file__).parents[1]


def record(ledger: Ledger, fund: str, *amounts: int, key: str = "gift") -> None:
    for number, amount in enumerate(amounts):
        recorded(ledger.record([gift(f"{key}-{number:08}", amount, fund=fund)])[0])


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """Three funds of twelve entries each."""
    with opened(database_url) as ledger:
        for fund in FUNDS:
            jobs = [opening(fund), joining("joining-0001", fund=fund)]
            jobs += [gift(f"gift-{number:04}", 1_000 + number, fund=fund) for number in range(9)]
            for outcome in ledger.record(jobs):
                recorded(outcome)
        yield ledger


@pytest.fixture
def checkpoints(ledger: Ledger) -> Checkpoints:
    return Checkpoints(ledger)


@pytest.fixture
def first(checkpoints: Checkpoints) -> Made:
    """The first checkpoint over the three funds."""
    return checkpoints.make(SIGNER, NOW)


def found(checkpoints: Checkpoints, made: Made, key: Key = SIGNER.key) -> list[Finding]:
    return list(findings(checkpoints, made.note, key))


def kinds(checkpoints: Checkpoints, made: Made) -> set[tuple[str, str | None]]:
    return {(finding.kind, finding.fund) for finding in found(checkpoints, made)}


# --- the honest log ---------------------------------------------------------------------------------------------------


def test_a_checkpoint_vouches_for_the_head_of_every_fund(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    heads = [Leaf(fund, 12, head_of(ledger.recorder.lines(fund, 11, None)[0])) for fund in FUNDS]
    assert checkpoints.heads(1) == checkpoints.leaves(0, NO_END) == heads
    assert first.checkpoint.root == root_of([leaf_hash(f"{f} {v} {h}".encode()) for f, v, h in heads])
    assert (first.checkpoint.size, first.checkpoint.funds, first.checkpoint.entries) == (3, 3, 36)
    assert checkpoints.one(1) == checkpoints.latest() == first._replace(is_new=False)
    assert read(first.note) == first.checkpoint
    assert SIGNER.key.has_signed(first.note)
    assert found(checkpoints, first) == []


def test_only_funds_that_moved_get_a_new_leaf_and_nothing_new_needs_no_signature(
    ledger: Ledger, checkpoints: Checkpoints, first: Made
):
    assert checkpoints.make(SIGNER, NOW + timedelta(days=1)) == first._replace(is_new=False)
    record(ledger, OTHER, 5, 6)
    second = checkpoints.make(SIGNER, NOW + timedelta(days=2))
    assert second.is_new
    assert (second.checkpoint.number, second.checkpoint.size, second.checkpoint.entries) == (2, 4, 38)
    assert [leaf[:2] for leaf in checkpoints.leaves(3, NO_END)] == [(OTHER, 14)]
    assert [leaf[:2] for leaf in checkpoints.heads(2)] == [(FUND, 12), (OTHER, 14), (THIRD, 12)]
    assert [made.checkpoint.number for made in checkpoints.listed(most=9)] == [2, 1]


def test_a_growing_log_with_many_checkpoints_raises_no_false_alarm(ledger: Ledger, checkpoints: Checkpoints):
    draw, made = random.Random(162), []
    for day in range(25):
        for fund in draw.sample(FUNDS, draw.randrange(4)):
            record(ledger, fund, *[7] * draw.randrange(1, 4), key=f"day-{day}")
        if day == 10:
            recorded(ledger.record([opening("LS-AN-SON")])[0])
        made.append(checkpoints.make(SIGNER, NOW + timedelta(days=day)))
    assert sum(one.is_new for one in made) == made[-1].checkpoint.number > 10
    for one in made:
        assert found(checkpoints, one) == []
        for fund in FUNDS:
            proved = checkpoints.inclusion(fund, one.checkpoint.number)
            leaf, (root, size) = proved.leaf.text().encode(), (one.checkpoint.root, one.checkpoint.size)
            assert includes(root, size, proved.place, leaf, proved.proof)
            assert proved.leaf in checkpoints.heads(one.checkpoint.number)
    for earlier in made:
        old, new, proof = checkpoints.consistency(made[-1].checkpoint.number, earlier.checkpoint.number)
        assert old.checkpoint == earlier.checkpoint
        assert extends(old.checkpoint.root, old.checkpoint.size, new.checkpoint.root, new.checkpoint.size, proof)


def test_without_any_fund_there_is_nothing_to_vouch_for(database_url: str):
    with opened(database_url) as empty, pytest.raises(NothingToVouchFor):
        Checkpoints(empty).make(SIGNER, NOW)


def test_no_checkpoint_names_a_fund_that_opened_after_it(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    recorded(ledger.record([opening("LS-AN-SON")])[0])
    second = checkpoints.make(SIGNER, NOW)
    assert checkpoints.inclusion("LS-AN-SON", 2).leaf.version == 2
    for fund, number in (("LS-AN-SON", 1), (FUND, 3), (FUND, 0)):
        with pytest.raises(CheckpointNotFound):
            checkpoints.inclusion(fund, number)
    assert found(checkpoints, first) == found(checkpoints, second) == []


def test_the_read_model_made_anew_leaves_checkpoints_alone(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    model = ReadModel(ledger.database)
    model.create_tables()
    model.rebuild(lambda _: None)
    assert checkpoints.latest() == first._replace(is_new=False)
    assert found(checkpoints, first) == []


MAKER = """
import sys
from datetime import UTC, datetime
from ledger.checkpoints import Checkpoints, Overtaken
from tests.processes import gift, opened, recorded
from tests.test_checkpoints import SIGNER
with opened(sys.argv[1]) as ledger:
    for number in range(8):
        recorded(ledger.record([gift(f"maker-{number:04}", 3, fund=sys.argv[2])])[0])
        try:
            print(Checkpoints(ledger).make(SIGNER, datetime.now(UTC)).is_new)
        except Overtaken:
            print("overtaken")
"""


def test_processes_that_make_checkpoints_at_once_make_one_chain(
    ledger: Ledger, checkpoints: Checkpoints, database_url: str, first: Made
):
    makers = [
        subprocess.Popen([sys.executable, "-c", MAKER, database_url, fund], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for fund in (FUND, OTHER)
    ]
    said = [maker.communicate(timeout=60)[0].split() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    last = checkpoints.make(SIGNER, NOW)
    made = checkpoints.listed(most=100)
    assert [one.checkpoint.number for one in reversed(made)] == list(range(1, len(made) + 1))
    new = sum(words.count("True") for words in said)
    assert len(made) == 1 + new + last.is_new
    for one in made:
        assert found(checkpoints, one) == []
    assert checkpoints.consistency(len(made), 1)[0].checkpoint == first.checkpoint


# --- the note ---------------------------------------------------------------------------------------------------------

SAYS = Checkpoint(SIGNER.name, 3, root_of([b"a" * 32, b"b" * 32, b"c" * 32]), 1, NOW, 3, 36)
NOTE = SIGNER.signed(SAYS)


def test_the_note_is_written_as_other_programs_read_it():
    lines = NOTE.split("\n")
    assert lines[:3] == [SIGNER.name, "3", base64.b64encode(SAYS.root).decode()]
    assert lines[3:8] == ["number 1", "made 2026-06-06T03:00:00Z", "funds 3", "entries 36", ""]
    dash, name, signature = lines[8].split(" ")
    assert (dash, name, lines[9:]) == ("—", SIGNER.name, [""])
    signed = base64.b64decode(signature)
    assert (len(signed), signed[:4]) == (68, SIGNER.key.id)
    SIGNER.key.public.verify(signed[4:], "\n".join([*lines[:7], ""]).encode())


def test_keys_and_notes_are_those_of_the_format():
    """The key and the note that the package golang.org/x/mod/sumdb/note shows."""
    key = Key.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert key.has_signed(note)
    assert str(key) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert not key.has_signed(note.replace("answer", "Answer"))
    with pytest.raises(NotACheckpoint):
        read(note)


def test_no_letter_of_a_note_can_be_changed():
    text, signature = NOTE.split("\n\n")
    for place in range(len(text) + 1):
        for other in "0 \nA":
            forged = f"{text}\n"[:place] + other + f"{text}\n"[place + 1 :] + f"\n{signature}"
            assert forged == NOTE or not _holds(forged)
    raw = base64.b64decode(signature.split(" ")[2])
    for bit in range(len(raw) * 8):
        flipped = (int.from_bytes(raw) ^ 1 << bit).to_bytes(len(raw))
        assert not _holds(f"{text}\n\n— {SIGNER.name} {base64.b64encode(flipped).decode()}\n")
    for cut in range(len(NOTE)):
        assert not _holds(NOTE[:cut])
    assert not _holds(f"{text}\n\n— other.example {signature.split(' ')[2]}")


def _holds(note: str) -> bool:
    try:
        read(note)
        return SIGNER.key.has_signed(note)
    except NotACheckpoint:
        return False


@pytest.mark.parametrize(
    ("part", "other"), [("so-quy", "so-cai"), ("+", " "), ("+AQ", "+Ag"), ("+AQ", "+AQAA"), ("so-quy", "")]
)
def test_a_key_that_was_not_copied_whole_is_refused(part: str, other: str):
    key = base64.b64encode(b"\x01" + SIGNER.key.public.public_bytes_raw()).decode()
    text = f"{SIGNER.name}+{SIGNER.key.id.hex()}+{key}"
    assert str(SIGNER.key) == str(Key.read(f" {text}\n")) == text
    for forged in (text.replace(part, other), text[:-4], text.replace(key, key[:-4] + "AAAA")):
        with pytest.raises(NotACheckpoint):
            Key.read(forged)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("number 1", "number 01"),
        ("number 1", "number 1 "),
        ("funds 3", "funds -3"),
        ("made 2026-06-06T03:00:00Z", "made 2026-13-06T03:00:00Z"),
        ("made 2026-06-06T03:00:00Z", "made 2026-06-06"),
        ("funds 3\n", ""),
        ("funds 3\n", "funds 3\nfunds 3\n"),
    ],
)
def test_a_text_in_any_other_form_is_no_checkpoint_even_if_signed(line: str, other: str):
    text = NOTE.split("\n\n")[0].replace(line, other) + "\n"
    signature = base64.b64encode(SIGNER.key.id + SIGNER.private.sign(text.encode())).decode()
    with pytest.raises(NotACheckpoint):
        read(f"{text}\n— {SIGNER.name} {signature}\n")


# --- drills -----------------------------------------------------------------------------------------------------------


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
    assert found(checkpoints, first) == [Finding("rewritten", FUND, 12, 0)]
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
    assert found(checkpoints, second) == [Finding("truncated", FUND, 14, 12)]
    with opened(database_url) as restarted:
        record(restarted, FUND, 3, 4, key="anew")
    assert found(checkpoints, second) == [Finding("rewritten", FUND, 14, 12)]
    with pytest.raises(FundsChanged):
        checkpoints.make(SIGNER, NOW)


def test_an_edited_byte_behind_an_untouched_head(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(
        ledger,
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 7",
        line=edits(ledger)[6],
        fund=FUND,
    )
    assert found(checkpoints, first) == [Finding("broken", FUND, 8, 0)]


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
    assert found(checkpoints, first) == [Finding("truncated", FUND, 3, 0)]
    with pytest.raises(FundsChanged):
        checkpoints.make(SIGNER, NOW)


def test_a_vanished_fund(ledger: Ledger, checkpoints: Checkpoints, first: Made):
    change(ledger, "DELETE FROM stored_events WHERE originator_id = :fund", fund=THIRD)
    assert found(checkpoints, first) == [Finding("vanished", THIRD, 1, 0)]
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
        checkpoints = Checkpoints(ledger)
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
    page = (ROOT / "docs" / "verify.md").read_text("utf-8")
    for text in page.split("\n---\n"):
        rows = re.findall(r"^\| .+ \| `(test_\w+)` \|$", text.partition("\n## 8. ")[2], re.MULTILINE)
        assert len(rows) == len(set(rows)) == 11
        assert set(rows) <= globals().keys()

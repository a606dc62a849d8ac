"""Claims about checkpoints of an honest log, and about the note: nothing is found where nothing was changed."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger.application import Ledger
from ledger.checkpoints import NO_END, Checkpoints, Leaf, Made
from ledger.checkpoints.merkle import extends, includes, leaf_hash, root_of
from ledger.checkpoints.notes import Checkpoint, Key, NotACheckpoint, read
from ledger.events import head_of
from ledger.projections.read_model import ReadModel
from ledger.refusals import (
    CheckpointNotFound,
    NothingToVouchFor,
)
from tests.support.jobs import FUND, opened, opening, recorded
from tests.support.processes import start, together
from tests.support.sealing import FUNDS, NOW, OTHER, SIGNER, THIRD, found, record, three_funds, vouch_each


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with three_funds(database_url) as ledger:
        yield ledger


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
        Checkpoints(empty.database, empty.recorder).make(SIGNER, NOW)


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


def test_processes_that_make_checkpoints_at_once_make_one_chain(
    ledger: Ledger, checkpoints: Checkpoints, database_url: str, first: Made
):
    said = together([start(vouch_each, database_url, fund) for fund in (FUND, OTHER)])
    last = checkpoints.make(SIGNER, NOW)
    made = checkpoints.listed(most=100)
    assert [one.checkpoint.number for one in reversed(made)] == list(range(1, len(made) + 1))
    new = sum(words.count(True) for words in said)
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

"""Claims about the verifier against forgers: forged checkpoints and proofs, and hundreds of changes at random."""

import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ledger.events import check_code, head_of
from ledger.history import verify
from tests.support.histories import random_fund
from tests.support.jobs import IS_LONG
from tests.support.verifying import (
    LINES,
    SCRIPT,
    VERIFIER,
    Lines,
    acts,
    doubled,
    loaded,
    rechained,
    run,
    sealing,
    swapped,
    told,
)
from tests.support.village import FUND, lines, whole_life

# --- a checkpoint, with no database at hand ---------------------------------------------------------------------------


@pytest.fixture
def compared(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the verifier on a history, a note and a proof."""

    def compared(history: Lines, note: str, proof: Any) -> tuple[int, str]:
        (tmp_path / "checkpoint.txt").write_text(note, encoding="utf-8")
        (tmp_path / "proof.json").write_text(proof if isinstance(proof, str) else json.dumps(proof), encoding="utf-8")
        files = (str(tmp_path / "checkpoint.txt"), "--proof", str(tmp_path / "proof.json"))
        return run(history, "--checkpoint", *files)

    return compared


@pytest.mark.parametrize("version", [1, 20, 24])
def test_a_checkpoint_vouches_for_a_history_and_for_what_was_added_since(compared, version: int):
    exit_code, said = compared(LINES, *sealing(LINES, version))
    assert exit_code == 0
    assert f"Checkpoint 12, 2024-03-10T03:00:00Z: entry no. {version} is as sealed" in said
    assert "Signature not checked" in said


def test_a_checkpoint_vouches_for_no_other_history(compared):
    note, proof = sealing(LINES, 20)
    others = [LINES[:19], lines(told(acts(gift=1_000_000))), rechained(doubled(LINES, 12)), rechained(LINES[1:])]
    for other in others:
        exit_code, said = compared(other, note, proof)
        assert exit_code == 1
        assert "as sealed" not in said


def forged_proofs() -> Iterator[tuple[str, Any]]:
    note, proof = sealing(LINES, 20)
    beside = [base64.b64decode(one) for one in proof["proof"]]
    for place, one in enumerate(beside):
        for byte in range(32):
            flipped = bytes([*one[:byte], one[byte] ^ 1, *one[byte + 1 :]])
            changed = [*beside[:place], flipped, *beside[place + 1 :]]
            yield note, proof | {"proof": [base64.b64encode(other).decode() for other in changed]}
        yield note, proof | {"proof": proof["proof"][:place] + proof["proof"][place + 1 :]}
        yield note, proof | {"proof": [*proof["proof"], proof["proof"][place]]}
    for index in (-1, 0, 1, 3, 4, 5, "2", None, 2.5):
        yield note, proof | {"index": index}
    for version in (19, 21, 0, "020", "x", 99):
        yield note, proof | {"leaf": f"{FUND} {version} {head_of(LINES[19])}"}
    yield note, proof | {"leaf": f"{FUND} 19 {head_of(LINES[18])}"}
    yield note, proof | {"leaf": f"LS-AN-SON 20 {head_of(LINES[19])}"}
    wrongs: tuple[Any, ...] = (
        {},
        [],
        "",
        "null",
        "[1]",
        {"leaf": None},
        proof | {"proof": None},
        proof | {"proof": ["§"]},
    )
    for wrong in wrongs:
        yield note, wrong
    for size in ("4", "2", "0", "x", "12"):
        yield note.replace("\n5\n", f"\n{size}\n", 1), proof
    yield note.replace(note.split("\n")[2], sealing(LINES, 19)[0].split("\n")[2]), proof
    yield "", proof
    yield "so-quy.example", proof


def test_a_forged_proof_is_refused():
    history = VERIFIER.History(LINES)
    note, proof = sealing(LINES, 20)
    assert VERIFIER.sealed(history, note, json.dumps(proof))[0] is None
    for forged_note, forged in forged_proofs():
        why, _ = VERIFIER.sealed(history, forged_note, forged if isinstance(forged, str) else json.dumps(forged))
        assert why in ("form", "proof", "fund", "head"), (forged_note, forged)


def test_a_checkpoint_is_compared_only_together_with_its_proof():
    for option in ("--checkpoint", "--proof"):
        with pytest.raises(SystemExit) as ended:
            run(LINES, option, str(SCRIPT))
        assert ended.value.code == 2


# --- hundreds of changes at random ------------------------------------------------------------------------------------


def edited(draw: random.Random, history: Lines) -> Lines:
    place = draw.randrange(len(history))
    line = bytearray(history[place])
    line[draw.randrange(len(line))] = draw.randrange(256)
    return [*history[:place], bytes(line), *history[place + 1 :]]


def cut(draw: random.Random, history: Lines) -> Lines:
    start = draw.randrange(len(history))
    return history[:start] + history[start + draw.randrange(1, 4) :]


def shortened(draw: random.Random, history: Lines) -> Lines:
    return history[: draw.randrange(1, len(history))]


def mixed(draw: random.Random, history: Lines) -> Lines:
    one, other = draw.sample(range(1, len(history) + 1), 2)
    return swapped(history, one, other)


def inserted(draw: random.Random, history: Lines) -> Lines:
    place = draw.randrange(len(history) + 1)
    return [*history[:place], draw.choice(history), *history[place:]]


def reckoned_anew(draw: random.Random, history: Lines) -> Lines:
    """One of the above, or another amount, with every number and hash recomputed."""
    if draw.random() < 0.5:
        return rechained(draw.choice((cut, mixed, inserted))(draw, history))
    places = [number for number, line in enumerate(history, 1) if b'"amount":' in line]
    number = draw.choice(places)
    changed = re.sub(rb'"amount":(\d+)', rb'"amount":\g<1>0', history[number - 1], count=1)
    return rechained([*history[: number - 1], changed, *history[number:]])


def left_alone(_: random.Random, history: Lines) -> Lines:
    return history


TAMPERS = (edited, edited, cut, shortened, mixed, inserted, reckoned_anew, reckoned_anew, left_alone)


@cache
def originals() -> tuple[Lines, ...]:
    return (LINES, lines(whole_life()), *(lines(random_fund(seed, 40)) for seed in (1, 2, 3, 6)))


def accepts(verifier: ModuleType, history: Lines, code: str, version: int) -> bool:
    """Whether the verifier takes this for a whole history to which the code of this version belongs."""
    found = verifier.History(history, False)
    codes = [verifier.check_code(head) for head in found.heads[1:]]
    return found.broken is None and code in codes and codes.index(code) + 1 == version


def mistakes(verifier: ModuleType, rounds: int) -> Counter[str]:
    """Tampers with histories at random, each time with the check code of some version in hand; counts by kind of change
    what was overlooked and what was a false alarm."""
    draw, wrong = random.Random(1648), Counter[str]()
    for _ in range(rounds):
        history = draw.choice(originals())
        tamper = draw.choice(TAMPERS)
        now, held = tamper(draw, history), draw.randrange(1, len(history) + 1)
        is_same = now[:held] == history[:held]
        accepted = accepts(verifier, now, check_code(head_of(history[held - 1])), held)
        if accepted and not is_same:
            wrong[f"overlooked: {tamper.__name__}"] += 1
        if not accepted and (now == history or (is_same and tamper is shortened)):
            wrong["false alarm"] += 1
    return wrong


ROUNDS = 20_000 if IS_LONG else 500


@pytest.mark.long
def test_of_hundreds_of_random_changes_none_is_overlooked_and_no_alarm_is_false():
    assert mistakes(VERIFIER, ROUNDS) == {}


BLINDED = {
    "does not look at prev": ('yield "prev", e["prev"] == self.heads[-1]', 'yield "prev", True'),
    "does not hash the line": ("hashlib.sha256(line)", 'hashlib.sha256(e["prev"].encode())'),
    "hashes but the beginning of a line": ("hashlib.sha256(line)", "hashlib.sha256(line[:200])"),
    "believes any code": ("bytes.fromhex(head)[:10]", "bytes(10)"),
}


@pytest.mark.parametrize("blinding", BLINDED)
def test_control_a_verifier_that_does_less_makes_mistakes(blinding: str):
    source, (sighted, blind) = SCRIPT.read_text(encoding="utf-8"), BLINDED[blinding]
    assert source.count(sighted) == 1
    assert mistakes(loaded(source.replace(sighted, blind)), ROUNDS) != {}


@pytest.mark.parametrize("seed", range(4))
def test_the_verifier_stops_no_later_than_the_ledgers_own(seed: int):
    draw = random.Random(seed)
    for _ in range(100):
        now = draw.choice(TAMPERS)(draw, draw.choice(originals()))
        own, found = verify(now), VERIFIER.History(now, False)
        assert found.broken is None or found.broken[1] <= own.entries + 1
        if own.valid:
            assert found.broken is None or found.broken[0] not in ("fund", "version", "prev")
        else:
            assert found.broken is not None
            assert found.broken[1] <= (own.first_broken or 0)

"""Claims about the two verifiers: what one calls broken, the other does too, in histories and in checkpoints' notes.

`microfund verify` and `scripts/verify_history.py` share no code, so only a table of the same bytes keeps them of one
mind.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import Said, command
from tests.support.verifying import LINES, SCRIPT, joined, sealing

WHOLE = joined(LINES)
FIRST, REST = LINES[0], joined(LINES[1:])


def first_line(change: Callable[[bytes], bytes]) -> bytes:
    return change(FIRST) + b"\n" + REST


def with_field(text: str) -> bytes:
    """The first line with one more field, written like this."""
    return first_line(lambda line: line[:-1] + b"," + text.encode() + b"}")


# What a file holds, and the entry at which it is broken: none for a history that is whole.
MANGLED: dict[str, tuple[bytes, int | None]] = {
    "as it was sent": (WHOLE, None),
    "the last newline gone": (WHOLE[:-1], None),
    "empty": (b"", 1),
    "a newline alone": (b"\n", 1),
    "lines that end as on Windows": (WHOLE.replace(b"\n", b"\r\n"), 1),
    "the last line alone ends as on Windows": (WHOLE[:-1] + b"\r\n", 24),
    "a space behind a line": (first_line(lambda line: line + b" "), 1),
    "a space before a line": (first_line(lambda line: b" " + line), 1),
    "a space within": (first_line(lambda line: line.replace(b'":"', b'": "', 1)), 1),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE, 1),
    "an empty line behind all": (WHOLE + b"\n", 25),
    "an empty line between": (WHOLE.replace(b"\n", b"\n\n", 1), 2),
    "a field named twice": (with_field('"type":"FundOpened"'), 1),
    "a field named twice, in a field": (with_field('"more":{"a":1,"a":1}'), 1),
    "no version": (first_line(lambda line: line.replace(b'"version":1,', b"")), 1),
    "the fund named before the type": (
        first_line(lambda line: json.dumps(dict(sorted(json.loads(line).items())), separators=(",", ":")).encode()),
        1,
    ),
    "letters written as numbers": (first_line(lambda line: json.dumps(json.loads(line)).encode()), 1),
    "a slash escaped": (first_line(lambda line: line.replace(b'"FundOpened"', b'"Fund\\u004fpened"')), 1),
    "a fraction": (with_field('"more":1.5'), 1),
    "a number with an exponent": (with_field('"more":1e3'), 1),
    "a number that is none": (with_field('"more":NaN'), 1),
    "half a character": (with_field('"more":"\\ud800"'), 1),
    "bytes that are no text": (first_line(lambda line: line[:-1] + b',"more":"\xff"}'), 1),
    "a version that is a truth": (first_line(lambda line: line.replace(b'"version":1,', b'"version":true,')), 1),
    "practice that is no truth": (with_field('"practice":1'), 1),
    "no object": (b"[]\n", 1),
    "nested without end": (b'{"type":' + b"[" * 100_000 + b"\n", 1),
    "a line cut off": (WHOLE[:-9], 24),
}


def alone(*words: str) -> tuple[int, str]:
    """How the stand-alone verifier ends, in a process of its own, and what it says."""
    told = subprocess.run([sys.executable, "-I", str(SCRIPT), *words, "--lang", "en"], capture_output=True, check=False)
    return told.returncode, told.stdout.decode()


def broken_at(told: str) -> int | None:
    named = re.search(r"BROKEN at (?:entry no\.|version) (\d+)", told)
    return int(named[1]) if named else None


@pytest.mark.parametrize("mangled", MANGLED)
def test_both_verifiers_break_at_the_same_entry(mangled: str, tmp_path: Path):
    content, expected = MANGLED[mangled]
    file = tmp_path / "history.ndjson"
    file.write_bytes(content)
    exit_code, told = alone(str(file))
    own = command("sqlite://", "verify", str(file), "--lang", "en")
    assert (broken_at(told), broken_at(own.stdout)) == (expected, expected)
    assert (exit_code, own.returncode) == ((0, 0) if expected is None else (1, 1))


def test_both_verifiers_say_that_a_history_is_only_practice(tmp_path: Path):
    file = tmp_path / "history.ndjson"
    for content, is_practice in ((FIRST, False), (FIRST[:-1] + b',"practice":true}', True)):
        file.write_bytes(content + b"\n")
        exit_code, told = alone(str(file))
        own = command("sqlite://", "verify", str(file), "--lang", "en")
        assert (exit_code, own.returncode) == (0, 0)
        assert ["PRACTICE" in said for said in (told, own.stdout)] == [is_practice] * 2


# --- notes that came by mail ------------------------------------------------------------------------------------------

# What the post, an editor or a witness does to a checkpoint's note, and whether it still vouches.
MAILED: dict[str, tuple[Callable[[str], str], bool]] = {
    "as it was sent": (lambda note: note, True),
    "lines that end as on Windows": (lambda note: note.replace("\n", "\r\n"), True),
    "spaces behind each line": (lambda note: note.replace("\n", "  \n"), True),
    "a byte order mark": (lambda note: "\ufeff" + note, True),
    "empty lines behind all": (lambda note: note + "\n\n", True),
    "the last newline gone": (lambda note: note.removesuffix("\n"), True),
    "a witness named in Vietnamese": (
        lambda note: f"{note}— làng-Bằng-Mạc {base64.b64encode(b'x' * 68).decode()}\n",
        True,
    ),
    "another number of leaves": (lambda note: re.sub(r"\n(\d+)\n", r"\n9\1\n", note, count=1), False),
    "another root": (lambda note: re.sub(r"\n.{43}=\n", "\n" + "A" * 43 + "=\n", note, count=1), False),
    "its second half gone": (lambda note: note[: len(note) // 3], False),
}


@pytest.fixture
def run_here(settled_database: Path, tmp_path: Path) -> Callable[..., Said]:
    """The command line on a copy of the settled database, with a key of its own."""
    url = f"sqlite:///{shutil.copy(settled_database, tmp_path / 'fund.db')}"
    return partial(command, url, MICROFUND_CHECKPOINT_KEY=str(tmp_path / "checkpoint.pem"))


@pytest.mark.parametrize("mailed", MAILED)
def test_both_verifiers_read_a_note_as_the_post_delivers_it(mailed: str, run_here: Callable[..., Said], tmp_path: Path):
    change, vouches = MAILED[mailed]
    file, proof = tmp_path / "checkpoint.txt", tmp_path / "proof.json"
    file.write_bytes(change(run_here("checkpoint", "make").stdout).encode())
    assert (run_here("checkpoint", "verify", str(file)).returncode == 0) is vouches

    note, proved = sealing(LINES, 20)
    file.write_bytes(change(note).encode())
    proof.write_text(json.dumps(proved), "utf-8")
    (tmp_path / "history.ndjson").write_bytes(joined(LINES))
    exit_code, told = alone(str(tmp_path / "history.ndjson"), "--checkpoint", str(file), "--proof", str(proof))
    assert (exit_code, "is as sealed" in told) == ((0, True) if vouches else (1, False))


def test_a_signature_of_the_known_key_that_is_not_valid_spoils_the_note(run_here: Callable[..., Said], tmp_path: Path):
    file = tmp_path / "checkpoint.txt"
    note = run_here("checkpoint", "make").stdout
    name, signature = note.splitlines()[-1].removeprefix("— ").split(" ")
    signed = base64.b64decode(signature)
    for forged, exit_code in ((signed, 0), (signed[:-1] + bytes([signed[-1] ^ 1]), 1), (b"%key" + signed[4:], 0)):
        file.write_text(f"{note}— {name} {base64.b64encode(forged).decode()}\n", "utf-8")
        assert run_here("checkpoint", "verify", str(file)).returncode == exit_code

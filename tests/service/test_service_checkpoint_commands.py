"""Claims about checkpoints on the command line, and about the key that they are signed with."""

import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoints import Checkpoints
from ledger.checkpoints.notes import Signer
from ledger.sqlite_engine import sqlite
from service.checkpoints.signing import BadKey, signer_of
from service.settings import Settings
from tests.support.commands import Said, command
from tests.support.service import FUND, NEW_FUND

# --- the key ----------------------------------------------------------------------------------------------------------


class Unsigned(Checkpoints):
    """The checkpoints of a database that has none yet."""

    def __init__(self) -> None:
        pass

    def latest(self) -> None:
        """None."""


def key_of(file: Path) -> str:
    return str(signer_of(Settings(checkpoint_key=str(file)), Unsigned()).key)


def test_the_key_is_made_once_for_its_owner_only_even_by_processes_at_once(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pem"
    with multiprocessing.get_context("fork").Pool(8) as processes:
        keys = set(processes.map(key_of, [file] * 64))

    assert keys == {key_of(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text().startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("text", ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "checkpoint.pem"
    file.write_text(text)

    with pytest.raises(BadKey) as refused:
        key_of(file)
    with pytest.raises(BadKey):
        key_of(tmp_path / "no" / "such.pem")

    assert "MICROFUND_CHECKPOINT_KEY" in refused.value.why
    assert str(file) in str(refused.value)
    assert not text or text not in str(refused.value)
    assert file.read_text() == text


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_made_by_openssl_serves_and_one_of_another_kind_does_not(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    for kind, file in (("ed25519", right), ("x25519", wrong)):
        subprocess.run(["openssl", "genpkey", "-algorithm", kind, "-out", str(file)], check=True)

    assert key_of(right).startswith("microfund+")
    with pytest.raises(BadKey):
        key_of(wrong)


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(settled_database: Path, tmp_path: Path) -> Callable[..., Said]:
    """The command line on a copy of the settled database, with a key of its own."""
    url = f"sqlite:///{shutil.copy(settled_database, tmp_path / 'fund.db')}"
    return partial(command, url, MICROFUND_CHECKPOINT_KEY=str(tmp_path / "checkpoint.pem"))


def test_the_command_line_makes_shows_and_verifies_checkpoints(run: Callable[..., Said], tmp_path: Path) -> None:
    made, again = run("checkpoint", "make"), run("checkpoint", "make")
    note, full = tmp_path / "note.txt", tmp_path / "full.txt"
    note.write_text(made.stdout, "utf-8")
    shown = run("checkpoint", "show", "1", "--with-heads")
    full.write_text(shown.stdout, "utf-8")
    key = run("checkpoint", "key").stdout.strip()

    english = ("--lang", "en")
    verified = [
        run("checkpoint", "verify", str(note), *english),
        run("checkpoint", "verify", str(full), "--key", key),
    ]

    assert (made.returncode, made.stdout) == (0, again.stdout)
    assert shown.stdout.startswith(made.stdout)
    assert re.fullmatch(rf"\n({FUND}|{NEW_FUND}) \d+ [0-9a-f]{{64}} \S{{19}}\n.+\n", shown.stdout[len(made.stdout) :])
    assert [one.returncode for one in verified] == [0, 0], verified
    assert "all 2 funds still have the heads that were signed" in verified[0].stdout
    assert re.fullmatch(r"1 \S+ 2 funds \d+ entries\n", run("checkpoint", "list", *english).stdout)


def test_the_command_line_names_each_fund_that_is_no_longer_what_was_signed(
    run: Callable[..., Said], tmp_path: Path
) -> None:
    note = tmp_path / "note.txt"
    note.write_text(run("checkpoint", "make").stdout, "utf-8")
    stranger = Signer("microfund", Ed25519PrivateKey.generate()).key
    with sqlite.connect(tmp_path / "fund.db") as database:
        database.execute("DELETE FROM stored_events WHERE originator_id = ?", (NEW_FUND,))
        database.execute("DELETE FROM stored_events WHERE originator_id = ? AND originator_version > 9", (FUND,))
    database.close()

    found = run("checkpoint", "verify", str(note), "--key", str(stranger), "--lang", "en")
    refused = run("checkpoint", "make")

    assert found.returncode == refused.returncode == 1
    assert found.stdout.splitlines() == [
        "NOT SIGNED by this key",
        f"{FUND}: CUT SHORT, version 10 and later ones are missing",
        f"{NEW_FUND}: GONE, none of its entries is left",
    ]
    assert refused.stdout.split() == [FUND, NEW_FUND]


def test_a_change_of_keys_is_said_aloud(run: Callable[..., Said], tmp_path: Path) -> None:
    run("checkpoint", "make")
    key_of(tmp_path / "other.pem")
    (tmp_path / "other.pem").replace(tmp_path / "checkpoint.pem")

    unsaid, said = run("checkpoint", "make", "--lang", "en"), run("checkpoint", "make", "--new-key")

    assert unsaid.returncode == 1
    assert "another key" in unsaid.stderr
    assert said.returncode == 0


def test_a_key_that_has_signed_and_is_lost_is_not_made_in_silence(run: Callable[..., Said], tmp_path: Path) -> None:
    run("checkpoint", "make")
    (tmp_path / "checkpoint.pem").rename(tmp_path / "elsewhere.pem")

    refused = [run("checkpoint", "make"), run("checkpoint", "key")]

    assert [one.returncode for one in refused] == [2, 2]
    assert all("mốc niêm phong số 1 đã ký bằng khóa ấy" in one.stderr and "--new-key" in one.stderr for one in refused)
    assert not (tmp_path / "checkpoint.pem").exists()
    assert run("checkpoint", "make", "--new-key").returncode == 0
    assert run("checkpoint", "key").returncode == 0


def test_a_key_that_others_may_read_is_kept_from_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = key_of(tmp_path / "checkpoint.pem")
    (tmp_path / "checkpoint.pem").chmod(0o644)

    assert key_of(tmp_path / "checkpoint.pem") == key
    assert (tmp_path / "checkpoint.pem").stat().st_mode & 0o777 == 0o600
    assert "others could read" in caplog.text


def test_what_is_no_checkpoint_or_no_key_is_told_in_words(run: Callable[..., Said], tmp_path: Path) -> None:
    run("checkpoint", "make")
    (tmp_path / "notes.txt").write_text("Biên bản")

    wrong = [
        run("checkpoint", "verify", str(tmp_path / "notes.txt")),
        run("checkpoint", "verify", str(tmp_path / "none.txt")),
        run("checkpoint", "verify", str(tmp_path / "fund.db")),
        run("checkpoint", "show", "7"),
    ]
    (tmp_path / "checkpoint.pem").unlink()
    without_key = run("checkpoint", "verify", str(tmp_path / "notes.txt"))

    assert [one.returncode for one in wrong] == [2, 2, 2, 2]
    assert (without_key.returncode, "--key" in without_key.stderr) == (2, True)
    assert not (tmp_path / "checkpoint.pem").exists(), "who only verifies makes no key"


def test_an_entry_is_found_by_what_stands_on_paper(run: Callable[..., Said]) -> None:
    lines = run("history", FUND).stdout.splitlines()
    voucher = next(re.findall(r'"voucher":"(PT-[0-9-]+)"', line)[0] for line in lines if '"voucher":"PT' in line)
    by_voucher = run("verify", FUND, "--voucher", voucher, "--lang", "en")
    code = re.findall(r"check code (\S+)", by_voucher.stdout)[-1]
    by_code = run("verify", FUND, "--code", code, "--lang", "en")
    lost = run("verify", FUND, "--head", "0" * 64, "--voucher", "PC-1999-0001", "--lang", "en")

    assert (by_voucher.returncode, by_code.returncode, lost.returncode) == (0, 0, 1)
    version = re.findall(rf"{voucher}: version (\d+), [a-z ]+ on \d\d/", by_voucher.stdout)[0]
    assert f"{code}: belongs to version {version}" in by_code.stdout
    assert "belongs to NO version" in lost.stdout
    assert "borne by NO entry" in lost.stdout
    for words in (["--all", "--code", code], [FUND, "--code", "abc"], [FUND, "--code", code, "--head", "0" * 64]):
        assert run("verify", *words).returncode == 2

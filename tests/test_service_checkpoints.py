"""Claims about checkpoints over HTTP, on the command line, and made each day by the service itself."""

import base64
import multiprocessing
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eventsourcing.persistence import OperationalError
from typer.testing import CliRunner

from ledger.checkpoints import Checkpoints, Made, Overtaken
from ledger.merkle import extends, includes
from ledger.notes import Key, Signer, read
from service import command_line, terminal
from service.anchoring import Anchoring
from service.auth import Scope
from service.settings import Settings
from service.signing import BadKey, signer_of
from tests.service_support import FUND, NEW_FUND, House, house, opening


def gift(village: House, fund: str = FUND) -> None:
    village.recorded(f"/funds/{fund}/donations", {"source": "business", "pot": "activity", "amount": 1_000})


def made(village: House, token: str | None = None) -> Any:
    return village.client.post("/v1/checkpoints", json={}, headers=village.headers(token))


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_an_inspector_has_a_checkpoint_made_and_asking_twice_makes_one(village: House) -> None:
    first, again = made(village, village.issue("inspector")), made(village, village.issue("admin"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.text == again.text == village.get("/checkpoints/1").text
    assert first.headers["Location"] == again.headers["Location"] == "/v1/checkpoints/1"
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert first.headers["Cache-Control"] == "no-store"
    note = read(first.text)
    assert (note.number, note.size, note.funds, note.made_at) == (1, 2, 2, village.clock())
    key = Key.read(village.get("/checkpoints/key").text)
    assert key.has_signed(first.text)
    gift(village)
    assert made(village).status_code == 201


def test_a_body_that_says_something_is_refused(village: House) -> None:
    answer = village.client.post("/v1/checkpoints", json={"fund": FUND}, headers=village.headers())

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown-field")


def test_checkpoints_are_listed_page_by_page(village: House) -> None:
    for _ in range(3):
        gift(village)
        village.clock.pass_days(1)
        assert made(village).status_code == 201

    first = village.get("/checkpoints?limit=2").json()
    rest = village.get(f"/checkpoints?limit=2&cursor={first['next']}").json()

    assert [item["number"] for item in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None
    assert first["key"] == village.get("/checkpoints/key").text.strip()
    shown = read(village.get("/checkpoints/3").text)
    assert first["items"][0] == {
        "number": 3,
        "origin": "microfund",
        "size": 4,
        "root": base64.b64encode(shown.root).decode(),
        "made_at": "2024-06-18T03:00:00Z",
        "funds": 2,
        "entries": shown.entries,
    }
    for cursor in ("abc", "-1", "9" * 30):
        assert village.get(f"/checkpoints?cursor={cursor}").status_code in (400, 422)


def test_a_funds_head_is_proved_with_a_few_hashes(village: House) -> None:
    made(village)
    gift(village)
    made(village)

    for number in (1, 2):
        proved = village.get(f"/funds/{FUND}/checkpoints/{number}").json()
        note = read(proved["note"])
        hashes = [base64.b64decode(one) for one in proved["proof"]]
        assert includes(note.root, note.size, proved["index"], proved["leaf"].encode(), hashes)
        assert proved["leaf"] == f"{FUND} {proved['version']} {proved['head']}"
        for asked in (f"head={proved['head']}", f"code={proved['check_code']}"):
            found = village.get(f"/funds/{FUND}/verification?{asked}").json()
            assert found["matches_version"] == proved["version"]
    proof = village.get("/checkpoints/2/consistency?from=1").json()
    hashes = [base64.b64decode(one) for one in proof["proof"]]
    old, new = read(village.get("/checkpoints/1").text), read(village.get("/checkpoints/2").text)
    assert (proof["from"]["size"], proof["to"]["size"]) == (old.size, new.size)
    assert extends(old.root, old.size, new.root, new.size, hashes)


def test_what_does_not_exist_is_not_found(village: House) -> None:
    made(village)
    village.recorded("/funds", opening("LS-LB-MAUSON"))

    for path in (
        "/checkpoints/2",
        "/checkpoints/0",
        "/checkpoints/last",
        "/checkpoints/1/consistency?from=2",
        f"/funds/{FUND}/checkpoints/2",
        "/funds/LS-LB-MAUSON/checkpoints/1",
    ):
        assert village.get(path).status_code == 404, path
    assert village.get("/checkpoints/2").json()["code"] == "checkpoint-not-found"


def test_a_proof_names_no_fund_out_of_scope(village: House) -> None:
    made(village)
    token = village.issue("reporter", scope=Scope(funds=frozenset({FUND})))

    answers = [
        village.get(path, token)
        for path in (
            "/checkpoints",
            "/checkpoints/1",
            "/checkpoints/key",
            "/checkpoints/1/consistency?from=1",
            f"/funds/{FUND}/checkpoints/1",
        )
    ]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not any(NEW_FUND in answer.text for answer in answers)
    assert village.get(f"/funds/{NEW_FUND}/checkpoints/1", token).status_code == 404


def test_nothing_is_signed_over_a_fund_that_was_cut_short_and_it_is_named_to_whom_it_concerns(village: House) -> None:
    made(village)
    gift(village)
    village.desk.ledger.database.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=NEW_FUND)

    seen = made(village)
    unseen = made(village, village.issue("inspector", scope=Scope(funds=frozenset({FUND}))))

    assert (seen.status_code, seen.json()["code"]) == (409, "funds-changed")
    assert (seen.json()["count"], seen.json()["funds"]) == (1, [NEW_FUND])
    assert (unseen.json()["count"], unseen.json()["funds"]) == (1, [])
    assert village.get("/checkpoints").json()["items"][0]["number"] == 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM checkpoint_leaves", "leaves-changed"),
        ("UPDATE checkpoints SET note = replace(note, 'funds 2', 'funds 3')", "signed-by-another-key"),
    ],
)
def test_nothing_is_signed_over_what_was_not_signed_before(village: House, sql: str, code: str) -> None:
    made(village)
    village.desk.ledger.database.execute(sql)

    answer = made(village)

    assert (answer.status_code, answer.json()["code"]) == (409, code)


# --- each day ---------------------------------------------------------------------------------------------------------


class Bad(Checkpoints):
    """Checkpoints of a database that is away, or overtaken, as long as there is something to raise."""

    def __init__(self, village: House, *errors: Exception) -> None:
        super().__init__(village.desk.ledger)
        self.errors = list(errors)

    def make(self, signer: Signer, now: datetime, *, after_another_key: bool = False) -> Made:
        if self.errors:
            raise self.errors.pop(0)
        return super().make(signer, now, after_another_key=after_another_key)


def anchoring(village: House, checkpoints: Checkpoints | None = None) -> Anchoring:
    signer = partial(signer_of, village.desk.settings)
    return Anchoring(checkpoints or village.desk.checkpoints, signer, village.clock, 60.0)


def test_the_service_makes_one_checkpoint_each_village_day_however_many_copies_run(village: House) -> None:
    copies = [anchoring(village) for _ in range(3)]

    for _ in range(3):
        gift(village)
        for _ in range(2):
            for copy in copies:
                copy.look()
                gift(village)
        village.clock.pass_days(1)

    listed = village.desk.checkpoints.listed(most=9)
    assert [str(one.checkpoint.made_at.date()) for one in listed] == ["2024-06-17", "2024-06-16", "2024-06-15"]
    assert {copy.made_at for copy in copies} == {listed[0].checkpoint.made_at}


def test_the_day_turns_in_the_village(village: House) -> None:
    village.clock.now = datetime(2024, 6, 15, 16, 59, tzinfo=UTC)
    copy = anchoring(village)
    copy.look()
    gift(village)
    copy.look()
    assert len(village.desk.checkpoints.listed(most=9)) == 1

    village.clock.now = datetime(2024, 6, 15, 17, 0, tzinfo=UTC)
    copy.look()

    assert len(village.desk.checkpoints.listed(most=9)) == 2


@pytest.mark.parametrize(
    "error", [OperationalError("disk full"), RuntimeError("a bug"), BadKey("no such file")], ids=repr
)
def test_a_failure_is_shown_and_the_next_look_makes_up_for_it(village: House, error: Exception) -> None:
    copy = anchoring(village, Bad(village, error, error))
    village.desk.anchoring = copy

    copy.look()
    copy.look()
    troubled = village.client.get("/readyz").json()["checkpoint"]
    copy.look()
    healed = village.client.get("/readyz").json()["checkpoint"]

    assert troubled == {"made_at": None, "trouble": type(error).__name__}
    assert healed == {"made_at": "2024-06-15T03:00:00Z", "trouble": None}


def test_a_changed_fund_is_shown_by_the_service_itself(village: House) -> None:
    made(village)
    village.clock.pass_days(1)
    village.desk.ledger.database.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=NEW_FUND)

    village.desk.anchoring.look()

    assert village.client.get("/readyz").json()["checkpoint"]["trouble"] == "FundsChanged"


def test_a_copy_that_was_overtaken_finds_the_others_checkpoint(village: House) -> None:
    copy = anchoring(village, Bad(village, Overtaken()))

    copy.look()
    assert (copy.trouble, copy.made_at) == (None, None)
    made(village)
    copy.look()

    assert (copy.trouble, copy.made_at) == (None, village.clock())
    assert len(village.desk.checkpoints.listed(most=9)) == 1


def test_a_service_without_funds_waits_for_the_first(sqlite_url: str) -> None:
    with house(sqlite_url) as empty:
        empty.desk.anchoring.look()
        assert empty.client.get("/readyz").json()["checkpoint"] == {"made_at": None, "trouble": None}
        assert (made(empty).status_code, made(empty).json()["code"]) == (409, "nothing-to-vouch-for")
        empty.recorded("/funds", opening())
        empty.desk.anchoring.look()
        assert len(empty.desk.checkpoints.listed(most=9)) == 1


def test_the_thread_looks_by_itself_and_stops(village: House) -> None:
    with Anchoring(village.desk.checkpoints, partial(signer_of, village.desk.settings), village.clock, 0.01) as running:
        while running.made_at is None:
            assert running.trouble is None
    assert len(village.desk.checkpoints.listed(most=9)) == 1


# --- the key ----------------------------------------------------------------------------------------------------------


def key_of(file: Path) -> str:
    return str(signer_of(Settings(checkpoint_key=str(file))).key)


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

    assert "MICROFUND_CHECKPOINT_KEY" in str(refused.value)
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


class Said(NamedTuple):
    """What a command answered; a mistake ends it with 2."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Said]


@pytest.fixture
def run(settled_database: Path, tmp_path: Path) -> Run:
    """The command line on a copy of the settled database, with a key of its own."""
    database = shutil.copy(settled_database, tmp_path / "fund.db")
    settings = {"DATABASE": f"sqlite:///{database}", "CHECKPOINT_KEY": str(tmp_path / "checkpoint.pem")}

    def run(*words: str) -> Said:
        environment = {f"MICROFUND_{name}": value for name, value in settings.items()}
        done = CliRunner().invoke(command_line.app, words, env=environment)
        if isinstance(done.exception, terminal.Mistake):
            return Said(2, done.stdout, str(done.exception))
        return Said(done.exit_code, done.stdout, done.stderr)

    return run


def test_the_command_line_makes_shows_and_verifies_checkpoints(run: Run, tmp_path: Path) -> None:
    made, again = run("checkpoint", "make"), run("checkpoint", "make")
    note, full = tmp_path / "note.txt", tmp_path / "full.txt"
    note.write_text(made.stdout, "utf-8")
    shown = run("checkpoint", "show", "1", "--with-heads")
    full.write_text(shown.stdout, "utf-8")
    key = run("checkpoint", "key").stdout.strip()

    verified = [run("checkpoint", "verify", str(note)), run("checkpoint", "verify", str(full), "--key", key)]

    assert (made.returncode, made.stdout) == (0, again.stdout)
    assert shown.stdout.startswith(made.stdout)
    assert re.fullmatch(rf"\n({FUND}|{NEW_FUND}) \d+ [0-9a-f]{{64}} \S{{19}}\n.+\n", shown.stdout[len(made.stdout) :])
    assert [one.returncode for one in verified] == [0, 0], verified
    assert "all 2 funds still have the heads that were signed" in verified[0].stdout
    assert re.fullmatch(r"1 \S+ 2 funds \d+ entries\n", run("checkpoint", "list").stdout)


def test_the_command_line_names_each_fund_that_is_no_longer_what_was_signed(run: Run, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text(run("checkpoint", "make").stdout, "utf-8")
    stranger = Signer("microfund", Ed25519PrivateKey.generate()).key
    with sqlite3.connect(tmp_path / "fund.db") as database:
        database.execute("DELETE FROM stored_events WHERE originator_id = ?", (NEW_FUND,))
        database.execute("DELETE FROM stored_events WHERE originator_id = ? AND originator_version > 9", (FUND,))
    database.close()

    found = run("checkpoint", "verify", str(note), "--key", str(stranger))
    refused = run("checkpoint", "make")

    assert found.returncode == refused.returncode == 1
    assert found.stdout.splitlines() == [
        "NOT SIGNED by this key",
        f"{FUND}: CUT SHORT, version 10 and later ones are missing",
        f"{NEW_FUND}: GONE, none of its entries is left",
    ]
    assert refused.stdout.split() == [FUND, NEW_FUND]


def test_a_change_of_keys_is_said_aloud(run: Run, tmp_path: Path) -> None:
    run("checkpoint", "make")
    (tmp_path / "checkpoint.pem").unlink()

    unsaid, said = run("checkpoint", "make"), run("checkpoint", "make", "--new-key")

    assert unsaid.returncode == 1
    assert "another key" in unsaid.stderr
    assert said.returncode == 0


def test_what_is_no_checkpoint_or_no_key_is_told_in_words(run: Run, tmp_path: Path) -> None:
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


def test_an_entry_is_found_by_what_stands_on_paper(run: Run) -> None:
    lines = run("history", FUND).stdout.splitlines()
    voucher = next(re.findall(r'"voucher":"(PT-[0-9-]+)"', line)[0] for line in lines if '"voucher":"PT' in line)
    by_voucher = run("verify", FUND, "--voucher", voucher)
    code = re.findall(r"check code (\S+)", by_voucher.stdout)[-1]
    by_code = run("verify", FUND, "--code", code)
    lost = run("verify", FUND, "--head", "0" * 64, "--voucher", "PC-1999-0001")

    assert (by_voucher.returncode, by_code.returncode, lost.returncode) == (0, 0, 1)
    version = re.findall(rf"{voucher}: version (\d+), \w+ of \d{{4}}", by_voucher.stdout)[0]
    assert f"{code}: belongs to version {version}" in by_code.stdout
    assert "belongs to NO version" in lost.stdout
    assert "borne by NO entry" in lost.stdout
    for words in (["--all", "--code", code], [FUND, "--code", "abc"], [FUND, "--code", code, "--head", "0" * 64]):
        assert run("verify", *words).returncode == 2

"""Claims about the service as a process, and about the command line; most commands run in the test's own process."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ledger.projections.read_model import ReadModel
from ledger.sqlite_engine import sqlite
from tests.support.commands import command
from tests.support.jobs import opened
from tests.support.keys import key_for
from tests.support.service import FUND, NAME, house, opening, settle_in
from tests.support.tables import store
from tests.support.village import whole_life

ROOT = Path(__file__).parents[2]


def settings_for(database_url: str) -> dict[str, str]:
    """The environment of a program that works on a database."""
    return os.environ | {"MICROFUND_DATABASE": database_url, "MICROFUND_REGISTER_KEY": str(key_for(database_url))}


def program(database_url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`microfund` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "service.command_line", *words],
        cwd=ROOT,
        env=settings_for(database_url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """A real process that serves the database; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "service.command_line", "serve", "--port", str(port)],
        cwd=ROOT,
        env=settings_for(database_url),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        said = iter(process.stderr)
        assert any("running on" in line for line in said)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_treasurer_records_over_a_real_connection(sqlite_url: str) -> None:
    issued = program(
        sqlite_url, "token", "issue", "--name", "Ban Chủ nhiệm", "--role", "admin", "--role", "treasurer", "--all"
    )
    token = issued.stdout.strip()
    assert issued.returncode == 0

    with served(sqlite_url) as address, httpx.Client(base_url=address, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        opened = client.post("/v1/funds", json=opening(), headers={"Idempotency-Key": "opens-the-fund"})
        again = client.post("/v1/funds", json=opening(), headers={"Idempotency-Key": "opens-the-fund"})
        large = client.post(
            "/v1/funds",
            content=b" " * 5_000_000,
            headers={"Idempotency-Key": "much-too-large", "Content-Type": "application/json"},
        )
        seen = client.get(f"/v1/funds/{FUND}")

    assert opened.status_code == again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert large.status_code == 413
    assert seen.json()["club"] == "Câu lạc bộ Mai Pha"
    assert "server" not in seen.headers


def test_a_token_is_printed_once_with_its_scope_checked(sqlite_url: str) -> None:
    wrong = [
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "king", "--all"),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair"),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--all", "--fund", FUND),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--fund", FUND, "--member", "3"),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--district", "Châu Thành"),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--all", "--district", "Châu Thành"),
        command(
            sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--fund", FUND, "--district", "Châu Thành"
        ),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--commune", "Vân Nham"),
        command(sqlite_url, "token", "issue", "--name", "N", "--role", "chair", "--all", "--commune", "Vân Nham"),
        command(sqlite_url, "token", "revoke", "mf_nobody"),
    ]

    assert {(one.returncode, one.stdout) for one in wrong} == {(2, "")}
    assert all(one.stderr and "Traceback" not in one.stderr for one in wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MICROFUND_DATABASE", "mysql://user:secret@host/name"),
        ("MICROFUND_PORT", "many"),
        ("MICROFUND_READ_WAIT_SECONDS", "-1"),
        ("MICROFUND_CHECKS_PER_MINUTE", "0"),
        ("MICROFUND_FLAG_LATE_DAYS", "many"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_start_in_words(sqlite_url: str, name: str, value: str) -> None:
    refused = command(sqlite_url, "verify", "--all", **{name: value})

    assert (refused.returncode, refused.stdout) == (2, "")
    assert name in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_history_is_verified_from_the_database_and_from_its_file(sqlite_url: str, tmp_path: Path) -> None:
    with house(sqlite_url) as village:
        settle_in(village)
        code = village.get(f"/funds/{FUND}/verification").json()["check_code"]
        stored = village.get(f"/funds/{FUND}/history").content
        count = len(stored.splitlines())

    printed = program(sqlite_url, "history", FUND)
    file = tmp_path / "maipha.ndjson"
    file.write_text(printed.stdout, "utf-8")
    intact = [command(sqlite_url, "verify", what) for what in (FUND, "--all", str(file))]

    assert printed.stdout.encode() == stored
    assert NAME not in printed.stdout
    assert [one.returncode for one in intact] == [0, 0, 0]
    assert all(f": sổ nguyên vẹn, {count} bút toán, mã kiểm tra {code}\n" in one.stdout for one in intact)

    lines = printed.stdout.splitlines(keepends=True)
    file.write_text("".join([*lines[:5], lines[5].replace("business", "programme"), *lines[6:]]), "utf-8")
    broken = command(sqlite_url, "verify", str(file))
    assert broken.returncode == 1
    assert broken.stdout == f"{file}: sổ KHÔNG KHỚP từ bút toán số 7, 6 bút toán trước đó còn nguyên vẹn\n"


def test_a_history_may_be_printed_as_it_was_known(sqlite_url: str) -> None:
    with house(sqlite_url) as village:
        village.recorded("/funds", opening())
        village.clock.pass_days(2)
        village.recorded(f"/funds/{FUND}/donations", {"source": "member", "pot": "activity", "amount": 1_000})

    known = command(sqlite_url, "history", FUND, "--known-at", "2024-06-16T00:00:00+00:00")

    assert [json.loads(line)["version"] for line in known.stdout.splitlines()] == [1, 2]
    assert command(sqlite_url, "history", "LS-NO-SUCH").returncode == 2


def test_the_read_model_is_made_anew_from_the_log(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=30) as village:
        settle_in(village)
        before = village.get(f"/funds/{FUND}/balances?min_position={village.entries()}").json()
        events = village.entries()

    rebuilt = command(sqlite_url, "rebuild")

    assert rebuilt.returncode == 0
    assert f"đã lập lại các bảng số liệu từ {events} bút toán" in rebuilt.stderr
    with house(sqlite_url, read_wait_seconds=30) as village:
        assert village.get(f"/funds/{FUND}/balances").json() == before


def test_the_read_model_proves_itself_and_a_changed_figure_is_named(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=30) as village:
        settle_in(village)
        village.get(f"/funds/{FUND}/balances?min_position={village.entries()}")

    proved = command(sqlite_url, "verify", "--projections")
    with sqlite.connect(sqlite_url.removeprefix("sqlite:///")) as tables:
        tables.execute("UPDATE balances SET amount = amount + 1 WHERE account = 'cash' AND pot = 'activity'")
    tables.close()
    disproved = command(sqlite_url, "verify", "--projections")

    assert (proved.returncode, "mọi dòng đều đúng với kết quả tính lại từ sổ" in proved.stdout) == (0, True)
    assert disproved.returncode == 1
    assert f"{FUND}: bảng balances, dòng" in disproved.stdout


def test_a_read_model_that_cannot_be_trusted_is_named_with_the_way_out(sqlite_url: str) -> None:
    unmade = (2, "các bảng số liệu chưa được lập: xin chạy microfund rebuild\n")
    with opened(sqlite_url) as ledger:
        store(ledger, whole_life().pending)
    without_tables = command(sqlite_url, "verify", "--projections")
    with opened(sqlite_url) as ledger:
        ReadModel(ledger.database).create_tables()
    with_empty_ones = command(sqlite_url, "verify", "--projections")
    assert [(one.returncode, one.stderr) for one in (without_tables, with_empty_ones)] == [unmade, unmade]

    with opened(sqlite_url) as ledger:
        ledger.database.execute("UPDATE read_model SET shape = 'of last year'")
    for words in (["serve"], ["verify", "--projections"]):
        refused = command(sqlite_url, *words)
        assert (refused.returncode, "microfund rebuild" in refused.stderr) == (2, True)
        assert "Traceback" not in refused.stderr

    assert command(sqlite_url, "rebuild").returncode == 0
    assert command(sqlite_url, "verify", "--projections").returncode == 0


@pytest.mark.parametrize(
    ("program", "line"),
    [("hledger", "    assets:revolving:cash  50000000 VND"), ("beancount", "  Assets:Revolving:Cash  50000000 VND")],
)
def test_a_funds_journal_is_printed_for_other_programs_to_add_up(sqlite_url: str, program: str, line: str) -> None:
    with house(sqlite_url) as village:
        settle_in(village)

    exported = command(sqlite_url, "export", FUND, "--format", program)

    assert exported.returncode == 0
    assert line in exported.stdout.splitlines()
    assert NAME not in exported.stdout
    assert command(sqlite_url, "export", "LS-NO-SUCH").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("history", "\udcff"),
        ("verify", "\udcff"),
        ("flags", "\udcff"),
        ("export", "\udcff"),
        ("diff", "\udcff", "2024-06-15"),
        ("sample", "\udcff", "--seed", "XSMB-48213"),
        ("token", "issue", "--name", "\udcff", "--role", "admin", "--all"),
        ("token", "revoke", "\udcff"),
    ],
)
def test_what_a_terminal_of_another_encoding_sends_is_refused_in_words(
    database_url: str, words: tuple[str, ...]
) -> None:
    refused = command(database_url, *words)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr

"""A database that nobody may write to, as an inspector is given it or after a fail-over: every command that only reads
says the same as of one that may be written to, and changes nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from scripts.fault_trials.cut_line import set_for_database
from tests.support.commands import Said, command
from tests.support.keys import key_for
from tests.support.service import FUND, found_anew, house, settle_in

ROOT = Path(__file__).parents[2]
NOTE = "note.txt"
COMMANDS: list[list[str]] = [
    ["history", FUND],
    ["verify", FUND],
    ["verify", "--all"],
    ["verify", "--projections"],
    ["verify", FUND, "--voucher", "PT-2024-0001"],
    ["flags", "--all"],
    ["flags", FUND],
    ["export", FUND],
    ["export", FUND, "--format", "beancount"],
    ["diff", FUND, "2024-06-15@5"],
    ["sample", "--seed", "XSMB-48213", "--clubs", "1"],
    ["sample", FUND, "--seed", "XSMB-48213", "--vouchers", "2"],
    ["checkpoint", "list"],
    ["checkpoint", "show", "1", "--with-heads"],
    ["checkpoint", "key"],
    ["checkpoint", "verify", NOTE],
]
"""Every command that only reads."""

AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""The superuser may write to what is read-only; without these capabilities not."""

RUN = """
import json, sys
from tests.support.commands import command
url, *commands = json.loads(sys.stdin.read())
print(json.dumps([command(url, *words) for words in commands]))
"""


@pytest.fixture
def settled(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with two funds, its read model and a checkpoint; what it is signed with lies apart."""
    key = tmp_path / "keys" / "checkpoint.pem"
    key.parent.mkdir()
    monkeypatch.setenv("MICROFUND_CHECKPOINT_KEY", str(key))
    with house(database_url, checkpoint_key=str(key), read_wait_seconds=30) as village:
        settle_in(village)
        found_anew(village)
        village.get(f"/funds/{FUND}/balances?min_position={village.entries()}")
        note = village.client.post("/v1/checkpoints", json={}, headers=village.headers()).text
    (tmp_path / "keys" / NOTE).write_text(note, "utf-8")
    monkeypatch.chdir(tmp_path / "keys")
    return database_url


def said_alone(url: str) -> list[Said]:
    """What the commands say in a process that may not write where permissions forbid it."""
    ran = subprocess.run(
        [*AS_ANYBODY, sys.executable, "-c", RUN],
        input=json.dumps([url, *COMMANDS]),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [Said(*said) for said in json.loads(ran.stdout)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("in_use", [False, True], ids=["at rest", "in use"])
def test_a_file_in_a_directory_without_write_permission_is_read_all_the_same(
    settled: str, tmp_path: Path, in_use: bool
) -> None:
    file = Path(settled.removeprefix("sqlite:///"))
    there = tmp_path / "inspection"
    there.mkdir()
    before = [command(settled, *words) for words in COMMANDS]
    shutil.copy(file, there / "fund.db")
    key_for(f"sqlite:///{there / 'fund.db'}")
    held = {path.name: path.read_bytes() for path in there.iterdir()}
    url = f"sqlite:///{there / 'fund.db'}"
    with house(url) if in_use else open(os.devnull):  # Nobody, or a service that has it open.
        for path in (*there.iterdir(), there):
            path.chmod(path.stat().st_mode & 0o555)
        try:
            after = said_alone(url)
            with_permission = sorted(path.name for path in there.iterdir())
        finally:
            there.chmod(0o755)

    assert after == before
    assert {said.returncode for said in after} == {0}
    if not in_use:
        assert with_permission == ["fund.db", "fund.db.register-key"]
        assert {path.name: path.read_bytes() for path in there.iterdir()} == held


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_server_that_only_reads_is_read_by_every_command(settled: str) -> None:
    before = [command(settled, *words) for words in COMMANDS]
    set_for_database(settled, "default_transaction_read_only = on")
    try:
        with psycopg.connect(settled) as session, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute("CREATE TABLE theirs (x int)")
        after = [command(settled, *words) for words in COMMANDS]
    finally:
        with psycopg.connect(settled, autocommit=True, options="-c default_transaction_read_only=off") as session:
            session.execute(f"ALTER DATABASE {session.info.dbname} RESET default_transaction_read_only")

    assert after == before
    assert {said.returncode for said in after} == {0}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_command_that_only_reads_changes_no_byte(settled: str) -> None:
    file = Path(settled.removeprefix("sqlite:///"))
    held = {path.name: path.read_bytes() for path in file.parent.glob("fund.db*")}
    for words in COMMANDS:
        assert command(settled, *words).returncode == 0, words
        assert {path.name: path.read_bytes() for path in file.parent.glob("fund.db*")} == held, words

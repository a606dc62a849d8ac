"""The file of an SQLite database: whose it is, who makes it, and what is said when it is taken away."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.database import UnsafeStorage
from ledger.jobs import Recorded, StorageUnavailable
from ledger.storage.sqlite_connections import JOURNAL_MODE
from ledger.storage.sqlite_file import DatabaseFileGone
from tests.support.commands import command
from tests.support.jobs import FUND, gift, one_fund, opened, opening, recorded
from tests.support.keys import key_for
from tests.support.microfund import environment_for, microfund, served
from tests.support.service import FUND as VILLAGE
from tests.support.service import House


def beside(file: Path) -> list[Path]:
    """A database file and what SQLite keeps beside it."""
    return sorted(set(file.parent.glob(f"{file.name}*")) - {key_for(f"sqlite:///{file}")})


# --- taken away beneath the service -----------------------------------------------------------------------------------


def delete(file: Path) -> None:
    file.unlink()


def delete_all(file: Path) -> None:
    for path in beside(file):
        if path.suffix != ".pem":
            path.unlink()


def move(file: Path) -> None:
    file.rename(file.with_name("elsewhere.db"))


def replace(file: Path) -> None:
    shutil.copy(file, file.with_name("copy.db"))
    file.with_name("copy.db").replace(file)


def replace_by_an_empty_one(file: Path) -> None:
    file.unlink()
    file.touch()


def replace_by_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def delete_the_log(file: Path) -> None:
    Path(f"{file}-wal").unlink()


def replace_the_index(file: Path) -> None:
    index = Path(f"{file}-shm")
    held = index.read_bytes()
    index.unlink()
    index.write_bytes(held)


WAYS = [delete, delete_all, move, replace, replace_by_an_empty_one, replace_by_a_directory]
WAYS_OF_A_LOG = [delete_the_log, replace_the_index]


@pytest.mark.parametrize("take_away", [*WAYS, *WAYS_OF_A_LOG], ids=lambda way: way.__name__)
def test_nothing_is_acknowledged_nor_read_once_the_file_was_taken_away(
    village: House, tmp_path: Path, take_away: Callable[[Path], None]
) -> None:
    if take_away in WAYS_OF_A_LOG and JOURNAL_MODE != "wal":
        pytest.skip("this engine keeps no write-ahead log")
    gift = {"source": "community", "pot": "activity", "amount": 50_000}
    village.recorded(f"/funds/{VILLAGE}/donations", gift)

    take_away(tmp_path / "fund.db")
    answers = [
        village.post(f"/funds/{VILLAGE}/donations", gift),
        village.post("/funds/LS-NO-SUCH/donations", gift),
        village.get(f"/funds/{VILLAGE}/history"),
        village.get("/funds"),
    ]
    ready = village.client.get("/readyz")

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "storage-unavailable")] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in [*answers, ready])
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    assert "moved, deleted or replaced" in ready.json()["storage"]["trouble"]
    assert str(tmp_path) not in ready.text


def test_a_file_that_was_moved_serves_again_when_it_is_put_back(village: House, tmp_path: Path) -> None:
    gift = {"source": "community", "pot": "activity", "amount": 50_000}
    (tmp_path / "fund.db").rename(tmp_path / "elsewhere.db")
    refused = village.post(f"/funds/{VILLAGE}/donations", gift, key="gift-while-moved")
    assert refused.status_code == 503

    (tmp_path / "elsewhere.db").rename(tmp_path / "fund.db")
    again = village.post(f"/funds/{VILLAGE}/donations", gift, key="gift-while-moved")

    assert (again.status_code, "Idempotency-Replayed" in again.headers) == (201, False)
    assert village.client.get("/readyz").status_code == 200


def test_a_commit_that_went_into_a_file_taken_away_meanwhile_is_none(sqlite_url: str, tmp_path: Path) -> None:
    with one_fund(sqlite_url) as ledger:
        writing = ledger.database.transaction()
        writing.__enter__().execute("UPDATE settings SET value = value")
        (tmp_path / "fund.db").unlink()
        with pytest.raises(DatabaseFileGone):
            writing.__exit__(None, None, None)
        (outcome,) = ledger.record([gift("gift-0001")])
        assert isinstance(outcome, StorageUnavailable)
        with pytest.raises(OperationalError):
            ledger.replayed(FUND)


def test_a_service_whose_file_was_deleted_says_so_and_makes_none_when_it_is_started_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    with opened(sqlite_url) as ledger:
        recorded(ledger.record([opening()])[0])
    token = command(sqlite_url, "token", "issue", "--name", "Thủ quỹ", "--role", "treasurer", "--all").stdout.strip()
    gift = {"source": "community", "pot": "activity", "amount": 50_000}

    def give(client: httpx.Client, key: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return client.post(f"/v1/funds/{FUND}/donations", json=gift, headers=headers).status_code

    with served(sqlite_url) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert give(client, "gift-before") == 201
        delete_all(tmp_path / "fund.db")
        assert [give(client, f"gift-after-{number}") for number in range(5)] == [503] * 5
        assert client.get("/readyz").status_code == 503
    again = microfund("serve", environment=environment_for(sqlite_url), home=tmp_path)

    assert (again.returncode, again.stdout) == (2, "")
    assert f"không có cơ sở dữ liệu {tmp_path / 'fund.db'}" in again.stderr
    assert "Traceback" not in again.stderr
    assert not (tmp_path / "fund.db").exists()


# --- made on purpose only ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("serve",),
        ("rebuild",),
        ("verify", "--all"),
        ("verify", "--projections"),
        ("verify", FUND),
        ("history", FUND),
        ("export", FUND),
        ("flags", "--all"),
        ("diff", FUND, "2024-12-31"),
        ("sample", "--seed", "XSMB-48213", "--clubs", "1"),
        ("checkpoint", "list"),
        ("checkpoint", "make"),
        ("checkpoint", "key"),
        ("token", "revoke", "mf_nobody"),
    ],
    ids=" ".join,
)
def test_a_name_that_no_database_has_is_told_and_none_is_made(
    sqlite_url: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    key = str(tmp_path / "checkpoint.pem")
    missing = command(sqlite_url, *words, MICROFUND_CHECKPOINT_KEY=key)
    (tmp_path / "fund.db").touch()
    empty = command(sqlite_url, *words, MICROFUND_CHECKPOINT_KEY=key)

    assert [(one.returncode, one.stdout) for one in (missing, empty)] == [(2, ""), (2, "")]
    assert "không có cơ sở dữ liệu" in missing.stderr
    assert "không chứa sổ quỹ nào" in empty.stderr
    assert all("microfund token issue" in one.stderr for one in (missing, empty))
    assert sorted(path.name for path in tmp_path.iterdir() if path != key_for(sqlite_url)) == ["fund.db"]
    assert (tmp_path / "fund.db").read_bytes() == b""


@pytest.mark.bare
def test_a_database_of_somebody_else_is_none_of_ours(postgres_url: str) -> None:
    refused = command(postgres_url, "verify", "--all")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "không chứa sổ quỹ nào" in refused.stderr


def test_a_name_is_a_path_whatever_it_looks_like(tmp_path: Path) -> None:
    for name in ("quỹ 100%?mode=ro#1.db", "a&b=c.db"):
        with opened(f"sqlite:///{tmp_path / name}") as ledger:
            recorded(ledger.record([opening()])[0])
        assert (tmp_path / name).stat().st_size
    for name in ("file:fund.db?mode=memory", ":memory:"):
        with pytest.raises(UnsafeStorage, match="no-file-named"):
            Ledger(f"sqlite:///{name}")
    with pytest.raises(UnsafeStorage, match="not-made"):
        Ledger(f"sqlite:///{tmp_path / 'no' / 'such' / 'fund.db'}")


# --- for its owner's eyes ---------------------------------------------------------------------------------------------


def modes(file: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in beside(file)}


def test_a_new_database_is_its_owners_alone_whatever_the_umask(sqlite_url: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with one_fund(sqlite_url):
            assert len(beside(tmp_path / "fund.db")) > 1
            assert modes(tmp_path / "fund.db") == {0o600}
    finally:
        os.umask(before)


def test_a_database_that_others_may_read_is_kept_from_them_at_the_next_start(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with one_fund(sqlite_url) as first:
        for path in beside(tmp_path / "fund.db"):
            path.chmod(0o644)
        with opened(sqlite_url) as ledger:
            assert modes(tmp_path / "fund.db") == {0o600}
            assert f"others could read {tmp_path / 'fund.db'}" in caplog.text
            assert isinstance(ledger.record([gift("gift-0001")])[0], Recorded)
        (tmp_path / "fund.db").chmod(0o640)
        factory: Any = first.factory
        assert any("chmod 600" in finding for finding in factory.findings())

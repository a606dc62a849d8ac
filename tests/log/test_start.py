"""The databases the log refuses to lie in, and those that are in the way for a while."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.database import UnsafeStorage
from ledger.jobs import StorageUnavailable
from ledger.sqlite_engine import has_wal_reset_race, sqlite
from ledger.storage import sqlite_connections
from ledger.storage.postgres_sessions import parameters
from scripts.fault_trials.cut_line import set_for_database
from tests.support.jobs import FUND, gift, opened, opening, recorded

# --- starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "races"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_the_sqlite_versions_with_the_wal_reset_race_are_known(version: tuple[int, int, int], races: bool) -> None:
    assert has_wal_reset_race(version) is races


def test_sqlite_syncs_every_commit_and_stays_out_of_reach_of_the_race(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        for _ in range(2):
            assert ledger.database.query("PRAGMA synchronous") == [{"synchronous": 2}]
            assert ledger.database.query("PRAGMA secure_delete") == [{"secure_delete": 1}]
            (mode,) = ledger.database.query("PRAGMA journal_mode")
            races = has_wal_reset_race(sqlite.sqlite_version_info)
            assert mode == {"journal_mode": "truncate" if races else "wal"}
            factory: Any = ledger.factory
            assert bool(factory.findings()) is races


def test_a_file_that_another_program_keeps_in_another_journal_mode_is_not_used(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connections, "LOCK_SECONDS", 1)
    opposite = "wal" if sqlite_connections.JOURNAL_MODE == "truncate" else "truncate"
    with sqlite.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute(f"PRAGMA journal_mode={opposite}")
        other.execute("CREATE TABLE theirs (x)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            Ledger(sqlite_url)
    other.close()
    with opened(sqlite_url) as ledger:
        assert ledger.database.query("PRAGMA journal_mode") == [{"journal_mode": sqlite_connections.JOURNAL_MODE}]


def test_memory_and_files_that_are_no_database_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UnsafeStorage, match="no-file-named"):
        Ledger("sqlite:///:memory:")
    (tmp_path / "letter.txt").write_text("Kính gửi Ban Chủ nhiệm\n" * 500)
    with pytest.raises(UnsafeStorage, match="not a database"):
        Ledger(f"sqlite:///{tmp_path / 'letter.txt'}")


@pytest.mark.parametrize("url", ["", "fund.db", "sqlite://fund.db", "mysql://localhost/fund", "http://example.org"])
def test_an_unknown_url_is_refused_with_the_two_that_are_known(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///PATH or postgresql://"):
        Ledger(url)


@pytest.mark.bare
def test_a_postgres_that_may_lose_acknowledged_entries_is_refused_in_words(postgres_url: str) -> None:
    set_for_database(postgres_url, "synchronous_commit = off")
    with pytest.raises(UnsafeStorage, match="setting = synchronous_commit"):
        Ledger(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT to_regclass('stored_events')").fetchone() == (None,)
    set_for_database(postgres_url, "synchronous_commit = on")
    Ledger(postgres_url).close()


def test_all_of_a_postgres_url_counts(postgres_url: str) -> None:
    with opened(f"{postgres_url}{'&' if '?' in postgres_url else '?'}application_name=bac-son") as ledger:
        assert ledger.database.query("SHOW application_name") == [{"application_name": "bac-son"}]
        assert ledger.database.query("SHOW lock_timeout") == [{"lock_timeout": "30s"}]
    said = parameters("postgres://thu%20quy:m%40t@db.example.org:6543/quy?sslmode=verify-full&connect_timeout=9")
    assert [said[name] for name in ("user", "password", "host", "port", "dbname", "sslmode", "connect_timeout")] == [
        "thu quy",
        "m@t",
        "db.example.org",
        "6543",
        "quy",
        "verify-full",
        "9",
    ]
    assert "target_session_attrs" not in said
    assert parameters("postgresql://quy@a,b,c/quy")["target_session_attrs"] == "read-write"


def test_the_secret_that_keys_digests_is_made_once(database_url: str) -> None:
    with opened(database_url) as ledger:
        secret = ledger.request_secret
        assert len(secret) == 32
    with opened(database_url) as ledger:
        assert ledger.request_secret == secret


# --- storage that is in the way ---------------------------------------------------------------------------------------


def test_a_reader_who_stays_too_long_delays_nobody_once_he_is_gone(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connections, "LOCK_SECONDS", 1)
    monkeypatch.setattr(sqlite_connections, "JOURNAL_MODE", "truncate")
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.0)
    reader = sqlite.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    with opened(sqlite_url) as ledger:
        recorded(ledger.record([opening()])[0])
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM stored_events").fetchone()
        assert isinstance(ledger.record([gift("gift-0001")])[0], StorageUnavailable)
        assert ledger.replayed(FUND).version == 2
        reader.execute("ROLLBACK")
        assert recorded(ledger.record([gift("gift-0001")])[0]).version == 3
    reader.close()


def test_a_connection_that_cannot_be_made_keeps_nobody_out_afterwards(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.0)
    with opened(sqlite_url) as ledger:
        recorded(ledger.record([opening()])[0])
        with ExitStack() as readers:
            readers.enter_context(ledger.database.transaction(commit=False))
            os.rename(tmp_path, f"{tmp_path}-away")
            outcomes = ledger.record([gift("gift-0001")])
            os.rename(f"{tmp_path}-away", tmp_path)
        assert isinstance(outcomes[0], StorageUnavailable)
        assert recorded(ledger.record([gift("gift-0001")])[0]).version == 3

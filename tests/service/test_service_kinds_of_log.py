"""Claims about logs that are no funds, seen from outside: verified like a fund, and in no list or feed of funds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.aggregates import kinds
from ledger.events import EVENT_TYPES
from service.access.principals import Scope
from tests.support.commands import command
from tests.support.diary import DAYS, DIARIES, DIARY, note_days, noted, rewrite
from tests.support.jobs import FUND, one_fund, opened, stored
from tests.support.service import House, house
from tests.support.verifying import run


@pytest.fixture(autouse=True)
def a_kind_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program knows diaries, for as long as a claim about them is tried."""
    monkeypatch.setitem(kinds.OTHERS, "diary", DIARIES)


# --- verified ---------------------------------------------------------------------------------------------------------


def test_verifying_all_goes_through_the_diaries_after_the_funds(sqlite_url: str) -> None:
    with one_fund(sqlite_url) as ledger:
        note_days(ledger, DAYS)
        said = command(sqlite_url, "verify", "--all", "--lang", "en")
        assert said.returncode == 0
        assert [line.partition(":")[0] for line in said.stdout.splitlines()] == [FUND, DIARY]
        lines = stored(ledger, DIARY)
        rewrite(ledger, DIARY, [lines[0], lines[1].replace("mưa".encode(), b"nang"), *lines[2:]])
    said = command(sqlite_url, "verify", "--all", "--lang", "en")
    assert said.returncode == 1
    assert said.stdout.splitlines()[1] == "diary: BROKEN at version 3, 2 entries before it are intact"


def test_a_diary_is_verified_by_itself_and_its_lines_are_printed(sqlite_url: str) -> None:
    with one_fund(sqlite_url) as ledger:
        note_days(ledger, DAYS)
        lines = stored(ledger, DIARY)
    said = command(sqlite_url, "verify", DIARY, "--lang", "en")
    assert (said.returncode, said.stdout.startswith("diary: intact, 5 entries")) == (0, True)
    assert command(sqlite_url, "history", DIARY).stdout == "".join(f"{line.decode()}\n" for line in lines)


def test_the_stand_alone_verifier_checks_the_chain_of_a_kind_it_does_not_know() -> None:
    lines = [entry.line for entry in noted(DIARY, DAYS)]
    exit_code, said = run(lines)
    assert exit_code == 0
    assert "UNKNOWN type WeatherNoted, from entry no. 1 on" in said
    exit_code, said = run([lines[0].replace("mưa".encode(), b"bao"), *lines[1:]])
    assert exit_code == 1
    assert "BROKEN at entry no. 2" in said


@pytest.mark.parametrize(
    "words",
    [
        ("export", DIARY),
        ("flags", DIARY),
        ("diff", DIARY, "2024-01-01"),
        ("sample", "--seed", "XSMB-1", "--vouchers", "1", DIARY),
    ],
    ids=lambda words: str(words[0]),
)
def test_what_is_asked_about_funds_finds_no_diary(sqlite_url: str, words: tuple[str, ...]) -> None:
    with one_fund(sqlite_url) as ledger:
        note_days(ledger, DAYS)
    said = command(sqlite_url, *words)
    assert said.returncode == 2
    assert said.stdout == ""
    assert DIARY in said.stderr


# --- the service ------------------------------------------------------------------------------------------------------


@pytest.fixture
def village(settled_database: Path, tmp_path: Path) -> Iterator[House]:
    """A running service on the settled database, into which a diary was written."""
    url = f"sqlite:///{tmp_path / 'fund.db'}"
    shutil.copy(settled_database, tmp_path / "fund.db")
    with opened(url) as ledger:
        note_days(ledger, DAYS)
    with house(url, read_wait_seconds=30) as running:
        yield running


def test_the_feed_passes_over_diaries(village: House) -> None:
    def items(after: int = 0) -> tuple[list[Any], int]:
        page = village.get(f"/feed?after={after}&limit=500").json()
        return page["items"], page["next"]

    seen, after = items()
    assert after == village.entries()
    assert len(seen) == village.entries() - DAYS
    assert {item["event"]["type"] for item in seen} <= EVENT_TYPES.keys()
    assert items(after - 2) == ([], after)


def test_no_route_of_funds_leads_to_a_diary(village: House) -> None:
    funds = village.get(f"/funds?min_position={village.entries()}").json()["items"]
    assert DIARY not in {fund["fund"] for fund in funds}
    for path in ("", "/history", "/verification", "/balances", "/entries", "/checkpoints/1"):
        assert village.get(f"/funds/{DIARY}{path}").status_code in (404, 422)
    assert village.get(f"/check?fund={DIARY}&code=AAAA-BBBB-CCCC-DDDD").status_code == 422


def test_a_changed_diary_is_named_to_those_only_who_may_see_everything(village: House) -> None:
    def made(token: str) -> Any:
        return village.client.post("/v1/checkpoints", json={}, headers=village.headers(token))

    everywhere = village.issue("inspector")
    of_a_province = village.issue("inspector", scope=Scope(province="Lạng Sơn"))
    assert made(everywhere).status_code == 201
    ledger = village.state.ledger
    rewrite(ledger, DIARY, [entry.line for entry in noted(DIARY, DAYS)])
    refused, hidden = made(everywhere), made(of_a_province)
    assert (refused.status_code, hidden.status_code) == (409, 409)
    assert DIARY in refused.text
    assert DIARY not in hidden.text

"""Every command takes what the service prints: instants, days, versions, check codes, heads, vouchers, keys."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Said, command
from tests.support.service import FUND, House, house, settle_in


@pytest.fixture
def village(sqlite_url: str) -> Iterator[House]:
    """A fund whose entries were recorded a part of a second apart."""
    with house(sqlite_url, read_wait_seconds=30) as running:
        running.clock.now += timedelta(microseconds=123_400)
        settle_in(running)
        running.clock.now += timedelta(microseconds=1)
        running.recorded(f"/funds/{FUND}/donations", {"source": "member", "pot": "activity", "amount": 1_000})
        yield running


def versions(said: Said) -> list[int]:
    assert said.returncode == 0, said.stderr
    return [json.loads(line)["version"] for line in said.stdout.splitlines()]


def instants(value: Any) -> set[str]:
    """Every text in an answer that tells an instant."""
    if isinstance(value, dict):
        return set().union(*map(instants, value.values()))
    if isinstance(value, list):
        return set().union(*map(instants, value))
    return {value} if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) else set()


def test_an_instant_is_taken_as_any_answer_prints_it(village: House, sqlite_url: str) -> None:
    last = village.entries()
    answers = [
        village.get(path).json()
        for path in (
            f"/funds/{FUND}/entries/{last}",
            f"/funds/{FUND}/diff?from=@{last - 1}",
            f"/funds/{FUND}/diff?from=@1",
            f"/funds/{FUND}/balances",
            f"/funds/{FUND}/journal",
            "/feed",
        )
    ]
    written = instants(answers)
    assert any("." in one for one in written), "fractions are printed"
    same = {"2024-06-15T03:00:00.123401Z", "2024-06-15T03:00:00.123401+00:00", "2024-06-15T10:00:00.123401+07:00"}

    for one in sorted(written | same):
        known = versions(command(sqlite_url, "history", FUND, "--known-at", one))
        assert known == list(range(1, (last if "1234" not in one or "123401" in one else last - 1) + 1)), one
        assert command(sqlite_url, "diff", FUND, f"2024-06-15@{one}").returncode == 0, one


def test_a_day_is_taken_as_json_and_as_paper_write_it(village: House, sqlite_url: str) -> None:
    for command_line in (
        ("diff", FUND, "{}@5"),
        ("diff", FUND, "{}@5", "{}@9"),
        ("sample", FUND, "--seed", "XSMB-48213", "--vouchers", "1", "--from", "{}"),
        ("sample", FUND, "--seed", "XSMB-48213", "--vouchers", "1", "--to", "{}"),
    ):
        said = [
            command(sqlite_url, *(word.format(day) for word in command_line)) for day in ("2024-02-15", "15/02/2024")
        ]
        assert said[0].returncode == 0
        assert said[0] == said[1]


def test_what_stands_in_one_answer_is_looked_up_by_another(village: House, sqlite_url: str, tmp_path: Path) -> None:
    last = village.entries()
    entry = village.get(f"/funds/{FUND}/entries/{last}").json()
    note = tmp_path / "note.txt"
    note.write_text(village.client.post("/v1/checkpoints", json={}, headers=village.headers()).text, "utf-8")
    key = {"MICROFUND_CHECKPOINT_KEY": village.state.settings.checkpoint_key}
    public = village.get("/checkpoints/key").text

    for asked in (
        ("verify", FUND, "--code", entry["check_code"]),
        ("verify", FUND, "--head", entry["hash"]),
        ("verify", FUND, "--voucher", entry["voucher"]),
        ("sample", FUND, "--seed", "XSMB-48213", "--vouchers", "1", "--known-version", str(entry["version"])),
        ("diff", FUND, f"{entry['on']}@{entry['version'] - 1}", f"{entry['on']}@{entry['recorded_at']}"),
        ("checkpoint", "verify", str(note), "--key", public),
        ("checkpoint", "show", "1"),
    ):
        assert command(sqlite_url, *asked, **key).returncode == 0, asked
    listed = command(sqlite_url, "checkpoint", "list", **key).stdout.split()
    assert command(sqlite_url, "history", FUND, "--known-at", listed[1]).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("history", FUND, "--known-at", "yesterday"),
        ("history", FUND, "--known-at", "2024-06-15T03:00:00"),
        ("sample", FUND, "--seed", "XSMB-48213", "--from", "31/02/2024"),
        ("sample", FUND, "--seed", "XSMB-48213", "--to", "2024-13-01"),
        ("diff", FUND, "2024-06-15@soon"),
    ],
    ids=" ".join,
)
def test_what_nobody_prints_is_refused_with_an_example(village: House, sqlite_url: str, words: tuple[str, ...]) -> None:
    refused = command(sqlite_url, *words)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "2024-12-31" in refused.stderr
    assert "Traceback" not in refused.stderr

"""What `scripts/faults` judges, records and draws: a loss is seen, a synced write is in every image, a control that
does not fail is told. The rows themselves are run by `.ci/run`; here the cheapest, as people would type it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scripts.benchmarks.workshop import opened_ledger
from scripts.fault_trials.__main__ import CONTROL_TRIES, ROWS, controlled
from scripts.fault_trials.books import FUNDS, found
from scripts.fault_trials.crowd import Journal
from scripts.fault_trials.judge import by_then, judged, told_in
from scripts.fault_trials.power import Disk
from scripts.fault_trials.table import verdict_of
from scripts.fault_trials.tracing import Call, calls_in
from scripts.fault_trials.trial import Figures
from tests.programs.test_readme import README, ROOT, environment
from tests.support.jobs import gift, recorded
from tests.support.keys import key_for

FUND = FUNDS[0]


# --- as it is typed ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the cheapest row, on SQLite, comes to."""
    file = tmp_path_factory.mktemp("faults") / "faults.json"
    words = ("--short", "--only", "rewriting", "--engine", "SQLite", "--seed", "7", "--json", file)
    subprocess.run(
        [ROOT / "scripts" / "faults", *words], env=environment(), check=True, timeout=300, stdout=subprocess.DEVNULL
    )
    told: dict[str, Any] = json.loads(file.read_bytes())
    return told


def test_a_row_holds_beside_a_control_that_does_not_and_is_kept_with_its_seed(run: dict[str, Any]) -> None:
    (row,) = run["rows"]
    assert (run["seed"], run["size"], run["sound"]) == (7, "short", True)
    assert (row["row"], row["engine"], row["verdict"]) == ("rewriting", "SQLite", "holds")
    assert (row["figures"]["trials"] > 250, row["figures"]["wrong"]) == (True, [])
    assert len(row["control"]["wrong"]) > 10


@pytest.mark.parametrize("fails_at", [1, 3, None])
def test_a_control_that_fails_by_chance_is_tried_until_it_does_and_some_times_at_most(fails_at: int | None) -> None:
    tries: list[Figures] = []

    def control(_: Any) -> Figures:
        tries.append(Figures(acknowledged=1, doubled=int(len(tries) + 1 == fails_at)))
        return tries[-1]

    figures = controlled(ROWS["kill"]._replace(control=control), None)  # type: ignore[arg-type]  # It asks for nothing.
    assert (len(tries), figures.holds) == (fails_at or CONTROL_TRIES, fails_at is None)
    assert figures.acknowledged == len(tries)


def test_operators_are_told_of_every_row() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE) == list(ROWS)


@pytest.mark.parametrize(
    ("figures", "control", "verdict"),
    [
        (Figures(acknowledged=9), Figures(lost=1), "holds"),
        (Figures(acknowledged=9), Figures(acknowledged=9), "CONTROL DOES NOT FAIL"),
        (Figures(lost=1), Figures(lost=1), "DOES NOT HOLD"),
        (Figures(doubled=1), Figures(lost=1), "DOES NOT HOLD"),
        (Figures(refused_but_found=1), Figures(lost=1), "DOES NOT HOLD"),
        (Figures(wrong=["the chain is broken"]), Figures(lost=1), "DOES NOT HOLD"),
    ],
)
def test_a_row_holds_only_where_nothing_is_wrong_and_its_control_fails(
    figures: Figures, control: Figures, verdict: str
) -> None:
    assert verdict_of(figures, control) == verdict


# --- the judge --------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def note(journal: Journal, number: int, *statuses: int, version: int | None = None) -> None:
    """Somebody asks for a gift of as many đồng as its number, until the last of these answers."""
    for status in statuses:
        journal.note(asked=number, key="key", fund=FUND, kind="donations", amount=number)
        journal.note(told=number, key="key", status=status, version=version if status == 201 else None, replayed=False)


def books(database_url: str, monkeypatch: pytest.MonkeyPatch, amounts: list[int]) -> None:
    """A fund whose box was given these amounts, from version 3 on."""
    monkeypatch.setenv("MICROFUND_REGISTER_KEY", str(key_for(database_url)))
    found(database_url, [FUND])
    with opened_ledger(database_url) as ledger:
        for number, amount in enumerate(amounts):
            recorded(ledger.record([gift(f"gift-{number:04d}", amount, fund=FUND)])[0])


def test_the_judge_counts_what_is_lost_doubled_and_found_though_refused(
    sqlite_url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    books(sqlite_url, monkeypatch, [11, 12, 12, 13, 14])
    note(journal, 11, 0, 503, 201, version=3)
    note(journal, 12, 201, version=4)
    note(journal, 13, 0, 422)
    note(journal, 14, 0)
    note(journal, 15, 201, version=8)
    note(journal, 16, 422)
    figures = judged(sqlite_url, journal.path)
    counts = (figures.acknowledged, figures.lost, figures.doubled, figures.refused_but_found, figures.wrong)
    assert counts == (3, 1, 1, 1, [])


def test_the_judge_sees_another_version_a_stranger_and_an_empty_box(
    sqlite_url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    books(sqlite_url, monkeypatch, [11, 12])
    note(journal, 11, 201, version=4)
    assert len(judged(sqlite_url, journal.path).wrong) == 2


def test_what_was_told_later_is_not_asked_of_an_earlier_moment(journal: Journal) -> None:
    note(journal, 11, 201, version=3)
    (told_at,) = (line["at"] for line in journal.lines() if "told" in line)
    acts = told_in(journal.path)
    assert not by_then(acts, told_at)[11].acknowledged
    assert by_then(acts, told_at + 1)[11].acknowledged


# --- a disk without power ---------------------------------------------------------------------------------------------


def write(at: int, offset: int, content: bytes) -> Call:
    return Call("pwrite64", "/d/a", at, at, at, content, offset)


def images(disk: Disk) -> set[bytes]:
    draw = Random(5)
    return {bytes(disk.image(draw)["/d/a"]) for _ in range(300)}


def test_what_was_synced_is_in_every_image_and_what_was_not_may_be_gone_torn_or_out_of_order() -> None:
    disk = Disk({"/d/a": b"-" * 1024})
    disk.see(write(0, 0, b"s" * 512))
    disk.see(Call("fsync", "/d/a", 1, 1, 1))
    disk.settle(2)
    disk.see(write(2, 512, b"x" * 512))
    disk.see(write(3, 512, b"y" * 1024))
    found = images(disk)
    assert {image[:512] for image in found} == {b"s" * 512}
    assert {image[512:1024] for image in found} == {b"-" * 512, b"x" * 512, b"y" * 512}
    assert b"s" * 512 + b"x" * 512 + b"y" * 512 in found, (
        "of the second write only the later sector, or the first one last"
    )


def test_a_sync_that_had_not_ended_or_began_before_the_write_keeps_nothing() -> None:
    disk = Disk({"/d/a": b"-"})
    disk.see(Call("fsync", "/d/a", 0, 0, 5))
    disk.see(write(1, 0, b"x"))
    disk.settle(4)
    assert images(disk) == {b"-", b"x"}
    disk.settle(6)
    assert images(disk) == {b"-", b"x"}


def test_what_strace_says_is_read_calls_that_were_interrupted_too(tmp_path: Path) -> None:
    (tmp_path / "said").write_text(
        r'7 1795979618.10 pwrite64(4<\x2f\x64\x2f\x61>, "\x00\x61"..., 2, 4096 <unfinished ...>' + "\n"
        r"8 1795979618.20 fsync(4<\x2f\x64\x2f\x61>) = 0" + "\n"
        r"7 1795979618.30 <... pwrite64 resumed>) = 2" + "\n"
        r"7 1795979618.40 fdatasync(4<\x2f\x64\x2f\x61>) = -1 EIO (Input/output error) (INJECTED)" + "\n"
        r"7 1795979618.50 ftruncate(4<\x2f\x64\x2f\x61>, 512) = 0" + "\n"
        r'7 1795979618.60 unlink("\x2f\x64\x2f\x62") = 0' + "\n"
        "7 1795979618.70 --- SIGTERM ---\n"
    )
    assert calls_in(tmp_path / "said") == [
        Call("pwrite64", "/d/a", 1795979618.1, 0, 2, b"\0a", 4096),
        Call("fsync", "/d/a", 1795979618.2, 1, 1),
        Call("ftruncate", "/d/a", 1795979618.5, 4, 4, offset=512),
        Call("unlink", "/d/b", 1795979618.6, 5, 5),
    ]

"""Claims about `docs/verify.md`: each command does what the page says, and each row of its table is tried.

A history changed behind the log's back must be found, by the chain or by a check code copied before, and nothing may be
found where nothing was changed. What else the verifier finds is in `test_verifier_findings.py`.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.checkpoints.vouching import mismatches
from ledger.events import Request, head_of
from ledger.jobs import Job
from tests.support.histories import random_fund
from tests.support.jobs import opened, recorded
from tests.support.verifying import (
    CODES,
    LINES,
    SCRIPT,
    SEALED_AT,
    SHOWN,
    SIGNER,
    Lines,
    acts,
    as_entry,
    doubled,
    joined,
    opens,
    rechained,
    refitted,
    replaced,
    run,
    sealing,
    swapped,
    told,
)
from tests.support.village import FUND, Act, day, lines, spends, village, whole_life

PAGE = (SCRIPT.parents[1] / "docs" / "verify.md").read_text(encoding="utf-8")
VIETNAMESE, ENGLISH = PAGE.split("\n---\n")
# --- the table of the page: real database files, both engines ---------------------------------------------------------

Row = dict[str, str]
WORDS = {"có": "yes", "không": "no", "yes": "yes", "no": "no", "–": "–"}


def table(text: str) -> dict[str, Row]:
    """The rows of a drill table, by the name of their test."""
    rows = re.findall(r"^\| .+ \| (\S+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \| `(\w+)` \|$", text, re.MULTILINE)
    columns = ("chain", "papers", "books", "code", "checkpoint")
    return {name: {column: WORDS[cell] for column, cell in zip(columns, cells, strict=True)} for *cells, name in rows}


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """The page's history, recorded in a real database."""
    with opened(database_url) as ledger:
        record(ledger, acts()[:12])
        BACKUP[:] = ledger.database.query("SELECT * FROM stored_events ORDER BY originator_version")
        record(ledger, acts()[12:])
        assert ledger.recorder.lines(FUND, 0, None) == LINES
        yield ledger


BACKUP: list[dict[str, Any]] = []
"""The database's events as they were after the loan was handed out."""


KEYS = count()


def record(ledger: Ledger, happened: list[Act]) -> None:
    for act in happened:
        request = Request(f"act-{next(KEYS):06d}", "digest")
        job = Job(fund=FUND, decide=act, request=request, opens=act is opens, several=True)
        recorded(ledger.record([job])[0])


def rewritten(ledger: Ledger, history: Lines) -> None:
    """Put other lines in the place of the fund's own, as somebody with the file or the superuser's password could."""
    rows = [(FUND, number, "", line) for number, line in enumerate(history, 1)]
    with ledger.database.transaction() as transaction:
        transaction.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=FUND)
        transaction.insert("stored_events", ("originator_id", "originator_version", "topic", "state"), rows)


@pytest.fixture
def drill(ledger: Ledger, request: pytest.FixtureRequest) -> Callable[[Lines], None]:
    """Changes the database and compares what is found, and by which check, with the test's row in both tables."""

    def found(*options: str) -> str:
        history = ledger.recorder.lines(FUND, 0, None)
        exit_code, said = run(history, *options)
        why = re.search(r"^BROKEN at entry no\. \d+: (\w+):", said, re.MULTILINE)
        assert exit_code == (1 if why else 0)
        return why[1] if why else ""

    def drill(history: Lines) -> None:
        assert found("--balances", "--code", CODES[-1]) == "", "a false alarm before anything was changed"
        checkpoints = Checkpoints(ledger.database, ledger.recorder)
        sealed = checkpoints.make(SIGNER, SEALED_AT)
        assert not list(mismatches(checkpoints, sealed.note, SIGNER.key)), "a false alarm before anything was changed"
        rewritten(ledger, history)
        why, why_books = found(), found("--balances")
        row = {"chain": "no", "papers": "–", "books": "–"}
        if why in ("chain", "time", "content"):
            row["chain"] = "yes"
        else:
            row["papers"] = "yes" if why in ("vouchers", "reversals") else "no"
            if not why:
                row["books"] = "yes" if why_books == "books" else "no"
        exit_code, said = run(ledger.recorder.lines(FUND, 0, None), "--code", CODES[-1])
        row["code"] = "yes" if exit_code == 1 and "belongs to NO entry" in said else "no"
        row["checkpoint"] = "yes" if list(mismatches(checkpoints, sealed.note, SIGNER.key)) else "no"
        name = request.node.originalname
        assert row == table(VIETNAMESE)[name] == table(ENGLISH)[name]

    return drill


def test_an_edited_byte(drill):
    drill([*LINES[:11], LINES[11].replace(b'"amount":2000000', b'"amount":1000000'), *LINES[12:]])


def test_an_edited_byte_of_the_last_line(drill):
    drill([*LINES[:23], LINES[23].replace(b'"amount":30000', b'"amount":90000')])


def test_an_amount_with_all_later_hashes_recomputed(drill):
    drill(rechained(replaced(LINES, 12, amount=1_000_000)))


def test_an_amount_with_all_later_figures_recomputed(drill):
    drill(lines(told(acts(gift=1_000_000))))


def test_the_last_ten_entries_deleted(drill):
    drill(LINES[:-10])


def test_two_lines_swapped(drill):
    drill(swapped(LINES, 11, 12))


def test_two_entries_swapped_and_all_hashes_recomputed(drill):
    drill(rechained(swapped(LINES, 11, 12)))


def test_a_line_inserted(drill):
    drill(doubled(LINES, 12))


def test_an_entry_inserted_and_all_hashes_recomputed(drill):
    drill(rechained(doubled(LINES, 12)))


def test_an_entry_inserted_and_vouchers_renumbered(drill):
    drill(refitted(as_entry(doubled(LINES, 12), 13)))


def test_the_whole_fund_replaced(drill):
    drill(lines(village(spends(700_000, on="2024-02-01"))))


def test_an_old_backup_restored(drill):
    drill([bytes(row["state"]) for row in BACKUP])


def test_the_table_of_the_page_has_a_row_for_each_drill_and_no_other():
    drills = {name for name, test in globals().items() if name.startswith("test_") and "drill" in signature(test)}
    assert set(table(VIETNAMESE)) == set(table(ENGLISH)) == drills
    assert len(drills) == 12


def signature(test: Callable[..., None]) -> tuple[str, ...]:
    return test.__code__.co_varnames[: test.__code__.co_argcount]


# --- the commands of the page -----------------------------------------------------------------------------------------


def commands(text: str) -> list[str]:
    """The blocks that are marked to be run; those for `xxd` or `openssl` only where it is installed."""
    blocks = re.findall(r"^```bash runnable( \w+)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for needed, block in blocks if not needed or shutil.which(needed.strip())]


def shell(block: str, folder: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    python = folder / "bin" / "python3"
    if not python.exists():
        python.parent.mkdir()
        python.symlink_to(sys.executable)
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}", "CODE": code, "LC_ALL": "C.UTF-8"}
    environment["KEY"] = str(SIGNER.key)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def laid_out(folder: Path, history: Lines) -> Path:
    """A folder with what the page starts from: the history, the verifier, a checkpoint and the proof in it."""
    shutil.copy(SCRIPT, folder)
    note, proof = sealing(LINES, 20)
    (folder / "checkpoint.txt").write_text(note, encoding="utf-8")
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    (folder / "history.ndjson").write_bytes(joined(history))
    return folder


def only(text: str, part: str) -> str:
    """The one command of the page that has this in it."""
    (block,) = (block for block in commands(text) if part in block)
    return block


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_command_of_the_page_runs_and_says_what_the_page_promises(tmp_path: Path, language: str):
    text = VIETNAMESE if language == "vi" else ENGLISH
    folder, said = laid_out(tmp_path, LINES), {}
    for block in commands(text):
        done = shell(block, folder, CODES[19])
        assert done.returncode == 0, block
        assert "--csv" in block or not done.stderr, block
        said[block] = done.stdout
    sample, sealed = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert said[only(text, "--checkpoint")] == sealed.replace("{LAST}", CODES[-1])
    if shutil.which("openssl"):
        assert said[only(text, "openssl")] == "Signature Verified Successfully\n"
    assert said[only(text, '--code "$CODE"')] == sample.replace("{CODE}", CODES[19]).replace("{LAST}", CODES[-1])
    one, other = said[only(text, "head -n 2 ")].split()
    assert one == other == head_of(LINES[1])
    assert said[only(text, "CHAIN-OK")] == "CHAIN-OK\n"
    assert said[only(text, "NUMBERS-OK")] == f"{FUND}\nNUMBERS-OK\n"
    for made_by in ("tail -n 1 hashes | cut -c 1-20 | tr", *(["xxd"] if shutil.which("xxd") else [])):
        assert said[only(text, made_by)] == f"{CODES[-1]}\n"
    assert said[only(text, "grep -n -x")] == f"20:{CODES[19]}\n"
    assert said[only(text, "> vouchers")] == "PC-2024-OK\nPT-2024-OK\n"
    assert said[only(text, "cash.csv")] == f"{SHOWN.cash_at(date.max)}\n"


def test_both_languages_give_the_same_commands():
    assert commands(VIETNAMESE) == [block.replace(" --lang en", "") for block in commands(ENGLISH)]
    assert len(commands(ENGLISH)) >= 11


@pytest.mark.parametrize(
    ("part", "history"),
    [
        ("CHAIN-OK", [*LINES[:11], LINES[11].replace(b"2000000", b"1000000"), *LINES[12:]]),
        ("CHAIN-OK", swapped(LINES, 11, 12)),
        ("CHAIN-OK", LINES[1:]),
        ("NUMBERS-OK", doubled(LINES, 12)),
        ("NUMBERS-OK", LINES[:11] + LINES[12:]),
        ("grep -n -x", LINES[:19]),
        ("> vouchers", rechained(doubled(LINES, 12))),
        ('--code "$CODE"', LINES[:19]),
        ("--checkpoint", LINES[:19]),
        ("--checkpoint", lines(told(acts(gift=1_000_000)))),
    ],
)
def test_the_commands_of_the_page_find_what_was_changed(tmp_path: Path, part: str, history: Lines):
    folder = laid_out(tmp_path, history)
    chain = shell(only(ENGLISH, "CHAIN-OK"), folder)
    found = chain if part == "CHAIN-OK" else shell(only(ENGLISH, part), folder, CODES[19])
    assert found.returncode != 0
    assert "CHAIN-OK" not in found.stdout
    assert "NUMBERS-OK" not in found.stdout


@pytest.mark.parametrize("seed", [None, 1, 3, 6])
def test_the_spreadsheets_of_the_page_add_up_to_the_balances_of_the_fund(tmp_path: Path, seed: int | None):
    """As its formulas add: SUM, and SUMIFS by day or by pot and account."""
    fund = whole_life() if seed is None else random_fund(seed)
    folder = laid_out(tmp_path, lines(fund))
    for part in ("cash.csv", "postings.csv"):
        assert shell(only(ENGLISH, part), folder).returncode == 0
    with (folder / "cash.csv").open() as file:
        movements = [(on, int(amount)) for _, on, _, amount in csv.reader(file)]
    for on in {on for on, _ in movements}:
        assert sum(amount for its_day, amount in movements if its_day <= on) == fund.cash_at(day(on))
    with (folder / "postings.csv").open() as file:
        postings = list(csv.DictReader(file))
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in postings:
        sums[row["pot"], row["account"], row["part"]] += int(row["amount"])
    kept = {(pot, account, "" if of is None else str(of)): n for (pot, account, of), n in fund.balances.items() if n}
    assert {key: amount for key, amount in sums.items() if amount} == kept

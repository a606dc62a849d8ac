"""Claims about `scripts/verify_history.py`, the verifier that trusts nobody, and about each command and each table row
of `docs/verify.md`.

The verifier shares no code with the ledger; here the two are compared. A history changed behind the log's back must be
found, by the chain or by a check code copied before, and nothing may be found where nothing was changed.
"""

import ast
import base64
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.aggregates.fund import Fund
from ledger.application import Job, Ledger
from ledger.checkpoints import Checkpoints, Leaf
from ledger.events import EVENT_TYPES, Request, check_code, head_of
from ledger.history import verify
from ledger.merkle import inclusion_proof, root_of
from ledger.notes import Checkpoint, Signer
from ledger.vouching import findings
from tests.histories import random_fund
from tests.jobs import IS_LONG, opened, recorded
from tests.village import (
    CLUB,
    FIVE_MEMBERS,
    FUND,
    OPENED,
    Act,
    bylaws,
    day,
    gives,
    lends,
    lines,
    pays,
    repays,
    spends,
    stamp,
    undoes,
    village,
    whole_life,
)

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "verify_history.py"
PAGE = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
VIETNAMESE, ENGLISH = PAGE.split("\n---\n")
Lines = list[bytes]


def loaded(source: str) -> ModuleType:
    """The verifier as a module, made of this source."""
    module = ModuleType("verifier")
    exec(compile(source, str(SCRIPT), "exec"), vars(module))  # noqa: S102  # Our own file.
    return module


VERIFIER = loaded(SCRIPT.read_text(encoding="utf-8"))


# --- the history of the page ------------------------------------------------------------------------------------------


def opens(fund: Fund) -> None:
    fund.open(stamp(OPENED, by="admin"), bylaws=bylaws(), **CLUB)


def counts(fund: Fund) -> None:
    counted = fund.cash_at(day("2024-03-05")) - 4_000
    fund.count_cash(stamp("2024-03-05"), reason="periodic", counted=counted, witnesses=[1, 3])


def withdraws(fund: Fund) -> None:
    fund.withdraw_savings(stamp("2024-03-06"), member=4, amount=100_000)


def acts(gift: int = 2_000_000) -> list[Act]:
    """What happened in the history that the page shows, in 24 entries; the gift is entry no. 12, the count no. 20."""
    return [
        opens,
        *FIVE_MEMBERS,
        gives(20_000_000),
        gives(1_000_000, pot="activity"),
        pays(4, "savings", 300_000, on="2024-01-05"),
        pays(5, "dues", 10_000, on="2024-01-05"),
        gives(gift, pot="activity", on="2024-01-20"),
        lends(3, 3_000_000, on="2024-01-31"),
        spends(120_000, on="2024-02-10"),
        repays(1, 28_000, on="2024-02-29"),
        undoes(on="2024-02-29"),
        repays(1, 280_000, on="2024-02-29"),
        counts,
        withdraws,
        spends(50_000, on="2024-03-07"),
        pays(5, "dues", 10_000, on="2024-03-08"),
        spends(30_000, on="2024-03-09"),
    ]


def told(happened: list[Act]) -> Fund:
    fund = Fund(FUND)
    for act in happened:
        act(fund)
    return fund


SHOWN = told(acts())
LINES = lines(SHOWN)
CODES = [check_code(head_of(line)) for line in LINES]


def joined(history: Lines) -> bytes:
    """The bytes that `GET /v1/funds/F/history` answers."""
    return b"".join(line + b"\n" for line in history)


SIGNER = Signer("so-quy.example", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SEALED_AT = datetime(2024, 3, 10, 3, 0, tzinfo=UTC)


def sealing(history: Lines, version: int) -> tuple[str, dict[str, Any]]:
    """A checkpoint over the history's head at a version, among heads of other funds, and the proof that is in it."""
    leaf = Leaf(FUND, version, head_of(history[version - 1]))
    leaves = [Leaf("LS-AN-SON", 7, "a" * 64), Leaf("LS-BA-SON", 9, "b" * 64), leaf, Leaf("LS-CHI-LANG", 3, "c" * 64)]
    hashes = [one.hash() for one in (*leaves, Leaf("LS-BA-SON", 11, "d" * 64))]
    checkpoint = Checkpoint(SIGNER.name, 5, root_of(hashes), 12, SEALED_AT, 4, 42)
    proof = [base64.b64encode(one).decode() for one in inclusion_proof(hashes, 2)]
    return SIGNER.signed(checkpoint), {"leaf": leaf.text(), "index": 2, "proof": proof}


# --- how a forger works -----------------------------------------------------------------------------------------------


def replaced(history: Lines, number: int, **fields: Any) -> Lines:
    """Some fields of an entry changed, or taken out with `...`; nothing else."""
    entry = {name: value for name, value in (json.loads(history[number - 1]) | fields).items() if value is not ...}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    return [*history[: number - 1], line, *history[number:]]


def rechained(history: Lines) -> Lines:
    """Numbers and hashes made to fit, from the first line on."""
    forged: Lines = []
    for number, line in enumerate(history, 1):
        prev = head_of(forged[-1]) if forged else "0" * 64
        line = re.sub(rb'"version":\d+', b'"version":%d' % number, line, count=1)
        forged.append(re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % prev.encode(), line, count=1))
    return forged


def refitted(history: Lines) -> Lines:
    """Voucher numbers made to fit too, and what reversals point to."""
    last: Counter[str] = Counter()
    places = {json.loads(line)["version"]: number for number, line in enumerate(history, 1)}
    for number, entry in enumerate(map(json.loads, history), 1):
        if entry["type"] == "EntryReversed":
            wrong = places[entry["reverses"]]
            history = replaced(history, number, reverses=wrong, voucher=json.loads(history[wrong - 1])["voucher"])
        elif "voucher" in entry:
            series = entry["voucher"][:8]
            last[series] += 1
            history = replaced(history, number, voucher=f"{series}{last[series]:04d}")
    return rechained(history)


def swapped(history: Lines, one: int, other: int) -> Lines:
    changed = history.copy()
    changed[one - 1], changed[other - 1] = changed[other - 1], changed[one - 1]
    return changed


def doubled(history: Lines, number: int) -> Lines:
    return [*history[:number], history[number - 1], *history[number:]]


def as_entry(history: Lines, number: int) -> Lines:
    """Numbered 999 until it is numbered anew, so that nothing points to it."""
    return replaced(history, number, version=999)


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


def record(ledger: Ledger, happened: list[Act]) -> None:
    for act in happened:
        request = Request(f"act-{random.getrandbits(60):016x}", "digest")
        job = Job(fund=FUND, decide=act, request=request, opens=act is opens, several=True)
        recorded(ledger.record([job])[0])


def rewritten(ledger: Ledger, history: Lines) -> None:
    """Put other lines in the place of the fund's own, as somebody with the file or the superuser's password could."""
    rows = [(FUND, number, "", line) for number, line in enumerate(history, 1)]
    with ledger.database.transaction() as transaction:
        transaction.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=FUND)
        transaction.insert("stored_events", ("originator_id", "originator_version", "topic", "state"), rows)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the verifier on some lines, in English; answers its exit code and what it said."""

    def run(history: Lines, *options: str) -> tuple[int, str]:
        file = tmp_path / "history.ndjson"
        file.write_bytes(joined(history))
        exit_code = VERIFIER.main([str(file), "--lang", "en", *options])
        return exit_code, capsys.readouterr().out

    return run


@pytest.fixture
def drill(ledger: Ledger, run: Run, request: pytest.FixtureRequest) -> Callable[[Lines], None]:
    """Changes the database and compares what is found, and by which check, with the test's row in both tables."""

    def found(*options: str) -> str:
        history = ledger.recorder.lines(FUND, 0, None)
        exit_code, said = run(history, *options)
        why = re.search(r"^BROKEN at entry no\. \d+: (\w+):", said, re.MULTILINE)
        assert exit_code == (1 if why else 0)
        return why[1] if why else ""

    def drill(history: Lines) -> None:
        assert found("--balances", "--code", CODES[-1]) == "", "a false alarm before anything was changed"
        checkpoints = Checkpoints(ledger)
        sealed = checkpoints.make(SIGNER, SEALED_AT)
        assert not list(findings(checkpoints, sealed.note, SIGNER.key)), "a false alarm before anything was changed"
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
        row["checkpoint"] = "yes" if list(findings(checkpoints, sealed.note, SIGNER.key)) else "no"
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


# --- the verifier and the ledger agree --------------------------------------------------------------------------------

SEEDS = range(1, 200 if IS_LONG else 13)


def balances(fund: Fund) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for (pot, account, _), amount in fund.balances.items():
        found[pot, account] += amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_is_intact_and_its_balances_are_the_funds_own(seed: int):
    fund = random_fund(seed)
    found = VERIFIER.History(lines(fund), True)
    assert (found.broken, found.unknown) == (None, {})
    assert found.balances("9999-12-31") == balances(fund)
    assert found.heads[-1] == fund.head
    for on in random.Random(seed).sample(sorted(fund.last_on), 5):
        kept: Counter[tuple[str, str]] = Counter()
        for event in fund.entries:
            if event.on <= on:
                for leg in event.legs():
                    kept[leg.pot, leg.account] += leg.amount
        assert found.balances(on.isoformat()) == {key: amount for key, amount in kept.items() if amount}


def test_every_type_of_event_is_known_to_the_verifier():
    life = whole_life()
    assert {event.name for event in life.entries} == set(EVENT_TYPES)
    found = VERIFIER.History(lines(life), True)
    assert (found.broken, found.unknown, found.balances("9999-12-31")) == (None, {}, balances(life))


def test_what_the_activity_pot_cannot_bear_of_a_shortage_falls_on_the_revolving_pot():
    fund = village(lambda fund: fund.count_cash(stamp("2024-02-05"), reason="surprise", counted=5_000_000))
    found = VERIFIER.History(lines(fund), True)
    assert (found.broken, found.balances("9999-12-31")) == (None, balances(fund))
    assert found.totals["revolving", "cash_short"] == 15_000_000


def test_it_is_tomorrow_in_the_village_while_it_is_still_today_in_utc():
    evening = stamp("2024-02-06", at=datetime(2024, 2, 5, 17, 0, tzinfo=UTC))
    fund = Fund(FUND)
    fund.open(stamp(OPENED, at=evening.recorded_at), bylaws=bylaws(), **CLUB)
    fund.join(evening, birth_year=1950, sex="female", poverty="none")
    assert VERIFIER.History(lines(fund), True).broken is None
    too_early = rechained(replaced(lines(fund), 3, recorded_at="2024-02-05T16:59:59Z"))
    too_early = rechained(replaced(too_early, 1, recorded_at="2024-02-05T16:00:00Z"))
    too_early = rechained(replaced(too_early, 2, recorded_at="2024-02-05T16:00:00Z"))
    assert VERIFIER.History(too_early, True).broken == ("day", 3)


def test_the_verifier_says_the_balances_at_the_end_of_a_day(run: Run):
    exit_code, said = run(LINES, "--as-of", "2024-01-31")
    assert exit_code == 0
    assert re.search(r"^  activity   cash +3,010,000 +0$", said, re.MULTILINE)
    assert re.search(r"^  revolving  loans +3,000,000 +0$", said, re.MULTILINE)
    assert re.search(r"^  revolving  savings +0 +300,000$", said, re.MULTILINE)


# --- a checkpoint, with no database at hand ---------------------------------------------------------------------------


@pytest.fixture
def compared(run: Run, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the verifier on a history, a note and a proof."""

    def compared(history: Lines, note: str, proof: Any) -> tuple[int, str]:
        (tmp_path / "checkpoint.txt").write_text(note, encoding="utf-8")
        (tmp_path / "proof.json").write_text(proof if isinstance(proof, str) else json.dumps(proof), encoding="utf-8")
        files = (str(tmp_path / "checkpoint.txt"), "--proof", str(tmp_path / "proof.json"))
        return run(history, "--checkpoint", *files)

    return compared


@pytest.mark.parametrize("version", [1, 20, 24])
def test_a_checkpoint_vouches_for_a_history_and_for_what_was_added_since(compared, version: int):
    exit_code, said = compared(LINES, *sealing(LINES, version))
    assert exit_code == 0
    assert f"Checkpoint 12, 2024-03-10T03:00:00Z: entry no. {version} is as sealed" in said
    assert "Signature not checked" in said


def test_a_checkpoint_vouches_for_no_other_history(compared):
    note, proof = sealing(LINES, 20)
    others = [LINES[:19], lines(told(acts(gift=1_000_000))), rechained(doubled(LINES, 12)), rechained(LINES[1:])]
    for other in others:
        exit_code, said = compared(other, note, proof)
        assert exit_code == 1
        assert "as sealed" not in said


def forged_proofs() -> Iterator[tuple[str, Any]]:
    note, proof = sealing(LINES, 20)
    beside = [base64.b64decode(one) for one in proof["proof"]]
    for place, one in enumerate(beside):
        for byte in range(32):
            flipped = bytes([*one[:byte], one[byte] ^ 1, *one[byte + 1 :]])
            changed = [*beside[:place], flipped, *beside[place + 1 :]]
            yield note, proof | {"proof": [base64.b64encode(other).decode() for other in changed]}
        yield note, proof | {"proof": proof["proof"][:place] + proof["proof"][place + 1 :]}
        yield note, proof | {"proof": [*proof["proof"], proof["proof"][place]]}
    for index in (-1, 0, 1, 3, 4, 5, "2", None, 2.5):
        yield note, proof | {"index": index}
    for version in (19, 21, 0, "020", "x", 99):
        yield note, proof | {"leaf": f"{FUND} {version} {head_of(LINES[19])}"}
    yield note, proof | {"leaf": f"{FUND} 19 {head_of(LINES[18])}"}
    yield note, proof | {"leaf": f"LS-AN-SON 20 {head_of(LINES[19])}"}
    wrongs: tuple[Any, ...] = (
        {},
        [],
        "",
        "null",
        "[1]",
        {"leaf": None},
        proof | {"proof": None},
        proof | {"proof": ["§"]},
    )
    for wrong in wrongs:
        yield note, wrong
    for size in ("4", "2", "0", "x", "12"):
        yield note.replace("\n5\n", f"\n{size}\n", 1), proof
    yield note.replace(note.split("\n")[2], sealing(LINES, 19)[0].split("\n")[2]), proof
    yield "", proof
    yield "so-quy.example", proof


def test_a_forged_proof_is_refused(run: Run):
    history = VERIFIER.History(LINES)
    note, proof = sealing(LINES, 20)
    assert VERIFIER.sealed(history, note, json.dumps(proof))[0] is None
    for forged_note, forged in forged_proofs():
        why, _ = VERIFIER.sealed(history, forged_note, forged if isinstance(forged, str) else json.dumps(forged))
        assert why in ("form", "proof", "fund", "head"), (forged_note, forged)


def test_a_checkpoint_is_compared_only_together_with_its_proof(run: Run, capsys: pytest.CaptureFixture[str]):
    for option in ("--checkpoint", "--proof"):
        with pytest.raises(SystemExit) as ended:
            run(LINES, option, str(SCRIPT))
        assert ended.value.code == 2


# --- hundreds of changes at random ------------------------------------------------------------------------------------


def edited(draw: random.Random, history: Lines) -> Lines:
    place = draw.randrange(len(history))
    line = bytearray(history[place])
    line[draw.randrange(len(line))] = draw.randrange(256)
    return [*history[:place], bytes(line), *history[place + 1 :]]


def cut(draw: random.Random, history: Lines) -> Lines:
    start = draw.randrange(len(history))
    return history[:start] + history[start + draw.randrange(1, 4) :]


def shortened(draw: random.Random, history: Lines) -> Lines:
    return history[: draw.randrange(1, len(history))]


def mixed(draw: random.Random, history: Lines) -> Lines:
    one, other = draw.sample(range(1, len(history) + 1), 2)
    return swapped(history, one, other)


def inserted(draw: random.Random, history: Lines) -> Lines:
    place = draw.randrange(len(history) + 1)
    return [*history[:place], draw.choice(history), *history[place:]]


def reckoned_anew(draw: random.Random, history: Lines) -> Lines:
    """One of the above, or another amount, with every number and hash recomputed."""
    if draw.random() < 0.5:
        return rechained(draw.choice((cut, mixed, inserted))(draw, history))
    places = [number for number, line in enumerate(history, 1) if b'"amount":' in line]
    number = draw.choice(places)
    changed = re.sub(rb'"amount":(\d+)', rb'"amount":\g<1>0', history[number - 1], count=1)
    return rechained([*history[: number - 1], changed, *history[number:]])


def left_alone(_: random.Random, history: Lines) -> Lines:
    return history


TAMPERS = (edited, edited, cut, shortened, mixed, inserted, reckoned_anew, reckoned_anew, left_alone)


@cache
def originals() -> tuple[Lines, ...]:
    return (LINES, lines(whole_life()), *(lines(random_fund(seed, 40)) for seed in (1, 2, 3, 6)))


def accepts(verifier: ModuleType, history: Lines, code: str, version: int) -> bool:
    """Whether the verifier takes this for a whole history to which the code of this version belongs."""
    found = verifier.History(history, False)
    codes = [verifier.check_code(head) for head in found.heads[1:]]
    return found.broken is None and code in codes and codes.index(code) + 1 == version


def mistakes(verifier: ModuleType, rounds: int) -> Counter[str]:
    """Tampers with histories at random, each time with the check code of some version in hand; counts by kind of change
    what was overlooked and what was a false alarm."""
    draw, wrong = random.Random(1648), Counter[str]()
    for _ in range(rounds):
        history = draw.choice(originals())
        tamper = draw.choice(TAMPERS)
        now, held = tamper(draw, history), draw.randrange(1, len(history) + 1)
        is_same = now[:held] == history[:held]
        accepted = accepts(verifier, now, check_code(head_of(history[held - 1])), held)
        if accepted and not is_same:
            wrong[f"overlooked: {tamper.__name__}"] += 1
        if not accepted and (now == history or (is_same and tamper is shortened)):
            wrong["false alarm"] += 1
    return wrong


ROUNDS = 20_000 if IS_LONG else 500


def test_of_hundreds_of_random_changes_none_is_overlooked_and_no_alarm_is_false():
    assert mistakes(VERIFIER, ROUNDS) == {}


BLINDED = {
    "does not look at prev": ('yield "prev", e["prev"] == self.heads[-1]', 'yield "prev", True'),
    "does not hash the line": ("hashlib.sha256(line)", 'hashlib.sha256(e["prev"].encode())'),
    "hashes but the beginning of a line": ("hashlib.sha256(line)", "hashlib.sha256(line[:200])"),
    "believes any code": ("bytes.fromhex(head)[:10]", "bytes(10)"),
}


@pytest.mark.parametrize("blinding", BLINDED)
def test_control_a_verifier_that_does_less_makes_mistakes(blinding: str):
    source, (sighted, blind) = SCRIPT.read_text(encoding="utf-8"), BLINDED[blinding]
    assert source.count(sighted) == 1
    assert mistakes(loaded(source.replace(sighted, blind)), ROUNDS) != {}


@pytest.mark.parametrize("seed", range(4))
def test_the_verifier_stops_no_later_than_the_ledgers_own(seed: int):
    draw = random.Random(seed)
    for _ in range(100):
        now = draw.choice(TAMPERS)(draw, draw.choice(originals()))
        own, found = verify(now), VERIFIER.History(now, False)
        assert found.broken is None or found.broken[1] <= own.entries + 1
        if own.valid:
            assert found.broken is None or found.broken[0] not in ("fund", "version", "prev")
        else:
            assert found.broken is not None
            assert found.broken[1] <= (own.first_broken or 0)


# --- what each check finds --------------------------------------------------------------------------------------------


def late_expense(history: Lines) -> Lines:
    """More than the box held on the tenth of January, which later days could bear; the count is then told otherwise."""
    history = replaced(doubled(history, 24), 25, on="2024-01-10", amount=1_500_000, voucher="PC-2024-0007")
    return rechained(history)


REVERSAL = next(n for n, event in enumerate(SHOWN.entries, 1) if event.name == "EntryReversed")
POSTED = json.loads(LINES[REVERSAL - 1])["posted"]
UNDONE = {"reverses": REVERSAL, "entry": "EntryReversed", "posted": [[p, a, -n, of] for p, a, n, of in POSTED]}
LIFE = lines(whole_life())
MEETING, CLOSING = (
    next(n for n, line in enumerate(LIFE, 1) if json.loads(line)["type"] == kind)
    for kind in ("MeetingHeld", "PeriodClosed")
)
BROKEN: dict[str, tuple[Lines, str, int]] = {
    "nothing at all": ([], "empty", 1),
    "an empty line": ([*LINES[:9], b"", *LINES[10:]], "line", 10),
    "a blank behind a line": ([*LINES[:9], LINES[9] + b" ", *LINES[10:]], "line", 10),
    "a carriage return": ([line + b"\r" for line in LINES], "line", 1),
    "a byte order mark": ([b"\xef\xbb\xbf" + LINES[0], *LINES[1:]], "line", 1),
    "a field named twice": (rechained([*LINES[:23], LINES[23][:-1] + b',"amount":1}']), "line", 24),
    "a fraction": (rechained([*LINES[:23], LINES[23].replace(b"30000", b"30000.0")]), "line", 24),
    "not a number": (rechained([*LINES[:23], LINES[23].replace(b"30000", b"NaN")]), "line", 24),
    "a lone surrogate": (rechained([*LINES[:23], LINES[23].replace(b"visit_gift", b"\\ud800")]), "line", 24),
    "brackets without end": ([b"[" * 100_000], "line", 1),
    "a list": ([b"[]"], "line", 1),
    "two lines in one": ([LINES[0] + LINES[1], *LINES[2:]], "line", 1),
    "fields in another order": ([b'{"fund":"F","type":"FundOpened","version":1,"prev":""}'], "line", 1),
    "a line of another fund": (rechained(replaced(LINES, 12, fund="LS-CHIEN-THANG")), "fund", 12),
    "a version that is true": ([LINES[0].replace(b'"version":1', b'"version":true'), *LINES[1:]], "version", 1),
    "a line taken out": (LINES[:11] + LINES[12:], "version", 12),
    "a changed line": (replaced(LINES, 12, amount=1), "prev", 13),
    "recorded before": (rechained(replaced(LINES, 12, recorded_at="2026-06-30T11:59:59.999999Z")), "time", 12),
    "an instant without a zone": (rechained(replaced(LINES, 12, recorded_at="2026-06-30T12:00:00")), "field", 12),
    "a day to come": (rechained(replaced(LINES, 12, on="2026-07-01")), "day", 12),
    "a day before the fund": (rechained(replaced(LINES, 12, on="2023-12-31")), "day", 12),
    "no such day": (rechained(replaced(LINES, 12, on="2024-02-30")), "field", 12),
    "no amount": (rechained(replaced(LINES, 12, amount=...)), "field", 12),
    "an amount below zero": (rechained(replaced(LINES, 12, amount=-5)), "field", 12),
    "an amount in words": (rechained(replaced(LINES, 12, amount="2000000")), "field", 12),
    "a third place": (rechained(replaced(LINES, 24, place="pocket")), "field", 24),
    "a third pot": (rechained(replaced(LINES, 24, pot="mine")), "balance", 24),
    "a voucher too far": (rechained(replaced(LINES, 12, voucher="PT-2024-0006")), "voucher", 12),
    "a voucher again": (rechained(replaced(LINES, 12, voucher="PT-2024-0004")), "voucher", 12),
    "a voucher of the other kind": (rechained(replaced(LINES, 12, voucher="PC-2024-0001")), "voucher", 12),
    "a voucher of another year": (rechained(replaced(LINES, 12, voucher="PT-2023-0001")), "voucher", 12),
    "cash without a voucher": (rechained(replaced(LINES, 12, voucher=...)), "voucher", 12),
    "a voucher without cash": (rechained(replaced(LINES, 3, voucher="PT-2024-0001")), "voucher", 3),
    "a reversal twice": (rechained([*LINES, LINES[REVERSAL - 1]]), "reversal", 25),
    "a reversal of what is to come": (rechained(replaced(LINES, REVERSAL, reverses=20)), "reversal", REVERSAL),
    "a reversal from the end": (rechained(replaced(LINES, REVERSAL, reverses=-1)), "reversal", REVERSAL),
    "a reversal of another entry": (rechained(replaced(LINES, REVERSAL, reverses=16)), "reversal", REVERSAL),
    "a reversal of nobody's joining": (
        rechained(replaced(LINES, REVERSAL, reverses=3, entry="MemberJoined", posted=[], voucher=...)),
        "reversal",
        REVERSAL,
    ),
    "a reversal with a voucher of its own": (
        rechained(replaced(LINES, REVERSAL, voucher="PC-2024-0003")),
        "reversal",
        REVERSAL,
    ),
    "a reversal of half": (
        rechained(replaced(LINES, REVERSAL, posted=[[p, a, n // 2, of] for p, a, n, of in POSTED])),
        "reversal",
        REVERSAL,
    ),
    "a reversal of one side": (rechained(replaced(LINES, REVERSAL, posted=POSTED[:1])), "balance", REVERSAL),
    "a reversal of a reversal": (rechained(replaced([*LINES, LINES[REVERSAL - 1]], 25, **UNDONE)), "reversal", 25),
    "a reversal of the beginning": (rechained(replaced(LINES, REVERSAL, reverses=True)), "reversal", REVERSAL),
    "a difference that is none": (rechained(replaced(LINES, 20, counted=1)), "stated", 20),
    "an unlike meeting": (rechained(replaced(LIFE, MEETING, book_closing=1)), "stated", MEETING),
    "an unlike certificate": (rechained(replaced(LIFE, CLOSING, balances=[])), "stated", CLOSING),
    "an unlike count": (rechained(replaced(LINES, 20, expected=1)), "stated", 20),
    "savings left": (rechained(replaced(LINES, 21, savings_left=1)), "stated", 21),
    "principal left": (rechained(replaced(LINES, 19, outstanding=1)), "stated", 19),
    "a repayment that is not the sum of its parts": (rechained(replaced(LINES, 19, amount=1)), "stated", 19),
    "a late payment that the box could not bear": (late_expense(LINES), "negative", 25),
}
"""What is done to the page's history, and the reason and the entry by which it is found."""


@pytest.mark.parametrize("change", BROKEN)
def test_a_broken_history_is_named_by_its_first_bad_entry_and_the_reason(change: str, run: Run):
    history, why, version = BROKEN[change]
    assert VERIFIER.History(history, True).broken == (why, version)
    exit_code, said = run(history, "--balances")
    assert exit_code == 1
    assert f"BROKEN at entry no. {version}: {VERIFIER.WORDS[why][1]}\n" in said
    assert "INTACT" not in said


BOOKS = ("stated", "negative")


@pytest.mark.parametrize("why", sorted({why for _, why, _ in BROKEN.values()} - {"empty", "line", "field", *BOOKS}))
def test_control_without_a_check_its_breaks_are_not_named_by_it(why: str):
    """So that each check is seen to be the one that finds them."""
    blind = loaded(SCRIPT.read_text(encoding="utf-8"))
    vars(blind)["unmet"] = lambda checks: next(
        (failed for failed, holds in checks if not holds and failed != why), None
    )
    found = [blind.History(history, True).broken for history, reason, _ in BROKEN.values() if reason == why]
    assert all(broken is None or broken[0] != why for broken in found)
    assert any(broken is None or broken[0] in ("stated", "prev", "field", "voucher", "negative") for broken in found)


def test_every_reason_is_tried():
    reasons = list(VERIFIER.WORDS)[: list(VERIFIER.WORDS).index("entries")]
    assert {why for _, why, _ in BROKEN.values()} == set(reasons)


def test_only_the_books_find_what_only_the_books_can():
    for history, why, _ in BROKEN.values():
        assert (VERIFIER.History(history, False).broken is None) is (why in BOOKS)


# --- check codes, the proofs ------------------------------------------------------------------------------------------


def test_a_check_code_names_its_entry_however_it_was_written_down(run: Run):
    for written in (CODES[19], CODES[19].lower(), CODES[19].replace("-", ""), CODES[19].replace("-", " ")):
        exit_code, said = run(LINES, "--code", written)
        assert exit_code == 0
        assert f"Code {CODES[19]}: entry no. 20, of 2024-03-05\n" in said


def test_of_several_codes_each_must_belong(run: Run):
    assert run(LINES, "--code", CODES[5], "--code", CODES[19])[0] == 0
    exit_code, said = run(LINES[:19], "--code", CODES[5], "--code", CODES[19])
    assert exit_code == 1
    assert f"Code {CODES[5]}: entry no. 6," in said
    assert f"Code {CODES[19]}: belongs to NO entry" in said
    assert "DIFFERENT" in said
    assert "INTACT" not in said


def test_a_code_before_the_break_still_vouches_for_what_lies_before_it(run: Run):
    exit_code, said = run(replaced(LINES, 12, amount=1), "--code", CODES[10], "--code", CODES[12])
    assert exit_code == 1
    assert f"Code {CODES[10]}: entry no. 11," in said
    assert f"Code {CODES[12]}: belongs to NO entry" in said


def test_a_forged_code_belongs_nowhere(run: Run):
    draw = random.Random(91)
    for _ in range(80):
        true = draw.choice(CODES)
        place = draw.choice([place for place, letter in enumerate(true) if letter != "-"])
        letter = draw.choice([letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" if letter != true[place]])
        assert run(LINES, "--code", true[:place] + letter + true[place + 1 :])[0] == 1
    for foreign in (lines(whole_life())[-1], b"", LINES[-1] + b"\n", LINES[-1][::-1]):
        assert run(LINES, "--code", check_code(head_of(foreign)))[0] == 1
    assert run(LINES, "--code", check_code("0" * 64))[0] == 1, "the code of no line at all"


@pytest.mark.parametrize("code", ["", "-", CODES[0][:-1], CODES[0] + "A", CODES[0][:-1] + "1", "*" * 16, CODES[0][:4]])
def test_what_is_no_check_code_is_wrong_use(code: str, run: Run, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        run(LINES, f"--code={code}")
    assert ended.value.code == 2


# --- what the verifier does not know ----------------------------------------------------------------------------------


def test_an_unknown_type_is_said_aloud_and_leaves_balances_incomplete(run: Run):
    unknown = rechained(replaced(LINES, 23, type="GrantReceived"))
    exit_code, said = run(unknown)
    assert exit_code == 0
    assert "UNKNOWN type GrantReceived, from entry no. 23 on" in said
    exit_code, said = run(unknown, "--balances")
    assert exit_code == 1
    assert "INCOMPLETE" in said
    assert "INTACT" not in said


def test_an_unknown_type_hides_neither_a_voucher_nor_a_reversal_out_of_order(run: Run):
    for change in ({"voucher": "PT-2024-0099"}, {"voucher": "XX-2024-0001"}):
        exit_code, said = run(rechained(replaced(LINES, 23, type="GrantReceived", **change)))
        assert exit_code == 1
        assert "BROKEN at entry no. 23: vouchers" in said
    reversed_unknown = rechained(replaced(replaced(LINES, 17, type="Refund"), REVERSAL, entry="Refund"))
    assert run(reversed_unknown)[0] == 0
    assert run(rechained([*reversed_unknown, reversed_unknown[REVERSAL - 1]]))[0] == 1


# --- alone ------------------------------------------------------------------------------------------------------------


def test_the_verifier_imports_the_standard_library_only():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_the_verifier_runs_alone_from_a_file_or_from_standard_input(tmp_path: Path):
    script = shutil.copy(SCRIPT, tmp_path)
    alone = [sys.executable, "-I", "-S", "-W", "error", script]
    (tmp_path / "h").write_bytes(joined(LINES))
    for given, arguments in ((None, ["h"]), (joined(LINES), []), (joined(LINES)[:-1], ["-"])):
        done = subprocess.run([*alone, *arguments], cwd=tmp_path, input=given, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert f"NGUYÊN VẸN, mã kiểm tra {CODES[-1]}".encode() in done.stdout
    for wrong in (["none"], ["h", "--as-of", "yesterday"], ["h", "--lang", "fr"], ["h", "--what"]):
        done = subprocess.run([*alone, *wrong], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 2


def test_the_verdict_does_not_lie_in_the_table(tmp_path: Path):
    (tmp_path / "h").write_bytes(joined(LINES))
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "h", "--csv"], capture_output=True, text=True, check=True)
    assert all(row.count(",") == 7 for row in done.stdout.splitlines())
    assert "NGUYÊN VẸN" in done.stderr

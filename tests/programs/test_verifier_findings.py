"""Claims about `scripts/verify_history.py`: it agrees with the ledger, shares no code with it, and names each break."""

import ast
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import EVENT_TYPES, check_code, head_of
from tests.support.histories import random_fund
from tests.support.jobs import IS_LONG
from tests.support.verifying import (
    CODES,
    LINES,
    SCRIPT,
    SHOWN,
    VERIFIER,
    Lines,
    doubled,
    joined,
    loaded,
    rechained,
    replaced,
    run,
)
from tests.support.village import CLUB, FUND, OPENED, bylaws, lines, metadata, village, whole_life

# --- the verifier and the ledger agree --------------------------------------------------------------------------------

SEEDS = range(1, 200 if IS_LONG else 13)


def balances(fund: Fund) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for (pot, account, _), amount in fund.balances.items():
        found[pot, account] += amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_is_intact_and_its_balances_are_the_funds_own(seed: int):
    fund = random_fund(seed)
    found = VERIFIER.History(lines(fund), True)
    assert (found.broken, found.unknown) == (None, {})
    assert found.balances("9999-12-31") == balances(fund)
    assert found.heads[-1] == fund.head
    for on in random.Random(seed).sample(sorted({event.on for event in fund.entries}), 5):
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
    fund = village(lambda fund: fund.count_cash(metadata("2024-02-05"), reason="surprise", counted=5_000_000))
    found = VERIFIER.History(lines(fund), True)
    assert (found.broken, found.balances("9999-12-31")) == (None, balances(fund))
    assert sum(found.daily["revolving", "cash_short"].values()) == 15_000_000


def test_it_is_tomorrow_in_the_village_while_it_is_still_today_in_utc():
    evening = metadata("2024-02-06", at=datetime(2024, 2, 5, 17, 0, tzinfo=UTC))
    fund = Fund(FUND)
    fund.open(metadata(OPENED, at=evening.recorded_at), bylaws=bylaws(), **CLUB)
    fund.join(evening, birth_year=1950, sex="female", poverty="none")
    assert VERIFIER.History(lines(fund), True).broken is None
    too_early = rechained(replaced(lines(fund), 3, recorded_at="2024-02-05T16:59:59Z"))
    too_early = rechained(replaced(too_early, 1, recorded_at="2024-02-05T16:00:00Z"))
    too_early = rechained(replaced(too_early, 2, recorded_at="2024-02-05T16:00:00Z"))
    assert VERIFIER.History(too_early, True).broken == ("day", 3)


def test_the_verifier_says_the_balances_at_the_end_of_a_day():
    exit_code, said = run(LINES, "--as-of", "2024-01-31")
    assert exit_code == 0
    assert re.search(r"^  activity   cash +3,010,000 +0$", said, re.MULTILINE)
    assert re.search(r"^  revolving  loans +3,000,000 +0$", said, re.MULTILINE)
    assert re.search(r"^  revolving  savings +0 +300,000$", said, re.MULTILINE)


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
def test_a_broken_history_is_named_by_its_first_bad_entry_and_the_reason(change: str):
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


def test_a_check_code_names_its_entry_however_it_was_written_down():
    for written in (CODES[19], CODES[19].lower(), CODES[19].replace("-", ""), CODES[19].replace("-", " ")):
        exit_code, said = run(LINES, "--code", written)
        assert exit_code == 0
        assert f"Code {CODES[19]}: entry no. 20, of 2024-03-05\n" in said


def test_of_several_codes_each_must_belong():
    assert run(LINES, "--code", CODES[5], "--code", CODES[19])[0] == 0
    exit_code, said = run(LINES[:19], "--code", CODES[5], "--code", CODES[19])
    assert exit_code == 1
    assert f"Code {CODES[5]}: entry no. 6," in said
    assert f"Code {CODES[19]}: belongs to NO entry" in said
    assert "DIFFERENT" in said
    assert "INTACT" not in said


def test_a_code_before_the_break_still_vouches_for_what_lies_before_it():
    exit_code, said = run(replaced(LINES, 12, amount=1), "--code", CODES[10], "--code", CODES[12])
    assert exit_code == 1
    assert f"Code {CODES[10]}: entry no. 11," in said
    assert f"Code {CODES[12]}: belongs to NO entry" in said


def test_a_forged_code_belongs_nowhere():
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
def test_what_is_no_check_code_is_wrong_use(code: str):
    with pytest.raises(SystemExit) as ended:
        run(LINES, f"--code={code}")
    assert ended.value.code == 2


# --- what the verifier does not know ----------------------------------------------------------------------------------


def test_an_unknown_type_is_said_aloud_and_leaves_balances_incomplete():
    unknown = rechained(replaced(LINES, 23, type="GrantReceived"))
    exit_code, said = run(unknown)
    assert exit_code == 0
    assert "UNKNOWN type GrantReceived, from entry no. 23 on" in said
    exit_code, said = run(unknown, "--balances")
    assert exit_code == 1
    assert "INCOMPLETE" in said
    assert "INTACT" not in said


def test_an_unknown_type_hides_neither_a_voucher_nor_a_reversal_out_of_order():
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

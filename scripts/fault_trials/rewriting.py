"""History is changed behind the log's back, in rows and in bytes of the file; whoever holds an older code finds it."""

import shutil
from contextlib import closing
from pathlib import Path
from random import Random

from ledger.application import Ledger
from ledger.events import check_code, head_of
from ledger.history import verify
from scripts.benchmarks.histories import MEMBERS, lived, rows_of, store
from scripts.benchmarks.workshop import opened_ledger
from scripts.fault_trials.tampering import WAYS, Lines, forged, rewritten
from scripts.fault_trials.trial import BOTH, Figures, Ground, Row

FUND = "LS-BACSON-01"
LENGTH = MEMBERS + 60
FILE_CHANGES_IN = 4
"""One change in so many is made to the bytes of an SQLite file instead of its rows."""


def changed(ground: Ground) -> Figures:
    """Change a history, or leave it alone, and let somebody look who holds the code of one entry, and somebody who
    holds the newest."""
    url, figures = ground.shop.database(ground.engine), Figures(trials=ground.size.changes)
    found = untouched = 0
    with opened_ledger(url) as ledger:
        store(ledger, rows_of(ledger, lived(FUND, LENGTH).pending))
        lines = ledger.recorder.lines(FUND, 0, None)
        codes = [check_code(head_of(line)) for line in lines]
        for _ in range(ground.size.changes):
            rewritten(ledger, FUND, ground.draw.choice(WAYS)(ground.draw, lines))
            now = ledger.recorder.lines(FUND, 0, None)
            held = ground.draw.randrange(1, LENGTH + 1)
            figures.wrong += judgement(lines, now, codes, held)
            found, untouched = found + (now != lines), untouched + (now == lines)
        rewritten(ledger, FUND, lines)
    if ground.engine == "SQLite":
        spoilt = bytes_changed(Path(url.removeprefix("sqlite:///")), lines, codes, ground)
        figures.add(spoilt)
    figures.more |= {"changed": found, "left as they were": untouched}
    return figures


def judgement(lines: Lines, now: Lines, codes: list[str], held: int) -> list[str]:
    """What whoever holds the code of an entry, and whoever holds the last one, overlooks or alarms about falsely."""
    with_old, with_last, wrong = verify(now, code=codes[held - 1]), verify(now, code=codes[-1]), []
    if (with_old.matches_version == held) is not (now[:held] == lines[:held]):
        wrong.append(f"by the code of version {held}, a change up to there is judged falsely")
    is_whole = with_last.valid and with_last.matches_version == len(lines) == with_last.entries
    if is_whole is not (now == lines):
        wrong.append("a false alarm" if now == lines else "a change is overlooked by whoever holds the last code")
    return wrong


def bytes_changed(file: Path, lines: Lines, codes: list[str], ground: Ground) -> Figures:
    """Change bytes anywhere in the file: it does not open, or another history is found in it, or the same one."""
    folder = ground.folder()
    figures = Figures(trials=ground.size.changes // FILE_CHANGES_IN)
    outcomes = {"unreadable": 0, "another history": 0, "the same history": 0}
    content = file.read_bytes()
    for number in range(figures.trials):
        copy = folder / f"{number}.db"
        copy.write_bytes(_altered(content, ground.draw))
        copy.chmod(0o600)
        try:
            with closing(Ledger(f"sqlite:///{copy}", "read")) as ledger:
                now = ledger.recorder.lines(FUND, 0, None)
        except Exception:  # noqa: BLE001  # Whatever SQLite or we say of it: it is noticed.
            outcomes["unreadable"] += 1
        else:
            outcomes["the same history" if now == lines else "another history"] += 1
            figures.wrong += judgement(lines, now, codes, ground.draw.randrange(1, LENGTH + 1))
    shutil.rmtree(folder)
    figures.more = {f"files: {name}": count for name, count in outcomes.items()}
    return figures


def _altered(content: bytes, draw: Random) -> bytes:
    changed = bytearray(content)
    for place in (draw.randrange(len(content)) for _ in range(draw.choice((1, 1, 16)))):
        changed[place] ^= 1 << draw.randrange(8)
    return bytes(changed)


def trusting(ground: Ground) -> Figures:
    """Let a careful forger at work, and somebody look who holds no code at all."""
    url, figures = ground.shop.database(ground.engine), Figures(trials=ground.size.changes // 5)
    with opened_ledger(url) as ledger:
        store(ledger, rows_of(ledger, lived(FUND, LENGTH).pending))
        lines = ledger.recorder.lines(FUND, 0, None)
        for _ in range(figures.trials):
            rewritten(ledger, FUND, forged(ground.draw, lines))
            now = ledger.recorder.lines(FUND, 0, None)
            figures.wrong += ["a change is overlooked"] if now != lines and verify(now).valid else []
    return figures


ROW = Row(
    name="rewriting",
    fault="lines and files edited, deleted, swapped, inserted, cut short",
    engines=BOTH,
    trial=changed,
    control=trusting,
    without="no older code is held",
    is_about_storage=False,
)

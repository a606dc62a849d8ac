#!/usr/bin/env python3
"""Make the golden database of a release: some clubs' life, small, with the figures that it answers.

    .venv/bin/python -m scripts.golden_database tests/golden/release-0.1.0

Once, when a version is released; what lies there is never made again, for it is what that version left behind. Every
later one must open it, bring it up to date, find it whole and answer the same (`tests/programs/test_golden.py`).
"""

import json
import lzma
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Final

from ledger.application import Ledger
from ledger.history import verify
from ledger.projections.read_model import ReadModel
from ledger.sqlite_engine import sqlite
from service.demo import fill

CLUBS: Final = 3
SINCE, TODAY = date(2022, 6, 1), date(2022, 11, 5)
INVITE: Final = ("people", "invite", "--name", "Nông Thị Xuân", "--role", "inspector", "--province", "Lạng Sơn")
REPORT: Final = (
    "report",
    "--plan",
    "VN-LS-47-2022",
    "--from",
    "2022-06-01",
    "--to",
    "2022-10-31",
    "--format",
    "ndjson",
)
ROW: Final = ("fund", "indicator", "path", "numerator", "denominator", "value")


def main() -> None:
    """Make the folder that is named."""
    (folder,) = map(Path, sys.argv[1:])
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        file, key = home / "ledger.db", home / "register.key"
        ledger = Ledger(f"sqlite:///{file}", register_key=key)
        fill(ledger, today=TODAY, since=SINCE, clubs=CLUBS)
        ReadModel(ledger.database).rebuild()
        ledger.close()
        answer(*INVITE, home=home)
        note = answer("checkpoint", "make", home=home)
        signed = {"checkpoint": note, "checkpoint_key": answer("checkpoint", "key", home=home)[0]}
        kept = json.dumps(figures(home) | signed, ensure_ascii=False, indent=0)
        (folder / "figures.json").write_text(kept + "\n", "utf-8")
        books = sqlite.connect(file)
        books.execute("PRAGMA journal_mode=DELETE")
        books.execute("VACUUM")
        books.close()
        (folder / "ledger.db.xz").write_bytes(lzma.compress(file.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
        (folder / "register.key").write_bytes(key.read_bytes())


def figures(home: Path) -> dict[str, Any]:
    """What the database in a folder answers: how each log ends, and each figure of a report as a line."""
    ledger = Ledger(f"sqlite:///{home / 'ledger.db'}", "read")
    found = {log: verify(ledger.recorder.lines(log, 0, None)) for log in ledger.logs()}
    ledger.close()
    assert all(each.valid for each in found.values())
    rows = (json.loads(line) for line in answer(*REPORT, home=home))
    return {
        "logs": {log: f"{each.entries} {each.head}" for log, each in found.items()},
        "report": [" ".join(str(row[column]) for column in ROW) for row in rows],
    }


def answer(*words: str, home: Path) -> list[str]:
    """The lines that a command answers about the database in a folder. Raises `CalledProcessError`."""
    settings = {
        "MICROFUND_DATABASE": f"sqlite:///{home / 'ledger.db'}",
        "MICROFUND_REGISTER_KEY": str(home / "register.key"),
        "MICROFUND_CHECKPOINT_KEY": str(home / "checkpoint.pem"),
    }
    program = [sys.executable, "-c", "from service.command_line import main; main()", *words]
    ran = subprocess.run(program, env=os.environ | settings, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


if __name__ == "__main__":
    main()

"""The files of a report read back, with other people's readers, and a report to make them of."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docx
from openpyxl import load_workbook

from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.reporting import counted, question
from tests.support.tables import following, in_turn, store

SEEDS = (1, 2, 3, 4, 6, 7, 8, 9)
CHANGES = {
    "report": "R-2022-0001",
    "position": 700,
    "changes": [
        {
            "club": "LS-0001",
            "indicator": "pots",
            "path": "activity.received.donations.business",
            "before": 100_000,
            "after": 700_000,
            "entries": [121, 150],
        },
        {"club": None, "indicator": "budget", "path": "training.evidenced", "before": 0, "after": 5, "entries": [1]},
    ],
}


@cache
def _reported(since: date, until: date) -> dict[str, Any]:
    with TemporaryDirectory() as folder, opened(f"sqlite:///{Path(folder) / 'fund.db'}") as ledger:
        store(ledger, in_turn(*(random_fund(seed).pending for seed in SEEDS)))
        model = following(ledger)
        model.catch_up()
        return counted(model, question(since, until)).report


def year_reported(year: int = 2022) -> dict[str, Any]:
    """The report of random clubs about a year; a copy, to be changed at will."""
    return deepcopy(_reported(date(year, 1, 1), date(year, 12, 31)))


def workbook(content: bytes, *, values: bool = False) -> Any:
    """A workbook with its formulas, or with the values that are stored beside them."""
    return load_workbook(io.BytesIO(content), data_only=values)


def document(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def texts(content: bytes) -> str:
    """All that a DOCX says: text, tables, heads and feet; its paragraphs as lines."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if re.match(r"word/(document|header|footer)\d*\.xml", name)]
        xml = "\n".join(archive.read(name).decode() for name in parts)
    return re.sub(r"<[^>]+>", "", re.sub(r"</w:p>", "\n", xml)).replace("&lt;", "<").replace("\xa0", " ")


def unpacked(content: bytes) -> str:
    """All that stands in any part of a DOCX or XLSX, marks and all."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "ignore") for name in archive.namelist())


def members(content: bytes) -> Iterator[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from archive.infolist()


def opened_by_office(content: bytes, ending: str, folder: Path) -> str:
    """What a file says once LibreOffice has opened it and laid it out."""
    path = folder / f"report.{ending}"
    path.write_bytes(content)
    program = shutil.which("soffice")
    assert program
    own = f"-env:UserInstallation={(folder / 'profile').as_uri()}"  # Else a second one that runs takes the job.
    command = [program, own, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    read_back = ["pdftotext", "-layout", str(path.with_suffix(".pdf")), "-"]
    return subprocess.run(read_back, check=True, capture_output=True).stdout.decode().replace("\xa0", " ")


def nothing_reported() -> dict[str, Any]:
    """The report of a year in which there was no club yet."""
    return deepcopy(_reported(date(2010, 1, 1), date(2010, 12, 31)))

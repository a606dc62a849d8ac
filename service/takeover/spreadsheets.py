"""Spreadsheets from outside, read as plain cells: a workbook in a child process under limits, CSV by the library.

Whoever sends a workbook is not believed. Before anything parses it, its archive is weighed and every part is walked for
what no club's list needs: macros, links to other files, DOCTYPEs (and with them entities), rows out of order. Only
then openpyxl reads it, formulas in view, in a process that may use little memory and time.

The child is this file run by itself, so it knows nothing of the ledger: it imports no module of ours.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, NoReturn
from xml.parsers import expat

import msgspec
from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

MAX_FILE: Final = 1024 * 1024
MAX_UNPACKED: Final = 8 * MAX_FILE
MAX_RATIO: Final = 100
MAX_PARTS: Final = 200
MAX_ROWS: Final = 2_000
MAX_COLUMNS: Final = 50
LAST_ROW: Final = 1_048_576
"""The last row any sheet may have, by ECMA-376."""
COMPOUND: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""How the files of Excel before 2007 begin, and workbooks with a password, which are wrapped in one of these."""
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
"""What such a wrapper names its contents, by [MS-OFFCRYPTO]."""
CHILD_MEMORY: Final = 256 * 1024 * 1024
CHILD_SECONDS: Final = 5
TOO_HEAVY: Final = 3
"""The child's exit code when its memory was not enough."""

Kind = Literal["text", "number", "fraction", "day", "formula", "other"]


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """A cell that holds something; `text` is what was typed, a number in plain digits, or a day as `2024-03-05`."""

    row: int
    column: int
    kind: Kind
    text: str


class Table(msgspec.Struct, frozen=True):
    """A sheet, or a CSV file. `merged` are the top left corners of merged cells, as row and column."""

    title: str
    cells: tuple[Cell, ...]
    merged: tuple[tuple[int, int], ...] = ()


class Unreadable(Exception):
    """A file that cannot be read, or must not be; `code` says why."""

    def __init__(self, code: str, **facts: int | str) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


class Parsed(msgspec.Struct, frozen=True):
    """What the child answers: tables, or why there are none."""

    tables: tuple[Table, ...] = ()
    refused: str | None = None
    facts: dict[str, int | str] = {}


# --- files ------------------------------------------------------------------------------------------------------------


def content_of(path: Path) -> bytes:
    """A file's bytes. Raises `Unreadable` for what is no file, cannot be opened, or is too large."""
    if not path.is_file():
        raise Unreadable("file-not-found")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise Unreadable("file-not-found") from error
    if len(content) > MAX_FILE:
        raise Unreadable("file-too-large", most_kib=MAX_FILE // 1024)
    return content


def tables_of(name: str, content: bytes) -> tuple[Table, ...]:
    """The tables of a file, whose kind its name tells. Raises `Unreadable`."""
    stem, _, suffix = name.rpartition(".")
    if content.startswith(COMPOUND):
        raise Unreadable("has-password" if ENCRYPTED in content else "old-workbook")
    match suffix.lower():
        case "xlsx":
            return _workbook(content)
        case "csv":
            return (_csv(stem, content),)
        case "xlsm" | "xltm" | "xlsb":
            raise Unreadable("macros-not-allowed")
        case "xls":
            raise Unreadable("old-workbook")
    raise Unreadable("file-kind-unknown")


def _csv(title: str, content: bytes) -> Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not-utf8") from None
    if "\0" in text:  # UTF-16 of plain letters happens to be UTF-8 with zeros in between.
        raise Unreadable("not-utf8")
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        raise Unreadable("not-a-csv") from None
    cells = (
        Cell(number, column, "formula" if typed.startswith("=") else "text", typed)
        for number, row in enumerate(rows, 1)
        for column, typed in enumerate(row, 1)
        if typed.strip()
    )
    return Table(title, tuple(_bounded(cells)))


def _bounded(cells: Iterable[Cell]) -> Iterator[Cell]:
    for cell in cells:
        if cell.row > MAX_ROWS or cell.column > MAX_COLUMNS:
            raise Unreadable("table-too-large", rows=MAX_ROWS, columns=MAX_COLUMNS)
        yield cell


def _workbook(content: bytes) -> tuple[Table, ...]:
    try:
        child = subprocess.run(  # noqa: S603  # Ourselves, with nothing of the file among the arguments.
            [sys.executable, "-I", "-W", "ignore", __file__],
            input=content,
            capture_output=True,
            timeout=4 * CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("too-heavy") from None
    if child.returncode == TOO_HEAVY or child.returncode < 0:  # Below zero: a limit's signal ended it.
        raise Unreadable("too-heavy")
    if child.returncode:
        raise Unreadable("not-a-workbook")
    parsed = msgspec.json.decode(child.stdout, type=Parsed)
    if parsed.refused:
        raise Unreadable(parsed.refused, **parsed.facts)
    return parsed.tables


# --- the child --------------------------------------------------------------------------------------------------------


def _main() -> None:
    """Read a workbook from standard input and write its tables as JSON to standard output.

    What is broken beyond our own checks ends the process with a traceback: that, too, is an answer.
    """
    _limit()
    try:
        parsed = Parsed(tuple(_parse(sys.stdin.buffer.read())))
    except Unreadable as unreadable:
        parsed = Parsed(refused=unreadable.code, facts=unreadable.facts)
    except MemoryError:
        sys.exit(TOO_HEAVY)
    sys.stdout.buffer.write(msgspec.json.encode(parsed))


def _limit() -> None:
    if sys.platform == "win32":  # It has no such limits; the weights of the archive and the deadline still hold.
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))


def _parse(content: bytes) -> Iterator[Table]:
    clean, walked = _inspected(content)
    book = load_workbook(clean, read_only=True, data_only=False, keep_links=False)
    read = {sheet.title for sheet in book.worksheets}
    for title in (title for part in walked.values() for title in part.sheets):
        if title not in read:  # openpyxl passes over a sheet whose part it does not find, and says nothing.
            raise Unreadable("sheet-not-read", title=title)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # The size a sheet states may hide rows from the reader.
        cells = (
            Cell(cell.row, cell.column, *_content(cell))
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        )
        part: str = sheet._worksheet_path  # type: ignore[attr-defined]  # Nothing public tells which part it is.
        yield Table(sheet.title, tuple(_bounded(cells)), tuple(walked[part].merged))


def _content(cell: Any) -> tuple[Kind, str]:
    value = cell.value
    match cell.data_type:
        case "f":
            return "formula", ""
        case "s":
            return "text", str(value)
        case "n" if isinstance(value, int):
            return "number", str(value)
        case "n" if isinstance(value, float):
            # A workbook knows no integers; what has no fraction is one, up to where a float is exact.
            is_whole = value.is_integer() and abs(value) < 2**53
            return ("number", str(int(value))) if is_whole else ("fraction", "")
        case "d" if isinstance(value, datetime) and value.time() == time():
            return "day", value.date().isoformat()
        case "d" if type(value) is date:
            return "day", value.isoformat()
    return "other", ""


class Walked(NamedTuple):
    """What was met in a part: the top left corners of merged cells, and the titles of the workbook's sheets."""

    merged: list[tuple[int, int]]
    sheets: list[str]


def _inspected(content: bytes) -> tuple[io.BytesIO, dict[str, Walked]]:
    """Weigh the archive and walk its parts; answers an archive of what was walked, and what was met in each part.

    Pictures and the like stay behind: openpyxl is given no byte that was not looked at. Raises `Unreadable`.
    """
    clean, met = io.BytesIO(), {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(clean, "w") as walked:
        _weigh(archive)
        for part in archive.infolist():
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                # No more than a part states is ever unpacked, and the archive's checksum tells if there was more.
                unpacked = archive.read(part)
                met[part.filename] = _walk(unpacked)
                walked.writestr(part.filename, unpacked)
    return clean, met


def _weigh(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Unreadable("too-heavy")
    if len({part.filename for part in parts}) < len(parts):
        raise Unreadable("not-a-workbook")
    for part in parts:
        if part.file_size > MAX_RATIO * (part.compress_size + 100):
            raise Unreadable("too-heavy")
        if part.flag_bits & 1:
            raise Unreadable("has-password")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("not-a-workbook")
        name = part.filename.lower()
        if "vba" in name or "activex" in name or "embeddings" in name or "macrosheets" in name:
            raise Unreadable("macros-not-allowed")
        if "externallinks" in name or name.endswith("connections.xml"):
            raise Unreadable("external-links")


def _walk(content: bytes) -> Walked:
    """Go through a part as its reader will.

    The reader passes over rows and cells that come out of order, and so would we: such a sheet is refused.
    """
    met = Walked([], [])
    in_workbook, in_sheet = False, False
    last_row, last_column = 0, 0

    def refuse_doctype(*_: object) -> NoReturn:
        raise Unreadable("xml-entities")

    def look(name: str, attributes: dict[str, str]) -> None:
        nonlocal in_workbook, in_sheet, last_row, last_column
        name = name.rpartition(":")[2]
        if "macroenabled" in attributes.get("ContentType", "").lower():
            raise Unreadable("macros-not-allowed")
        if name == "chartsheet":
            raise Unreadable("chart-sheet")
        if name == "mergeCell":
            met.merged.append(_corner(attributes["ref"]))
        elif name == "workbook":
            in_workbook = True
        elif in_workbook and name == "sheet":
            met.sheets.append(attributes["name"])
        elif name == "sheetData":
            in_sheet = True
        elif in_sheet and name == "row":
            row = int(attributes.get("r", last_row + 1))
            if not last_row < row <= LAST_ROW:
                raise Unreadable("not-a-workbook")
            last_row, last_column = row, 0
        elif in_sheet and name == "c":
            row, column = _corner(attributes["r"]) if "r" in attributes else (last_row, last_column + 1)
            if row != last_row or column <= last_column:
                raise Unreadable("not-a-workbook")
            last_column = column

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = look
    parser.Parse(content, True)
    return met


def _corner(reference: str) -> tuple[int, int]:
    """The top left cell of a range such as `B3:D4`."""
    letters, row = coordinate_from_string(reference.partition(":")[0])
    return row, column_index_from_string(letters)


if __name__ == "__main__":
    _main()

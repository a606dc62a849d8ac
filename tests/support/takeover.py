"""An old club's books as its treasurer fills them in, right or with something changed."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from openpyxl import Workbook, load_workbook

from service.takeover import spreadsheets
from service.takeover.forms import Finding
from service.takeover.reading import Takeover, read
from service.takeover.spreadsheets import Parsed, Table, Unreadable
from service.takeover.template import FILE_NAMES, write_template

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

MEMBERS = [
    [1, "Hoàng Thị Sầm", "0912 345 678", "nữ", 1956, "hộ cận nghèo", "H12", date(2017, 3, 15)],
    [2, "Lý Văn Páo", None, "NAM", "1961", "khong thuoc dien kho khan", 7, "5/4/2018"],
    [3, "Triệu Thị Mẩy", None, "Nu", 1949, "Hộ nghèo", None, datetime(2020, 2, 29)],  # noqa: DTZ001
]
LOANS = [
    [1, "5.000.000", 3_200_000, "20/01/2026", 12, "Chăn nuôi"],
    [3, 2_000_000.0, "2 000 000 đ", date(2026, 6, 5), "6", "buon ban"],
]
LINES: list[list[Any]] = [
    ["tiền mặt", "quỹ tăng thu nhập", "1.250.000", "31/10/2026"],
    ["tiền gửi ngân hàng", "quỹ tăng thu nhập", 20_000_000],
    ["tiền mặt", "quỹ hoạt động", 345_000],
    ["tiền gửi ngân hàng", "quỹ hoạt động", 0],
    ["tiết kiệm của thành viên", None, 450_000, "31/10/2026", 1],
    ["tiết kiệm của thành viên", "quỹ tăng thu nhập", "150.000", None, 2],
    ["vốn mượn không lãi", None, "10.000.000 đồng", None, None, "Hội người cao tuổi"],
    ["trang thiết bị", "quỹ hoạt động", 12_000_000, None, None, None, "loa kéo", 2, "bộ"],
]
SHEETS = {"Thành viên": MEMBERS, "Khoản vay": LOANS, "Số dư": LINES}


def fill(path: Path, change: Callable[[Workbook], object] = lambda _: None) -> Path:
    """The template in a workbook, filled in as a treasurer would from the fourth row on, and then changed."""
    write_template(path, "xlsx")
    book = load_workbook(path)
    for title, rows in SHEETS.items():
        for number, row in enumerate(rows, 4):
            for column, typed in enumerate(row, 1):
                if typed is not None:
                    book[title].cell(number, column).value = typed
    change(book)
    book.save(path)
    return path


def cell(where: str, typed: Any) -> Callable[[Workbook], None]:
    """Types something into one cell, such as `Thành viên!C7`."""
    title, _, name = where.partition("!")

    def change(book: Workbook) -> None:
        book[title][name] = typed

    return change


def fill_csv(directory: Path, changes: dict[str, str] | None = None) -> Path:
    """The same in three CSV files, with changes by cell."""
    write_template(directory, "csv")
    for (title, rows), name in zip(SHEETS.items(), FILE_NAMES.values(), strict=True):
        with (directory / name).open(encoding="utf-8-sig", newline="") as file:
            table = [*list(csv.reader(file, delimiter=";"))[:3], *([as_typed(each) for each in row] for row in rows)]
        for where, typed in (changes or {}).items():
            if where.startswith(title):
                row, column = int(where[-1]) - 1, "ABCDEFGHIJ".index(where[-2])
                table += [[] for _ in range(row + 1 - len(table))]
                table[row] += [""] * (column + 1 - len(table[row]))
                table[row][column] = typed
        with (directory / name).open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=";").writerows(table)
    return directory


def as_typed(value: Any) -> str:
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return "" if value is None else str(int(value) if isinstance(value, float) else value)


def read_here(content: bytes) -> tuple[Table, ...]:
    """What the child that reads workbooks answers, without a child."""
    try:
        parsed = Parsed(tuple(spreadsheets._parse(content)))
    except Unreadable as unreadable:
        parsed = Parsed(refused=unreadable.code, facts=unreadable.facts)
    except Exception:  # noqa: BLE001  # Whatever is broken ends the child.
        raise Unreadable("not-a-workbook") from None
    parsed = msgspec.json.decode(msgspec.json.encode(parsed), type=Parsed)
    if parsed.refused:
        raise Unreadable(parsed.refused, **parsed.facts)
    return parsed.tables


def books(*paths: Path) -> Takeover:
    taken = read(paths, TODAY)
    assert isinstance(taken, Takeover), [finding.message() for finding in taken]
    return taken


def findings(*paths: Path) -> list[Finding]:
    found = read(paths, TODAY)
    assert isinstance(found, list)
    return found


def messages(*paths: Path) -> list[str]:
    return [finding.message() for finding in findings(*paths)]


def codes(*paths: Path) -> list[str]:
    return [finding.code for finding in findings(*paths)]

"""No row of an old book is dropped in silence: it is read, or named where it stands, or said to be the template's."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from service.takeover.forms import COLUMNS, FORMS, Report
from service.takeover.rows import assign, rows_of
from service.takeover.spreadsheets import Table, tables_of
from tests.support.takeover import TODAY, as_typed, books, cell, fill, fill_csv, findings, messages

pytestmark = pytest.mark.usefixtures("without_a_child")

OWN_ROWS = [
    *("Thành viên!A2: Dòng hướng dẫn của mẫu, không đọc.", "Thành viên!A3: Dòng ví dụ của mẫu, không đọc."),
    *("Khoản vay!A2: Dòng hướng dẫn của mẫu, không đọc.", "Khoản vay!A3: Dòng ví dụ của mẫu, không đọc."),
    *("Số dư!A2: Dòng hướng dẫn của mẫu, không đọc.", "Số dư!A3: Dòng ví dụ của mẫu, không đọc."),
]


def row(title: str, number: int, *typed: Any) -> Callable[[Workbook], None]:
    """Types a row, from its first cell on."""

    def change(book: Workbook) -> None:
        for column in range(1, book[title].max_column + 1):
            book[title].cell(number, column).value = typed[column - 1] if column <= len(typed) else None

    return change


def noted(*paths: Path) -> list[str]:
    return [note.message() for note in books(*paths).notes]


# --- the template's own rows --------------------------------------------------------------------------------------


def test_the_templates_own_rows_are_passed_over_and_said(tmp_path: Path) -> None:
    lists = "Trang Danh mục: danh sách để chọn của mẫu, không đọc."
    assert noted(fill(tmp_path / "cu.xlsx")) == [lists, *OWN_ROWS]
    assert noted(fill_csv(tmp_path / "csv")) == OWN_ROWS


def test_the_templates_rows_are_known_though_a_spreadsheet_made_numbers_and_days_of_them(tmp_path: Path) -> None:
    def retype(book: Workbook) -> None:
        book["Thành viên"]["E3"], book["Thành viên"]["H3"] = 1956, date(2017, 3, 15)
        book["Khoản vay"]["B3"], book["Khoản vay"]["D3"] = 5_000_000, date(2026, 1, 20)

    assert noted(fill(tmp_path / "cu.xlsx", retype))[1:] == OWN_ROWS


@pytest.mark.parametrize("where", ["Thành viên!B3", "Khoản vay!B3", "Số dư!C3", "Thành viên!J3"])
def test_the_example_with_real_figures_in_it_is_asked_about(where: str, tmp_path: Path) -> None:
    (told,) = messages(fill(tmp_path / "cu.xlsx", cell(where, "2.000.000")))
    title = where.partition("!")[0]
    assert told.startswith(f"{title}!A3: Đây là dòng ví dụ của mẫu, nhưng đã bị sửa.")


def test_the_example_that_lost_a_cell_and_a_changed_help_are_asked_about(tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        book["Thành viên"]["H3"] = None
        book["Khoản vay"]["F2"] = "nuôi lợn"

    told = [(str(finding.place), finding.code) for finding in findings(fill(tmp_path / "cu.xlsx", change))]
    assert told == [("Thành viên!A3", "example-changed"), ("Khoản vay!A2", "help-changed")]


def test_the_example_made_a_member_of_is_a_member(tmp_path: Path) -> None:
    refilled = row("Thành viên", 3, 4, "Vi Thị Ngoan", None, "nữ", 1950, "hộ nghèo", None, "01/02/2018")
    assert [member.name for member in books(fill(tmp_path / "cu.xlsx", refilled)).members][3] == "Vi Thị Ngoan"


# --- names that begin like an example -----------------------------------------------------------------------------


def test_a_member_called_vi_dung_whose_number_was_forgotten_is_asked_about(tmp_path: Path) -> None:
    forgotten = row("Thành viên", 7, None, "Vi Dũng Tiến", None, "nam", 1958, "hộ nghèo", None, "01/02/2018")
    assert messages(fill(tmp_path / "cu.xlsx", forgotten)) == ["Thành viên!A7: Ô này bắt buộc phải có."]


def test_a_member_called_vi_du_is_read_where_the_names_stand_first(tmp_path: Path) -> None:
    directory = fill_csv(tmp_path / "csv")
    file = directory / "thanh-vien.csv"
    table = list(csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";"))
    table.append(["4", "Vi Dự", "", "nam", "1958", "hộ nghèo", "", "01/02/2018"])
    table.append(["5", "Hướng Dẫn Hoà", "", "nam", "1958", "hộ nghèo", "", "01/02/2018"])
    with file.open("w", encoding="utf-8-sig", newline="") as names_first:
        csv.writer(names_first, delimiter=";").writerows([each[1], each[0], *each[2:]] for each in table)

    taken = books(directory)
    assert [member.name for member in taken.members][3:] == ["Vi Dự", "Hướng Dẫn Hoà"]
    assert "Thành viên!B3: Dòng ví dụ của mẫu, không đọc." in [note.message() for note in taken.notes]


def test_equipment_that_begins_like_an_example_is_read(tmp_path: Path) -> None:
    bags = row("Số dư", 12, "trang thiết bị", None, 600_000, None, None, None, "Ví du lịch", 3, "cái")
    assert [item.what for item in books(fill(tmp_path / "cu.xlsx", bags)).equipment] == ["loa kéo", "Ví du lịch"]

    without_kind = row("Số dư", 12, None, None, 600_000, None, None, None, "Ví du lịch", 3, "cái")
    assert messages(fill(tmp_path / "thieu.xlsx", without_kind)) == ["Số dư!A12: Ô này bắt buộc phải có."]


# --- anything else ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """The three filled-in sheets as rows of text, by the name of their file."""
    directory = fill_csv(tmp_path_factory.mktemp("sheets") / "csv")
    return {
        file.name: list(csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";"))
        for file in sorted(directory.iterdir())
    }


def read_back(sheets: dict[str, list[list[str]]]) -> Report:
    """What is said of these sheets, each read by itself."""
    report, tables = Report([], []), list[Table]()
    for name, rows in sheets.items():
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows(rows)
        tables += tables_of(name, text.getvalue().encode())
    for form, table in assign(tables, report).items():
        rows_of(form, table, TODAY, report)
    return report


@pytest.mark.parametrize("name", ["thanh-vien.csv", "khoan-vay.csv", "so-du.csv"])
def test_whatever_is_typed_anywhere_is_named_in_its_row_if_it_is_not_understood(
    sheets: dict[str, list[list[str]]], name: str
) -> None:
    assert read_back(sheets).findings == []
    free_text = {("thanh-vien.csv", 1), ("thanh-vien.csv", 2), ("so-du.csv", 6), ("so-du.csv", 8)}
    for number in (*range(1, 13), 40):
        for column in range(11):
            if number > 3 and (name, column) in free_text and number <= len(sheets[name]):
                continue  # Taken as it is: a name, a phone, equipment and its unit.
            table = [list(each) for each in sheets[name]]
            table += [[] for _ in range(number - len(table))]
            table[number - 1] += [""] * (column + 1 - len(table[number - 1]))
            table[number - 1][column] = "Tổng cộng ½"
            found = {finding.place.row for finding in read_back({**sheets, name: table}).findings}
            assert number in found or (number == 1 and found), (number, column)


def test_hidden_rows_columns_and_sheets_are_read_like_all_others(tmp_path: Path) -> None:
    def hide(book: Workbook) -> None:
        book["Thành viên"].row_dimensions[5].hidden = True
        book["Thành viên"].column_dimensions["B"].hidden = True
        book["Khoản vay"].sheet_state = "veryHidden"
        book["Thành viên"].auto_filter.ref = "A1:H6"

    taken = books(fill(tmp_path / "cu.xlsx", hide))
    assert (len(taken.members), len(taken.loans)) == (3, 2)


def test_rows_after_a_gap_are_read(tmp_path: Path) -> None:
    far_down = row("Thành viên", 400, 4, "Vi Thị Ngoan", None, "nữ", 1950, "hộ nghèo", None, "01/02/2018")
    assert len(books(fill(tmp_path / "cu.xlsx", far_down)).members) == 4


def test_a_row_of_totals_is_named(tmp_path: Path) -> None:
    told = findings(fill(tmp_path / "cu.xlsx", row("Khoản vay", 6, "Tổng cộng", 7_000_000, 5_200_000)))
    assert (str(told[0].place), told[0].code) == ("Khoản vay!A6", "not-a-number")


def test_an_unknown_sheet_is_named(tmp_path: Path) -> None:
    told = messages(fill(tmp_path / "cu.xlsx", lambda book: book.create_sheet("Thành viên mới")))
    assert told == [
        "Có trang lạ tên là “Thành viên mới”. Chỉ nhận các trang: Thành viên, Khoản vay, Số dư. "
        "Xin đổi tên hoặc xóa trang này."
    ]


def test_what_somebody_wrote_on_the_sheet_of_lists_is_not_passed_over(tmp_path: Path) -> None:
    (told,) = messages(fill(tmp_path / "cu.xlsx", cell("Danh mục!A30", "Vi Thị Ngoan, 450.000 đ")))
    assert told.startswith("Có trang lạ tên là “Danh mục”.")


def test_what_else_lies_in_a_directory_is_said(tmp_path: Path) -> None:
    directory = fill_csv(tmp_path / "csv")
    (directory / "so-du.csv").rename(directory / "SO-DU.CSV")
    (directory / "bo-sung.xlsx").write_bytes(b"")
    assert noted(directory) == ["Tệp bo-sung.xlsx trong thư mục không phải .csv, không đọc.", *OWN_ROWS]


def test_no_name_may_stand_where_the_templates_mark_does() -> None:
    assert {COLUMNS[form][0].kind for form in FORMS} == {"number", "word"}


# --- cells a spreadsheet spoilt -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        (912345678, "0912345678"),
        ("912 345 678", "0912 345 678"),
        (2053812345, "02053812345"),
        (84912345678, "84912345678"),
    ],
)
def test_a_phone_number_that_lost_its_zero_gets_it_back_and_that_is_said(
    typed: Any, taken: str, tmp_path: Path
) -> None:
    read = books(fill(tmp_path / "cu.xlsx", cell("Thành viên!C4", typed)))
    said = "Thành viên!C4: Bảng tính đã làm mất số 0 ở đầu số điện thoại; đã thêm lại số 0."
    assert read.members[0].phone == taken
    assert [note.message() == said for note in read.notes].count(True) == (as_typed(typed) != taken)


@pytest.mark.parametrize("typed", [12345, "0912 345", 1234567890123])
def test_a_number_that_is_no_phone_number_is_asked_about(typed: Any, tmp_path: Path) -> None:
    (told,) = messages(fill(tmp_path / "cu.xlsx", cell("Thành viên!C4", typed)))
    assert told.startswith("Thành viên!C4: Số điện thoại thiếu hoặc thừa chữ số")


def test_a_household_is_the_same_in_small_letters(tmp_path: Path) -> None:
    read = books(fill(tmp_path / "cu.xlsx", cell("Thành viên!G5", " h12 ")))
    assert [member.facts.get("household") for member in read.members] == ["H12", "H12", None]

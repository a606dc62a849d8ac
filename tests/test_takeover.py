"""Taking over an old club's books: what a treasurer fills in is what the books then hold, and nothing else gets in."""

import csv
import io
import os
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.xml.constants import SHEET_MAIN_NS
from typer.testing import CliRunner

from ledger.application import Job, Ledger
from ledger.events import MemberJoined, OpeningBalancesDeclared, Request
from ledger.refusals import BooksHaveBegun, FundNotFound
from service import command_line, takeover_sheets
from service.takeover import (
    NotTakenOver,
    RollHasBegun,
    RowsRefused,
    Takeover,
    import_command,
    read,
    summary,
    take_over,
)
from service.takeover_forms import Finding
from service.takeover_sheets import MAX_FILE
from service.takeover_template import FILE_NAMES, write_template
from tests.village import CLUB, FUND, bylaws, gives, joins, stamp

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OPENED = date(2016, 10, 1)

MEMBERS = [
    [1, "Hoàng Thị Sầm", "0912 345 678", "nữ", 1956, "hộ cận nghèo", "H12", date(2017, 3, 15)],
    [2, "Lý Văn Páo", None, "NAM", "1961", "khong thuoc dien kho khan", 7, "5/4/2018"],
    [3, "Triệu Thị Mẩy", None, "Nu", 1949, "Hộ nghèo", None, datetime(2020, 2, 29)],  # noqa: DTZ001
]
LOANS = [
    [1, "5.000.000", 3_200_000, "20/01/2026", 12, "Chăn nuôi"],
    [3, 2_000_000.0, "2 000 000 đ", date(2026, 6, 5), "6", "buon ban"],
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


def fill(path: Path, change: Callable[[Workbook], None] = lambda _: None) -> Path:
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


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with one fund, open since 2016 and still empty."""
    yield from opened(database_url)


@pytest.fixture
def sqlite_ledger(sqlite_url: str) -> Iterator[Ledger]:
    yield from opened(sqlite_url)


def opened(url: str) -> Iterator[Ledger]:
    ledger = Ledger(url)
    record(ledger, lambda fund: fund.open(stamp(OPENED, by="admin", key="opened"), bylaws=bylaws(), **CLUB), opens=True)
    yield ledger
    ledger.close()


def record(ledger: Ledger, act: Callable[[Any], object], key: str = "opened", *, opens: bool = False) -> None:
    (outcome,) = ledger.record(
        [Job(fund=FUND, decide=act, request=Request(key, f"digest of {key}"), opens=opens, several=True)]
    )
    assert not isinstance(outcome, Exception), outcome


def lines(ledger: Ledger) -> list[bytes]:
    return [entry.line for entry in ledger.entries(FUND)]


def registered(ledger: Ledger) -> set[str]:
    return {row["text"] for row in ledger.database.query("SELECT text FROM texts")}


def taken_over(ledger: Ledger, takeover: Takeover, *, dry_run: bool = False) -> Any:
    return take_over(ledger, FUND, takeover, recorded_at=NOW, recorded_by="p1", dry_run=dry_run)


# --- what comes in ------------------------------------------------------------------------------------------------


def test_a_filled_in_template_becomes_the_books_of_the_fund(ledger: Ledger, tmp_path: Path) -> None:
    taken_over(ledger, books(fill(tmp_path / "sổ cũ.xlsx")))

    fund = ledger.replayed(FUND)
    assert {key: amount for key, amount in fund.balances.items() if amount} == {
        ("revolving", "cash", None): 1_250_000,
        ("revolving", "bank", None): 20_000_000,
        ("revolving", "loans", 1): 3_200_000,
        ("revolving", "loans", 2): 2_000_000,
        ("revolving", "savings", 1): -450_000,
        ("revolving", "savings", 2): -150_000,
        ("revolving", "advances", 1): -10_000_000,
        ("revolving", "opening", None): -15_850_000,
        ("activity", "cash", None): 345_000,
        ("activity", "equipment", None): 12_000_000,
        ("activity", "opening", None): -12_345_000,
    }
    assert [(m.sex, m.birth_year, m.poverty, m.household, m.joined_on) for m in fund.members.values()] == [
        ("female", 1956, "near_poor", "H12", date(2017, 3, 15)),
        ("male", 1961, "none", "7", date(2018, 4, 5)),
        ("female", 1949, "poor", None, date(2020, 2, 29)),
    ]
    first, second = fund.loans.values()
    assert (first.member, first.principal, first.disbursed_on, first.term_months, first.purpose) == (
        *(1, 5_000_000, date(2026, 1, 20), 12, "livestock"),
    )
    assert (second.member, second.outstanding, second.disbursed_on, second.purpose) == (
        *(3, 2_000_000, date(2026, 6, 5), "trade"),
    )
    opening = fund.entries[-1]
    assert isinstance(opening, OpeningBalancesDeclared)
    assert opening.on == date(2026, 10, 31)
    assert [(lent.source, lent.amount) for lent in opening.advances] == [("elderly_association", 10_000_000)]
    assert [(item.what, item.quantity, item.unit) for item in opening.equipment] == [("loa kéo", 2, "bộ")]


def test_names_and_phones_go_to_the_register_and_into_no_line(ledger: Ledger, tmp_path: Path) -> None:
    taken_over(ledger, books(fill(tmp_path / "cu.xlsx")))

    assert registered(ledger) == {"Hoàng Thị Sầm", "0912 345 678", "Lý Văn Páo", "Triệu Thị Mẩy"}
    history = b"\n".join(lines(ledger)).decode()
    assert not [text for text in registered(ledger) if text in history]
    assert all(member.name for member in ledger.replayed(FUND).members.values())


def test_three_csv_files_say_the_same_as_the_workbook(tmp_path: Path) -> None:
    workbook, directory = books(fill(tmp_path / "cu.xlsx")), fill_csv(tmp_path / "csv")
    for same in (books(directory), books(*directory.iterdir())):
        for field in ("on", "loans", "pots", "equipment", "savings", "advances"):
            assert getattr(same, field) == getattr(workbook, field)
        assert [(m.number, m.name, m.phone, m.facts, m.joined_on) for m in same.members] == [
            (m.number, m.name, m.phone, m.facts, m.joined_on) for m in workbook.members
        ]


def test_commas_separate_as_well_as_semicolons_and_no_mark_is_needed_at_the_front(tmp_path: Path) -> None:
    directory = fill_csv(tmp_path / "csv")
    for file in directory.iterdir():
        with file.open(encoding="utf-8-sig", newline="") as old:
            rows = list(csv.reader(old, delimiter=";"))
        with file.open("w", encoding="utf-8", newline="") as new:
            csv.writer(new).writerows(rows)
    assert len(books(directory).members) == 3


def test_members_get_their_numbers_whatever_the_order_of_the_rows(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    def swap(book: Workbook) -> None:
        book["Thành viên"]["A4"], book["Thành viên"]["A6"] = 3, 1

    taken_over(sqlite_ledger, books(fill(tmp_path / "cu.xlsx", swap)))
    assert [member.birth_year for member in sqlite_ledger.replayed(FUND).members.values()] == [1949, 1961, 1956]


def test_titles_headers_and_words_are_known_without_case_and_marks(tmp_path: Path) -> None:
    def retype(book: Workbook) -> None:
        book["Thành viên"].title = "THANH VIEN"
        book["Khoản vay"]["B1"] = "so tien vay"

    assert len(books(fill(tmp_path / "cu.xlsx", retype)).members) == 3


def test_decomposed_letters_are_composed(tmp_path: Path) -> None:
    decomposed = "Hoa\u0300ng Thi\u0323 Sâ\u0300m"
    (first, *_) = books(fill(tmp_path / "cu.xlsx", cell("Thành viên!B4", decomposed))).members
    assert first.name == "Hoàng Thị Sầm"


# --- one act ------------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_everything_and_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    before = lines(ledger)
    shown = taken_over(ledger, books(fill(tmp_path / "cu.xlsx")), dry_run=True)

    assert [type(event) for event in shown.events] == [MemberJoined] * 3 + [OpeningBalancesDeclared]
    assert summary(shown) == [
        "Thành viên: 3 người; ngày chốt sổ: 31/10/2026",
        "Tiết kiệm của thành viên: 600.000 đ, của 2 người",
        "Dư nợ cho vay: 5.200.000 đ, của 2 khoản vay",
        "Vốn mượn không lãi: 10.000.000 đ, của 1 khoản",
        "Trang thiết bị: 12.000.000 đ, 1 dòng",
        "Quỹ tăng thu nhập: tiền mặt 1.250.000 đ (Một triệu hai trăm năm mươi nghìn đồng), "
        "tiền gửi ngân hàng 20.000.000 đ (Hai mươi triệu đồng); "
        "vốn của quỹ, tính theo chênh lệch: 15.850.000 đ",
        "Quỹ hoạt động: tiền mặt 345.000 đ (Ba trăm bốn mươi lăm nghìn đồng), "
        "tiền gửi ngân hàng 0 đ (Không đồng); vốn của quỹ, tính theo chênh lệch: 12.345.000 đ",
    ]
    assert lines(ledger) == before
    assert registered(ledger) == set()


def test_the_same_file_twice_is_recorded_once(ledger: Ledger, tmp_path: Path) -> None:
    file = fill(tmp_path / "cu.xlsx")
    first = taken_over(ledger, books(file))
    after = lines(ledger)

    again = taken_over(ledger, books(file))
    assert again.replayed
    assert (again.version, again.head, again.events) == (first.version, first.head, first.events)
    assert lines(ledger) == after


def test_the_same_three_files_are_the_same_request_in_any_order(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    files = list(fill_csv(tmp_path / "csv").iterdir())
    taken_over(sqlite_ledger, books(*files))
    assert taken_over(sqlite_ledger, books(*reversed(files))).replayed


def test_another_file_is_refused_once_the_books_were_taken_over(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    taken_over(sqlite_ledger, books(fill(tmp_path / "cu.xlsx")))
    after = lines(sqlite_ledger)
    other = books(fill(tmp_path / "khac.xlsx", cell("Số dư!C4", "1.250.001")))
    with pytest.raises(RollHasBegun):
        taken_over(sqlite_ledger, other)
    assert lines(sqlite_ledger) == after


def test_nobody_may_have_joined_before(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    record(sqlite_ledger, joins(on="2024-01-01"), "joined")
    with pytest.raises(RollHasBegun):
        taken_over(sqlite_ledger, books(fill(tmp_path / "cu.xlsx")))


def test_no_member_is_left_behind_when_the_balances_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, gives(1_000_000, on="2024-01-01"), "gift")
    before = lines(ledger)
    with pytest.raises(BooksHaveBegun):
        taken_over(ledger, books(fill(tmp_path / "cu.xlsx")))
    assert lines(ledger) == before
    assert registered(ledger) == set()


def test_the_rules_of_the_fund_are_told_by_cell_all_at_once(ledger: Ledger, tmp_path: Path) -> None:
    def break_rules(book: Workbook) -> None:
        book["Thành viên"]["H4"] = "30/09/2016"
        book["Thành viên"]["E6"] = 1850

    before = lines(ledger)
    with pytest.raises(RowsRefused) as refused:
        taken_over(ledger, books(fill(tmp_path / "cu.xlsx", break_rules)))
    told = [finding.message() for finding in refused.value.findings]
    assert [line.partition(":")[0] for line in told] == ["Thành viên!H4", "Thành viên!E6"]
    assert "01/10/2016" in told[0]
    assert "1850" in told[1]
    assert lines(ledger) == before


def test_a_fund_that_is_not_open_takes_nothing_over(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    takeover = books(fill(tmp_path / "cu.xlsx"))
    with pytest.raises(FundNotFound):
        take_over(sqlite_ledger, "LS-NOWHERE", takeover, recorded_at=NOW, recorded_by="p1")


# --- wrong cells --------------------------------------------------------------------------------------------------

WRONG_CELLS = [
    ("Thành viên!A5", "1", "Số thành viên 1 đã dùng ở dòng trên."),
    ("Thành viên!A5", "0", "Số phải từ 1 đến 500."),
    ("Thành viên!A5", "501", "Số phải từ 1 đến 500."),
    ("Thành viên!A5", "hai", "Ô này phải là số nguyên, viết bằng chữ số."),
    ("Thành viên!A5", "٢", "Ô này phải là số nguyên, viết bằng chữ số."),
    ("Thành viên!B5", "", "Ô này bắt buộc phải có."),
    ("Thành viên!B5", "a" * 201, "Ô này được nhiều nhất 200 ký tự."),
    ("Thành viên!B5", "Páo\u202eoáP", "Ô này có ký tự ẩn, ký tự đảo chiều chữ hoặc quá nhiều dấu liền nhau."),
    ("Thành viên!B5", "Páo\x07", "Ô này có ký tự ẩn, ký tự đảo chiều chữ hoặc quá nhiều dấu liền nhau."),
    ("Thành viên!B5", "Lý\nVăn Páo", "Ô này có ký tự ẩn, ký tự đảo chiều chữ hoặc quá nhiều dấu liền nhau."),
    ("Thành viên!C5", "=1+1", "Ô này là công thức. Xin dán giá trị thay cho công thức."),
    ("Thành viên!D5", "trai", "Ô này chỉ nhận một trong các giá trị: nữ; nam."),
    ("Thành viên!E5", "19560", "Số phải từ 1800 đến 2200."),
    ("Thành viên!F5", "giàu", "Ô này chỉ nhận một trong các giá trị: hộ nghèo; hộ cận nghèo;"),
    ("Thành viên!G5", "nhà ông Páo", "Mã chỉ gồm chữ cái không dấu, chữ số và dấu gạch nối"),
    ("Thành viên!H5", "31/02/2020", "Ô này phải là ngày có thật, viết theo ngày/tháng/năm"),
    ("Thành viên!H5", "02/29/2020", "Ô này phải là ngày có thật, viết theo ngày/tháng/năm"),
    ("Thành viên!H5", "2019", "Ô này phải là ngày có thật, viết theo ngày/tháng/năm"),
    ("Thành viên!H5", "24/11/2026", "Không ghi trước việc chưa xảy ra. Hôm nay là ngày 23/11/2026."),
    ("Thành viên!H5", "31/12/1899", "Không nhận ngày trước 01/01/1900."),
    ("Thành viên!H5", "01/11/2026", "Ngày này sau ngày chốt sổ 31/10/2026."),
    ("Thành viên!J5", "ghi chú", "Cột này không có trong mẫu."),
    ("Thành viên!I1", "Dân tộc", "Cột này không có trong mẫu."),
    ("Thành viên!C1", "Họ và tên", "Cột này có hai lần."),
    ("Khoản vay!A5", "4", "Trang Thành viên không có số 4."),
    ("Khoản vay!B5", "-2000000", "Ô này phải là số tiền nguyên, viết như 1200000 hoặc 1.200.000"),
    ("Khoản vay!B5", "2,000,000", "Ô này phải là số tiền nguyên"),
    ("Khoản vay!B5", "2.00.000", "Ô này phải là số tiền nguyên"),
    ("Khoản vay!B5", "2 triệu", "Ô này phải là số tiền nguyên"),
    ("Khoản vay!B5", "2e6", "Ô này phải là số tiền nguyên"),
    ("Khoản vay!B5", "2_000_000", "Ô này phải là số tiền nguyên"),
    ("Khoản vay!B5", "1.000.000.000.001", "Số tiền phải từ 1 đ đến 1.000.000.000.000 đ."),
    ("Khoản vay!C5", "0", "Số tiền phải từ 1 đ đến 1.000.000.000.000 đ."),
    ("Khoản vay!C5", "2.000.001", "Dư nợ gốc lớn hơn số tiền vay 2.000.000 đ."),
    ("Khoản vay!D5", "01/11/2026", "Ngày này sau ngày chốt sổ 31/10/2026."),
    ("Khoản vay!E5", "121", "Số phải từ 1 đến 120."),
    ("Khoản vay!F5", "đánh bạc", "Ô này chỉ nhận một trong các giá trị: buôn bán; chăn nuôi;"),
    ("Số dư!A8", "tiền vàng", "Ô này chỉ nhận một trong các giá trị: tiền mặt; tiền gửi ngân hàng;"),
    ("Số dư!B6", "", "Ô này bắt buộc phải có."),
    ("Số dư!B6", "quỹ tăng thu nhập", "Tiền mặt: dòng này đã có ở trên."),
    ("Số dư!B8", "quỹ hoạt động", "Tiết kiệm của thành viên: chỉ thuộc quỹ tăng thu nhập."),
    ("Số dư!C8", "0", "Số tiền là 0, xin bỏ dòng này."),
    ("Số dư!D8", "30/10/2026", "Ngày chốt sổ khác với dòng đầu (31/10/2026)."),
    ("Số dư!E8", "9", "Trang Thành viên không có số 9."),
    ("Số dư!E9", "1", "Tiết kiệm của thành viên: dòng này đã có ở trên."),
    ("Số dư!E4", "1", "Tiền mặt: dòng này không cần ô này, xin để trống."),
]


@pytest.mark.parametrize(("where", "typed", "said"), WRONG_CELLS)
def test_each_wrong_cell_is_named_in_vietnamese(where: str, typed: str, said: str, tmp_path: Path) -> None:
    told = messages(fill_csv(tmp_path / "csv", {where: typed}))
    assert any(line.startswith(f"{where}: {said}") for line in told), told


@pytest.mark.parametrize("typed", [12.5, 2_000_000.5, 1e300, True, "=A1*2", "#REF!", datetime(2026, 1, 1, 8, 30)])  # noqa: DTZ001
def test_what_is_no_whole_amount_in_a_workbook_is_refused_in_its_cell(typed: Any, tmp_path: Path) -> None:
    (finding,) = findings(fill(tmp_path / "cu.xlsx", cell("Khoản vay!B5", typed)))
    assert str(finding.place) == "Khoản vay!B5"
    assert finding.code in ("fraction", "formula", "cell-not-readable")


def test_a_household_that_the_spreadsheet_made_a_day_of_is_noticed(tmp_path: Path) -> None:
    (told,) = messages(fill(tmp_path / "cu.xlsx", cell("Thành viên!G4", date(2026, 12, 3))))
    assert told.startswith("Thành viên!G4: Bảng tính đã đổi ô này thành ngày.")


def test_a_plain_number_is_no_day(tmp_path: Path) -> None:
    assert codes(fill(tmp_path / "cu.xlsx", cell("Khoản vay!D4", 45_000))) == ["not-a-day"]


def test_merged_cells_are_named_by_their_corner(tmp_path: Path) -> None:
    def merge(book: Workbook) -> None:
        book["Khoản vay"].merge_cells("E4:E5")

    told = findings(fill(tmp_path / "cu.xlsx", merge))
    assert ("Khoản vay!E4", "merged-cells") in [(str(finding.place), finding.code) for finding in told]


def test_all_findings_come_at_once_sheet_by_sheet(tmp_path: Path) -> None:
    wrong = {"Số dư!C4": "nhiều", "Thành viên!E6": "già", "Thành viên!H4": "hôm qua", "Khoản vay!A4": "8"}
    told = findings(fill_csv(tmp_path / "csv", wrong))
    assert [str(finding.place) for finding in told] == ["Thành viên!H4", "Thành viên!E6", "Khoản vay!A4", "Số dư!C4"]


@pytest.mark.parametrize("number", ["4", "5"])
def test_a_number_left_out_is_named(number: str, tmp_path: Path) -> None:
    told = messages(fill_csv(tmp_path / "csv", {"Thành viên!A6": number, "Khoản vay!A5": "1"}))
    missing = ", ".join(str(each) for each in range(3, int(number)))
    assert told == [f"Thành viên: Số thành viên phải liền nhau từ 1; còn thiếu: {missing}."]


def test_forgotten_cash_is_not_taken_for_nothing(tmp_path: Path) -> None:
    def forget(book: Workbook) -> None:
        for column in "ABC":
            book["Số dư"][f"{column}6"] = None

    (told,) = messages(fill(tmp_path / "cu.xlsx", forget))
    assert told == "Số dư: Thiếu dòng tiền mặt, quỹ hoạt động; nếu không có tiền, xin ghi 0."


def test_an_empty_template_tells_what_is_to_be_filled_in(tmp_path: Path) -> None:
    write_template(tmp_path / "trong.xlsx", "xlsx")
    assert [str(finding.place) for finding in findings(tmp_path / "trong.xlsx")] == [
        *("Thành viên", "Số dư", "Số dư!C4", "Số dư!C5", "Số dư!C6", "Số dư!C7"),
    ]


def test_a_missing_an_unknown_and_a_doubled_sheet_are_named(tmp_path: Path) -> None:
    def rename(book: Workbook) -> None:
        book["Khoản vay"].title = "Sổ nợ"
        book.create_sheet("so du")

    assert sorted(codes(fill(tmp_path / "cu.xlsx", rename))) == ["sheet-missing", "sheet-twice", "sheet-unknown"]


def test_a_column_left_out_is_named(tmp_path: Path) -> None:
    def leave_out(book: Workbook) -> None:
        book["Khoản vay"].delete_cols(3)

    assert "Khoản vay: Thiếu cột: Dư nợ gốc." in messages(fill(tmp_path / "cu.xlsx", leave_out))


def test_findings_speak_english_too(tmp_path: Path) -> None:
    (finding,) = findings(fill_csv(tmp_path / "csv", {"Khoản vay!A5": "4"}))
    assert finding.message("en") == "Khoản vay!A5: The sheet of members has no no. 4."


# --- hostile files ------------------------------------------------------------------------------------------------


def repacked(file: Path, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A workbook with its parts changed, packed again."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def add(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: content})


def replace(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old in parts[name]
        parts[name] = parts[name].replace(old, new)

    return change


BILLION_LAUGHS = b'<!DOCTYPE lol [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
SHEET = "xl/worksheets/sheet1.xml"
MACRO_TYPE = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
PLAIN_TYPE = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def utf16_bomb(parts: dict[str, bytes]) -> None:
    parts[SHEET] = f'<?xml version="1.0" encoding="UTF-16"?>{BILLION_LAUGHS.decode()}<worksheet/>'.encode("utf-16")


def bomb_under_another_name(parts: dict[str, bytes]) -> None:
    """A sheet that does not look like XML by its name."""
    parts["xl/worksheets/sheet1.bin"] = BILLION_LAUGHS + parts.pop(SHEET)
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts[name] = parts[name].replace(b"sheet1.xml", b"sheet1.bin")


def rows_backwards(parts: dict[str, bytes]) -> None:
    parts[SHEET] = parts[SHEET].replace(b'<row r="5"', b'<row r="2"')


def many_cells(parts: dict[str, bytes]) -> None:
    """One row of very many small cells, which a reader must hold in memory all at once."""
    digits = random.Random(4)
    cells = "".join(f'<c s="{digits.randrange(10)}"/>' for _ in range(570_000))
    parts[SHEET] = (
        f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'.encode()
    )


HOSTILE = {
    "a bomb": (add("xl/media/image1.png", bytes(50 * 1024 * 1024)), "too-heavy"),
    "a smaller bomb in a sheet": (add(SHEET, bytes(4 * 1024 * 1024)), "too-heavy"),
    "more memory than allowed": (many_cells, "too-heavy"),
    "very many parts": (lambda parts: parts.update({f"xl/p{n}.xml": b"<p/>" for n in range(300)}), "too-heavy"),
    "entities": (replace(SHEET, b"<worksheet", BILLION_LAUGHS + b"<worksheet"), "xml-entities"),
    "entities in UTF-16": (utf16_bomb, "xml-entities"),
    "entities under another name": (bomb_under_another_name, "sheet-missing"),
    "macros": (add("xl/vbaProject.bin", b"Sub Auto_Open()"), "macros-not-allowed"),
    "a macro workbook renamed": (replace("[Content_Types].xml", PLAIN_TYPE, MACRO_TYPE), "macros-not-allowed"),
    "another file within": (add("xl/embeddings/oleObject1.bin", b"MZ"), "macros-not-allowed"),
    "links outside": (add("xl/externalLinks/externalLink1.xml", b"<externalLink/>"), "external-links"),
    "a connection": (add("xl/connections.xml", b"<connections/>"), "external-links"),
    "rows out of order": (rows_backwards, "not-a-workbook"),
    "a row beyond all": (replace(SHEET, b'<row r="6"', b'<row r="999999999"'), "not-a-workbook"),
    "a cell beyond all": (replace(SHEET, b'r="H6"', b'r="XFD6"'), "table-too-large"),
    "cells out of order": (replace(SHEET, b'r="A6"', b'r="X6"'), "not-a-workbook"),
    "a cell of another row": (replace(SHEET, b'r="H6"', b'r="H7"'), "not-a-workbook"),
    "no workbook in it": (lambda parts: parts.pop("xl/workbook.xml"), "not-a-workbook"),
    "XML that ends early": (replace(SHEET, b"</worksheet>", b""), "not-a-workbook"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused(name: str, tmp_path: Path) -> None:
    change, code = HOSTILE[name]
    (tmp_path / "la.xlsx").write_bytes(repacked(fill(tmp_path / "cu.xlsx"), change))
    assert codes(tmp_path / "la.xlsx") == [code]


def test_a_sheet_that_states_a_smaller_size_hides_no_row(tmp_path: Path) -> None:
    small = replace(SHEET, b'<dimension ref="A1:H6"', b'<dimension ref="A1:H5"')
    (tmp_path / "la.xlsx").write_bytes(repacked(fill(tmp_path / "cu.xlsx"), small))
    assert len(books(tmp_path / "la.xlsx").members) == 3


def test_nothing_is_recorded_of_a_refused_file(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    before = lines(sqlite_ledger)
    (tmp_path / "la.xlsx").write_bytes(repacked(fill(tmp_path / "cu.xlsx"), add("xl/vbaProject.bin", b"Sub")))
    with pytest.raises(NotTakenOver, match=r"la\.xlsx có macro"):
        import_command(sqlite_ledger, FUND, [tmp_path / "la.xlsx"], now=NOW, say=pytest.fail, agrees=pytest.fail)
    assert lines(sqlite_ledger) == before


def test_a_part_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    size = 5 * 1024 * 1024
    packed = repacked(fill(tmp_path / "cu.xlsx"), add("xl/lies.xml", b"<p>" + bytes(size - 3)))
    assert packed.count(size.to_bytes(4, "little")) >= 2
    lying = packed.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    (tmp_path / "la.xlsx").write_bytes(lying)
    assert codes(tmp_path / "la.xlsx") == ["not-a-workbook"]


@pytest.mark.parametrize("kept", [0, 10, 4_000, -30])
def test_a_truncated_workbook_is_refused(kept: int, tmp_path: Path) -> None:
    whole = fill(tmp_path / "cu.xlsx").read_bytes()
    (tmp_path / "la.xlsx").write_bytes(whole[:kept])
    assert codes(tmp_path / "la.xlsx") == ["not-a-workbook"]


def test_no_damaged_byte_brings_the_reader_down(tmp_path: Path) -> None:
    whole = fill(tmp_path / "cu.xlsx").read_bytes()
    damage = random.Random(47)
    for number in range(3):
        spoilt = bytearray(whole)
        for _ in range(20):
            spoilt[damage.randrange(len(spoilt))] = damage.randrange(256)
        file = tmp_path / f"hong-{number}.xlsx"
        file.write_bytes(spoilt)
        assert codes(file) == ["not-a-workbook"]


def test_a_file_is_weighed_before_it_is_read(tmp_path: Path) -> None:
    for name in ("la.xlsx", "thanh-vien.csv"):
        (tmp_path / name).write_bytes(b"1" * 5 * MAX_FILE)
        assert codes(tmp_path / name) == ["file-too-large"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("la.xlsm", b"PK", "macros-not-allowed"),
        ("la.xls", b"\xd0\xcf\x11\xe0", "file-kind-unknown"),
        ("la.xlsx", b"<html/>", "not-a-workbook"),
        ("thanh-vien.csv", "Số thành viên;Họ và tên".encode("utf-16"), "not-utf8"),
        ("thanh-vien.csv", "a;b\n1;2".encode("utf-16-le"), "not-utf8"),
        ("thanh-vien.csv", "Số thành viên;Họ và tên".encode("cp1258", "replace") + b"\xff", "not-utf8"),
        ("thanh-vien.csv", b'a;"b\n1;2', "not-a-csv"),
        ("thanh-vien.csv", b"a;b\n" + b"1;2\n" * 2_000, "table-too-large"),
        ("thanh-vien.csv", b"a;" * 51 + b"a", "table-too-large"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert codes(tmp_path / name) == [code]


def test_only_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ong.csv")
    for name in ("ong.csv", "khong-co.xlsx"):
        assert codes(tmp_path / name) == ["file-not-found"]


def test_a_reader_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(takeover_sheets, "__file__", str(slow))
    monkeypatch.setattr(takeover_sheets, "CHILD_SECONDS", 0.1)
    assert codes(fill(tmp_path / "cu.xlsx")) == ["too-heavy"]


GREEDY = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("sheets", {file!r})
sheets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sheets)
sheets.CHILD_SECONDS = 1
sheets._limit()
try:
    {greed}
except MemoryError:
    sys.exit(sheets.TOO_HEAVY)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("greed", ["bytearray(2 ** 30)", "[_ for _ in iter(int, 1)]", "any(iter(int, 1))"])
def test_a_reader_that_takes_too_much_is_stopped(greed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = tmp_path / "greedy.py"
    greedy.write_text(GREEDY.format(file=takeover_sheets.__file__, greed=greed))
    file = fill(tmp_path / "cu.xlsx")
    monkeypatch.setattr(takeover_sheets, "__file__", str(greedy))
    assert codes(file) == ["too-heavy"]


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `microfund import` against a database with one open fund."""
    for _ in opened(sqlite_url):
        monkeypatch.setenv("MICROFUND_DATABASE", sqlite_url)
    return lambda *words, typed="": CliRunner().invoke(command_line.app, ["import", *map(str, words)], input=typed)


def test_the_command_writes_a_template_and_takes_it_back_filled_in(command: Callable[..., Any], tmp_path: Path) -> None:
    assert "Đã ghi mẫu" in command("--template", tmp_path / "mau.xlsx").output
    assert isinstance(command("--template", tmp_path / "mau.xlsx").exception, command_line.Mistake)

    file = fill(tmp_path / "cu.xlsx")
    assert command(file, "--fund", FUND, "--dry-run").stdout.endswith("Chưa ghi gì vào sổ.\n")
    assert command(file, "--fund", FUND, typed="n\n").stdout.endswith("Chưa ghi gì vào sổ.\n")
    assert "Đã ghi vào sổ quỹ" in command(file, "--fund", FUND, typed="y\n").stdout
    assert "đã được ghi vào sổ quỹ LS-BANG-MAC từ trước" in command(file, "--fund", FUND, "--yes").stdout


def test_the_command_says_why_nothing_was_recorded(command: Callable[..., Any], tmp_path: Path) -> None:
    wrong = fill(tmp_path / "sai.xlsx", cell("Thành viên!H4", "30/09/2016"))
    assert "Thành viên!H4" in str(command(wrong, "--fund", FUND, "--yes").exception)
    assert "Số chỗ cần sửa: 1." in str(command(wrong, "--fund", FUND, "--yes").exception)
    right = fill(tmp_path / "cu.xlsx")
    assert "Không có quỹ này" in str(command(right, "--fund", "LS-NOWHERE", "--yes").exception)
    assert isinstance(command(right).exception, command_line.Mistake)

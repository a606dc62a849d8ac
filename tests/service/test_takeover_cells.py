"""Wrong cells of a takeover are found all at once, each named by sheet and cell in plain Vietnamese."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from service.takeover.template import write_template
from tests.support.takeover import cell, codes, fill, fill_csv, findings, messages

pytestmark = pytest.mark.usefixtures("without_a_child")

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
    ("Thành viên!B5", "Lý V¨n P¸o", "Ô này gõ bằng bảng mã cũ TCVN3 (ABC), không phải Unicode"),
    ("Thành viên!B5", "L\u00ad\u00acng Văn P¸o".replace("ă", "¨"), "Ô này gõ bằng bảng mã cũ TCVN3 (ABC)"),
    ("Thành viên!B5", "Lyù Vaên Paùo", "Ô này gõ bằng bảng mã cũ VNI, không phải Unicode"),
    ("Thành viên!D5", "n÷", "Ô này gõ bằng bảng mã cũ TCVN3 (ABC)"),
    ("Thành viên!B1", "Hä vµ tªn", "Ô này gõ bằng bảng mã cũ TCVN3 (ABC)"),
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
    ("Khoản vay!B5", "1.000.000.000.001", "Số tiền phải từ 1 đ đến 1.000.000.000.000 đ."),
    ("Khoản vay!C5", "0", "Số tiền phải từ 1 đ đến 1.000.000.000.000 đ."),
    ("Khoản vay!C5", "2.000.001", "Dư nợ gốc lớn hơn số tiền vay 2.000.000 đ."),
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

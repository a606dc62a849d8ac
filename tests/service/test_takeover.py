"""Taking over an old club's books: what a treasurer fills in is what the books then hold, all at once or not at all."""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from ledger.application import Ledger
from ledger.events import MemberJoined, OpeningBalancesDeclared, Request
from ledger.jobs import Job
from ledger.refusals import BooksHaveBegun, FundNotFound
from service import command_line
from service.takeover.importing import NotTakenOver, import_command, summary
from service.takeover.reading import Takeover
from service.takeover.recording import RollHasBegun, RowsRefused, take_over
from service.terminal import WRONG_USE, Mistake
from tests.support.keys import key_for, registered
from tests.support.takeover import NOW, books, cell, fill, fill_csv
from tests.support.village import CLUB, FUND, bylaws, gives, joins, metadata

OPENED = date(2016, 10, 1)


@pytest.fixture
def ledger(database_url: str, without_a_child: None) -> Iterator[Ledger]:
    """A ledger with one fund, open since 2016 and still empty."""
    yield from opened(database_url)


@pytest.fixture
def sqlite_ledger(sqlite_url: str, without_a_child: None) -> Iterator[Ledger]:
    yield from opened(sqlite_url)


def opened(url: str) -> Iterator[Ledger]:
    ledger = Ledger(url, register_key=key_for(url))
    record(
        ledger, lambda fund: fund.open(metadata(OPENED, by="admin", key="opened"), bylaws=bylaws(), **CLUB), opens=True
    )
    yield ledger
    ledger.close()


def record(ledger: Ledger, act: Callable[[Any], object], key: str = "opened", *, opens: bool = False) -> None:
    (outcome,) = ledger.record(
        [Job(fund=FUND, decide=act, request=Request(key, f"digest of {key}"), opens=opens, several=True)]
    )
    assert not isinstance(outcome, Exception), outcome


def lines(ledger: Ledger) -> list[bytes]:
    return [entry.line for entry in ledger.entries(FUND)]


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
        "Tiết kiệm của thành viên: 600.000 đ, của 2 người",
        "Dư nợ cho vay: 5.200.000 đ, của 2 khoản vay",
        "Vốn mượn không lãi: 10.000.000 đ, của 1 khoản",
        "Trang thiết bị: 12.000.000 đ, 1 dòng",
        "Quỹ tăng thu nhập: tiền mặt 1.250.000 đ (Một triệu hai trăm năm mươi nghìn đồng), "
        "tiền gửi ngân hàng 20.000.000 đ (Hai mươi triệu đồng); "
        "vốn của quỹ, tính theo chênh lệch: 15.850.000 đ",
        "Quỹ hoạt động: tiền mặt 345.000 đ (Ba trăm bốn mươi lăm nghìn đồng), "
        "tiền gửi ngân hàng 0 đ (Không đồng); vốn của quỹ, tính theo chênh lệch: 12.345.000 đ",
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


def test_nothing_is_recorded_of_a_refused_file(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    before = lines(sqlite_ledger)
    (tmp_path / "la.xlsx").write_bytes(b"no workbook")
    with pytest.raises(NotTakenOver, match=r"la\.xlsx bị hỏng"):
        import_command(sqlite_ledger, FUND, [tmp_path / "la.xlsx"], now=NOW, say=pytest.fail, agrees=pytest.fail)
    assert lines(sqlite_ledger) == before


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `microfund import` against a database with one open fund."""
    for _ in opened(sqlite_url):
        monkeypatch.setenv("MICROFUND_DATABASE", sqlite_url)
        monkeypatch.setenv("MICROFUND_REGISTER_KEY", str(key_for(sqlite_url)))
    return lambda *words, typed="": CliRunner().invoke(command_line.app, ["import", *map(str, words)], input=typed)


def test_the_command_writes_a_template_and_takes_it_back_filled_in(command: Callable[..., Any], tmp_path: Path) -> None:
    assert "Đã lưu mẫu" in command("--template", tmp_path / "mau.xlsx").output
    assert command("--template", tmp_path / "mau.xlsx").exit_code == WRONG_USE

    file = fill(tmp_path / "cu.xlsx")
    assert command(file, "--fund", FUND, "--dry-run").stdout.endswith("Chưa ghi gì vào sổ.\n")
    assert "Khoản vay!A3: Dòng ví dụ của mẫu, không đọc.\n" in command(file, "--fund", FUND, "--dry-run").stdout
    assert command(file, "--fund", FUND, typed="n\n").stdout.endswith("Chưa ghi gì vào sổ.\n")
    assert "Đã ghi vào sổ quỹ" in command(file, "--fund", FUND, typed="y\n").stdout
    assert "đã được ghi vào sổ quỹ LS-BANG-MAC từ trước" in command(file, "--fund", FUND, "--yes").stdout


def test_the_command_says_why_nothing_was_recorded(command: Callable[..., Any], tmp_path: Path) -> None:
    wrong = fill(tmp_path / "sai.xlsx", cell("Thành viên!H4", "30/09/2016"))
    assert "Thành viên!H4" in command(wrong, "--fund", FUND, "--yes").stderr
    assert "Places to correct: 1." in command(wrong, "--fund", FUND, "--yes", "--lang", "en").stderr
    assert "Số chỗ cần sửa: 1." in command(wrong, "--fund", FUND, "--yes").stderr
    right = fill(tmp_path / "cu.xlsx")
    assert "Không có quỹ này" in command(right, "--fund", "LS-NOWHERE", "--yes").stderr
    assert isinstance(command(right).exception, Mistake)

"""Claims about papers: what is printed says what the books say, names whom it may, and proves where it comes from."""

import html
import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from ledger.events import check_code, head_of
from service.access.principals import Scope
from service.papers import filling
from service.words import wording
from tests.support.service import FUND, NAME, OTHER_FUND, House, settle_in

AT = f"/funds/{FUND}"
SCRIPT = "<script>alert(1)</script> Vi Thị Lưỡng"
DUES = 13
"""The version of the dues in `settle_in`."""


def read(house: House, paper: str, **how: Any) -> str:
    """What a paper says, without its marks and with its blanks made one."""
    answer = house.get(f"{AT}/papers/{paper}", **how)
    assert answer.status_code == 200, answer.text
    body = answer.text.partition("<body>")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def spoken(amount: int) -> str:
    """An amount as `read` finds it, every blank alike."""
    return wording.dong(amount, "vi").replace("\xa0", " ")


def code_of(house: House, version: int) -> str:
    (entry,) = house.state.ledger.entries(FUND, after=version - 1, upto=version)
    return check_code(head_of(entry.line))


# Vouchers


def test_a_receipt_names_payer_amount_in_figures_and_words_both_dates_and_its_check_code(village: House) -> None:
    text = read(village, "vouchers/PT-2024-0003")

    assert "PHIẾU THU" in text
    assert "Số: PT-2024-0003" in text
    assert f"Người nộp tiền {NAME} (TV 1)" in text
    assert "Nộp hội phí" in text
    assert "10.000 đ" in text
    assert "Bằng chữ Mười nghìn đồng" in text
    assert "Ngày phát sinh: 15/03/2024" in text
    assert "Ghi vào sổ lúc: 10:00 ngày 15/06/2024" in text
    assert code_of(village, DUES) in text
    for place in ("Câu lạc bộ Mai Pha", "Mai Pha · huyện, thành phố: Lạng Sơn · tỉnh: Lạng Sơn"):
        assert place in text
    for signature in ("Người nộp tiền", "Thủ quỹ", "Kế toán", "Chủ nhiệm"):
        assert f"{signature} (Ký, họ tên)" in text
    assert "ĐÃ HỦY (GHI SỐ ÂM)" not in text


def test_a_payment_of_two_pots_says_how_much_of_each_and_what_was_interest(village: House) -> None:
    repaid = village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})

    text = read(village, f"vouchers/{repaid['voucher']}")

    assert "(gốc 320.000 đ, lãi 150.000 đ)" in text
    assert "quỹ tăng thu nhập: 425.000 đ; quỹ hoạt động: 45.000 đ" in text
    assert "Bốn trăm bảy mươi nghìn đồng" in text


def test_a_payment_leaves_a_place_for_who_received_it_and_says_what_was_noted(village: House) -> None:
    expense = {"activity": "visit_gift", "amount": 155_000, "on": "2024-05-15", "note": "Thăm bà Sầm ốm"}
    voucher = village.recorded(f"{AT}/expenses", expense)["voucher"]

    text = read(village, f"vouchers/{voucher}")

    assert voucher.startswith("PC-")
    assert "PHIẾU CHI" in text
    assert "Người nhận tiền Nội dung Chi thăm hỏi, tặng quà Ghi chú Thăm bà Sầm ốm" in text


def test_a_reversed_voucher_says_so_and_names_what_reversed_it(village: House) -> None:
    undone = village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "wrong_amount", "on": "2024-05-15"})

    text = read(village, "vouchers/PT-2024-0003")

    assert f"ĐÃ HỦY (GHI SỐ ÂM) Bút toán số {undone['version']} ngày 15/05/2024: sai số tiền" in text
    assert "PHIẾU THU Số: PT-2024-0003" in text
    assert code_of(village, DUES) in text


@pytest.mark.parametrize("number", ["PT-2024-0099", "PC-2024-0003", "PT-0000-0001", "PT-2023-0001", "XX-2024-0001"])
def test_a_voucher_that_is_not_there_is_not_found(village: House, number: str) -> None:
    assert village.get(f"{AT}/papers/vouchers/{number}").status_code == 404


# Who is named


def test_a_name_is_text_whatever_it_holds(village: House) -> None:
    person = {"name": SCRIPT, "sex": "female", "birth_year": 1950, "poverty": "none", "on": "2024-02-01"}
    member = village.recorded(f"{AT}/members", person)["member"]
    paid = {"member": member, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    voucher = village.recorded(f"{AT}/contributions", paid)["voucher"]

    for paper in (f"vouchers/{voucher}", f"members/{member}", "cash-book?from=2024-01-01", "meeting-sheet"):
        page = village.get(f"{AT}/papers/{paper}").text
        assert "<script" not in page
        assert html.escape(SCRIPT) in page


def test_whoever_was_erased_is_a_number_on_every_paper(village: House) -> None:
    chair = village.issue("chair")
    before = read(village, "cash-book?from=2024-01-01")
    assert village.client.delete(f"/v1{AT}/members/1/person", headers=village.headers(chair)).status_code == 200

    assert NAME in before
    for paper in ("vouchers/PT-2024-0003", "cash-book?from=2024-01-01", "loan-book", "members/1"):
        text = read(village, paper)
        assert NAME not in text
        assert "hành viên số 1" in text
    assert NAME not in read(village, "meeting-sheet")


def test_only_who_sees_people_is_given_a_paper_and_only_of_funds_in_scope(village: House) -> None:
    settle_in(village, OTHER_FUND, district="Văn Quan")
    other = f"/funds/{OTHER_FUND}/papers/vouchers/PT-2024-0003"
    own = village.issue("treasurer", scope=Scope(funds=(FUND,)))

    assert village.get(other).status_code == 200
    assert village.get(other, own).json() == village.get(other.replace(OTHER_FUND, "LS-NO-SUCH"), own).json()
    assert village.get(other, own).status_code == 404
    assert village.get(other, village.issue("reporter")).status_code == 403


# Books


def test_the_cash_book_runs_from_opening_to_closing_with_reversals_negative(village: House) -> None:
    village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "duplicate", "on": "2024-05-15"})

    text = read(village, "cash-book?from=2024-03-01&to=2024-05-31&pot=activity")

    assert "SỔ QUỸ TIỀN MẶT Quỹ hoạt động · từ ngày 01/03/2024 đến ngày 31/05/2024" in text
    assert "Số dư đầu kỳ 50.000.000 đ" in text
    assert f"PT-2024-0003 Nộp hội phí, {NAME} (TV 1) Đ" in text
    assert "10.000 đ 50.010.000 đ" in text
    assert f"Ghi số âm bút toán số {DUES}: ghi trùng, {NAME} (TV 1) (10.000 đ) 50.000.000 đ" in text
    assert "Cộng phát sinh trong kỳ 0 đ 0 đ" in text
    assert "Số dư cuối kỳ, bằng chữ: Năm mươi triệu đồng" in text


def test_the_cash_book_is_printed_whole_and_one_too_long_is_refused(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "LINES_AT_ONCE", 2)
    moved = len(village.get(f"{AT}/cash-book?from=2024-01-01").json()["items"])
    assert read(village, "cash-book?from=2024-01-01").count("-2024-") == moved

    monkeypatch.setattr(filling, "MOST_LINES", moved - 1)
    refused = village.get(f"{AT}/papers/cash-book?from=2024-01-01")

    assert (refused.status_code, refused.json()["code"]) == (422, "paper-too-long")
    assert refused.json()["most"] == moved - 1


def test_a_cash_book_from_after_its_end_is_refused(village: House) -> None:
    refused = village.get(f"{AT}/papers/cash-book?from=2024-05-02&to=2024-05-01")

    assert (refused.status_code, refused.json()["code"]) == (422, "period-upside-down")


def test_the_loan_book_shows_what_was_handed_out_and_its_totals_in_words(village: House) -> None:
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})

    text = read(village, "loan-book?as_of=2024-05-15")

    assert "SỔ THEO DÕI VAY VỐN Đến hết ngày 15/05/2024" in text
    assert (
        f"1 {NAME} (TV 1) chăn nuôi 15/02/2024 5.000.000 đ 12 1% 15/02/2025 320.000 đ 4.680.000 đ" in text
    )  # Asked for, approved and rejected loans are no money yet; 4 was written off and nothing of it came back.
    assert f"4 {NAME} (TV 1) chăn nuôi 15/02/2024 5.000.000 đ 12 1% 15/02/2025 đã xóa nợ" in text
    assert "Cộng 10.000.000 đ 320.000 đ 4.680.000 đ" in text
    assert "Dư nợ, bằng chữ: Bốn triệu sáu trăm tám mươi nghìn đồng" in text
    assert "1 người đang vay, 1 khoản" in text


def test_a_passbook_shows_savings_and_debt_line_by_line_and_in_words(village: House) -> None:
    text = read(village, "members/1?as_of=2024-03-15")

    assert f"SỔ THÀNH VIÊN {NAME} (TV 1)" in text
    assert "15/02/2024 Giải ngân khoản vay số 1 PC-2024-0001 5.000.000 đ 0 đ 5.000.000 đ" in text
    assert "15/03/2024 Gửi tiết kiệm PT-2024-0004 300.000 đ 300.000 đ 10.000.000 đ" in text
    assert "Tiết kiệm: 300.000 đ – Ba trăm nghìn đồng" in text
    assert "Dư nợ: 5.000.000 đ – Năm triệu đồng" in text
    assert village.get(f"{AT}/papers/members/99").status_code == 404


def test_a_reversal_stands_in_the_passbook_on_the_side_of_what_it_reverses(village: House) -> None:
    village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "wrong_member", "on": "2024-05-15"})

    page = village.get(f"{AT}/papers/members/1").text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page.partition("Ghi số âm")[2])

    assert cells[:2] == ["(10.000\xa0đ)", ""]


# Minutes and sheets


def test_minutes_of_a_handover_hold_notes_difference_witnesses_and_the_signatures_of_both_sides(village: House) -> None:
    counted = village.recorded(
        f"{AT}/cash-counts",
        {"notes": {"500000": 180, "20000": 3}, "reason": "handover", "witnesses": [2], "on": "2024-05-15"},
    )

    text = read(village, f"cash-counts/{counted['version']}")

    assert "BIÊN BẢN KIỂM KÊ VÀ BÀN GIAO QUỸ" in text
    assert "Bên giao (họ tên, chức vụ) Bên nhận (họ tên, chức vụ) Người chứng kiến Nông Văn Tài (TV 2)" in text
    assert "500.000 đ 180 90.000.000 đ" in text
    assert "20.000 đ 3 60.000 đ" in text
    assert "Cộng 90.060.000 đ" in text
    assert f"Số dư theo sổ quỹ {spoken(counted['expected'])}" in text
    assert "Chênh lệch (thiếu) 1.250.000 đ" in text
    assert "Một triệu hai trăm năm mươi nghìn đồng (thiếu)" in text
    assert "Bên giao đã giao đủ, bên nhận đã nhận đủ số tiền kiểm kê thực tế ghi trên" in text
    signs = ("Bên giao", "Bên nhận", "Kế toán", "Chủ nhiệm", "Người chứng kiến")
    assert " ".join(f"{who} (Ký, họ tên)" for who in signs) in text
    assert counted["check_code"] in text
    assert village.get(f"{AT}/papers/cash-counts/{DUES}").status_code == 404
    assert village.get(f"{AT}/papers/cash-counts/9999").status_code == 404


def test_a_count_that_agrees_says_so(village: House) -> None:
    counted = village.recorded(f"{AT}/cash-counts", {"counted": 91_310_000, "reason": "periodic", "on": "2024-05-15"})

    assert counted["difference"] == 0
    text = read(village, f"cash-counts/{counted['version']}")
    assert "Khớp đúng, không chênh lệch" in text
    assert "BIÊN BẢN KIỂM KÊ QUỸ" in text
    assert "Bên giao" not in text, "nobody hands the box over at a periodic count"


def test_the_meeting_sheet_has_the_roll_dues_owed_loans_due_cash_and_check_code(village: House) -> None:
    sheet = village.get(f"{AT}/sheet?on=2024-06-15").json()

    text = read(village, "meeting-sheet?on=2024-06-15")

    assert "PHIẾU GHI BUỔI SINH HOẠT Ngày 15/06/2024" in text
    assert f"1 {NAME} 30.000 đ (3 tháng)" in text
    assert "2 Nông Văn Tài 30.000 đ (3 tháng)" in text
    due, settlement = (spoken(sheet["loans"][0][name]) for name in ("due", "settlement_amount"))
    assert f"1 {NAME} (TV 1) 5.000.000 đ {due} gốc" in text
    assert f"{settlement} Khoản thu, chi khác" in text
    assert f"Tiền mặt theo sổ 91.310.000 đ – {wording.in_words(91_310_000, 'vi')}" in text
    assert sheet["check_code"] in text


# Every paper

PAPERS = ["vouchers/PT-2024-0003", "cash-book", "loan-book", "members/1", "meeting-sheet", "cash-counts/{count}"]


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_loads_nothing_runs_nothing_and_says_where_the_books_stood(village: House, paper: str) -> None:
    counted = village.recorded(f"{AT}/cash-counts", {"counted": 91_310_000, "reason": "periodic", "on": "2024-05-15"})
    stands = village.get(AT).json()

    page = village.get(f"{AT}/papers/{paper.format(count=counted['version'])}")

    policy = page.headers["Content-Security-Policy"]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"\b(src|href|url|@import|style=|on\w+=)\s*[=(\"']", page.text.replace("http-equiv", ""))
    assert '<html lang="vi">' in page.text
    assert re.search(r"@page \{\s*size: A[45] (portrait|landscape);", page.text)
    footer = f"sổ lúc in: đến bút toán số {stands['version']}, mã kiểm tra {stands['check_code']}"
    assert page.text.count(footer) == 2, "in the margin of every sheet, and on the screen"


def test_papers_are_vietnamese_unless_english_is_asked_for(village: House) -> None:
    english = village.get(f"{AT}/papers/vouchers/PT-2024-0003", Accept_Language="en")

    assert '<html lang="en">' in english.text
    assert english.headers["Content-Language"] == "en"
    for words in ("RECEIPT VOUCHER", "Ten thousand dong", "10,000\xa0VND", "15/03/2024"):
        assert words in english.text
    assert "PHIẾU THU" in village.get(f"{AT}/papers/vouchers/PT-2024-0003", Accept_Language="fr").text


# PDF


def lays_out() -> bool:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


WITH_PDF = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not (shutil.which("pdftotext") and lays_out()),
    reason="pdftotext, or WeasyPrint with Pango beneath it, is not installed here",
)


def text_of(pdf: bytes) -> str:
    """What a PDF says, its blanks made one."""
    read_back = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(read_back.stdout.decode().split())


@WITH_PDF
@pytest.mark.parametrize(
    ("paper", "words"),
    [
        ("vouchers/PT-2024-0004", "Ba trăm nghìn đồng"),
        ("cash-book?from=2024-01-01", "Chín mươi mốt triệu ba trăm mười nghìn đồng"),
    ],
)
def test_a_pdf_says_the_amount_in_words(village: House, paper: str, words: str) -> None:
    answer = village.get(f"{AT}/papers/{paper}{'&' if '?' in paper else '?'}format=pdf")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert re.fullmatch(rf'inline; filename="{FUND}-[\w.-]+\.pdf"', answer.headers["Content-Disposition"])
    assert answer.content.startswith(b"%PDF")
    text = text_of(answer.content)
    assert words in text
    assert "Trang 1/1" in text
    assert village.get(AT).json()["check_code"] in text


@WITH_PDF
def test_a_reversed_voucher_with_a_long_note_still_fits_its_sheet(village: House) -> None:
    note = "Thăm bà Sầm ốm, mua đường sữa và cam; " * 5
    paid = {"activity": "visit_gift", "amount": 1_777_777, "on": "2024-05-15", "note": note}
    expense = village.recorded(f"{AT}/expenses", paid)
    village.recorded(f"{AT}/entries/{expense['version']}/reversal", {"reason": "wrong_amount", "on": "2024-05-16"})

    text = text_of(village.get(f"{AT}/papers/vouchers/{expense['voucher']}?format=pdf").content)

    assert "ĐÃ HỦY (GHI SỐ ÂM)" in text
    assert "Trang 1/1" in text


def test_where_nothing_lays_out_pdfs_the_answer_says_how_else_to_print(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    refused = village.get(f"{AT}/papers/loan-book?format=pdf")

    assert (refused.status_code, refused.json()["code"]) == (501, "pdf-unavailable")
    assert "in từ trình duyệt" in refused.json()["detail"]
    assert village.get(f"{AT}/papers/loan-book").status_code == 200

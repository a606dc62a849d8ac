"""Claims about papers: what is printed says what the books say, names whom it may, and proves where it comes from."""

import html
import re
import sys
from typing import Any

import pytest

from ledger.events import check_code, head_of
from service.access.principals import Scope
from service.papers import books
from service.words import wording
from tests.support.service import FUND, NAME, OTHER_FUND, House, settle_in

AT = f"/funds/{FUND}"
SCRIPT = "<script>alert(1)</script> Vi Thị Lưỡng"
DAYS = ("2024-03-15", "2024-05-15")
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
    assert "Đơn vị tính: đồng" in text
    assert "Ngày mở sổ: 01/03/2024. Sổ này có 1 trang, đánh số từ trang 1 đến trang 1." in text
    assert "Số dư đầu kỳ 50.000.000" in text
    assert f"15/06/2024 15/03/2024 PT-2024-0003 Nộp hội phí, {NAME} (TV 1) 10.000 50.010.000 Đã hủy ở" in text
    assert f"Ghi số âm bút toán số {DUES}: ghi trùng, {NAME} (TV 1) (10.000) 50.000.000" in text
    assert "Cộng phát sinh trong kỳ 0 0" in text
    assert "Số dư cuối kỳ, bằng chữ: Năm mươi triệu đồng" in text


def test_the_cash_book_is_printed_whole_and_one_too_long_is_refused(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "LINES_AT_ONCE", 2)
    moved = len(village.get(f"{AT}/cash-book?from=2024-01-01").json()["items"])
    assert len(re.findall("P[TC]-2024-", read(village, "cash-book?from=2024-01-01"))) == moved

    monkeypatch.setattr(books, "MOST_LINES", moved - 1)
    refused = village.get(f"{AT}/papers/cash-book?from=2024-01-01")

    assert (refused.status_code, refused.json()["code"]) == (422, "paper-too-long")
    assert refused.json()["most"] == moved - 1


def test_a_cash_book_from_after_its_end_is_refused(village: House) -> None:
    refused = village.get(f"{AT}/papers/cash-book?from=2024-05-02&to=2024-05-01")

    assert (refused.status_code, refused.json()["code"]) == (422, "period-upside-down")


def test_a_passbook_shows_savings_and_debt_line_by_line_and_in_words(village: House) -> None:
    text = read(village, "members/1?as_of=2024-03-15")

    assert f"SỔ THÀNH VIÊN {NAME} (TV 1)" in text
    assert "15/02/2024 Giải ngân khoản vay số 1 · PC-2024-0001 5.000.000 0 5.000.000" in text
    assert "15/03/2024 Gửi tiết kiệm · PT-2024-0004 300.000 300.000 10.000.000" in text
    assert "Tiết kiệm: 300.000 đ – Ba trăm nghìn đồng" in text
    assert "Dư nợ: 5.000.000 đ – Năm triệu đồng" in text
    assert village.get(f"{AT}/papers/members/99").status_code == 404


def test_a_reversal_stands_in_the_passbook_on_the_side_of_what_it_reverses(village: House) -> None:
    village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "wrong_member", "on": "2024-05-15"})

    page = village.get(f"{AT}/papers/members/1").text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page.partition("Ghi số âm")[2])

    assert cells[:2] == ["(10.000)", ""]


def test_dues_of_several_months_paid_at_once_are_one_line_of_the_passbook(village: House) -> None:
    dues = {"member": 2, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    for month in ("2024-03", "2024-04", "2024-05"):
        village.recorded(f"{AT}/contributions", dues | {"for_month": month})

    text = read(village, "members/2")

    several = "Nộp hội phí các tháng 03/2024, 04/2024, 05/2024 · PT-2024-0006, PT-2024-0007, PT-2024-0008"
    assert f"15/05/2024 {several} 30.000 0 0" in text


def test_dues_that_were_reversed_stand_on_a_line_of_their_own(village: House) -> None:
    dues = {"member": 2, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    village.recorded(f"{AT}/contributions", dues | {"for_month": "2024-03"})
    wrong = village.recorded(f"{AT}/contributions", dues | {"for_month": "2024-04"})["version"]
    village.recorded(f"{AT}/entries/{wrong}/reversal", {"reason": "duplicate", "on": "2024-05-15"})

    text = read(village, "members/2")

    assert "Nộp hội phí tháng 03/2024 · PT-2024-0006 10.000 0 0" in text
    assert "Nộp hội phí tháng 04/2024 · PT-2024-0007 Đã hủy ở bút toán số" in text


def test_what_was_paid_at_the_bank_is_told_in_the_passbook(village: House) -> None:
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "place": "bank", "on": "2024-05-15"})

    assert "(gốc 320.000 đ, lãi 150.000 đ), qua ngân hàng" in read(village, "members/1")


def test_two_members_of_one_name_are_told_apart_by_their_years_of_birth(village: House) -> None:
    namesake = {"name": NAME, "sex": "female", "birth_year": 1949, "poverty": "none", "on": "2024-02-01"}
    number = village.recorded(f"{AT}/members", namesake)["member"]

    assert f"{NAME} (TV 1, sinh năm 1955)" in read(village, "vouchers/PT-2024-0003")
    assert f"{NAME} (TV {number}, sinh năm 1949)" in read(village, f"members/{number}")
    sheet = read(village, "meeting-sheet")
    assert f"1 {NAME} (sinh năm 1955)" in sheet
    assert "2 Nông Văn Tài 30.000" in sheet, "nobody else is called so, and the year is nobody's business"


# Minutes and sheets


def test_minutes_of_a_handover_hold_notes_difference_witnesses_and_the_signatures_of_both_sides(village: House) -> None:
    counted = village.recorded(
        f"{AT}/cash-counts",
        {"notes": {"500000": 180, "20000": 3}, "reason": "handover", "witnesses": [2], "on": "2024-05-15"},
    )

    text = read(village, f"cash-counts/{counted['version']}")

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc" in text
    assert "BIÊN BẢN KIỂM KÊ VÀ BÀN GIAO QUỸ" in text
    assert "Hôm nay, vào lúc …… giờ ……, ngày 15 tháng 05 năm 2024, tại Câu lạc bộ Mai Pha. Chúng tôi gồm:" in text
    assert "Bên giao (họ tên, chức vụ) Bên nhận (họ tên, chức vụ) 1. Ông (bà) đại diện thủ quỹ" in text
    assert "4. Ông (bà) Nông Văn Tài (TV 2) đại diện người chứng kiến" in text
    assert f"I Số dư theo sổ quỹ {spoken(counted['expected']).removesuffix(' đ')} II Số kiểm kê thực tế" in text
    assert "II Số kiểm kê thực tế 90.060.000 1 Trong đó: loại 500.000 đ 180 90.000.000 2 200.000 đ – –" in text
    assert "5 20.000 đ 3 60.000" in text
    assert "III Chênh lệch (thiếu) 1.250.000" in text
    assert "Một triệu hai trăm năm mươi nghìn đồng (thiếu)" in text
    assert "Kết luận sau khi kiểm kê" in text
    assert "4 Phiếu thu năm 2024 5 phiếu, từ PT-2024-0001 đến PT-2024-0005" in text
    assert "5 Phiếu chi năm 2024 3 phiếu, từ PC-2024-0001 đến PC-2024-0003" in text
    assert "Số dư tiền gửi ngân hàng theo sổ: quỹ tăng thu nhập 0 đ; quỹ hoạt động 0 đ." in text
    assert "Bên giao đã giao đủ, bên nhận đã nhận đủ số tiền kiểm kê thực tế và các sổ sách" in text
    assert "Biên bản lập thành …… bản có giá trị như nhau, mỗi bên giữ một bản." in text
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
    assert "BIÊN BẢN KIỂM KÊ QUỸ TIỀN MẶT" in text
    assert "1 Trong đó: loại 500.000 đ 2 200.000 đ 3 100.000 đ" in text, "the notes are counted on the paper then"
    assert "Bên giao" not in text, "nobody hands the box over at a periodic count"


def test_who_was_treasurer_that_day_counted_the_box(village: House) -> None:
    village.recorded(f"{AT}/offices", {"member": 1, "office": "treasurer", "on": "2024-02-01"})
    village.recorded(f"{AT}/offices", {"member": 2, "office": "treasurer", "on": "2024-04-01"})
    village.recorded(f"{AT}/offices", {"member": 2, "office": "chair", "on": "2024-03-01"})
    village.recorded(f"{AT}/offices", {"member": 2, "office": "chair", "on": "2024-03-01", "until": "2024-05-01"})
    count = {"counted": 91_310_000, "reason": "periodic", "witnesses": [2]}
    before, after = (village.recorded(f"{AT}/cash-counts", count | {"on": on})["version"] for on in DAYS)

    assert f"1. Ông (bà) {NAME} (TV 1) đại diện thủ quỹ 2." in read(village, f"cash-counts/{before}")
    assert "3. Ông (bà) Nông Văn Tài (TV 2) đại diện chủ nhiệm, người chứng kiến" in read(
        village, f"cash-counts/{before}"
    )
    assert "1. Ông (bà) Nông Văn Tài (TV 2) đại diện thủ quỹ, người chứng kiến" in read(village, f"cash-counts/{after}")
    assert "3. Ông (bà) đại diện chủ nhiệm" in read(village, f"cash-counts/{after}")


def test_the_meeting_sheet_has_the_roll_dues_owed_loans_due_cash_and_check_code(village: House) -> None:
    sheet = village.get(f"{AT}/sheet?on=2024-06-15").json()

    text = read(village, "meeting-sheet?on=2024-06-15")

    assert "PHIẾU GHI BUỔI SINH HOẠT Ngày 15/06/2024" in text
    assert "Tiền mặt theo sổ Đếm đầu buổi Cộng thu Cộng chi Đếm cuối buổi" in text
    assert "Quỹ tăng thu nhập 41.300.000 Quỹ hoạt động 50.010.000 Cộng 91.310.000" in text
    assert f"1 {NAME} 30.000 2 Nông Văn Tài 30.000 Cộng Khoản đang vay" in text, "nobody's debts are added up"
    assert "Hội phí cần nộp Nộp hội phí Gửi tiết kiệm Góp vốn, khác Nhờ nộp thay Ký tên" in text
    assert text.count("Trả nợ") == 1, "a repayment has one place"
    due, settlement = (spoken(sheet["loans"][0][name])[:-2] for name in ("due", "settlement_amount"))
    assert f"1 {NAME} (TV 1) 5.000.000 {due} gốc" in text
    assert f"{settlement} Cộng {due} Khoản thu, chi khác" in text
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
    footer = f"sổ lúc in: đến bút toán số {stands['version']}"
    assert page.text.count(footer) == 2, "in the margin of every sheet, and on the screen"
    codes = set(re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", page.text.partition("<body>")[2]))
    of_an_entry = paper.startswith(("vouchers", "cash-counts"))
    assert codes <= {code_of(village, DUES), stands["check_code"]} if of_an_entry else {stands["check_code"]}
    assert len(codes) == 1, "a paper has one check code"


def test_papers_are_vietnamese_unless_english_is_asked_for(village: House) -> None:
    english = village.get(f"{AT}/papers/vouchers/PT-2024-0003", Accept_Language="en")

    assert '<html lang="en">' in english.text
    assert english.headers["Content-Language"] == "en"
    for words in ("RECEIPT VOUCHER", "Ten thousand dong", "10,000\xa0VND", "15/03/2024"):
        assert words in english.text
    assert "PHIẾU THU" in village.get(f"{AT}/papers/vouchers/PT-2024-0003", Accept_Language="fr").text


# PDF


def test_where_nothing_lays_out_pdfs_the_answer_says_how_else_to_print(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    refused = village.get(f"{AT}/papers/loan-book?format=pdf")

    assert (refused.status_code, refused.json()["code"]) == (501, "pdf-unavailable")
    assert "in từ trình duyệt" in refused.json()["detail"]
    assert village.get(f"{AT}/papers/loan-book").status_code == 200

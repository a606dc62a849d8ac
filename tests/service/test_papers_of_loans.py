"""Claims about the papers of lending: the loan book, requests, notes of debt, minutes of a write-off."""

import re

import pytest

from tests.service.test_papers import AT, read, spoken
from tests.support.service import NAME, SOUND, House


def test_the_loan_book_shows_what_was_handed_out_what_came_back_and_its_totals_in_words(village: House) -> None:
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})

    text = read(village, "loan-book?as_of=2024-05-15")

    assert "SỔ THEO DÕI VAY VỐN Đến hết ngày 15/05/2024" in text
    assert "Gốc đã trả Lãi đã thu Dư nợ" in text
    assert (
        f"1 {NAME} (TV 1) chăn nuôi 15/02/2024 5.000.000 12 1% 15/02/2025 320.000 150.000 4.680.000" in text
    )  # Asked for, approved and rejected loans are no money yet; 4 was written off and nothing of it came back.
    assert f"4 {NAME} (TV 1) chăn nuôi 15/02/2024 5.000.000 12 1% 15/02/2025 đã xóa nợ" in text
    assert "Cộng 10.000.000 320.000 150.000 4.680.000" in text
    assert "Dư nợ, bằng chữ: Bốn triệu sáu trăm tám mươi nghìn đồng" in text
    assert "1 người đang vay, 1 khoản" in text


def test_a_guarantor_stands_beside_the_borrower_in_the_loan_book(village: House) -> None:
    guaranteed = SOUND["/funds/{fund}/loans"] | {"guarantor": 1}
    number = village.recorded(f"{AT}/loans", guaranteed)["loan"]
    for step in ("approval", "disbursement"):
        village.recorded(f"{AT}/loans/{number}/{step}", {"on": "2024-05-15"})

    assert f"{number} Nông Văn Tài (TV 2) {NAME} (TV 1) trồng trọt 15/05/2024" in read(village, "loan-book")
    note = read(village, f"loans/{number}/note")
    assert f"Người bảo lãnh {NAME} (TV 1)" in note
    assert "Người bảo lãnh cam kết đôn đốc" in note


def loans_in(text: str) -> list[str]:
    """The numbers of the loans in a loan book as it is read."""
    return re.findall(r"(\d+) [^\d]+ \(TV \d+\) [^\d]+ \d\d/\d\d/\d{4} [\d.]+ \d+ ", text)


def test_the_loan_book_leaves_out_what_was_settled_before_its_period(village: House) -> None:
    settled_on = village.get(f"{AT}/loans/4").json()["closed_on"]
    assert settled_on == "2024-03-15"

    assert loans_in(read(village, "loan-book")) == ["1", "4"], "written off this year"
    assert loans_in(read(village, "loan-book?from=2024-03-15")) == ["1", "4"]
    assert loans_in(read(village, "loan-book?from=2024-03-16")) == ["1"]
    assert loans_in(read(village, "loan-book?as_of=2025-06-30")) == ["1"], "by default the year of its day"
    assert loans_in(read(village, "loan-book?as_of=2025-06-30&settled=all")) == ["1", "4"]
    refused = village.get(f"{AT}/papers/loan-book?from=2024-06-02&as_of=2024-06-01")
    assert (refused.status_code, refused.json()["code"]) == (422, "period-upside-down")


def test_a_note_of_debt_holds_the_terms_and_the_plan_that_the_borrower_signs(village: House) -> None:
    text = read(village, "loans/1/note")

    assert "GIẤY NHẬN NỢ Khoản vay số 1 · ngày 15 tháng 02 năm 2024" in text
    assert "Bên cho vay Câu lạc bộ Mai Pha Địa chỉ Mai Pha, Lạng Sơn, tỉnh Lạng Sơn" in text
    assert f"Người vay {NAME} (TV 1) Năm sinh 1955 Số căn cước Địa chỉ Người bảo lãnh" in text
    assert "Số tiền 5.000.000 đ Bằng chữ Năm triệu đồng Mục đích sử dụng Chăn nuôi" in text
    assert "Lãi suất 1% một tháng, lãi tính trên dư nợ giảm dần Cách trả Gốc và lãi trả hằng tháng" in text
    assert "12 tháng; ngày nhận tiền 15/02/2024; ngày đến hạn 15/02/2025 Phiếu chi PC-2024-0001" in text
    assert "1 15/03/2024 417.000 50.000 467.000 4.583.000 2 15/04/2024 417.000 45.830 462.830 4.166.000" in text
    assert "12 15/02/2025 413.000 4.130 417.130 0 Cộng 5.000.000" in text
    signs = ("Người vay", "Người bảo lãnh", "Thủ quỹ", "Kế toán", "Chủ nhiệm")
    assert " ".join(f"{who} (Ký, họ tên)" for who in signs) in text


def test_a_note_says_what_was_agreed_whatever_was_planned_anew_since(village: House) -> None:
    before = read(village, "loans/1/note").partition("Quỹ LS")[0]
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})
    village.recorded(f"{AT}/loans/1/rescheduling", {"term_months": 6, "reason": "Mất mùa", "on": "2024-05-20"})

    assert read(village, "loans/1/note").partition("Quỹ LS")[0] == before


@pytest.mark.parametrize(("loan", "why"), [(2, "not handed out yet"), (3, "only asked for"), (99, "never asked for")])
def test_nobody_owes_what_was_not_handed_out(village: House, loan: int, why: str) -> None:
    assert village.get(f"{AT}/papers/loans/{loan}/note").status_code == 404, why


def test_a_request_tells_what_was_decided_and_asks_where_nothing_was(village: House) -> None:
    approved, waiting = (read(village, f"loans/{number}/request") for number in (2, 3))

    assert "ĐƠN XIN VAY VỐN Đơn số 2 · ngày 15 tháng 02 năm 2024" in approved
    assert "Kính gửi: Ban Chủ nhiệm Câu lạc bộ Mai Pha" in approved
    assert "Số tiền 5.000.000 đ Bằng chữ Năm triệu đồng" in approved
    assert "Đồng ý cho vay, ngày 15/02/2024." in approved
    assert "Không duyệt, vì …" in waiting
    assert "Người xin vay (Ký, họ tên) Người bảo lãnh (Ký, họ tên)" in waiting
    village.recorded(f"{AT}/loans/3/rejection", {"reason": "Chờ đợt sau", "on": "2024-05-15"})
    assert "Không duyệt, ngày 15/05/2024." in read(village, "loans/3/request")
    assert village.get(f"{AT}/papers/loans/99/request").status_code == 404


def test_a_rest_that_was_given_up_is_told_on_the_receipt_and_in_the_passbook(village: House) -> None:
    owed = village.get(f"{AT}/loans/1?as_of=2024-05-15").json()["settlement_amount"]
    settling = {"amount": owed - 400, "settle": True, "on": "2024-05-15"}
    repaid = village.recorded(f"{AT}/loans/1/repayments", settling)

    split = f"gốc 4.999.600 đ, lãi {spoken(repaid['split']['interest'])}; bỏ qua gốc lẻ 400 đ"
    assert f"Trả nợ khoản vay số 1 ({split})" in read(village, f"vouchers/{repaid['voucher']}")
    assert f"Trả nợ khoản vay số 1 ({split})" in read(village, "members/1")


def test_interest_that_was_waived_stands_in_the_passbook(village: House) -> None:
    village.recorded(f"{AT}/loans/1/waiver", {"amount": 50_000, "reason": "Nhà bị lũ", "on": "2024-05-15"})

    assert "Miễn lãi khoản vay số 1 (lãi 50.000 đ)" in read(village, "members/1")


def test_minutes_of_a_write_off_tell_what_was_lent_came_back_and_is_given_up_and_why(village: House) -> None:
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})
    given_up = {"amount": 1_680_000, "reason": "Nhà bị lũ", "on": "2024-05-20"}
    version = village.recorded(f"{AT}/loans/1/write-off", given_up)["version"]

    text = read(village, f"write-offs/{version}")

    assert "BIÊN BẢN XÓA NỢ" in text
    assert f"Người vay {NAME} (TV 1)" in text
    assert "Lý do xóa nợ Nhà bị lũ" in text
    assert "1 Số tiền vay 5.000.000 2 Gốc đã trả 320.000 3 Lãi đã trả 150.000 4 Dư nợ trước khi xóa 4.680.000" in text
    assert "5 Số tiền gốc được xóa 1.680.000 6 Dư nợ còn lại 3.000.000" in text
    assert "bằng chữ: Một triệu sáu trăm tám mươi nghìn đồng" in text

"""Claims about vouchers on paper: who paid or received how much for what, and what became of one that was wrong."""

import pytest

from tests.service.test_papers import AT, DUES, code_of, read
from tests.support.service import NAME, House


def test_a_receipt_names_payer_amount_in_figures_and_words_both_dates_and_its_check_code(village: House) -> None:
    text = read(village, "vouchers/PT-2024-0003")

    assert "PHIẾU THU" in text
    assert "Quyển số: ……… Số: PT-2024-0003" in text
    assert f"Người nộp tiền {NAME} (TV 1) Địa chỉ Lý do nộp Nộp hội phí" in text
    assert "10.000 đ" in text
    assert "Bằng chữ Mười nghìn đồng" in text
    assert "PHIẾU THU Ngày 15 tháng 03 năm 2024" in text
    assert "Ghi vào sổ lúc: 10:00 ngày 15/06/2024" in text
    assert code_of(village, DUES) in text
    for place in ("Câu lạc bộ Mai Pha", "Mai Pha, Lạng Sơn, tỉnh Lạng Sơn"):
        assert place in text
    signatures = ("Chủ nhiệm", "Kế toán", "Người nộp tiền", "Người lập phiếu", "Thủ quỹ")
    signed = " ".join(f"{signature} (Ký, họ tên)" for signature in signatures)
    assert f"Đã nhận đủ số tiền (viết bằng chữ): Ngày …… tháng …… năm ……… {signed}" in text
    assert "ĐÃ HỦY (GHI SỐ ÂM)" not in text


def test_a_payment_of_two_pots_says_how_much_of_each_and_what_was_interest(village: House) -> None:
    repaid = village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-15"})

    text = read(village, f"vouchers/{repaid['voucher']}")

    assert "(gốc 320.000 đ, lãi 150.000 đ)" in text
    assert "Quỹ tăng thu nhập: 425.000 đ; quỹ hoạt động: 45.000 đ" in text
    assert "Bốn trăm bảy mươi nghìn đồng" in text


def test_a_payment_leaves_a_place_for_who_received_it_and_says_what_was_noted(village: House) -> None:
    expense = {"activity": "visit_gift", "amount": 155_000, "on": "2024-05-15", "note": "Thăm bà Sầm ốm"}
    voucher = village.recorded(f"{AT}/expenses", expense)["voucher"]

    text = read(village, f"vouchers/{voucher}")

    assert voucher.startswith("PC-")
    assert "PHIẾU CHI" in text
    assert "Người nhận tiền Địa chỉ Lý do chi Chi thăm hỏi, tặng quà: Thăm bà Sầm ốm" in text


def test_a_reversed_voucher_says_so_and_names_what_reversed_it(village: House) -> None:
    undone = village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "wrong_amount", "on": "2024-05-15"})

    text = read(village, "vouchers/PT-2024-0003")

    assert f"ĐÃ HỦY (GHI SỐ ÂM) Bút toán số {undone['version']} ngày 15/05/2024: sai số tiền" in text
    assert "Số: PT-2024-0003" in text
    assert code_of(village, DUES) in text
    assert "Ghi lại đúng" not in text, "nothing was entered instead"
    assert "Đã nhận đủ số tiền" not in text, "nobody is asked to sign for it any more"


def test_a_voucher_reversed_and_entered_anew_in_one_act_names_the_right_one(village: House) -> None:
    right = {"type": "contribution", "member": 1, "kind": "dues", "amount": 20_000, "on": "2024-05-15"}
    undone = {"reason": "wrong_amount", "on": "2024-05-15", "replacement": right}
    voucher = village.recorded(f"{AT}/entries/{DUES}/reversal", undone)["voucher"]

    assert f"sai số tiền. Ghi lại đúng ở phiếu thu số {voucher}." in read(village, "vouchers/PT-2024-0003")


def test_a_receipt_says_who_brought_the_money_and_by_which_document_it_was_given(village: House) -> None:
    dues = {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    by_member = village.recorded(f"{AT}/contributions", dues | {"paid_by": 2})["voucher"]
    by_somebody = village.recorded(f"{AT}/contributions", dues | {"paid_by": "Con dâu bà Sầm"})["voucher"]
    gift = {"source": "business", "donor": "Hợp tác xã Na", "pot": "activity", "amount": 500_000, "document": "12/BB"}
    given = village.recorded(f"{AT}/donations", gift | {"on": "2024-05-15"})["voucher"]

    assert "Người nộp thay Nông Văn Tài (TV 2)" in read(village, f"vouchers/{by_member}")
    assert "Người nộp thay Con dâu bà Sầm" in read(village, f"vouchers/{by_somebody}")
    text = read(village, f"vouchers/{given}")
    assert "Người nộp tiền Hợp tác xã Na" in text
    assert "Kèm theo: ……… chứng từ gốc; văn bản số 12/BB" in text


def test_what_a_count_found_missing_is_no_payment_to_anybody(village: House) -> None:
    counted = village.recorded(f"{AT}/cash-counts", {"counted": 91_309_000, "reason": "periodic", "on": "2024-05-15"})

    text = read(village, f"vouchers/{counted['voucher']}")

    assert "Lý do chi Thiếu quỹ theo biên bản kiểm kê ngày 15/05/2024" in text
    assert "Người nhận tiền" not in text
    assert "Đã nhận đủ" not in text


def test_what_a_count_found_over_came_from_nobody(village: House) -> None:
    counted = village.recorded(f"{AT}/cash-counts", {"counted": 91_311_000, "reason": "surprise", "on": "2024-05-15"})

    text = read(village, f"vouchers/{counted['voucher']}")

    assert "Lý do nộp Thừa quỹ theo biên bản kiểm kê ngày 15/05/2024" in text
    assert "Người nộp tiền" not in text


def test_the_treasurer_takes_money_to_the_bank_and_a_lender_gets_an_advance_back(village: House) -> None:
    deposit = {"direction": "deposit", "pot": "revolving", "amount": 5_000_000, "on": "2024-05-15"}
    to_bank = village.recorded(f"{AT}/bank-movements", deposit)["voucher"]
    lent = {"source": "business", "lender": "Cửa hàng Bình Minh", "amount": 700_000, "on": "2024-05-15"}
    advance = village.recorded(f"{AT}/advances", lent)["advance"]
    repaid = {"amount": 700_000, "on": "2024-05-16"}
    back = village.recorded(f"{AT}/advances/{advance}/repayments", repaid)["voucher"]

    assert "Người nhận tiền Thủ quỹ" in read(village, f"vouchers/{to_bank}")
    assert "Người nhận tiền Cửa hàng Bình Minh" in read(village, f"vouchers/{back}")


def test_an_anonymous_giver_is_called_so_and_nobody_is_called_better_off(village: House) -> None:
    gift = {"pot": "activity", "amount": 500_000, "on": "2024-05-15"}
    anonymous, better_off = (
        read(village, f"vouchers/{village.recorded(f'{AT}/donations', gift | {'source': source})['voucher']}")
        for source in ("anonymous", "better_off_member")
    )

    assert "Người nộp tiền Nhà hảo tâm giấu tên" in anonymous
    assert "khá giả" not in better_off


@pytest.mark.parametrize("number", ["PT-2024-0099", "PC-2024-0003", "PT-0000-0001", "PT-2023-0001", "XX-2024-0001"])
def test_a_voucher_that_is_not_there_is_not_found(village: House, number: str) -> None:
    assert village.get(f"{AT}/papers/vouchers/{number}").status_code == 404

"""Claims about the papers of what is no receipt and no payment: reversals, transfers between the pots, goods."""

import pytest

from tests.service.test_papers import AT, DUES, code_of, read
from tests.support.service import NAME, House


def test_a_reversal_has_a_slip_that_accountant_and_chair_sign(village: House) -> None:
    right = {"type": "contribution", "member": 1, "kind": "dues", "amount": 20_000, "on": "2024-05-15"}
    undone = {"reason": "wrong_amount", "note": "Viết nhầm", "on": "2024-05-15", "replacement": right}
    recorded = village.recorded(f"{AT}/entries/{DUES}/reversal", undone)
    version = recorded["versions"][0]

    text = read(village, f"reversals/{version}")

    assert f"Số: bút toán {version} GIẤY GHI SỐ ÂM Ngày 15 tháng 05 năm 2024" in text
    assert f"Bút toán bị hủy Phiếu thu số PT-2024-0003, bút toán số {DUES}, ngày 15/03/2024" in text
    assert f"Nội dung Nộp hội phí Người liên quan {NAME} (TV 1)" in text
    assert "Lý do hủy Sai số tiền: Viết nhầm" in text
    assert "Số tiền ghi âm (10.000 đ) Bằng chữ Âm mười nghìn đồng" in text
    assert f"Ghi lại Ghi lại đúng ở phiếu thu số {recorded['voucher']}." in text
    signs = ("Người lập phiếu", "Kế toán", "Thủ quỹ", "Chủ nhiệm")
    assert " ".join(f"{who} (Ký, họ tên)" for who in signs) in text
    assert code_of(village, version) in text


def test_a_reversal_of_what_moved_no_money_says_so(village: House) -> None:
    left = village.recorded(f"{AT}/members/2/departure", {"reason": "moved", "on": "2024-05-15"})["version"]
    version = village.recorded(f"{AT}/entries/{left}/reversal", {"reason": "other", "on": "2024-05-15"})["version"]

    text = read(village, f"reversals/{version}")

    assert "Bút toán bị hủy không có số tiền." in text
    assert "Số tiền ghi âm" not in text


def test_the_reversal_of_a_transfer_is_of_what_was_moved_and_not_of_both_sides(village: House) -> None:
    moved = {"from": "activity", "to": "revolving", "amount": 200_000, "on": "2024-05-15"}
    version = village.recorded(f"{AT}/pot-transfers", moved)["version"]
    undone = village.recorded(f"{AT}/entries/{version}/reversal", {"reason": "other", "on": "2024-05-15"})

    assert "số tiền 200.000\xa0đ (Hai trăm nghìn đồng)" in undone["sentence"]
    assert "Số tiền ghi âm (200.000 đ)" in read(village, f"reversals/{undone['version']}")


def test_a_transfer_names_both_pots_and_what_was_moved(village: House) -> None:
    moved = {"from": "activity", "to": "revolving", "amount": 200_000, "on": "2024-05-15"}
    version = village.recorded(f"{AT}/pot-transfers", moved)["version"]

    text = read(village, f"pot-transfers/{version}")

    assert "PHIẾU CHUYỂN GIỮA HAI QUỸ Ngày 15 tháng 05 năm 2024" in text
    assert "Quỹ chuyển Quỹ hoạt động Quỹ nhận Quỹ tăng thu nhập" in text
    assert "Số tiền 200.000 đ Bằng chữ Hai trăm nghìn đồng" in text


def test_goods_are_handed_over_item_by_item_with_their_worth(village: House) -> None:
    village.recorded(f"{AT}/offices", {"member": 2, "office": "chair", "on": "2024-02-01"})
    items = [
        {"what": "loa kéo", "quantity": 2, "unit": "bộ", "value": 12_000_000},
        {"what": "ghế nhựa", "quantity": 70, "unit": "cái", "value": 10_000_000},
    ]
    gift = {"source": "state_budget", "donor": "Ủy ban nhân dân tỉnh", "items": items, "document": "47/KH-UBND"}
    version = village.recorded(f"{AT}/in-kind-donations", gift | {"on": "2024-05-15"})["version"]

    text = read(village, f"in-kind-donations/{version}")

    assert f"BIÊN BẢN GIAO NHẬN HIỆN VẬT Số: bút toán {version} Hôm nay, ngày 15 tháng 05 năm 2024" in text
    assert "Bên giao Ủy ban nhân dân tỉnh Địa chỉ Người đại diện Nguồn hỗ trợ Kinh phí hỗ trợ từ ngân sách" in text
    assert "Theo văn bản số 47/KH-UBND Bên nhận Câu lạc bộ Mai Pha" in text
    assert "Người đại diện Nông Văn Tài (TV 2), chủ nhiệm" in text
    assert "1 loa kéo bộ 2 6.000.000 12.000.000 2 ghế nhựa cái 70 10.000.000 Cộng 22.000.000" in text
    assert "Tổng giá trị, bằng chữ: Hai mươi hai triệu đồng" in text
    assert "không tính vào vốn cho vay" in text
    assert "Bên giao (Ký, họ tên) Người lập (Ký, họ tên) Kế toán (Ký, họ tên) Bên nhận (Ký, họ tên)" in text


@pytest.mark.parametrize("kind", ["reversals", "pot-transfers", "in-kind-donations", "write-offs", "cash-counts"])
def test_an_entry_has_no_paper_of_another_kind_nor_before_its_day(village: House, kind: str) -> None:
    undone = village.recorded(f"{AT}/entries/{DUES}/reversal", {"reason": "duplicate", "on": "2024-05-15"})["version"]

    for version in (DUES, 9_999):
        assert village.get(f"{AT}/papers/{kind}/{version}").status_code == 404
    if kind == "reversals":
        assert village.get(f"{AT}/papers/{kind}/{undone}?as_of=2024-05-14").status_code == 404


def test_a_transfer_that_was_undone_is_marked(village: House) -> None:
    moved = {"from": "activity", "to": "revolving", "amount": 200_000, "on": "2024-05-15"}
    version = village.recorded(f"{AT}/pot-transfers", moved)["version"]
    undone = village.recorded(f"{AT}/entries/{version}/reversal", {"reason": "other", "on": "2024-05-16"})["version"]

    text = read(village, f"pot-transfers/{version}")

    assert f"ĐÃ HỦY (GHI SỐ ÂM) Bút toán số {undone} ngày 16/05/2024: lý do khác." in text
    assert "Số phiếu không dùng lại" not in text, "it has no number of a book of vouchers"

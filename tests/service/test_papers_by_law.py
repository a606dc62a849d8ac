"""Every voucher holds the seven contents that article 16 of the Law on Accounting (88/2015/QH13) asks for.

One of each kind of entry that moves money is recorded, and its paper read: name and number; date; name and address of
who makes it; name and address of who receives it; content; amount in figures and words; signatures of who made it, who
approved it and who is concerned.
"""

from datetime import date
from typing import Any, Final

import pytest

from ledger.events import EVENT_TYPES
from service.words import wording
from tests.service.test_papers import AT, read, spoken
from tests.support.service import BYLAWS, FUND, SOUND, House, path_of

PAPERS: Final = {
    "PotTransferred": "pot-transfers/{version}",
    "InKindDonationReceived": "in-kind-donations/{version}",
    "LoanWrittenOff": "write-offs/{version}",
    "EntryReversed": "reversals/{version}",
}
"""The papers of what moves no cash. What does has a phiếu thu or phiếu chi."""

WITHOUT: Final = {
    "OpeningBalancesDeclared": "the old books are its document",
    "OpeningBalancesCorrected": "the old books are its document",
    "SavingsSetOff": "stands in the member's passbook, which the member signs",
    "FundDissolved": "the decision to wind up is its document",
}
"""What moves something and has no paper of its own, with what stands for it."""

NO_PARTY: Final = {"CashCounted", "PotTransferred"}
"""Nobody paid or received: the money stayed in the club's box, or was never there."""

TITLES: Final = (
    "PHIẾU THU",
    "PHIẾU CHI",
    "PHIẾU CHUYỂN GIỮA HAI QUỸ",
    "GIẤY GHI SỐ ÂM",
    "BIÊN BẢN XÓA NỢ",
    "BIÊN BẢN GIAO NHẬN HIỆN VẬT",
)

WITHDRAWAL: Final = "bank-movements, of what was deposited"

MOVING: Final = (
    "contributions", "donations", "in-kind-donations", "expenses", "incomes", "pot-transfers", "bank-movements",
    "advances", "advances/{advance}/repayments", "withdrawals", "loans/{loan}/disbursement", "loans/{loan}/repayments",
    "loans/{loan}/recoveries", "loans/{loan}/write-off", "entries/{version}/reversal", "cash-counts", WITHDRAWAL,
)  # fmt: skip
"""The writes that move money or goods."""


def told(village: House, write: str) -> dict[str, Any]:
    """The journal's line of what this write records."""
    template = f"/funds/{{fund}}/{write.partition(',')[0]}"
    body = SOUND[template]
    if write == WITHDRAWAL:
        village.recorded(path_of(template, FUND), body)
        body = body | {"direction": "withdrawal"}
    version = village.recorded(path_of(template, FUND), body)["version"]
    entry: dict[str, Any] = village.get(f"{AT}/entries/{version}").json()
    return entry


def paper_of(entry: dict[str, Any]) -> str:
    """Where the paper of an entry is printed."""
    if entry["voucher"] and not entry["reverses"]:
        return f"vouchers/{entry['voucher']}"
    return PAPERS[entry["type"]].format(version=entry["version"])


@pytest.mark.parametrize("write", MOVING)
def test_the_paper_of_whatever_moves_money_holds_the_seven_contents_of_the_law(village: House, write: str) -> None:
    entry = told(village, write)
    text = read(village, paper_of(entry))
    on = date.fromisoformat(entry["on"])
    amount = abs(entry["amount"])

    title = next(title for title in TITLES if title in text)
    number = entry["voucher"] if title in TITLES[:2] else f"bút toán {entry['version']}"
    assert f"Số: {number}" in text, "1: its name and its number"
    assert f"ày {on:%d} tháng {on:%m} năm {on.year}" in text, "2: its date"
    assert "Câu lạc bộ Mai Pha Mai Pha, Lạng Sơn, tỉnh Lạng Sơn" in text, "3: name and address of who makes it"
    assert ("Địa chỉ" in text) is (entry["type"] not in NO_PARTY), "4: name and address of who receives it"
    assert any(label in text for label in ("Lý do", "Nội dung", "Tên hiện vật")), "5: what it is about"
    figures = spoken(amount).removesuffix(" đ")
    assert figures in text, "6: the amount in figures"
    assert wording.in_words(amount, "vi").lower() in text.lower(), "6: the amount in words"
    for who in ("Người lập", "Kế toán"):
        assert f"{who} " in text.rpartition("Ngày ……")[2], "7: who made it and who checked it sign"
    assert any(f"{who} (Ký, họ tên)" in text for who in ("Chủ nhiệm", "Bên nhận")), "7: who approved it signs"


@pytest.mark.parametrize(
    ("write", "side"),
    [
        ("contributions", "Người nộp tiền"),
        ("donations", "Người nộp tiền"),
        ("expenses", "Người nhận tiền"),
        ("withdrawals", "Người nhận tiền"),
        ("loans/{loan}/disbursement", "Người nhận tiền"),
    ],
)
def test_who_paid_or_received_signs_and_the_address_can_be_written(village: House, write: str, side: str) -> None:
    text = read(village, paper_of(told(village, write)))

    assert f"{side} (Ký, họ tên)" in text
    assert text.index(side) < text.index("Địa chỉ") < text.index("Lý do")


def test_every_kind_of_entry_that_moves_something_has_a_paper(village: House) -> None:
    moving = {name for name, kind in EVENT_TYPES.items() if "legs" in vars(kind) or "opening_legs" in dir(kind)}
    tried = {told(village, write)["type"] for write in MOVING}

    assert moving - tried - set(WITHOUT) == set()
    assert set(WITHOUT) <= moving


def test_bylaws_are_no_voucher(village: House) -> None:
    """The control: what moves nothing has no paper here."""
    version = village.recorded(f"{AT}/bylaws", BYLAWS | {"on": "2024-05-01"})["version"]

    for paper in PAPERS.values():
        assert village.get(f"{AT}/papers/{paper.format(version=version)}").status_code == 404

"""Claims about receipts as texts: they fit a message, say what happened, and name nobody."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import EVENT_TYPES, check_code
from ledger.money import MAX_AMOUNT
from service.pages.receipt_texts import MARKED, PLAIN, _kind, amount_of, receipt_texts
from service.pages.receipts import PAPERS
from service.words import catalogue, wording
from tests.support.pages import Browser
from tests.support.service import FUND, NAME, SOUND, House, found_anew, house, opening, settle_in

LONG = "LS-XA-HOI-BANG-LA-MAI-PH"
"""The longest code that a club may have."""

GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The letters of the GSM alphabet that take one place each (3GPP TS 23.038)."""

CODE = check_code("ab" * 32)


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        settle_in(running)
        found_anew(running)
        yield running


@pytest.fixture(scope="module")
def rich(club: House) -> list[Fund]:
    """The fund with the longest code after each of its entries, which are of the largest amounts there are."""
    most, at = MAX_AMOUNT, f"/funds/{LONG}"
    club.recorded("/funds", opening(LONG))
    member = {"sex": "female", "birth_year": 1955, "poverty": "none", "name": NAME}
    club.recorded(f"{at}/members", member)
    club.recorded(f"{at}/donations", {"source": "business", "pot": "revolving", "amount": most, "donor": NAME})
    club.recorded(f"{at}/cash-counts", {"counted": most, "reason": "periodic"})
    for kind in ("dues", "share", "savings", "fine"):
        month = {"for_month": "2024-06"} if kind == "dues" else {}
        club.recorded(f"{at}/contributions", {"member": 1, "kind": kind, "amount": most, **month})
    for kind in ("collective", "bank_interest", "other"):
        club.recorded(f"{at}/incomes", {"kind": kind, "pot": "activity", "amount": most})
    loan = {"member": 1, "principal": most - 1, "term_months": 12, "purpose": "trade"}
    for number in (1, 2):
        club.recorded(f"{at}/loans", loan)
        club.recorded(f"{at}/loans/{number}/approval", {"override": {"reason": "Thử"}})
        club.recorded(f"{at}/loans/{number}/disbursement")
    club.recorded(f"{at}/advances", {"source": "community", "amount": most})
    for path, body in (
        ("withdrawals", {"member": 1, "amount": 1}),
        ("loans/1/repayments", {"amount": 1}),
        ("loans/1/set-off", {"amount": 1}),
        ("loans/2/write-off", {"amount": 1, "reason": "Thử"}),
        ("advances/1/repayments", {"amount": 1}),
        ("bank-movements", {"direction": "deposit", "pot": "revolving", "amount": most}),
        ("bank-movements", {"direction": "withdrawal", "pot": "revolving", "amount": most}),
    ):
        club.recorded(f"{at}/{path}", body)
    last = club.get(at).json()["version"]
    return [club.state.ledger.replayed(LONG, upto=version) for version in range(1, last + 1)]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_receipt_fits_one_message_with_marks_or_without(rich: list[Fund], language: str) -> None:
    for fund in rich:
        event = fund.entries[-1]
        texts = receipt_texts(fund, event, CODE, language)
        assert len(texts["plain"]) <= PLAIN, texts
        assert set(texts["plain"]) <= GSM
        assert texts.keys() == ({"plain", "marked"} if language == "vi" else {"plain"})
        assert len(texts.get("marked", "")) <= MARKED, texts
        voucher = getattr(event, "voucher", None) or str(event.version)
        for text in texts.values():
            assert voucher in text
            assert CODE.replace("-", "") in text.replace("-", "")
            assert f"{event.on:%d/%m}" in text
        if (amount := amount_of(event)) is not None:
            figures = wording.count(amount, language)
            assert all(figures in text for text in texts.values())
        assert LONG in texts["plain"]
        assert not any(name in texts["plain"] for name in ("Sam", "Hoang"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_kind_of_entry_has_a_word_that_leaves_room_for_the_rest(language: str) -> None:
    """Whatever a club records, with the longest code and number, the largest amounts, and something left."""
    start = "page.receipt.line."
    kinds = [key.removeprefix(start) for key in catalogue.every_key() if key.startswith(start)]
    assert {kind.partition(".")[0] for kind in kinds} == EVENT_TYPES.keys() - PEOPLES
    words = {kind: catalogue.phrase(f"page.receipt.line.{kind}", language) for kind in kinds}
    longest = max(words.values(), key=len)
    with_marks = f"05/03 {longest} 1.000.000.000.000đ PT-2024-12345 {CODE.replace('-', '')}"
    without = (
        f"{LONG} 05/03/24: {longest} 1.000.000.000.000 VND, savings left 1.000.000.000.000d, PT-2024-12345. Code {CODE}"
    )
    assert language == "en" or len(with_marks) <= MARKED, longest
    assert len(without) <= PLAIN, longest


PEOPLES = frozenset(name for name in EVENT_TYPES if EVENT_TYPES[name].__module__ == "ledger.events.people")
"""What happens in the log of people is no entry of a club."""


def test_a_receipt_says_what_is_left(club: House) -> None:
    def text(path: str, body: dict[str, Any]) -> str:
        version = club.recorded(f"/funds/{FUND}/{path}", body)["version"]
        fund = club.state.ledger.replayed(FUND, upto=version)
        return receipt_texts(fund, fund.entries[-1], CODE, "vi")["plain"]

    assert "tra no 470.000d, con no " in text("loans/1/repayments", {"amount": 470_000})
    assert "rut tiet kiem 100.000d, tiet kiem con 200.000d" in text("withdrawals", {"member": 1, "amount": 100_000})
    assert "gui tiet kiem 50.000d, tiet kiem con 250.000d" in text(
        "contributions", {"member": 1, "kind": "savings", "amount": 50_000}
    )
    dues = text("contributions", {"member": 1, "kind": "dues", "amount": 10_000, "for_month": "2024-06"})
    assert dues.startswith(f"{FUND} 15/06/24: nop hoi phi 06/2024 10.000d, PT-")
    assert dues.endswith(f". Ma {CODE}")


def test_every_paper_of_an_entry_can_be_printed_from_its_receipt(club: House) -> None:
    for path, body in (
        ("in-kind-donations", SOUND["/funds/{fund}/in-kind-donations"]),
        ("pot-transfers", SOUND["/funds/{fund}/pot-transfers"]),
        ("cash-counts", SOUND["/funds/{fund}/cash-counts"]),
        ("entries/13/reversal", {"reason": "duplicate"}),
        ("entries/19/reversal", {"reason": "other"}),
    ):
        club.recorded(f"/funds/{FUND}/{path}", body)
    browser, kinds = Browser(club), set[str]()
    for item in club.get(f"/funds/{FUND}/entries?limit=200").json()["items"]:
        receipt = browser.open(f"/clubs/{FUND}/entries/{item['version']}")
        papers = [str(link["href"]) for link in receipt.of("a") if link.get("data-act") == "print"]
        assert {club.get(paper.removeprefix("/v1")).status_code for paper in papers} <= {200}, (item, papers)
        kinds |= {item["type"]} if papers else set()
    assert kinds >= PAPERS.keys()


def test_the_receipt_on_a_page_is_sent_by_a_link_that_needs_no_script(club: House) -> None:
    page = Browser(club).open(f"/clubs/{FUND}/entries/13")

    shared = [link for link in page.of("a") if "data-share" in link]
    assert [link.get("data-act") for link in shared] == ["share", None]
    assert [str(link["href"]).partition("%20")[0] for link in shared] == [f"sms:?body={FUND}", "sms:?body=15/03/24"]
    assert page.values("data-receipt") == ["plain", "marked"]
    assert _kind(club.state.ledger.replayed(FUND, upto=13).entries[-1]) == "ContributionReceived.dues"

"""Claims about the pages in a real browser: everybody can read and reach what is on them, and work them by keyboard."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from service.pages.forms import FORMS
from tests.pages.test_entering import OLD_BOOK
from tests.pages.test_every_page import CLUB, PAGES, report_on
from tests.support.service import NEW_FUND, House, house, served

GOLDEN = Path(__file__).parent.parent / "golden" / "amounts_in_words.csv"

PHONE: ViewportSize = {"width": 360, "height": 740}
SIZES = ((320, "125%"), (360, "125%"), (360, "187.5%"), (1280, "125%"), (1280, "187.5%"))
"""Widths in pixels, with type as it is and half as large again."""
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"color-contrast-enhanced": {"enabled": True}},
    "resultTypes": ["violations"],  # Whatever is as it should be would be listed node by node.
}

TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
    .filter((each) => each.checkVisibility() && each.type !== "hidden")
    .map((each) => each.closest("label.choice") || each)
    .filter((each) => { const box = each.getBoundingClientRect(); return box.height < 47.5 || box.width < 47.5; })
    .map((each) => each.outerHTML.slice(0, 120))"""
"""What is to be touched and smaller than 48 × 48 px; of a choice, its whole box is touched."""

UNDER_16 = """() => [...document.querySelectorAll("body *")]
    .filter((each) => each.checkVisibility() && [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((each) => parseFloat(getComputedStyle(each).fontSize) < 16)
    .map((each) => each.outerHTML.slice(0, 120))"""

LOOKED_AT = f"""(size) => {{
    document.documentElement.style.fontSize = size;
    return [document.documentElement.scrollWidth, ({TOO_SMALL})(), ({UNDER_16})()];
}}"""


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        report_on(running)
        yield running


@pytest.fixture(scope="module")
def origin(club: House) -> Iterator[str]:
    with served(club) as reached:
        yield reached


class Opened(NamedTuple):
    """A page of the chair's, and what its scripts threw."""

    page: Page
    faults: list[str]

    @contextmanager
    def watched(self) -> Iterator[Page]:
        """The page, at the width of a phone; what its scripts throw meanwhile fails the test."""
        self.page.set_viewport_size(PHONE)
        self.faults.clear()
        yield self.page
        assert [fault for fault in self.faults if "status of 4" not in fault] == []


@pytest.fixture(scope="module")
def chair(browser: Browser, club: House) -> Iterator[Opened]:
    headers = {"Authorization": f"Bearer {club.token}"}
    with browser.new_context(locale="vi-VN", extra_http_headers=headers) as context:
        own = Opened(context.new_page(), [])
        own.page.on("pageerror", lambda error: own.faults.append(str(error)))
        own.page.on("console", lambda said: own.faults.append(said.text) if said.type == "error" else None)
        yield own


@pytest.fixture
def page(chair: Opened) -> Iterator[Page]:
    """A page that goes from one address to the next, as people do: to begin a new one takes longer than most claims."""
    with chair.watched() as page:
        yield page


ALIKE = FORMS.keys() - {"contribution", "in_kind_donation", "forgiven_dues", "disbursement", "rescheduling"}
"""Forms made of the same kinds of questions as the others."""
LEFT_OUT = {"/people", "/pin", "/open", *(f"{CLUB}/entries/new/{what}" for what in ALIKE)}
SEEN = [address for address in PAGES if address not in LEFT_OUT]


@pytest.mark.parametrize("address", SEEN)
def test_a_page_can_be_read_and_reached_by_everybody(page: Page, origin: str, address: str) -> None:
    page.goto(f"{origin}{address}")
    everybody_reads_and_reaches(page)


def everybody_reads_and_reaches(page: Page) -> None:
    """What there is on a page, whatever the width and the type; all that is folded away too."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")

    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    for width, type_size in SIZES:
        page.set_viewport_size({"width": width, "height": 740})
        scrolled, too_small, under_16 = page.evaluate(LOOKED_AT, type_size)
        assert scrolled <= width, (width, type_size)
        assert (too_small, under_16) == ([], [])


def test_a_practice_club_can_be_read_and_reached_by_everybody(page: Page, origin: str) -> None:
    page.goto(f"{origin}/practice")
    page.click("[data-act=record]")
    page.wait_for_selector("main[data-page=home]")
    club = page.url
    for place in ("", "/members/1", "/loans/1", "/entries/20", "/approvals", "/entries/999"):
        page.goto(f"{club}{place}")
        everybody_reads_and_reaches(page)
    page.goto(f"{club}/meeting?on=2024-06-15")
    page.wait_for_selector("[data-member='1']")
    assert page.is_visible(".top .stamp")
    assert page.text_content(".top .stamp") == "TẬP"
    assert page.evaluate("document.body.className") == "practice"
    everybody_reads_and_reaches(page)


def test_the_read_back_of_an_old_book_can_be_read_and_reached_by_everybody(page: Page, origin: str) -> None:
    page.goto(f"{origin}/clubs/{NEW_FUND}/entries/new/opening_balances")
    for name, text in OLD_BOOK.items():
        if name.startswith(("pots.", "on", "loans.", "savings.")) and not name.endswith("purpose"):
            page.evaluate("([name, text]) => { document.getElementsByName(name)[0].value = text; }", [name, text])
    page.select_option("[name='loans.0.purpose']", "crops")
    page.click("[data-act=more][value=loans]")
    page.wait_for_selector("[name='loans.2.member']")
    page.evaluate("() => { document.getElementsByName('savings.0.member')[0].value = '1'; }")
    page.press("[name='pots.activity.bank']", "Enter")  # Goes on, and makes no more rows.
    page.wait_for_selector("main[data-page=check]")
    assert page.get_attribute("[data-loan='1'] [data-figure=outstanding]", "data-value") == "2916000"
    everybody_reads_and_reaches(page)


def test_an_entry_is_recorded_by_keyboard_alone(page: Page, origin: str, club: House) -> None:
    page.goto(f"{origin}{CLUB}/entries/new/expense")

    def on_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("(sought) => document.activeElement.matches(sought)", selector):
                return
        pytest.fail(f"the keyboard does not reach {selector}")

    on_to("[name=activity]")
    page.keyboard.press("Space")
    on_to("[name=amount]")
    page.keyboard.type("350000")
    assert page.input_value("[name=amount]") == "350.000"
    assert page.text_content("[data-words-for=amount]") == "Ba trăm năm mươi nghìn đồng"
    on_to("[data-act=continue]")
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-page=check]")
    on_to("[data-act=record]")
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-page=entry]")

    (voucher,) = [each.get_attribute("data-voucher") for each in page.locator("[data-voucher]").all()]
    before = club.entries()
    page.go_back()
    page.click("[data-act=record]")
    page.wait_for_selector("[data-replayed=true]")
    assert page.locator("[data-voucher]").get_attribute("data-voucher") == voucher
    assert club.entries() == before


def test_enter_in_a_field_decides_nothing_about_a_loan(page: Page, origin: str, club: House) -> None:
    page.goto(f"{origin}{CLUB}/approvals")
    before = club.entries()

    page.locator("[data-loan='3'] [name=reason]").fill("Chờ đợt sau")
    page.locator("[data-loan='3'] [name=reason]").press("Enter")
    page.wait_for_timeout(200)

    assert page.locator("main[data-page=approvals]").count() == 1
    assert club.entries() == before
    assert page.locator("[data-loan='3'] button:visible").count() == 2


def test_a_form_that_was_refused_leads_to_its_first_wrong_field(page: Page, origin: str) -> None:
    page.goto(f"{origin}{CLUB}/entries/new/contribution")
    page.click("[data-act=continue]")
    page.wait_for_selector("[role=alert]")

    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"


def test_only_undoing_hides_what_would_be_entered_instead(page: Page, origin: str) -> None:
    page.goto(f"{origin}{CLUB}/entries/14/correction")
    amount = page.locator("[name='replacement.amount']")
    assert amount.is_visible()

    page.locator("[name=only_undo]").check()

    assert not amount.is_visible()


def test_a_receipt_is_copied_where_it_cannot_be_shared(page: Page, origin: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{origin}{CLUB}/entries/13")
    page.evaluate("delete Navigator.prototype.share")

    page.click("[data-act=share]")
    page.wait_for_function("document.getElementById('shared').textContent")

    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("[data-receipt=plain]")


def test_amounts_are_put_into_words_in_the_browser_as_they_are_in_the_service(page: Page, origin: str) -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        golden = {row["amount"]: row["in_words"] for row in csv.DictReader(file)}
    page.goto(f"{origin}{CLUB}/entries/new/expense")

    source = page.locator("script[src*='forms.js']").get_attribute("src")
    spoken = page.evaluate(
        "async ([source, amounts]) => { const forms = await import(source); return amounts.map(forms.inWords); }",
        [source, [amount for amount in golden if len(amount) <= 13]],
    )

    assert len(spoken) > 30
    assert spoken == [words for amount, words in golden.items() if len(amount) <= 13]

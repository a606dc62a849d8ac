"""Claims about the meeting's sheet without a network, in a real browser against a real server process: what the phone
called saved is in the book, whole and once, whatever ends at whatever moment."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from service.access.principals import Principals
from tests.support.browser import Phone, Server, chromium, moments, phone, wait_until
from tests.support.service import FUND, OPENED_ON, House, house, opening

KILLS = int(os.environ.get("MICROFUND_TEST_KILLS", "6"))
"""Many more were made once by hand; each takes some seconds."""

MEMBERS = 12
PATH = f"/clubs/{FUND}/meeting"


class Village:
    """A club's database, the server that serves it, and who may log in."""

    def __init__(self, home: Path, changes: tuple[tuple[str, str, str], ...] = ()) -> None:
        self.url = f"sqlite:///{home / 'fund.db'}"
        with house(self.url) as founded:
            _settle(founded)
            self.token = founded.issue("treasurer")
            self.other_token = founded.issue("treasurer")
        self.server = Server(self.url, home, changes)
        self.sheet = self.server.origin + PATH

    def paid(self) -> Counter[tuple[int, int]]:
        """How often the book has which member's payment of which amount."""
        return Counter((event.member, event.amount) for event in self._events("ContributionReceived"))

    def meetings(self) -> list[Any]:
        """The meetings the book has."""
        return self._events("MeetingHeld")

    def revoke(self) -> None:
        """The phone's token opens nothing any more."""
        ledger = Ledger(self.url)
        try:
            assert Principals(ledger.database).revoke(datetime.now(UTC), self.token)
        finally:
            ledger.close()
        self.server.start()  # It remembers for some seconds whose token it was.

    def _events(self, kind: str) -> list[Any]:
        ledger = Ledger(self.url)
        try:
            return [event for event in ledger.replayed(FUND).entries if type(event).__name__ == kind]
        finally:
            ledger.close()


def _settle(founded: House) -> None:
    founded.recorded("/funds", opening())
    for number in range(MEMBERS):
        founded.recorded(
            f"/funds/{FUND}/members",
            {
                "name": f"Hoàng Thị {'Sầm' if number < 2 else chr(65 + number)}",
                "sex": "female",
                "birth_year": 1950 + number,
                "poverty": "none",
                "on": OPENED_ON,
            },
        )


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    own = Village(tmp_path)
    own.server.start()
    yield own
    own.server.stop()


@pytest.fixture
def treasurer(village: Village, playwright: Any, tmp_path: Path) -> Iterator[Phone]:
    with phone(playwright, tmp_path / "profile", village.token) as own:
        yield own


# --- what a treasurer does ----------------------------------------------------------------------------------------------


def opened(own: Phone, address: str) -> Any:
    page = own.open()
    page.goto(address)
    page.wait_for_selector("[data-member='1']")
    return page


def kept_for_later(page: Any) -> None:
    """Wait until the phone can open the sheet without a network."""
    wait_until(page, lambda: page.evaluate("navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)"))


def come(page: Any, member: int) -> None:
    page.click(f"[data-member='{member}'] [data-cell=present]")
    page.wait_for_selector(f"[data-member='{member}'] [aria-pressed=true]")


def pay(page: Any, member: int, amount: int) -> None:
    cell = f"[data-member='{member}'] [data-cell=dues]"
    page.click(cell)
    page.fill("dialog[open] [name=amount]", str(amount))
    page.click("dialog[open] [data-act=continue]")
    if page.locator("dialog[open] .wrong:visible").count():  # Ten times the usual is asked about, once.
        page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector(f"{cell}[data-state=draft]")


def review(page: Any) -> None:
    page.click("footer [data-act=continue]")
    page.wait_for_selector("[data-act=record]:visible")


def record(page: Any) -> None:
    review(page)
    page.click("[data-act=record]")


def is_in_the_book(page: Any, lines: int) -> None:
    page.wait_for_selector("[role=status][data-waiting='0']", state="attached")
    wait_until(page, lambda: page.locator("[data-state=sent], [data-state=had]").count() == lines)


def is_saved(page: Any, lines: int) -> None:
    page.wait_for_selector(f"[role=status][data-waiting='{lines}']")


# --- the claims ---------------------------------------------------------------------------------------------------------


def test_a_meeting_is_opened_and_saved_with_the_server_gone_outlives_the_browser_and_is_recorded_once(village, treasurer):
    kept_for_later(opened(treasurer, village.sheet))
    treasurer.kill()
    village.server.stop()

    page = opened(treasurer, village.sheet)
    come(page, 1)
    pay(page, 1, 11_000)
    pay(page, 2, 12_000)
    record(page)
    is_saved(page, 2)
    assert "đã lưu trong máy" in page.inner_text("[role=status]")
    assert page.locator("[data-state=saved]").count() == 2
    page.goto(f"{village.server.origin}/clubs/{FUND}/members")
    assert page.get_attribute("main", "data-page") == "offline"
    page.click("main a.main")
    is_saved(page, 2)
    treasurer.kill()

    page = opened(treasurer, village.sheet)
    is_saved(page, 2)
    assert village.paid() == {}
    village.server.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    is_in_the_book(page, 2)
    assert village.paid() == {(1, 11_000): 1, (2, 12_000): 1}
    (held,) = village.meetings()
    assert (held.present, held.by_proxy) == ((1,), ())
    assert page.get_attribute("#chat", "data-check-code") in page.inner_text("#chat")


def test_what_the_server_recorded_before_it_died_unanswered_is_sent_again_and_recorded_once(village, treasurer):
    page = opened(treasurer, village.sheet)
    assert lost_answer(village, page) == {(1, 11_000): 1}
    assert page.get_attribute("[data-member='1'] [data-cell=dues]", "data-state") in ("sent", "had")


def lost_answer(village: Village, page: Any) -> Counter[tuple[int, int]]:
    """The server records a line and dies before it says so; then the phone sends what else there is and waits."""
    come(page, 1)
    pay(page, 1, 11_000)
    village.server.die_before_answering()
    record(page)
    wait_until(page, lambda: village.server.has_died)
    is_saved(page, 1)
    village.server.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    is_in_the_book(page, 1)
    return village.paid()


MADE_AT_SENDING = (
    ("send.js", "type, key, ...fields", "type, key: crypto.randomUUID(), ...fields"),
    ("store.js", "each.key === said.key &&", "true &&"),
)


def test_the_control_whose_lines_get_their_keys_when_they_are_sent_records_twice(playwright, tmp_path):
    village = Village(tmp_path, MADE_AT_SENDING)
    village.server.start()
    try:
        with phone(playwright, tmp_path / "profile", village.token) as own:
            assert lost_answer(village, opened(own, village.sheet)) == {(1, 11_000): 2}
    finally:
        village.server.stop()


def test_lines_of_a_phone_whose_session_was_revoked_stay_and_go_after_the_next_log_in(village, treasurer):
    page = opened(treasurer, village.sheet)
    come(page, 3)
    pay(page, 3, 13_000)
    village.revoke()
    record(page)
    page.wait_for_selector("[role=status] .log-in:visible")
    is_saved(page, 1)
    page.reload()
    is_saved(page, 1)
    assert village.paid() == {}

    treasurer.log_in(village.other_token)
    page.reload()
    is_in_the_book(page, 1)
    assert village.paid() == {(3, 13_000): 1}


def test_a_revoked_phone_forgets_the_names_once_nothing_waits(village, treasurer):
    page = opened(treasurer, village.sheet)
    kept_for_later(page)
    village.revoke()
    page.reload()
    page.wait_for_selector("#alert:visible")
    assert page.locator("[data-member]").count() == 0
    assert "Hoàng" not in page.content()


@pytest.mark.parametrize("has_locks", [True, False])
def test_two_tabs_record_a_meeting_once(village, treasurer, has_locks):
    first = opened(treasurer, village.sheet)
    second = treasurer.context.new_page()
    if not has_locks:
        treasurer.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        first.reload()
    second.goto(village.sheet)
    for page in (first, second):
        page.wait_for_selector("[data-member='1']")
    village.server.stop()
    come(first, 1)
    pay(first, 1, 11_000)
    second.wait_for_selector("[data-member='1'] [data-state=draft]")
    pay(second, 2, 12_000)
    record(first)
    is_saved(first, 2)
    village.server.start()
    for page in (first, second):
        page.evaluate("void setTimeout(() => dispatchEvent(new Event('online')), 100)")
    for page in (first, second):
        is_in_the_book(page, 2)
    assert village.paid() == {(1, 11_000): 1, (2, 12_000): 1}
    assert len(village.meetings()) == 1


def test_what_was_saved_outlives_the_browser_killed_at_that_instant_whole_and_once(village, treasurer):
    kept_for_later(opened(treasurer, village.sheet))
    treasurer.kill()
    lost, torn, promised = [], [], 0
    days = [date.today() - timedelta(days=n) for n in range(KILLS)]  # noqa: DTZ011  # The phone's own day.
    for kill, (on, moment) in enumerate(zip(days, moments(1, KILLS), strict=True)):
        (village.server.stop if kill % 4 < 2 else village.server.start)()
        page = opened(treasurer, f"{village.sheet}?on={on}")
        come(page, 1)
        for member in (1, 2, 3):
            pay(page, member, 1_000 * (kill + 1) + member)
        review(page)
        seen: list[str] = []
        page.on("console", lambda message, seen=seen: seen.append(message.text))
        page.evaluate(
            "new MutationObserver(() => Number(document.querySelector('[role=status]').dataset.waiting) >= 3 &&"
            " console.log('saved')).observe(document.querySelector('[role=status]'), { attributes: true });"
            "setTimeout(() => document.querySelector('[data-act=record]').click())"
        )
        page.wait_for_timeout(moment)
        treasurer.kill()
        page = opened(treasurer, f"{village.sheet}?on={on}")
        states = page.eval_on_selector_all("[data-cell=dues]:not([data-state=empty])", "all => all.map(e => e.dataset.state)")
        promised += "saved" in seen
        if len(states) < 3 or ("saved" in seen and "draft" in states):
            lost.append((kill, states))
        if "draft" in states and set(states) != {"draft"}:
            torn.append((kill, states))
        treasurer.kill()

    village.server.start()
    for on in days:
        page = opened(treasurer, f"{village.sheet}?on={on}")
        if page.locator("[data-state=draft]").count():
            record(page)
        is_in_the_book(page, 3)
        treasurer.kill()
    book = village.paid()
    doubled = [line for line, times in book.items() if times > 1]
    print(f"kills {KILLS}, promised {promised}, lost {lost}, torn {torn}, doubled {doubled}")
    assert (lost, torn, doubled) == ([], [], [])
    assert book == {(m, 1_000 * (kill + 1) + m): 1 for kill in range(KILLS) for m in (1, 2, 3)}
    assert len(village.meetings()) == KILLS

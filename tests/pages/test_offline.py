"""Claims about the meeting's sheet without a network, in a real browser against a real server process: what the phone
called saved is in the book, whole and once, whatever ends at whatever moment."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import MortalPhone, Phone, moments, used, wait_until
from tests.support.jobs import IS_LONG
from tests.support.service import FUND
from tests.support.sheet import Village, come, is_in_the_book, is_saved, kept_for_later, opened, pay, record, review

KILLS = 40 if IS_LONG else 5
"""Each takes some seconds."""


@pytest.fixture
def village(founded: Any, tmp_path: Path) -> Iterator[Village]:
    own = Village(founded, tmp_path)
    own.server.start()
    yield own
    own.server.stop()


@pytest.fixture
def treasurer(village: Village, browser: Any) -> Iterator[Phone]:
    with used(Phone(browser, village.server.origin, village.session)) as own:
        yield own


@pytest.fixture
def mortal(village: Village, playwright: Any, tmp_path: Path) -> Iterator[MortalPhone]:
    """A treasurer whose browser is killed."""
    with used(MortalPhone(playwright, tmp_path / "profile", village.server.origin, village.session)) as own:
        yield own


# --- the claims -----------------------------------------------------------------------------------------------------


def test_a_meeting_is_opened_and_saved_with_the_server_gone_outlives_the_browser_and_is_recorded_once(village, mortal):
    kept_for_later(opened(mortal, village.sheet))
    mortal.kill()
    village.server.stop()

    page = opened(mortal, village.sheet)
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
    mortal.kill()

    page = opened(mortal, village.sheet)
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


def test_the_control_whose_lines_get_their_keys_when_they_are_sent_records_twice(founded, browser, tmp_path):
    village = Village(founded, tmp_path, MADE_AT_SENDING)
    village.server.start()
    try:
        with used(Phone(browser, village.server.origin, village.session)) as own:
            assert lost_answer(village, opened(own, village.sheet)) == {(1, 11_000): 2}
    finally:
        village.server.stop()


def log_out(page: Any) -> None:
    """The chair or the treasurer ends this phone's session, from wherever they are."""
    assert page.evaluate("fetch('/v1/session', { method: 'DELETE' }).then(({ ok }) => ok)")


def test_a_phone_is_opened_by_its_code_and_lines_of_a_revoked_one_stay_and_go_after_the_next_log_in(village, browser):
    with used(Phone(browser, village.server.origin, None)) as own:
        page = own.open()
        page.goto(f"{village.server.origin}/open/{village.code}")
        page.click("[data-act=continue]")
        page.wait_for_url("**/clubs/**")
        page.goto(village.sheet)
        come(page, 3)
        pay(page, 3, 13_000)
        log_out(page)
        record(page)
        page.wait_for_selector("[role=status] .log-in:visible")
        is_saved(page, 1)
        page.reload()
        is_saved(page, 1)
        assert village.paid() == {}

        own.log_in(village.session)
        page.reload()
        is_in_the_book(page, 1)
        assert village.paid() == {(3, 13_000): 1}


def test_a_revoked_phone_forgets_the_names_once_nothing_waits(village, treasurer):
    page = opened(treasurer, village.sheet)
    kept_for_later(page)
    log_out(page)
    page.reload()
    page.wait_for_selector("main > .log-in:visible")
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


SAVED = """
const bar = document.querySelector('[role=status]');
new MutationObserver(() => bar.dataset.waiting >= 3 && console.log('saved')).observe(bar, { attributes: true });
setTimeout(() => document.querySelector('[data-act=record]').click());
"""


def killed_at_saving(page: Any, own: Phone, moment: int) -> bool:
    """Tap "record", and kill the browser some milliseconds later; answers whether it had said "saved" by then."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(SAVED)
    page.wait_for_timeout(moment)
    own.kill()
    return "saved" in said


def states(page: Any) -> list[str]:
    return page.eval_on_selector_all("[data-cell=dues]:not([data-state=empty])", "all => all.map(e => e.dataset.state)")


@pytest.mark.long
def test_what_was_saved_outlives_the_browser_killed_at_that_instant_whole_and_once(village, mortal, record_property):
    lost, torn, promised = [], [], 0
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=n) for n in range(KILLS)]
    page = opened(mortal, f"{village.sheet}?on={today}")
    kept_for_later(page)
    for kill, (on, moment) in enumerate(zip(days, moments(1, KILLS), strict=True)):
        (village.server.stop if kill % 2 else village.server.start)()
        page.goto(f"{village.sheet}?on={on}")
        come(page, 1)
        for member in (1, 2, 3):
            pay(page, member, 1_000 * (kill + 1) + member)
        review(page)
        was_promised = killed_at_saving(page, mortal, moment)
        page = opened(mortal, f"{village.sheet}?on={on}")
        found = states(page)
        promised += was_promised
        if len(found) < 3 or (was_promised and "draft" in found):
            lost.append((kill, found))
        if "draft" in found and set(found) != {"draft"}:
            torn.append((kill, found))

    village.server.start()
    for on in days:
        page.goto(f"{village.sheet}?on={on}")
        page.wait_for_selector("[data-member='1']")
        if "draft" in states(page):
            record(page)
        is_in_the_book(page, 3)
    book = village.paid()
    doubled = [line for line, times in book.items() if times > 1]
    record_property("found", f"{KILLS} kills, {promised} after it said saved: {lost=} {torn=} {doubled=}")
    assert (lost, torn, doubled) == ([], [], [])
    assert book == {(m, 1_000 * (kill + 1) + m): 1 for kill in range(KILLS) for m in (1, 2, 3)}
    assert len(village.meetings()) == KILLS

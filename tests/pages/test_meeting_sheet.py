"""Claims about the meeting's sheet: what is tapped is written, told apart, read back and recorded; and that it is light
and large enough for an old phone and old eyes."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from service.access.sessions import COOKIE
from service.pages.layout import ASSETS
from tests.support.browser import wait_until
from tests.support.service import FUND
from tests.support.sheet import Founded, Village, come, is_in_the_book, is_saved, pay, record, review

KIB = 1024
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def village(founded: Founded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    own = Village(founded, tmp_path_factory.mktemp("sheet"))
    own.server.start()
    yield own
    own.server.stop()


@pytest.fixture(scope="module")
def phones(browser: Any) -> Iterator[dict[str, Any]]:
    """A page of a phone with service workers and of one without; to begin a phone takes longer than most claims."""
    contexts = {workers: browser.new_context(service_workers=workers) for workers in ("allow", "block")}
    yield {workers: context.new_page() for workers, context in contexts.items()}
    for context in contexts.values():
        context.close()


def as_new(page: Any, origin: str) -> Any:
    """A page of a phone that has kept nothing."""
    page.goto("about:blank")
    page.context.unroute_all()
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.detach()
    return page


@pytest.fixture
def opens(village: Village, browser: Any, phones: dict[str, Any]) -> Iterator[Any]:
    """Opens the sheet of a day of its own, `days` ago, on a new phone; one that stays new is nobody else's."""
    contexts = []

    def page_of(days: int, width: int = 360, type_size: int = 100, workers: str = "allow", own: bool = False) -> Any:
        if own:
            contexts.append(browser.new_context(service_workers=workers))
            page = contexts[-1].new_page()
        else:
            page = as_new(phones[workers], village.server.origin)
        page.set_viewport_size({"width": width, "height": 740})
        secure = village.server.origin.replace("http:", "https:")
        page.context.add_cookies([{"name": COOKIE, "value": village.session, "url": secure, "secure": True}])
        page.goto(f"{village.sheet}?on={day(days)}")
        page.wait_for_selector("[data-member='1']")
        page.evaluate(f"document.documentElement.style.fontSize = '{125 * type_size / 100}%'")
        return page

    yield page_of
    for context in contexts:
        context.close()


def day(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_name_is_present_then_by_proxy_then_absent_and_everybody_comes_at_one_tap(opens):
    page = opens(0)
    name = "[data-member='3'] [data-cell=present]"
    for pressed, present in (("true", 1), ("mixed", 0), ("false", 0)):
        page.click(name)
        page.wait_for_selector(f"{name}[aria-pressed={pressed}]")
        page.wait_for_selector(f"footer [data-figure=present][data-value='{present}']")
    page.click(name)
    page.click(name)
    page.click("[data-act=all-present]")
    page.wait_for_selector("footer [data-figure=present][data-value='11']")
    assert page.get_attribute(name, "aria-pressed") == "mixed"


def test_namesakes_are_told_apart_by_number_and_year_of_birth(opens):
    page = opens(1)
    names = page.locator("[data-cell=present] b").all_inner_texts()
    assert names[:2] == ["Hoàng Thị Sầm · số\u00a01 · sinh 1950", "Hoàng Thị Sầm · số\u00a02 · sinh 1951"]
    assert not any("sinh" in name for name in names[2:])


def test_ten_times_the_usual_is_asked_about_once_and_written_all_the_same(opens):
    page = opens(2)
    page.click("[data-member='4'] [data-cell=dues]")
    assert page.locator("dialog[open] .choice").all_inner_texts()[0].endswith("10.000\u00a0đ")
    page.fill("dialog[open] [name=amount]", "100000")
    page.click("dialog[open] [data-act=continue]")
    assert "Gấp 10 lần mức thường" in page.inner_text("dialog[open] .wrong:visible")
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector("[data-member='4'] [data-state=draft]")
    page.wait_for_selector("footer [data-figure=total][data-value='100000']")


def test_a_whole_meeting_is_read_back_recorded_and_told_to_the_group_without_a_name(opens, village):
    page = opens(3)
    come(page, 1)
    pay(page, 1, 20_000)
    page.click("[data-add=donation]")
    page.fill("dialog[open] [name=amount]", "500000")
    page.select_option("dialog[open] [name=pot]", "activity")
    page.click("dialog[open] [data-act=continue]")
    page.click("[data-add=expense]")
    page.fill("dialog[open] [name=amount]", "50000")
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector("#others li:nth-child(2)")
    before = int(page.get_attribute("[data-figure=cash]", "data-value"))
    review(page)
    assert "Cộng thu 520.000\u00a0đ, chi 50.000\u00a0đ." in page.inner_text("#aloud")
    assert int(page.get_attribute("[data-figure=expected]", "data-value")) == before + 470_000
    page.fill("[name=closing_cash]", str(before + 460_000))
    assert "Ít hơn sổ 10.000\u00a0đ" in page.inner_text("#difference")
    page.click("[data-act=record]")
    is_in_the_book(page, 3)
    (held,) = [meeting for meeting in village.meetings() if str(meeting.on) == day(3)]
    assert (held.present, held.closing_cash, held.book_closing) == ((1,), before + 460_000, before + 470_000)
    chat = page.inner_text("#chat")
    assert "1 người, thu 520.000\u00a0đ, chi 50.000\u00a0đ" in chat
    assert "Hoàng" not in chat
    page.click("[data-member='1'] [data-cell=dues]")
    version = next(e.version for e in village.events("ContributionReceived") if str(e.on) == day(3))
    assert page.get_attribute("#locked a", "href") == f"/clubs/{FUND}/entries/{version}/correction"


def test_a_loan_settled_at_the_meeting_stays_in_its_cell_locked(opens, village):
    page = opens(2)
    come(page, 12)
    cell = "[data-member='12'] [data-cell=repayment][data-loan='2']"
    page.click(cell)
    page.click("dialog[open] #proposals button:last-child")
    due = int(re.sub(r"\D", "", page.input_value("dialog[open] [name=amount]")))
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector(f"{cell}[data-state=draft]")
    record(page)
    is_in_the_book(page, 1)
    (repaid,) = village.events("LoanRepaid")
    assert (repaid.loan, repaid.outstanding, repaid.principal + repaid.interest) == (2, 0, due)
    page.reload()
    page.click(f"{cell}[data-state=sent]")
    assert page.get_attribute("#locked a", "href") == f"/clubs/{FUND}/entries/{repaid.version}/correction"


def test_a_meeting_without_anybody_is_not_recorded_and_one_without_a_line_is(opens, village):
    page = opens(4)
    page.click("footer [data-act=continue]")
    page.wait_for_selector("#alert:visible")
    come(page, 5)
    record(page)
    page.wait_for_selector("#chat:visible")
    assert [meeting.present for meeting in village.meetings() if str(meeting.on) == day(4)] == [(5,)]


def test_a_refused_line_says_why_stays_and_comes_corrected_under_a_new_key(opens, village):
    page = opens(5)
    come(page, 1)
    pay(page, 1, 10_000)
    page.click("[data-add=expense]")
    page.fill("dialog[open] [name=amount]", "9000000")
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector("#others [data-state=draft]")
    first = expense(page)
    record(page)
    page.wait_for_selector("[role=status][data-refused='1'][data-waiting='0']")
    page.click("#others [data-state=refused]")
    assert page.inner_text("#expense .why") == expense(page)["word"]
    page.fill("dialog[open] [name=amount]", "1000")
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector("#others [data-state=draft]")
    record(page)
    is_in_the_book(page, 2)
    assert expense(page)["key"] != first["key"]
    assert [e.amount for e in village.events("ExpensePaid") if str(e.on) == day(5)] == [1_000]


LINES = """new Promise(done => {
  const opening = indexedDB.open('microfund');
  opening.onsuccess = () => {
    const all = opening.result.transaction('lines').objectStore('lines').getAll();
    all.onsuccess = () => { opening.result.close(); done(all.result); };
  };
})"""


def lines(page: Any) -> list[Any]:
    """What the phone keeps of its lines."""
    found: list[Any] = page.evaluate(LINES)
    return found


def expense(page: Any) -> Any:
    return next(line for line in lines(page) if line["cell"] == "expense")


def test_what_is_sent_bears_the_digest_of_its_bytes_and_its_lines_in_the_order_of_their_keys(opens):
    page = opens(6, workers="block")
    come(page, 1)
    for member in range(1, 7):
        pay(page, member, 10_000)
    with page.expect_request("**/meetings") as sent:
        record(page)
    body, key = sent.value.post_data, sent.value.headers["idempotency-key"]
    assert key == "b-" + hashlib.sha256(body.encode()).hexdigest()[:40]
    told = json.loads(body)
    keys = [line["key"] for line in told["lines"]]
    assert (told["mode"], told["sheet"], keys) == ("partial", day(6), sorted(keys))
    assert len(set(keys)) == 6


def test_a_sheet_too_large_for_a_proxy_on_the_way_is_sent_in_halves_and_recorded_once(opens, village):
    page = opens(12, workers="block")
    sent = []

    def proxy(route: Any) -> None:
        told = json.loads(route.request.post_data)["lines"]
        sent.append(len(told))
        if len(told) > 2:
            route.fulfill(status=413, content_type="application/json", body="{}")
        else:
            route.continue_()

    page.context.route("**/meetings", proxy)
    come(page, 1)
    for member in range(1, 6):
        pay(page, member, 21_000)
    record(page)
    is_in_the_book(page, 5)
    assert sorted(sent, reverse=True) == [5, 3, 2, 2, 1]
    assert sum(times for (_, amount), times in village.paid().items() if amount == 21_000) == 5
    assert [held.present for held in village.meetings() if str(held.on) == day(12)] == [(1,)]


def test_a_text_for_the_chair_and_the_phone_itself_record_once(opens, village):
    page, chair = opens(7, workers="block"), opens(8)
    page.context.route("**/meetings", lambda route: route.abort())
    come(page, 2)
    pay(page, 2, 17_000)
    record(page)
    is_saved(page, 1)
    text = page.inner_text("#message")
    assert "Hoàng" not in text
    chair.click("summary")
    chair.fill("[name=message]", text.replace("MF1", "MF1 \n")[:-1] + "x")
    chair.click("[data-act=paste]")
    chair.wait_for_selector("#paste-result:has-text('thiếu hoặc sai chữ')")
    chair.fill("[name=message]", text)
    for _ in range(2):
        chair.click("[data-act=paste]")
        chair.wait_for_selector("#paste-result:has-text('dòng vào sổ')")
    page.context.unroute("**/meetings")
    page.evaluate("dispatchEvent(new Event('online'))")
    is_in_the_book(page, 1)
    assert village.paid()[2, 17_000] == 1


def test_after_three_days_the_bar_says_so_and_the_book_cannot_be_closed_while_lines_wait(opens):
    page = opens(9, workers="block", own=True)
    page.context.route("**/meetings", lambda route: route.abort())
    come(page, 2)
    pay(page, 2, 10_000)
    record(page)
    is_saved(page, 1)
    page.clock.install(time=datetime.now(UTC) + timedelta(days=4))
    page.reload()
    page.wait_for_selector("[role=status]:has-text('đã 4 ngày')")
    page.click("summary")
    page.click("[data-act=close]")
    page.wait_for_selector("#alert:has-text('Chưa đóng được')")
    assert len(lines(page)) == 1


def test_a_closed_book_leaves_nothing_on_the_phone(opens):
    page = opens(10)
    page.click("summary")
    page.click("[data-act=close]")
    page.wait_for_url(f"**/clubs/{FUND}")
    page.evaluate("navigator.serviceWorker.ready")
    kept = page.evaluate(
        "Promise.all([indexedDB.databases(), caches.keys().then(names => Promise.all(names.map(async name =>"
        " (await (await caches.open(name)).keys()).map(each => new URL(each.url).pathname))))])"
    )
    assert all(not path.startswith(("/v1", "/clubs")) for path in kept[1][0])
    assert lines(page) == []


def test_names_are_forgotten_after_120_days_without_a_log_in_but_not_while_something_is_written(opens):
    page, other = (opens(days, workers="block", own=True) for days in (15, 16))
    come(other, 1)
    pay(other, 1, 10_000)
    for each in (page, other):
        each.context.route("**/v1/**", lambda route: route.abort())
        each.clock.install(time=datetime.now(UTC) + timedelta(days=121))
        each.reload()
    page.wait_for_selector("#alert:visible")
    assert page.locator("[data-member]").count() == 0
    other.wait_for_selector("[data-member='1'] [data-state=draft]")


# --- how it looks ---------------------------------------------------------------------------------------------------

WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TYPE = """[...document.querySelectorAll('body *')].filter(each => each.checkVisibility() && each.innerText?.trim()
  && parseFloat(getComputedStyle(each).fontSize) < 16).map(each => each.outerHTML.slice(0, 80))"""
SMALL_CELLS = """[...document.querySelectorAll('.sheet [data-cell]')].map(each => each.getBoundingClientRect())
  .filter(({ width, height }) => width < 66 || height < 83).length"""
SMALL_TARGETS = """[...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(each =>
  each.checkVisibility()).map(each => [each.getBoundingClientRect(), each.outerHTML.slice(0, 80)])
  .filter(([{ width, height }]) => width < 48 || height < 48).map(([, html]) => html)"""


@pytest.mark.parametrize(("width", "type_size"), [(320, 100), (360, 100), (360, 150), (1280, 100)])
def test_nothing_scrolls_sideways_and_everything_is_large_enough_to_read_and_to_hit(opens, width, type_size):
    page = opens(11, width, type_size)
    seen = [page.evaluate(WIDE), page.evaluate(SMALL_TYPE), page.evaluate(SMALL_CELLS), page.evaluate(SMALL_TARGETS)]
    page.click("[data-member='1'] [data-cell=dues]")
    page.wait_for_selector("dialog[open]")
    box = page.locator("dialog[open]").bounding_box()
    seen += [page.evaluate(WIDE), page.evaluate(SMALL_TYPE), page.evaluate(SMALL_TARGETS)]
    assert seen == [0, [], 0, [], 0, [], []]
    assert box["height"] <= 740
    assert page.evaluate("(([d]) => d.scrollHeight <= d.clientHeight + 1)(document.querySelectorAll('dialog[open]'))")


def test_the_sheet_its_dialog_and_its_review_are_accessible(opens):
    page = opens(12)
    axe = Axe()

    def faults() -> list[str]:
        found = axe.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
        return [f"{fault['id']}: {node['html'][:90]}" for fault in found for node in fault["nodes"]]

    seen = faults()
    come(page, 1)
    page.click("[data-member='1'] [data-cell=dues]")
    seen += faults()
    page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector("[data-state=draft]")
    review(page)
    assert seen + faults() == []


# --- weight, and what is kept ---------------------------------------------------------------------------------------


def test_the_sheet_is_light(opens, village):
    scripts = [gzip.compress(content) for name, content in ASSETS.items() if name.endswith(".js")]
    assert sum(map(len, scripts)) <= 16 * KIB
    page = opens(13, own=True)
    sent: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setBypassServiceWorker", {"bypass": True})
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    addresses: dict[str, str] = {}
    session.on("Network.responseReceived", lambda said: addresses.update({said["requestId"]: said["response"]["url"]}))
    session.on("Network.loadingFinished", lambda said: sent.update({said["requestId"]: said["encodedDataLength"]}))
    page.reload()
    page.wait_for_selector("[data-member='1']")
    wait_until(page, lambda: len(sent) >= 10)
    assert sum(sent.values()) <= 30 * KIB, {addresses.get(each): size for each, size in sent.items()}


def test_the_worker_keeps_every_script_that_its_pages_load():
    (names,) = re.findall(r"const ASSETS = (\[.*?\]);", ASSETS["worker.js"].decode())
    kept = set(json.loads(names))
    imported = {
        name for each in kept if each.endswith(".js") for name in re.findall(r'"\./([\w.]+)"', ASSETS[each].decode())
    }
    assert kept == imported | {"pages.css", "icon.svg", "sheet.js", "offline.js"}


def test_the_shell_names_nobody_and_no_club_and_is_the_same_for_all(opens, village):
    page = opens(14)
    shells = page.evaluate(
        "paths => Promise.all(paths.map(path => fetch(path).then(answer => answer.text())))",
        [f"/clubs/{FUND}/meeting", "/offline/meeting"],
    )
    first, second = (re.sub(r'href="[^"]*lang=en"', "", shell) for shell in shells)
    assert first == second
    assert "Mai Pha" not in first

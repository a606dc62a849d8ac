"""Claims about what an inspector sees: a book at another time, whether it is whole, what to ask; and a visit."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from ledger.flags import RULES
from service.words import catalogue
from tests.support.browser import FLAGS, chromium
from tests.support.pages import Browser, Opened
from tests.support.people import admitted, invited
from tests.support.service import OPENED_ON, House, house, served
from tests.support.three_clubs import BADLY_KEPT, CLUBS, LATE_GIFT, MEETINGS, VISIT, WELL_KEPT, cash, settle

BAD, GOOD = f"/clubs/{BADLY_KEPT}", f"/clubs/{WELL_KEPT[0]}"
SHOWN = ("cash", "outstanding", "members", "loans")


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('village') / 'fund.db'}") as running:
        settle(running)
        yield running


@pytest.fixture(scope="module")
def inspector(village: House) -> Browser:
    return Browser(village, village.issue("inspector"))


def answered(village: House, path: str) -> dict[str, Any]:
    found: dict[str, Any] = village.get(path).json()
    return found


def figure(page: Opened, name: str) -> int:
    """The first figure of a name on a page."""
    return next(int(str(its["data-value"])) for _, its in page.found if its.get("data-figure") == name)


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["", "as_of=2024-03-15", "as_of=2024-03-15&known_version=20", "known_version=12"])
def test_the_figures_of_a_moment_are_those_of_the_api(village: House, inspector: Browser, moment: str) -> None:
    page = inspector.open(f"{BAD}/time?{moment}")
    club, held = (answered(village, f"/funds/{BADLY_KEPT}{part}?{moment}") for part in ("", "/balances"))

    assert {name: figure(page, name) for name in SHOWN} == {name: club[name] for name in SHOWN}
    assert figure(page, "savings") == sum(pot["savings"] for pot in held["pots"].values())


def walked_back(inspector: Browser, moment: str, asked: str) -> list[str]:
    """What an address asks for, step by step back in one of the two times from the book as it is today."""
    page, found = inspector.open(f"{BAD}/time"), list[str]()
    while back := re.search(rf'data-moment="{moment}">\s*<a[^>]*data-act="earlier" href="([^"]+)"', page.text):
        address = back[1].replace("&amp;", "&")
        found += re.findall(rf"{asked}=([\d-]+)", address)
        page = inspector.open(address)
    return found


def test_one_steps_from_meeting_to_meeting_in_both_times_without_a_script(village: House, inspector: Browser) -> None:
    assert walked_back(inspector, "as_of", "as_of") == [*reversed(MEETINGS), OPENED_ON]

    versions = [int(version) for version in walked_back(inspector, "known", "known_version")]
    days = [answered(village, f"/funds/{BADLY_KEPT}/entries/{version}")["on"] for version in versions]
    assert days == [*reversed(MEETINGS), OPENED_ON]
    page = inspector.open(f"{BAD}/time?known_version={versions[1]}")
    forth = re.findall(r'href="([^"]+)"', page.text[page.text.index('data-moment="known"') :])[1]
    assert forth.endswith(f"known_version={versions[0]}")


def test_what_todays_book_has_besides_is_named_line_by_line(village: House, inspector: Browser) -> None:
    entries = answered(village, f"/funds/{BADLY_KEPT}/entries?order=asc&limit=500")["items"]
    (late,) = [entry["version"] for entry in entries if entry["amount"] == LATE_GIFT]

    page = inspector.open(f"{BAD}/time?as_of=2024-04-15&known_version={late - 1}")
    told = answered(village, f"/funds/{BADLY_KEPT}/diff?from=2024-04-15@{late - 1}")

    assert figure(page, "differing") == told["count"] == 1
    assert f"{BAD}/entries/{late}" in [its.get("href") for its in page.of("a")]
    assert "Khác với sổ hôm nay: 1 dòng" in page.words
    assert "◆ ghi muộn 80 ngày" in page.words
    now = [int(str(its["data-value"])) for _, its in page.found if its.get("data-figure") == "cash"][-1]
    assert now - figure(page, "cash") == LATE_GIFT


def test_nothing_dated_back_hides_on_the_plane(village: House, inspector: Browser) -> None:
    def squares(fund: str) -> int:
        svg = re.findall(r"<svg class=\"plane\".*?</svg>", inspector.open(f"/clubs/{fund}/time").text, re.DOTALL)
        assert 'role="img"' in svg[0]
        assert "style" not in svg[0]
        return len(re.findall(r"M\d+ \d+h5", svg[0]))

    assert {fund: squares(fund) for fund in CLUBS} == {WELL_KEPT[0]: 0, WELL_KEPT[1]: 0, BADLY_KEPT: 1}
    page = inspector.open(f"{BAD}/time")
    counted = [int(text) for text in re.findall(r"data-label=\"Bút toán\">(\d+)<", page.text)]
    assert sum(counted) == answered(village, f"/funds/{BADLY_KEPT}")["version"]
    assert "muộn nhất 80 ngày" in page.words


def test_a_paper_in_the_hand_leads_to_its_moment(village: House, inspector: Browser) -> None:
    entry = answered(village, f"/funds/{BADLY_KEPT}/entries/12")
    voucher, code, there = entry["voucher"], entry["check_code"], f"{BAD}/time?as_of={entry['on']}&known_version=12"

    for paper in (voucher, voucher.lower(), code, code.lower().replace("-", " "), f"{BADLY_KEPT} 12 {code}"):
        found = inspector.open(f"{BAD}/time/at?paper={paper}")
        assert (found.status, found.answer.headers.get("Location")) == (303, there), paper
    for strange in ("PT-2030-0001", "AAAA-AAAA-AAAA-AAAA", "abc"):
        assert inspector.open(f"{BAD}/time/at?paper={strange}").status == 404
    links = [its.get("href") for its in inspector.open(f"{BAD}/entries/12").of("a")]
    assert there in links
    assert there in [its.get("href") for its in inspector.open(f"/check?club={BADLY_KEPT}&code={code}").of("a")]


def test_days_are_chosen_by_a_form(inspector: Browser) -> None:
    found = inspector.open(f"{BAD}/time/at?day=2024-04-15&known_on=2024-05-19")

    page = inspector.follow(found)
    assert figure(page, "differing") == 1
    assert inspector.open(f"{BAD}/time/at?day=&known_on=").answer.headers["Location"] == f"{BAD}/time"


# --- proof --------------------------------------------------------------------------------------------------------


def test_a_whole_book_is_called_whole_with_the_codes_of_its_meetings(village: House, inspector: Browser) -> None:
    page = inspector.open(f"{GOOD}/proof")
    told = answered(village, f"/funds/{WELL_KEPT[0]}/verification")

    assert page.values("data-valid") == ["true"]
    assert figure(page, "entries") == told["entries"]
    assert told["check_code"] in page.words
    assert "Trang này không thấy được khoản tiền chưa từng ghi vào sổ." in page.words
    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", page.text)[1:]
    days = [answered(village, f"/check?fund={WELL_KEPT[0]}&code={code}")["on"] for code in codes]
    assert days == list(reversed(MEETINGS))


def test_a_checkpoint_vouches_for_what_it_signed_and_for_nothing_else(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as village:
        settle(village)
        village.post("/checkpoints")
        page = Browser(village).open(f"{GOOD}/proof")
        assert page.values("data-holds") == ["true"]

        ledger = village.state.ledger
        (line,) = ledger.recorder.lines(WELL_KEPT[0], 6, 7)
        with ledger.database.transaction() as transaction:
            transaction.execute(
                "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 7",
                line=line.replace(b"5000000", b"4000000").replace(b"1000000", b"2000000"),
                fund=WELL_KEPT[0],
            )
        page = Browser(village).open(f"{GOOD}/proof")
        assert (page.values("data-valid"), page.values("data-holds")) == (["false"], ["false"])
        assert "Sổ không khớp từ bút toán số 8." in page.words


def test_whoever_trusts_nobody_takes_all_that_is_needed(village: House, inspector: Browser, tmp_path: Path) -> None:
    village.post("/checkpoints")
    page = inspector.open(f"{GOOD}/proof")
    token = village.issue("inspector")
    for link in (its for its in page.of("a") if "download" in its):
        found = village.client.get(str(link["href"]), headers={"Authorization": f"Bearer {token}"})
        (tmp_path / str(link["download"])).write_bytes(found.content)
    words = " ".join(re.sub(r"<[^>]+>", " ", re.findall(r"<code class=\"block\">(.*?)</code>", page.text)[0]).split())
    assert words == "python3 verify_history.py history.ndjson --checkpoint checkpoint.txt --proof proof.json --balances"

    done = subprocess.run(
        [sys.executable, *words.split()[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert answered(village, f"/funds/{WELL_KEPT[0]}/verification")["check_code"] in done.stdout


# --- flags --------------------------------------------------------------------------------------------------------


def test_the_club_with_most_to_ask_comes_first(village: House, inspector: Browser) -> None:
    told = answered(village, "/flags")["items"]

    for address in ("/flags", "/clubs"):
        page = inspector.open(address)
        assert page.values("data-club") == [club["fund"] for club in told]
        assert page.values("data-club")[0] == BADLY_KEPT
    shown = inspector.open("/flags")
    numbers = [int(str(its["data-value"])) for _, its in shown.found if its.get("data-figure") == "flags"]
    assert numbers == [club["flags"] for club in told]


def test_a_sign_says_why_it_is_one_what_else_it_may_be_and_which_entries(village: House, inspector: Browser) -> None:
    page = inspector.open(f"{BAD}/flags")
    told = answered(village, f"/funds/{BADLY_KEPT}/flags")["items"]

    assert figure(page, "flags") == len(told)
    assert page.values("data-rule") == list(dict.fromkeys(flag["rule"] for flag in told))
    for flag in told:
        assert flag["why"] in page.words
        assert flag["finding"] in page.words
        assert catalogue.render(f"flag.{flag['rule']}.ordinary", "vi") in page.words
        assert f"{BAD}/entries/{flag['versions'][0]}" in [its.get("href") for its in page.of("a")]
        found = inspector.open(f"{BAD}/flags?rule={flag['rule']}&finding=1")
        links = [str(its.get("href")) for its in found.of("a")]
        assert [int(link.rpartition("/")[2]) for link in links if "/entries/" in link] == flag["versions"]
    assert inspector.open(f"{BAD}/flags?rule=no-such").status == 404
    assert inspector.open(f"{BAD}/flags?rule=late-entries&finding=9").status == 404


def test_a_club_without_a_sign_is_not_called_honest(inspector: Browser) -> None:
    words = inspector.open(f"{GOOD}/flags").words

    assert "Không có dấu hiệu nào theo các phép thử hiện có" in words
    assert "gian lận" not in words
    assert "fraud" not in inspector.open(f"{GOOD}/flags?lang=en").words
    inspector.open(f"{GOOD}/flags?lang=vi")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_rule_has_an_ordinary_reason_to_ask_about(language: str) -> None:
    asks = {"vi": "Hỏi", "en": "Ask"}[language]
    assert [rule for rule in RULES if asks not in catalogue.render(f"flag.{rule}.ordinary", language)] == []


# --- a visit ------------------------------------------------------------------------------------------------------

LOT = "sample.seed=XSMB-48213&sample.vouchers=4&sample.loans=1"


def test_a_sample_on_the_page_is_the_one_that_anybody_draws(village: House, inspector: Browser) -> None:
    pinned = inspector.open(f"{BAD}/inspection?{LOT}")
    page = inspector.follow(pinned)
    told = answered(village, f"/funds/{BADLY_KEPT}/sample?seed=XSMB-48213&vouchers=4&loans=1")

    assert f"sample.known_version={told['known_version']}" in pinned.answer.headers["Location"]
    assert page.values("data-voucher") == [each["voucher"] for each in told["vouchers"]]
    assert page.values("data-loan") == [str(each["loan"]) for each in told["loans"]]
    assert figure(page, "of_vouchers") == told["of_vouchers"]


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("sample.seed=x", "sample.seed"),
        (LOT.replace("=4", "=900"), "sample.vouchers"),
        (f"{LOT}&sample.to=x", "sample.to"),
    ],
)
def test_a_lot_that_cannot_be_drawn_says_why_at_its_field(inspector: Browser, asked: str, wrong: str) -> None:
    page = inspector.open(f"{BAD}/inspection?{asked}")

    assert page.status == 422
    assert [its["aria-describedby"] for its in page.of("input") if "aria-invalid" in its] == [f"wrong-{wrong}"]


def test_a_treasurer_inspects_nobody_and_a_reporter_sees_no_line(village: House) -> None:
    treasurer, reporter = (Browser(village, village.issue(role)) for role in ("treasurer", "reporter"))

    assert [treasurer.open(f"{BAD}/inspection{part}").status for part in ("", "/finding")] == [403, 403]
    assert [reporter.open(f"{BAD}/{name}").status for name in ("time", "flags", "inspection")] == [403] * 3
    assert [its for its in reporter.open(f"{BAD}/proof").of("a") if "download" in its] == []
    assert reporter.open("/flags").status == 403


def test_who_was_let_in_is_told_as_the_log_has_it(village: House) -> None:
    person = admitted(village, "treasurer", scope={"funds": [BADLY_KEPT]})
    invited(village, person)
    page = Browser(village).open("/people/log")
    told = answered(village, "/people/log")

    assert page.values("data-version") == [str(line["version"]) for line in told["items"]]
    assert len(told["items"]) >= 2
    assert told["check_code"] in page.words
    assert "Nông Thị Hoa" in page.words


# --- the whole of it, in a browser --------------------------------------------------------------------------------


@pytest.fixture
def screen(playwright: Playwright, village: House) -> Iterator[Page]:
    """An inspector's browser, without scripts: nothing on these pages needs one."""
    browser = playwright.chromium.launch(
        executable_path=chromium(), args=[flag for flag in FLAGS if "headless" not in flag]
    )
    token = village.issue("inspector")
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        java_script_enabled=False,
        locale="vi-VN",
        extra_http_headers={"Authorization": f"Bearer {token}"},
    )
    yield context.new_page()
    browser.close()


def test_an_inspector_finds_the_badly_kept_club_and_records_what_was_found(screen: Page, village: House) -> None:
    before = cash(village, BADLY_KEPT)
    with served(village) as origin:
        screen.goto(f"{origin}/clubs")
        screen.click("li >> nth=0 >> a")
        screen.click(f"a[href='{BAD}/flags']")
        screen.click("[data-rule=late-entries] a[href*='/entries/']")
        assert "400.000" in screen.inner_text("main")
        screen.click("a[href*='known_version=']")
        assert int(screen.get_attribute("[data-figure=cash]", "data-value") or 0) > 0
        screen.click("[data-moment=known] [data-act=earlier]")
        assert screen.get_attribute("[data-figure=differing]", "data-value") != "0"
        assert screen.locator(f"a[href='{BAD}/entries/31']").count() == 1

        screen.goto(f"{origin}{BAD}/inspection")
        screen.fill("[name='sample.seed']", "XSMB-48213")
        screen.click("[data-act=draw]")
        vouchers = [each.get_attribute("data-voucher") for each in screen.locator("[data-voucher]").all()]
        screen.click("[data-act=count]")
        assert screen.locator("[data-figure=expected]").count() == 0
        screen.fill("[name='notes.10000']", "400")
        screen.click("button[data-act=count]")
        assert int(screen.get_attribute("[data-figure=expected]", "data-value") or 0) == before
        screen.click("[data-act=record]")
        assert screen.get_attribute("main", "data-page") == "inspection"
        assert int(screen.get_attribute("[data-figure=counted]", "data-value") or 0) == 4_000_000
        screen.click("[data-act=continue]")
        screen.fill("[name=finding]", "Quà tháng 3 đến tháng 5 mới ghi")
        screen.click("[data-act=continue]")
        screen.click("[data-act=record]")
        assert screen.get_attribute("main", "data-page") == "entry"

    made, counted = answered(village, f"/funds/{BADLY_KEPT}/entries?limit=2")["items"]
    assert (made["type"], counted["type"], counted["part"]) == ("InspectionMade", "CashCounted", "surprise")
    assert made["on"] == VISIT
    (line,) = village.state.ledger.recorder.lines(BADLY_KEPT, made["version"] - 1, made["version"])
    assert all(f'"{voucher}"'.encode() in line for voucher in vouchers)

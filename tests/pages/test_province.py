"""Claims about what a province sees: which clubs fail which target, reports that stay as they were, and why a figure is
another one since."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from service.words.wording import LANGUAGES
from tests.support.browser import FLAGS, chromium
from tests.support.pages import Browser, Fields, Opened
from tests.support.service import OTHER_FUND, House, house, served, settle_in

PLAN = "VN-LS-47-2022"
HALF = "preset=half-1&year=2024"
ASKED: Fields = {"plan": PLAN, "preset": "half-1", "year": "2024"}


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('province') / 'fund.db'}") as running:
        settle_in(running, plan=PLAN)
        settle_in(running, OTHER_FUND, plan=PLAN, district="Văn Quan")
        office = {"member": 1, "office": "volunteer", "on": "2024-02-01"}
        running.recorded(f"/funds/{OTHER_FUND}/offices", office)
        yield running


@pytest.fixture(scope="module")
def reporter(village: House) -> Browser:
    return Browser(village, village.issue("reporter"))


def report(village: House, asked: str = HALF) -> dict[str, Any]:
    found: dict[str, Any] = village.get(f"/report?plan={PLAN}&{asked}").json()
    return found


def tenths(percent: str | None) -> int | None:
    return None if percent is None else int(percent.replace(".", ""))


def figures(page: Opened, scope: str) -> dict[str, dict[str, int]]:
    """The first figures of a page after each element that says what they are about: `data-target`, `data-reading` …"""
    found: dict[str, dict[str, int]] = {}
    whose = ""
    for _, its in page.found:
        whose = its.get(scope) or whose
        if whose and "data-figure" in its:
            found.setdefault(whose, {}).setdefault(str(its["data-figure"]), int(str(its["data-value"])))
    return found


# --- what is on the page is what the API answers ------------------------------------------------------------------


@pytest.mark.parametrize("asked", [HALF, "from=2024-01-01&to=2024-03-31", f"{HALF}&district=Văn Quan"])
def test_readings_targets_and_clubs_are_those_of_the_report(village: House, reporter: Browser, asked: str) -> None:
    page, told = reporter.open(f"/province?{asked}"), report(village, asked)
    total = told["total"]

    readings = figures(page, "data-reading")
    for name in ("current", "in_period", "ever"):
        share = total[f"borrowing_{name}"]
        assert readings[name]["numerator"] == share["numerator"]
        assert readings[name]["denominator"] == share["denominator"]
        assert readings[name]["percent"] == tenths(share["percent"])
    shown = figures(page, "data-target")
    for target in told["targets"]:
        wanted = tenths(target["percent"]) if target["percent"] else target["value"]
        assert shown[target["id"]].get("percent", shown[target["id"]].get("value")) == wanted, target["id"]
    failed = {row["fund"]: sum(row["fund"] in each["failing"] for each in told["targets"]) for row in told["by_club"]}
    assert page.values("data-club") == sorted(failed, key=lambda fund: (-failed[fund], fund))
    assert {fund: its["failed"] for fund, its in figures(page, "data-club").items()} == failed
    assert page.values("data-report-code") == [told["report_code"]]
    assert str(told["position"]) in page.words


def test_each_failure_is_worded_and_the_club_leads_to_all_of_its_figures(village: House, reporter: Browser) -> None:
    told, page = report(village), reporter.open(f"/province?{HALF}&view=clubs")

    for fund in page.values("data-club"):
        failing = {target["id"] for target in told["targets"] if fund in target["failing"]}
        assert failing
        part = page.text.split(f'data-club="{fund}"')[1].split("</li>")[0]
        assert set(re.findall(r'data-target="(\w+)"', part)) == failing
        row = next(row for row in told["by_club"] if row["fund"] == fund)
        assert len(row["well_managed"]["failed"]) == part.rpartition("quản lý chưa đạt:")[2].count(",") + 1

        club = reporter.open(f"/province?{HALF}&club={fund}")
        assert club.values("data-test") == row["well_managed"]["failed"]
        shown = figures(club, "data-target")
        assert shown["women"]["percent"] == tenths(row["women"]["percent"])
        assert shown["members"]["value"] == row["members"]
        assert f"/clubs/{fund}" in [its.get("href") for its in club.of("a")]
    assert reporter.open(f"/province?{HALF}&club=LS-NO-SUCH").status == 404


def test_a_target_shows_each_club_with_what_it_means(village: House, reporter: Browser) -> None:
    told = report(village)
    for target in (each["id"] for each in told["targets"]):
        page = reporter.open(f"/province?{HALF}&target={target}")
        assert page.status == 200, target
    women = figures(reporter.open(f"/province?{HALF}&target=women"), "data-club")
    assert women == {row["fund"]: {"percent": tenths(row["women"]["percent"])} for row in told["by_club"]}
    assert reporter.open(f"/province?{HALF}&target=no-such").status == 404


def test_where_money_came_from_and_went_adds_up_with_the_report(village: House, reporter: Browser) -> None:
    page, told = reporter.open(f"/province?{HALF}&view=money"), report(village)

    rows = re.findall(r'data-pot="(\w+)" data-figure="closing" data-value="(-?\d+)"', page.text)
    last = {pot: int(amount) for pot, amount in rows[-2:]}
    assert last == {pot: told["total"]["pots"][pot]["closing"]["total"] for pot in last}
    sources = {
        of: {name: its[name] for name in ("cash", "in_kind")} for of, its in figures(page, "data-source").items()
    }
    assert sources == {
        row["source"]: {"cash": row["cash"], "in_kind": row["in_kind"]} for row in told["total"]["sources"]
    }
    purposes = {of: its for of, its in told["total"]["lending"]["by_purpose"].items() if its["disbursed"]}
    assert figures(page, "data-purpose") == purposes
    assert len(re.findall('role="img"', page.text)) == 1 + len(told["total"]["sources"]) + len(purposes)


def test_who_is_silent_is_named_with_the_last_day(village: House, reporter: Browser) -> None:
    asked = "from=2024-07-01&to=2024-10-31"
    told, page = report(village, asked), reporter.open(f"/province?{asked}")

    assert told["clubs"]["silent"]
    assert page.values("data-silent") == [each["fund"] for each in told["clubs"]["silent"]]


@pytest.mark.parametrize(
    ("asked", "code"),
    [("preset=half-1", "field-missing"), ("from=x&to=2024-01-01", "not-a-day"), ("plan=VN-NO-1", "plan-not-found")],
)
def test_a_question_that_cannot_be_asked_says_why_and_keeps_what_was_typed(
    reporter: Browser, asked: str, code: str
) -> None:
    page = reporter.open(f"/province?{asked}&commune=Mai Pha")

    assert page.status == 422
    assert code in page.values("data-error")
    assert "Mai Pha" in page.values("value")


def test_a_treasurer_sees_the_own_club_and_freezes_nothing(village: House) -> None:
    treasurer, member = (Browser(village, village.issue(role)) for role in ("treasurer", "member"))

    page = treasurer.open("/reports")
    assert (page.status, [its for its in page.of("button") if its.get("data-act") == "freeze"]) == (200, [])
    assert treasurer.send("/reports", ASKED).status == 403
    assert [member.open(address).status for address in ("/province", "/reports")] == [403, 403]


# --- reports ------------------------------------------------------------------------------------------------------


def test_a_form_freezes_once_whatever_is_sent_again(village: House, reporter: Browser) -> None:
    form = reporter.open("/reports").form
    first, again = (reporter.send("/reports", form | ASKED | {"note": "Gửi Sở"}) for _ in range(2))

    assert first.answer.headers["Location"] == again.answer.headers["Location"]
    page = reporter.follow(first)
    number = page.answer.request.url.path.rpartition("/")[2]
    told = village.get(f"/reports/{number}").json()
    assert page.values("data-report-code") == [told["report_code"]]
    assert "Gửi Sở" in page.words
    other = reporter.send("/reports", form | ASKED | {"year": "2023"})
    assert (other.status, other.values("data-error")) == (409, ["idempotency-key-reused"])


def test_what_is_wrong_with_a_report_to_freeze_is_said_and_what_was_typed_stays(reporter: Browser) -> None:
    typed = reporter.open("/reports").form | {
        "plan": PLAN,
        "preset": "",
        "from": "2024-03-01",
        "to": "2024-01-01",
        "note": "Giữ lại",
    }
    page = reporter.send("/reports", typed)

    assert page.status == 422
    assert "period-upside-down" in page.values("data-error")
    assert {"2024-03-01", "Giữ lại"} <= set(page.values("value"))
    missing = reporter.send("/reports", typed | {"from": "", "to": ""})
    assert (missing.status, missing.values("data-error")) == (422, ["invalid-fields", "field-missing", "field-missing"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_report_is_looked_at_under_a_policy_of_its_own(
    village: House, reporter: Browser, language: str
) -> None:
    number = village.recorded("/reports", {"plan": PLAN, "preset": "half-1", "year": 2024}, token=None)["report"]
    page = reporter.open(f"/reports/{number}/paper?lang={language}")

    assert (page.status, page.answer.headers["Content-Language"]) == (200, language)
    assert "frame-ancestors 'none'" in page.answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in next(str(its["content"]) for its in page.of("meta") if "http-equiv" in its)
    assert number in page.words
    reporter.open("/reports?lang=vi")


# --- the whole of it, in a browser --------------------------------------------------------------------------------


@pytest.fixture
def screen(playwright: Playwright, village: House) -> Iterator[Page]:
    """A browser of the province's, without scripts: nothing on these pages needs one."""
    browser = playwright.chromium.launch(
        executable_path=chromium(), args=[flag for flag in FLAGS if "headless" not in flag]
    )
    token = village.issue("reporter", "inspector")
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        java_script_enabled=False,
        locale="vi-VN",
        extra_http_headers={"Authorization": f"Bearer {token}"},
    )
    yield context.new_page()
    browser.close()


def test_a_province_finds_who_fails_what_freezes_the_half_year_and_sees_why_it_changed(
    screen: Page, village: House
) -> None:
    told = report(village)
    with served(village) as origin:
        screen.goto(f"{origin}/clubs")
        screen.click("a[href='/province']")
        screen.click("a[href$='view=choose']")
        screen.select_option("[name=preset]", "half-1")
        screen.fill("[name=year]", "2024")
        screen.click("[data-act=show] >> nth=0")
        worst = screen.get_attribute("[data-club] >> nth=0", "data-club")
        volunteers = next(each for each in told["targets"] if each["id"] == "volunteers")
        assert worst in volunteers["failing"]
        screen.click(f"[data-club='{worst}'] a")
        assert screen.get_attribute("[data-target=members] [data-figure=value]", "data-value") == "2"
        screen.click(f"a[href^='/clubs/{worst}/entries']")
        assert screen.locator(f"a[href='/clubs/{worst}/entries/13']").count() == 1

        screen.goto(f"{origin}/province?{HALF}")
        screen.click("a[href^='/reports']")
        assert screen.input_value("[name=year]") == "2024"
        screen.click("[data-act=freeze]")
        number = screen.get_attribute("[data-report]", "data-report") or ""
        assert screen.get_attribute("[data-figure=changes]", "data-value") == "0"
        link = screen.get_attribute("a[href$='format=json']", "href")
        taken = screen.context.request.get(f"{origin}{link}")
        frozen = village.get(f"/reports/{number}")
        assert taken.body() == frozen.content
        assert json.loads(frozen.content)["report_code"] == screen.get_attribute(
            "[data-report-code]", "data-report-code"
        )

        late = {"source": "business", "pot": "activity", "amount": 300_000, "on": "2024-06-01"}
        entry = village.recorded(f"/funds/{worst}/donations", late)["version"]
        screen.goto(f"{origin}/reports/{number}")
        changes = village.get(f"/reports/{number}/restatement").json()["changes"]
        assert screen.get_attribute("[data-figure=changes]", "data-value") == str(len(changes))
        assert len(changes) > 0
        first = screen.locator("[data-indicator] >> nth=0")
        assert first.get_attribute("data-path") == changes[0]["path"]
        for side in ("before", "after"):
            value = changes[0][side]
            value = value["numerator"] if isinstance(value, dict) else int(value)
            assert first.locator(f"[data-figure={side}]").get_attribute("data-value") == str(value)
        screen.click(f"a[href='/clubs/{worst}/entries/{entry}'] >> nth=0")
        assert "300.000" in screen.inner_text("main")
        screen.goto(f"{origin}/reports/{number}/paper")
        assert number in screen.inner_text("body")

"""Claims about every page of a club: its hooks, that nothing foreign gets in, that it is light, and how large and how
dark what it shows is."""

import gzip
import re
from collections.abc import Iterator

import pytest

from service.access.principals import Scope
from service.pages.forms import FORMS
from service.pages.layout import ASSETS
from tests.support.pages import Browser, Opened
from tests.support.people import calling
from tests.support.service import FUND, MEETING_VERSION, NEW_FUND, House, found_anew, house, settle_in

CLUB = f"/clubs/{FUND}"
DRAWN = "sample.seed=XSMB-48213&sample.vouchers=3&sample.loans=1&sample.known_version=20"
HALF = "preset=half-1&year=2024"
REPORT = "/reports/R-2024-0001"
PAGES = {
    "/clubs": "clubs",
    CLUB: "home",
    f"{CLUB}/members": "members",
    f"{CLUB}/members/1": "member",
    f"{CLUB}/loans": "loans",
    f"{CLUB}/loans/1": "loan",
    f"{CLUB}/loans/3": "loan",
    f"{CLUB}/entries": "entries",
    f"{CLUB}/entries/13": "entry",
    f"{CLUB}/entries/13?replayed=false": "entry",
    f"{CLUB}/entries/13/correction": "correction",
    f"/clubs/{NEW_FUND}/entries/{MEETING_VERSION}/correction": "correction",
    f"{CLUB}/entries/new": "chooser",
    **{f"{CLUB}/entries/new/{what}": "form" for what in FORMS},
    f"/clubs/{NEW_FUND}/entries/new": "chooser",
    f"/clubs/{NEW_FUND}/entries/new/opening_balances": "form",
    f"{CLUB}/approvals": "approvals",
    f"{CLUB}/cash-count": "cash-count",
    f"{CLUB}/papers": "papers",
    f"{CLUB}/bylaws": "bylaws",
    f"{CLUB}/time": "time",
    f"{CLUB}/time?as_of=2024-02-20&known_version=9": "time",
    f"{CLUB}/proof": "proof",
    f"{CLUB}/flags": "flags",
    f"{CLUB}/flags?rule=late-entries": "flags",
    f"{CLUB}/flags?rule=late-entries&finding=1": "flags",
    f"{CLUB}/inspection": "inspection",
    f"{CLUB}/inspection?{DRAWN}": "inspection",
    f"{CLUB}/inspection?sample.seed=x": "inspection",
    f"{CLUB}/inspection/finding?{DRAWN}": "inspection",
    f"{CLUB}/readers": "readers",
    "/flags": "flags",
    "/province": "province",
    f"/province?{HALF}": "province",
    f"/province?{HALF}&target=women": "province",
    f"/province?{HALF}&club={FUND}": "province",
    f"/province?{HALF}&view=clubs": "province",
    f"/province?{HALF}&view=money": "province",
    "/province?view=choose": "province",
    "/province?preset=half-1": "province",
    "/reports": "reports",
    REPORT: "report",
    "/check": "check-code",
    "/people": "people",
    "/practice": "practice",
    "/people/log": "people-log",
    "/pin": "pin",
    "/open": "open",
    f"{CLUB}/entries/999": "refused",
}
"""Each page with its `data-page`."""

ELSEWHERE = ("/meeting",)
"""Pages of other parts."""

HEAVIEST = 20 * 1024
MOST_SCRIPT = 16 * 1024


def report_on(house: House) -> None:
    """Two clubs of the plan, a report of theirs that is frozen, and what was entered later."""
    settle_in(house, plan="VN-LS-47-2022")
    found_anew(house)
    reporter = house.issue("reporter", scope=Scope(funds=(FUND, NEW_FUND)))
    asked = {"plan": "VN-LS-47-2022", "preset": "half-1", "year": 2024, "note": "Gửi Sở"}
    house.recorded("/reports", asked, token=reporter)
    late = {"source": "business", "pot": "activity", "amount": 300_000, "on": "2024-06-01"}
    house.recorded(f"/funds/{FUND}/donations", late)


@pytest.fixture(scope="module")
def chair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A chair who inspects as well, on a phone: whoever may see every page."""
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        report_on(running)
        everywhere = {"funds": [FUND, NEW_FUND]}
        yield Browser(running, phone=calling(running, "chair", "treasurer", "inspector", scope=everywhere).choose_pin())


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_bears_its_hooks_and_holds_nothing_foreign(chair: Browser, address: str, language: str) -> None:
    page = chair.open(f"{address}{'&' if '?' in address else '?'}lang={language}")

    assert page.values("data-page") == [PAGES[address]]
    assert [its["lang"] for its in page.of("html")] == [language]
    assert (len(page.of("h1")), len(page.of("main"))) == (1, 1)
    assert [name for _, its in page.found for name in its if name == "style" or name.startswith("on")] == []
    assert page.of("style", "iframe", "object") == []
    assert all(str(script.get("src", "")).startswith("/static/") for script in page.of("script"))
    assert "unsafe" not in page.answer.headers["Content-Security-Policy"]
    assert page.answer.headers["Cache-Control"] == "no-store"
    ids = page.values("id")
    assert len(ids) == len(set(ids)), "each id is there once"
    unlabelled = ("hidden", "radio", "checkbox")
    shown = [its for its in page.of("input", "select") if its.get("type") not in unlabelled]
    labelled = {label.get("for") for label in page.of("label")}
    assert {its.get("id") for its in shown} <= labelled
    for its in (its for _, its in page.found if "data-figure" in its):
        assert re.fullmatch(r"-?\d+", str(its["data-value"]))
    assert "None" not in page.words
    assert not re.search(r"\d đ(?!\w)", page.words), "an amount and its unit are never parted"


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_light(chair: Browser, address: str) -> None:
    page = chair.open(address)
    style = gzip.compress(ASSETS["pages.css"])
    scripts = [name for name in ASSETS if name.endswith(".js")]

    assert len(page.answer.content) + len(style) <= HEAVIEST
    assert len(b"".join(gzip.compress(ASSETS[name]) for name in scripts)) <= MOST_SCRIPT


def test_every_link_of_every_page_leads_somewhere(chair: Browser) -> None:
    """What other parts are to bring is left out."""
    found: dict[str, str] = {}
    for address in PAGES:
        links = {str(its.get("href", "")) for its in chair.open(address).of("a")}
        ours = (link for link in links if link.startswith("/") and not link.partition("?")[0].endswith(ELSEWHERE))
        found |= dict.fromkeys(ours, address)

    broken = {link: (found[link], status) for link in found if (status := chair.open(link).status) not in (200, 303)}

    assert {link: why for link, why in broken.items() if why[0] not in REFUSED} == {}


REFUSED = (f"{CLUB}/entries/999", f"{CLUB}/inspection?sample.seed=x", "/province?preset=half-1")
"""Pages that say no, and lead to themselves in the other language."""


# --- the style sheet ----------------------------------------------------------------------------------------------

STYLE = ASSETS["pages.css"].decode()


def variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("of", ["real", "practice"])
def test_text_and_borders_stand_out_from_what_is_behind_them(of: str) -> None:
    """WCAG 2.2: 7:1 for text (AAA), 3:1 for what has to be seen."""
    colours = variables(STYLE.partition(":root")[2].partition("}")[0])
    if of == "practice":
        colours |= variables(STYLE.partition(".practice {")[2].partition("}")[0])
    behind = [colours["paper"], colours["shade"], "#ffffff"]

    for text in ("ink", "hint", "green"):
        assert min(contrast(colours[text], ground) for ground in behind) >= 7, text
    assert contrast("#ffffff", colours["green"]) >= 7
    assert contrast(colours["red"], "#fdf1ee") >= 7
    assert min(contrast(colours["line"], ground) for ground in behind) >= 3


def test_nothing_is_smaller_than_a_finger_or_than_16_pixels() -> None:
    heights = [int(height) for height in re.findall(r"min-height: (\d+)px", STYLE)]
    assert min(heights) >= 48
    sizes = [float(size) for size in re.findall(r"font(?:-size)?:[^;}]*?([\d.]+)rem", STYLE)]
    assert min(sizes) * 20 >= 16
    assert "overflow-x: hidden" not in STYLE
    assert "text-transform" not in STYLE


def test_the_checks_would_find_a_fault() -> None:
    assert round(contrast("#000000", "#ffffff")) == 21
    assert contrast("#777777", "#ffffff") < 7

    class Answer:
        status_code, text = (
            200,
            '<form><input name="a" value="1"><input name="a" value="2"></form><p class="aloud">x</p>',
        )

    page = Opened(Answer())
    assert (page.form, page.aloud) == ({"a": ["1", "2"]}, ["x"])

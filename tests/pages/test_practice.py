"""Claims about practising: whoever records has a made-up club of their own, and all there is of it says what it is."""

import re
from collections.abc import Iterator
from datetime import date

import pytest

from ledger.events import EVENT_TYPES
from service.access.principals import Scope
from service.pages.receipt_texts import MARKED, PLAIN
from service.writes.practice import ROLL
from tests.support.pages import Browser, Opened
from tests.support.people import PIN, calling
from tests.support.service import FUND, House, house, settle_in

OWN = Scope(funds=(FUND,))


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        settle_in(running)
        yield running


def begin(browser: Browser) -> str:
    """The address of the practice club that somebody has made."""
    page = browser.open("/practice")
    return str(browser.send("/practice", page.form).answer.headers["Location"])


def code_of(address: str) -> str:
    return address.rpartition("/")[2]


@pytest.fixture(scope="module")
def treasurer(village: House) -> Browser:
    return Browser(village, village.issue("treasurer", scope=OWN))


@pytest.fixture(scope="module")
def club(treasurer: Browser) -> str:
    return begin(treasurer)


def test_a_press_of_the_button_makes_one_club_and_every_further_press_leads_there(village: House) -> None:
    browser = Browser(village, village.issue("treasurer", scope=OWN))
    page = browser.open("/practice")
    assert (page.values("data-page"), page.values("data-act")) == (["practice"], ["record"])
    before = village.entries()

    first = browser.send("/practice", page.form)

    made = village.entries()
    assert made > before
    again = [browser.send("/practice", page.form), browser.send("/practice", {"key": "another-key-1"})]
    assert {each.answer.headers["Location"] for each in again} == {first.answer.headers["Location"]}
    assert village.entries() == made
    has_one = browser.open("/practice")
    assert has_one.values("data-act") == []
    assert first.answer.headers["Location"] in has_one.values("href")
    assert browser.follow(first).values("data-page") == ["home"]
    wrong = browser.send("/practice", {"key": "no"})
    assert (wrong.status, wrong.values("data-error")) == (400, ["idempotency-key-invalid"])


def test_there_is_something_of_each_kind_to_do_today(village: House, treasurer: Browser, club: str) -> None:
    fund, today = f"/funds/{code_of(club)}", village.state.today()
    token = village.issue("inspector")
    told = village.get(fund, token).json()
    assert (told["practice"], told["members"], told["loans"]) == (True, len(ROLL), 2)
    assert told["bylaws"]["meeting_day"] == today.day
    sheet = village.get(f"{fund}/sheet?on={today}", token).json()
    assert len([loan for loan in sheet["loans"] if loan["due"]]) == 1
    assert any(each["dues_owed"] for each in sheet["roll"])
    loans = village.get(f"{fund}/loans", token).json()["items"]
    assert sorted(loan["status"] for loan in loans) == ["approved", "requested", "running", "running"]
    assert {name for name, _, _ in ROLL} == {
        member["name"] for member in village.get(f"{fund}/members", token).json()["items"]
    }
    recorded = {entry["type"] for entry in village.get(f"{fund}/entries?limit=500", token).json()["items"]}
    assert {"DonationReceived", "ContributionReceived", "LoanRepaid"} <= recorded <= EVENT_TYPES.keys()
    assert village.get(f"{fund}/verification", token).json()["valid"] is True
    receipt = treasurer.open(f"{club}/entries/20")
    assert len(receipt.aloud) == 1, "each entry is an act of its own"


@pytest.mark.parametrize("today", ["2024-02-29", "2024-03-31", "2024-12-31", "2025-01-01"])
def test_it_can_be_begun_on_any_day(village: House, today: str) -> None:
    days = (date.fromisoformat(today) - village.state.today()).days
    village.clock.pass_days(days)
    try:
        browser = Browser(village, village.issue("chair", scope=OWN))
        home = browser.open(begin(browser))
        assert home.status == 200
        assert "Hôm nay là ngày sinh hoạt." in home.words
    finally:
        village.clock.pass_days(-days)


def test_a_program_makes_it_by_the_same_rules(village: House) -> None:
    token = village.issue("treasurer", scope=OWN)
    before = village.entries()
    tried = village.post("/practice?dry_run=true", token=token)
    assert (tried.status_code, village.entries()) == (200, before)

    made = village.post("/practice", token=token, key="practise-once-1")

    assert made.json() == {"fund": tried.json()["fund"], "practice": True}
    assert made.status_code == 201
    entries = village.entries()
    for key in ("practise-once-1", "practise-once-2"):
        again = village.post("/practice", token=token, key=key)
        assert (again.status_code, again.json()) == (201, made.json())
        assert again.headers["Idempotency-Replayed"] == "true"
    assert village.entries() == entries
    assert begin_again(Browser(village, token)).endswith(made.json()["fund"])
    assert village.post("/practice", {"fund": "TAP-MINE"}, token=token).status_code == 422


def test_it_is_its_makers_alone(village: House, club: str) -> None:
    other = Browser(village, village.issue("treasurer", "inspector", scope=OWN))
    assert [other.open(address).status for address in (club, f"{club}/members")] == [404, 404]
    of_the_province = Browser(village, village.issue("inspector", scope=Scope(province="Lạng Sơn")))
    assert of_the_province.open(club).status == 404
    own = begin(other)
    assert own != club
    assert other.open(own).status == 200


def test_one_person_has_one_club_be_it_by_token_or_by_phone(village: House) -> None:
    token = Browser(village, village.issue("treasurer", scope=OWN, members={FUND: 2}))
    phone = Browser(village, phone=calling(village, "treasurer", members={FUND: 2}))

    own = begin(token)

    assert own in phone.open("/practice").values("href")
    assert phone.open(own).status == 200
    assert begin_again(phone) == own


def begin_again(browser: Browser) -> str:
    return str(browser.send("/practice", {"key": "begin-again-1"}).answer.headers["Location"])


def test_whoever_records_nothing_does_not_practise(village: House) -> None:
    for role in ("inspector", "reporter", "admin", "member"):
        browser = Browser(village, village.issue(role))
        assert (browser.open("/practice").status, browser.send("/practice", {}).status) == (403, 403)


def test_the_way_there_is_shown_to_whoever_records(village: House, treasurer: Browser, club: str) -> None:
    reporter = Browser(village, village.issue("reporter", scope=OWN))
    at_home = [browser.open(f"/clubs/{FUND}").values("href") for browser in (treasurer, reporter)]
    assert ["/practice" in links for links in at_home] == [True, False]
    listed = treasurer.open("/clubs")
    assert listed.values("data-club") == [FUND, code_of(club)]
    assert listed.words.count("TẬP") == 1
    searched = treasurer.send("/clubs", {"q": "tập"})
    assert searched.values("data-club") == []
    assert treasurer.open("/").answer.headers["Location"] == f"/clubs/{FUND}"


def bodies(page: Opened) -> list[str | None]:
    return [its.get("class") for its in page.of("body")]


PLACES: tuple[str, ...] = (
    "",
    "/members",
    "/members/3",
    "/loans",
    "/loans/1",
    "/entries",
    "/entries/20",
    "/entries/20/correction",
)
PLACES += ("/entries/new", "/entries/new/expense", "/cash-count", "/papers", "/bylaws", "/entries/999", "/approvals")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_it_says_that_it_is_practice(treasurer: Browser, club: str, place: str, language: str) -> None:
    page = treasurer.open(f"{club}{place}?lang={language}")

    assert bodies(page) == ["practice"]
    assert re.search(rf'<strong class="stamp">{"TẬP" if language == "vi" else "PRACTICE"}</strong>', page.text)
    real = treasurer.open(f"/clubs/{FUND}{place}?lang={language}")
    assert bodies(real) == [None]
    assert 'class="stamp"' not in real.text


PAPERS = (
    "vouchers/PT-2024-0001",
    "cash-book",
    "loan-book",
    "members/3",
    "loans/1/request",
    "loans/1/note",
    "meeting-sheet",
)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_paper_of_it_says_that_it_is_practice(village: House, club: str, paper: str) -> None:
    practice, real = (
        village.client.get(f"/v1/funds/{fund}/papers/{paper}", headers=village.headers()).text
        for fund in (code_of(club), FUND)
    )

    said = "TẬP · không phải giấy tờ thật"
    assert practice.count(said) == 2, "in its head, and above each page that is printed"
    assert f'@top-center {{ content: "{said}"' in practice
    assert "TẬP" not in real


@pytest.mark.parametrize(("language", "begins"), [("vi", ["TAP ", "TẬP "]), ("en", ["PRACTICE "])])
def test_every_receipt_of_it_says_that_it_is_practice_and_fits_a_message(
    treasurer: Browser, club: str, language: str, begins: list[str]
) -> None:
    for version in range(1, 60):
        page = treasurer.open(f"{club}/entries/{version}?lang={language}")
        texts = [text for _, text in re.findall(r'data-receipt="(\w+)">([^<]*)<', page.text)]
        assert [text.startswith(stamp) for text, stamp in zip(texts, begins, strict=True)] == [True] * len(begins)
        assert all(len(text) <= room for text, room in zip(texts, (PLAIN, MARKED), strict=False))


def test_a_chair_practises_to_approve_with_the_own_pin(village: House) -> None:
    phone = calling(village, "chair").choose_pin()
    chair = Browser(village, phone=phone)
    club = begin(chair)
    asked = chair.open(f"{club}/approvals")
    assert asked.values("data-verdict") == ["sound"]

    without = chair.send(f"{club}/approvals", asked.form | {"act": "approve"})
    assert (without.status, without.values("data-error")) == (403, ["pin-required"])
    done = chair.follow(chair.send(f"{club}/approvals", asked.form | {"act": "approve", "pin": PIN}))

    assert done.values("data-page") == ["entry"]
    assert chair.open(f"{club}/approvals").values("data-verdict") == []

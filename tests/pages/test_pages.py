"""Claims about the pages: what a browser is given, in which language, and that nothing else gets in or out."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from service.pages.layout import ASSETS, DIGEST, FOREVER
from tests.support.service import House, house

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
LIGHTEST_TYPE = 0.8
"""In rem, 16 px: nothing is smaller."""
HEAVIEST = 20 * 1024


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        yield running


@pytest.fixture
def visitor(club: House) -> Iterator[House]:
    """Somebody who comes for the first time."""
    club.client.cookies.clear()
    yield club
    club.client.cookies.clear()


def opened(club: House, address: str = "/", **headers: str) -> Any:
    return club.client.get(address, headers={"Accept": BROWSER, **headers})


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def test_a_browser_is_told_what_this_is_and_where_to_go(visitor: House) -> None:
    page = opened(visitor)

    elements = Elements(page.text)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert elements.of("html") == [{"lang": "vi"}]
    assert elements.of("main") == [{"data-page": "start"}]
    assert len(elements.of("h1")) == 1
    assert "Mở sổ" in page.text
    assert "/check" in page.text
    links = [str(link["href"]) for link in elements.of("a", "link")]
    assert "/docs" in links
    assert {opened(visitor, link).status_code for link in links} == {200}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", ""])
def test_a_program_is_told_the_addresses_it_can_go_on_from(visitor: House, accept: str) -> None:
    answer = opened(visitor, Accept=accept)

    doors = answer.json()
    assert doors.pop("service") == "microfund"
    assert {opened(visitor, door).status_code for door in doors.values()} == {200, 422}
    assert "Accept" in answer.headers["Vary"]


def test_a_page_is_vietnamese_unless_its_reader_asked_for_english_once(visitor: House) -> None:
    def language(address: str) -> str:
        page = opened(visitor, address, **{"Accept-Language": "en"})
        assert page.headers["Content-Language"] == Elements(page.text).of("html")[0]["lang"]
        return str(page.headers["Content-Language"])

    asked = ["/", "/?lang=fr", "/?lang=en", "/", "/?lang=%00", "/?lang=vi", "/"]

    assert [language(address) for address in asked] == ["vi", "vi", "en", "en", "en", "vi", "vi"]


def test_nothing_runs_in_a_page_and_nothing_is_loaded_from_elsewhere(visitor: House) -> None:
    page = opened(visitor, Host="elsewhere.example")

    elements = Elements(page.text)
    assert elements.of("script", "style", "iframe", "form") == []
    assert not any(name == "style" or name.startswith("on") for _, its in elements.found for name in its)
    addresses = [its[name] for _, its in elements.found for name in ("src", "href") if name in its]
    assert all(address and address.startswith("/") and not address.startswith("//") for address in addresses)
    assert "elsewhere" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"


def test_what_pages_are_dressed_in_is_kept_for_ever_under_an_address_that_changes_with_it(visitor: House) -> None:
    for name, content in ASSETS.items():
        kept, other = (visitor.client.get(f"/static/{digest}/{name}") for digest in (DIGEST, "0" * 16))

        assert kept.content == other.content == content
        assert (kept.headers["Cache-Control"], other.headers["Cache-Control"]) == (FOREVER, "no-store")
    for strange in ("no-such.css", "..%2Fstart.html", "%00", "start.html"):
        refused = visitor.client.get(f"/static/{DIGEST}/{strange}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")


def test_a_page_is_light_and_its_type_is_large(visitor: House) -> None:
    style = ASSETS["pages.css"].decode()
    sizes = [float(size) for size in re.findall(r"font(?:-size)?:[^;}]*?([\d.]+)rem", style)]

    assert len(opened(visitor).content) + len(style.encode()) <= HEAVIEST
    assert len(sizes) >= 4
    assert min(sizes) >= LIGHTEST_TYPE
    assert "font-size: 125%" in style


def test_a_home_screen_finds_a_name_a_start_and_icons_of_the_size_they_say(visitor: House) -> None:
    told = visitor.client.get("/manifest.webmanifest").json()
    pictures = {icon["sizes"]: visitor.client.get(icon["src"]) for icon in told["icons"]}
    widths = {f"{int.from_bytes(png.content[16:20])}x{int.from_bytes(png.content[20:24])}" for png in pictures.values()}
    (touched,) = (link for link in Elements(opened(visitor).text).of("link") if link["rel"] == "apple-touch-icon")

    assert (told["start_url"], told["display"], told["short_name"]) == ("/", "standalone", "Sổ quỹ")
    assert {"any"} | widths >= pictures.keys() > {"any"}
    assert {each.status_code for each in pictures.values()} == {200}
    assert touched["href"] in {icon["src"] for icon in told["icons"]}

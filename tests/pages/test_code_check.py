"""Claims about the page on which a code from the paper book is checked."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from service.access.principals import Scope
from service.inspection.check_codes import readings
from tests.support.pages import BROWSER, Browser, Opened
from tests.support.service import FUND, OTHER_FUND, House, house, settle_in


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}", checks_per_minute=40) as running:
        settle_in(running)
        yield running


def checked(club: House, code: str, fund: str = FUND) -> Opened:
    """What a stranger is told."""
    return Opened(club.client.get(f"/check?{urlencode({'club': fund, 'code': code})}", headers={"Accept": BROWSER}))


def code_of(club: House) -> str:
    return str(club.get(f"/funds/{FUND}").json()["check_code"])


def badly_written(code: str) -> str:
    """A code as somebody in a hurry copies it."""
    return code.lower().replace("-", " ").translate(str.maketrans("obil", "0811"))


def test_a_code_is_found_however_it_was_written(club: House) -> None:
    code = code_of(club)

    for written in (code, code.lower(), code.replace("-", ""), badly_written(code), f"  {code} "):
        page = checked(club, written, FUND.lower())
        assert (page.status, page.values("data-matches")) == (200, ["true"])
        assert "15/06/2024" in page.words
        assert "Sau đó" not in page.words
    for other in ("AAAA-AAAA-AAAA-AAAA", code[:-1] + ("A" if code[-1] != "A" else "B")):
        assert checked(club, other).values("data-matches") == ["false"]
    assert checked(club, code, OTHER_FUND).values("data-matches") == ["false"]
    assert checked(club, code, "NO-SUCH-CLUB").words == checked(club, code, OTHER_FUND).words.replace(
        OTHER_FUND, "NO-SUCH-CLUB"
    )


def test_every_digit_that_no_code_has_is_read_as_the_letter_it_was_written_for() -> None:
    assert readings("0881 AAAA AAAA AAAA") == ["OBBIAAAAAAAAAAAA", "OBBLAAAAAAAAAAAA"]
    assert readings("AAAA-AAAA-AAAA-AAA9") == []
    assert readings("AAAA") == []
    assert readings("1" * 16) == []
    assert len(readings("1" * 6 + "A" * 10)) == 64


def test_who_may_read_the_book_is_told_which_entry_it_is_and_what_came_after(club: House) -> None:
    code, version = code_of(club), club.get(f"/funds/{FUND}").json()["version"]
    club.recorded(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 10_000})
    address = f"/check?{urlencode({'club': FUND, 'code': code})}"

    told = Browser(club, club.issue("treasurer")).open(address)
    assert f"Mã này là của bút toán số {version}. Sau đó đã có thêm 1 bút toán." in told.words
    assert f"/clubs/{FUND}/entries/{version}" in [link.get("href") for link in told.of("a")]
    figures = Browser(club, club.issue("reporter")).open(address)
    assert "Sau đó đã có thêm 1 bút toán." in figures.words
    assert f"/clubs/{FUND}/entries/{version}" not in figures.text
    elsewhere = Browser(club, club.issue("treasurer", scope=Scope(funds=(OTHER_FUND,)))).open(address)
    assert (elsewhere.values("data-matches"), "Sau đó" in elsewhere.words) == (["true"], False)


def test_what_is_no_code_is_said_at_its_field_and_stays_there(club: House) -> None:
    page = checked(club, "K7QD-2MXA")
    assert (page.status, page.values("data-error"), page.form["code"]) == (422, ["not-well-formed"], "K7QD-2MXA")
    page = checked(club, code_of(club), "câu lạc bộ")
    assert (page.status, page.form["club"]) == (422, "CÂU LẠC BỘ")
    assert checked(club, "<script>alert(1)</script>").text.count("<script") == 0


def test_guesses_are_counted_together_with_those_at_the_api(club: House) -> None:
    statuses = [checked(club, "AAAA-AAAA-AAAA-AAAA").status for _ in range(45)]

    assert statuses[-1] == 429
    refused = checked(club, "AAAA-AAAA-AAAA-AAAA")
    assert int(refused.answer.headers["Retry-After"]) > 0
    assert refused.values("data-error") == ["too-many-requests"]
    assert club.client.get(f"/v1/check?fund={FUND}&code={code_of(club)}").status_code == 429

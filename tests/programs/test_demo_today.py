"""Claims about the day on which the demo is made: the club whose people are let in meets, and has something to do."""

from collections.abc import Iterator
from datetime import date

import pytest

from ledger.days import add_months
from ledger.projections.dues import meeting_in
from service.access.principals import Role, Scope
from service.demo.diary import instant
from service.demo.places import CLUBS
from tests.support.demo import filled
from tests.support.pages import Browser, Opened
from tests.support.service import House, house

FUND = CLUBS[0].code


@pytest.fixture(scope="module", params=[date(2024, 3, 1), date(2024, 6, 15), date(2024, 8, 31)], ids=str)
def today(request: pytest.FixtureRequest) -> date:
    """The first day of a month, one within, and one that most months do not have."""
    day: date = request.param
    return day


@pytest.fixture(scope="module")
def made_today(today: date, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The first club's books of the ten months until yesterday, served this morning."""
    url = f"sqlite:///{tmp_path_factory.mktemp('today') / 'fund.db'}"
    made = filled(url, today, clubs=1, since=add_months(today.replace(day=1), -10))
    assert (made.summary.clubs, made.summary.refusals) == (1, {})
    made.ledger.close()
    with house(url) as running:
        running.clock.now = instant(today, 9)
        assert running.get(f"/funds/{FUND}/balances?min_position={running.entries()}").status_code == 200
        yield running


def opened(club: House, role: Role, address: str = "") -> Opened:
    token = club.issue(role, scope=Scope(funds=(FUND,)))
    return Browser(club, token).open(f"/clubs/{FUND}{address}")


def test_the_treasurers_home_says_that_the_meeting_is_today_and_leads_to_its_sheet(made_today: House) -> None:
    home = opened(made_today, "treasurer")

    assert home.status == 200
    assert "Hôm nay là ngày sinh hoạt." in home.words
    assert f"/clubs/{FUND}/meeting" in home.values("href")


def test_the_chair_is_told_so_too_and_has_a_request_to_decide_upon(made_today: House) -> None:
    home = opened(made_today, "chair")
    assert "Hôm nay là ngày sinh hoạt." in home.words
    assert "đơn vay chờ duyệt" in home.words

    assert len([number for number in opened(made_today, "chair", "/approvals").values("data-loan") if number]) >= 1


def test_dues_and_instalments_are_due_today_and_the_last_meeting_is_in_the_book(made_today: House, today: date) -> None:
    sheet = made_today.get(f"/funds/{FUND}/sheet?on={today}").json()

    assert len(sheet["roll"]) >= 50
    assert all(f"{today:%Y-%m}" in [owed["month"] for owed in member["dues_owed"]] for member in sheet["roll"])
    assert [loan for loan in sheet["loans"] if loan["due"]]
    held = [meeting.on for meeting in made_today.state.ledger.replayed(FUND).meetings.values()]
    assert max(held) == meeting_in(add_months(today.replace(day=1), -1), today.day)

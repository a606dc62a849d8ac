"""Places: who sees the funds of which, and what a club's move to another commune changes."""

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import msgspec
import pytest

from ledger.application import SELECT_PLACE_CHANGES
from service.access.places import Places
from service.access.principals import Place, Principal, Scope
from service.access.remembering import REMEMBERED_SECONDS
from service.words.places import place
from tests.support.service import FUND, OTHER_FUND, House, house, opening, settle_in


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('places') / 'fund.db'}") as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district="Văn Quan")
        yield running


def test_a_place_asked_for_outside_the_scope_is_empty(villages: House) -> None:
    token = villages.issue("reporter", scope=Scope(province="Lạng Sơn", district="Văn Quan"))

    places: dict[str, tuple[dict[str, str], int]] = {
        "the own district": ({"district": "Văn Quan"}, 1),
        "another district": ({"district": "Lạng Sơn"}, 0),
        "another province": ({"province": "Cao Bằng"}, 0),
        "a commune in it": ({"commune": "Mai Pha"}, 1),
        "another commune": ({"commune": "Vân Nham"}, 0),
    }

    for query, count in places.values():
        asked_for = urlencode(query)
        assert villages.get(f"/borrowing?{asked_for}", token).json()["funds"] == count
        assert len(villages.get(f"/funds?{asked_for}", token).json()["items"]) == count


def test_who_is_let_into_one_commune_sees_no_place_around_it(villages: House) -> None:
    token = villages.issue("inspector", scope=Scope(province="Lạng Sơn", district="Văn Quan", commune="Mai Pha"))
    elsewhere = villages.issue("inspector", scope=Scope(province="Lạng Sơn", commune="Vân Nham"))

    assert villages.get(f"/funds/{OTHER_FUND}", token).status_code == 200
    assert villages.get(f"/funds/{FUND}", token).status_code == 404
    assert villages.get(f"/funds/{OTHER_FUND}", elsewhere).status_code == 404
    assert [item["fund"] for item in villages.get("/flags", token).json()["items"]] == [OTHER_FUND]
    assert villages.get("/flags?commune=V%C3%A2n+Nham", token).json()["items"] == []


def test_a_principal_stored_before_communes_holds_what_they_held() -> None:
    stored = b'{"id":"p1","name":"N","roles":["chair"],"scope":{"province":"P","district":"D"}}'

    principal = msgspec.json.decode(stored, type=Principal)

    assert principal.scope == Scope(province="P", district="D")
    assert msgspec.json.encode(principal) == stored


@pytest.mark.parametrize(
    ("scope", "well_formed"),
    [
        (Scope(everything=True), True),
        (Scope(province="P"), True),
        (Scope(province="P", district="D"), True),
        (Scope(province="P", commune="C"), True),
        (Scope(province="P", district="D", commune="C"), True),
        (Scope(funds=(FUND,)), True),
        (Scope(), False),
        (Scope(district="D"), False),
        (Scope(commune="C"), False),
        (Scope(everything=True, province="P"), False),
        (Scope(everything=True, commune="C"), False),
        (Scope(funds=(FUND,), province="P"), False),
        (Scope(funds=(FUND,), commune="C"), False),
    ],
    ids=str,
)
def test_a_scope_says_one_thing(scope: Scope, well_formed: bool) -> None:
    assert scope.is_well_formed is well_formed


# --- a club that moves ------------------------------------------------------------------------------------------------

BEFORE = {"commune": "Mai Pha", "district": "Lạng Sơn", "province": "Lạng Sơn"}
AFTER = {"commune": "phường Đông Kinh", "province": "Lạng Sơn"}
MOVED_ON = "2024-05-01"
MOVED = AFTER | {"document": "1672/NQ-UBTVQH15", "on": MOVED_ON}
DUES = "vouchers/PT-2024-0003"
"""The receipt of 15/03/2024."""


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    with house(database_url) as running:
        settle_in(running)
        yield running


def lies_in(village: House, **asked: str) -> dict[str, str | None]:
    found = village.get(f"/funds/{FUND}?{urlencode(asked)}").json()
    return {name: found[name] for name in BEFORE}


def funds_in(village: House, token: str | None = None, **asked: str) -> tuple[list[str], int]:
    """The funds of a place by the list, and how many of them are counted for the borrowing rate."""
    query = urlencode(asked)
    listed = village.get(f"/funds?{query}", token).json()["items"]
    return [item["fund"] for item in listed], village.get(f"/borrowing?{query}", token).json()["funds"]


def head_of_paper(village: House, paper: str, **asked: str) -> str:
    text = village.get(f"/funds/{FUND}/papers/{paper}?{urlencode(asked)}").text
    found = re.search(r'<p class="club">.*</p>\n<p>(.*)</p>', text)
    assert found
    return found[1]


def test_since_there_are_no_districts_a_fund_is_opened_without_one(village: House) -> None:
    body = {name: value for name, value in opening("LS-DONG-KINH", **AFTER).items() if name != "district"}

    answer = village.recorded("/funds", body)

    assert answer["sentence"].startswith(
        "Ngày 10/01/2024, mở sổ quỹ của Câu lạc bộ Mai Pha, phường Đông Kinh, tỉnh Lạng Sơn, mã quỹ LS-DONG-KINH."
    )
    assert village.get("/funds/LS-DONG-KINH").json()["district"] is None
    assert b"district" not in village.get("/funds/LS-DONG-KINH/history").content
    assert "Phường Đông Kinh, tỉnh Lạng Sơn" in village.get("/funds/LS-DONG-KINH/papers/loan-book").text


def test_a_move_is_read_aloud_and_stands_in_the_journal(village: House) -> None:
    path = f"/funds/{FUND}/place"
    vietnamese = village.post(f"{path}?dry_run=true", MOVED).json()["sentence"]
    english = village.post(f"{path}?dry_run=true", MOVED, accept_language="en").json()["sentence"]
    undocumented = village.recorded(path, AFTER | {"on": MOVED_ON})

    assert vietnamese == (
        "Từ ngày 01/05/2024, câu lạc bộ thuộc phường Đông Kinh, tỉnh Lạng Sơn, theo văn bản số 1672/NQ-UBTVQH15."
    )
    assert english == (
        "From 01/05/2024 the club lies in Đông Kinh ward, Lạng Sơn province, by document no. 1672/NQ-UBTVQH15."
    )
    assert undocumented["sentence"] == "Từ ngày 01/05/2024, câu lạc bộ thuộc phường Đông Kinh, tỉnh Lạng Sơn."
    (entry,) = village.get(f"/funds/{FUND}/entries?type=PlaceChanged").json()["items"]
    assert (entry["version"], entry["on"]) == (undocumented["version"], MOVED_ON)
    assert village.get(f"/funds/{FUND}/verification").json()["valid"]


def test_figures_of_a_place_are_those_of_the_clubs_that_lay_there_then(village: House) -> None:
    told = village.recorded(f"/funds/{FUND}/place", MOVED)
    moved = AFTER | {"district": None}

    assert [lies_in(village, as_of=day) for day in ("2024-04-30", MOVED_ON)] == [BEFORE, moved]
    assert lies_in(village, as_of="2023-01-01") == BEFORE
    assert [lies_in(village, known_version=str(told["version"] - n)) for n in (1, 0)] == [BEFORE, moved]
    assert funds_in(village, commune="Mai Pha") == ([], 0)
    assert funds_in(village, commune="phường Đông Kinh") == ([FUND], 1)
    assert funds_in(village, commune="Mai Pha", as_of="2024-04-30") == ([FUND], 1)
    assert funds_in(village, district="Lạng Sơn", as_of="2024-04-30") == ([FUND], 1)
    assert funds_in(village, commune="phường Đông Kinh", as_of="2024-04-30") == ([], 0)
    assert funds_in(village, province="Lạng Sơn") == ([FUND], 1)


def test_old_papers_keep_the_old_name(village: House) -> None:
    before = "Mai Pha, Lạng Sơn, tỉnh Lạng Sơn"
    books = ("loan-book", "members/1", "cash-book")
    assert {head_of_paper(village, paper) for paper in (DUES, *books)} == {before}

    village.recorded(f"/funds/{FUND}/place", MOVED)

    assert head_of_paper(village, DUES) == before
    assert head_of_paper(village, "meeting-sheet", on="2024-04-15") == before
    assert head_of_paper(village, "cash-book", to="2024-03-31") == before
    assert {head_of_paper(village, paper, as_of="2024-04-30") for paper in books} == {before}
    assert {head_of_paper(village, paper) for paper in books} == {"Phường Đông Kinh, tỉnh Lạng Sơn"}


def test_who_may_see_a_club_goes_by_where_it_lies_now_whatever_the_day_asked_about(village: House) -> None:
    old = village.issue("inspector", scope=Scope(province="Lạng Sơn", district="Lạng Sơn"))
    new = village.issue("inspector", scope=Scope(province="Lạng Sơn", commune="phường Đông Kinh"))
    whole = village.issue("inspector", scope=Scope(province="Lạng Sơn"))
    seen = lambda token: village.get(f"/funds/{FUND}", token).status_code  # noqa: E731
    assert [seen(token) for token in (old, new, whole)] == [200, 404, 200]

    village.recorded(f"/funds/{FUND}/place", MOVED)

    assert [seen(token) for token in (old, new, whole)] == [404, 200, 200]
    then = {"as_of": "2024-04-30"}
    assert [funds_in(village, token, **then) for token in (old, new, whole)] == [([], 0), ([FUND], 1), ([FUND], 1)]
    assert funds_in(village, new, **then, commune="Mai Pha") == ([FUND], 1)
    assert [len(village.get("/feed?limit=500", token).json()["items"]) for token in (old, new)] == [
        0,
        village.entries(),
    ]


@pytest.mark.parametrize("dry_run", ["", "?dry_run=true"])
def test_only_an_admin_of_the_old_and_the_new_place_moves_a_club(village: House, dry_run: str) -> None:
    asked = f"/funds/{FUND}/place{dry_run}"
    of_old = village.issue("admin", scope=Scope(province="Lạng Sơn", district="Lạng Sơn"))
    of_new = village.issue("admin", scope=Scope(province="Lạng Sơn", commune="phường Đông Kinh"))
    before = village.entries()

    assert village.post(asked, MOVED, of_old).json()["code"] == "forbidden"
    assert village.post(asked, MOVED, of_new).json()["code"] == "fund-not-found"
    assert village.entries() == before
    assert village.post(asked, MOVED, village.issue("admin", scope=Scope(province="Lạng Sơn"))).is_success
    again = AFTER | {"commune": "phường Tam Thanh", "on": "2024-05-02"}
    assert village.post(asked, again, village.issue("admin", scope=Scope(funds=(FUND,)))).is_success


def test_a_wrong_place_is_put_right_by_another_of_the_same_day_and_never_reversed(village: House) -> None:
    path = f"/funds/{FUND}/place"
    wrong = village.recorded(path, AFTER | {"commune": "phường Tam Thanh", "on": MOVED_ON})
    reversal = village.post(f"/funds/{FUND}/entries/{wrong['version']}/reversal", {"reason": "other"})
    right = village.recorded(path, MOVED)
    again = village.post(path, MOVED)

    assert reversal.json()["code"] == "not-reversible"
    assert lies_in(village, as_of=MOVED_ON)["commune"] == "phường Đông Kinh"
    assert lies_in(village, known_version=str(wrong["version"]))["commune"] == "phường Tam Thanh"
    assert again.json()["code"] == "nothing-changed"
    assert village.get(f"/funds/{FUND}").json()["version"] == right["version"]


def test_a_move_told_late_is_not_undone_by_one_that_was_told_before_it(village: House) -> None:
    path = f"/funds/{FUND}/place"
    village.recorded(path, MOVED)
    village.recorded(path, BEFORE | {"commune": "Hoàng Đồng", "on": "2024-04-01"})

    days = ("2024-03-31", "2024-04-01", "2024-04-30", MOVED_ON)
    assert [lies_in(village, as_of=day)["commune"] for day in days] == [
        "Mai Pha",
        "Hoàng Đồng",
        "Hoàng Đồng",
        "phường Đông Kinh",
    ]
    assert lies_in(village)["commune"] == "phường Đông Kinh"


def test_another_copy_of_the_service_hears_of_a_move_within_seconds(village: House) -> None:
    now = 0.0
    elsewhere = Places(village.state.ledger, seconds=lambda: now)
    asked = lambda: asyncio.run(elsewhere.place_of(FUND))  # noqa: E731
    before, after = Place("Lạng Sơn", "Lạng Sơn", "Mai Pha"), Place("Lạng Sơn", None, "phường Đông Kinh")
    assert asked() == before

    village.recorded(f"/funds/{FUND}/place", MOVED)

    assert asked() == before
    now = REMEMBERED_SECONDS
    assert asked() == after
    assert asyncio.run(elsewhere.place_of("LS-NO-SUCH")) is None


def test_what_was_looked_up_before_a_move_is_not_remembered_after_it(village: House) -> None:
    ledger = village.state.ledger

    class Slow:
        """A ledger that is told of a move between looking a place up and answering."""

        def place_of(self, fund: str) -> object:
            found = ledger.place_of(fund)
            if ledger.place_of(fund) is not None and lies_in(village)["commune"] == "Mai Pha":
                village.recorded(f"/funds/{FUND}/place", MOVED)
                places.forget(fund)
            return found

    places = Places(Slow())  # type: ignore[arg-type]
    asyncio.run(places.place_of(FUND))

    assert asyncio.run(places.place_of(FUND)) == Place("Lạng Sơn", None, "phường Đông Kinh")


def test_where_a_club_has_moved_to_is_found_by_an_index(village: House) -> None:
    database = village.state.ledger.database
    with database.transaction() as transaction:
        if database.is_postgres:
            transaction.execute("SET LOCAL enable_seqscan = off")
            transaction.execute("SET LOCAL enable_indexscan = on")
        explain = "EXPLAIN " if database.is_postgres else "EXPLAIN QUERY PLAN "
        plan = str(transaction.query(explain + SELECT_PLACE_CHANGES, fund=FUND))

    assert "place_changes" in plan


@pytest.mark.parametrize(
    ("told", "vietnamese", "english"),
    [
        (
            ("xã Vân Nham", "huyện Hữu Lũng", "tỉnh Lạng Sơn"),
            "xã Vân Nham, huyện Hữu Lũng, tỉnh Lạng Sơn",
            "Vân Nham commune, Hữu Lũng district, Lạng Sơn province",
        ),
        (
            ("Phường Đông Kinh", None, "Lạng Sơn"),
            "phường Đông Kinh, tỉnh Lạng Sơn",
            "Đông Kinh ward, Lạng Sơn province",
        ),
        (
            ("Mai Pha", "Lạng Sơn", "Lạng Sơn"),
            "Mai Pha, Lạng Sơn, tỉnh Lạng Sơn",
            "Mai Pha, Lạng Sơn, Lạng Sơn province",
        ),
        (
            ("thị trấn Thất Khê", None, "Lạng Sơn"),
            "thị trấn Thất Khê, tỉnh Lạng Sơn",
            "Thất Khê township, Lạng Sơn province",
        ),
        (("phường Ba Đình", None, "Hà Nội"), "phường Ba Đình, thành phố Hà Nội", "Ba Đình ward, Hà Nội city"),
        (("xã Cần Giờ", None, "TP. Hồ Chí Minh"), "xã Cần Giờ, TP. Hồ Chí Minh", "Cần Giờ commune, TP. Hồ Chí Minh"),
    ],
    ids=str,
)
def test_a_place_is_said_with_the_kinds_it_was_told_with(
    told: tuple[str, str | None, str], vietnamese: str, english: str
) -> None:
    assert (place(*told, "vi"), place(*told, "en")) == (vietnamese, english)

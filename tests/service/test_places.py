"""Places: who sees the funds of which, and what a club's move to another commune changes."""

from collections.abc import Iterator
from urllib.parse import urlencode

import msgspec
import pytest

from service.access.principals import Principal, Scope
from tests.support.service import FUND, OTHER_FUND, House, house, settle_in


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

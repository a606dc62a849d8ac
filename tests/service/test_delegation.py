"""Claims about who gives access to whom: nobody gets what the one who lets them in does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.access.principals import ROLES, Role, Scope
from tests.support.people import admitted, calling
from tests.support.service import FUND, NEW_FUND, NO_SUCH, OTHER_FUND, House, house, opening, settle_in

PROVINCE, DISTRICT = "Lạng Sơn", "Văn Quan"
FAR = "CB-CL-XA"

EVERYTHING = {"everything": True}
IN_PROVINCE = {"province": PROVINCE}
IN_DISTRICT = {"province": PROVINCE, "district": DISTRICT}
IN_COMMUNE = {"province": PROVINCE, "commune": "Mai Pha"}
OWN, OTHER, BOTH = {"funds": [FUND]}, {"funds": [OTHER_FUND]}, {"funds": [FUND, OTHER_FUND]}
SCOPES: dict[str, dict[str, Any]] = {
    "everything": EVERYTHING,
    "province": IN_PROVINCE,
    "other province": {"province": "Cao Bằng"},
    "district": IN_DISTRICT,
    "other district": {"province": PROVINCE, "district": "Bắc Sơn"},
    "commune": IN_COMMUNE,
    "own": OWN,
    "other": OTHER,
    "both": BOTH,
    "far": {"funds": [FAR]},
    "none": {"funds": [NO_SUCH]},
    "own and none": {"funds": [FUND, NO_SUCH]},
}
WITHIN = {
    "everything": set(SCOPES) - {"none", "own and none"},
    "province": {"province", "district", "other district", "commune", "own", "other", "both"},
    "district": {"district", "other"},
    "commune": {"commune", "own", "other", "both"},
    "own": {"own"},
    "both": {"own", "other", "both"},
}
"""Of an admin's scope, those that lie in it. Both clubs are in the province and the commune, one in the district."""


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('villages') / 'fund.db'}") as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district=DISTRICT)
        running.recorded("/funds", opening(FAR, province="Cao Bằng", commune="Thục Phán"))
        yield running


def token(house: House, *roles: Role, scope: dict[str, Any], **more: Any) -> str:
    return house.issue(*roles, scope=Scope(**{**scope, "funds": tuple(scope.get("funds", ()))}), **more)


def giving(house: House, giver: str, roles: list[str], scope: dict[str, Any], **more: Any) -> Any:
    return house.post("/people", {"name": "Vi Thị Lan", "roles": roles, "scope": scope, **more}, giver)


@pytest.mark.parametrize("held", WITHIN)
def test_an_admin_gives_any_role_within_the_own_scope_and_none_beyond(villages: House, held: str) -> None:
    admin = token(villages, "admin", scope=SCOPES[held])

    given = {name for name, scope in SCOPES.items() if giving(villages, admin, ["inspector"], scope).status_code == 201}

    assert given == WITHIN[held]
    for role in ROLES:
        assert giving(villages, admin, [role], SCOPES[min(WITHIN[held])]).status_code == 201


@pytest.mark.parametrize("role", ROLES)
def test_a_chair_gives_the_own_club_its_treasurer_its_deputy_and_members(villages: House, role: Role) -> None:
    chair = token(villages, "chair", scope=OWN)

    given = {name for name, scope in SCOPES.items() if giving(villages, chair, [role], scope).status_code == 201}

    assert given == ({"own"} if role in ("treasurer", "chair", "member") else set())
    assert giving(villages, chair, [role, "treasurer", "reporter"], OWN).status_code in (403, 422)


@pytest.mark.parametrize("role", ["treasurer", "inspector", "reporter", "member"])
def test_others_give_nothing(villages: House, role: Role) -> None:
    giver = token(villages, role, scope=EVERYTHING)
    assert giving(villages, giver, ["member"], OWN).json()["code"] == "forbidden"


def test_a_club_that_is_not_the_givers_is_answered_like_none(villages: House) -> None:
    for giver in (token(villages, "chair", scope=OWN), token(villages, "admin", scope=OWN)):
        answers = [giving(villages, giver, ["treasurer"], {"funds": [fund]}) for fund in (OTHER_FUND, NO_SUCH)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"everything": False},
        {"everything": True, "province": PROVINCE},
        {"district": DISTRICT},
        {"commune": "Mai Pha"},
        {"district": DISTRICT, "funds": [FUND]},
        {"province": PROVINCE, "funds": [FUND]},
        {"funds": []},
        {"funds": [FUND.lower()]},
        {"village": "x"},
    ],
    ids=str,
)
def test_a_scope_says_one_thing(villages: House, scope: dict[str, Any]) -> None:
    answer = giving(villages, villages.token, ["inspector"], scope)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/scope")


@pytest.mark.parametrize("roles", [[], ["owner"], ["chair", "chair"], "chair", None], ids=str)
def test_roles_are_those_there_are(villages: House, roles: Any) -> None:
    assert giving(villages, villages.token, roles, OWN).status_code == 422


def test_a_member_who_is_named_is_on_the_roll_of_a_club_in_scope(villages: House) -> None:
    chair = token(villages, "chair", scope=OWN)

    assert giving(villages, chair, ["member"], OWN, members={FUND: 2}).status_code == 201
    assert giving(villages, chair, ["member"], OWN, members={FUND: 99}).json()["code"] == "member-not-found"
    assert giving(villages, chair, ["member"], OWN, members={OTHER_FUND: 1}).json()["code"] == "fund-not-found"


# --- what somebody has, and what they are to have -----------------------------------------------------------------

ACTS: dict[str, Any] = {
    "changes": {"name": "Vi Thị Lan"},
    "revocation": {},
    "invitations": {},
    "pin-reset": {},
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("roles", "scope"),
    [(["treasurer"], BOTH), (["treasurer", "reporter"], OWN), (["inspector"], OWN)],
    ids=str,
)
def test_what_a_person_has_already_must_be_the_givers_to_give(
    villages: House, act: str, roles: list[str], scope: dict[str, Any]
) -> None:
    chair, person = token(villages, "chair", scope=OWN), admitted(villages, *roles, scope=scope)

    answer = villages.post(f"/people/{person}/{act}?dry_run=true", ACTS[act], chair)

    assert (answer.status_code, answer.json()["code"]) in ((403, "forbidden"), (404, "fund-not-found"))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("roles", "scope"), [(["inspector"], IN_PROVINCE), (["admin"], EVERYTHING)], ids=str)
def test_whoever_is_beyond_the_givers_scope_is_not_there(
    villages: House, act: str, roles: list[str], scope: dict[str, Any]
) -> None:
    admin, person = token(villages, "admin", scope=OWN), admitted(villages, *roles, scope=scope)

    answers = [villages.post(f"/people/{each}/{act}", ACTS[act], admin) for each in (person, "p000000000000")]

    assert [answer.json()["code"] for answer in answers] == ["person-not-found"] * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"roles": ["treasurer", "inspector"]}, "forbidden"),
        ({"roles": ["admin"]}, "forbidden"),
        ({"scope": BOTH}, "fund-not-found"),
        ({"scope": EVERYTHING}, "forbidden"),
        ({"scope": IN_COMMUNE}, "forbidden"),
        ({"members": {OTHER_FUND: 1}}, "fund-not-found"),
    ],
    ids=str,
)
def test_what_a_person_is_to_have_must_be_the_givers_to_give(
    villages: House, change: dict[str, Any], code: str
) -> None:
    chair, person = token(villages, "chair", scope=OWN), admitted(villages, "treasurer")
    assert villages.post(f"/people/{person}/changes", change, chair).json()["code"] == code


@pytest.mark.parametrize("roles", [("chair",), ("admin",), ("admin", "chair")], ids=str)
def test_nobody_changes_their_own_roles_scope_or_members(villages: House, roles: tuple[str, ...]) -> None:
    phone = calling(villages, *roles).choose_pin()
    at = f"/people/{phone.person}"

    for change in (
        {"roles": ["treasurer"]},
        {"scope": OWN},
        {"members": {FUND: 1}},
        {"name": "Tên khác", "members": {}},
    ):
        answer = phone.post(f"{at}/changes", change, pin="285714")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    for act in ("revocation", "pin-reset"):
        assert phone.post(f"{at}/{act}", pin="285714").json()["code"] == "forbidden"
    assert phone.post(f"{at}/changes", {"name": "Tên khác"}, pin="285714").status_code == 201


def test_whoever_is_the_same_member_is_the_same_person(villages: House) -> None:
    """By another token, or as another person of the directory: one's own roles are nobody's to change."""
    person = admitted(villages, "chair", members={FUND: 1})
    phone = calling(villages, "chair", members={FUND: 1}).choose_pin()
    by_token = token(villages, "chair", scope=OWN, members={FUND: 1})
    unrelated = token(villages, "chair", scope=OWN, members={FUND: 2})
    change = {"roles": ["treasurer"]}

    assert phone.post(f"/people/{person}/changes", change, pin="285714").json()["code"] == "forbidden"
    assert villages.post(f"/people/{person}/changes", change, by_token).json()["code"] == "forbidden"
    assert villages.post(f"/people/{person}/changes", change, unrelated).status_code == 201


def test_a_loan_approved_by_phone_is_not_disbursed_by_the_same_member_by_token(villages: House) -> None:
    at = f"/funds/{NEW_FUND}"
    bylaws = opening()["bylaws"] | {"two_person_approval": True}
    villages.recorded("/funds", opening(NEW_FUND, bylaws=bylaws))
    member = {"sex": "female", "birth_year": 1955, "poverty": "none", "on": "2024-01-10"}
    for _ in range(3):
        villages.recorded(f"{at}/members", member)
    villages.recorded(f"{at}/donations", {"source": "business", "pot": "revolving", "amount": 9_000_000})
    villages.recorded(f"{at}/loans", {"member": 3, "principal": 1_000_000, "term_months": 6, "purpose": "crops"})
    phone = calling(villages, "chair", scope={"funds": [NEW_FUND]}, members={NEW_FUND: 1}).choose_pin()
    same = token(villages, "chair", scope={"funds": [NEW_FUND]}, members={NEW_FUND: 1})
    other = token(villages, "treasurer", scope={"funds": [NEW_FUND]}, members={NEW_FUND: 2})

    assert phone.post(f"{at}/loans/1/approval", pin="285714").status_code == 201
    assert villages.post(f"{at}/loans/1/disbursement", {}, same).json()["code"] == "same-person-approved"
    assert villages.post(f"{at}/loans/1/disbursement", {}, other).status_code == 201


@pytest.mark.parametrize(
    ("resetter", "roles", "may"),
    [
        ("chair", ["treasurer"], True),
        ("chair", ["chair"], False),
        ("chair", ["chair", "treasurer"], False),
        ("admin", ["chair"], True),
        ("admin", ["chair", "treasurer"], True),
        ("admin", ["treasurer"], False),
        ("admin", ["inspector"], True),
    ],
    ids=str,
)
def test_a_chair_resets_a_treasurers_pin_and_an_admin_a_chairs(
    villages: House, resetter: Role, roles: list[str], may: bool
) -> None:
    person = admitted(villages, *roles)
    answer = villages.post(f"/people/{person}/pin-reset", {}, token(villages, resetter, scope=OWN))
    assert answer.status_code == (201 if may else 403)


# --- who reads the directory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "scope", "sees"),
    [
        (["admin"], EVERYTHING, {"own", "other", "province", "everything"}),
        (["inspector"], IN_PROVINCE, {"own", "other", "province"}),
        (["inspector"], IN_DISTRICT, {"other"}),
        (["chair"], OWN, {"own"}),
        (["chair"], BOTH, {"own", "other"}),
    ],
)
def test_people_and_their_log_are_read_in_scope(
    tmp_path: Any, roles: list[Role], scope: dict[str, Any], sees: set[str]
) -> None:
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as village:
        settle_in(village)
        settle_in(village, OTHER_FUND, district=DISTRICT)
        persons = {
            name: admitted(
                village, "inspector" if name in ("province", "everything") else "treasurer", scope=SCOPES[name]
            )
            for name in ("own", "other", "province", "everything")
        }
        reader = token(village, *roles, scope=scope)

        listed = village.get("/people", reader).json()["items"]
        told = village.get("/people/log", reader).json()

    wanted = {persons[name] for name in sees}
    assert {item["person"] for item in listed} == wanted
    assert {item["person"] for item in told["items"]} == wanted
    assert told["head"]


def test_lists_are_read_page_by_page(tmp_path: Any) -> None:
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as village:
        settle_in(village)
        persons = [admitted(village, "treasurer") for _ in range(5)]

        for path, expected in (
            ("/people?limit=2", persons),
            ("/people/log?order=asc&limit=2", persons),
            ("/people/log?limit=2", persons[::-1]),
        ):
            page = village.get(path).json()
            found = page["items"]
            while page["next"]:
                page = village.get(f"{path}&cursor={page['next']}").json()
                found += page["items"]
            assert [item["person"] for item in found] == expected
        assert village.get("/people?cursor=x").json()["code"] == "cursor-invalid"


def test_a_change_after_the_end_is_refused_and_one_that_changes_nothing(villages: House) -> None:
    person = admitted(villages, "treasurer")
    assert villages.post(f"/people/{person}/changes", {"roles": ["treasurer"]}).json()["code"] == "nothing-changed"
    villages.recorded(f"/people/{person}/revocation")
    for act, body in ACTS.items():
        answer = villages.post(f"/people/{person}/{act}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "access-has-ended")
    assert villages.get(f"/people/{person}").json()["revoked"]


def test_a_request_sent_again_is_answered_again_and_a_code_is_told_once(villages: House) -> None:
    body = {"name": "Vi Thị Lan", "roles": ["treasurer"], "scope": OWN}
    first, again = (villages.post("/people", body, key="admitting-0001") for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()

    person = first.json()["person"]
    first, again = (villages.post(f"/people/{person}/invitations", {}, key="inviting-00001") for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json() | {"code": None, "link": None, "qr": None}


def test_a_dry_run_admits_nobody(villages: House) -> None:
    before = villages.get("/people/log").json()["head"]
    answer = villages.post("/people?dry_run=true", {"name": "Vi Thị Lan", "roles": ["chair"], "scope": OWN})
    assert (answer.status_code, answer.json()["name"]) == (200, "Vi Thị Lan")
    assert villages.get("/people/log").json()["head"] == before
    assert villages.get(f"/people/{answer.json()['person']}").status_code == 404


def test_a_chair_lets_the_new_treasurer_in_from_the_own_phone(villages: House) -> None:
    chair = calling(villages, "chair").choose_pin()
    made = chair.post("/people", {"name": "Vi Thị Lan", "roles": ["treasurer"], "scope": OWN})
    assert made.status_code == 201
    person = made.json()["person"]
    assert chair.post(f"/people/{person}/invitations").json()["code"] == "pin-required"
    code = chair.post(f"/people/{person}/invitations", pin="285714").json()["code"]
    assert villages.client.post(
        "/v1/invitations/accept", json={"code": code}, headers={"Origin": "http://testserver"}
    ).json()["roles"] == ["treasurer"]

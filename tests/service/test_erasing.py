"""Claims about who is erased, by whom, and for how long: of the directory and of a club, also after a restore."""

from pathlib import Path
from typing import Any

from ledger.events.people import PEOPLE
from tests.support.keys import registered
from tests.support.people import PIN, admitted, calling, let_in
from tests.support.service import FUND, NAME, OTHER_FUND, House, house, settle_in

PERSON: dict[str, Any] = {"name": "Nông Thị Hoa", "phone": "0987 111 222"}


def erased(village: House, person: str, token: str | None = None) -> tuple[int, object]:
    answer = village.client.delete(f"/v1/people/{person}/person", headers=village.headers(token))
    return answer.status_code, answer.json().get("erased", answer.json().get("code"))


def test_a_person_of_the_directory_is_erased_and_what_they_may_stays(village: House) -> None:
    person = admitted(village, "treasurer", **PERSON)
    phone = let_in(village, person)
    lines = [entry.line for entry in village.state.ledger.entries(PEOPLE)]

    assert erased(village, person) == (200, 2)

    assert not registered(village.state.ledger) & set(PERSON.values())
    assert [entry.line for entry in village.state.ledger.entries(PEOPLE)] == lines
    told = village.get(f"/people/{person}").json()
    assert (told["name"], told["phone"], told["roles"]) == (None, None, ["treasurer"])
    assert phone.get(f"/funds/{FUND}/members").status_code == 200
    assert erased(village, person) == (200, 0)


def test_nobody_is_erased_by_whom_they_are_no_business_of(village: House) -> None:
    settle_in(village, OTHER_FUND)
    person = admitted(village, "treasurer", scope={"funds": [OTHER_FUND]}, **PERSON)
    chair, treasurer = calling(village, "chair").choose_pin(), calling(village, "treasurer").choose_pin()
    own_admin = admitted(village, "admin", **PERSON)

    assert chair.ask("DELETE", f"/people/{person}/person", pin=PIN).json()["code"] == "person-not-found"
    assert chair.ask("DELETE", f"/people/{own_admin}/person", pin=PIN).json()["code"] == "forbidden"
    assert treasurer.ask("DELETE", f"/people/{chair.person}/person", pin=PIN).status_code in (403, 404)
    assert set(PERSON.values()) <= registered(village.state.ledger)


def test_from_a_phone_it_needs_the_pin_also_for_oneself(village: House) -> None:
    treasurer = calling(village, "treasurer", phone="0987 111 222").choose_pin()
    at = f"/people/{treasurer.person}/person"

    assert treasurer.ask("DELETE", at).json()["code"] == "pin-required"
    assert treasurer.ask("DELETE", at, pin=PIN).json()["erased"] == 2


def test_who_was_erased_stays_so_when_the_service_begins_on_a_backup(database_url: str) -> None:
    with house(database_url) as running:
        settle_in(running)
        person = admitted(running, "treasurer", **PERSON)
        backup = running.state.ledger.database.query("SELECT * FROM register")
        assert erased(running, person) == (200, 2)
        assert running.client.delete(f"/v1/funds/{FUND}/members/1/person", headers=running.headers()).is_success
        database = running.state.ledger.database
        database.execute("DELETE FROM register")
        with database.transaction() as restoring:
            restoring.execute_many("INSERT INTO register VALUES (:fund, :digest, :encrypted)", backup)
        assert {NAME, *PERSON.values()} <= registered(running.state.ledger)

    with house(database_url) as running:
        assert not registered(running.state.ledger) & {NAME, *PERSON.values()}
        assert "Nông Văn Tài" in registered(running.state.ledger)


def test_an_erasure_that_cannot_be_told_outside_the_database_is_503_and_erases_nothing(village: House) -> None:
    Path(village.state.settings.register_key).with_suffix(".erasures").mkdir()

    answer = village.client.delete(f"/v1/funds/{FUND}/members/1/person", headers=village.headers())

    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert NAME in registered(village.state.ledger)


def test_without_the_key_the_service_shows_numbers_and_says_so(village: House) -> None:
    key = Path(village.state.settings.register_key)
    key.rename(key.with_name("elsewhere"))

    told = village.client.get("/readyz").json()
    members = village.get(f"/funds/{FUND}/members").json()
    member = {"sex": "male", "birth_year": 1960, "poverty": "none", "on": "2024-05-15"}
    refused = village.post(f"/funds/{FUND}/members", member | {"name": NAME})

    assert told["status"] == "ready"
    assert any("MICROFUND_REGISTER_KEY) is not there" in finding for finding in told["findings"])
    assert [(item["member"], item["name"]) for item in members["items"]] == [(1, None), (2, None)]
    assert (refused.status_code, refused.json()["code"]) == (503, "register-key-unusable")
    assert refused.headers["Retry-After"] == "60"
    assert "thành viên số 3" in village.recorded(f"/funds/{FUND}/members", member)["sentence"]
    key.with_name("elsewhere").rename(key)
    assert village.get(f"/funds/{FUND}/members").json()["items"][0]["name"] == NAME

"""Claims about people let in: by an invitation that opens one phone once, with a name that only the register has."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import BaseModel

from ledger.events.people import PEOPLE
from ledger.history import verify
from service.people import answers
from tests.support.people import OURS, Caller, accepted, admitted, calling, cookie_of, invited, let_in
from tests.support.service import FUND, House, house, settle_in

NAME, NUMBER, LABEL = "Lành Thị Điệp", "0987 654 321", "Máy của Điệp"


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    with house(database_url) as running:
        settle_in(running)
        yield running


def test_a_person_is_let_in_step_by_step(village: House) -> None:
    body = {"name": NAME, "phone": NUMBER, "roles": ["treasurer"], "scope": {"funds": [FUND]}, "members": {FUND: 2}}
    made = village.recorded("/people", body)
    person = made["person"]
    assert made == {
        "person": person,
        "name": NAME,
        "roles": ["treasurer"],
        "scope": {"funds": [FUND]},
        "members": {FUND: 2},
    }

    invitation = village.recorded(f"/people/{person}/invitations")
    assert invitation["link"] == f"http://testserver/open/{invitation['code']}"
    assert invitation["expires_at"] == (village.clock() + timedelta(days=7)).isoformat().replace("+00:00", "Z")
    assert invitation["qr"].startswith("<svg")
    assert invitation["qr"].endswith("</svg>")

    answer = village.client.post(
        "/v1/invitations/accept", json={"code": invitation["code"], "label": LABEL}, headers=OURS
    )
    assert (answer.status_code, answer.json()) == (201, made)
    phone = Caller(village, person, cookie_of(answer))

    session = phone.get("/session").json()
    assert session | {"phone": None} == made | {
        "phone": None,
        "since": village.clock().isoformat().replace("+00:00", "Z"),
        "pin_set": False,
    }
    assert session["phone"]["label"] == LABEL

    paid = {"member": 2, "kind": "dues", "amount": 10_000, "on": "2024-06-15"}
    assert phone.post(f"/funds/{FUND}/contributions", paid).status_code == 201
    event = village.state.ledger.replayed(FUND).entries[-1]
    assert event.recorded_by == person


def test_every_answer_is_as_the_document_says(village: House) -> None:
    person = admitted(village, "chair", name=NAME, phone=NUMBER, members={FUND: 2})
    invitation = village.recorded(f"/people/{person}/invitations")
    accepting = accepted(village, invitation["code"])
    phone = Caller(village, person, cookie_of(accepting))
    told: list[tuple[type[BaseModel], object]] = [
        (answers.InvitationTold, invitation),
        (answers.PersonTold, accepting.json()),
        (answers.SessionTold, phone.get("/session").json()),
        (answers.SessionTold, village.get("/session").json()),
        (answers.PinTold, phone.ask("PUT", "/session/pin", {"pin": "285714"}).json()),
        (answers.PeopleListed, village.get("/people").json()),
        (answers.PersonListed, village.get(f"/people/{person}").json()),
        (answers.PhonesListed, village.get(f"/people/{person}/phones").json()),
        (answers.PersonTold, village.recorded(f"/people/{person}/changes", {"roles": ["treasurer"]})),
        (answers.PinTold, village.recorded(f"/people/{person}/pin-reset")),
        (answers.PhoneEnded, phone.ask("DELETE", "/session").json()),
        (answers.PersonRevoked, village.recorded(f"/people/{person}/revocation", {"reason": "Đã chuyển đi"})),
        (answers.PeopleListed, village.get("/people").json()),
        (answers.LogTold, village.get("/people/log").json()),
    ]
    for model, answer in told:
        model.model_validate(answer)


def test_the_log_tells_who_let_whom_in_and_is_chained_like_a_fund(village: House) -> None:
    phone = calling(village, "treasurer")
    village.recorded(f"/people/{phone.person}/changes", {"roles": ["treasurer", "member"]})
    village.recorded(f"/people/{phone.person}/revocation", {"reason": "Đã chuyển đi"})

    log = village.get("/people/log?order=asc").json()

    assert [item["type"] for item in log["items"]] == [
        "PersonAdmitted",
        "PersonInvited",
        "InvitationAccepted",
        "PersonChanged",
        "PersonRevoked",
    ]
    assert {item["person"] for item in log["items"]} == {phone.person}
    assert log["items"][2]["by"] == phone.person
    assert log["items"][3]["roles"] == ["member", "treasurer"]
    lines = village.state.ledger.recorder.lines(PEOPLE, 0, None)
    found = verify(lines)
    assert (found.fund, found.valid, found.entries) == (PEOPLE, True, 5)
    assert (log["head"], log["check_code"], log["next"]) == (found.head, found.check_code, None)


def test_no_name_and_nothing_that_opens_anything_stands_in_the_log(village: House) -> None:
    person = admitted(village, "chair", name=NAME, phone=NUMBER)
    code = invited(village, person)
    answer = village.client.post("/v1/invitations/accept", json={"code": code, "label": LABEL}, headers=OURS)
    phone = Caller(village, person, cookie_of(answer)).choose_pin("285714")
    village.recorded(f"/people/{person}/revocation", {"reason": "Bị mất máy"})

    stored = b"\n".join(village.state.ledger.recorder.lines(PEOPLE, 0, None)).decode()
    tables = "".join(
        str(village.state.ledger.database.query(f"SELECT * FROM {table}"))
        for table in ("sessions", "invitation_codes", "pins")
    )

    for secret in (NAME, "Điệp", NUMBER, LABEL, "mất máy", code, code.replace("-", ""), phone.cookie, "285714"):
        assert secret not in stored
        assert secret not in tables
    assert person in stored


@pytest.mark.parametrize("hyphen", ["", " ", " - "])
def test_a_code_is_read_however_it_is_typed(village: House, hyphen: str) -> None:
    code = invited(village, admitted(village, "treasurer"))
    typed = code.lower().replace("-", hyphen).replace("o", "0").replace("i", "1").replace("b", "8")
    assert accepted(village, typed).status_code == 201


def test_a_used_an_expired_a_replaced_and_a_wrong_code_are_answered_alike(village: House) -> None:
    used = invited(village, admitted(village, "treasurer"))
    assert accepted(village, used).status_code == 201
    twice = admitted(village, "treasurer")
    replaced, _ = invited(village, twice), invited(village, twice)
    gone = admitted(village, "treasurer")
    of_revoked = invited(village, gone)
    village.recorded(f"/people/{gone}/revocation")
    expired = invited(village, admitted(village, "treasurer"))
    village.clock.pass_days(7)
    fresh = invited(village, admitted(village, "treasurer"))

    answers = [accepted(village, code) for code in (used, replaced, of_revoked, expired, "AAAA-BBBB-CCCC")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "invitation-not-valid")}
    assert len({answer.content for answer in answers}) == 1
    assert {frozenset(answer.headers) for answer in answers} == {frozenset(answers[0].headers)}
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert accepted(village, fresh).status_code == 201


def test_a_code_that_many_bring_at_once_opens_one_phone(village: House) -> None:
    code = invited(village, admitted(village, "treasurer"))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: accepted(village, code), range(6)))

    assert sorted(answer.status_code for answer in answers) == [201, *[404] * 5]


def test_who_guesses_codes_is_held_back(village: House) -> None:
    answers = [accepted(village, f"AAAA-BBBB-{number:04}".replace("0", "A").replace("1", "B")) for number in range(12)]

    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_phone_that_was_ended_opens_nothing_any_more(village: House) -> None:
    phone, other = calling(village, "treasurer"), calling(village, "treasurer")
    (listed,) = village.get(f"/people/{phone.person}/phones").json()["items"]

    village.client.delete(f"/v1/phones/{listed['phone']}", headers=village.headers())

    assert phone.get("/session").status_code == 401
    assert other.get("/session").status_code == 200
    assert village.get(f"/people/{phone.person}/phones").json()["items"] == []


def test_whoever_logs_out_is_out_and_may_come_in_again_by_an_invitation(village: House) -> None:
    phone = calling(village, "treasurer")
    answer = phone.ask("DELETE", "/session")
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert phone.get("/session").status_code == 401
    assert let_in(village, phone.person).get("/session").status_code == 200

"""Claims about PINs: asked for from a phone by acts of weight, five tries and no more, and never by a token or a dry
run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.access.pins import Pins
from service.http.refusals import PinLocked, PinRequired, PinWrong
from service.writes.pin_rules import always
from service.writes.table import WRITES
from tests.support.people import PIN, Caller, admitted, calling, let_in
from tests.support.service import (
    ALL_WRITES,
    CONTRIBUTION_VERSION,
    FUND,
    NEW_FUND,
    SOUND,
    House,
    house,
    path_of,
)

OTHERS = {"funds": [FUND, NEW_FUND]}
ALWAYS = [write.path for write in WRITES if write.pin is always]
NEVER = [write.path for write in WRITES if write.pin is None]
WRONG = "918273"


@pytest.fixture
def chair(village: House) -> Caller:
    return calling(village, "chair", scope=OTHERS).choose_pin()


@pytest.fixture
def treasurer(village: House) -> Caller:
    return calling(village, "treasurer", scope=OTHERS).choose_pin()


# --- which acts ask for one ---------------------------------------------------------------------------------------


def test_what_needs_a_pin_is_what_the_contract_lists() -> None:
    assert {path.removeprefix("/funds/{fund}") for path in ALWAYS} == {
        "/bylaws",
        "/loans/{loan}/approval",
        "/loans/{loan}/rejection",
        "/loans/{loan}/rescheduling",
        "/loans/{loan}/write-off",
        "/periods",
        "/periods/reopening",
        "/dissolution",
    }
    assert {write.path.removeprefix("/funds/{fund}") for write in WRITES if write.pin not in (None, always)} == {
        "/entries/{version}/reversal",
        "/meetings/{version}/reversal",
        "/meetings/{version}/attendance",
        "/opening-balances/corrections",
        "/cash-counts",
        "/offices",
    }


OF_ADMINS = ("/funds", "/funds/{fund}/place")


@pytest.mark.parametrize("template", ALWAYS)
def test_a_decision_by_phone_needs_the_right_pin(village: House, chair: Caller, template: str) -> None:
    path, body, before = path_of(template), SOUND[template], village.entries()

    answers = [chair.post(path, body), chair.post(path, body, pin=WRONG)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert [answer.json()["code"] for answer in answers] == ["pin-required", "pin-wrong"]
    assert answers[1].json()["tries_left"] == 4
    assert village.entries() == before
    assert chair.post(path, body, pin=PIN).status_code == 201


@pytest.mark.parametrize("template", [path for path in NEVER if path in ALL_WRITES and path not in OF_ADMINS])
def test_what_is_done_every_day_needs_none(village: House, template: str) -> None:
    roles = ("chair", "treasurer", "inspector")
    phone = calling(village, *roles, scope=OTHERS)
    assert phone.post(path_of(template), SOUND[template]).status_code == 201


@pytest.mark.parametrize("template", ALWAYS)
def test_a_token_and_a_dry_run_need_none(village: House, chair: Caller, template: str) -> None:
    path, body = path_of(template), SOUND[template]

    tried = [
        chair.post(f"{path}?dry_run=true", body, pin=pin) for pin in (None, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG)
    ]

    assert {answer.status_code for answer in tried} == {200}
    assert chair.post(path, body, pin=WRONG).json()["tries_left"] == 4
    assert village.post(path, body).status_code == 201


def test_what_is_recorded_already_is_answered_again_without_a_pin(village: House, chair: Caller) -> None:
    path, body = f"/funds/{FUND}/loans/3/approval", {"on": "2024-05-15"}
    first = chair.post(path, body, pin=PIN, Idempotency_Key="approving-0001")
    again = chair.post(path, body, pin=WRONG, Idempotency_Key="approving-0001")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_no_try_is_spent_on_what_is_not_allowed(village: House, treasurer: Caller, chair: Caller) -> None:
    assert treasurer.post(f"/funds/{FUND}/loans/3/approval", {}, pin=WRONG).json()["code"] == "forbidden"
    person = admitted(village, "inspector")
    assert chair.post(f"/people/{person}/invitations", pin=WRONG).json()["code"] == "forbidden"
    assert chair.post(f"/funds/{FUND}/periods", {"through": "2024-02-29"}, pin=WRONG).json()["tries_left"] == 4


def test_ones_own_entry_is_corrected_without_a_pin_and_somebody_elses_with_one(
    village: House, treasurer: Caller
) -> None:
    paid = {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    own = treasurer.post(f"/funds/{FUND}/contributions", paid).json()["version"]
    undo = {"reason": "wrong_amount"}

    assert treasurer.post(f"/funds/{FUND}/entries/{own}/reversal", undo).status_code == 201
    others = f"/funds/{FUND}/entries/{CONTRIBUTION_VERSION}/reversal"
    assert treasurer.post(others, undo).json()["code"] == "pin-required"
    assert treasurer.post(others, undo, pin=PIN).status_code == 201


def test_the_entry_of_the_same_member_under_another_id_is_ones_own(village: House) -> None:
    token = village.issue("treasurer", members={FUND: 2})
    paid = {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}
    version = village.recorded(f"/funds/{FUND}/contributions", paid, token=token)["version"]
    phone = calling(village, "treasurer", members={FUND: 2})
    assert phone.post(f"/funds/{FUND}/entries/{version}/reversal", {"reason": "wrong_amount"}).status_code == 201


def test_a_sheet_with_a_line_that_somebody_else_sent_is_somebody_elses(village: House, treasurer: Caller) -> None:
    line = {"type": "contribution", "member": 1, "kind": "dues", "amount": 10_000}
    sheet = {"held_on": "2024-05-20", "present": [1, 2], "sheet": "buoi-20-5"}
    held = treasurer.post(f"/funds/{FUND}/meetings", sheet | {"lines": [line | {"key": "line-0001"}]})
    version = held.json()["version"]
    undoing = f"/funds/{FUND}/meetings/{version}/reversal?dry_run=true"
    assert treasurer.post(undoing, {"reason": "wrong_date"}).status_code == 200
    village.recorded(f"/funds/{FUND}/meetings", sheet | {"lines": [line | {"key": "line-0002"}]})

    answer = treasurer.post(f"/funds/{FUND}/meetings/{version}/reversal", {"reason": "wrong_date"})
    assert answer.json()["code"] == "pin-required"
    attendance = {"present": [1], "reason": "Ghi nhầm"}
    assert treasurer.post(f"/funds/{FUND}/meetings/{version}/attendance", attendance).json()["code"] == "pin-required"


def test_a_count_needs_a_pin_when_the_box_changes_hands(village: House, treasurer: Caller) -> None:
    count = {"counted": 90_000_000, "reason": "periodic"}
    assert treasurer.post(f"/funds/{FUND}/cash-counts", count).status_code == 201
    handover = count | {"reason": "handover"}
    assert treasurer.post(f"/funds/{FUND}/cash-counts", handover).json()["code"] == "pin-required"
    assert treasurer.post(f"/funds/{FUND}/cash-counts", handover, pin=PIN).status_code == 201


@pytest.mark.parametrize("has_left", [False, True])
def test_the_treasurers_office_goes_to_another_with_a_pin(village: House, chair: Caller, has_left: bool) -> None:
    offices = f"/funds/{FUND}/offices"
    to: dict[str, Any] = {"office": "treasurer", "on": "2024-05-15"}
    assert chair.post(offices, to | {"member": 1}).status_code == 201
    if has_left:
        assert chair.post(offices, to | {"member": 1, "until": "2024-05-20"}).status_code == 201

    to |= {"on": "2024-05-21", "member": 2}
    assert chair.post(offices, to).json()["code"] == "pin-required"
    assert chair.post(offices, to | {"office": "secretary"}).status_code == 201
    assert chair.post(offices, to, pin=PIN).status_code == 201


def test_erasing_a_person_and_what_is_done_about_people_need_a_pin(village: House, chair: Caller) -> None:
    person = admitted(village, "treasurer")
    acts: list[tuple[str, str, Any]] = [
        ("POST", f"/people/{person}/invitations", {}),
        ("POST", f"/people/{person}/changes", {"roles": ["treasurer", "member"]}),
        ("POST", f"/people/{person}/pin-reset", {}),
        ("POST", f"/people/{person}/revocation", {}),
        ("DELETE", f"/funds/{FUND}/members/1/person", None),
    ]
    chair.ask("POST", f"/people/{person}/changes", {"roles": ["treasurer"]}, pin=PIN)

    for method, path, body in acts:
        assert chair.ask(method, path, body).json()["code"] == "pin-required", path
        assert chair.ask(method, path, body, pin=PIN).status_code in (200, 201), path


# --- tries --------------------------------------------------------------------------------------------------------


def test_after_five_wrong_ones_nothing_is_tried_until_another_person_resets_it(village: House, chair: Caller) -> None:
    path, body = f"/funds/{FUND}/loans/3/approval", {"on": "2024-05-15"}

    tries = [chair.post(path, body, pin=WRONG) for _ in range(5)]
    locked = [chair.post(path, body, pin=pin) for pin in (WRONG, PIN)]

    assert [answer.json()["tries_left"] for answer in tries] == [4, 3, 2, 1, 0]
    assert {(answer.status_code, answer.json()["code"]) for answer in locked} == {(429, "pin-locked")}
    change = chair.ask("PUT", "/session/pin", {"pin": "314159", "old": PIN})
    assert (change.status_code, change.json()["code"]) == (429, "pin-locked")

    assert chair.post(f"/people/{chair.person}/pin-reset").status_code == 403
    village.recorded(f"/people/{chair.person}/pin-reset")
    assert not chair.get("/session").json()["pin_set"]
    assert chair.post(path, body, pin=PIN).json()["code"] == "pin-required"
    chair.choose_pin("314159")
    assert chair.post(path, body, pin="314159").status_code == 201


def test_a_right_one_forgives_the_wrong_ones_before_it(village: House, chair: Caller) -> None:
    for number in range(3):
        for _ in range(4):
            chair.post(f"/funds/{FUND}/periods", {"through": "2024-02-29"}, pin=WRONG)
        made = chair.post("/people", {"name": f"Vi {number}", "roles": ["member"], "scope": {"funds": [FUND]}}).json()
        assert chair.post(f"/people/{made['person']}/invitations", pin=PIN).status_code == 201


@pytest.fixture
def pins(database_url: str) -> Iterator[Pins]:
    with house(database_url) as running:
        yield running.app.state.access.pins


def tried(pins: Pins, pin: str) -> str:
    try:
        pins.check("p1", pin)
    except (PinWrong, PinLocked, PinRequired) as refusal:
        return refusal.code
    return "right"


def test_a_pin_is_tried_five_times_however_many_try_at_once(pins: Pins) -> None:
    pins.set("p1", PIN)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: tried(pins, f"9182{number:02}"), range(24)))

    assert sorted(told) == ["pin-locked"] * 19 + ["pin-wrong"] * 5
    assert tried(pins, PIN) == "pin-locked"


def test_a_try_takes_whoever_has_the_database_16_mebibytes_and_their_time(real_cost: dict[str, int]) -> None:
    assert real_cost["p"] * 128 * real_cost["n"] * real_cost["r"] == 16 * 2**20


def test_tries_outlive_a_restart(database_url: str) -> None:
    for number in range(6):
        with house(database_url) as running:
            pins = running.app.state.access.pins
            if number == 0:
                pins.set("p1", PIN)
            assert tried(pins, WRONG) == ("pin-wrong" if number < 5 else "pin-locked")


def test_whoever_has_none_is_asked_to_choose_one(village: House) -> None:
    phone = calling(village, "chair")
    assert phone.post(f"/funds/{FUND}/periods", {"through": "2024-02-29"}, pin=PIN).json()["code"] == "pin-required"


# --- choosing one -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pin", ["000000", "777777", "123456", "234567", "456789", "987654", "654321", "012345"])
def test_a_pin_that_anybody_guesses_is_refused(village: House, chair: Caller, pin: str) -> None:
    answer = chair.ask("PUT", "/session/pin", {"pin": pin, "old": PIN})
    assert (answer.status_code, answer.json()["code"]) == (422, "pin-too-simple")


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12a456", "１２３４５６", 285714, None], ids=str)
def test_a_pin_has_six_digits(chair: Caller, pin: Any) -> None:
    answer = chair.ask("PUT", "/session/pin", {"pin": pin, "old": PIN})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/pin"


def test_a_new_pin_comes_with_the_old_one(village: House, chair: Caller) -> None:
    assert chair.ask("PUT", "/session/pin", {"pin": "314159"}).json()["code"] == "pin-required"
    assert chair.ask("PUT", "/session/pin", {"pin": "314159", "old": WRONG}).json()["tries_left"] == 4
    assert chair.ask("PUT", "/session/pin", {"pin": "314159", "old": PIN}).status_code == 200
    path = f"/funds/{FUND}/periods"
    assert chair.post(path, {"through": "2024-02-29"}, pin=PIN).json()["code"] == "pin-wrong"
    assert chair.post(path, {"through": "2024-02-29"}, pin="314159").status_code == 201


def test_a_pin_is_a_persons_on_all_their_phones(village: House, chair: Caller) -> None:
    other = let_in(village, chair.person)
    assert other.get("/session").json()["pin_set"]
    assert other.post(f"/funds/{FUND}/periods", {"through": "2024-02-29"}, pin=PIN).status_code == 201


# --- the treasurer who goes ---------------------------------------------------------------------------------------


def test_a_handover_ends_the_old_treasurers_phones_and_nobody_elses(village: House, chair: Caller) -> None:
    offices, to = f"/funds/{FUND}/offices", {"office": "treasurer"}
    chair.post(offices, to | {"member": 1, "on": "2024-05-15"})
    own = {"funds": [FUND]}
    old = calling(village, "treasurer", scope=own, members={FUND: 1})
    unknown = calling(village, "treasurer", scope=own)
    new = calling(village, "treasurer", scope=own, members={FUND: 2})
    keeps = calling(village, "chair", "treasurer", scope=own, members={FUND: 1})
    elsewhere = calling(village, "treasurer", scope={"funds": [NEW_FUND]})

    body = to | {"member": 2, "on": "2024-06-15"}
    assert chair.post(offices, body, pin=PIN, Idempotency_Key="handover-0001").status_code == 201

    told = [each.get("/session").status_code for each in (old, unknown, new, keeps, elsewhere, chair)]
    assert told == [401, 401, 200, 200, 200, 200]
    log = village.get("/people/log").json()["items"]
    assert [(item["type"], item["reason"], item["by"]) for item in log[:2]] == [
        ("PhoneEnded", "handover", chair.person)
    ] * 2

    village.clock.pass_days(1)
    back = let_in(village, old.person)
    assert chair.post(offices, body, pin=PIN, Idempotency_Key="handover-0001").headers["Idempotency-Replayed"] == "true"
    assert back.get("/session").status_code == 200

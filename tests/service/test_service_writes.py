"""Claims about recording over HTTP: what is answered, what is recorded once, what is only tried."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.events import EVENT_TYPES
from ledger.refusals import VersionMismatch
from service.access.principals import Scope
from tests.support.keys import registered
from tests.support.service import (
    ALL_WRITES,
    CONTRIBUTION_VERSION,
    FUND,
    NAME,
    OPENED_ON,
    OTHER_FUND,
    SOUND,
    House,
    house,
    opening,
    path_of,
    settle_in,
)


@pytest.mark.parametrize("template", ALL_WRITES)
def test_every_write_answers_what_the_log_then_holds(village: House, template: str) -> None:
    before = village.entries()

    answer = village.post(path_of(template), SOUND[template])

    assert answer.status_code == 201, answer.text
    body = answer.json()
    fund = body["fund"]
    stored = list(village.state.ledger.entries(fund))
    assert body["version"] == len(stored)
    assert body["position"] == village.entries() == before + len(body.get("versions", [0]))
    assert answer.headers["ETag"] == f'"{len(stored)}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["type"] in EVENT_TYPES
    assert body["on"] == SOUND[template].get("on", "2024-04-15"), "what is put right of a meeting is of its day"
    assert body["recorded_at"] == "2024-06-15T03:00:00Z"
    assert len(body["check_code"]) == 19
    assert body["sentence"].endswith(".")
    assert stored[-1].event.recorded_by.startswith("p")


@pytest.mark.parametrize("template", ALL_WRITES)
def test_the_same_request_is_recorded_once_and_answered_alike(village: House, template: str) -> None:
    first = village.post(path_of(template), SOUND[template], key="the-same-key")
    before = village.entries()
    village.clock.pass_days(3)

    again = village.post(path_of(template), SOUND[template], key="the-same-key", if_match='"1"')

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["ETag"] == first.headers["ETag"]
    assert village.entries() == before


@pytest.mark.parametrize("template", ALL_WRITES)
def test_a_dry_run_answers_the_same_and_leaves_no_trace(village: House, template: str) -> None:
    before = village.entries()
    path = f"/v1{path_of(template)}?dry_run=true"

    dry = village.client.post(path, json=SOUND[template], headers=village.headers())
    with_key = village.client.post(
        path, json=SOUND[template], headers=village.headers(Idempotency_Key="kept-for-later")
    )

    assert dry.status_code == with_key.status_code == 200, dry.text
    assert village.entries() == before
    real = village.post(path_of(template), SOUND[template], key="kept-for-later")
    assert real.status_code == 201
    assert "Idempotency-Replayed" not in real.headers
    told, happened = dry.json(), real.json()
    assert told.pop("position") is None
    assert happened.pop("position") == village.entries()
    assert told.pop("check_code") is None
    assert happened.pop("check_code")
    assert told == happened


def test_a_key_belongs_to_one_body(village: House) -> None:
    path, body = f"/funds/{FUND}/contributions", SOUND["/funds/{fund}/contributions"]
    village.recorded(path, body, key="meeting-line-7")
    before = village.entries()

    for other in ({**body, "amount": 20_000}, {**body, "note": "đã nộp"}):
        answer = village.post(path, other, key="meeting-line-7")
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency-key-reused"
    elsewhere = village.post(f"/funds/{FUND}/expenses", SOUND["/funds/{fund}/expenses"], key="meeting-line-7")
    assert elsewhere.json()["code"] == "idempotency-key-reused"
    assert village.entries() == before


def test_the_order_of_fields_and_the_form_of_marks_make_no_other_body(village: House) -> None:
    path = f"/v1/funds/{FUND}/members"
    headers = village.headers(Idempotency_Key="joins-today", Content_Type="application/json")
    composed = '{"name":"L\u1ea7n","sex":"male","birth_year":1960,"poverty":"none"}'
    decomposed = '{"sex":"male",  "birth_year":1960,"poverty":"none","name":"La\u0302\u0300n"}'

    first = village.client.post(path, content=composed.encode(), headers=headers)
    again = village.client.post(path, content=decomposed.encode(), headers=headers)

    assert first.status_code == again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_day_left_out_is_today_and_the_retry_of_tomorrow_is_the_same_request(village: House) -> None:
    path, body = f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 10_000}

    first = village.post(path, body, key="late-at-night")
    village.clock.pass_days(1)
    again = village.post(path, body, key="late-at-night")

    assert first.json()["on"] == "2024-06-15"
    assert again.json() == first.json()


def test_a_day_left_out_is_that_of_the_instant_it_was_heard_though_midnight_comes_meanwhile(village: House) -> None:
    fall_of_midnight = iter([datetime(2024, 6, 15, 16, 59, 59, tzinfo=UTC)])
    village.state.now = lambda: next(fall_of_midnight, datetime(2024, 6, 15, 17, 0, 1, tzinfo=UTC))
    heard = village.post(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 10_000})
    assert (heard.status_code, heard.json()["on"]) == (201, "2024-06-15")


def test_the_day_is_that_of_the_village_not_of_utc(village: House) -> None:
    village.clock.now = village.clock.now.replace(hour=18)

    assert village.recorded(f"/funds/{FUND}/donations", {"source": "member", "pot": "activity", "amount": 1})["on"] == (
        "2024-06-16"
    )


@pytest.mark.parametrize("key", ["short", "x" * 65, "with space", "d\u1ea5u-thanh", ""])
def test_a_key_has_its_form(village: House, key: str) -> None:
    headers = {name.encode(): value.encode() for name, value in village.headers(Idempotency_Key=key).items()}
    answer = village.client.post(f"/v1/funds/{FUND}/loans/1/approval", json={}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")


@pytest.mark.parametrize("template", ALL_WRITES)
def test_nothing_is_recorded_without_a_key(village: House, template: str) -> None:
    before = village.entries()

    answer = village.client.post(f"/v1{path_of(template)}", json=SOUND[template], headers=village.headers())

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")
    assert village.entries() == before


def test_if_match_refuses_what_was_decided_on_an_older_book(village: House) -> None:
    path, body = f"/funds/{FUND}/contributions", SOUND["/funds/{fund}/contributions"]
    version = len(list(village.state.ledger.entries(FUND)))

    stale = village.post(path, body, if_match=f'"{version - 1}"')
    malformed = [village.post(path, body, if_match=value) for value in ("12", 'W/"12"', '"x"', '"-1"', '"01"')]
    fresh = village.post(path, body, if_match=f'"{version}"')

    assert stale.status_code == 412
    assert stale.json()["code"] == VersionMismatch.code
    assert stale.json()["version"] == version
    assert {(answer.status_code, answer.json()["code"]) for answer in malformed} == {(400, "if-match-invalid")}
    assert fresh.status_code == 201


def test_opening_a_fund_answers_both_of_its_first_entries(village: House) -> None:
    answer = village.recorded("/funds", opening(OTHER_FUND))

    assert (answer["type"], answer["version"], answer["versions"]) == ("FundOpened", 2, [1, 2])
    assert [entry["type"] for entry in answer["entries"]] == ["FundOpened", "BylawsAdopted"]


def test_a_fund_is_opened_once(village: House) -> None:
    answer = village.post("/funds", opening())

    assert (answer.status_code, answer.json()["code"]) == (409, "fund-exists")
    assert answer.json()["errors"][0]["pointer"] == "/fund"


def test_a_fund_cannot_open_before_its_club_was_founded(village: House) -> None:
    answer = village.post("/funds", opening(OTHER_FUND, founded_on="2024-02-01"))

    assert (answer.status_code, answer.json()["code"]) == (422, "out-of-order")


def test_a_repayment_answers_its_split_and_says_it_aloud(village: House) -> None:
    answer = village.post(f"/funds/{FUND}/loans/1/repayments", {"amount": 470_000, "on": "2024-03-15"})

    body = answer.json()
    assert body["split"] == {"principal": 420_000, "interest": 50_000, "interest_to_activity": 15_000}
    assert body["outstanding"] == 4_580_000
    assert body["voucher"] == "PT-2024-0006"
    assert body["sentence"] == (
        f"Ngày 15/03/2024, bà {NAME} (thành viên số 1) trả 470.000 đ (Bốn trăm bảy mươi nghìn đồng) cho khoản "
        "vay số 1, gồm gốc 420.000 đ và lãi 50.000 đ; "
        "dư nợ còn lại 4.580.000 đ (Bốn triệu năm trăm tám mươi nghìn đồng). "
        "Phiếu thu số PT-2024-0006."
    )
    assert answer.headers["Content-Language"] == "vi"


def test_the_sentence_is_in_the_readers_language(village: House) -> None:
    answer = village.post(
        f"/funds/{FUND}/donations",
        {"source": "business", "donor": "Đồng Đăng", "pot": "activity", "amount": 1_000_000, "on": "2024-05-15"},
        accept_language="en-GB",
    )

    assert answer.headers["Content-Language"] == "en"
    assert answer.json()["sentence"] == (
        "On 15/05/2024, the club gratefully received 1,000,000 VND (One million dong) from Đồng Đăng "
        "for the activity fund. Receipt voucher no. PT-2024-0006."
    )


def test_a_reversal_and_its_replacement_are_one_act(village: House) -> None:
    path = f"/funds/{FUND}/entries/{CONTRIBUTION_VERSION}/reversal"
    replacement = {"type": "contribution", "member": 2, "kind": "dues", "amount": 10_000}
    before = village.entries()

    refused = village.post(path, {"reason": "wrong_member", "replacement": replacement | {"member": 9}})
    assert refused.status_code == 404
    assert village.entries() == before

    answer = village.recorded(path, {"reason": "wrong_member", "on": "2024-06-01", "replacement": replacement})
    first, second = answer["entries"]
    assert answer["versions"] == [first["version"], second["version"]]
    assert (first["type"], first["voucher"]) == ("EntryReversed", "PT-2024-0003")
    assert (second["type"], second["member"], second["on"]) == ("ContributionReceived", 2, "2024-06-01")
    assert (answer["type"], answer["voucher"], answer["version"]) == (
        "EntryReversed",
        "PT-2024-0006",
        second["version"],
    )


@pytest.mark.parametrize(
    "line",
    [
        {"type": "contribution", "member": 1, "kind": "share", "amount": 1_000},
        {"type": "donation", "source": "member", "pot": "activity", "amount": 1_000},
        {
            "type": "in_kind_donation",
            "source": "member",
            "items": [{"what": "ghế", "quantity": 2, "unit": "cái", "value": 9_000}],
        },
        {"type": "expense", "activity": "culture", "amount": 1_000},
        {"type": "repayment", "loan": 1, "amount": 100_000},
        {"type": "disbursement", "loan": 2},
    ],
    ids=lambda line: line["type"],
)
def test_anything_that_moves_money_can_replace_what_was_wrong(village: House, line: dict[str, Any]) -> None:
    path = f"/funds/{FUND}/entries/{CONTRIBUTION_VERSION}/reversal"

    assert len(village.recorded(path, {"reason": "other", "replacement": line})["versions"]) == 2


def test_a_receipt_that_was_spent_is_corrected_in_one_act_on_its_own_day(village: House) -> None:
    gift = {"source": "business", "pot": "activity", "amount": 20_500_000, "on": "2024-05-01"}
    wrong = village.recorded(f"/funds/{FUND}/donations", gift)
    village.recorded(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 70_400_000, "on": "2024-05-02"})
    path = f"/funds/{FUND}/entries/{wrong['version']}/reversal"
    right = {"type": "donation", "source": "business", "pot": "activity", "amount": 20_450_000}

    assert village.post(path, {"reason": "wrong_amount", "on": "2024-05-01"}).json()["code"] == "insufficient-funds"
    answer = village.recorded(path, {"reason": "wrong_amount", "on": "2024-05-01", "replacement": right})

    assert [entry["on"] for entry in answer["entries"]] == ["2024-05-01", "2024-05-01"]
    book = village.get(f"/funds/{FUND}/cash-book?from=2024-05-01&to=2024-05-02&pot=activity").json()
    assert book["closing"] == 60_000


def test_a_replacement_at_fault_is_pointed_at_where_it_stands(village: House) -> None:
    path = f"/funds/{FUND}/entries/{CONTRIBUTION_VERSION}/reversal"
    line = {"type": "expense", "activity": "culture", "amount": 90_000_000}

    by_a_rule = village.post(path, {"reason": "other", "replacement": line}).json()
    by_a_field = village.post(path, {"reason": "other", "replacement": line | {"amount": 0}}).json()

    assert by_a_rule["errors"][0]["pointer"] == by_a_field["errors"][0]["pointer"] == "/replacement/amount"


def test_the_chair_may_set_the_bylaws_aside_with_a_reason_that_stays_out_of_the_log(village: House) -> None:
    strict = BYLAWS_OF_ONE_LOAN | {"on": "2024-03-01"}
    village.recorded(f"/funds/{FUND}/bylaws", strict)
    path = f"/funds/{FUND}/loans/3/approval"

    refused = village.post(path, {"on": "2024-05-15"})
    granted = village.recorded(path, {"on": "2024-05-15", "override": {"reason": "Nhà vừa bị lũ"}})

    assert (refused.status_code, refused.json()["code"]) == (422, "not-eligible")
    assert refused.json()["reasons"] == ["household-has-open-loan"]
    line = list(village.state.ledger.entries(FUND))[-1].line
    assert granted["type"] == "LoanApproved"
    assert b"household-has-open-loan" in line
    assert "lũ".encode() not in line


BYLAWS_OF_ONE_LOAN = opening()["bylaws"] | {"one_open_loan_per_household": True}


def test_a_board_member_may_not_approve_their_own_loan(village: House) -> None:
    chair = village.issue("chair", members={FUND: 1})

    answer = village.post(f"/funds/{FUND}/loans/3/approval", {}, token=chair)

    assert (answer.status_code, answer.json()["code"]) == (422, "own-loan")


def test_a_refusal_keeps_the_loans_status_apart_from_its_own(village: House) -> None:
    answer = village.post(f"/funds/{FUND}/loans/3/disbursement", {})

    assert answer.status_code == answer.json()["status"] == 409
    assert answer.json()["loan_status"] == "requested"


def test_what_is_written_about_people_never_reaches_the_log(village: House) -> None:
    secrets = ["Bí mật một", "0987 000 111", "Bí mật hai", "Bí mật ba", "Bí mật bốn", "Bí mật năm"]
    at = f"/funds/{FUND}"
    person = {"sex": "male", "birth_year": 1960, "poverty": "none", "name": secrets[0], "phone": secrets[1]}
    village.recorded(f"{at}/members", person)
    village.recorded(f"{at}/contributions", {"member": 3, "kind": "dues", "amount": 1, "note": secrets[2]})
    village.recorded(f"{at}/expenses", {"activity": "culture", "amount": 1, "note": secrets[3]})
    village.recorded(f"{at}/loans/3/rejection", {"reason": secrets[4]})
    village.recorded(f"{at}/donations", {"source": "member", "pot": "activity", "amount": 1, "donor": secrets[5]})

    lines = b"".join(entry.line for entry in village.state.ledger.entries(FUND)).decode()
    assert not [secret for secret in secrets if secret in lines]
    assert registered(village.state.ledger).issuperset(secrets)


def test_erasing_a_person_leaves_every_line_and_no_name(village: House) -> None:
    village.recorded(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 1, "note": "Bà ấy ốm"})
    lines = [entry.line for entry in village.state.ledger.entries(FUND)]

    answer = village.client.delete(f"/v1/funds/{FUND}/members/1/person", headers=village.headers())
    unknown = village.client.delete(f"/v1/funds/{FUND}/members/9/person", headers=village.headers())

    assert (answer.status_code, answer.json()) == (200, {"fund": FUND, "member": 1, "erased": 4})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "member-not-found")
    assert [entry.line for entry in village.state.ledger.entries(FUND)] == lines
    assert registered(village.state.ledger) == {"Nông Văn Tài", "Ban Chủ nhiệm"}  # A member, and who holds the token.
    sentence = village.recorded(f"/funds/{FUND}/contributions", SOUND["/funds/{fund}/contributions"])["sentence"]
    assert "thành viên số 1 đã nộp" in sentence


def test_a_fund_just_opened_is_there_for_whoever_opened_it(village: House) -> None:
    admin = village.issue("admin", "treasurer", scope=Scope(district="Văn Quan", province="Lạng Sơn"))

    elsewhere = village.post("/funds", opening(OTHER_FUND), token=admin)
    opened = village.post("/funds", opening(OTHER_FUND, district="Văn Quan"), token=admin)
    member = village.post(f"/funds/{OTHER_FUND}/members", SOUND["/funds/{fund}/members"], token=admin)

    assert (elsewhere.status_code, opened.status_code, member.status_code) == (403, 201, 201)


def test_both_databases_answer_alike(database_url: str) -> None:
    with house(database_url) as village:
        settle_in(village)
        answer = village.post(
            f"/funds/{FUND}/loans/1/repayments", {"amount": 470_000, "on": "2024-03-15"}, key="once-only"
        )
        again = village.post(
            f"/funds/{FUND}/loans/1/repayments", {"amount": 470_000, "on": "2024-03-15"}, key="once-only"
        )

        assert answer.json() == again.json()
        assert answer.json()["outstanding"] == 4_580_000
        assert json.loads(village.get(f"/funds/{FUND}/verification").content)["valid"] is True
        assert answer.json()["on"] > OPENED_ON

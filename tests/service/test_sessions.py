"""Claims about sessions: kept by the service, ended at once, idle for as long as a role may be, and written seldom."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest

from ledger.storage.lines import LineStore
from service.access.sessions import COOKIE, digest_of
from tests.support.people import OURS, Caller, accepted, admitted, calling, invited, let_in
from tests.support.service import FUND, House, house, settle_in


def test_the_cookie_goes_to_this_service_alone_over_tls_and_out_of_reach_of_scripts(village: House) -> None:
    answer = accepted(village, invited(village, admitted(village, "treasurer")))

    (told,) = answer.headers.get_list("Set-Cookie")
    morsel = SimpleCookie(told)[COOKIE]
    assert COOKIE == "__Host-microfund"
    assert (morsel["path"], morsel["secure"], morsel["httponly"]) == ("/", True, True)
    assert (morsel["samesite"].lower(), morsel["domain"]) == ("lax", "")
    assert len(morsel.value) == 43  # 256 bits.
    assert morsel.value not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_a_digest_of_the_token_is_stored(village: House) -> None:
    phone = calling(village, "treasurer")
    (row,) = village.state.ledger.database.query("SELECT * FROM sessions")
    assert row["digest"] == digest_of(phone.cookie)
    assert phone.cookie not in str(row)


IDLE = [
    (("treasurer",), timedelta(days=90)),
    (("chair",), timedelta(days=90)),
    (("member",), timedelta(days=90)),
    (("chair", "treasurer", "member"), timedelta(days=90)),
    (("admin",), timedelta(hours=12)),
    (("inspector",), timedelta(hours=12)),
    (("reporter",), timedelta(hours=12)),
    (("chair", "admin"), timedelta(hours=12)),
    (("member", "reporter"), timedelta(hours=12)),
]


@pytest.mark.parametrize(("roles", "idle"), IDLE, ids=str)
def test_a_phone_may_be_silent_for_as_long_as_its_role_is_away(
    village: House, roles: tuple[str, ...], idle: timedelta
) -> None:
    phone = calling(village, *roles)

    for _ in range(3):  # Each visit begins the time anew.
        village.clock.now += idle
        looked_up_anew(village)
        assert phone.get("/session").status_code == 200
    village.clock.now += idle + timedelta(seconds=1)
    looked_up_anew(village)
    assert phone.get("/session").status_code == 401


def looked_up_anew(house: House) -> None:
    """Five seconds later, as far as the service remembers who asks."""
    house.app.state.access.look_anew()


def test_when_a_phone_was_last_seen_is_written_seldom(village: House) -> None:
    phone = calling(village, "treasurer")
    first = village.clock()

    def seen() -> str:
        looked_up_anew(village)
        assert phone.get("/session").status_code == 200
        (person,) = village.get("/people").json()["items"]
        return str(person["last_seen"])

    assert seen() == first.isoformat()
    village.clock.now += timedelta(minutes=14)
    assert seen() == first.isoformat()
    village.clock.now += timedelta(minutes=2)
    assert seen() == village.clock().isoformat()


def test_one_request_after_another_asks_the_database_nothing_about_who_sent_it(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = calling(village, "treasurer", members={FUND: 2})
    database, asked = village.state.ledger.database, list[str]()
    query = type(database).query

    def watched(self: Any, sql: str, **parameters: Any) -> Any:
        asked.append(sql)
        return query(self, sql, **parameters)

    monkeypatch.setattr(type(database), "query", watched)
    lines = LineStore.get

    def read(self: LineStore, log: str, **how: Any) -> Any:
        asked.append(log)
        return lines(self, log, **how)

    monkeypatch.setattr(LineStore, "get", read)

    for headers in (phone.headers(), village.headers()):
        village.client.get("/v1/checkpoints/key", headers=headers)
        before = [sql for sql in asked if "sessions" in sql or "tokens" in sql or sql == "people"]
        for _ in range(20):
            village.client.get("/v1/checkpoints/key", headers=headers)
        assert [sql for sql in asked if "sessions" in sql or "tokens" in sql or sql == "people"] == before
        assert before


def test_what_is_changed_holds_at_once(village: House) -> None:
    phone = calling(village, "treasurer")
    path = f"/funds/{FUND}/expenses"
    spent = {"activity": "culture", "amount": 10_000, "on": "2024-05-15"}
    assert phone.post(path, spent).status_code == 201

    village.recorded(f"/people/{phone.person}/changes", {"roles": ["member"]})
    assert phone.post(path, spent).json()["code"] == "forbidden"
    village.recorded(f"/people/{phone.person}/changes", {"roles": ["treasurer"], "scope": {"funds": ["LS-VL-TANMY"]}})
    assert phone.post(path, spent).json()["code"] == "fund-not-found"
    village.recorded(f"/people/{phone.person}/revocation")
    assert phone.post(path, spent).status_code == 401


def test_whoever_waits_for_the_feed_on_a_phone_that_is_ended_is_told_so(village: House) -> None:
    phone = calling(village, "chair")
    end = village.get("/feed?limit=500").json()["next"]
    assert phone.get(f"/feed?after={end}").status_code == 200
    village.state.ledger.database.execute("UPDATE sessions SET last_seen = '2020-01-01T00:00:00+00:00'")

    # It is remembered for a moment, and let in; while it waits it is looked up anew.
    assert phone.get(f"/feed?after={end}&wait=2").status_code == 401


def test_a_token_has_no_phone_and_no_session_to_end(village: House) -> None:
    session = village.get("/session").json()
    assert (session["phone"], session["since"], session["pin_set"]) == (None, None, False)
    for method, path in (("DELETE", "/session"), ("PUT", "/session/pin")):
        answer = village.client.request(method, f"/v1{path}", json={"pin": "285714"}, headers=village.headers())
        assert (answer.status_code, answer.json()["code"]) == (404, "no-session")


def test_a_sessions_token_is_no_bearer_token_nor_the_other_way_round(village: House) -> None:
    phone = calling(village, "chair")
    assert village.client.get("/v1/session", headers={"Authorization": f"Bearer {phone.cookie}"}).status_code == 401
    assert Caller(village, phone.person, village.token).get("/session").status_code == 401


def test_a_phone_that_the_log_does_not_know_opens_nothing(village: House) -> None:
    """A row of the table alone lets nobody in, whoever wrote it there."""
    token = village.app.state.access.sessions.issue("h000000000000")
    assert Caller(village, "p000000000000", token).get("/session").status_code == 401


def test_a_person_ends_the_own_phone_that_was_lost_and_nobody_elses(village: House) -> None:
    lost, other = calling(village, "treasurer"), calling(village, "treasurer")
    kept = let_in(village, lost.person)
    phone_of = {each: each.get("/session").json()["phone"]["phone"] for each in (lost, kept, other)}

    assert kept.ask("DELETE", f"/phones/{phone_of[other]}").json()["code"] == "forbidden"
    assert kept.ask("DELETE", f"/phones/{phone_of[lost]}").status_code == 200
    assert kept.ask("DELETE", f"/phones/{phone_of[lost]}").json()["code"] == "phone-not-found"
    assert [each.get("/session").status_code for each in (lost, kept, other)] == [401, 200, 200]


def test_when_the_log_has_lost_who_was_let_in_they_are_out(village: House) -> None:
    phone = calling(village, "chair")
    assert phone.get("/session").status_code == 200
    village.state.ledger.database.execute("DELETE FROM stored_events WHERE originator_id = 'people'")
    looked_up_anew(village)
    assert phone.get("/session").status_code == 401


def test_our_own_origin_is_what_the_operator_says(tmp_path: Any) -> None:
    with house(f"sqlite:///{tmp_path / 'fund.db'}", origin="https://so-quy.example") as village:
        settle_in(village)
        person = admitted(village, "treasurer")
        invitation = village.recorded(f"/people/{person}/invitations")
        assert invitation["link"] == f"https://so-quy.example/open/{invitation['code']}"
        told = {"code": invitation["code"]}

        for origin in ("http://testserver", "http://so-quy.example", "https://so-quy.example.elsewhere.example"):
            answer = village.client.post("/v1/invitations/accept", json=told, headers={"Origin": origin})
            assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
        own = {"Origin": "https://so-quy.example"}
        assert village.client.post("/v1/invitations/accept", json=told, headers=own).status_code == 201


def test_other_cookies_change_nothing(village: House) -> None:
    phone = calling(village, "treasurer")
    for cookies in (f"lang=vi; {COOKIE}={phone.cookie}; x=y", f"{COOKIE}={phone.cookie};lang=en"):
        assert village.client.get("/v1/session", headers={"Cookie": cookies, **OURS}).status_code == 200
    for cookies in (f"x{COOKIE}={phone.cookie}", f"microfund={phone.cookie}", f"{COOKIE}=", "lang=vi"):
        assert village.client.get("/v1/session", headers={"Cookie": cookies, **OURS}).status_code == 401

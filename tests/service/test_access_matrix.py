"""Claims about who may do what: every route of the API's document × every role × own, other and no club × a token, a
phone and nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.access.authentication import OPEN
from service.access.sessions import COOKIE
from tests.support.access import CHECKPOINT, MAY, MEETING, Callers, Case, Route, cases, outcome
from tests.support.cases import case
from tests.support.people import OURS
from tests.support.service import FUND, NAME, OTHER_FUND, SOUND, House, house, settle_in

IN_FUNDS = [route for route in MAY if "{fund}" in route[1]]
UNSAFE = [route for route in MAY if route[0] != "get"]
CROSS_SITE = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "http://elsewhere.example"},
    {"Origin": "http://testserver.elsewhere.example"},
    {"Origin": "null"},
    {"Origin": ""},
]


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('villages') / 'fund.db'}") as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district="Văn Quan")
        yield running


@pytest.fixture(scope="module")
def callers(villages: House) -> Callers:
    return Callers(villages)


def entries(house: House) -> int:
    """How many entries the funds have; the people's log grows by the phones that are tried."""
    return sum(house.state.ledger.replayed(fund).version for fund in house.state.ledger.funds())


def test_every_route_has_its_row(villages: House) -> None:
    document = villages.client.get("/openapi.json").json()
    routes = {(method, path) for path, methods in document["paths"].items() for method in methods if path not in OPEN}

    assert routes == set(MAY)


@pytest.mark.parametrize("route", MAY, ids=str)
def test_a_role_may_what_the_contract_says_and_nothing_else(villages: House, callers: Callers, route: Route) -> None:
    before, alike = entries(villages), dict[Any, set[bytes]]()

    found = {}
    for tried in cases(route):
        answer = callers.asked(tried)
        found[tried] = outcome(answer)
        if tried.club != "own":
            alike.setdefault((tried.role, tried.credential), set()).add(answer.content)

    assert {tried: told for tried, told in found.items() if told != tried.expected} == {}
    # What is another club's is answered like what does not exist.
    assert {key for key, told in alike.items() if len(told) > 1} == set()
    assert entries(villages) == before


@pytest.mark.parametrize("token", [None, "mf_nobody", "", "a b", "x" * 5000])
def test_nothing_is_answered_without_a_valid_token(villages: House, callers: Callers, token: str | None) -> None:
    credentials = [{"Authorization": f"Bearer {token}"}, {"Cookie": f"{COOKIE}={token}", **OURS}]
    for route in MAY:
        for headers in credentials if token is not None else [{}]:
            with case(route, headers):
                answer = plainly(villages, route, headers)
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_what_another_site_may_have_sent_with_a_phones_cookie_is_refused(
    villages: House, callers: Callers, headers: dict[str, str]
) -> None:
    sent = {"Cookie": f"{COOKIE}={callers.phones['chair'].cookie}"} | headers
    for route in (*UNSAFE, ("post", "/v1/invitations/accept")):
        with case(route):
            answer = plainly(villages, route, sent)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "none"}, {"Origin": "http://testserver"}, {"Origin": "https://testserver"}], ids=str
)
def test_what_our_own_pages_send_is_taken(villages: House, callers: Callers, headers: dict[str, str]) -> None:
    phone = callers.phones["chair"]
    answer = plainly(villages, ("post", "/v1/funds/{fund}/expenses"), {"Cookie": f"{COOKIE}={phone.cookie}"} | headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_a_token_is_exempt_and_counts_where_a_cookie_came_too(
    villages: House, callers: Callers, headers: dict[str, str]
) -> None:
    both = {"Cookie": f"{COOKIE}={callers.phones['member'].cookie}", "Authorization": f"Bearer {villages.token}"}

    assert plainly(villages, ("post", "/v1/funds/{fund}/expenses"), both | headers).status_code == 200
    assert villages.client.get("/v1/session", headers=both).json()["phone"] is None
    unknown = both | {"Authorization": "Bearer mf_nobody"}
    assert villages.client.get("/v1/session", headers=unknown).status_code == 401


def test_only_reading_is_open_to_whom_another_site_leads_here(villages: House, callers: Callers) -> None:
    """A link in a message opens a page with the cookie; that is what SameSite=Lax is for."""
    headers = {"Cookie": f"{COOKIE}={callers.phones['chair'].cookie}", "Sec-Fetch-Site": "cross-site"}
    assert villages.client.get("/v1/session", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["members/2", "members/99", "papers/members/2", "papers/members/99"])
def test_a_member_finds_nobody_but_themselves(villages: House, callers: Callers, path: str) -> None:
    own, other = (callers.phones["member"].get(f"/funds/{FUND}/{each}") for each in (re.sub(r"\d+", "1", path), path))
    nobody = villages.get(f"/funds/{FUND}/{re.sub('[0-9]+', '99', path)}")

    assert own.status_code == 200
    assert NAME in own.text
    assert "Nông Văn Tài" not in own.text
    assert (other.status_code, other.content) == (404, nobody.content)


@pytest.mark.parametrize(
    "query", ["", "?head=" + "0" * 64, "?voucher=PT-2024-0001", "?code={code}&voucher=PT-2024-0001"]
)
def test_a_member_asks_about_a_code_and_nothing_else(villages: House, callers: Callers, query: str) -> None:
    code, phone = villages.get(f"/funds/{FUND}/verification").json()["check_code"], callers.phones["member"]

    assert phone.get(f"/funds/{FUND}/verification?code={code}").json()["matches_version"]
    answer = phone.get(f"/funds/{FUND}/verification{query.format(code=code)}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", ["reporter", "admin", "member"])
def test_whoever_reads_figures_never_sees_a_person(villages: House, callers: Callers, role: Any) -> None:
    for route in (route for route in IN_FUNDS if route[0] == "get"):
        with case(route):
            answer = callers.asked(Case(route, role, "own", "bearer"))
            is_own = role == "member" and "{member}" in route[1]
            hidden = {"Nông Văn Tài", "Tài"} if is_own else {NAME, "Sầm", "0912 3", "0912345", "names", "phone"}
            assert not any(secret in answer.text for secret in hidden)


def plainly(house: House, route: Route, headers: dict[str, str]) -> Any:
    """A route asked with these headers, about the own club and nobody in particular."""
    method, template = route
    named = {"fund": FUND, "person": "p000000000000", "phone": "h000000000000"}
    path = re.sub(r"{(\w+)}", lambda name: named.get(name[1], "99" if method == "delete" else "1"), template)
    if method != "post":
        return house.client.request(method, path, headers=headers, json={"pin": "285714"} if method == "put" else None)
    body = SOUND.get(template.removeprefix("/v1"), MEETING if template.endswith("/meetings") else {"code": "AAAA"})
    dry_run = "" if route == CHECKPOINT or template.endswith("/accept") else "?dry_run=true"
    return house.client.post(f"{path}{dry_run}", json=body, headers=headers)

"""Claims about who may do what: every route of the API's document × every role × own, other and unknown clubs."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.access.authentication import OPEN, Authentication
from service.access.principals import REMEMBERED_SECONDS, ROLES, Principal, Principals, Role, Scope
from tests.support.service import FUND, NAME, NEW_FUND, OTHER_FUND, SOUND, House, house, opening, settle_in

FIGURES: frozenset[Role] = frozenset(ROLES)
PEOPLE: frozenset[Role] = frozenset({"treasurer", "chair", "inspector"})
BOARD: frozenset[Role] = frozenset({"treasurer", "chair"})
CHAIR: frozenset[Role] = frozenset({"chair"})

MAY: dict[tuple[str, str], frozenset[Role]] = {
    ("get", "/v1/funds"): FIGURES,
    ("get", "/v1/borrowing"): FIGURES,
    ("get", "/v1/feed"): PEOPLE,
    ("get", "/v1/sample"): frozenset({"inspector"}),
    ("get", "/v1/funds/{fund}"): FIGURES,
    ("get", "/v1/funds/{fund}/balances"): FIGURES,
    ("get", "/v1/funds/{fund}/trial-balance"): FIGURES,
    ("get", "/v1/funds/{fund}/borrowing"): FIGURES,
    ("get", "/v1/funds/{fund}/members"): PEOPLE,
    ("get", "/v1/funds/{fund}/members/{member}"): PEOPLE,
    ("get", "/v1/funds/{fund}/loans"): FIGURES,
    ("get", "/v1/funds/{fund}/loans/{loan}"): FIGURES,
    ("get", "/v1/funds/{fund}/entries"): PEOPLE,
    ("get", "/v1/funds/{fund}/entries/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/diff"): PEOPLE,
    ("get", "/v1/funds/{fund}/cash-book"): FIGURES,
    ("get", "/v1/funds/{fund}/history"): PEOPLE,
    ("get", "/v1/funds/{fund}/verification"): FIGURES,
    ("get", "/v1/funds/{fund}/sheet"): PEOPLE,
    ("get", "/v1/funds/{fund}/dues"): PEOPLE,
    ("get", "/v1/funds/{fund}/cash-counts"): FIGURES,
    ("get", "/v1/funds/{fund}/sample"): PEOPLE,
    ("get", "/v1/funds/{fund}/flags"): PEOPLE,
    ("get", "/v1/flags"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/vouchers/{voucher}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/cash-book"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/loan-book"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/members/{member}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/cash-counts/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/meeting-sheet"): PEOPLE,
    ("delete", "/v1/funds/{fund}/members/{member}/person"): frozenset({"chair", "admin"}),
    ("get", "/v1/checkpoints"): FIGURES,
    ("get", "/v1/checkpoints/key"): FIGURES,
    ("get", "/v1/checkpoints/{number}"): FIGURES,
    ("get", "/v1/checkpoints/{number}/consistency"): FIGURES,
    ("get", "/v1/funds/{fund}/checkpoints/{number}"): FIGURES,
    ("post", "/v1/checkpoints"): frozenset({"admin", "inspector"}),
    ("post", "/v1/funds"): frozenset({"admin"}),
    ("post", "/v1/funds/{fund}/bylaws"): CHAIR,
    ("post", "/v1/funds/{fund}/place"): frozenset({"admin"}),
    ("post", "/v1/funds/{fund}/members"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/changes"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/departure"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/return"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/forgiven-dues"): CHAIR,
    ("post", "/v1/funds/{fund}/contributions"): BOARD,
    ("post", "/v1/funds/{fund}/donations"): BOARD,
    ("post", "/v1/funds/{fund}/in-kind-donations"): BOARD,
    ("post", "/v1/funds/{fund}/expenses"): BOARD,
    ("post", "/v1/funds/{fund}/loans"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/approval"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/rejection"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/disbursement"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/repayments"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/set-off"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/waiver"): CHAIR,
    ("post", "/v1/funds/{fund}/meetings/{version}/reversal"): BOARD,
    ("post", "/v1/funds/{fund}/meetings/{version}/attendance"): BOARD,
    ("post", "/v1/funds/{fund}/entries/{version}/reversal"): BOARD,
    ("post", "/v1/funds/{fund}/withdrawals"): BOARD,
    ("post", "/v1/funds/{fund}/incomes"): BOARD,
    ("post", "/v1/funds/{fund}/pot-transfers"): BOARD,
    ("post", "/v1/funds/{fund}/bank-movements"): BOARD,
    ("post", "/v1/funds/{fund}/advances"): BOARD,
    ("post", "/v1/funds/{fund}/advances/{advance}/repayments"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/rescheduling"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/write-off"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/recoveries"): BOARD,
    ("post", "/v1/funds/{fund}/cash-counts"): PEOPLE,
    ("post", "/v1/funds/{fund}/periods"): CHAIR,
    ("post", "/v1/funds/{fund}/periods/reopening"): CHAIR,
    ("post", "/v1/funds/{fund}/offices"): BOARD,
    ("post", "/v1/funds/{fund}/opening-balances"): BOARD,
    ("post", "/v1/funds/{fund}/opening-balances/corrections"): BOARD,
    ("post", "/v1/funds/{fund}/inspections"): frozenset({"inspector"}),
    ("post", "/v1/funds/{fund}/dissolution"): CHAIR,
    ("post", "/v1/funds/{fund}/meetings"): BOARD,
}
"""Who may, by the contract; a route that is not listed here fails the first claim below."""

CHECKPOINT = ("post", "/v1/checkpoints")
"""Records nothing in any fund, and so has no dry run."""
MEETING = {"held_on": "2024-05-15", "present": [1, 2], "lines": []}

IN_FUNDS = [route for route in MAY if "{fund}" in route[1]]


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('villages') / 'fund.db'}", checks_per_minute=3) as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district="Văn Quan")
        yield running


@pytest.fixture(scope="module")
def tokens(villages: House) -> dict[Role, str]:
    """One token a role, each for one fund only."""
    return {role: villages.issue(role, scope=Scope(funds=frozenset({FUND}))) for role in ROLES}


def asked(villages: House, route: tuple[str, str], token: str | None, fund: str = FUND) -> Any:
    """A route asked without leaving a trace: a write as a dry run of something sound, an erasure of nobody."""
    method, template = route
    path = re.sub(r"{(\w+)}", lambda name: fund if name[1] == "fund" else "99" if method == "delete" else "1", template)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if route == CHECKPOINT:
        return villages.client.post(path, json={}, headers=headers)
    if method == "post":
        body = SOUND.get(template.removeprefix("/v1"), MEETING)
        return villages.client.post(f"{path}?dry_run=true", json=body, headers=headers)
    return villages.client.request(method, path, headers=headers)


def test_every_route_has_its_row(villages: House) -> None:
    document = villages.client.get("/openapi.json").json()
    routes = {(method, path) for path, methods in document["paths"].items() for method in methods if path not in OPEN}

    assert routes == set(MAY)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", MAY, ids=str)
def test_a_role_may_what_the_contract_says_and_nothing_else(
    villages: House, tokens: dict[Role, str], route: tuple[str, str], role: Role
) -> None:
    before = villages.entries()

    answer = asked(villages, route, tokens[role])

    if role in MAY[route]:
        assert answer.status_code not in (401, 405), answer.text
        # An administrator of named funds may open no other; that is a matter of scope.
        assert answer.status_code != 403 or route == ("post", "/v1/funds")
        assert answer.status_code < 500
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert villages.entries() == before


@pytest.mark.parametrize("route", IN_FUNDS, ids=str)
def test_another_clubs_fund_answers_like_one_that_does_not_exist(
    villages: House, tokens: dict[Role, str], route: tuple[str, str]
) -> None:
    token = tokens[min(MAY[route])]

    other, unknown = asked(villages, route, token, OTHER_FUND), asked(villages, route, token, "LS-NO-SUCH")

    assert other.status_code == unknown.status_code == 404
    assert other.content == unknown.content
    assert {name: value for name, value in other.headers.items() if name != "date"} == dict(unknown.headers)


@pytest.mark.parametrize("token", [None, "mf_nobody", "", "a b", "x" * 5000])
@pytest.mark.parametrize("route", MAY, ids=str)
def test_nothing_is_answered_without_a_valid_token(villages: House, route: tuple[str, str], token: str | None) -> None:
    answer = asked(villages, route, token)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_only_a_bearer_is_let_in(villages: House, scheme: str) -> None:
    answer = villages.client.get("/v1/funds", headers={"Authorization": f"{scheme} {villages.token}".strip()})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(everything=True), [FUND, OTHER_FUND]),
        (Scope(province="Lạng Sơn"), [FUND, OTHER_FUND]),
        (Scope(province="Cao Bằng"), []),
        (Scope(province="Lạng Sơn", district="Văn Quan"), [OTHER_FUND]),
        (Scope(province="Lạng Sơn", commune="Mai Pha"), [FUND, OTHER_FUND]),
        (Scope(province="Lạng Sơn", district="Văn Quan", commune="Mai Pha"), [OTHER_FUND]),
        (Scope(province="Lạng Sơn", commune="Vân Nham"), []),
        (Scope(province="Cao Bằng", commune="Mai Pha"), []),
        (Scope(district="Văn Quan"), []),
        (Scope(commune="Mai Pha"), []),
        (Scope(funds=frozenset({FUND})), [FUND]),
        (Scope(funds=frozenset()), []),
    ],
    ids=str,
)
def test_lists_and_the_feed_hold_what_is_in_scope(villages: House, scope: Scope, seen: list[str]) -> None:
    token = villages.issue("inspector", scope=scope)

    listed = villages.get("/funds", token).json()
    fed = villages.get("/feed?limit=500", token).json()
    borrowing = villages.get("/borrowing", token).json()

    assert [fund["fund"] for fund in listed["items"]] == seen
    assert {item["event"]["fund"] for item in fed["items"]} == set(seen)
    assert borrowing["funds"] == len(seen)
    assert fed["next"] == villages.entries()


@pytest.mark.parametrize("dry_run", ["", "?dry_run=true"])
@pytest.mark.parametrize("district", ["Lạng Sơn", "Văn Quan"])
def test_nobody_learns_of_a_code_or_of_keys_in_another_province_by_opening_a_fund(
    villages: House, district: str, dry_run: str
) -> None:
    opened = opening(FUND)
    key = villages.state.ledger.replayed(FUND).entries[0].request.key  # type: ignore[union-attr]
    admin = villages.issue("admin", scope=Scope(province="Cao Bằng"))
    before = villages.entries()

    def ask(body: dict[str, Any], key: str | None = None) -> Any:
        return villages.post(f"/funds{dry_run}", body, admin, key)

    out_of_scope = ask(opening("CB-NO-SUCH", district=district))
    asked = [
        ask(opening(FUND, province="Cao Bằng", district=district)),
        ask(opening(FUND, province="Cao Bằng", district=district), key),
        ask(opened, key),
        ask(opened | {"plan": "48/KH-UBND"}, key),
        ask(opened),
    ]

    assert (out_of_scope.status_code, out_of_scope.json()["code"]) == (403, "forbidden")
    assert {answer.content for answer in asked} == {out_of_scope.content}
    assert {answer.status_code for answer in asked} == {403}
    assert villages.entries() == before


def test_in_scope_a_fund_that_exists_is_called_that_and_a_request_sent_again_is_answered(villages: House) -> None:
    admin = villages.issue("admin", scope=Scope(province="Lạng Sơn"))
    key = villages.state.ledger.replayed(FUND).entries[0].request.key  # type: ignore[union-attr]

    assert villages.post("/funds", opening(FUND), admin).json()["code"] == "fund-exists"
    assert villages.post("/funds", opening(FUND), admin, key).headers["Idempotency-Replayed"] == "true"
    assert villages.post("/funds", opening(FUND, commune="Hoàng Đồng"), admin, key).status_code == 422


@pytest.mark.parametrize("role", ["reporter", "admin"])
@pytest.mark.parametrize("route", [route for route in IN_FUNDS if route[0] == "get"], ids=str)
def test_whoever_reads_figures_never_sees_a_person(villages: House, route: tuple[str, str], role: Role) -> None:
    answer = asked(villages, route, villages.issue(role))

    assert not any(secret in answer.text for secret in (NAME, "Sầm", "0912", "names", "phone"))


def test_a_revoked_token_is_dead_within_seconds(villages: House) -> None:
    now = 0.0
    principals = Principals(villages.state.ledger.database, seconds=lambda: now)
    token = villages.issue("chair")
    holder = principals.holder(token)
    assert holder is not None
    assert principals.remembered(token) == holder

    assert principals.revoke(villages.clock(), token)
    assert not principals.revoke(villages.clock(), token)

    assert principals.remembered(token) == holder
    now = REMEMBERED_SECONDS
    assert principals.remembered(token) is None
    assert principals.holder(token) is None
    assert REMEMBERED_SECONDS <= 5


def test_requests_that_bring_a_token_in_the_same_moment_have_it_looked_up_once(villages: House) -> None:
    principals, token = villages.principals, villages.issue("chair")
    looked_up, entered = [], []

    def holder(token: str) -> Principal | None:
        looked_up.append(token)
        return Principals.holder(principals, token)

    async def room(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope["principal"].roles)

    async def never(*_: Any) -> Any:
        raise AssertionError("nobody is refused")

    async def all_at_once() -> None:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        scope = {"type": "http", "path": "/v1/funds", "headers": headers, "app": villages.app}
        door = Authentication(room)
        coming = [asyncio.ensure_future(door(dict(scope), never, never)) for _ in range(9)]
        await asyncio.sleep(0)
        coming[0].cancel()  # The first one, who asked for all, leaves.
        await asyncio.gather(*coming, return_exceptions=True)

    villages.principals.holder = holder  # type: ignore[method-assign]  # Counted, and asked all the same.
    asyncio.run(all_at_once())
    assert (len(looked_up), entered) == (1, [frozenset({"chair"})] * 8)


def test_a_token_is_not_stored(villages: House) -> None:
    stored = villages.state.ledger.database.query("SELECT * FROM tokens")

    assert stored
    assert villages.token not in str(stored)


def test_check_needs_no_token_tells_nothing_more_and_is_held_back(villages: House) -> None:
    code = villages.get(f"/funds/{FUND}/verification").json()["check_code"]
    query = {"right": (FUND, code), "other fund": (OTHER_FUND, code), "unknown": ("LS-NO-SUCH", code)}

    answers = {
        case: villages.client.get("/v1/check", params={"fund": fund, "code": of}) for case, (fund, of) in query.items()
    }
    held_back = villages.client.get("/v1/check", params={"fund": FUND, "code": code})

    assert answers["right"].json() == {"fund": FUND, "matches": True, "on": "2024-06-15"}
    assert answers["other fund"].json() == {"fund": OTHER_FUND, "matches": False, "on": None}
    assert answers["unknown"].json() == {"fund": "LS-NO-SUCH", "matches": False, "on": None}
    assert (held_back.status_code, held_back.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(held_back.headers["Retry-After"]) <= 60
    assert NEW_FUND not in str(answers)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"/v1/funds/{FUND}/members", "GET, HEAD, POST"),
        ("GET", f"/v1/funds/{FUND}/contributions", "POST"),
        ("PATCH", "/v1/funds", "GET, HEAD, POST"),
        ("POST", f"/v1/funds/{FUND}/history", "GET, HEAD"),
        ("OPTIONS", "/v1/funds", "GET, HEAD, POST"),
        ("TRACE", "/v1/funds", "GET, HEAD, POST"),
        ("HEAD", f"/v1/funds/{FUND}/contributions", "POST"),
        ("POST", "/docs", "GET, HEAD"),
        ("DELETE", "/healthz", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(villages: House, method: str, path: str, allowed: str) -> None:
    answer = villages.client.request(method, path, headers=villages.headers())

    assert answer.status_code == 405
    assert method == "HEAD" or answer.json()["code"] == "method-not-allowed"
    assert answer.headers["Allow"] == allowed

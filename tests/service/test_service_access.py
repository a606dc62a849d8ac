"""Claims about tokens and scopes: what they open, for how long, and what they never tell."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from service.access.authentication import Authentication
from service.access.principals import Principal, Scope
from service.access.remembering import REMEMBERED_SECONDS
from service.access.tokens import Principals
from tests.support.service import FUND, NEW_FUND, OTHER_FUND, House, house, opening, settle_in


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('villages') / 'fund.db'}", checks_per_minute=3) as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district="Văn Quan")
        yield running


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
        (Scope(funds=(FUND,)), [FUND]),
        (Scope(funds=()), []),
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


def test_a_revoked_token_is_dead_within_seconds(villages: House) -> None:
    now = 0.0
    principals = Principals(villages.state.ledger, seconds=lambda: now)
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

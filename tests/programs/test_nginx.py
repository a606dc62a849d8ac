"""nginx as `deploy/nginx.conf` sets it, before two copies of the service on one PostgreSQL."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ledger.history import verify
from scripts.fault_trials.front import Front
from service.access.principals import Scope
from service.access.tokens import Principals
from tests.support import microfund
from tests.support.jobs import DAY, NOW, opened, opening, recorded, stored

pytestmark = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")

FUNDS = [f"LS-BACSON-{number:02d}" for number in range(1, 13)]
SETTINGS = {"MICROFUND_PROXIES": "127.0.0.1", "MICROFUND_CHECKS_PER_MINUTE": "2"}
CLIENTS = 4


@pytest.fixture
def token(postgres_url: str) -> str:
    """Opens every fund; there are twelve."""
    with opened(postgres_url) as ledger:
        for answer in ledger.record([opening(fund) for fund in FUNDS]):
            recorded(answer)
        return Principals(ledger).issue(
            NOW, name="Thủ quỹ", roles=frozenset({"treasurer"}), scope=Scope(everything=True), members={}
        )


@pytest.fixture
def copies(postgres_url: str, token: str, tmp_path: Path) -> Iterator[list[microfund.Service]]:
    """Two copies of the service."""
    homes = [tmp_path / "one", tmp_path / "other"]
    for home in homes:
        home.mkdir()
    copies = [microfund.Service(microfund.environment_for(postgres_url) | SETTINGS, home, home) for home in homes]
    yield copies
    for copy in copies:
        copy.kill()


@pytest.fixture
def front(tmp_path_factory: pytest.TempPathFactory, copies: list[microfund.Service]) -> Iterator[Front]:
    """nginx before them."""
    front = Front(tmp_path_factory.mktemp("nginx"), [copy.port for copy in copies])
    yield front
    front.stop()


def give(asking: HTTPConnection, token: str, fund: str, key: str) -> tuple[int, Any]:
    """Post a gift of 1 đ."""
    body = json.dumps({"source": "community", "pot": "activity", "amount": 1, "on": str(DAY)})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    asking.request("POST", f"/v1/funds/{fund}/donations", body, headers)
    answer = asking.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_fund_always_reaches_the_same_copy_and_both_have_funds(front: Front, token: str) -> None:
    with closing(front.connection()) as asking:
        for turn in range(3):
            for fund in FUNDS:
                assert give(asking, token, fund, f"gift-{fund}-{turn}")[0] == 201
                for path in (f"/v1/funds/{fund}/balances", f"/clubs/{fund}/entries?after=1", "/readyz"):
                    asking.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                    assert asking.getresponse().read()
    reached = front.reached()
    elsewhere = reached.pop("")
    assert set(reached) == set(FUNDS)
    assert {len(at) for at in reached.values()} == {9}
    assert {len(set(at)) for at in reached.values()} == {1}
    assert len({at[0] for at in reached.values()}) == 2
    assert len(elsewhere) == 36
    assert len(set(elsewhere)) == 2, "what names no fund goes to any copy"


def test_the_funds_of_a_killed_copy_go_on_at_the_other_and_nothing_is_lost_or_twice(
    front: Front, copies: list[microfund.Service], token: str, postgres_url: str
) -> None:
    told: dict[str, dict[str, int]] = {fund: {} for fund in FUNDS}
    refused: list[object] = []
    heard, over = threading.Semaphore(0), threading.Event()

    def post(client: int) -> None:
        number = 0
        with closing(front.connection()) as asking:
            while not over.is_set():
                fund, key = FUNDS[(client * 3 + number) % len(FUNDS)], f"client-{client}-{number:06d}"
                status, answer = give(asking, token, fund, key)
                number += 1
                if status == 201:
                    told[fund][key] = answer["version"]
                else:
                    refused.append(answer)
                heard.release()

    clients = [threading.Thread(target=post, args=(client,)) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    for answers, then in ((60, copies[0].kill), (120, over.set)):
        for _ in range(answers):
            assert heard.acquire(timeout=60)
        then()
    for client in clients:
        client.join()

    assert refused == []
    other = f"127.0.0.1:{copies[1].port}"
    assert {at[-1].split(", ")[-1] for fund, at in front.reached().items() if fund} == {other}
    with opened(postgres_url) as ledger:
        for fund in FUNDS:
            keys = [event.request.key for event in ledger.replayed(fund).entries[2:] if event.request]
            assert dict(zip(keys, range(3, len(keys) + 3), strict=True)) == told[fund]
            assert verify(stored(ledger, fund)).valid


def test_who_asks_is_told_by_nginx_alone(front: Front, copies: list[microfund.Service]) -> None:
    def statuses(asking: HTTPConnection) -> list[int]:
        answers = []
        with closing(asking):
            for number in range(6):
                spoken = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
                asking.request("GET", f"/v1/check?fund={FUNDS[0]}&code=AAAA-AAAA-AAAA-AAAA", headers=spoken)
                answer = asking.getresponse()
                answer.read()
                answers.append(answer.status)
        return answers

    assert set(statuses(HTTPConnection("127.0.0.1", copies[0].port))) == {200}, "whom it believes may say anything"
    assert 429 in statuses(front.connection())


def test_figures_are_not_for_the_world_and_an_answer_bears_the_id_that_nginx_gave(front: Front) -> None:
    found = {}
    with closing(front.connection()) as asking:
        for path in ("/metrics", "/healthz"):
            asking.request("GET", path, headers={"X-Request-Id": "chosen-by-who-asks"})
            answer = asking.getresponse()
            answer.read()
            found[path] = (answer.status, answer.headers["X-Request-Id"])
    assert found["/metrics"] == (404, None)
    assert re.fullmatch("[0-9a-f]{32}", found["/healthz"][1])


def test_whoever_comes_without_tls_is_sent_on(front: Front) -> None:
    with closing(HTTPConnection("127.0.0.1", front.plain)) as asking:
        asking.request("GET", "/clubs/LS-BACSON-01?on=2024-01-05", headers={"Host": "so-quy.example"})
        answer = asking.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Location"]) == (
            308,
            "https://so-quy.example/clubs/LS-BACSON-01?on=2024-01-05",
        )

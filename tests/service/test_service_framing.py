"""Claims about requests as such: methods, addresses, headers that are given twice, and clients that leave."""

import inspect
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.app import create_app
from service.http.refusals import PdfUnavailable
from service.settings import Settings
from tests.service.test_service_hostile import address_of, operations
from tests.service.test_service_problems import Failing
from tests.support.service import FUND, SOUND, House, house, settle_in

CONTRIBUTIONS = f"/v1/funds/{FUND}/contributions"
MEETINGS = f"/v1/funds/{FUND}/meetings"
MEETING = {"held_on": "2024-05-15", "present": [1, 2], "lines": []}
BODIES = {CONTRIBUTIONS: SOUND["/funds/{fund}/contributions"], MEETINGS: MEETING}
"""A write by its own door, and one by FastAPI's."""


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('village') / 'fund.db'}", checks_per_minute=1_000) as running:
        settle_in(running)
        assert running.state.follower.wait_for(running.entries(), 30)  # `/readyz` says how far it is.
        yield running


# --- methods and addresses ----------------------------------------------------------------------------------------


def test_a_head_is_answered_as_the_get_is_but_for_the_body(village: House) -> None:
    addresses = [address_of(path, operation) for method, path, operation in operations() if method == "get"]
    for address in [*addresses, "/docs", "/openapi.json", "/v1/no-such-thing"]:
        got, head = (village.client.request(method, address, headers=village.headers()) for method in ("GET", "HEAD"))
        is_moving = address.startswith("/metrics")  # Each request is in the figures of the next.
        own = {"x-request-id"} | ({"content-length"} if is_moving else set())
        same = {name: value for name, value in got.headers.items() if name not in own}

        assert (head.status_code, head.content) == (got.status_code, b""), address
        assert same.items() <= head.headers.items()
    assert len(addresses) > 30
    assert 'method="HEAD",route="/v1/funds/{fund}"' in village.client.get("/metrics").text


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/v1/funds/", f"/v1/funds/{FUND}/", f"{CONTRIBUTIONS}/", f"{MEETINGS}/", "/docs/"])
def test_an_address_with_a_slash_too_many_leads_nowhere(village: House, method: str, path: str) -> None:
    headers = village.headers() | {"Host": "elsewhere.example", "Idempotency-Key": village.key()}
    answer = village.client.request(method, path, headers=headers, follow_redirects=False)

    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "elsewhere" not in answer.text


def test_an_answer_that_the_apis_document_does_not_name_would_be_found(village: House) -> None:
    writer = village.state.writer
    village.state.writer = Failing(PdfUnavailable())  # type: ignore[assignment]

    with pytest.raises(AssertionError, match="contributions: 501"):
        village.post(f"/funds/{FUND}/contributions", SOUND["/funds/{fund}/contributions"])
    village.state.writer = writer


# --- headers given twice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match", "Authorization", "Content-Type"])
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("is_same", [True, False], ids=["same", "other"])
def test_a_header_of_which_one_counts_is_not_taken_twice(village: House, path: str, header: str, is_same: bool) -> None:
    first = {
        "Idempotency-Key": village.key(),
        "If-Match": "*",
        "Authorization": f"Bearer {village.token}",
        "Content-Type": "application/json",
    }
    other = {
        "Idempotency-Key": village.key(),
        "If-Match": '"7"',
        "Authorization": "Bearer mf_nobody",
        "Content-Type": "text/plain",
    }
    before = village.entries()
    twice = [*first.items(), (header, (first if is_same else other)[header])]

    answer = village.client.request("POST", path, content=b"{}", headers=twice)

    assert (answer.status_code, answer.json()["code"]) == (400, "header-given-twice")
    assert answer.json()["header"] == header
    assert village.entries() == before


def test_a_list_goes_on_where_its_header_is_given_again(village: House) -> None:
    headers = [*village.headers().items(), ("Accept-Language", "fr;q=0.9"), ("Accept-Language", "en;q=0.5")]

    for path in (CONTRIBUTIONS, MEETINGS, "/v1/funds/LS-NO-SUCH"):
        answer = village.client.request("GET", path, headers=headers)
        assert answer.headers["Content-Language"] == "en"


# --- clients that leave -------------------------------------------------------------------------------------------


def leave_amid(village: House, path: str) -> list[Any]:
    """Send half a body and hang up; what was answered."""
    headers = {"content-type": "application/json", "content-length": "1000", "idempotency-key": village.key()}
    headers |= {"authorization": f"Bearer {village.token}"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    coming = iter(
        [{"type": "http.request", "body": b'{"amount":', "more_body": True}, *[{"type": "http.disconnect"}] * 2]
    )
    answered: list[Any] = []

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        answered.append(message)

    village.service.run(village.app(scope, receive, send))
    return answered


@pytest.mark.parametrize("path", BODIES)
def test_a_client_that_hangs_up_amid_its_body_is_no_fault_of_the_service(
    village: House, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = village.entries()

    with caplog.at_level(logging.DEBUG, logger="microfund"):
        answered = leave_amid(village, path)
    told = [(record.levelname, record.getMessage(), vars(record)["status"]) for record in caplog.records]

    route = path.replace(FUND, "{fund}")
    figures = village.client.get("/metrics").text
    assert answered == []
    assert told == [("INFO", "request", 499)]
    assert f'method="POST",route="{route}",status="499"' in figures
    assert 'status="500"' not in figures
    assert village.entries() == before


def test_routes_are_looked_into_when_they_are_asked_for_and_not_at_the_start() -> None:
    """What all of them read takes as long to work out as half of what else a start takes."""
    counting = (
        "from service.app import create_app; from service.settings import Settings; "
        "print(*('dependant' in vars(route) for route in create_app(Settings()).routes))"
    )
    told = subprocess.run([sys.executable, "-c", counting], capture_output=True, text=True, check=True).stdout.split()

    assert len(told) > 150
    assert told.count("True") < 10  # Those of the document and of health, which are FastAPI's own.


def test_no_route_has_a_thread_only_to_look_at_something() -> None:
    """FastAPI asks a plain function in a thread of its own, and waits for it."""

    def plain(dependant: Dependant) -> Iterator[str]:
        for wanted in dependant.dependencies:
            if not inspect.iscoroutinefunction(wanted.call):
                yield getattr(wanted.call, "__qualname__", str(wanted.call))
            yield from plain(wanted)

    app = create_app(Settings())
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) > 100
    assert {name for route in routes for name in plain(route.dependant)} == set()

"""Claims about the cookie of a phone, tried in a real browser: it is kept, sent to us alone and read by no script."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page

from service.access.sessions import COOKIE
from tests.support.commands import command
from tests.support.microfund import served
from tests.support.service import FUND, house, settle_in

ASK = """async ([method, address, body]) => {
    const answer = await fetch(address, {method, credentials: "include", headers: {"Content-Type": "application/json"},
        body: body === null ? undefined : JSON.stringify(body)});
    return [answer.status, await answer.json()];
}"""
SEND = (
    """address => fetch(address, {method: "POST", mode: "no-cors", credentials: "include", body: "{}"}).then(() => 0)"""
)


def test_a_phone_is_logged_in_and_out_in_a_real_browser(sqlite_url: str, browser: Browser) -> None:
    with house(sqlite_url) as running:
        settle_in(running)
    said = command(sqlite_url, "people", "invite", "--name", "Lành Thị Điệp", "--role", "chair", "--fund", FUND).stdout
    (code,) = set(re.findall("[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}", said))

    with served(sqlite_url) as address, served(sqlite_url) as neighbour, browser.new_context() as phone:
        page = phone.new_page()
        page.goto(f"{address}/healthz")
        status, told = page.evaluate(ASK, ["POST", f"{address}/v1/invitations/accept", {"code": code}])
        assert (status, told["roles"]) == (201, ["chair"])

        (cookie,) = page.context.cookies()
        assert cookie["name"] == COOKIE
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "127.0.0.1")
        assert page.evaluate("document.cookie") == ""

        assert page.evaluate(ASK, ["GET", f"{address}/v1/session", None])[0] == 200
        assert page.evaluate(ASK, ["PUT", f"{address}/v1/session/pin", {"pin": "285714"}])[0] == 200
        page.goto(f"{address}/v1/session")  # As by a link in a message.
        assert "Lành Thị Điệp" in page.content()

        # Another port is the same site to a browser, which sends the cookie along; it is not our origin.
        writing = f"{address}/v1/funds/{FUND}/expenses"
        assert sent_from(page, f"{neighbour}/healthz", writing) == 403
        # Another site, and the browser leaves the cookie at home.
        elsewhere = neighbour.replace("127.0.0.1", "localhost")
        assert sent_from(page, f"{elsewhere}/healthz", writing) == 401

        page.goto(f"{address}/healthz")
        assert page.evaluate(ASK, ["DELETE", f"{address}/v1/session", None])[0] == 200
        assert page.context.cookies() == []
        assert page.evaluate(ASK, ["GET", f"{address}/v1/session", None])[0] == 401


def sent_from(page: Page, place: str, address: str) -> int:
    """What a request is answered that a page of another origin sends."""
    page.goto(place)
    with page.expect_response(address) as awaited:
        page.evaluate(SEND, address)
    return awaited.value.status

"""People who come in by phone: invited, let in, and asking with the cookie that their phone keeps."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

from service.access.sessions import COOKIE
from tests.support.service import FUND, House

OURS = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a request that our own page sends."""
PIN = "285714"


class Caller:
    """Somebody who asks from a phone."""

    def __init__(self, house: House, person: str, cookie: str) -> None:
        self.house = house
        self.person = person
        self.cookie = cookie

    def headers(self) -> dict[str, str]:
        """What the browser sends along."""
        return {"Cookie": f"{COOKIE}={self.cookie}", **OURS}

    def ask(self, method: str, path: str, body: Any = None, pin: str | None = None, **headers: str) -> Any:
        """A request as the browser sends it, from our own page."""
        sent = self.headers() | {name.replace("_", "-"): value for name, value in headers.items()}
        if pin is not None:
            sent["Approval-Pin"] = pin
        if method == "POST":
            sent.setdefault("Idempotency-Key", self.house.key())
        told = None if method in ("GET", "DELETE") else body or {}
        return self.house.client.request(method, f"/v1{path}", headers=sent, json=told)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.ask("POST", path, body, **how)

    def choose_pin(self, pin: str = PIN) -> Caller:
        answer = self.ask("PUT", "/session/pin", {"pin": pin})
        assert answer.status_code == 200, answer.text
        return self


def admitted(house: House, *roles: str, scope: dict[str, Any] | None = None, **more: Any) -> str:
    """A person put into the directory by the house's own token; of the club, unless it is said otherwise."""
    body = {"name": "Nông Thị Hoa", "roles": roles, "scope": scope or {"funds": [FUND]}, **more}
    return str(house.recorded("/people", body)["person"])


def invited(house: House, person: str) -> str:
    """A code that lets a person in."""
    return str(house.recorded(f"/people/{person}/invitations")["code"])


def accepted(house: House, code: str, **headers: str) -> Any:
    """What a phone is answered that brings a code."""
    return house.client.post("/v1/invitations/accept", json={"code": code}, headers=OURS | headers)


def cookie_of(answer: Any) -> str:
    """The token that a phone is given to keep."""
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value


def let_in(house: House, person: str) -> Caller:
    """A person on a new phone."""
    answer = accepted(house, invited(house, person))
    assert answer.status_code == 201, answer.text
    return Caller(house, person, cookie_of(answer))


def calling(house: House, *roles: str, **more: Any) -> Caller:
    """A new person with these roles, on a phone."""
    return let_in(house, admitted(house, *roles, **more))

"""Nobody comes in without a valid token or a phone's session, save at the few addresses that need neither."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.origin import refuse_cross_site
from service.access.principals import Principal
from service.access.sessions import COOKIE, COOKIE_SECONDS, Session, Sessions
from service.access.tokens import Principals
from service.http.parsing import accept_language, header
from service.http.problems import problem_response
from service.http.refusals import CrossSite, Unauthorized

T = TypeVar("T")

OPEN: Final = frozenset(
    {
        "/v1/check",
        "/v1/invitations/accept",
        "/open",
        "/offline",
        "/offline/meeting",
        "/sw.js",
        "/manifest.webmanifest",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
    }
)
"""Addresses that need no log-in."""
OPEN_TO_ALL: Final = frozenset({"/", "/check"})
"""Those that need none either, and say more to who is logged in."""
STATIC: Final = "/static/"
"""Where the addresses of assets begin; they need no log-in."""
LOGIN: Final = "/open/"
"""Where the addresses begin that a person logs in at, each with a code."""
OPEN_TO_LOG_IN: Final = frozenset({"/open", "/v1/invitations/accept"})
"""The others at which one logs in."""


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def cookie(scope: Scope) -> str | None:
    """The token that a phone keeps, if there is one. Other cookies are none of our business."""
    for name, value in scope["headers"]:
        if name == b"cookie" and COOKIE.encode() in value:
            return cookie_parser(str(value, "latin-1")).get(COOKIE) or None
    return None


def set_cookie(response: Response, token: str) -> None:
    """Have a phone keep its token: sent to us alone, over TLS alone, and out of reach of any script."""
    response.set_cookie(COOKIE, token, COOKIE_SECONDS, path="/", secure=True, httponly=True, samesite="lax")


def clear_cookie(response: Response) -> None:
    """Have a phone forget its token."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


class Authentication:
    """Lets nobody in without a valid token, and notes whose it is in `scope["principal"]`; and in `scope["session"]`
    the phone that it came from, None for a token of a program."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._asked: dict[tuple[str, str], asyncio.Future[Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401; or 403 to one that another site may have sent."""
        if scope["type"] == "http":
            refused: Response
            try:
                is_known = await self._admit(scope)
            except CrossSite as refusal:
                refused = problem_response(refusal, accept_language(scope))
                return await refused(scope, receive, send)
            if not is_known:
                refused = _led_to_log_in(scope) or problem_response(Unauthorized(), accept_language(scope))
                return await refused(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> bool:
        """Note who asks; answers whether they may come in. Raises `CrossSite`."""
        path = scope["path"]
        if path in OPEN or path.startswith((STATIC, LOGIN)):
            if path in OPEN_TO_LOG_IN or path.startswith(LOGIN):
                refuse_cross_site(scope, _own_origin(scope))
            return True
        principal, session = await self._holder(scope)
        if session is not None:
            refuse_cross_site(scope, _own_origin(scope))
            principal = session.principal
        if principal is None:
            return path in OPEN_TO_ALL
        scope["principal"], scope["session"] = principal, session
        return True

    async def _holder(self, scope: Scope) -> tuple[Principal | None, Session | None]:
        """Whose token came with a request, or else whose phone it came from: where both did, the token counts."""
        if token := bearer(header(scope, b"authorization")):
            principals = _principals(scope)
            return principals.remembered(token) or await self._looked_up("token", token, principals.holder), None
        if token := cookie(scope):
            sessions = _sessions(scope)
            return None, sessions.remembered(token) or await self._looked_up("session", token, sessions.holder)
        return None, None

    async def _looked_up(self, kind: str, token: str, look_up: Callable[[str], T]) -> T:
        """The holder of a token, asked for once by all requests that bring it in the same moment."""
        asked = self._asked.get((kind, token))
        if asked is None:
            asked = self._asked[kind, token] = asyncio.ensure_future(asyncio.to_thread(look_up, token))
            asked.add_done_callback(lambda _: self._asked.pop((kind, token)))
        found: T = await asyncio.shield(asked)  # One who leaves takes it away from nobody.
        return found


def _principals(scope: Scope) -> Principals:
    principals: Principals = scope["app"].state.principals
    return principals


def _sessions(scope: Scope) -> Sessions:
    sessions: Sessions = scope["app"].state.sessions
    return sessions


def _own_origin(scope: Scope) -> str | None:
    origin: str | None = scope["app"].state.own.settings.origin
    return origin


async def still(request: Request) -> Principal:
    """Whoever asked, looked up anew: what they may see can end while they wait. Raises `Unauthorized`."""
    scope = request.scope
    principal: Principal | None = None
    if scope["session"] is not None:
        session = await asyncio.to_thread(_sessions(scope).holder, cookie(scope) or "")
        principal = session.principal if session else None
    elif token := bearer(header(scope, b"authorization")):
        principal = await asyncio.to_thread(_principals(scope).holder, token)
    if principal is None:
        raise Unauthorized
    return principal


def _led_to_log_in(scope: Scope) -> Response | None:
    """The way to the log-in, for a person's browser; a program is told what it lacks."""
    is_page = scope["method"] == "GET" and not scope["path"].startswith("/v1/")
    if is_page and "text/html" in (header(scope, b"accept") or ""):
        return RedirectResponse("/open", 303)
    return None

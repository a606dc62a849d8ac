"""Nobody comes in without a valid token, save at the few addresses that need none."""

import asyncio
from typing import Final

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.principals import Principal, Principals
from service.http.parsing import accept_language, header
from service.http.problems import problem_response
from service.http.refusals import Unauthorized


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


OPEN: Final = frozenset({"/", "/v1/check", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}) | {
    "/offline",
    "/offline/meeting",
    "/sw.js",
    "/manifest.webmanifest",
}
"""Addresses that need no token."""


class Authentication:
    """Lets nobody in without a valid token, and notes whose it is in `scope["principal"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._asked: dict[str, asyncio.Future[Principal | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in OPEN and not scope["path"].startswith(STATIC):
            principal = await self._holder(scope)
            if principal is None:
                refused: Response = problem_response(Unauthorized(), accept_language(scope))
                return await refused(scope, receive, send)
            scope["principal"] = principal
        return await self._app(scope, receive, send)

    async def _holder(self, scope: Scope) -> Principal | None:
        principals: Principals = scope["app"].state.principals
        token = bearer(header(scope, b"authorization"))
        if token is None:
            return None
        return principals.remembered(token) or await self._looked_up(principals, token)

    async def _looked_up(self, principals: Principals, token: str) -> Principal | None:
        """The holder of a token, asked for once by all requests that bring it in the same moment."""
        asked = self._asked.get(token)
        if asked is None:
            asked = self._asked[token] = asyncio.ensure_future(asyncio.to_thread(principals.holder, token))
            asked.add_done_callback(lambda _: self._asked.pop(token))
        return await asyncio.shield(asked)  # One who leaves takes it away from nobody.


STATIC: Final = "/static/"
"""Where the addresses of assets begin; they need no token."""


def principals_of(request: Request) -> Principals:
    """The principals of the service a request came to."""
    principals: Principals = request.app.state.principals
    return principals

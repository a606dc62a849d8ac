"""The two rings around every route, as plain ASGI: one guards and counts, one asks who comes."""

import asyncio
import time
from typing import Final

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth import Principal, Principals, bearer
from service.metrics import Metrics
from service.parsing import header
from service.problems import answer, refusal_for
from service.refusals import Unauthorized

OPEN: Final = frozenset({"/v1/check", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})
"""Addresses that need no token."""


class Guard:
    """Turns what nobody foresaw into a problem without details, keeps answers out of caches and counts them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see its answer out."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"cache-control", b"no-store")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  # The last net: logged, counted, answered.
            problem = answer(refusal_for(error), header(scope, b"accept-language"))
            if not status:
                await problem(scope, receive, watched)
        finally:
            self._metrics.count(scope, status, time.perf_counter() - began)


class Doorkeeper:
    """Lets nobody in without a valid token, and notes whose it is in `scope["principal"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._asked: dict[str, asyncio.Future[Principal | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            principal = await self._holder(scope)
            if principal is None:
                refused: Response = answer(Unauthorized(), header(scope, b"accept-language"))
                return await refused(scope, receive, send)
            scope["principal"] = principal
        return await self._app(scope, receive, send)

    async def _holder(self, scope: Scope) -> Principal | None:
        principals: Principals = scope["app"].state.desk.principals
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

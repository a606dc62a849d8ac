"""The ring around every route, as plain ASGI: what nobody foresaw is answered as a problem, and all is counted and
logged."""

import time
from collections.abc import Iterable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.refusals import NotFound
from service.http.asked import CURRENT, HEADER, Asked
from service.http.logs import RequestLog
from service.http.metrics import METHODS, Metrics
from service.http.parsing import accept_language
from service.http.problems import problem_response, refusal_for

LEFT: Final = 499
"""The status under which a request is counted whose sender left before the answer, as nginx has it."""


class ErrorsAndMetrics:
    """Turns what nobody foresaw into a problem without details, keeps answers out of caches, gives each its id, counts
    and logs them."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see its answer out."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status, method = time.perf_counter(), LEFT, scope["method"]
        asked = Asked(scope)
        CURRENT.set(asked)  # The server answers each request in a context of its own.
        if method == "HEAD":  # Answered like GET, without the body; the server needs its own scope as it is.
            scope = {**scope, "method": "GET"}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message.get("headers", ()), asked)
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            if not (scope["path"].isascii() and scope["path"].isprintable()):
                raise NotFound  # noqa: TRY301  # No address of ours is written so, and no database need see it.
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            pass  # Nobody is there to be answered, and nothing is wrong here.
        except Exception as error:  # noqa: BLE001  # The last net: logged, counted, answered.
            problem = problem_response(refusal_for(error), accept_language(scope))
            if status == LEFT:
                await problem(scope, receive, watched)
        finally:
            seconds, route = time.perf_counter() - began, getattr(scope.get("route"), "path", "none")
            method = method if method in METHODS else "other"
            self._metrics.count(method, route, status, seconds, asked.refusal)
            self._log.tell(asked, method, route, status, seconds)


def _completed(headers: Iterable[tuple[bytes, bytes]], asked: Asked) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with its request's id; caches may not keep it, unless it says itself how long."""
    given = [*headers, (HEADER, asked.id)]
    if not any(name == b"cache-control" for name, _ in given):
        given.append((b"cache-control", b"no-store"))
    return given

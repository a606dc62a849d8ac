"""A client of a service in the test's own process: a request is one call into the service's event loop, and not the
eight that Starlette's TestClient makes to be able to stream: half of a request's time is two threads that wait for each
other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

Answer = TypeVar("Answer")

ORIGIN = "http://testserver"


class Running(httpx2.BaseTransport):
    """A service whose life goes on in a thread of its own; what it raises, the request raises."""

    def __init__(self, app: FastAPI, loop: asyncio.AbstractEventLoop) -> None:
        self._app: Any = app
        self._loop = loop

    def run(self, called: Coroutine[Any, Any, Answer]) -> Answer:
        """Let the service's loop do something, and wait until it is done."""
        return asyncio.run_coroutine_threadsafe(called, self._loop).result()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, when all of it is there."""
        url = request.url
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": "",
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("testclient", 50_000),
            "server": (url.host, url.port or {"http": 80, "https": 443}[url.scheme]),
            "state": {},
        }
        start, body = self.run(self._answer(scope, request.read()))
        return httpx2.Response(
            start["status"],
            headers=start.get("headers", ()),
            stream=httpx2.ByteStream(b"" if request.method == "HEAD" else body),
            request=request,
        )

    async def _answer(self, scope: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        starts, parts, is_over = list[dict[str, Any]](), list[bytes](), asyncio.Event()
        coming = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            if message := next(coming, None):
                return message
            await is_over.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            assert not is_over.is_set()
            if message["type"] == "http.response.start":
                starts.append(message)
                return
            assert message["type"] == "http.response.body"
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                is_over.set()

        await self._app(scope, receive, send)
        (start,) = starts
        return start, b"".join(parts)


@contextmanager
def running(app: FastAPI) -> Iterator[Running]:
    """A service from its start to its end."""
    with TestClient(app) as life:
        assert life.portal
        yield Running(app, life.portal.call(asyncio.get_running_loop))

"""The short way through FastAPI for what is asked most: a route that reads its request by itself.

FastAPI works out the parameters of each request one by one, at several times the cost of recording it. A direct route
keeps what FastAPI is good for, the API's document: its endpoint's signature says what is read, and only says so.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.events import FUND_CODE
from ledger.refusals import NotFound
from service.http.parsing import MAX_BODY, StrictRoute, accept_language, parse, read_body, refuse_unknown_parameters
from service.http.problems import problem_response, refusal_for

_PATTERNS: Final = {"fund": re.compile(FUND_CODE)}
A_FUND: Final = "{fund}"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class DirectRoute(StrictRoute):
    """A route whose endpoint takes the request alone, and whose errors are answered on the spot."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or leave one of another method to be refused."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response: Response = await self.endpoint(request)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  # What nobody foresaw is logged and answered as elsewhere.
            response = problem_response(
                refusal_for(error), accept_language(scope), getattr(request.state, "body", None)
            )
        await response(scope, receive, send)


class Service(FastAPI):
    """FastAPI with a door of its own for direct routes, past the layers that are there for other routes."""

    def open_door(self, routes: Iterable[BaseRoute], guarded: Callable[[ASGIApp], ASGIApp]) -> None:
        """Let requests for the direct ones among these routes in by their door; `guarded` is put around it."""
        self._direct: dict[str, list[DirectRoute]] = defaultdict(list)
        for route in routes:
            if isinstance(route, DirectRoute):
                self._direct[_last_word(route.path)].append(route)
        self._door = guarded(_hand_over)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to whom it is for."""
        if scope["type"] == "http" and not scope.get("root_path"):
            for route in (*self._direct.get(_last_word(scope["path"]), ()), *self._direct.get(A_FUND, ())):
                if (found := route.path_regex.match(scope["path"])) and scope["method"] in (route.methods or ()):
                    scope.update(app=self, route=route, path_params=found.groupdict())
                    await self._door(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


def _last_word(path: str) -> str:
    """What a path ends with; those of direct routes end with a word or a fund's code, never with a number."""
    return path.rpartition("/")[2]


async def _hand_over(scope: Scope, receive: Receive, send: Send) -> None:
    await scope["route"].handle(scope, receive, send)


async def body_of(request: Request, known: frozenset[str], most: int = MAX_BODY) -> Any:
    """The parsed body of a request that has no other query parameters than the known ones."""
    if request.scope["query_string"]:
        refuse_unknown_parameters(request.query_params, known)
    request.state.body = parse(await read_body(request, most))
    return request.state.body


def path_of(request: Request) -> tuple[str, tuple[int, ...]]:
    """The fund a path names (empty for none) and the numbers in it. Raises `NotFound` for what no path of ours has."""
    given: Mapping[str, str] = request.path_params
    if not all(_PATTERNS.get(name, _NUMBER).fullmatch(text) for name, text in given.items()):
        raise NotFound
    return given.get("fund", ""), tuple(int(text) for name, text in given.items() if name != "fund")

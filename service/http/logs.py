"""The log of the service: a line of JSON each, or a readable one where a person looks on.

Who asks, for whom and with what never gets into it: a request is told by its route's pattern and its id, and of an
exception its kind and its place, for its message may hold what somebody sent.
"""

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from math import inf
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from service.http.asked import CURRENT, Asked
from service.settings import Settings

log: Final = logging.getLogger("microfund.request")


class RequestLog:
    """A line for each request, or for the notable ones: those that were refused, failed or took long."""

    def __init__(self, settings: Settings) -> None:
        which = settings.log_requests
        self._quickest = {"all": 0.0, "notable": settings.slow_seconds, "none": inf}[which]
        self._lowest = inf if which == "none" else 400

    def tell(self, asked: Asked, method: str, route: str, status: int, seconds: float) -> None:
        """Tell of a request that was answered."""
        if status < self._lowest and seconds < self._quickest:
            return
        facts = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        if asked.refusal and status >= 400:
            facts["code"] = asked.refusal
        log.log(logging.ERROR if status >= 500 else logging.INFO, "request", extra=facts)


def write_log_to(stream: TextIO) -> None:
    """Have all that any part of this process logs, uvicorn's lines too, written there."""
    is_watched = stream.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if is_watched else structlog.processors.JSONRenderer(_in_json)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.processors.TimeStamper("iso", utc=True),
                add_log_level,
                add_logger_name,
                ExtraAdder(allow=("method", "route", "status", "seconds", "code")),
                _with_request_id,
                _without_values,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    sys.excepthook = lambda kind, error, at: _ended("the process ends", error)
    threading.excepthook = lambda ended: _ended("a thread ends", ended.exc_value)


def _ended(what: str, error: BaseException | None) -> None:
    logging.getLogger("microfund").critical(what, exc_info=error)


def _in_json(line: Any, **_: Any) -> str:
    return msgspec.json.encode(line, enc_hook=str).decode()


def _with_request_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if asked := CURRENT.get():
        line["request_id"] = asked.id.decode()
    return line


def _without_values(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A line without what an exception says, and without what asyncio adds below its own words: the same once more."""
    if line["logger"] == "asyncio":
        line["event"] = line["event"].partition("\n")[0]
    if found := line.pop("exc_info", None):
        kind, _error, at = found
        line["exception"], line["traceback"] = kind.__name__, "".join(traceback.format_tb(at))
    return line

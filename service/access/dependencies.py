"""What routes are given of access: the throttle, the log of readers, and where a request comes from."""

from typing import Annotated

from fastapi import Depends, Request

from service.access.readers import ReaderLog
from service.access.throttle import Throttle
from service.http.addresses import address_of, neighbourhood
from service.http.state import state_of


async def _throttle(request: Request) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


async def _neighbourhood(request: Request) -> str:
    return neighbourhood(address_of(request.scope, state_of(request).settings.proxies))


async def _reader_log(request: Request) -> ReaderLog:
    log: ReaderLog = request.app.state.reader_log
    return log


AtReaderLog = Annotated[ReaderLog, Depends(_reader_log)]
AtThrottle = Annotated[Throttle, Depends(_throttle)]
Neighbourhood = Annotated[str, Depends(_neighbourhood)]
"""What a sender's tries are counted by, whoever they say they are."""

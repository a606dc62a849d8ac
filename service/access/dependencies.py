"""What routes are given of access: the throttle, and where a request comes from."""

from typing import Annotated

from fastapi import Depends, Request

from service.access.throttle import Throttle
from service.http.addresses import address_of, neighbourhood
from service.http.state import state_of


def _throttle(request: Request) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


def _neighbourhood(request: Request) -> str:
    return neighbourhood(address_of(request.scope, state_of(request).settings.proxies))


AtThrottle = Annotated[Throttle, Depends(_throttle)]
Neighbourhood = Annotated[str, Depends(_neighbourhood)]
"""What a sender's tries are counted by, whoever they say they are."""

"""Where each fund is: what the scope of a principal is made of."""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from ledger.application import Ledger
from service.access.principals import REMEMBERED_SECONDS, Place


class _Remembered(NamedTuple):
    until: float
    place: Place


class Places:
    """Where the funds of a ledger are now. Remembered for a few seconds, for another copy of the service may be told
    that a club has moved; what this one is told holds at once."""

    def __init__(self, ledger: Ledger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._seconds = seconds
        self._remembered: dict[str, _Remembered] = {}
        self._forgotten = 0

    async def place_of(self, fund: str) -> Place | None:
        """Where a fund is, None if there is no such fund. From the log, so that a fund just opened is known at once."""
        until, place = self._remembered.get(fund, (0.0, None))
        now, forgotten = self._seconds(), self._forgotten
        if place and now < until:
            return place
        if place:  # One looks; those who come meanwhile are not made to wait.
            self._remembered[fund] = _Remembered(now + REMEMBERED_SECONDS, place)
        place = await asyncio.to_thread(self._place_now, fund)
        if place and self._forgotten == forgotten:
            self._remembered[fund] = _Remembered(now + REMEMBERED_SECONDS, place)
        return place

    def forget(self, fund: str) -> None:
        """Look anew for where a fund is: it has just moved. What somebody looked up before that is not kept either."""
        self._forgotten += 1
        self._remembered.pop(fund, None)

    def _place_now(self, fund: str) -> Place | None:
        told = self._ledger.place_of(fund)
        return Place(told.province, told.district, told.commune) if told else None


def places_of(request: Request) -> Places:
    """The places of the service a request came to."""
    places: Places = request.app.state.places
    return places


AtPlaces = Annotated[Places, Depends(places_of)]

"""Where each fund is: what the scope of a principal is made of."""

import asyncio
import time
from collections.abc import Callable
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

from ledger.application import Ledger
from service.access.principals import Place
from service.access.remembering import Remembered
from service.http.state import at_once


class Places:
    """Where the funds of a ledger are now. Remembered for a few seconds, for another copy of the service may be told
    that a club has moved; what this one is told holds at once."""

    def __init__(self, ledger: Ledger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._remembered: Remembered[Place] = Remembered(seconds)
        self._for_practice: dict[str, bool] = {}
        self._moves = 0
        self._turn = Lock()

    async def place_of(self, fund: str) -> Place | None:
        """Where a fund is, None if there is no such fund. From the log, so that a fund just opened is known at once."""
        return self._remembered.get(fund) or await asyncio.to_thread(self.known, fund)

    async def is_for_practice(self, fund: str) -> bool:
        """Whether a fund is there to practise on, which it never begins or ceases to be."""
        if fund not in self._for_practice:
            self._for_practice[fund] = await asyncio.to_thread(self._ledger.is_for_practice, fund)
        return self._for_practice[fund]

    def known(self, fund: str) -> Place | None:
        """The same; blocks, unless somebody asked a moment ago."""
        if place := self._remembered.get(fund):
            return place
        asked_at, moves = self._remembered.now(), self._moves
        told = self._ledger.place_of(fund)
        if told is None:
            return None
        place = Place(told.province, told.district, told.commune)
        with self._turn:
            # What was looked up before a club moved, and found after it, is not kept.
            return self._remembered.put(fund, place, asked_at) if moves == self._moves else place

    def forget(self, fund: str) -> None:
        """Look anew for where a fund is: it has just moved."""
        with self._turn:
            self._moves += 1
            self._remembered.forget(fund)


def places_of(request: Request) -> Places:
    """The places of the service a request came to."""
    places: Places = request.app.state.places
    return places


AtPlaces = Annotated[Places, Depends(at_once(places_of))]

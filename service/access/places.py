"""Where each fund is: what the scope of a principal is made of."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from ledger.application import Ledger
from ledger.events import FundOpened, is_fund
from service.access.principals import Place


class Places:
    """The places of all funds of a ledger, each looked up once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._places: dict[str, Place] = {}

    async def place_of(self, fund: str) -> Place | None:
        """Where a fund is, None if there is no such fund. From the log, so that a fund just opened is known at once."""
        return self._places.get(fund) or await asyncio.to_thread(self.known, fund)

    def known(self, fund: str) -> Place | None:
        """The same; blocks, the first time a fund is asked for."""
        if fund not in self._places:
            opened = self._opened(fund) if is_fund(fund) else None
            if opened is None:
                return None
            self._places[fund] = Place(opened.province, opened.district, opened.commune)
        return self._places[fund]

    def _opened(self, fund: str) -> FundOpened | None:
        event = next((entry.event for entry in self._ledger.entries(fund, upto=1)), None)
        assert event is None or isinstance(event, FundOpened)
        return event


def places_of(request: Request) -> Places:
    """The places of the service a request came to."""
    places: Places = request.app.state.places
    return places


AtPlaces = Annotated[Places, Depends(places_of)]

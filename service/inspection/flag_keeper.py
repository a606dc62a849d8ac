"""Looks for red flags before anybody asks: beside the answers, one fund after the other, and seldom enough that nobody
waits for it. Whoever asks first in a day finds what was found in the night."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.aggregates.log import BrokenChain
from ledger.projections import funds
from ledger.projections.read_model import ReadModelBroken
from ledger.refusals import Refusal
from service.http.state import AppState
from service.inspection.flag_service import FlagService

FIRST_SECONDS: Final = 5.0
"""How long a service that has just started is left alone."""
POLL_SECONDS: Final = 30.0
"""How long to wait before looking again whether anything is new."""
FIRST_SHARE: Final = 10
SHARE_OF_TIME: Final = 20
"""Looking takes one part in so many of the time: the first time, when nothing is known yet, and later."""
BUSY_SHARE: Final = 200
"""The same while others record or ask: they share one interpreter with it, and each would wait some hundredths of a
second longer. On the evening when all clubs meet, besides, each look is at a fund that is still growing."""
MOST_FUNDS: Final = 500
"""Of so many funds the flags are kept ready; more are looked for when they are asked for."""


class FlagKeeper:
    """Keeps the flags of all clubs ready, as of today. A context: it ends when that is left."""

    def __init__(self, state: AppState, flag_service: Callable[[], FlagService], waited_for: Callable[[], int]) -> None:
        """`waited_for` tells how many requests were answered that somebody may have waited for."""
        self._state = state
        self._flag_service = flag_service
        self._left = Event()
        self._waited_for = waited_for
        self._answered = 0
        """How many these were when that was last looked at."""
        self._thread = Thread(target=self._run, name="flag-keeper", daemon=True)

    def __enter__(self) -> "FlagKeeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        seconds, share = FIRST_SECONDS, FIRST_SHARE
        while not self._left.wait(seconds):
            with suppress(PersistenceError, ReadModelBroken, Refusal):  # It is looked for again in a while.
                for took in self.look():
                    if self._left.wait(self.pause(took, share)):
                        return
                share = SHARE_OF_TIME
            seconds = POLL_SECONDS

    def pause(self, took: float, share: int) -> float:
        """How many seconds to leave the service alone after a look that took so many: longer if anything was answered
        since this was last asked."""
        before, self._answered = self._answered, self._waited_for()
        return took * ((share if self._answered == before else BUSY_SHARE) - 1)

    def look(self) -> Iterator[float]:
        """Look at each fund in which something is new; yields the seconds that each took."""
        day = self._state.today()
        clubs = self._state.read_model.ask(lambda tables, _: funds.funds(tables, funds.FundFilter(), limit=MOST_FUNDS))
        for club in clubs["items"]:
            service = self._flag_service()
            if not service.knows(club["fund"], club["head"], day):
                began = time.monotonic()
                with suppress(BrokenChain):
                    service.flags(club["fund"], club["version"], club["head"], day)
                yield time.monotonic() - began

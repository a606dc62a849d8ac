"""What reports need beside the ledger: the plans, and what is known of the chains of the log."""

import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

from ledger.database import Transaction
from ledger.plans import Plans, load_plans
from ledger.reports.chains import Chains
from ledger.reports.club import Reported
from ledger.reports.indicators import TARGETS
from ledger.reports.report import Told
from service.settings import Settings

TRUSTED_SECONDS: Final = 60.0
"""How long lines that held together are taken to hold together still, without being read again."""
SHARE_OF_TIME: Final = 20
"""Reading all lines again takes at most one part in so many of the time."""

MOST_TOLD: Final = 500
"""Clubs, each with a question, of which it is kept what was told."""


class ReportState:
    """The parts of a running service that are about reports."""

    def __init__(self, settings: Settings, seconds: Callable[[], float] = time.monotonic) -> None:
        self.plans: Plans = plans_of(settings)
        self._seconds = seconds
        self._chains = Chains()
        self._begun_at = -TRUSTED_SECONDS
        self._took = 0.0
        self._turn = Lock()
        self.told: Mapping[Told, Reported] = {}
        """What was told of clubs before; never changed, but exchanged."""

    def keep(self, told: Mapping[Told, Reported]) -> None:
        """Keep what was told of clubs; what was kept longest ago is forgotten first."""
        with self._turn:
            kept = {**self.told, **told}
            self.told = dict(islice(kept.items(), max(len(kept) - MOST_TOLD, 0), None)) if told else kept

    def chains(self, tables: Transaction, upto: int, *, anew: bool = False) -> Chains:
        """What is known of the chains up to a position. All lines are read again from time to time, and when it is
        asked for: a line that was changed since it was read is found then."""
        with self._turn:
            now = self._seconds()
            if anew or now - self._begun_at > max(TRUSTED_SECONDS, SHARE_OF_TIME * self._took):
                self._chains = Chains()
                self._chains.follow(tables, upto)
                self._begun_at, self._took = now, self._seconds() - now
            else:
                self._chains.follow(tables, upto)
            return self._chains


def plans_of(settings: Settings) -> Plans:
    """The plans that the settings know of. Raises `BadPlan`."""
    return load_plans(TARGETS, Path(settings.plans) if settings.plans else None)

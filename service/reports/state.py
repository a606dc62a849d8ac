"""What reports need beside the ledger: the plans, and what is known of the chains of the log."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

from ledger.database import Database, Transaction
from ledger.plans import Plans, load_plans
from ledger.reports.chains import Chains
from ledger.reports.indicators import TARGETS
from ledger.reports.report import Told
from service.settings import Settings

TRUSTED_SECONDS: Final = 60.0
"""How long lines that held together are taken to hold together still, without being read again."""
SHARE_OF_TIME: Final = 20
"""Reading all lines again takes at most one part in so many of the time."""

POSITIONS_AT_ONCE: Final = 1_000
"""After so many the reading can be left off, and rests when it is done beside the answers: whoever is answered would
else wait for the interpreter at each of their questions to the database."""
REST_SECONDS: Final = 0.05
MOST_TOLD: Final = 20_000
"""Clubs, each with a question, of which it is kept what was told: two questions about a country, in some 50 MB."""


class ReportState:
    """The parts of a running service that are about reports. Leave it as a context before the database is closed."""

    def __init__(self, settings: Settings, database: Database, seconds: Callable[[], float] = time.monotonic) -> None:
        self.plans: Plans = plans_of(settings)
        self.told: dict[Told, bytes] = {}
        """What was told of clubs before; never changed, but exchanged."""
        self._database = database
        self._seconds = seconds
        self._chains: Chains | None = None
        self._begun_at = self._took = 0.0
        self._turn = Lock()
        self._aside = ThreadPoolExecutor(1, "chains")
        self._is_reading = self._is_left = False

    def __enter__(self) -> "ReportState":
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left = True
        self._aside.shutdown()

    def keep(self, told: Mapping[Told, bytes]) -> None:
        """Keep what was told of clubs; what was kept longest ago is forgotten first."""
        if told:
            kept = {**self.told, **told}
            self.told = dict(islice(kept.items(), max(len(kept) - MOST_TOLD, 0), None))

    # --- chains ---------------------------------------------------------------------------------------------------

    def chains(self, tables: Transaction, upto: int, *, anew: bool = False) -> Chains:
        """What is known of the chains up to a position. From time to time all lines are read again, beside the answers:
        a line that was changed since it was read is found then. `anew` reads them for this answer."""
        if anew:
            self._read(tables, upto)
        with self._turn:
            if self._chains is None:
                self._read(tables, upto)
            assert self._chains
            self._chains.follow(tables, upto)
            is_due = self._seconds() - self._begun_at > max(TRUSTED_SECONDS, SHARE_OF_TIME * self._took)
            if is_due and not (self._is_reading or self._is_left):
                self._is_reading = True
                self._aside.submit(self._read_aside, upto)
            return self._chains

    def _read(self, tables: Transaction, upto: int, rest: float = 0) -> None:
        """Read all lines up to a position, with rests of so many seconds."""
        begun_at, chains = self._seconds(), Chains()
        for reached in range(0, upto, POSITIONS_AT_ONCE):
            if self._is_left:
                return
            time.sleep(rest)
            chains.follow(tables, min(reached + POSITIONS_AT_ONCE, upto))
        self._chains, self._begun_at, self._took = chains, begun_at, self._seconds() - begun_at

    def _read_aside(self, upto: int) -> None:
        try:
            with self._database.transaction(commit=False) as tables:
                self._read(tables, upto, REST_SECONDS)
        finally:
            self._is_reading = False


def plans_of(settings: Settings) -> Plans:
    """The plans that the settings know of. Raises `BadPlan`."""
    return load_plans(TARGETS, Path(settings.plans) if settings.plans else None)

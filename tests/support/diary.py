"""A log that is no fund's, of a kind that only the tests know: the weather, as it is noted at the village hall."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
from eventsourcing.persistence import StoredEvent

from ledger.aggregates.kinds import Kind
from ledger.aggregates.log import EntryMetadata, Log
from ledger.application import Ledger
from ledger.events import Entry, Event, Request
from ledger.jobs import Job
from ledger.refusals import NothingChanged
from tests.support.jobs import DAY, NOW, recorded

DAYS = 5
DIARY = "diary"
UPPER_DIARY = "diary:THON-TREN"
"""The diary of the upper hamlet: a kind may have a log for each of many things."""


class WeatherNoted(Event, frozen=True, kw_only=True, gc=False):
    """How the weather was on `on`. `member` numbers who noted it, which is nobody's number in a fund."""

    weather: str
    member: int = 7

    def evolve(self, fund: Diary) -> None:
        fund.weather[self.on] = self.weather


class Diary(Log):
    """The weather by day."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.weather: dict[date, str] = {}

    def note(self, metadata: EntryMetadata, weather: str) -> WeatherNoted:
        """Note a day's weather. Raises `NothingChanged` when the day has that weather already."""
        if self.weather.get(metadata.on) == weather:
            raise NothingChanged
        return self._record(WeatherNoted, metadata, weather=weather)


DIARIES = Kind(Diary, msgspec.json.Decoder(WeatherNoted).decode)


def noting(key: str, weather: str = "mưa", *, on: date = DAY, log: str = DIARY, **options: Any) -> Job:
    """A request to note a day's weather."""
    request = Request(key, f"digest of {weather}")
    metadata = EntryMetadata(on=on, recorded_at=NOW, recorded_by="treasurer-1", request=request)
    return Job(
        fund=log,
        decide=lambda diary: diary.note(metadata, weather),
        request=request,
        aggregate=Diary,
        opens=True,
        **options,
    )


def note_days(ledger: Ledger, days: int, *, log: str = DIARY) -> None:
    """Have the weather of some days noted."""
    for number in range(days):
        weather, on = ("nắng", "mưa", "sương mù")[number % 3], DAY - timedelta(days=number)
        recorded(ledger.record([noting(f"note-{number:04}", weather, on=on, log=log)])[0])


def noted(log: str, days: int) -> list[Entry]:
    """The entries of a diary that was never stored."""
    diary = Diary(log)
    for number in range(days):
        on = DAY - timedelta(days=days - number)
        diary.note(EntryMetadata(on=on, recorded_at=NOW, recorded_by="treasurer-1"), "mưa")
    return diary.pending


def rewrite(ledger: Ledger, log: str, lines: list[bytes]) -> None:
    """Put other lines in the place of a log's own, behind its back."""
    with ledger.database.transaction() as transaction:
        transaction.execute("DELETE FROM stored_events WHERE originator_id = :log", log=log)
    ledger.recorder.insert_events([StoredEvent(log, number, "", line) for number, line in enumerate(lines, 1)])

"""What every request finds at hand: the settings, the ledger, its writer, its read model and the clock."""

from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi import Depends, Request

from ledger.application import Ledger
from ledger.days import civil_day
from ledger.history import Verified
from ledger.jobs import Recorded
from ledger.projections.follower import Follower
from ledger.projections.read_model import ReadModel
from ledger.projections.shared_reads import SharedReads
from ledger.storage.postgres import PostgresStorage
from ledger.storage.sqlite import SQLiteStorage
from ledger.writer import Writer
from service.http.notifier import Notifier
from service.settings import Settings

T = TypeVar("T")


def utc_now() -> datetime:
    """The instant; only the edge looks at a clock."""
    return datetime.now(UTC)


FUNDS_VERIFIED: Final = 64
"""Of so many funds the digests of their lines are kept, 32 bytes a line."""


class Acknowledged:
    """The last position that this process has acknowledged to anybody, in each log and in all: whoever asks about a
    fund waits until the tables have what was recorded there, and not for all other clubs' entries of that evening."""

    MOST: Final = 10_000
    """Of so many logs each has its own."""

    def __init__(self) -> None:
        self.latest = 0
        self._of: dict[str, int] = {}
        self._elsewhere = 0

    def note(self, recorded: Recorded) -> None:
        """Note what was recorded; a dry run has no position."""
        position = recorded.position or 0
        self.latest = max(self.latest, position)
        if len(self._of) >= self.MOST:
            self._of.clear()
            self._elsewhere = self.latest
        self._of[recorded.fund] = max(self.of(recorded.fund), position)

    def of(self, log: str) -> int:
        """The last position of a log, or one that is not before it."""
        return self._of.get(log, self._elsewhere)


class KeptFigures:
    """What was found in a fund's books as they are, which is found again until something more is recorded there: by
    the tables as they were made, the hash of the fund's last line, the day, and the question. Emptied when it is full.
    """

    MOST: Final = 4_096
    """Some 2 KB each."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Any] = {}

    def get(self, key: Hashable) -> Any:
        """What was found; None if that was not asked."""
        return self._by_key.get(key)

    def put(self, key: Hashable, figures: Any) -> None:
        """Keep what was found; nobody may change it any more."""
        if len(self._by_key) >= self.MOST:
            self._by_key.clear()
        self._by_key[key] = figures


class AppState:
    """The parts of a running service."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        writer: Writer,
        read_model: ReadModel,
        follower: Follower,
        notifier: Notifier,
        shared_reads: SharedReads,
        now: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.writer = writer
        self.read_model = read_model
        self.follower = follower
        self.notifier = notifier
        self.now = now
        self.shared_reads = shared_reads
        self.log_at_start = ledger.recorder.max_notification_id() or 0
        """What the log held when this process started: nothing is answered from less."""
        self.forget()

    def forget(self) -> None:
        """Remember nothing of the log: at the beginning, and when some of it turns out to be gone."""
        self.verified = Verified(FUNDS_VERIFIED)
        self.acknowledged = Acknowledged()
        self.kept_figures = KeptFigures()

    def today(self) -> date:
        """The day it is in the village."""
        return civil_day(self.now())

    def has_lost_its_tail(self) -> bool:
        """Whether the log ends before what it held when this process started: nothing more will come of that."""
        end = self.ledger.recorder.max_notification_id() or 0
        if end >= self.log_at_start:
            return False
        self.log_at_start = end
        return True

    @property
    def storage(self) -> SQLiteStorage | PostgresStorage:
        """What the log lies in."""
        return cast("SQLiteStorage | PostgresStorage", self.ledger.factory)

    def storage_trouble(self) -> str | None:
        """Why nothing can be read, or nothing stored; None while all is well as far as it was last seen."""
        return self.storage.trouble() or self.ledger.health.trouble


def state_of(request: Request) -> AppState:
    """The state of the service a request came to."""
    state: AppState = request.app.state.own
    return state


def at_once(look: Callable[[Request], T]) -> Callable[[Request], Awaitable[T]]:
    """Something to look at, as a dependency of routes: FastAPI hands a plain function to a thread, and waits for it."""

    async def asked(request: Request) -> T:
        return look(request)

    return asked


AtState = Annotated[AppState, Depends(at_once(state_of))]

"""The thread that makes a checkpoint each village day, however many copies of the service run."""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.checkpoints import Checkpoints, Overtaken
from ledger.checkpoints.notes import Signer
from ledger.days import civil_day
from ledger.kept_states import Difference
from ledger.refusals import NothingToVouchFor, Refusal
from service.checkpoints.signing import BadKey

POLL_SECONDS: Final = 60.0
"""How often the day is looked at, the first time so long after the start; a failing storage is tried again as often."""

REST_SECONDS: Final = 0.1
"""Between two funds whose states are compared with their logs."""

log = logging.getLogger("microfund")


class Anchoring:
    """Entered and left like a file. `trouble` is None, or what keeps checkpoints from being made."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        signer: Callable[[], Signer],
        now: Callable[[], datetime],
        poll: float,
        prove: Callable[[], Iterable[Difference | None]] = tuple,
    ) -> None:
        """`prove` compares the states that were kept since it last did with replays of the log."""
        self.trouble: str | None = None
        self.made_at: datetime | None = None
        """The instant of the latest checkpoint, as last seen."""
        self.wrong_states: list[Difference] = []
        """Kept states of funds that were not what their logs come to, found since this process started."""
        self._checkpoints = checkpoints
        self._signer = signer
        self._now = now
        self._poll = poll
        self._prove = prove
        self._done_on: date | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anchoring", daemon=True)

    def __enter__(self) -> "Anchoring":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop after the checkpoint at hand."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._poll):
            self.look()

    def look(self) -> None:
        """Make today's checkpoint unless there is one, or nothing new; whatever fails is tried again the next time."""
        now = self._now()
        if civil_day(now) == self._done_on:
            return
        try:
            self._look(now)
            self._prove_states()
        except Overtaken:
            return  # Another copy of the service was faster: the next look finds its checkpoint.
        except (PersistenceError, Refusal, BadKey) as error:
            self._report(error)
        except Exception as bug:  # noqa: BLE001  # Told like any trouble; a thread that died would never try again.
            self._report(bug)
        else:
            self.trouble = None

    def _look(self, now: datetime) -> None:
        latest = self._checkpoints.latest()
        if latest is None or civil_day(latest.checkpoint.made_at) < civil_day(now):
            try:
                latest = self._checkpoints.make(self._signer(), now)
            except NothingToVouchFor:
                return
        self.made_at = latest.checkpoint.made_at
        self._done_on = civil_day(now)

    def _prove_states(self) -> None:
        """Compare what was kept of funds with their logs, one after the other and with rests, for people are served
        meanwhile. Of one that was wrong the fund is loaded anew; what was recorded since is to be looked at."""
        for found in self._prove():
            if found:
                self.wrong_states.append(found)
                parts = ", ".join(found.parts)
                log.error("a kept state was wrong: fund %s, version %d, in %s", found.log, found.version, parts)
            if self._stopping.wait(REST_SECONDS):
                return

    def _report(self, error: Exception) -> None:
        trouble = error.why if isinstance(error, BadKey) else type(error).__name__
        if self.trouble != trouble:
            log.error("no checkpoint is made: %s", trouble)
        self.trouble = trouble

"""What of the log is gone: entries this process had acknowledged or read, and that the log no longer holds.

After a fail-over to a standby that lagged behind, or a restore under a running service, a fund may end earlier than is
remembered. Nothing may be built on what is gone (`storage/` sees to that within the writing transaction); here it is
found out which versions those are, and told: in the process's own log, and in a table for `/readyz` and `verify`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from eventsourcing.persistence import IntegrityError, PersistenceError

from ledger.aggregates.log import Log
from ledger.database import Database
from ledger.events import NO_HEAD

log = logging.getLogger("microfund")


class LastLine(NamedTuple):
    """Where a fund stands: its version, and the hash of the line there."""

    fund: str
    version: int
    head: str


class MissingLine(IntegrityError):
    """The log does not hold the line that something rests on: nothing was stored, and memory is no longer to be
    trusted."""


class Loss(msgspec.Struct, frozen=True):
    """The versions of a fund, from the first to the last, that were in the log once and are not what is there now."""

    fund: str
    first: int
    last: int


class Losses:
    """Compares each fund that is read anew with what this process knows to have been in the log."""

    def __init__(self, database: Database) -> None:
        self.on_loss: Callable[[], object] = lambda: None
        """Called when a loss is found; from the writer's thread."""
        self._database = database
        self.doubted: dict[str, Log] = {}
        """What memory held of funds until the log is read anew, to be compared with it."""
        self._known: dict[str, LastLine] = {}

    def note(self, fund: str, version: int, head: str) -> None:
        """Remember that a line is in the log: it was acknowledged, or read."""
        known = self._known.get(fund)
        if known is None or version >= known.version:
            self._known[fund] = LastLine(fund, version, head)

    def compare(self, code: str, fund: Log | None) -> None:
        """Look whether a fund as just read, or None if the log has nothing of it, still holds all that was known."""
        doubted, known = self.doubted.pop(code, None), self._known.pop(code, None)
        if fund:
            self.note(code, fund.version, fund.head)
        if known and _head(fund, known.version) != known.head:
            # Of what memory had let go of nothing is known: it is taken to be there still.
            remembered = range(max(doubted.entries.unheld, 1), known.version) if doubted else range(0)
            first = next(
                (version for version in remembered if _head(doubted, version) != _head(fund, version)),
                min(known.version, fund.version + 1 if fund else 1),
            )
            self._tell(Loss(code, first, known.version))

    def _tell(self, loss: Loss) -> None:
        log.error("entries are gone from the log: fund %s, versions %d to %d", loss.fund, loss.first, loss.last)
        self.on_loss()
        try:
            self._database.execute(
                "INSERT INTO losses VALUES (:fund, :first, :last) ON CONFLICT DO NOTHING",
                **msgspec.structs.asdict(loss),
            )
        except PersistenceError as error:
            log.error("the loss could not be written down: %s", type(error).__name__)  # noqa: TRY400  # No values.

    def found(self) -> list[Loss]:
        """All losses that any process found, by fund."""
        if not self._database.has("losses"):
            return []  # A database that is only read may have been made before there was this table.
        rows = self._database.values("SELECT fund, first_version, last_version FROM losses ORDER BY 1, 2, 3")
        return [Loss(*row) for row in rows]


def _head(fund: Log | None, version: int) -> str | None:
    """The hash of a fund's line at a version, None if it has none there."""
    if fund is None or version > fund.version:
        return None
    return fund.head if version == fund.version else fund.entries[version].prev if version else NO_HEAD

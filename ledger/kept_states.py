"""The states of funds that are kept beside the log, so that loading a fund is one of them and the lines since.

The log is all that counts. A state is used only if it was made by the source that this program runs, is whole, and
stands on a line that the log holds; any other is as if it were not there, and the fund is replayed. Whether one says
what a replay says is proved by `difference`, as the read model's tables are proved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.aggregates import kept
from ledger.aggregates.entries import Read
from ledger.aggregates.fund import Fund
from ledger.aggregates.log import BrokenChain, Log
from ledger.database import Database, Row
from ledger.refusals import FundNotFound

log = logging.getLogger("microfund")

EVERY: Final = 384
"""Lines after which a fund's state is kept anew: so many are replayed at most when it is loaded."""

KEEP: Final = (
    "INSERT INTO kept_states (log, version, head, form, state, is_proved) "
    "VALUES (:log, :version, :head, :form, :state, 0) ON CONFLICT (log) DO UPDATE SET version = excluded.version, "
    "head = excluded.head, form = excluded.form, state = excluded.state, is_proved = 0"
)
FIND: Final = "SELECT version, head, state FROM kept_states WHERE log = :log AND form = :form"
FOREIGN: Final = "SELECT log, version, head FROM kept_states WHERE form <> :form ORDER BY log"
UNPROVED: Final = "SELECT log FROM kept_states WHERE form = :form AND is_proved = 0 ORDER BY log"
PROVED: Final = "UPDATE kept_states SET is_proved = 1 WHERE log = :log AND version = :version AND head = :head"
FORGET: Final = "DELETE FROM kept_states WHERE log = :log AND version = :version AND head = :head"


class Difference(NamedTuple):
    """A kept state that is not what a replay of the log up to its version makes it, and in which of its parts;
    `unreadable` is none of these: its bytes were changed."""

    log: str
    version: int
    parts: tuple[str, ...]


class KeptStates:
    """The table of kept states."""

    def __init__(self, database: Database, read: Callable[[str], Read]) -> None:
        """`read` reads the events of a log."""
        self.every = EVERY
        self._form = kept.form()  # Now, for the source on disk may be another one soon.
        self._database = database
        self._read = read

    def find(self, code: str) -> Fund | None:
        """A fund as it was kept, if its state can be used; whether the log holds its line is still to be seen."""
        rows = self._database.query(FIND, log=code, form=self._form)
        return self._unpacked(code, rows[0]) if rows else None

    def _unpacked(self, code: str, row: Row) -> Fund | None:
        try:
            fund = kept.unpack(code, row["state"], self._read(code))
        except kept.Unreadable:
            return None
        return fund if (fund.version, fund.head) == (row["version"], row["head"]) else None

    def keep(self, fund: Log) -> None:
        """Keep a fund's state, all of which is in the log. What fails is only told: the log needs none of it."""
        assert isinstance(fund, Fund)
        assert not fund.pending, "only what is stored is kept"
        try:
            state = kept.pack(fund)
            self._database.execute(
                KEEP, log=fund.id, version=fund.version, head=fund.head, form=self._form, state=state
            )
        except Exception as error:  # noqa: BLE001  # Whoever records must live on; and nothing is lost by it.
            log.warning("the state of a fund was not kept: %s", type(error).__name__)

    def foreign(self) -> list[Row]:
        """The funds whose states another version of this program kept, `{log, version, head}` each: until they are
        renewed, the first entry on such a fund waits for a replay."""
        if not self._database.has("kept_states"):
            return []  # A database that is only read may have been made before there was this table.
        return self._database.query(FOREIGN, form=self._form)

    def renew(self, foreign: Row, replayed: Callable[[str], Fund]) -> int:
        """Keep such a fund's state as this version has it; answers how many entries were gone through."""
        try:
            fund = replayed(foreign["log"])
        except (BrokenChain, FundNotFound):
            self._database.execute(FORGET, **foreign)  # Told where the history itself is looked at.
            return 0
        self.keep(fund)
        return fund.version

    def unproved(self) -> list[str]:
        """The funds whose states were not compared with a replay since they were kept."""
        return [row["log"] for row in self._database.query(UNPROVED, form=self._form)]

    def difference(self, code: str, replayed: Callable[[int], Fund]) -> Difference | None:
        """Compare a fund's state with a replay up to its version. One that differs, or stands on a line that is gone,
        is gone afterwards where anything may be written: no decision may rest on it."""
        if not self._database.has("kept_states"):
            return None  # A database that is only read may have been made before there was this table.
        for row in self._database.query(FIND, log=code, form=self._form):
            difference, is_borne_out = self._compared(code, row, replayed)
            if self._database.access != "read":
                found = {"log": code, "version": row["version"], "head": row["head"]}
                self._database.execute(PROVED if is_borne_out and difference is None else FORGET, **found)
            return difference
        return None

    def _compared(self, code: str, row: Row, replayed: Callable[[int], Fund]) -> tuple[Difference | None, bool]:
        """In what a state differs, and whether the log has the line that it stands on."""
        version = row["version"]
        fund = self._unpacked(code, row)
        if fund is None:
            return Difference(code, version, ("unreadable",)), True
        try:
            truth = replayed(version)
        except (BrokenChain, FundNotFound):
            return None, False  # Told where the history itself is looked at.
        if (truth.version, truth.head) != (version, row["head"]):
            return None, False
        parts = kept.differences(fund, truth)
        return Difference(code, version, tuple(parts)) if parts else None, True

"""The states of funds that are kept beside the log, so that loading a fund is one of them and the lines since.

The log is all that counts. A state is used only if it was made by the source that this program runs, is whole, and
stands on a line that the log holds; any other is as if it were not there, and the fund is replayed. Whether one says
what a replay says is proved by `differing`, as the read model's tables are proved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ledger.aggregates import kept
from ledger.aggregates.entries import Read
from ledger.aggregates.fund import Fund
from ledger.aggregates.log import Log
from ledger.database import Database

log = logging.getLogger("microfund")

EVERY: Final = 256
"""Lines after which a fund's state is kept anew: so many are replayed at most when it is loaded."""

KEEP: Final = (
    "INSERT INTO kept_states (log, version, head, form, state, is_proved) "
    "VALUES (:log, :version, :head, :form, :state, 0) ON CONFLICT (log) DO UPDATE SET version = excluded.version, "
    "head = excluded.head, form = excluded.form, state = excluded.state, is_proved = 0"
)
FIND: Final = "SELECT version, head, state FROM kept_states WHERE log = :log AND form = :form"
UNPROVED: Final = "SELECT log FROM kept_states WHERE form = :form AND is_proved = 0 ORDER BY log"
PROVED: Final = "UPDATE kept_states SET is_proved = 1 WHERE log = :log AND version = :version AND head = :head"
FORGET: Final = "DELETE FROM kept_states WHERE log = :log"


class Difference(NamedTuple):
    """A kept state that is not what a replay of the log up to its version makes; in which of its parts, and none for
    one that stands on another line than the log holds, or cannot be read."""

    log: str
    version: int
    parts: tuple[str, ...]


class KeptStates:
    """The table of kept states."""

    def __init__(self, database: Database, read: Callable[[str], Read]) -> None:
        """`read` reads the events of a log."""
        self._database = database
        self._read = read

    def find(self, code: str) -> Fund | None:
        """A fund as it was kept, if its state can be used; whether the log holds its line is still to be seen."""
        for row in self._database.query(FIND, log=code, form=kept.form()):
            try:
                fund = kept.unpack(code, row["state"], self._read(code))
            except kept.Unreadable:
                return None
            if (fund.version, fund.head) == (row["version"], row["head"]):
                return fund
        return None

    def keep(self, fund: Log) -> None:
        """Keep a fund's state, all of which is in the log. What fails is only told: the log needs none of it."""
        assert isinstance(fund, Fund)
        assert not fund.pending, "only what is stored is kept"
        try:
            state = kept.pack(fund)
            self._database.execute(
                KEEP, log=fund.id, version=fund.version, head=fund.head, form=kept.form(), state=state
            )
        except Exception as error:  # noqa: BLE001  # Whoever records must live on; and nothing is lost by it.
            log.warning("the state of a fund was not kept: %s", type(error).__name__)

    def differing(
        self, replayed: Callable[[str, int], Fund | None], codes: list[str] | None = None
    ) -> Iterator[Difference]:
        """Compare the states of these funds, or all that were not compared yet, with a replay up to their version. One
        that differs is gone afterwards where anything may be written, so that no decision rests on it."""
        may_write = self._database.access != "read"
        if codes is None:
            codes = [row["log"] for row in self._database.query(UNPROVED, form=kept.form())]
        for code in codes:
            for row in self._database.query(FIND, log=code, form=kept.form()):
                version, head = row["version"], row["head"]
                found = self._compared(self.find(code), replayed(code, version))
                if found is not None:
                    yield Difference(code, version, found)
                if may_write and found is None:
                    self._database.execute(PROVED, log=code, version=version, head=head)
                elif may_write:
                    self._database.execute(FORGET, log=code)

    @staticmethod
    def _compared(state: Fund | None, replayed: Fund | None) -> tuple[str, ...] | None:
        if state is None or replayed is None:
            return ()
        return tuple(kept.differences(state, replayed)) or None

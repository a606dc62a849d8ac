"""Which of two servers that both take writes was promoted last.

Every promotion begins a new timeline of the same database system. A primary that was replaced and does not know it yet
is on an earlier one: what is written there waits for a standby that no longer listens to it, or is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, LiteralString

from psycopg import Connection, OperationalError
from psycopg.rows import tuple_row

SELECT_TIMELINE: Final[LiteralString] = (
    # The file that is written to bears it in its name. What the last checkpoint says may be of before a promotion.
    "SELECT system_identifier, CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END "
    "FROM pg_control_system()"
)
DIGITS: Final = 8


class Replaced(OperationalError):
    """Another server was promoted since this one was."""


class Timelines:
    """The last timeline seen of each database system. `promoted` is called when a later one is seen."""

    def __init__(self, promoted: Callable[[], None]) -> None:
        self._last: dict[int, int] = {}
        self._lock = threading.Lock()
        self._promoted = promoted

    def judge(self, session: Connection[Any]) -> None:
        """Look at the server behind a new session. Raises `Replaced` if it was promoted before another one that was
        seen."""
        with session.cursor(row_factory=tuple_row) as cursor:
            row = cursor.execute(SELECT_TIMELINE).fetchone()
        assert row
        system, written = row
        if written is None:
            return
        timeline = int(written[:DIGITS], 16)
        with self._lock:
            last = self._last.setdefault(system, timeline)
            self._last[system] = max(last, timeline)
        if timeline < last:
            raise Replaced("the server was replaced by another one, and still takes writes")
        if timeline > last:
            self._promoted()

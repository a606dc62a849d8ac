"""What was known: the same tables, made in memory from the first entries of one fund."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.database import Database
from ledger.events import Entry


def known(entries: Iterable[Entry]) -> Database:
    """The read model of one fund as it stood after these entries, for the very same queries.

    For `known_version`, `known(ledger.entries(fund, upto=version))`; for `known_at`, the entries with `recorded_at` at
    or before the instant (they come in that order).
    """
    raise NotImplementedError

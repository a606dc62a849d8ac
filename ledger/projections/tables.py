"""What the read models share: how a table is declared and made, and who can ask."""

from __future__ import annotations

from typing import Any, Protocol

from ledger.database import Row


class Reader(Protocol):
    """Anything that answers queries: a database, or a transaction when several answers must agree."""

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of a query."""
        ...

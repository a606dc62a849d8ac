"""The proof: every table compared, row by row, with a fresh replay of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from ledger.chart import Key
from ledger.database import Database
from ledger.events import Entry


class Replayed(Protocol):
    """As much of a fund aggregate as the proof needs."""

    balances: dict[Key, int]


class Log(Protocol):
    """As much of the ledger as the proof needs."""

    database: Database

    def funds(self) -> list[str]:
        """The codes of all funds."""
        ...

    def entries(self, fund: str, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
        """A fund's stored entries."""
        ...

    def replayed(self, fund: str, *, upto: int | None = None) -> Replayed:
        """A fund built anew."""
        ...


class Difference(NamedTuple):
    """A row that is not what a replay makes it; `live` or `replayed` is None where it is missing."""

    fund: str
    table: str
    key: tuple[Any, ...]
    live: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None


def differences(ledger: Log, funds: Iterable[str] | None = None) -> Iterator[Difference]:
    """Compare the tables of these funds (or all) with a fresh replay up to the same version, and their balances with
    the aggregate's own. Nothing is to be found while the read model is sound, also while it follows."""
    raise NotImplementedError

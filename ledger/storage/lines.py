"""From entries to stored lines and back, on both databases alike: the bytes stored are the bytes hashed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import EventStore, Mapper, StoredEvent

from ledger.aggregates.kinds import kind_of
from ledger.aggregates.log import BrokenChain
from ledger.events import Entry

NO_LIMIT = 2**62

ACCESS = "ACCESS"
"""Under which name a factory finds what the database is opened for."""


class Lines(Protocol):
    """Whatever has the stored lines of logs: a recorder."""

    def lines(self, log: str, after: int, upto: int | None, /) -> list[bytes]:
        """A log's lines in order, from the version `after` on, up to a version or all."""
        ...

    def lines_since(self, after: dict[str, int], /) -> list[tuple[str, bytes]]:
        """The lines of several logs, each from after a version on: those of a log in order and together."""
        ...


class LineMapper(Mapper[str]):
    """From an entry to its stored row. The bytes stored are the bytes hashed, never an object written again."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row of an entry."""
        entry = cast("Entry", domain_event)
        return StoredEvent(entry.event.fund, entry.event.version, entry.event.name, entry.line)


class LineStore(EventStore[str]):
    """From stored lines to entries: the lines alone, since a line says itself which log and version it is."""

    def get(
        self, originator_id: str, *, gt: int | None = None, lte: int | None = None, **_: Any
    ) -> Iterator[DomainEventProtocol[str]]:
        """A log's entries in order; none if it is of no kind known here. Raises `BrokenChain` for a row that holds no
        line of its kind."""
        return _entries(originator_id, gt or 0, cast("Lines", self.recorder).lines(originator_id, gt or 0, lte))

    def since(self, after: dict[str, int]) -> Iterator[Entry]:
        """The entries of several logs, each from after a version on, by one statement. Raises as `get` does."""
        for log, lines in groupby(cast("Lines", self.recorder).lines_since(after), itemgetter(0)):
            yield from _entries(log, after[log], [line for _, line in lines])


def _entries(log: str, after: int, lines: Iterable[bytes]) -> Iterator[Entry]:
    kind = kind_of(log)
    if kind is None:
        return
    decode = kind.decode
    for number, line in enumerate(lines, after + 1):
        try:
            event = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BrokenChain(log, number) from error
        if event.fund != log:
            raise BrokenChain(log, number)
        yield Entry(event, line)

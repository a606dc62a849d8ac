"""What any chained log is: its head, its events, the requests it has answered, and how one more event is added.

A kind of log adds what its events make of it, and its decisions: `Fund` is one.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from copy import copy
from datetime import date, datetime
from typing import Any, Self, TypeVar

import msgspec

from ledger.aggregates.entries import Entries
from ledger.aggregates.requests import Requests
from ledger.days import civil_day
from ledger.events import NO_HEAD, Entry, Event, Request, encode, head_of
from ledger.refusals import FutureDay

E = TypeVar("E", bound=Event)


class EntryMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says beside its fact: the day it happened, the instant it was recorded, and by which principal.

    `member` is the principal's own number in a fund, if they have one, and `aliases` are the other principals who are
    linked to that member: one person with several tokens. `texts` are digests of what was written about people. Raises
    `FutureDay` for a day that has not come yet in the village.
    """

    on: date
    recorded_at: datetime
    recorded_by: str
    member: int | None = None
    aliases: frozenset[str] = frozenset()
    request: Request | None = None
    texts: dict[str, str] | None = None

    def __post_init__(self) -> None:
        today = civil_day(self.recorded_at)
        if self.on > today:
            raise FutureDay(on=self.on, today=today)

    def is_of(self, principal: str) -> bool:
        """Whether a principal is the person who tells this."""
        return principal == self.recorded_by or principal in self.aliases


class BrokenChain(Exception):
    """A stored line does not fit the one before it: the history of this fund, or of another log, was changed."""

    def __init__(self, fund: str, version: int) -> None:
        super().__init__(f"the history of {fund} is broken at version {version}")
        self.fund = fund
        self.version = version


class RecordedRequest(msgspec.Struct, frozen=True, gc=False):
    """Where in the log a request's facts lie, and the digest of its body."""

    digest: str
    first: int
    last: int


class Log:
    """A log that is kept in memory: built by replaying its entries, and added to by its decisions.

    Recording builds the line and applies it; applying runs again on every replay, for ever: it never refuses and looks
    nothing up. `pending` is what was recorded and is not yet stored.
    """

    def __init__(self, log: str) -> None:
        self.id = log
        self.version = 0
        self.head = NO_HEAD
        self.recorded_at: datetime | None = None
        self.entries = Entries()
        self.pending: list[Entry] = []
        # At which version its state was kept beside the log, or was found there.
        self.kept_at = 0
        # By a request's key, the version of its first fact; the others follow it. And the key of the last fact.
        self.requests = Requests()
        self.last_key: str | None = None

    def apply(self, entry: Entry) -> None:
        """Take in the next entry of the log. Raises `BrokenChain` when it does not follow the last one."""
        event, version = entry.event, self.version + 1
        if event.prev != self.head or event.version != version or event.fund != self.id:
            raise BrokenChain(self.id, version)
        self.entries.held.append(event)
        self._take_in(event)
        self._note_request(event)
        self.version = version
        self.head = head_of(entry.line)

    def apply_all(self, entries: Sequence[Entry]) -> None:
        """Take in the next entries of the log, in less time than one by one. Raises `BrokenChain` when one does not
        follow the one before it; those that came before are taken in."""
        version, head = self.version, self.head
        events: list[Event] = []
        for entry in entries:
            event = entry.event
            if event.prev != head or event.version != version + 1 or event.fund != self.id:
                break
            events.append(event)
            version, head = event.version, head_of(entry.line)
        self.entries.held += events
        self._take_in_all(events)
        for event in events:
            self._note_request(event)
        self.head = head
        if len(events) < len(entries):
            raise BrokenChain(self.id, version + 1)

    def _note_request(self, event: Event) -> None:
        key = event.request.key if event.request else None
        if key is not None and key != self.last_key:
            self.requests.setdefault(key, event.version)
        self.last_key = key
        self.recorded_at = event.recorded_at

    def _take_in(self, event: Event) -> None:
        """Change the state by an event that follows: it is the last of `entries`, `version` and `head` are to come."""
        event.evolve(self)

    def _take_in_all(self, events: Sequence[Event]) -> None:
        """The same for the last events of `entries`; `version` follows, and tells where it went wrong if it did."""
        for event in events:
            event.evolve(self)
            self.version = event.version

    def fork(self) -> Self:
        """An independent copy for a trial: a dry run, or an act of several facts that may yet be refused.

        The two share what neither changes, so that the cost grows with the act and hardly with the log.
        """
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set | array | Entries):
                setattr(twin, name, copy(value))
        return twin

    def recorded_request(self, key: str) -> RecordedRequest | None:
        """What a request has recorded, if there was one with this key: all facts of a request follow each other."""
        if not (first := self.version_of(key)):
            return None
        last, request = first, self.entries[first - 1].request
        assert request
        while last < self.version and self.entries[last].request == request:
            last += 1
        return RecordedRequest(request.digest, first, last)

    def version_of(self, key: str) -> int | None:
        """The version of a request's first fact, if there was one with this key. What is only known of a key in short
        is believed of the log alone."""
        if first := self.requests.get(key):
            return first
        for block in self.requests.blocks(key):
            for event in self.entries.between(block[0], block[-1]):
                if event.request and event.request.key == key:
                    return event.version
        return None

    def let_go(self) -> None:
        """Leave to the log, which has all of it by now, what can be read there: all but the latest entries, and the
        keys as they are. Once in some dozens of entries: each time would cost a post."""
        if self.entries.let_go():
            self.requests.let_go()

    @property
    def weight(self) -> int:
        """What it takes in memory, in so many entries' worth."""
        return len(self.entries.held)

    # --- recording ------------------------------------------------------------------------------------------------

    def _record(self, fact: type[E], metadata: EntryMetadata, /, **facts: Any) -> E:
        """Record one fact."""
        return self._add(self._next(fact, metadata, facts))

    def _next(self, fact: type[E], metadata: EntryMetadata, facts: dict[str, Any]) -> E:
        """A fact as this log's next event."""
        return fact(
            fund=self.id,
            version=self.version + 1,
            prev=self.head,
            on=metadata.on,
            recorded_at=max(metadata.recorded_at, self.recorded_at or metadata.recorded_at),
            recorded_by=metadata.recorded_by,
            request=metadata.request,
            texts=metadata.texts or None,
            **facts,
        )

    def _add(self, event: E) -> E:
        """Encode the next event and apply it."""
        entry = Entry(event, encode(event))
        self.pending.append(entry)
        self.apply(entry)
        return event

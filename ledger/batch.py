"""What one transaction will hold: entries of any number of logs, the texts that go with them, and what each job did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.aggregates.fund import Fund
from ledger.aggregates.log import Log
from ledger.aggregates.warnings import warnings
from ledger.events import Entry, Event, OpeningBooks
from ledger.jobs import Job, Recorded
from ledger.losses import LastLine
from ledger.register import Text


class Uncommitted(NamedTuple):
    """What was recorded and waits for the commit: digests of names by member, and of donors by version."""

    recorded: Recorded
    names: dict[int, str]
    donors: dict[int, str]
    unregistered: dict[str, str]
    is_dry_run: bool


class Batch:
    """What one transaction will hold, and what was recorded in it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.texts: list[Text] = []
        self.built_on: dict[str, LastLine] = {}
        self.uncommitted: list[Uncommitted] = []
        self.before: dict[str, Log] = {}
        """Logs as they are stored, where what was decided has not been added to them but to a copy."""

    def add(self, fund: Log, job: Job) -> None:
        """Take over what a fund has decided and not yet committed."""
        first = fund.pending[0].event
        self.built_on.setdefault(fund.id, LastLine(fund.id, first.version - 1, first.prev))
        self.entries += fund.pending
        self.texts += job.texts
        fund.pending = []

    def note(self, fund: Log, job: Job, first: int, last: int, *, replayed: bool = False) -> Recorded:
        """What a job recorded: a fund's events from version `first` to `last`."""
        events = tuple(fund.entries.between(first, last))
        head = fund.head if last == fund.version else fund.entries[last].prev
        spoken_of = job.speaks_of(fund) if job.speaks_of else events
        recorded = Recorded(fund=fund.id, version=last, events=events, head=head, replayed=replayed)
        if isinstance(fund, Fund):
            recorded.members = {number: fund.members[number] for number in _numbers(spoken_of, "member")}
            taken_over = {old.loan for event in spoken_of if isinstance(event, OpeningBooks) for old in event.loans}
            recorded.loans = {number: fund.loans[number] for number in _numbers(spoken_of, "loan") | taken_over}
            recorded.warnings = {event.version: found for event in spoken_of if (found := warnings(fund, event))}
        names = {number: member.name for number, member in recorded.members.items() if member.name}
        donors = {event.version: event.texts["donor"] for event in spoken_of if event.texts and "donor" in event.texts}
        texts = {text.digest: text.text for text in job.texts}
        self.uncommitted.append(Uncommitted(recorded, names, donors, texts, job.dry_run and not replayed))
        return recorded


def _numbers(events: Iterable[Event], field: str) -> set[int]:
    """The members or loans that events speak of."""
    return {number for event in events if (number := getattr(event, field, None)) is not None}

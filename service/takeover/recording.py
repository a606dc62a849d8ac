"""An old club's books recorded: its members and opening balances in one act, or nothing.

The same files a second time are the same request, so they are answered with what was recorded the first time.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.application import Ledger
from ledger.events import Request
from ledger.jobs import Job, Recorded
from ledger.refusals import Conflict, Refusal
from ledger.register import Text, written
from service.takeover.forms import Finding
from service.takeover.reading import Newcomer, Takeover


class RollHasBegun(Conflict):
    """The fund has {members} members already; an old club is taken over before anybody joins."""


class RowsRefused(Refusal):
    """{count} rows break a rule of the fund; nothing was recorded. `findings` tells each of them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(count=len(findings))
        self.findings = findings


def take_over(
    ledger: Ledger, fund: str, takeover: Takeover, *, recorded_at: datetime, recorded_by: str, dry_run: bool = False
) -> Recorded:
    """Record an old club's members and opening balances in a fund that was opened and has none yet: all, or nothing.

    A dry run answers with what would be recorded. Raises `RollHasBegun`, `RowsRefused`, and what
    `Fund.declare_opening_balances` and `Ledger.record` raise.
    """
    mark = _mark(ledger, fund, takeover)
    texts = {newcomer.number: _texts(fund, newcomer) for newcomer in takeover.members}

    def metadata(on: date, about: Mapping[str, Text]) -> EntryMetadata:
        digests = {kind: text.digest for kind, text in about.items()}
        return EntryMetadata(on=on, recorded_at=recorded_at, recorded_by=recorded_by, request=mark, texts=digests)

    def decide(aggregate: Fund) -> None:
        if aggregate.members:
            raise RollHasBegun(members=len(aggregate.members))
        findings = []
        for newcomer in takeover.members:
            try:
                aggregate.join(metadata(newcomer.joined_on, texts[newcomer.number]), **newcomer.facts)
            except Refusal as refusal:
                if refusal.field is None:
                    raise
                field = "joined_on" if refusal.field == "on" else refusal.field
                findings.append(Finding(newcomer.row.at(field), refusal.code, refusal.facts))
        if findings:
            raise RowsRefused(findings)
        aggregate.declare_opening_balances(
            metadata(takeover.on, {}),
            revolving=takeover.pots["revolving"],
            activity=takeover.pots["activity"],
            equipment=takeover.equipment,
            savings=takeover.savings,
            loans=takeover.loans,
            advances=takeover.advances,
        )

    registered = tuple(text for about in texts.values() for text in about.values())
    job = Job(fund=fund, decide=decide, request=mark, texts=registered, several=True, dry_run=dry_run)
    (outcome,) = ledger.record([job])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _mark(ledger: Ledger, fund: str, takeover: Takeover) -> Request:
    """The request the files are: the same files, the same key. Names are in them, so the digest is a keyed one."""
    text = f"takeover {fund}\n{takeover.digest}".encode()
    digest = hmac.new(ledger.request_secret, text, hashlib.sha256).hexdigest()
    return Request(f"takeover-{digest[:40]}", digest)


def _texts(fund: str, newcomer: Newcomer) -> dict[str, Text]:
    given = {"name": newcomer.name, "phone": newcomer.phone}
    return {kind: written(fund, text) for kind, text in given.items() if text}

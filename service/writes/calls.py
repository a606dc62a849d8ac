"""What was sent as calls of the fund's methods, and the job that records them."""

import hmac
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Request as RequestMark
from ledger.jobs import Job
from ledger.register import Text, written
from service.access.approval import NOT_NEEDED, Approval
from service.access.principals import Principal
from service.http.body import Dated
from service.writes.pin_rules import PinRule
from service.writes.table import ON_SHEETS


class Call(NamedTuple):
    """One call of one of the fund's methods, with the texts that go beside it."""

    decide: Callable[..., object]
    numbers: tuple[int, ...]
    facts: Mapping[str, Any]
    on: date
    texts: Mapping[str, Text]
    pin: PinRule | None = None

    def make(self, aggregate: Fund, metadata: EntryMetadata, approval: Approval) -> None:
        """Make the call, if it needs no PIN or one was given. Raises `PinRequired` and what the method raises."""
        if self.pin is not None and self.pin(aggregate, metadata, self.numbers, self.facts):
            approval.require()
        self.decide(aggregate, metadata, *self.numbers, **self.facts)


class RequestContext(NamedTuple):
    """Who asks for a write, when, under which key, on what condition and with what PIN; whatever the body is."""

    principal: Principal
    at: datetime
    mark: RequestMark | None
    expected_version: int | None
    dry_run: bool
    approval: Approval = NOT_NEEDED

    def metadata(self, fund: str, call: Call, mark: RequestMark | None = None) -> EntryMetadata:
        """The metadata of an entry made by this request; a line of a sheet bears a mark of its own."""
        return EntryMetadata(
            on=call.on,
            recorded_at=self.at,
            recorded_by=self.principal.id,
            member=self.principal.members.get(fund),
            aliases=self.principal.aliases.get(fund, frozenset()),
            request=mark or self.mark,
            texts={kind: text.digest for kind, text in call.texts.items()},
        )


def call_of(
    decide: Callable[..., object],
    numbers: tuple[int, ...],
    facts: Mapping[str, Any],
    body: Dated,
    fund: str,
    today: date,
) -> Call:
    """A body as a call of the fund's method; it happened today, unless it names its day."""
    texts = {kind: written(fund, text) for kind, text in body.texts().items()}
    return Call(decide, numbers, facts, body.on or today, texts)


def line_call(line: Any, fund: str, on: date) -> Call:
    """A line as a call of the fund's method; it happened on `on`, unless it names its own day."""
    write, facts = ON_SHEETS[line.type], line.facts()
    numbers = tuple(facts.pop(name) for name in write.numbers)
    return call_of(write.decide, numbers, facts, line, fund, on)


def digest_of(what: str, body: Any, secret: bytes) -> str:
    """A keyed digest of something asked and its body: the same however the JSON was spaced and ordered."""
    # Not the one call that does it all: that one lets go of the interpreter, and may wait milliseconds to get it back.
    digest = _keyed(secret).copy()
    digest.update(f"{what}\n".encode() + _in_order(body))
    return digest.hexdigest()


@cache
def _keyed(secret: bytes) -> hmac.HMAC:
    """What every digest under a secret begins as; to begin each anew costs more than the rest."""
    return hmac.new(secret, digestmod="sha256")


_in_order = msgspec.json.Encoder(order="sorted").encode


def job_of(fund: str, calls: list[Call], context: RequestContext, *, opens: bool = False, most: int = 1) -> Job:
    """The job that makes these calls together, or none of them; one of them may come to `most` events."""

    def decide(aggregate: Fund) -> None:
        with aggregate.one_act() if len(calls) > 1 else nullcontext():
            for call in calls:
                call.make(aggregate, context.metadata(fund, call), context.approval)

    return Job(
        fund=fund,
        decide=decide,
        request=context.mark,
        texts=tuple(text for call in calls for text in call.texts.values()),
        expected_version=context.expected_version,
        opens=opens,
        several=max(len(calls), most) > 1,
        facts=max(len(calls), most),
        dry_run=context.dry_run,
    )

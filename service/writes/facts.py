"""What was sent as calls of the fund's methods, and the job that records them."""

import hmac
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from ledger.aggregates.fund import Fund, Stamp
from ledger.events import Request as RequestMark
from ledger.jobs import Job
from ledger.register import Text, written
from service.access.approval import NOT_NEEDED, Approval
from service.access.principals import Principal
from service.http.body import Dated
from service.writes.bodies.meeting_lines import call_of
from service.writes.pin_rules import PinRule


class Fact(NamedTuple):
    """One call of one of the fund's methods, with the texts that go beside it."""

    decide: Callable[..., object]
    numbers: tuple[int, ...]
    facts: Mapping[str, Any]
    on: date
    texts: Mapping[str, Text]
    pin: PinRule | None = None

    def apply(self, aggregate: Fund, stamp: Stamp, approval: Approval) -> None:
        """Make the call, if it needs no PIN or one was given. Raises `PinRequired` and what the method raises."""
        if self.pin is not None and self.pin(aggregate, stamp, self.numbers, self.facts):
            approval.require()
        self.decide(aggregate, stamp, *self.numbers, **self.facts)


class Sent(NamedTuple):
    """How a request was sent: by whom, when, under which key, with what conditions, and with a PIN or without."""

    principal: Principal
    at: datetime
    mark: RequestMark | None
    expected_version: int | None
    dry_run: bool
    approval: Approval = NOT_NEEDED

    def stamp(self, fund: str, fact: Fact, mark: RequestMark | None = None) -> Stamp:
        """The stamp of a fact told in this request; a line of a sheet bears a mark of its own."""
        return Stamp(
            on=fact.on,
            recorded_at=self.at,
            recorded_by=self.principal.id,
            member=self.principal.members.get(fund),
            aliases=self.principal.aliases.get(fund, frozenset()),
            request=mark or self.mark,
            texts={kind: text.digest for kind, text in fact.texts.items()},
        )


def fact_of(
    decide: Callable[..., object],
    numbers: tuple[int, ...],
    facts: Mapping[str, Any],
    body: Dated,
    fund: str,
    today: date,
) -> Fact:
    """A body as a call of the fund's method; it happened today, unless it names its day."""
    texts = {kind: written(fund, text) for kind, text in body.texts().items()}
    return Fact(decide, numbers, facts, body.on or today, texts)


def line_fact(line: Any, fund: str, on: date) -> Fact:
    """A line as a call of the fund's method; it happened on `on`, unless it names its own day."""
    return fact_of(*call_of(line), line, fund, on)


def digest_of(what: str, body: Any, secret: bytes) -> str:
    """A keyed digest of something asked and its body: the same however the JSON was spaced and ordered."""
    # Not the one call that does it all: that one lets go of the interpreter, and may wait milliseconds to get it back.
    return hmac.new(secret, f"{what}\n".encode() + _in_order(body), "sha256").hexdigest()


_in_order = msgspec.json.Encoder(order="sorted").encode


def job_of(fund: str, facts: list[Fact], sent: Sent, *, opens: bool = False, most: int = 1) -> Job:
    """The job that records these facts together, or none of them; one of them may come to `most` events."""

    def decide(aggregate: Fund) -> None:
        with aggregate.one_act() if len(facts) > 1 else nullcontext():
            for fact in facts:
                fact.apply(aggregate, sent.stamp(fund, fact), sent.approval)

    return Job(
        fund=fund,
        decide=decide,
        request=sent.mark,
        texts=tuple(text for fact in facts for text in fact.texts.values()),
        expected_version=sent.expected_version,
        opens=opens,
        several=max(len(facts), most) > 1,
        facts=max(len(facts), most),
        dry_run=sent.dry_run,
    )

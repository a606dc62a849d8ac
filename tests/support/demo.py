"""A database the demo has filled."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.events import Event
from service.demo import Summary, fill
from tests.support.keys import key_for


@dataclass(frozen=True)
class Filled:
    """A database the demo has filled, and what it said of it."""

    ledger: Ledger
    summary: Summary
    today: date

    @cached_property
    def funds(self) -> list[Fund]:
        return [self.ledger.replayed(code) for code in self.ledger.funds()]

    @property
    def events(self) -> Iterator[Event]:
        return (event for fund in self.funds for event in fund.entries)


def filled(url: str, today: date, **choices) -> Filled:
    ledger = Ledger(url, register_key=key_for(url))
    return Filled(ledger, fill(ledger, today=today, **choices), today)

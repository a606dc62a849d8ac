"""A database the demo has filled."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.events import Event
from service.demo import Summary, fill
from tests.support.keys import key_for


class Filled(NamedTuple):
    """A database the demo has filled, and what it said of it."""

    ledger: Ledger
    summary: Summary
    today: date

    def funds(self) -> list[Fund]:
        return [self.ledger.replayed(code) for code in self.ledger.funds()]

    def events(self) -> Iterator[Event]:
        return (event for fund in self.funds() for event in fund.entries)


def filled(url: str, today: date, **choices) -> Filled:
    ledger = Ledger(url, register_key=key_for(url))
    return Filled(ledger, fill(ledger, today=today, **choices), today)

"""Recording a fact in a fund's books, and the rules that hold for every fact: what decisions of all kinds rest on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec

from ledger.aggregates.log import E, EntryMetadata
from ledger.aggregates.state import State
from ledger.chart import NEVER_NEGATIVE, Leg, Legs, cash_movement, is_balanced
from ledger.days import DailyBalance
from ledger.events import Event, PeriodReopened, Voucher
from ledger.money import MAX_AMOUNT
from ledger.refusals import (
    AmountNotPositive,
    AmountTooLarge,
    BeforeFundOpened,
    BelowZero,
    FundIsDissolved,
    InsufficientFunds,
    InsufficientSavings,
    OutOfOrder,
    PeriodIsClosed,
    PrincipalOverRepaid,
    WrongEntryStillCounts,
)


class Books(State):
    """The part of a fund's decisions that is the same for every kind of fact."""

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        # Within an act of several facts: the legs that are only judged at its end, with their days.
        self.unjudged: list[tuple[date, Leg]] | None = None

    def _record(self, fact: type[E], metadata: EntryMetadata, /, **facts: Any) -> E:
        """Record one fact, or refuse it by the rules that hold for every fact."""
        self._refuse_day(fact, metadata.on)
        event = self._next(fact, metadata, facts)
        if (amount := getattr(event, "amount", 1)) < 1:
            raise AmountNotPositive(amount=amount)
        legs = event.legs()
        assert is_balanced(legs), event
        if legs and self.taken_over_on and event.on < self.taken_over_on:
            raise OutOfOrder(on=event.on, earliest=self.taken_over_on)  # What came before is in the opening balances.
        for leg in legs:
            if abs(leg.amount) > MAX_AMOUNT:
                raise AmountTooLarge(amount=abs(leg.amount), ceiling=MAX_AMOUNT)
            self._refuse_below_zero(event.on, leg)
        if isinstance(event, Voucher) and (number := self._next_voucher(event.on, legs)):
            event = msgspec.structs.replace(event, voucher=number)
        return self._add(event)

    def _refuse_day(self, fact: type[Event], on: date) -> None:
        """Facts lie in the life of the fund, and outside closed periods."""
        if self.version and on < self.opened.on:
            raise BeforeFundOpened(on=on, opened_on=self.opened.on)
        if self.dissolved:
            raise FundIsDissolved(on=self.dissolved.on)
        if self.closed_through and on <= self.closed_through and fact is not PeriodReopened:
            raise PeriodIsClosed(on=on, closed_through=self.closed_through)

    @contextmanager
    def one_act(self) -> Iterator[None]:
        """Facts told together, such as a reversal with its replacement: no account may be below zero at the end of any
        day once all of them are told. In between it may be, for the wrong receipt may have been spent already.

        Raises at the end what each fact would have raised alone; what was recorded by then is to be thrown away.
        """
        unjudged: list[tuple[date, Leg]] = []
        self.unjudged = unjudged
        try:
            yield
        finally:
            self.unjudged = None
        for on, leg in unjudged:
            self._refuse_below_zero(on, leg, is_posted=True)

    def _refuse_below_zero(self, on: date, leg: Leg, *, is_posted: bool = False) -> None:
        """No guarded account may be below zero at the end of any day, in order of the days things happened."""
        sign = NEVER_NEGATIVE.get(leg.account, 0)
        if leg.amount * sign >= 0:
            return
        if self.unjudged is not None:
            self.unjudged.append((on, leg))
            return
        kept = self.daily.get((leg.pot, leg.account, leg.of), DailyBalance())
        worst, short_on = kept.worst_from(on, sign)
        needed = abs(leg.amount)
        available = worst + needed if is_posted else worst
        if available >= needed:
            return
        self._refuse_between_entry_and_reversal(leg, short_on, needed - available)
        if leg.account in ("cash", "bank"):
            raise InsufficientFunds(
                pot=leg.pot, place=leg.account, available=available, amount=needed, short_on=short_on
            )
        if leg.account == "savings":
            raise InsufficientSavings(member=leg.of, available=available, amount=needed, short_on=short_on)
        if leg.account == "loans":
            raise PrincipalOverRepaid(loan=leg.of, available=available, amount=needed, short_on=short_on)
        raise BelowZero(pot=leg.pot, account=leg.account, available=available, amount=needed, short_on=short_on)

    def _refuse_between_entry_and_reversal(self, leg: Leg, short_on: date, shortage: int) -> None:
        """Say so where only a wrong entry stands in the way, which was reversed with a later day: until then it
        counts."""
        account = (leg.pot, leg.account, leg.of)
        for version, (wrong_on, until) in self.reversed_later.items():
            if wrong_on <= short_on < until:
                legs = self.entries[version - 1].legs()
                took = sum(each.amount for each in legs if (each.pot, each.account, each.of) == account)
                if -took * NEVER_NEGATIVE[leg.account] >= shortage:
                    raise WrongEntryStillCounts(version=version, reversed_by=self.reversed_by[version], until=until)

    def _next_voucher(self, on: date, legs: Legs) -> str | None:
        """Phiếu thu for cash in, phiếu chi for cash out: per kind and year of `on`, without gaps, never reused."""
        cash = cash_movement(legs)
        if cash == 0:
            return None
        series = f"{'PT' if cash > 0 else 'PC'}-{on.year:04d}-"
        last = self.last_vouchers.get(series)
        return f"{series}{int(last[8:]) + 1:04d}" if last else f"{series}0001"

"""What every decision rests on: the chain, the balances by day, the vouchers, the requests answered before.

A decision refuses or records; recording builds the line, posts its legs and evolves the state. Applying an event runs
again on every replay, for ever: it never refuses and looks nothing up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import date
from functools import cache
from typing import Any, TypeVar

import msgspec

from ledger.aggregates.log import Answered, BrokenChain, Stamp
from ledger.chart import NEVER_NEGATIVE, Key, Leg, Legs, cash_movement, is_balanced
from ledger.days import DailyBalance
from ledger.events import NO_HEAD, Entry, Event, FundOpened, PeriodReopened, Voucher, encode, head_of
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
)

E = TypeVar("E", bound=Event)
Said = tuple[object, ...] | None


class Balances(dict[Key, int]):
    """What each account holds: nothing if it is not there, and asking for it makes none. A `Counter` would take twice
    as long to post to."""

    def __missing__(self, key: Key) -> int:
        return 0

    def __copy__(self) -> Balances:
        return Balances(self)


class Books:
    """The part of a fund that is the same for every kind of fact."""

    opened: FundOpened

    def __init__(self, fund: str) -> None:
        self.id = fund
        self.version = 0
        self.head = NO_HEAD
        self.entries: list[Event] = []
        self.pending: list[Entry] = []
        # By a request's key, the version of its first fact; the others follow it.
        self.requests: dict[str, int] = {}
        self.balances = Balances()
        self.daily: dict[Key, DailyBalance] = {}
        self.last_vouchers: dict[str, str] = {}
        self.reversed_by: dict[int, int] = {}
        # Of each day the last entry, and of each entry the one before it on its day: 0 for none.
        self.last_on: dict[date, int] = {}
        self.before: list[int] = []
        # What was said on the day last asked about, by what it says: a burst of entries is mostly of one day.
        self.said_on: date | None = None
        self.said: defaultdict[Said, list[int]] = defaultdict(list)
        # After a trial was forked off, or of a trial: the accounts whose balances by day are no longer shared.
        self.copied: set[Key] | None = None
        # Within an act of several facts: the legs that are only judged at its end, with their days.
        self.unjudged: list[tuple[date, Leg]] | None = None
        self.closed_through: date | None = None
        self.taken_over_on: date | None = None
        self.dissolved: Event | None = None

    # --- replay ---------------------------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> None:
        """Take in the next entry of the log. Raises `BrokenChain` when it does not follow the last one."""
        event = entry.event
        if event.prev != self.head or event.version != self.version + 1 or event.fund != self.id:
            raise BrokenChain(self.id, self.version + 1)
        version, on = event.version, event.on
        self.entries.append(event)
        event.evolve(self)  # type: ignore[arg-type]  # Books is only ever a part of Fund.
        for leg in event.legs():
            self._post(on, leg)
        self.before.append(self.last_on.get(on, 0))
        self.last_on[on] = version
        if on == self.said_on:
            self.said[_said(event)].append(version)
        if event.request:
            self.requests.setdefault(event.request.key, version)
        if isinstance(event, Voucher) and event.voucher:
            self.last_vouchers[event.voucher[:8]] = event.voucher
        self.version = version
        self.head = head_of(entry.line)

    def _post(self, on: date, leg: Leg) -> None:
        key = (leg.pot, leg.account, leg.of)
        self.balances[key] += leg.amount
        if leg.account in NEVER_NEGATIVE:
            daily = self.daily.get(key)
            if daily is None or self.copied is not None:
                daily = self._own(key, daily)
            daily.add(on, leg.amount)

    def _own(self, key: Key, daily: DailyBalance | None) -> DailyBalance:
        """An account's balances by day that may be changed: a copy of what a fund and its trial share."""
        if daily is None:
            daily = self.daily[key] = DailyBalance()
        elif self.copied is not None and key not in self.copied:
            daily = self.daily[key] = daily.copy()
        if self.copied is not None:
            self.copied.add(key)
        return daily

    def fork(self) -> Any:
        """An independent copy for a trial: a dry run, or an act of several facts that may yet be refused.

        The two share what neither changes, so that the cost grows with the act and hardly with the fund.
        """
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set):
                setattr(twin, name, copy(value))
        self.copied, twin.copied = set(), set()
        twin.said_on = None
        return twin

    def possible_duplicate(self, event: Event) -> int | None:
        """The version of an earlier live entry of the same day that says the same: after "did it save?" it is worth
        a question, though two like facts may both be true."""
        said = _said(event)
        if said is None:
            return None
        if self.said_on != event.on:
            self.said_on, self.said = event.on, defaultdict(list)
            for version in self._of_day(event.on):
                self.said[_said(self.entries[version - 1])].append(version)
        earlier = (version for version in self.said[said] if version < event.version)
        return next((version for version in earlier if version not in self.reversed_by), None)

    def _of_day(self, on: date) -> list[int]:
        """The versions of a day's entries, in order."""
        versions, version = [], self.last_on.get(on, 0)
        while version:
            versions.append(version)
            version = self.before[version - 1]
        return versions[::-1]

    def answered(self, key: str) -> Answered | None:
        """What a request has recorded, if there was one with this key: all facts of a request follow each other."""
        if not (first := self.requests.get(key)):
            return None
        last, request = first, self.entries[first - 1].request
        assert request
        while last < self.version and self.entries[last].request == request:
            last += 1
        return Answered(request.digest, first, last)

    # --- recording ------------------------------------------------------------------------------------------------

    def _record(self, fact: type[E], stamp: Stamp, /, **facts: Any) -> E:
        """Record one fact, or refuse it by the rules that hold for every fact."""
        self._refuse_day(fact, stamp.on)
        event = fact(
            fund=self.id,
            version=self.version + 1,
            prev=self.head,
            on=stamp.on,
            recorded_at=max(stamp.recorded_at, self.entries[-1].recorded_at) if self.entries else stamp.recorded_at,
            recorded_by=stamp.recorded_by,
            request=stamp.request,
            texts=stamp.texts or None,
            **facts,
        )
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
        entry = Entry(event, encode(event))
        self.pending.append(entry)
        self.apply(entry)
        return event

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
        if leg.account in ("cash", "bank"):
            raise InsufficientFunds(
                pot=leg.pot, place=leg.account, available=available, amount=needed, short_on=short_on
            )
        if leg.account == "savings":
            raise InsufficientSavings(member=leg.of, available=available, amount=needed, short_on=short_on)
        if leg.account == "loans":
            raise PrincipalOverRepaid(loan=leg.of, available=available, amount=needed, short_on=short_on)
        raise BelowZero(pot=leg.pot, account=leg.account, available=available, amount=needed, short_on=short_on)

    def _next_voucher(self, on: date, legs: Legs) -> str | None:
        """Phiếu thu for cash in, phiếu chi for cash out: per kind and year of `on`, without gaps, never reused."""
        cash = cash_movement(legs)
        if cash == 0:
            return None
        series = f"{'PT' if cash > 0 else 'PC'}-{on.year:04d}-"
        last = self.last_vouchers.get(series)
        return f"{series}{int(last[len(series) :]) + 1 if last else 1:04d}"


def _said(event: Event) -> Said:
    """What a money event says, without who said it and when: its type, whom it concerns, and how much."""
    if not isinstance(event, Voucher):
        return None
    return (event.name, *_telling(type(event))(event))


@cache
def _telling(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    """Reads the fields of a type of event that say whom and what it concerns, and how much."""
    return kind.reader("member", "loan", "kind", "pot", "activity", "source", "amount")

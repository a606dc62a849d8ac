"""A fund's state: all that its events make of it, and what is asked of that. Decisions rest on it and never change it.

The chain and the requests answered before are any log's (`log.py`); here are the balances by day, the vouchers, the
roll, the loan book, the meetings, counts and offices.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any, Self

import msgspec

from ledger.aggregates.loan import Loan
from ledger.aggregates.log import Log
from ledger.aggregates.member import Member
from ledger.chart import NEVER_NEGATIVE, POTS, Account, Key, Leg, Pot
from ledger.days import DailyBalance
from ledger.events import (
    ActivityHeld,
    Bylaws,
    Event,
    FundOpened,
    LoanRequested,
    MeetingHeld,
    MemberChanged,
    MemberJoined,
    MutualHelpGiven,
    OpeningBooks,
    PlaceChanged,
    Voucher,
)
from ledger.events.governance import CountedPot
from ledger.refusals import LoanNotFound, MemberNotFound, MemberNotOnRoll, NoBylawsInForce
from ledger.terms import Repayment

Said = tuple[object, ...] | None


class Balances(dict[Key, int]):
    """What each account holds: nothing if it is not there, and asking for it makes none. A `Counter` would take twice
    as long to post to."""

    def __missing__(self, key: Key) -> int:
        return 0

    def __copy__(self) -> Balances:
        return Balances(self)


class State(Log):
    """What a fund's events have made of it."""

    opened: FundOpened

    def __init__(self, fund: str) -> None:
        super().__init__(fund)
        self.balances = Balances()
        self.daily: dict[Key, DailyBalance] = {}
        self.last_vouchers: dict[str, str] = {}
        self.reversed_by: dict[int, int] = {}
        # Of lines of a meeting, the sheet they stand on.
        self.sheets: dict[int, str] = {}
        # Of each day the last entry, and of each entry the one before it on its day: 0 for none.
        self.last_on: dict[date, int] = {}
        self.before: list[int] = []
        # What was said on the day last asked about, by what it says: a burst of entries is mostly of one day.
        self.said_on: date | None = None
        self.said: defaultdict[Said, list[int]] = defaultdict(list)
        # After a trial was forked off, or of a trial: the accounts whose balances by day are no longer shared.
        self.copied: set[Key] | None = None
        self.closed_through: date | None = None
        self.taken_over_on: date | None = None
        self.dissolved: Event | None = None
        self.bylaws: list[tuple[date, int, Bylaws]] = []
        self.places: list[tuple[date, int, FundOpened | PlaceChanged]] = []
        self.members: dict[int, Member] = {}
        # By member and month: dues paid in đồng, and the day on which they were forgiven.
        self.dues_paid: Counter[tuple[int, str]] = Counter()
        self.forgiven_dues: dict[tuple[int, str], date] = {}
        self.loans: dict[int, Loan] = {}
        self.meetings: dict[str, MeetingHeld] = {}
        self.meetings_held = 0
        # The days that were counted, by the version of the count.
        self.counts: dict[int, date] = {}
        self.old_books: OpeningBooks | None = None
        self.offices: set[tuple[str, int]] = set()

    # --- replay ---------------------------------------------------------------------------------------------------

    def _take_in(self, event: Event) -> None:
        event.evolve(self)
        version, on = event.version, event.on
        for leg in event.legs():
            self._post(on, leg)
        self.before.append(self.last_on.get(on, 0))
        self.last_on[on] = version
        if on == self.said_on:
            self.said[_said(event)].append(version)
        if event.request and event.request.sheet:
            self.sheets[version] = event.request.sheet
        if isinstance(event, Voucher) and event.voucher:
            self.last_vouchers[event.voucher[:8]] = event.voucher

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

    def fork(self) -> Self:
        twin = super().fork()
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

    # --- the roll -------------------------------------------------------------------------------------------------

    def adopt(self, on: date, bylaws: Bylaws) -> None:
        """Keep bylaws by the day they come into force; of two on one day the later recorded holds."""
        insort(self.bylaws, (on, len(self.bylaws), bylaws))

    def settle(self, told: FundOpened | PlaceChanged) -> None:
        """Keep where the club lies by the day from which it does; of two on one day the later recorded holds."""
        insort(self.places, (told.on, told.version, told))

    def place_on(self, day: date) -> FundOpened | PlaceChanged:
        """What says where the club lay on `day`, from its opening on."""
        return next(told for on, _, told in reversed(self.places) if on <= day)

    def enrol(self, joined: MemberJoined) -> None:
        """Put a new member on the roll."""
        self.members[joined.member] = Member(
            number=joined.member,
            sex=joined.sex,
            birth_year=joined.birth_year,
            poverty=joined.poverty,
            household=joined.household,
            joined_on=joined.on,
            name=(joined.texts or {}).get("name"),
            households=((joined.on, joined.household),) if joined.household else (),
        )

    def change(self, changed: MemberChanged) -> None:
        """Take over changed fields, and a changed name; a later day's change outlives an earlier one told after it."""
        changes: dict[str, Any] = changed.changes()
        if changed.texts and "name" in changed.texts:
            changes["name"] = changed.texts["name"]
        member = self.members[changed.member]
        known = member.changed_on
        news = {field: value for field, value in changes.items() if known.get(field, changed.on) <= changed.on}
        changed_on = known | dict.fromkeys(news, changed.on)
        moved = ((changed.on, changed.household),) if changed.household else ()
        households = tuple(sorted((*member.households, *moved), key=lambda since: since[0]))
        self.members[changed.member] = msgspec.structs.replace(
            member, **news, changed_on=changed_on, households=households
        )

    def depart(self, number: int, on: date) -> None:
        """Take a member off the roll from a day on."""
        self.members[number] = msgspec.structs.replace(self.members[number], left_on=on)

    def undo_departure(self, number: int) -> None:
        """Put a member on the roll as if they had never left."""
        self.members[number] = msgspec.structs.replace(self.members[number], left_on=None)

    def welcome_back(self, number: int, on: date) -> None:
        """Put a former member on the roll again, under the same number."""
        member = self.members[number]
        assert member.left_on
        absences = (*member.absences, (member.left_on, on))
        self.members[number] = msgspec.structs.replace(member, left_on=None, absences=absences)

    def undo_return(self, number: int) -> None:
        """Take a member off the roll as before they came back."""
        member = self.members[number]
        *before, (left_on, _) = member.absences
        self.members[number] = msgspec.structs.replace(member, left_on=left_on, absences=tuple(before))

    def bylaws_on(self, day: date) -> Bylaws:
        """The bylaws in force on `day`. Raises `NoBylawsInForce`."""
        in_force = [bylaws for on, _, bylaws in self.bylaws if on <= day]
        if not in_force:
            raise NoBylawsInForce(on=day)
        return in_force[-1]

    def member(self, number: int) -> Member:
        """A member by number, whether still on the roll or not. Raises `MemberNotFound`."""
        if number not in self.members:
            raise MemberNotFound(member=number)
        return self.members[number]

    def _member_on_roll(self, number: int, day: date) -> Member:
        member = self.member(number)
        if not member.is_on_roll(day):
            raise MemberNotOnRoll(member=number, on=day)
        return member

    # --- the loan book --------------------------------------------------------------------------------------------

    def open_loan(self, requested: LoanRequested) -> None:
        """Enter a request in the loan book."""
        self.loans[requested.loan] = Loan(
            number=requested.loan,
            member=requested.member,
            principal=requested.principal,
            term_months=requested.term_months,
            purpose=requested.purpose,
            requested_on=requested.on,
        )

    def loan(self, number: int) -> Loan:
        """A loan by number. Raises `LoanNotFound`."""
        if number not in self.loans:
            raise LoanNotFound(loan=number)
        return self.loans[number]

    def take_over(self, opening: OpeningBooks) -> None:
        """Enter the loans of an old book as they stood; of one that was corrected, those that are told otherwise."""
        before = {old.loan: old for old in self.old_books.loans} if self.old_books else {}
        self.taken_over_on, self.old_books = opening.on, opening
        for gone in before.keys() - {old.loan for old in opening.loans}:
            self.loans[gone] = msgspec.structs.replace(self.loans[gone], disbursed_on=None, rejected_on=opening.on)
        for old in opening.loans:
            if before.get(old.loan) == old:
                continue
            repaid = Repayment(opening.on, old.principal - old.outstanding, 0)
            self.loans[old.loan] = Loan(
                number=old.loan,
                member=old.member,
                principal=old.principal,
                term_months=old.term_months,
                purpose=old.purpose,
                requested_on=old.disbursed_on,
                conditions=old,
                disbursed_on=old.disbursed_on,
                repayments={opening.version: repaid} if repaid.principal else {},
                taken_over_on=opening.on,
            )

    @property
    def advances(self) -> set[int]:
        """The numbers of all advances the club has ever taken."""
        return {int(number) for _, account, number in self.balances if account == "advances" and number is not None}

    # --- the boxes ------------------------------------------------------------------------------------------------

    def cash_at(self, day: date, pot: CountedPot = "both") -> int:
        """What the books say lies in the cash box at the end of `day`, in đồng."""
        return sum(self._balance_at(each, "cash", day) for each in (POTS if pot == "both" else (pot,)))

    def _balance_at(self, pot: Pot, account: Account, day: date) -> int:
        kept = (daily for key, daily in self.daily.items() if key[:2] == (pot, account))
        return sum(daily.at(day) for daily in kept)

    def _lowest_cash(self, pot: Pot, on: date) -> int:
        """The least that the pot's box holds at the end of any day from `on`."""
        daily = self.daily.get((pot, "cash", None))
        return daily.worst_from(on, 1)[0] if daily else 0


def _said(event: Event) -> Said:
    """What an event says that may be told twice, without who said it and when: its type, whom it concerns, how much."""
    if not isinstance(event, Voucher | ActivityHeld | MutualHelpGiven):
        return None
    return (event.name, *_telling(type(event))(event))


@cache
def _telling(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    """Reads the fields of a type of event that say whom and what it concerns, and how much."""
    about = ("member", "loan", "kind", "pot", "activity", "source", "amount", "for_month")
    return kind.reader(*about, "area", "participants", "quantity", "unit", "people")

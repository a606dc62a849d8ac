"""One club as it was known at a version: who was on the roll, what runs, what was told and still counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property, wraps
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import msgspec

from ledger.database import Row
from ledger.events import (
    EntryReversed,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    OfficeLeft,
    OfficeTaken,
)
from ledger.plans import Plan
from ledger.projections import loans
from ledger.projections.loan_account import Account
from ledger.reports.periods import Period
from ledger.reports.reading import ClubFact, ClubRecord, MemberFact, Moved, Receipt
from ledger.reports.scope import Club

REVERSED = EntryReversed.__name__
JOINED = MemberJoined.__name__


class Question(NamedTuple):
    """What is asked of a club: by which plan, about which period, and from which age on one is older."""

    plan: Plan
    period: Period
    threshold: int


class Person(NamedTuple):
    """A member as they stood at the end of a day, or last stood."""

    member: int
    is_on_roll: bool
    sex: str
    birth_year: int
    poverty: str


class ClubAt:
    """What was known of a club at a version, for a question; each part is worked out when it is first asked for."""

    def __init__(self, club: Club, record: ClubRecord, version: int, question: Question) -> None:
        self.club = club
        self.version = version
        self.plan, self.period, self.threshold = question
        self._record = record
        self.worked_out: dict[Callable[[ClubAt], Any], Any] = {}
        self._since, self._until = (day.isoformat() for day in self.period[:2])

    # --- people ---------------------------------------------------------------------------------------------------

    @cached_property
    def people(self) -> dict[int, Person]:
        """All who had joined by the end of the period, by number."""
        people = {}
        version, until = self.version, self._until
        for facts in self._record.members:
            known = facts if facts[-1].version <= version else [fact for fact in facts if fact.version <= version]
            if person := _person(known, until):
                people[person.member] = person
        return people

    @cached_property
    def roll(self) -> list[Person]:
        """Those on the roll at the end of the period."""
        return [person for person in self.people.values() if person.is_on_roll]

    @cached_property
    def holders(self) -> dict[str, set[int]]:
        """The members on the roll who hold each office at the end of the period."""
        held: dict[str, set[int]] = {}
        on_roll = {person.member for person in self.roll}
        told = (self.live_by_kind.get(kind, ()) for kind in (OfficeTaken.__name__, OfficeLeft.__name__))
        for fact in sorted(chain.from_iterable(told), key=lambda fact: (fact.on_day, fact.version)):
            assert fact.part
            assert fact.number
            holders = held.setdefault(fact.part, set())
            holders.discard(fact.number)
            lasts = fact.until_day is None or fact.until_day > self._until
            if fact.fact == OfficeTaken.__name__ and lasts and fact.number in on_roll:
                holders.add(fact.number)
        return held

    # --- facts ----------------------------------------------------------------------------------------------------

    @cached_property
    def told(self) -> list[ClubFact]:
        """What was told of the time up to the end of the period, reversals and what they undo included."""
        return [fact for fact in self._record.facts if fact.version <= self.version]

    @cached_property
    def told_by_kind(self) -> dict[str, list[ClubFact]]:
        """The same by its type."""
        by_kind: dict[str, list[ClubFact]] = {}
        for fact in self.told:
            by_kind.setdefault(fact.fact, []).append(fact)
        return by_kind

    @cached_property
    def live_by_kind(self) -> dict[str, list[ClubFact]]:
        """What still counts at the end of the period, by its type."""
        told = self.told_by_kind
        undone = {fact.about for fact in told.get(REVERSED, ())}
        if not undone:
            return told
        return {
            kind: [fact for fact in facts if fact.version not in undone]
            for kind, facts in told.items()
            if kind != REVERSED
        }

    def in_period(self, kind: str) -> list[ClubFact]:
        """What of a type happened in the period and still counts at its end."""
        return [fact for fact in self.live_by_kind.get(kind, ()) if fact.on_day >= self._since]

    def flows(self, *kinds: str) -> Iterator[tuple[int, ClubFact, ClubFact]]:
        """What of these types happened in the period, each with 1, and what was undone in it, each with -1: the fact
        with its day, and the fact that says what it is about."""
        for sign, fact, about in self._flows(kinds):
            if fact.on_day >= self._since:
                yield sign, fact, about

    def all_flows(self, kind: str) -> Iterator[tuple[int, ClubFact]]:
        """The same from the beginning on."""
        for sign, _, about in self._flows((kind,)):
            yield sign, about

    def _flows(self, kinds: Sequence[str]) -> list[tuple[int, ClubFact, ClubFact]]:
        """What of these types was told, and what was undone of it, in the order it was told."""
        told = {fact.version: fact for kind in kinds for fact in self.told_by_kind.get(kind, ())}
        flows = [(1, fact, fact) for fact in told.values()]
        undone = (fact for fact in self.told_by_kind.get(REVERSED, ()) if fact.part in kinds)
        flows += ((-1, fact, told[fact.about or 0]) for fact in undone)
        return sorted(flows, key=lambda flow: flow[1].version)

    @property
    def has_bylaws(self) -> bool:
        """Whether there are bylaws in force at the end of the period."""
        return any(version <= self.version and on <= self._until for version, on in self._record.bylaws)

    # --- money ----------------------------------------------------------------------------------------------------

    @cached_property
    def opening(self) -> Counter[tuple[str, str]]:
        """What each asset of each pot held before the period."""
        if not self._record.later:
            return self._record.opening
        held = self._record.opening.copy()
        for moved in self._later_moves():
            if moved.side == "held" and moved.on_day < self._since:
                held[moved.pot, moved.account] += moved.amount
        return held

    @cached_property
    def moved(self) -> list[Moved]:
        """What was moved in the period."""
        later = (moved for moved in self._later_moves() if self._since <= moved.on_day <= self._until)
        return [*self._record.moved, *later]

    def _later_moves(self) -> Iterator[Moved]:
        for entry in self._record.later:
            if entry.version <= self.version:
                yield from entry.moved

    # --- loans ----------------------------------------------------------------------------------------------------

    @cached_property
    def loan_facts(self) -> dict[int, list[Row]]:
        """The facts of each loan that runs at the end of the period or moved in it."""
        known = {
            number: [fact for fact in facts if fact["version"] <= self.version]
            for number, facts in self._record.loans.items()
        }
        return {number: facts for number, facts in known.items() if facts}

    @cached_property
    def running(self) -> list[Account]:
        """The loans that run at the end of the period."""
        accounts = map(Account, self.loan_facts.values())
        return [account for account in accounts if account.status == "running"]

    @cached_property
    def receipts(self) -> list[Receipt]:
        """All loans ever handed out that stand in the books at the end of the period."""
        found = list(self._record.receipts)
        for number in self._record.changed_loans & self.loan_facts.keys():
            for _, loan, _, member, purpose, *days in loans.HISTORY.derive(self.loan_facts[number]).get(
                loans.LOAN_RECEIPTS, ()
            ):
                receipt = Receipt(loan, member, purpose, *days)
                if receipt.from_day <= self._until < receipt.until_day:
                    found.append(receipt)
        return found

    # --- recording ------------------------------------------------------------------------------------------------

    @cached_property
    def days_late(self) -> Counter[int]:
        """How many entries of the period were recorded how many days late."""
        if not self._record.later:
            return self._record.days_late
        late = self._record.days_late.copy()
        for entry in self._record.later:
            if entry.version <= self.version and self._since <= entry.on_day <= self._until:
                late[(date.fromisoformat(entry.recorded_day) - date.fromisoformat(entry.on_day)).days] += 1
        return late

    @property
    def last_recorded_day(self) -> date:
        """The day on which the last entry was recorded."""
        later = (entry.recorded_day for entry in self._record.later if entry.version <= self.version)
        return date.fromisoformat(max(later, default=self._record.recorded_day))


class Reported(msgspec.Struct, array_like=True, frozen=True):
    """What a report takes of one club: its row, and what figures of all clubs together need beside it. `evidenced` is
    what was given of each line of the plan's budget, in đồng."""

    row: dict[str, Any]
    founded_on: date
    days_late: dict[int, int]
    last_recorded_day: date
    is_maintained: bool
    evidenced: tuple[int, ...]


T = TypeVar("T")


def once(figure: Callable[[ClubAt], T]) -> Callable[[ClubAt], T]:
    """Work a figure of a club out once, however many others rest on it."""

    @wraps(figure)
    def kept(club: ClubAt) -> T:
        if figure not in club.worked_out:
            club.worked_out[figure] = figure(club)
        found: T = club.worked_out[figure]
        return found

    return kept


def _person(facts: Sequence[MemberFact], until: str) -> Person | None:
    """A member at the end of a day, from what was told of them; None before they joined."""
    if len(facts) > 1:
        undone = {fact.reverses for fact in facts}  # It never was, whatever the day on which it was undone.
        live = (f for f in facts if not f.reverses and f.version not in undone and f.on_day <= until)
        facts = sorted(live, key=lambda fact: (fact.on_day, fact.version))
    if not facts or facts[0].on_day > until or facts[0].fact != JOINED:
        return None
    _, member, _, _, _, sex, birth_year, poverty, _ = facts[0]
    assert sex
    assert birth_year
    assert poverty
    person = Person(member, True, sex, birth_year, poverty)
    return _changed(person, facts) if len(facts) > 1 else person


def _changed(person: Person, facts: Sequence[MemberFact]) -> Person:
    """A member after all that followed their joining, in order of the days it happened."""
    is_on_roll = True
    sex, birth_year, poverty = person.sex, person.birth_year, person.poverty
    for fact in facts[1:]:
        if fact.fact in (MemberLeft.__name__, MemberReturned.__name__):
            is_on_roll = fact.fact == MemberReturned.__name__
        sex, birth_year, poverty = fact.sex or sex, fact.birth_year or birth_year, fact.poverty or poverty
    return Person(person.member, is_on_roll, sex, birth_year, poverty)

"""What a report needs of many clubs, read with few statements: facts as they were told, and sums by day.

Facts come with the versions they were told at, so that a club can be looked at as it was known at any version from a
floor to the last one read. Sums come as they were known at the floor, with each later entry's own part beside them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from ledger.chart import Leg
from ledger.database import Row, Transaction
from ledger.days import civil_day
from ledger.events import EVENT_TYPES, EntryReversed
from ledger.projections.club_facts import CLUB_FACTS
from ledger.projections.days import sides
from ledger.projections.loans import LOAN_FACTS
from ledger.reports.periods import Period

AT_ONCE = 256
"""Clubs of one statement."""


class Asked(NamedTuple):
    """A fund, and the versions to read it at: every one from the floor on."""

    fund: str
    floor: int
    version: int


class MemberFact(NamedTuple):
    """What was told of a member; what a fact does not say is None."""

    fund: str
    member: int
    version: int
    fact: str
    on_day: str
    sex: str | None
    birth_year: int | None
    poverty: str | None
    reverses: int | None


class ClubFact(NamedTuple):
    """What was told of the club, as the table of facts has it."""

    version: int
    fact: str
    on_day: str
    recorded_day: str
    about: int | None
    part: str | None
    pot: str | None
    is_foreign: int | None
    amount: int | None
    number: int | None
    of_number: int | None
    until_day: str | None
    unit: str | None
    document: str | None


class Receipt(NamedTuple):
    """A loan that was handed out, and between which days it stands in the books."""

    loan: int
    member: int
    purpose: str
    received_on: str
    from_day: str
    until_day: str


class Moved(NamedTuple):
    """What an account moved on a day."""

    on_day: str
    pot: str
    account: str
    part: str
    side: str
    amount: int


class LaterEntry(NamedTuple):
    """An entry told after the floor: when, and what it moved."""

    version: int
    on_day: str
    recorded_day: str
    is_reversal: bool
    moved: tuple[Moved, ...]


@dataclass
class ClubRecord:
    """All that a report needs of one club, from the floor on."""

    floor: int
    members: list[list[MemberFact]] = field(default_factory=list)
    """The facts of each member, in the order they were told."""
    facts: list[ClubFact] = field(default_factory=list)
    bylaws: list[tuple[int, str]] = field(default_factory=list)
    """Versions and days of those adopted."""
    loans: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """The facts of loans that run at the end of the period, moved in it, or changed since the floor."""
    changed_loans: set[int] = field(default_factory=set)
    receipts: list[Receipt] = field(default_factory=list)
    """Of the loans that did not change since the floor."""
    opening: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What each asset of each pot held before the period, as known at the floor."""
    moved: list[Moved] = field(default_factory=list)
    """What was moved in the period, as known at the floor."""
    days_late: Counter[int] = field(default_factory=Counter)
    """How many entries of the period were recorded how many days late, as known at the floor."""
    later: list[LaterEntry] = field(default_factory=list)
    recorded_day: str = ""
    """The day on which the last entry up to the floor was recorded."""


def read_clubs(tables: Transaction, asked: Sequence[Asked], period: Period) -> Iterator[tuple[str, ClubRecord]]:
    """The records of these funds, some hundreds at a time."""
    for start in range(0, len(asked), AT_ONCE):
        chunk = list(asked[start : start + AT_ONCE])
        reading = _Reading(tables, chunk, period)
        reading.read()
        for each in chunk:
            yield each.fund, reading.records[each.fund]


class _Reading:
    """One chunk of funds being read. Every statement begins with the funds, their floors and their versions."""

    def __init__(self, tables: Transaction, chunk: Sequence[Asked], period: Period) -> None:
        self.records = {each.fund: ClubRecord(each.floor) for each in chunk}
        self._tables = tables
        # The database prepares each shape of a statement once: filled up to a power of two, shapes are few.
        padded = [*chunk, *[Asked("", 0, 0)] * ((1 << (len(chunk) - 1).bit_length()) - len(chunk))]
        values = ", ".join(f"(:f{i}, CAST(:l{i} AS BIGINT), CAST(:v{i} AS BIGINT))" for i in range(len(padded)))
        self._asked = f"WITH asked(fund, floor_at, version_at) AS (VALUES {values}) "
        self._parameters: dict[str, Any] = {"since": period.since.isoformat(), "until": period.until.isoformat()}
        for i, each in enumerate(padded):
            self._parameters |= {f"f{i}": each.fund, f"l{i}": each.floor, f"v{i}": each.version}

    def _values(self, sql: str) -> list[tuple[Any, ...]]:
        return self._tables.values(self._asked + sql, **self._parameters)

    def _by_fund(self, sql: str) -> Iterator[tuple[ClubRecord, tuple[Any, ...]]]:
        """The rows of a query whose first column is the fund, with its record and without it."""
        records = self.records
        return ((records[row[0]], row[1:]) for row in self._values(sql))

    def read(self) -> None:
        """Read all of it."""
        told = self._values(
            "SELECT m.fund, m.member, m.version, m.fact, m.on_day, m.sex, m.birth_year, m.poverty, m.reverses "
            "FROM asked a CROSS JOIN member_facts m WHERE m.fund = a.fund AND m.version <= a.version_at "
            "ORDER BY m.fund, m.member, m.version"
        )
        for (fund, _), facts in groupby(told, itemgetter(0, 1)):
            self.records[fund].members.append(list(map(MemberFact._make, facts)))
        names = ", ".join(f"c.{name}" for name in CLUB_FACTS.names)
        for record, values in self._by_fund(
            f"SELECT {names} FROM asked a CROSS JOIN club_facts c WHERE c.fund = a.fund "
            "AND c.version <= a.version_at AND c.on_day <= :until ORDER BY c.fund, c.version"
        ):
            record.facts.append(ClubFact._make(values))
        for record, values in self._by_fund(
            "SELECT b.fund, b.version, b.on_day FROM asked a CROSS JOIN bylaws b WHERE b.fund = a.fund "
            "AND b.version <= a.version_at"
        ):
            record.bylaws.append((values[0], values[1]))
        self._read_loans()
        self._read_sums()
        self._read_later()

    def _read_loans(self) -> None:
        for record, (loan,) in self._by_fund(
            "SELECT DISTINCT l.fund, l.loan FROM asked a CROSS JOIN loan_facts l WHERE l.fund = a.fund "
            "AND l.version > a.floor_at AND l.on_day <= :until"
        ):
            record.changed_loans.add(loan)
        wanted = (
            "SELECT l.fund, l.loan FROM asked a CROSS JOIN loan_facts l WHERE l.fund = a.fund AND l.on_day <= :until "
            "GROUP BY l.fund, l.loan, a.floor_at HAVING SUM(l.change) <> 0 OR MAX(l.on_day) >= :since "
            "OR MAX(l.version) > a.floor_at"
        )
        names = ", ".join(f"l.{name}" for name in LOAN_FACTS.names)
        for values in self._values(
            f"SELECT {names} FROM ({wanted}) w JOIN asked a ON a.fund = w.fund "
            "JOIN loan_facts l ON l.fund = w.fund AND l.loan = w.loan AND l.version <= a.version_at "
            "AND l.on_day <= :until ORDER BY l.fund, l.loan, l.version"
        ):
            self.records[values[0]].loans[values[1]].append(dict(zip(LOAN_FACTS.names, values, strict=True)))
        for record, values in self._by_fund(
            "SELECT r.fund, r.loan, r.member, r.purpose, r.received_on, r.from_day, r.until_day "
            "FROM asked a CROSS JOIN loan_receipts r WHERE r.fund = a.fund AND r.from_day <= :until "
            "AND r.until_day > :until"
        ):
            if values[0] not in record.changed_loans:
                record.receipts.append(Receipt._make(values))

    def _read_sums(self) -> None:
        for record, (pot, account, amount) in self._by_fund(
            "SELECT d.fund, d.pot, d.account, CAST(SUM(d.amount) AS BIGINT) FROM asked a CROSS JOIN account_days d "
            "WHERE d.fund = a.fund AND d.on_day < :since AND d.side = 'held' GROUP BY d.fund, d.pot, d.account"
        ):
            record.opening[pot, account] += amount
        for record, values in self._by_fund(
            "SELECT d.fund, d.on_day, d.pot, d.account, d.part, d.side, d.amount FROM asked a "
            "CROSS JOIN account_days d WHERE d.fund = a.fund AND d.on_day >= :since AND d.on_day <= :until"
        ):
            record.moved.append(Moved._make(values))
        for record, (on_day, recorded_day, entries) in self._by_fund(
            "SELECT d.fund, d.on_day, d.recorded_day, d.entries FROM asked a CROSS JOIN entry_days d "
            "WHERE d.fund = a.fund AND d.on_day >= :since AND d.on_day <= :until"
        ):
            record.days_late[days_between(on_day, recorded_day)] += entries
        for record, (recorded_at,) in self._by_fund(
            "SELECT e.fund, e.recorded_at FROM asked a CROSS JOIN entries e WHERE e.fund = a.fund "
            "AND e.version = a.floor_at"
        ):
            record.recorded_day = _village_day(recorded_at)

    def _read_later(self) -> None:
        """Take out of the sums what was told since the floor; what was told up to the version is kept beside them."""
        legs: dict[tuple[str, int], list[Leg]] = defaultdict(list)
        for fund, version, pot, account, part, amount in self._values(
            "SELECT l.fund, l.version, l.pot, l.account, l.part, l.amount FROM asked a CROSS JOIN legs l "
            "WHERE l.fund = a.fund AND l.version > a.floor_at ORDER BY l.fund, l.version, l.leg"
        ):
            legs[fund, version].append(Leg(pot, account, amount, part or None))
        since, until = self._parameters["since"], self._parameters["until"]
        for fund, version, kind, on_day, recorded_at, version_at in self._values(
            "SELECT e.fund, e.version, e.type, e.on_day, e.recorded_at, a.version_at FROM asked a CROSS JOIN entries e "
            "WHERE e.fund = a.fund AND e.version > a.floor_at ORDER BY e.fund, e.version"
        ):
            record, recorded_day = self.records[fund], _village_day(recorded_at)
            its = legs.get((fund, version), ())
            moved = tuple(Moved(on_day, *each) for each in sides(EVENT_TYPES[kind], tuple(its)))
            if on_day <= until:
                if on_day >= since:
                    record.days_late[days_between(on_day, recorded_day)] -= 1
                    record.moved += [each._replace(amount=-each.amount) for each in moved]
                else:
                    for each in moved:
                        if each.side == "held":
                            record.opening[each.pot, each.account] -= each.amount
            if version <= version_at:
                record.later.append(LaterEntry(version, on_day, recorded_day, kind == EntryReversed.__name__, moved))


def days_between(first: str, last: str) -> int:
    """How many days from one to another."""
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).days


def _village_day(recorded_at: str) -> str:
    return civil_day(datetime.fromisoformat(recorded_at)).isoformat()

"""Funds to measure with: lives of clubs told through the real decisions, evenly over the years, and stored in bulk.

A month in such a life is dues of everybody, some savings, gifts, visits and small loans that are repaid: about what
`domain.md` counts on, 90 events a month. The same code and number of events give the same lines.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import msgspec
from eventsourcing.persistence import StoredEvent

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.application import Ledger
from ledger.chart import POTS
from ledger.events import NO_HEAD, Entry, Request, decode, encode, head_of
from service.demo.places import CLUBS, PLAN

OPENED_ON = date(2014, 1, 10)
UNTIL = date(2025, 12, 31)
PROVINCE, DISTRICT = "Lạng Sơn", "Cao Lộc"
MEMBERS = 60
ROWS = 2_000
"""Rows that share a commit when a history is stored."""

BYLAWS = msgspec.structs.replace(
    CLUBS[0].bylaws, min_membership_months=0, one_open_loan_per_household=False, two_person_approval=False
)
"""Those of a club of the plan, without what would stop one person alone from telling a whole life."""


def lived(code: str, events: int, *, members: int = MEMBERS) -> Fund:
    """A fund of so many events, a club's whole life; its `pending` holds them all."""
    life = _Life(code, events, members)
    turn = 0
    while life.fund.version < events:
        life.live(turn)
        turn += 1
    return life.fund


def gifts_only(code: str, events: int) -> Fund:
    """A fund of so many events that was opened and then given gifts."""
    life = _Life(code, events, members=0)
    while life.fund.version < events:
        life.receive_gift()
    return life.fund


class _Life:
    """One club's life, from its opening on; its events lie evenly over the years."""

    def __init__(self, code: str, events: int, members: int) -> None:
        self.fund = Fund(code)
        self._events = events
        self._members = members
        self._loans: list[int] = []
        self.fund.open(
            self._metadata(),
            bylaws=BYLAWS,
            club="Câu lạc bộ Mai Pha",
            commune="Mai Pha",
            district=DISTRICT,
            province=PROVINCE,
            founded_on=OPENED_ON,
        )
        for number in range(1, members + 1):
            sex = "female" if number % 3 else "male"
            self.fund.join(
                self._metadata(), sex=sex, birth_year=1940 + number % 40, poverty="none", household=f"H{number}"
            )
        for pot in POTS:
            self.fund.receive_donation(self._metadata(), source="state_budget", pot=pot, amount=500_000_000)

    def _metadata(self) -> EntryMetadata:
        told = self.fund.version
        on = OPENED_ON + (UNTIL - OPENED_ON) * min(told, self._events) // self._events
        key = f"{self.fund.id}-{told:08d}"
        return EntryMetadata(
            on=on,
            recorded_at=datetime.combine(on, time(11), UTC) + timedelta(milliseconds=told),
            recorded_by="p-treasurer",
            request=Request(key, hashlib.sha256(key.encode()).hexdigest()),
        )

    def receive_gift(self) -> None:
        """A gift, never the same twice."""
        amount = 5_000_000 + self.fund.version
        self.fund.receive_donation(self._metadata(), source="business", pot="revolving", amount=amount)

    def live(self, turn: int) -> None:
        """The next of about 90 things that happen in a month."""
        fund, member = self.fund, turn % self._members + 1
        left = self._events - fund.version
        match turn % 90:
            case 20 | 50 | 80 if left >= 3:
                number = fund.request_loan(
                    self._metadata(), member=member, principal=3_000_000, term_months=6, purpose="livestock"
                ).loan
                fund.approve_loan(self._metadata(), number, override=True)
                fund.disburse_loan(self._metadata(), number)
                self._loans.append(number)
            case 35 | 65 if self._loans:
                metadata, number = self._metadata(), self._loans[0]
                owed = fund.loan(number).standing(metadata.on).settlement_amount
                fund.repay_loan(metadata, number, amount=owed // 2)
            case 5 | 40 | 70 if self._loans:
                metadata, number = self._metadata(), self._loans.pop(0)
                owed = fund.loan(number).standing(metadata.on).settlement_amount
                fund.repay_loan(metadata, number, amount=owed)
            case 10 | 30 | 55 | 60:
                fund.pay_expense(self._metadata(), activity="visit_gift", amount=50_000)
            case 15:
                fund.receive_donation(self._metadata(), source="member", pot="activity", amount=200_000 + turn)
            case rest if rest % 6 == 0:
                fund.receive_contribution(self._metadata(), member=member, kind="savings", amount=20_000)
            case _:
                fund.receive_contribution(self._metadata(), member=member, kind="dues", amount=10_000)


def retold(entries: Sequence[Entry], code: str, province: str, district: str) -> Iterator[StoredEvent]:
    """The same history as that of another fund in another place, its lines chained anew: many clubs in little time."""
    head, first = NO_HEAD, entries[0].event
    theirs, ours = (msgspec.json.encode(fund) for fund in (first.fund, code))
    for entry in entries:
        line = entry.line.replace(b'"fund":' + theirs, b'"fund":' + ours, 1)
        line = line.replace(entry.event.prev.encode(), head.encode(), 1)
        if entry.event is first:
            line = encode(msgspec.structs.replace(decode(line), province=province, district=district, plan=PLAN))
        head = head_of(line)
        yield StoredEvent(code, entry.event.version, entry.event.name, line)


def store(ledger: Ledger, rows: Iterable[StoredEvent]) -> int:
    """Store lines straight through the recorder, some thousands a commit; answers how many."""
    rows, stored = iter(rows), 0
    while together := list(islice(rows, ROWS)):
        ledger.recorder.insert_events(together)
        stored += len(together)
    return stored


def rows_of(ledger: Ledger, entries: Iterable[Entry]) -> Iterator[StoredEvent]:
    """Entries as they are stored."""
    return map(ledger.mapper.to_stored_event, entries)

"""What every red flag rests on: the thresholds, the finding, and the past of a fund as the rules read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar, cast

import msgspec

from ledger.aggregates.fund import Fund
from ledger.days import DailyBalance, civil_day
from ledger.events import Event, OpeningBooks

E = TypeVar("E", bound=Event)
Fact = int | str | date | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where everyday life ends and a question begins; whole numbers from zero on, else `ValueError`.

    A plain dataclass, so that the settings can take it as it is.
    """

    late_days: int = 14
    """Days after the day it happened from which an entry is late."""
    late_sittings: int = 6
    """Days in one month on which something was entered late; a meeting entered late in one go is one."""
    very_late_days: int = 60
    """Days after which a single late entry is a question."""
    inspection_days: int = 7
    """Days before an inspection in which late entries are counted."""
    inspection_entries: int = 3
    """Late entries in those days."""
    reversals: int = 10
    """Reversals by one person in a calendar year."""
    reversal_percent: int = 3
    """Those reversals, in % of what the person entered that year."""
    overrides: int = 3
    """Loans approved against the bylaws in a calendar year."""
    override_percent: int = 10
    """Those, in % of the year's approvals."""
    renewal_days: int = 0
    """Days between the settlement of a loan and the next loan to the household; 0 is the same day."""
    renewal_percent: int = 50
    """The settlement, in % of the old loan's principal: a last small instalment is no renewal."""
    household_percent: int = 100
    """What a household owes on several loans, in % of what the bylaws lend to one member."""
    lapping_percent: int = 10
    """Payments shifted by one month, in % of those who came to the earlier meeting."""
    lapping_months: int = 3
    """Months in a row with so many of them."""
    count_gap_days: int = 200
    """Days without a count of the box; a half-year and a little."""
    cash_high_dong: int = 20_000_000
    """Cash in the box at the end of a day, in đồng."""
    cash_high_days: int = 45
    """Days in a row with more than that."""
    order_days: int = 31
    """Days by which a voucher is dated before an earlier number of its series."""
    order_vouchers: int = 5
    """Such vouchers in one series of a year."""
    order_percent: int = 2
    """Those, in % of the series."""
    interest_dong: int = 20_000
    """Interest taken on a loan, above or below what its terms make it, in đồng."""
    over_count_dong: int = 5_000_000
    """What came later for days a count had covered, in and out of the box together, in đồng."""
    rescheduled_percent: int = 10
    """What was repaid between two reschedulings of a loan, in % of what was owed at the first."""
    over_count_entries: int = 6
    """How many entries that were."""

    def __post_init__(self) -> None:
        for threshold in fields(self):
            if getattr(self, threshold.name) < 0:
                raise ValueError(f"{threshold.name} should be 0 or more")


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A question for the inspector to ask, never an accusation: the rule, the entries behind it, in order, and the
    facts for its words (numbers, days, codes; nothing written about anybody)."""

    rule: str
    versions: tuple[int, ...]
    facts: dict[str, Fact]


class Past:
    """What had happened to a fund by the end of `day`, as far as its log knows.

    `linked` gives the member's number of principals who are members themselves: the log has only their ids.
    """

    def __init__(self, fund: Fund, day: date, linked: Mapping[str, int]) -> None:
        self.fund = fund if fund.latest_on and day >= fund.latest_on else _as_it_was(fund, day)
        self.day = day
        self.linked = linked
        self.entries = [event for event in fund.entries if event.on <= day]
        self.moneyed: list[Event] = []
        """The entries that moved money, but for the old books that were taken over."""
        self.cash: dict[date, int] = defaultdict(int)
        """What each day brought into the box, in đồng; negative what it took out."""
        self.debts: dict[int, DailyBalance] = defaultdict(DailyBalance)
        """The principal owed on each loan, day by day."""
        self._persons = {member: min(ids) for member, ids in _by_member(linked).items()}
        self._live: dict[type[Event], list[Event]] = defaultdict(list)
        for event in self.entries:
            if event.version not in self.fund.reversed_by:
                self._live[type(event)].append(event)
            legs = event.legs()
            if legs and not isinstance(event, OpeningBooks):
                self.moneyed.append(event)
            for leg in legs:
                if leg.account == "cash":
                    self.cash[event.on] += leg.amount
                elif leg.account == "loans":
                    assert isinstance(leg.of, int)
                    self.debts[leg.of].add(event.on, leg.amount)

    def all(self, kind: type[E]) -> list[E]:
        """The entries of a kind that nothing has undone, in the order they were recorded."""
        return cast("list[E]", self._live[kind])

    def person(self, principal: str) -> str:
        """One of the principals who are the same person, always the same one."""
        return self._persons[self.linked[principal]] if principal in self.linked else principal

    def household(self, member: int) -> str:
        """A member's household as the roll has it by now; without one, or unknown to the roll, they are their own."""
        known = self.fund.members.get(member)
        return (known.home if known else None) or f"member {member}"


def _by_member(linked: Mapping[str, int]) -> dict[int, list[str]]:
    principals: dict[int, list[str]] = defaultdict(list)
    for principal, member in linked.items():
        principals[member].append(principal)
    return principals


def _as_it_was(fund: Fund, day: date) -> Fund:
    """The fund as it would stand if nothing had happened after `day`; its balances are not kept."""
    past = Fund(fund.id)
    past.entries = fund.entries
    for event in fund.entries:
        if event.on <= day:
            event.evolve(past)
    return past


def entered_on(event: Event) -> date:
    """The day in the village on which an entry was recorded."""
    return civil_day(event.recorded_at)


def days_late(event: Event) -> int:
    """Days from when it happened to when it was recorded."""
    return (entered_on(event) - event.on).days


def month_of(day: date) -> str:
    """The month of a day, `YYYY-MM`."""
    return f"{day:%Y-%m}"


def flag(rule: str, events: Sequence[Event], **facts: Fact) -> Flag:
    """A flag, with the entries behind it."""
    return Flag(rule=rule, versions=tuple(sorted({event.version for event in events})), facts=facts)


def is_share(part: int, whole: int, percent: int) -> bool:
    """Whether a part is at least so many percent of the whole."""
    return 100 * part >= percent * whole

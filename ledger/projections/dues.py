"""Dues by the month they are for: what the bylaws asked of each member, and what came (`domain.md` §3 and §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from ledger.days import add_months
from ledger.events import Bylaws, ContributionReceived, DuesForgiven
from ledger.projections.tables import LoggedEvent, Reader, Rows, Table, until

DUES = Table(
    "dues",
    columns="fund TEXT NOT NULL, month TEXT NOT NULL, member BIGINT NOT NULL, version BIGINT NOT NULL, "
    "on_day TEXT NOT NULL, paid BIGINT",
    key="fund, month, member, version",
)
"""What came for a month, in đồng; null where the chair let go of the month. Dues that name no month are for the month
they were paid in."""

RECENT_MONTHS: Final = 3
"""On a meeting's sheet: this month and the two before. A public list of old debts would shame people in a village."""


def _came(events: Iterable[LoggedEvent]) -> Rows:
    rows: Rows = []
    for event, on, *_ in events:
        if isinstance(event, ContributionReceived) and event.kind == "dues":
            month = event.for_month or on[:7]
            rows.append((event.fund, month, event.member, event.version, on, event.amount))
        elif isinstance(event, DuesForgiven):
            rows += [(event.fund, month, event.member, event.version, on, None) for month in event.months]
    return rows


ADDED: Final = {DUES: _came}
"""The rows that events add, by table."""


# --- queries ----------------------------------------------------------------------------------------------------------


class MonthlyDues(NamedTuple):
    """One member's dues for one month (`YYYY-MM`), in đồng."""

    member: int
    month: str
    expected: int
    paid: int

    @property
    def owed(self) -> int:
        """What is still to come; nothing if more came than was asked."""
        return max(self.expected - self.paid, 0)


class _Meeting(NamedTuple):
    """The day of a month from which its dues are owed, and what the bylaws of that day ask of a member, in đồng."""

    on: str
    month: str
    asked: int


def monthly_dues(
    reader: Reader, fund: str, day: date, *, since: str = "", member: int | None = None
) -> Iterator[MonthlyDues]:
    """What was expected and paid for each month whose meeting day has come by `day`, by member and month; of months
    (`YYYY-MM`) from `since`, and of one member, where that is asked.

    A member owes a month's dues if they were on the roll at the end of its meeting day, by the bylaws in force on that
    day, unless they were forgiven by then. What came after `day` is not counted.
    """
    paid, forgiven = _what_came(reader, fund, day, since, member)
    meetings = [meeting for meeting in _meetings(reader, fund, day) if meeting.month >= since]
    for number, spells in _on_roll(reader, fund, member).items():
        for on, month, asked in meetings:
            if any(start <= on < end for start, end in spells):
                came = paid.get((number, month), 0)
                yield MonthlyDues(number, month, min(asked, came) if (number, month) in forgiven else asked, came)


def first_recent_month(day: date) -> str:
    """The first of the months (`YYYY-MM`) whose dues a meeting's sheet of `day` asks for."""
    return month_of(add_months(day.replace(day=1), 1 - RECENT_MONTHS))


def meeting_in(month: date, meeting_day: int) -> date:
    """The meeting's day in the month of a day; the last one of a month that has fewer days."""
    return add_months(month.replace(month=1, day=meeting_day), month.month - 1)


def month_of(day: date) -> str:
    """The month of a day, as `YYYY-MM`."""
    return f"{day:%Y-%m}"


_Month = tuple[int, str]
"""A member's month."""


def _what_came(
    reader: Reader, fund: str, day: date, since: str, member: int | None
) -> tuple[dict[_Month, int], set[_Month]]:
    """What was paid for each member's month and stood at the end of `day`, and the months let go of."""
    paid: dict[_Month, int] = {}
    forgiven = set()
    for row in reader.query(
        "SELECT d.member, d.month, CAST(SUM(d.paid) AS BIGINT) AS paid, COUNT(*) - COUNT(d.paid) AS forgiven "
        "FROM dues d LEFT JOIN entries undoing ON undoing.fund = d.fund AND undoing.reverses = d.version "
        "WHERE d.fund = :fund AND d.month >= :since AND d.on_day <= :day "
        f"{_of(member, 'd.')}AND (undoing.version IS NULL OR undoing.on_day > :day) GROUP BY d.member, d.month",
        fund=fund,
        since=since,
        day=until(day),
        member=member,
    ):
        key = row["member"], row["month"]
        paid[key] = row["paid"] or 0
        if row["forgiven"]:
            forgiven.add(key)
    return paid, forgiven


def _on_roll(reader: Reader, fund: str, member: int | None) -> dict[int, list[tuple[str, str]]]:
    """The stretches of days that members were on the roll."""
    spells: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in reader.query(
        f"SELECT member, from_day, until_day FROM member_spells WHERE fund = :fund {_of(member)}ORDER BY member",
        fund=fund,
        member=member,
    ):
        spells[row["member"]].append((row["from_day"], row["until_day"]))
    return spells


def _of(member: int | None, table: str = "") -> str:
    return "" if member is None else f"AND {table}member = :member "


def _meetings(reader: Reader, fund: str, day: date) -> Sequence[_Meeting]:
    """The meeting days from the fund's opening until `day`."""
    opened = reader.query("SELECT opened_on FROM funds WHERE fund = :fund", fund=fund)[0]["opened_on"]
    rows = reader.query("SELECT on_day, rules FROM bylaws WHERE fund = :fund ORDER BY on_day, version", fund=fund)
    return _meeting_days(opened, day, tuple((row["on_day"], row["rules"]) for row in rows))


@lru_cache(maxsize=1_024)  # Each sheet, passbook and list of dues of an evening asks for those of its club.
def _meeting_days(opened_on: str, day: date, told: tuple[tuple[str, str], ...]) -> Sequence[_Meeting]:
    """A month's meeting is on the day that the bylaws in force as the month begins say."""
    opened = date.fromisoformat(opened_on)
    adopted = [(date.fromisoformat(on), _rules(rules)) for on, rules in told]
    month, meetings = opened.replace(day=1), []
    while month <= day and adopted:
        on = meeting_in(month, _in_force(adopted, max(month, opened)).meeting_day)
        if opened <= on <= day:
            meetings.append(_Meeting(on.isoformat(), month_of(on), _in_force(adopted, on).monthly_dues))
        month = add_months(month, 1)
    return tuple(meetings)


_rules = msgspec.json.Decoder(Bylaws).decode


def _in_force(adopted: list[tuple[date, Bylaws]], day: date) -> Bylaws:
    """The bylaws of a day; a fund opens with its first."""
    return next(bylaws for on, bylaws in reversed(adopted) if on <= day)

"""The two times of a fund's entries side by side: when something happened, and when the book heard of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from ledger.database import Row
from ledger.days import VILLAGE_TIME, civil_day
from ledger.events import EntryReversed, MeetingHeld
from ledger.projections.tables import Reader


class Meeting(NamedTuple):
    """A meeting that stands: its own entry, its day, and the last entry of the act it was recorded in, whose check code
    went into the paper book."""

    version: int
    on: date
    last: int


class Heard(NamedTuple):
    """How many entries of what happened on a day were recorded on another day, both in the village."""

    on: date
    heard_on: date
    entries: int

    @property
    def days_late(self) -> int:
        """Days from when it happened to when the book heard of it."""
        return (self.heard_on - self.on).days


def meetings(reader: Reader, fund: str) -> list[Meeting]:
    """The meetings of a fund that nothing has undone, in the order they were recorded."""
    rows = reader.query(
        f"SELECT MAX(CASE WHEN type = '{MeetingHeld.__name__}' THEN version END) AS version, "
        f"MAX(CASE WHEN type = '{MeetingHeld.__name__}' THEN on_day END) AS on_day, MAX(version) AS last "
        "FROM entries WHERE fund = :fund AND request_key IN "
        f"(SELECT request_key FROM entries WHERE fund = :fund AND type = '{MeetingHeld.__name__}') "
        "GROUP BY request_key ORDER BY 1",
        fund=fund,
    )
    undone = {row["reverses"] for row in reader.query(UNDONE, fund=fund)}
    found = (Meeting(row["version"], date.fromisoformat(row["on_day"]), row["last"]) for row in rows)
    return [meeting for meeting in found if meeting.version not in undone]


UNDONE = "SELECT reverses FROM entries WHERE fund = :fund AND reverses IS NOT NULL"


def heard(reader: Reader, fund: str) -> list[Heard]:
    """All entries of a fund by when they happened and when they were recorded, in that order."""
    rows = reader.query(
        "SELECT on_day, recorded_day, entries FROM entry_days WHERE fund = :fund ORDER BY on_day, recorded_day",
        fund=fund,
    )
    return [
        Heard(date.fromisoformat(row["on_day"]), date.fromisoformat(row["recorded_day"]), row["entries"])
        for row in rows
        if row["entries"]
    ]


def sittings(reader: Reader, fund: str) -> list[int]:
    """The last entry of each day on which anything was recorded, in order.

    Instants are stored in UTC; an hour of it is within one day in the village, whose clock is whole hours ahead.
    """
    rows = reader.query(
        "SELECT substr(recorded_at, 1, 13) AS hour, MAX(version) AS last FROM entries WHERE fund = :fund GROUP BY 1",
        fund=fund,
    )
    days: dict[date, int] = {}
    for row in rows:
        on = civil_day(datetime.fromisoformat(f"{row['hour']}:00:00+00:00"))
        days[on] = max(row["last"], days.get(on, 0))
    return sorted(days.values())


def last_of_first_day(reader: Reader, fund: str) -> int:
    """The last entry of the day on which a fund's book was begun."""
    begun = civil_day(recorded_at(reader, fund, 1)) + timedelta(days=1)
    end = datetime.combine(begun, time.min, VILLAGE_TIME).astimezone(UTC)
    (row,) = reader.query(
        "SELECT MAX(version) AS last FROM entries WHERE fund = :fund AND recorded_at < :end",
        fund=fund,
        end=end.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    return int(row["last"])


def entry_of_voucher(reader: Reader, fund: str, voucher: str) -> Row | None:
    """The `{version, on}` of the entry that a voucher was given out for; None if none was."""
    rows = reader.query(
        "SELECT version, on_day FROM entries WHERE fund = :fund AND voucher = :voucher AND type <> :undoing",
        fund=fund,
        voucher=voucher,
        undoing=EntryReversed.__name__,
    )
    return {"version": rows[0]["version"], "on": rows[0]["on_day"]} if rows else None


def recorded_at(reader: Reader, fund: str, version: int) -> datetime:
    """The instant at which an entry was recorded."""
    (row,) = reader.query(
        "SELECT recorded_at FROM entries WHERE fund = :fund AND version = :version", fund=fund, version=version
    )
    return datetime.fromisoformat(row["recorded_at"])


def count_unknown(reader: Reader, fund: str, version: int, as_of: date) -> int:
    """How many entries of what had happened by the end of a day were not known at a version."""
    (row,) = reader.query(
        "SELECT COUNT(*) AS entries FROM entries WHERE fund = :fund AND version > :version AND on_day <= :until",
        fund=fund,
        version=version,
        until=as_of.isoformat(),
    )
    return int(row["entries"])

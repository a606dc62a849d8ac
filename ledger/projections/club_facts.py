"""What a club does beside loans and members: meetings, counts, closings, offices, visits, activities, gifts.

Kept as they were told and only ever added to, so that they can be asked for as they were known at any version: what
undoes a fact is a fact itself, and names the version it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from ledger.days import civil_day_text
from ledger.events import (
    ActivityHeld,
    AttendanceCorrected,
    CashCounted,
    DonationReceived,
    EntryReversed,
    Event,
    InKindDonationReceived,
    InspectionMade,
    MeetingHeld,
    MutualHelpGiven,
    OfficeLeft,
    OfficeTaken,
    PeriodClosed,
    PeriodReopened,
)
from ledger.projections.tables import LoggedEvent, Rows, Table

CLUB_FACTS = Table(
    "club_facts",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, fact TEXT NOT NULL, on_day TEXT NOT NULL, "
    "recorded_day TEXT NOT NULL, about BIGINT, part TEXT, pot TEXT, is_foreign BIGINT, amount BIGINT, "
    "number BIGINT, of_number BIGINT, until_day TEXT, unit TEXT, document TEXT",
    key="fund, version",
)
"""What was told of the club; what a fact does not say is null. `recorded_day` is the day in the village; `about` the
version that it undoes or corrects; `part` the office, source, kind, area or, of a reversal, the type of what it undoes.

`amount` is in đồng: a gift's worth, a count's difference, what help was worth. `number` of `of_number`: who came to a
meeting of those on the roll; alone: an office's member, a count's expected cash, how much help, how many took part.
`until_day` is up to where the books are closed, or an office lasts.
"""


class _Told(NamedTuple):
    """What the columns after `recorded_day` hold."""

    about: int | None = None
    part: str | None = None
    pot: str | None = None
    is_foreign: int | None = None
    amount: int | None = None
    number: int | None = None
    of_number: int | None = None
    until_day: str | None = None
    unit: str | None = None
    document: str | None = None


def _meeting(event: MeetingHeld | AttendanceCorrected) -> _Told:
    came = len(event.present) + len(event.by_proxy)
    about = event.of if isinstance(event, AttendanceCorrected) else None
    return _Told(about=about, number=came, of_number=came + len(event.absent))


def _gift(event: DonationReceived | InKindDonationReceived) -> _Told:
    return _Told(
        part=event.source,
        pot=event.pot,
        is_foreign=int(event.foreign),
        amount=event.amount,
        document=event.document,
    )


def _office(event: OfficeTaken | OfficeLeft) -> _Told:
    until = event.until if isinstance(event, OfficeTaken) else None
    return _Told(part=event.office, number=event.member, until_day=until.isoformat() if until else None)


_TOLD: Final[dict[type[Event], Callable[[Any], _Told]]] = {
    MeetingHeld: _meeting,
    AttendanceCorrected: _meeting,
    DonationReceived: _gift,
    InKindDonationReceived: _gift,
    OfficeTaken: _office,
    OfficeLeft: _office,
    CashCounted: lambda event: _Told(part=event.reason, pot=event.pot, amount=event.difference, number=event.expected),
    PeriodClosed: lambda event: _Told(until_day=event.through.isoformat()),
    PeriodReopened: lambda event: _Told(until_day=event.closed_through.isoformat()),
    InspectionMade: lambda event: _Told(part=event.kind),
    ActivityHeld: lambda event: _Told(part=event.area, number=event.participants, of_number=event.volunteers),
    MutualHelpGiven: lambda event: _Told(
        part=event.kind, amount=event.worth, number=event.quantity, of_number=event.people, unit=event.unit
    ),
    EntryReversed: lambda event: _Told(about=event.reverses, part=event.entry),
}


def _told(events: Iterable[LoggedEvent]) -> Rows:
    """The facts that events add."""
    return [
        (event.fund, event.version, event.name, on, civil_day_text(event.recorded_at), *told(event))
        for event, on, *_ in events
        if (told := _TOLD.get(type(event)))
    ]


ADDED: Final = {CLUB_FACTS: _told}
"""The rows that events add, by table."""

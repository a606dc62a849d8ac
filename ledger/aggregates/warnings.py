"""Warnings: what is recorded all the same, and worth a second look before the meeting goes home.

Each check looks at one event in the fund as it stands after it, and finds something or nothing. Everyday life raises
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import islice, takewhile
from statistics import median_low
from types import UnionType
from typing import Any, Final, NamedTuple

from ledger.aggregates import usual
from ledger.aggregates.fund import Fund
from ledger.aggregates.usual import Ordinary
from ledger.chart import cash_movement
from ledger.events import (
    CashCounted,
    ContributionReceived,
    EntryReversed,
    Event,
    LoanRepaid,
    MemberLeft,
    OfficeLeft,
    Voucher,
)

FAR_MONTHS: Final = 12
"""Dues further ahead or behind than this are rarely meant."""

USUAL_OF: Final = 8
"""How many earlier amounts of a kind say what is usual."""

LOOKED_BACK: Final = 400
"""Entries among which they are looked for: some meetings' worth."""

SINGLE_HOLDERS: Final = frozenset({"chair", "deputy_chair", "secretary", "accountant", "treasurer"})
"""The board's offices; volunteers are many."""


class Warning(NamedTuple):
    """What is worth a look: a stable code, the entries it is about, and the facts for its words."""

    code: str
    versions: tuple[int, ...] = ()
    facts: tuple[tuple[str, int | str | date], ...] = ()


def warnings(fund: Fund, event: Event) -> tuple[Warning, ...]:
    """What is worth a second look about an event that the fund has recorded."""
    found: list[Warning] = []
    for check in _checks_of(type(event)):
        found += check(fund, event)
    return tuple(found)


@cache
def _checks_of(kind: type[Event]) -> list[Check]:
    """The checks that such an event can fail: most events are dues of a sheet, and most checks are not about those."""
    return [check for about, check in CHECKS if issubclass(kind, about)]


def _possible_duplicate(fund: Fund, event: Voucher) -> Iterator[Warning]:
    if earlier := fund.possible_duplicate(event):
        yield Warning("possible-duplicate", (earlier,), (("version", earlier),))


def _dues(fund: Fund, event: ContributionReceived) -> Iterator[Warning]:
    """Dues for a month that was paid already, or that lies far off."""
    if event.kind != "dues" or not event.for_month:
        return
    month = date.fromisoformat(f"{event.for_month}-01")
    if abs((month.year - event.on.year) * 12 + month.month - event.on.month) > FAR_MONTHS:
        yield Warning("dues-far-month", facts=(("month", event.for_month),))
    paid = fund.dues_paid[event.member, event.for_month]
    before = paid.amount - event.amount
    if before > 0 and before >= fund.bylaws_on(max(month, fund.opened.on)).monthly_dues:
        earlier = tuple(version for version in paid.versions if version < event.version)
        yield Warning("dues-paid-already", earlier, (("month", event.for_month),))


def _amount_unusual(fund: Fund, event: Ordinary) -> Iterator[Warning]:
    """Ten times, or a tenth, of what this kind usually is in this club, and beyond all that there was of late."""
    amounts = _latest_before(fund, event)
    if len(amounts) < USUAL_OF or min(amounts) <= event.amount <= max(amounts):
        return
    usual = median_low(amounts)
    is_far_off = event.amount >= 10 * usual or 10 * event.amount <= usual
    if is_far_off and not _is_as_agreed(fund, event):
        yield Warning("amount-unusual", facts=(("amount", event.amount), ("usual", usual)))


def _latest_before(fund: Fund, event: Ordinary) -> list[int]:
    """The latest amounts of this kind before an entry, as far as they are looked back for."""
    kind, oldest = usual.kind_of(event), event.version - LOOKED_BACK
    assert kind
    amounts = fund.latest_amounts[kind]
    before = usual.latest_before(amounts, event.version, since=oldest, most=USUAL_OF)
    if len(before) == USUAL_OF or usual.are_all(amounts):
        return before
    # Many more were recorded since, as when an old request is answered again.
    entries = takewhile(lambda each: each.version >= oldest, fund.entries.before(event.version))
    like = (each.amount for each in entries if isinstance(each, Ordinary) and usual.kind_of(each) == kind)
    return list(islice(like, USUAL_OF))


def _is_as_agreed(fund: Fund, event: Ordinary) -> bool:
    """Whether a repayment is what its loan asked for, however it compares: all of it, some of what is late, or the
    interest due. Where loans are paid back at their end, the first two stand beside the third every month."""
    if not isinstance(event, LoanRepaid):
        return False
    loan = fund.loan(event.loan)
    repaid = loan.phase(event.on).terms.principal - event.outstanding
    promised = sum(line.principal for line in loan.plan(event.on) if line.due_on <= event.on)
    is_catching_up = event.principal > 0 and repaid <= promised
    is_interest_due = event.principal == 0 and loan.standing(event.on).interest_due == 0
    return event.outstanding == 0 or is_catching_up or is_interest_due


def _reversal_day_differs(fund: Fund, event: EntryReversed) -> Iterator[Warning]:
    """Between the day of a wrong entry and that of its reversal both count."""
    wrong = fund.entries[event.reverses - 1]
    if event.posted and event.on > wrong.on:
        yield Warning("reversal-day-differs", (wrong.version,), (("since", wrong.on), ("until", event.on)))


def _counts_covered(fund: Fund, event: Event) -> Iterator[Warning]:
    """Cash of a day that a count has covered, the day of the count itself included."""
    covering = [version for version, on in fund.counts.items() if on >= event.on and version < event.version]
    if covering and not isinstance(event, CashCounted) and cash_movement(event.legs()):
        yield Warning("counts-covered", tuple(covering), (("on", fund.counts[covering[0]]),))


def _departure_told_late(fund: Fund, event: MemberLeft) -> Iterator[Warning]:
    """A departure with entries of the member after it."""
    later = tuple(
        sorted(
            each.version
            for each in fund.entries_after(event.on)
            if getattr(each, "member", None) == event.member
            and each.version < event.version
            and isinstance(each, Voucher)
            and each.version not in fund.reversed_by
        )
    )
    if later:
        yield Warning("left-before", later, (("member", event.member), ("left_on", event.on)))


def _left_before(fund: Fund, event: Voucher) -> Iterator[Warning]:
    """An entry of a member dated after they left; unless it says who came in their place, as for the family of one who
    died: who enters that knows."""
    if getattr(event, "paid_by", None) or "paid_by" in (event.texts or {}):
        return
    member = fund.members.get(getattr(event, "member", None) or 0)
    if member and member.left_on and event.on > member.left_on:
        yield Warning("left-before", facts=(("member", member.number), ("left_on", member.left_on)))


def _office_vacant(fund: Fund, event: MemberLeft | OfficeLeft) -> Iterator[Warning]:
    """Who leaves, or leaves an office, of which nobody else has charge from then on."""
    left = {event.office} if isinstance(event, OfficeLeft) else {o for o, m in fund.offices if m == event.member}
    held = {office for office, member in fund.offices if member != event.member}
    for office in sorted((left & SINGLE_HOLDERS) - held):
        yield Warning("office-vacant", facts=(("office", office),))


Check = Callable[[Fund, Any], Iterator[Warning]]
CHECKS: Final[tuple[tuple[type[Event] | UnionType, Check], ...]] = (
    (Voucher, _possible_duplicate),
    (ContributionReceived, _dues),
    (Ordinary, _amount_unusual),
    (EntryReversed, _reversal_day_differs),
    (Event, _counts_covered),
    (MemberLeft, _departure_told_late),
    (Voucher, _left_before),
    (MemberLeft | OfficeLeft, _office_vacant),
)
"""Each check with the events that it is about."""

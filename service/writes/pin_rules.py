"""Which acts need a PIN when they come from a phone: told in the table of writes, judged where the fund is known."""

from collections.abc import Callable, Mapping
from typing import Any

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Event, MeetingHeld

PinRule = Callable[[Fund, EntryMetadata, tuple[int, ...], Mapping[str, Any]], bool]
"""Whether a call of one of the fund's methods needs a PIN: what is decided upon, who decides, the numbers it names and
its other arguments."""


def always(*_: object) -> bool:
    """A decision of weight."""
    return True


def for_a_handover(_: Fund, __: EntryMetadata, ___: tuple[int, ...], facts: Mapping[str, Any]) -> bool:
    """A count by which one treasurer hands the box to another."""
    return bool(facts["reason"] == "handover")


def for_another_treasurer(fund: Fund, _: EntryMetadata, __: tuple[int, ...], facts: Mapping[str, Any]) -> bool:
    """The treasurer's office goes to somebody else than had it last, whether that one has left it already or not."""
    if facts["office"] != "treasurer":
        return False
    return fund.last_holders.get("treasurer") not in (None, facts["member"])


def for_anothers_entry(fund: Fund, metadata: EntryMetadata, numbers: tuple[int, ...], _: Mapping[str, Any]) -> bool:
    """Somebody else recorded the entry that is corrected; of a meeting, any line of its sheet."""
    (version,) = numbers
    if not 1 <= version <= fund.version:
        return False
    entry = fund.entries[version - 1]
    if not isinstance(entry, MeetingHeld):
        return not metadata.is_of(entry.recorded_by)
    return not all(metadata.is_of(line.recorded_by) for line in (entry, *fund.lines_of(entry.sheet)))


def for_anothers_opening(fund: Fund, metadata: EntryMetadata, _: tuple[int, ...], __: Mapping[str, Any]) -> bool:
    """Somebody else took the old books over, or corrected them last."""
    taken_over: Event | None = fund.old_books
    return taken_over is not None and not metadata.is_of(taken_over.recorded_by)

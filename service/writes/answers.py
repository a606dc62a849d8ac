"""What a write is answered with, and the sentence that is read aloud to the meeting."""

from typing import Any, Final

from ledger.aggregates.warnings import Warning
from ledger.events import (
    CashCounted,
    EntryReversed,
    Event,
    LoanRepaid,
    MeetingHeld,
    SavingsSetOff,
    check_code,
)
from ledger.jobs import Recorded
from service.words import catalogue
from service.words.sentences import sentence

NUMBERS: Final = ("voucher", "member", "loan", "advance", "meeting")
"""What is numbered, for whoever records something about it next."""


def write_answer(recorded: Recorded, language: str) -> dict[str, Any]:
    """What was recorded. Of several facts in one act, the first gives the type, the last one the version; `entries`
    tells each of them."""
    entries = [entry_answer(event, recorded, language) for event in recorded.events]
    together: dict[str, Any] = {"fund": recorded.fund}
    for entry in entries:
        together |= entry
    together |= {
        "type": entries[0]["type"],
        "position": recorded.position,
        # Nobody should write a code into the paper book that the log will never have.
        "check_code": None if recorded.position is None else check_code(recorded.head),
        "sentence": _spoken(recorded, entries, language),
    }
    if len(entries) > 1:
        together |= {"versions": [event.version for event in recorded.events], "entries": entries}
    if warned := [warning for entry in entries for warning in entry.get("warnings", ())]:
        together["warnings"] = warned
    return together


def warning_answer(warning: Warning, language: str) -> dict[str, Any]:
    """A warning in words; nothing was refused for it."""
    detail = catalogue.render(f"warning.{warning.code}", language, **dict(warning.facts))
    about: dict[str, Any] = {"code": warning.code, "detail": detail}
    return about | ({"versions": list(warning.versions)} if warning.versions else {})


def _spoken(recorded: Recorded, entries: list[dict[str, Any]], language: str) -> str:
    """What is read aloud: a sentence for each fact, but one alone for a whole sheet that was undone."""
    last = recorded.events[-1]
    if isinstance(last, EntryReversed) and last.entry == MeetingHeld.__name__:
        return catalogue.sentence("EntryReversed.meeting", language, on=last.on, lines=len(entries) - 1)
    return " ".join(entry["sentence"] for entry in entries)


def entry_answer(event: Event, recorded: Recorded, language: str) -> dict[str, Any]:
    """One fact, with what is numbered in it and what it came to."""
    entry = {
        "version": event.version,
        "type": event.name,
        "on": event.on,
        "recorded_at": event.recorded_at,
        "sentence": sentence(event, recorded, language),
    }
    numbers: dict[str, Any] = {name: number for name in NUMBERS if (number := getattr(event, name, None))}
    if found := recorded.warnings.get(event.version):
        numbers["warnings"] = [warning_answer(warning, language) for warning in found]
        if alike := [warning for warning in found if warning.code == "possible-duplicate"]:
            numbers["possible_duplicate_of"] = alike[0].versions[0]
    if isinstance(event, CashCounted):
        return entry | numbers | {name: getattr(event, name) for name in ("counted", "expected", "difference")}
    if isinstance(event, LoanRepaid | SavingsSetOff):
        split = {name: getattr(event, name) for name in ("principal", "interest", "interest_to_activity")}
        return entry | numbers | {"split": split, "outstanding": event.outstanding}
    return entry | numbers

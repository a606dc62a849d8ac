"""What a write is answered with, and the sentence that is read aloud to the meeting."""

from typing import Any, Final

import msgspec

from ledger.aggregates.warnings import Warning
from ledger.events import (
    AttendanceCorrected,
    BylawsAdopted,
    CashCounted,
    ContributionReceived,
    DonationReceived,
    DuesForgiven,
    EntryReversed,
    Event,
    IncomeReceived,
    InKindDonationReceived,
    InspectionMade,
    LoanRepaid,
    LoanWrittenOff,
    MeetingHeld,
    MemberLeft,
    OpeningBooks,
    PeriodReopened,
    PotTransferred,
    Sample,
    SavingsSetOff,
    SavingsWithdrawn,
    check_code,
)
from ledger.jobs import Recorded
from service.words import catalogue
from service.words.wording import month

NUMBERS: Final = ("voucher", "member", "loan", "advance", "meeting")
"""What is numbered, for whoever records something about it next."""


def answer(recorded: Recorded, language: str) -> dict[str, Any]:
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


def warning_told(warning: Warning, language: str) -> dict[str, Any]:
    """A warning in words; nothing was refused for it."""
    detail = catalogue.render(f"warning.{warning.code}", language, **dict(warning.facts))
    told: dict[str, Any] = {"code": warning.code, "detail": detail}
    return told | ({"versions": list(warning.versions)} if warning.versions else {})


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
        numbers["warnings"] = [warning_told(warning, language) for warning in found]
        if alike := [warning for warning in found if warning.code == "possible-duplicate"]:
            numbers["possible_duplicate_of"] = alike[0].versions[0]
    if isinstance(event, CashCounted):
        return entry | numbers | {name: getattr(event, name) for name in ("counted", "expected", "difference")}
    if isinstance(event, LoanRepaid | SavingsSetOff):
        split = {name: getattr(event, name) for name in ("principal", "interest", "interest_to_activity")}
        return entry | numbers | {"split": split, "outstanding": event.outstanding}
    return entry | numbers


def sentence(event: Event, recorded: Recorded, language: str) -> str:
    """One plain sentence for one fact."""
    facts = msgspec.structs.asdict(event) | _borrowed(event, recorded)
    if "member" in facts and facts["member"] is not None:
        facts["member"] = person(event.member, recorded, language)  # type: ignore[attr-defined]  # It has one, as just seen.
    name = event.name
    match event:
        case BylawsAdopted():
            facts |= msgspec.structs.asdict(event.bylaws)
        case MemberLeft():
            name = f"MemberLeft.{event.reason}"
        case ContributionReceived():
            for_month = "_for_month" if event.kind == "dues" and event.for_month else ""
            name = f"ContributionReceived.{event.kind}{for_month}"
        case DonationReceived() | InKindDonationReceived():
            name = f"{name}.named" if "donor" in facts else f"{name}.source"
        case IncomeReceived() | InspectionMade():
            name = f"{name}.{event.kind}"
        case CashCounted():
            name = f"CashCounted.{'over' if event.difference > 0 else 'short' if event.difference else 'equal'}"
            facts["difference"] = abs(event.difference)
        case MeetingHeld():
            facts |= {who: len(getattr(event, who)) for who in ("present", "by_proxy", "absent")}
        case OpeningBooks():
            facts |= {account: _opening(event, account) for account in ("cash", "bank", "loans")}
        case PotTransferred():
            facts |= {"from_pot": event.source, "to_pot": event.target}
        case PeriodReopened():
            facts["from_day"] = event.since
        case SavingsWithdrawn():
            facts["savings"] = event.savings_left
        case LoanRepaid() if event.forgiven:
            name = "LoanRepaid.forgiven"
        case LoanRepaid() | SavingsSetOff() | LoanWrittenOff():
            name += ".running" if event.outstanding else ".settled"
        case DuesForgiven():
            facts["months"] = ", ".join(month(each, language) for each in event.months)
        case AttendanceCorrected():
            facts |= {who: len(getattr(event, who)) for who in ("present", "by_proxy", "absent")}
        case EntryReversed():
            kind = "voucher_entry" if event.voucher else "entry" if event.posted else "note"
            name = f"EntryReversed.{kind}"
    spoken = catalogue.sentence(name, language, **facts)
    if isinstance(event, InspectionMade) and event.sample:
        spoken += f" {catalogue.render('sentence.InspectionMade.drawn', language, **_lot(event.sample))}"
    return spoken


def _lot(sample: Sample) -> dict[str, Any]:
    """What was drawn, in numbers."""
    return msgspec.structs.asdict(sample) | {"vouchers": len(sample.vouchers), "loans": len(sample.loans)}


def _opening(books: OpeningBooks, account: str) -> int:
    return sum(leg.amount for leg in books.opening_legs() if leg.account == account)


def _borrowed(event: Event, recorded: Recorded) -> dict[str, Any]:
    """Facts a sentence needs and the event leaves to others: the loan's own, the donor's name, sums."""
    facts: dict[str, Any] = {}
    if (number := getattr(event, "loan", None)) is not None:
        loan = recorded.loans[number]
        known = {"term_months": loan.term_months, "principal": loan.principal}
        facts |= {name: value for name, value in known.items() if not hasattr(event, name)}
    if event.version in recorded.donors:
        facts["donor"] = recorded.donors[event.version]
    if isinstance(event, InKindDonationReceived):
        facts["amount"] = event.amount
        facts["items"] = ", ".join(f"{item.quantity} {item.unit} {item.what}" for item in event.items)
    if isinstance(event, EntryReversed):
        facts["amount"] = sum(leg.amount for leg in event.posted if leg.amount > 0)
    return facts


def person(number: int, recorded: Recorded, language: str) -> str:
    """How a member is spoken of; without a name the number alone speaks."""
    if number not in recorded.names:
        return catalogue.phrase("person.unnamed", language, number=number)
    sex = recorded.members[number].sex
    return catalogue.phrase(f"person.{sex}", language, name=recorded.names[number], number=number)

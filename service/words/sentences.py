"""The sentence that is read aloud to the meeting for each fact."""

from typing import Any

import msgspec

from ledger.chart import amount_moved
from ledger.events import (
    ActivityHeld,
    AttendanceCorrected,
    BylawsAdopted,
    CashCounted,
    ContributionReceived,
    DonationReceived,
    DuesForgiven,
    EntryReversed,
    Event,
    FundOpened,
    IncomeReceived,
    InKindDonationReceived,
    InspectionMade,
    LoanRepaid,
    LoanWrittenOff,
    MeetingHeld,
    MemberLeft,
    MutualHelpGiven,
    OpeningBooks,
    PeriodReopened,
    PlaceChanged,
    PotTransferred,
    Sample,
    SavingsSetOff,
    SavingsWithdrawn,
)
from ledger.jobs import Recorded
from service.words import catalogue
from service.words.places import place
from service.words.wording import month


def sentence(event: Event, recorded: Recorded, language: str) -> str:
    """One plain sentence for one fact."""
    facts = msgspec.structs.asdict(event)
    _borrow(facts, event, recorded)
    if (member := facts.get("member")) is not None:
        facts["member"] = person(member, recorded, language)
    name = event.name
    match event:
        case FundOpened():
            # A club that bears its commune's name says where it lies by that.
            commune = None if event.club.endswith(event.commune) else event.commune
            facts["lies_in"] = place(commune, event.district, event.province, language)
        case PlaceChanged():
            name = f"PlaceChanged.{'documented' if event.document else 'plain'}"
            facts["lies_in"] = place(event.commune, event.district, event.province, language)
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
        case ActivityHeld():
            name = f"ActivityHeld.{'plain' if event.volunteers is None else 'volunteers'}"
        case MutualHelpGiven():
            name = f"MutualHelpGiven.{'plain' if event.worth is None else 'worth'}"
        case AttendanceCorrected():
            facts |= {who: len(getattr(event, who)) for who in ("present", "by_proxy", "absent")}
        case EntryReversed():
            kind = "voucher_entry" if event.voucher else "entry" if event.posted else "note"
            name = f"EntryReversed.{kind}"
    spoken = catalogue.told(name, language, facts)
    if isinstance(event, InspectionMade) and event.sample:
        spoken += f" {catalogue.render('sentence.InspectionMade.drawn', language, **_lot(event.sample))}"
    return spoken


def _lot(sample: Sample) -> dict[str, Any]:
    """What was drawn, in numbers."""
    return msgspec.structs.asdict(sample) | {"vouchers": len(sample.vouchers), "loans": len(sample.loans)}


def _opening(books: OpeningBooks, account: str) -> int:
    return sum(leg.amount for leg in books.opening_legs() if leg.account == account)


def _borrow(facts: dict[str, Any], event: Event, recorded: Recorded) -> None:
    """Add facts a sentence needs and the event leaves to others: the loan's own, the donor's name, sums."""
    if (number := facts.get("loan")) is not None:
        loan = recorded.loans[number]
        facts.setdefault("term_months", loan.term_months)
        facts.setdefault("principal", loan.principal)
    if event.version in recorded.donors:
        facts["donor"] = recorded.donors[event.version]
    if isinstance(event, InKindDonationReceived):
        facts["amount"] = event.amount
        facts["items"] = ", ".join(f"{item.quantity} {item.unit} {item.what}" for item in event.items)
    if isinstance(event, EntryReversed):
        facts["amount"] = amount_moved(event.posted)


def person(number: int, recorded: Recorded, language: str) -> str:
    """How a member is spoken of; without a name the number alone speaks."""
    if number not in recorded.names:
        return catalogue.phrase("person.unnamed", language, number=number)
    sex = recorded.members[number].sex
    return catalogue.phrase(f"person.{sex}", language, name=recorded.names[number], number=number)

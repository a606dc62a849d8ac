"""Every fact that can happen to a fund, and the one decoder that turns a stored line back into an event."""

from typing import get_args

import msgspec

from ledger.events.activities import ActivityHeld, MutualHelpGiven
from ledger.events.base import (
    FUND_CODE,
    NO_HEAD,
    Entry,
    Event,
    Request,
    Voucher,
    check_code,
    head_of,
    is_fund,
    plain_code,
)
from ledger.events.club import (
    Bylaws,
    BylawsAdopted,
    DuesForgiven,
    FundOpened,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberReturned,
    PlaceChanged,
)
from ledger.events.corrections import EntryReversed
from ledger.events.governance import (
    AttendanceCorrected,
    CashCounted,
    FundDissolved,
    MeetingHeld,
    OfficeLeft,
    OfficeTaken,
    PeriodClosed,
    PeriodReopened,
)
from ledger.events.inspections import Draw, InspectionMade, Sample, drawn
from ledger.events.loans import (
    PRODUCTION,
    InterestWaived,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    LoanRescheduled,
    LoanWrittenOff,
    Override,
    SavingsSetOff,
)
from ledger.events.money import (
    AdvanceReceived,
    AdvanceRepaid,
    BankDeposited,
    BankWithdrawn,
    ContributionReceived,
    DonationReceived,
    ExpensePaid,
    IncomeReceived,
    InKindDonationReceived,
    Item,
    PotTransferred,
    SavingsWithdrawn,
)
from ledger.events.opening import (
    OldLoan,
    OpeningAdvance,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    OpeningBooks,
    OpeningLoan,
    OpeningPot,
    OpeningSavings,
)

AnyEvent = (
    FundOpened
    | BylawsAdopted
    | MemberJoined
    | MemberChanged
    | MemberLeft
    | ContributionReceived
    | DonationReceived
    | InKindDonationReceived
    | ExpensePaid
    | LoanRequested
    | LoanApproved
    | LoanRejected
    | LoanDisbursed
    | LoanRepaid
    | EntryReversed
    | SavingsWithdrawn
    | IncomeReceived
    | PotTransferred
    | BankDeposited
    | BankWithdrawn
    | AdvanceReceived
    | AdvanceRepaid
    | LoanRescheduled
    | LoanWrittenOff
    | LoanRecovered
    | MeetingHeld
    | CashCounted
    | PeriodClosed
    | PeriodReopened
    | OfficeTaken
    | OfficeLeft
    | OpeningBalancesDeclared
    | InspectionMade
    | FundDissolved
    | MemberReturned
    | DuesForgiven
    | SavingsSetOff
    | InterestWaived
    | AttendanceCorrected
    | OpeningBalancesCorrected
    | PlaceChanged
    | ActivityHeld
    | MutualHelpGiven
)

EVENT_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(AnyEvent)}
"""Every event by its name in the line. Types are resolved from here only, never from a stored module path."""

_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """The event as the one line of compact JSON that is stored, hashed and handed out."""
    return _encoder.encode(event)


def decode(line: bytes) -> Event:
    """The event a fund's line holds. Raises `MsgspecError` or `UnicodeDecodeError` for bytes that are none."""
    return _decoder.decode(line)


__all__ = [
    "EVENT_TYPES",
    "FUND_CODE",
    "NO_HEAD",
    "PRODUCTION",
    "ActivityHeld",
    "AdvanceReceived",
    "AdvanceRepaid",
    "AnyEvent",
    "AttendanceCorrected",
    "BankDeposited",
    "BankWithdrawn",
    "Bylaws",
    "BylawsAdopted",
    "CashCounted",
    "ContributionReceived",
    "DonationReceived",
    "Draw",
    "DuesForgiven",
    "Entry",
    "EntryReversed",
    "Event",
    "ExpensePaid",
    "FundDissolved",
    "FundOpened",
    "InKindDonationReceived",
    "IncomeReceived",
    "InspectionMade",
    "InterestWaived",
    "Item",
    "LoanApproved",
    "LoanDisbursed",
    "LoanRecovered",
    "LoanRejected",
    "LoanRepaid",
    "LoanRequested",
    "LoanRescheduled",
    "LoanWrittenOff",
    "MeetingHeld",
    "MemberChanged",
    "MemberJoined",
    "MemberLeft",
    "MemberReturned",
    "MutualHelpGiven",
    "OfficeLeft",
    "OfficeTaken",
    "OldLoan",
    "OpeningAdvance",
    "OpeningBalancesCorrected",
    "OpeningBalancesDeclared",
    "OpeningBooks",
    "OpeningLoan",
    "OpeningPot",
    "OpeningSavings",
    "Override",
    "PeriodClosed",
    "PeriodReopened",
    "PlaceChanged",
    "PotTransferred",
    "Request",
    "Sample",
    "SavingsSetOff",
    "SavingsWithdrawn",
    "Voucher",
    "check_code",
    "decode",
    "drawn",
    "encode",
    "head_of",
    "is_fund",
    "plain_code",
]

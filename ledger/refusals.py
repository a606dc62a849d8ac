"""Every refusal: a class whose docstring is the sentence and whose attributes are the facts.

The class name in kebab case is the stable `code` and the key of the translations (`service/words/messages/`); which
HTTP status belongs to which is decided at the edge. People's mistakes are refusals; our own bugs are assertions.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

FactValue = int | str | bool | date | tuple[str, ...] | None


class Refusal(Exception):
    """A request the fund's rules do not allow; nothing was recorded."""

    code: ClassVar[str] = "refusal"
    field: ClassVar[str | None] = None
    """The field of the request that is at fault, where a single one is."""

    def __init_subclass__(cls, field: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
        cls.field = field

    def __init__(self, **facts: FactValue) -> None:
        super().__init__(self.code, facts)
        self.facts = facts


class NotFound(Refusal):
    """What the request names does not exist."""


class Conflict(Refusal):
    """The request does not fit the state the fund is in."""


# --- the fund -----------------------------------------------------------------------------------------------------


class FundNotFound(NotFound):
    """There is no fund {fund}."""


class FundExists(Conflict, field="fund"):
    """There is a fund {fund} already."""


class PracticeCodeNeeded(Refusal, field="fund"):
    """The code of a club for practice begins with {begins}."""


class PracticeCodeReserved(Refusal, field="fund"):
    """A code that begins with {begins} is of a club for practice, and this is none."""


class VersionMismatch(Refusal):
    """The fund is at version {version}, not {expected}: somebody recorded something in between."""


class IdempotencyKeyReused(Refusal):
    """The key {key} belongs to another request, recorded as version {version}."""


class FutureDay(Refusal, field="on"):
    """{on} has not come yet in the village, where it is {today}."""


class BeforeFundOpened(Refusal, field="on"):
    """{on} is before the fund opened on {opened_on}."""


class PeriodIsClosed(Conflict, field="on"):
    """{on} lies in a closed period; the books are closed up to {closed_through}."""


class FundIsDissolved(Conflict):
    """The fund was dissolved on {on}."""


class NoBylawsInForce(Conflict):
    """On {on} the club had no bylaws in force."""


class RateAboveLegalCeiling(Refusal, field="monthly_rate_ppm"):
    """A monthly rate of {rate_ppm} ppm is above {ceiling_ppm} ppm, the Civil Code's 20 % a year."""


# --- money --------------------------------------------------------------------------------------------------------


class InsufficientFunds(Refusal, field="amount"):
    """The {place} of the {pot} pot has {available} at the end of {short_on}; {amount} is needed."""


class InsufficientSavings(Refusal, field="amount"):
    """The savings of member {member} are {available} at the end of {short_on}; {amount} is needed."""


class PrincipalOverRepaid(Conflict, field="amount"):
    """Loan {loan} would have more principal repaid than lent: reverse the later repayment, then enter both again."""


class BelowZero(Refusal, field="amount"):
    """The account {account} of the {pot} pot has {available} at the end of {short_on}; {amount} is needed."""


class WrongEntryStillCounts(Conflict, field="on"):
    """The wrong entry {version} counts until {until}, the day of its reversal {reversed_by}: choose a day from then."""


class SamePot(Refusal, field="to"):
    """Money moves between two different pots."""


class AdvanceNotFound(NotFound):
    """There is no advance {advance} in this fund."""


class AmountNotPositive(Refusal, field="amount"):
    """{amount} is not an amount; one đồng is the least."""


class AmountTooLarge(Refusal, field="amount"):
    """{amount} is above {ceiling}, the largest single amount."""


# --- members ------------------------------------------------------------------------------------------------------


class MemberNotFound(NotFound):
    """There is no member {member} in this fund."""


class MemberNotOnRoll(Refusal, field="member"):
    """Member {member} was not on the roll on {on}."""


class AlreadyLeft(Conflict):
    """Member {member} left on {left_on} already."""


class StillMember(Conflict):
    """Member {member} is on the roll; only who has left comes back."""


class RollChangedSince(Conflict):
    """Entry {version} rests on member {member} having left or come back: reverse it first."""


class BirthYearImplausible(Refusal, field="birth_year"):
    """A birth year of {birth_year} does not fit somebody who joins in {year}."""


class NothingChanged(Refusal):
    """The request changes nothing."""


# --- loans --------------------------------------------------------------------------------------------------------


class LoanNotFound(NotFound):
    """There is no loan {loan} in this fund."""


class LoanNotRequested(Conflict):
    """Loan {loan} is {status}; only a requested loan is decided upon."""


class LoanNotApproved(Conflict):
    """Loan {loan} is {status}; only an approved loan is disbursed."""


class LoanNotRunning(Conflict):
    """Loan {loan} is {status}; only a running loan is repaid."""


class OutOfOrder(Refusal, field="on"):
    """{on} is before {earliest}, the day of what this follows."""


class OwnLoan(Refusal):
    """Loan {loan} is the approver's own."""


class SamePersonApproved(Refusal):
    """Loan {loan} was approved by the same person; the bylaws ask for two."""


class NotEligible(Refusal):
    """Loan {loan} does not meet the bylaws: {reasons}."""


class GuarantorIsBorrower(Refusal, field="guarantor"):
    """Member {member} cannot stand surety for their own loan."""


class Overpayment(Refusal, field="amount"):
    """{amount} is more than {settlement_amount}, which settles the loan."""


class SettlementShort(Refusal, field="amount"):
    """{amount} would clear the principal but not the interest; {settlement_amount} settles the loan."""


class LoanNotWrittenOff(Conflict):
    """Loan {loan} is {status}; money is recovered on a loan that was written off."""


class LoanChangedSince(Conflict, field="on"):
    """Entry {version}, a {entry} of loan {loan} on {changed_on}, rests on what came before it: reverse it first."""


class LaterRepayments(Conflict, field="on"):
    """Loan {loan} has repayments after {on}; this must be dated after them."""


class LiveRecoveries(Conflict):
    """Loan {loan} has recoveries; reverse them before its write-off."""


class RecoveryAboveLoss(Refusal, field="amount"):
    """{amount} is more than {recoverable}, what is left to recover of loan {loan}; the rest is another income."""


class WaiverAboveInterest(Refusal, field="amount"):
    """{amount} is more than {interest_due}, the interest of loan {loan} due on that day."""


class WriteOffAboveOutstanding(Refusal, field="amount"):
    """{amount} is more than {outstanding}, the principal of loan {loan} still owed."""


class RestTooLarge(Refusal, field="settle"):
    """{rest} would be left of loan {loan}; no more than {most} of principal is forgiven."""


# --- the life of the club -----------------------------------------------------------------------------------------


class MeetingNotFound(NotFound):
    """Entry {version} is no meeting."""


class NobodyPresent(Refusal, field="present"):
    """A meeting needs somebody present."""


class NamedTwice(Refusal):
    """Member {member} is named more than once."""


class LinesRefused(Refusal, field="lines"):
    """{count} lines of the meeting were refused; nothing was recorded. `lines` holds what became of each."""

    def __init__(self, lines: Sequence[Any], **facts: FactValue) -> None:
        super().__init__(**facts)
        self.lines = lines


class NotesDoNotAddUp(Refusal, field="notes"):
    """The notes make {notes_total}, not {counted}."""


class NothingToClose(Refusal, field="through"):
    """The books are closed up to {closed_through} already."""


class PeriodNotClosed(Refusal, field="from"):
    """{since} is not in a closed period."""


class OfficeNotHeld(Conflict):
    """Member {member} does not hold the office of {office}."""


class OfficeHeldAlready(Conflict):
    """Member {member} holds the office of {office} already."""


class BooksHaveBegun(Conflict):
    """Opening balances come once, before any other money; entry {version} was first."""


class NoOpeningBalances(Conflict):
    """No old books were taken over, so there is nothing to correct."""


class LoanHasEntries(Conflict):
    """Old loan {loan} has entries of its own, first {version}: reverse them, correct, then enter them again."""


class OpeningLoanImplausible(Refusal):
    """The loan of member {member} has {outstanding} outstanding of {principal}, disbursed on {disbursed_on}."""


class StillOwed(Conflict):
    """The fund cannot be dissolved while {account} of {amount} are open."""


# --- corrections --------------------------------------------------------------------------------------------------


class EntryNotFound(NotFound):
    """The fund has no entry {version}."""


class AlreadyReversed(Conflict):
    """Entry {version} was reversed by entry {reversed_by} already."""


class NotReversible(Refusal):
    """Entry {version} is a {entry}; that is not undone by a reversal."""


class LiveRepayments(Conflict):
    """Loan {loan} has repayments; reverse them before the {entry} they rest on."""


# --- people -------------------------------------------------------------------------------------------------------


class PersonNotFound(NotFound):
    """There is no such person in the directory."""


class PhoneNotFound(NotFound):
    """There is no such phone, or it was ended."""


class InvitationNotValid(NotFound):
    """The code opens nothing: it is mistyped, used, replaced or out of date, and nobody is told which."""


class AccessHasEnded(Conflict):
    """The person's access has ended; who comes back is admitted anew."""


# --- checkpoints --------------------------------------------------------------------------------------------------


class CheckpointNotFound(NotFound):
    """There is no checkpoint {number}, or the fund opened after it."""


class NothingToVouchFor(Conflict):
    """There is no fund yet whose head a checkpoint could name."""


class FundsChanged(Conflict):
    """{count} funds are no longer what the last checkpoint vouches for; nothing was signed."""


class LeavesChanged(Conflict):
    """What is stored of checkpoint {number} is not what was signed."""


class SignedByAnotherKey(Conflict):
    """The last checkpoint {number} was signed by another key; nothing was signed."""


# --- the register -------------------------------------------------------------------------------------------------


class RegisterKeyUnusable(Refusal):
    """The key that names are encrypted with is missing or is none; the next try may be in {retry_after} seconds."""


# --- plans and reports --------------------------------------------------------------------------------------------


class PlanNotFound(NotFound):
    """There is no such plan."""


class BudgetLineNotFound(Refusal, field="line"):
    """The plan has no such line of the budget; it has {lines}."""


class ReportNotFound(NotFound):
    """There is no such report."""

"""What may be sent about the life of the club: the bank, advances, counts, periods, offices, old books, inspections."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ledger import events
from ledger.chart import Place, Pot
from ledger.days import add_months, whole_months
from ledger.events.corrections import ReversalReason
from ledger.events.governance import NOTES, CountedPot, CountReason, Office
from ledger.events.inspections import InspectionKind
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource, IncomeKind
from ledger.money import PPM
from service.bounds import MOST_MEMBERS
from service.http.body import Body, ByHand, Dated, Item, Override, example
from service.http.fields import (
    MOST_DRAWN,
    Amount,
    AmountOrNothing,
    Code,
    Day,
    Name,
    Number,
    Reference,
    Seed,
    Some,
    Whole,
    Words,
)

# --- money --------------------------------------------------------------------------------------------------------


class Withdrawal(ByHand):
    """A member takes back some of their savings."""

    model_config = example(member=1, amount=200_000, on="2026-01-15")

    member: Number
    amount: Amount


class Income(Dated):
    """The club earns something."""

    model_config = example(kind="collective", pot="activity", amount=450_000, on="2026-01-15")

    kind: IncomeKind
    pot: Pot
    place: Place = "cash"
    amount: Amount


class PotTransfer(Dated):
    """Cash is moved from one pot to the other, as the meeting minuted."""

    model_config = example(**{"from": "revolving", "to": "activity"}, amount=300_000, on="2026-01-15")

    source: Pot = Field(alias="from")
    target: Pot = Field(alias="to")
    amount: Amount


class BankMovement(Dated):
    """Money of a pot is taken to the bank, or fetched from it."""

    model_config = example(direction="deposit", pot="revolving", amount=5_000_000, on="2026-01-15")

    direction: Literal["deposit", "withdrawal"]
    pot: Pot
    amount: Amount


class Advance(Dated):
    """Somebody lends capital to the club for its revolving pot, free of interest."""

    model_config = example(source="elderly_association", amount=10_000_000, on="2026-01-15")
    PERSONAL = ("lender",)

    source: DonationSource
    lender: Name | None = None
    amount: Amount


class AdvanceRepayment(Dated):
    """The club gives back some of an advance."""

    model_config = example(amount=2_000_000, on="2026-06-15")

    amount: Amount


class Rescheduling(Dated):
    """What is still owed is planned anew, over so many months from this day."""

    model_config = example(term_months=6, reason="Mất mùa", on="2026-06-15")
    PERSONAL = ("reason",)

    term_months: Annotated[int, Whole(1, 120)]
    reason: Words
    override: Override | None = None

    def facts(self) -> dict[str, Any]:
        return {"term_months": self.term_months, "override": self.override is not None}

    def texts(self) -> dict[str, str]:
        return super().texts() | ({"override": self.override.reason} if self.override else {})


class WriteOff(Dated):
    """The club gives up on what is still owed, or on `amount` of it, and says why."""

    model_config = example(reason="Họp câu lạc bộ đã biểu quyết", on="2026-06-15")
    PERSONAL = ("reason",)

    amount: Amount | None = None
    reason: Words


class Recovery(Dated):
    """Money comes in on a loan that was written off."""

    model_config = example(amount=500_000, on="2026-12-15")

    amount: Amount


# --- counts and periods -------------------------------------------------------------------------------------------

Denomination = Annotated[str, Code("|".join(str(note) for note in NOTES), "not-a-note")]


class CashCount(Dated):
    """The box is counted: how much, or how many of each note."""

    model_config = example(
        notes={"500000": 3, "100000": 12, "10000": 7}, reason="periodic", witnesses=[2, 3], on="2026-01-15"
    )

    pot: CountedPot = "both"
    counted: AmountOrNothing | None = None
    notes: dict[Denomination, Annotated[int, Whole(0, 1_000_000)]] | None = None
    reason: CountReason
    witnesses: Annotated[list[Number], Some(20)] | None = None

    @model_validator(mode="after")
    def _counted_somehow(self) -> "CashCount":
        if self.counted is None and self.notes is None:
            raise PydanticCustomError("field-missing", "counted or notes", {"name": "counted"})
        return self

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        if self.counted is None and self.notes is not None:
            given["counted"] = sum(int(note) * quantity for note, quantity in self.notes.items())
        return given


class PeriodClosing(Dated):
    """The books are closed up to and including a day."""

    model_config = example(through="2025-12-31")

    through: Day


class PeriodReopening(Dated):
    """Days from one on take entries again, and why."""

    model_config = example(**{"from": "2025-12-01"}, reason="Tìm thấy phiếu chi chưa ghi")
    PERSONAL = ("reason",)

    since: Day = Field(alias="from")
    reason: Words


# --- meetings put right ------------------------------------------------------------------------------------------


class MeetingReversal(Dated):
    """A whole sheet is undone: its live lines and its attendance, in one act, on the day of the meeting unless `on`
    says otherwise. The sheet's name is free again; the keys of its lines stay spent."""

    model_config = example(reason="wrong_date")
    PERSONAL = ("note",)

    reason: ReversalReason
    note: Words | None = None

    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason, "as_held": self.on is None}


class Attendance(Dated):
    """Who really came to a meeting, and why it was noted otherwise; of the day of the meeting."""

    model_config = example(present=[1, 2, 4], by_proxy=[3], reason="Ghi sót người đến muộn")
    PERSONAL = ("reason",)

    present: Annotated[list[Number], Some(MOST_MEMBERS)]
    by_proxy: Annotated[list[Number], Some(MOST_MEMBERS, least=0)] | None = None
    reason: Words

    @model_validator(mode="after")
    def _of_the_meetings_day(self) -> "Attendance":
        if self.on is not None:
            raise PydanticCustomError("unknown-field", "of the day of the meeting", {"name": "on"})
        return self


# --- offices, inspections, the beginning and the end --------------------------------------------------------------


class OfficeTerm(Dated):
    """A member takes an office; naming the holder again with `until` ends it on that day."""

    model_config = example(member=3, office="treasurer", on="2026-01-15")

    member: Number
    office: Office
    until: Day | None = None


class Lot(Body):
    """What is drawn by lot: so many vouchers and loans of the fund's entries up to `known_version`, or of all; of the
    days from `from` to `to`, or of all."""

    seed: Seed
    vouchers: Annotated[int, Whole(0, MOST_DRAWN)] = 0
    loans: Annotated[int, Whole(0, MOST_DRAWN)] = 0
    known_version: Number | None = None
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _something_drawn(self) -> "Lot":
        if not self.vouchers and not self.loans:
            raise PydanticCustomError("field-missing", "vouchers or loans", {"name": "vouchers"})
        if self.since and self.until and self.since > self.until:
            days = {"since": self.since, "until": self.until}
            raise PydanticCustomError("period-upside-down", "upside down", days)
        return self


class Inspection(Dated):
    """An inspector comes, and what was found. A sample is drawn by the fund itself, by a number that is public."""

    model_config = example(
        kind="sample",
        finding="Sổ khớp với tiền mặt",
        sample={"seed": "XSMB-2026-03-19-48213", "vouchers": 10, "loans": 3, "from": "2025-01-01"},
        on="2026-03-20",
    )
    PERSONAL = ("finding", "note")

    kind: InspectionKind
    sample: Lot | None = None
    finding: Words | None = None
    note: Words | None = None

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        return given | ({"sample": events.Draw(**self.sample.facts())} if self.sample else {})


class PotMoney(Body):
    """What a pot holds, in đồng."""

    cash: AmountOrNothing = 0
    bank: AmountOrNothing = 0


class Pots(Body):
    """What both pots hold."""

    revolving: PotMoney
    activity: PotMoney


class SavedBefore(Body):
    """Savings owed to a member."""

    member: Number
    amount: Amount


class LentBefore(Body):
    """A loan that is still running."""

    member: Number
    principal: Amount
    outstanding: Amount
    disbursed_on: Day
    term_months: Annotated[int, Whole(1, 120)]
    purpose: Purpose
    interest_owed: AmountOrNothing = 0
    monthly_rate_ppm: Annotated[int, Whole(0, PPM)] | None = None
    guarantor: Number | None = None
    next_due_on: Day | None = None
    """Only checked: an anniversary of the disbursement."""

    @model_validator(mode="after")
    def _due_on_an_anniversary(self) -> "LentBefore":
        if self.next_due_on is not None:
            months = whole_months(self.disbursed_on, self.next_due_on)
            if months < 1 or add_months(self.disbursed_on, months) != self.next_due_on:
                raise PydanticCustomError("not-an-anniversary", "of the disbursement", {"name": "next_due_on"})
        return self

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        given.pop("next_due_on", None)
        if self.monthly_rate_ppm is not None:
            given["own_rate_ppm"] = given.pop("monthly_rate_ppm")
        return given


class BorrowedBefore(Body):
    """Capital the club still owes."""

    source: DonationSource
    amount: Amount


OPENING_EXAMPLE: Final[dict[str, Any]] = {
    "on": "2026-01-01",
    "pots": {"revolving": {"cash": 4_500_000, "bank": 10_000_000}, "activity": {"cash": 1_200_000, "bank": 0}},
    "equipment": [{"what": "loa kéo", "quantity": 1, "unit": "bộ", "value": 6_000_000}],
    "savings": [{"member": 1, "amount": 500_000}],
    "loans": [
        {
            "member": 1,
            "principal": 5_000_000,
            "outstanding": 2_916_000,
            "disbursed_on": "2025-08-10",
            "term_months": 12,
            "purpose": "livestock",
        }
    ],
    "advances": [],
    "document": "01/BBBG",
}


class OpeningBalances(Dated):
    """An old club's books are taken over: once, before any other money; equity is the difference."""

    model_config = example(**OPENING_EXAMPLE)

    pots: Pots
    equipment: Annotated[list[Item], Some(100, least=0)] = Field(default_factory=list)
    savings: Annotated[list[SavedBefore], Some(MOST_MEMBERS, least=0)] = Field(default_factory=list)
    loans: Annotated[list[LentBefore], Some(MOST_MEMBERS, least=0)] = Field(default_factory=list)
    advances: Annotated[list[BorrowedBefore], Some(100, least=0)] = Field(default_factory=list)
    document: Reference | None = None

    def facts(self) -> dict[str, Any]:
        return {
            "revolving": events.OpeningPot(self.pots.revolving.cash, self.pots.revolving.bank),
            "activity": events.OpeningPot(self.pots.activity.cash, self.pots.activity.bank),
            "equipment": [events.Item(item.what, item.quantity, item.unit, item.value) for item in self.equipment],
            "savings": [events.OpeningSavings(saved.member, saved.amount) for saved in self.savings],
            "loans": [events.OldLoan(**loan.facts()) for loan in self.loans],
            "advances": [(advance.source, advance.amount) for advance in self.advances],
        } | ({"document": self.document} if self.document else {})


class OpeningCorrection(OpeningBalances):
    """The old books, whole, as they should have been declared, with the opening day as `on`, and why."""

    model_config = example(**OPENING_EXAMPLE, reason="Ghi sót một khoản vay")
    PERSONAL = ("reason",)

    reason: Words


class Dissolution(Dated):
    """The fund is wound up, and what is left handed over."""

    model_config = example(document="03/QD-UBND", on="2026-12-31")
    PERSONAL = ("note",)

    document: Reference | None = None
    note: Words | None = None

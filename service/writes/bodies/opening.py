"""What may be sent of an old club's books on the day they are taken over."""

from typing import Annotated, Any, Final

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ledger import events
from ledger.days import add_months, whole_months
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource
from ledger.money import PPM
from service.bounds import MOST_MEMBERS
from service.http.body import Body, Dated, example
from service.http.fields import Amount, AmountOrNothing, Day, Number, Reference, Some, Whole, Words
from service.writes.bodies.money import Item

_EXAMPLE: Final[dict[str, Any]] = {
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


class OpeningBalances(Dated):
    """An old club's books are taken over: once, before any other money; equity is the difference."""

    model_config = example(**_EXAMPLE)

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

    model_config = example(**_EXAMPLE, reason="Ghi sót một khoản vay")
    PERSONAL = ("reason",)

    reason: Words

"""What may be sent about money that comes, goes or changes its place."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ledger import events
from ledger.chart import Place, Pot
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from service.http.body import Body, Dated, example
from service.http.fields import Amount, Month, Name, Number, Reference, Some, Whole, Words


class ByHand(Dated):
    """What passes through somebody's hands: `paid_by` is who brought or fetched the money instead, by member's number
    or by name; a name lies in the erasable register."""

    place: Place = "cash"
    paid_by: Number | Words | None = None

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        if isinstance(self.paid_by, str):
            del given["paid_by"]
        return given

    def texts(self) -> dict[str, str]:
        told = super().texts()
        if isinstance(self.paid_by, str):
            told["paid_by"] = self.paid_by
        return told


class Contribution(ByHand):
    """A member pays dues, a share, savings or a fine."""

    model_config = example(member=1, kind="dues", amount=10_000, for_month="2026-01", on="2026-01-15")
    PERSONAL = ("note",)

    member: Number
    kind: ContributionKind
    amount: Amount
    for_month: Month | None = None
    note: Words | None = None


class Gift(Dated):
    """What gifts have in common."""

    PERSONAL = ("donor",)

    source: DonationSource
    foreign: bool = False
    donor: Name | None = None
    document: Reference | None = None


class Donation(Gift):
    """Cash is given to the pot the donor names."""

    model_config = example(source="business", pot="revolving", amount=5_000_000, document="12/BB", on="2026-01-15")

    pot: Pot
    amount: Amount


class Item(Body):
    """One line of a gift in kind; `value` is the worth of the whole line in đồng."""

    what: Words
    quantity: Annotated[int, Whole(1, 1_000_000)]
    unit: Words
    value: Amount


class InKindDonation(Gift):
    """Equipment is given; it touches neither cash nor loan capital."""

    model_config = example(
        source="state_budget",
        items=[{"what": "loa kéo", "quantity": 2, "unit": "bộ", "value": 12_000_000}],
        document="47/KH-UBND",
        on="2022-06-01",
    )

    pot: Pot = "activity"
    items: Annotated[list[Item], Some(100)]

    def facts(self) -> dict[str, Any]:
        items = tuple(events.Item(item.what, item.quantity, item.unit, item.value) for item in self.items)
        return super().facts() | {"items": items}


class Expense(Dated):
    """The club pays for one of its activities."""

    model_config = example(activity="culture", amount=350_000, note="Trà và bánh", on="2026-01-15")
    PERSONAL = ("note",)

    activity: Activity
    pot: Pot = "activity"
    place: Place = "cash"
    amount: Amount
    note: Words | None = None


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

"""What may be sent: one strict model for each write, with the bounds of every field and an example.

Field names are those of the fund's own methods, so that `facts()` is a call's arguments. What is written about people
(`PERSONAL`) never reaches an event; it goes to the register beside the log.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from ledger import events
from ledger.chart import Place, Pot
from ledger.events.club import LeavingReason, Poverty, Sex
from ledger.events.loans import Purpose
from ledger.events.money import Activity, ContributionKind, DonationSource
from ledger.money import PPM
from ledger.terms import INTEREST_ROUNDINGS, InterestMethod, RepaymentMode
from service.http.fields import (
    Amount,
    AmountOrNothing,
    Day,
    FundCode,
    Household,
    Month,
    Name,
    Number,
    OneOf,
    Reference,
    Some,
    Whole,
    Words,
)


class Body(BaseModel):
    """Strict: every field known, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    PERSONAL: ClassVar[tuple[str, ...]] = ()
    """Fields written about people, by the name they have in `texts`."""

    def facts(self) -> dict[str, Any]:
        """The arguments of the fund's method: without the day, a line's marks and what is about people."""
        aside = {"on", "type", "key", *self.PERSONAL}
        return {name: value for name, value in vars(self).items() if name not in aside and value is not None}

    def texts(self) -> dict[str, str]:
        """What was written about people, by kind."""
        return {name: text for name in self.PERSONAL if (text := getattr(self, name)) is not None}


class Dated(Body):
    """What happened on a day; today in the village if none is given."""

    on: Day | None = None


def example(**fields: Any) -> ConfigDict:
    """A body to show in the API's document, and to try out."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


# --- the fund -----------------------------------------------------------------------------------------------------


class Bylaws(Body):
    """The club's own rules, whole. Rates in ppm a month: 10000 is 1 %."""

    monthly_rate_ppm: Annotated[int, Whole(0, PPM)]
    interest_method: InterestMethod
    repayment_mode: RepaymentMode
    max_principal: Amount
    max_term_months: Annotated[int, Whole(1, 120)]
    min_membership_months: Annotated[int, Whole(0, 120)]
    one_open_loan_per_household: bool
    interest_to_activity_ppm: Annotated[int, Whole(0, PPM)]
    monthly_dues: AmountOrNothing
    meeting_day: Annotated[int, Whole(1, 31)]
    two_person_approval: bool
    interest_rounding: Annotated[int, OneOf(INTEREST_ROUNDINGS)] = 1

    def rules(self) -> events.Bylaws:
        """The rules as the fund keeps them."""
        return events.Bylaws(**{name: getattr(self, name) for name in Bylaws.model_fields})


BYLAWS_EXAMPLE: Final = {
    "monthly_rate_ppm": 10_000,
    "interest_method": "reducing",
    "repayment_mode": "equal_principal",
    "max_principal": 10_000_000,
    "max_term_months": 24,
    "min_membership_months": 3,
    "one_open_loan_per_household": True,
    "interest_to_activity_ppm": 300_000,
    "monthly_dues": 10_000,
    "meeting_day": 15,
    "two_person_approval": False,
}


class NewBylaws(Dated, Bylaws):
    """Bylaws that come into force on a day."""

    model_config = example(on="2026-01-15", **BYLAWS_EXAMPLE)

    def facts(self) -> dict[str, Any]:
        return {"bylaws": self.rules()}


class NewFund(Dated):
    """A club's fund to be opened, under a code the administrator chooses."""

    model_config = example(
        fund="LS-CL-MAIPHA",
        club="Câu lạc bộ Liên thế hệ tự giúp nhau Mai Pha",
        commune="Mai Pha",
        district="Lạng Sơn",
        province="Lạng Sơn",
        founded_on="2022-05-10",
        on="2022-05-10",
        plan="47/KH-UBND",
        bylaws=BYLAWS_EXAMPLE,
    )

    fund: FundCode
    club: Name
    commune: Name
    district: Name
    province: Name
    founded_on: Day
    plan: Reference | None = None
    bylaws: Bylaws

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        del given["fund"]
        return given | {"bylaws": self.bylaws.rules()}


# --- members ------------------------------------------------------------------------------------------------------


class NewMember(Dated):
    """Somebody who joins. The birth year alone is kept; name and phone lie in the erasable register."""

    model_config = example(
        name="Hoàng Thị Sầm",
        phone="0912 345 678",
        sex="female",
        birth_year=1956,
        poverty="near_poor",
        household="H12",
        on="2022-05-10",
    )
    PERSONAL = ("name", "phone")

    name: Name | None = None
    phone: Words | None = None
    sex: Sex
    birth_year: Annotated[int, Whole(1800, 2200)]
    poverty: Poverty
    household: Household | None = None


class MemberChange(Dated):
    """What is known of a member otherwise from now on; only what changes is sent."""

    model_config = example(poverty="none", on="2024-01-15")
    PERSONAL = ("name", "phone")

    name: Name | None = None
    phone: Words | None = None
    sex: Sex | None = None
    birth_year: Annotated[int, Whole(1800, 2200)] | None = None
    poverty: Poverty | None = None
    household: Household | None = None


class Departure(Dated):
    """Somebody leaves the club."""

    model_config = example(reason="moved", on="2024-06-15")

    reason: LeavingReason


class Return(Dated):
    """A former member comes back, under the same number: debts, savings and loans received before go on."""

    model_config = example(on="2025-02-15")


class DuesForgiveness(Dated):
    """A member's dues for some months are not asked for any more, and why."""

    model_config = example(months=["2024-03", "2024-04"], reason="Ốm nằm viện", on="2024-06-15")
    PERSONAL = ("reason",)

    months: Annotated[list[Month], Some(120)]
    reason: Words

    def facts(self) -> dict[str, Any]:
        return {"months": tuple(self.months)}


# --- money --------------------------------------------------------------------------------------------------------


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
        named = {"paid_by": self.paid_by} if isinstance(self.paid_by, str) else {}
        return super().texts() | named


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


# --- loans --------------------------------------------------------------------------------------------------------


class LoanRequest(Dated):
    """A member asks for a loan."""

    model_config = example(member=1, principal=5_000_000, term_months=12, purpose="livestock", on="2026-01-15")

    member: Number
    principal: Amount
    term_months: Annotated[int, Whole(1, 120)]
    purpose: Purpose
    guarantor: Number | None = None


class Override(Body):
    """The chair sets the bylaws' conditions aside, and says why."""

    reason: Words


class Approval(Dated):
    """A loan is granted, on the terms of the bylaws in force."""

    model_config = example(on="2026-01-15")

    override: Override | None = None

    def facts(self) -> dict[str, Any]:
        return {"override": self.override is not None}

    def texts(self) -> dict[str, str]:
        return {"reason": self.override.reason} if self.override else {}


class Rejection(Dated):
    """A loan is not granted, and why."""

    model_config = example(reason="Nhà vừa vay xong", on="2026-01-15")
    PERSONAL = ("reason",)

    reason: Words


class Disbursement(Dated):
    """The principal is handed out."""

    model_config = example(place="cash", on="2026-01-15")

    place: Place = "cash"


class Repayment(ByHand):
    """Money comes back; the service divides it between interest and principal. `settle` closes the loan: a rest of
    principal below 1,000 đồng is forgiven."""

    model_config = example(amount=470_000, on="2026-02-15")

    amount: Amount
    settle: bool = False


class SetOff(Dated):
    """The borrower's own savings pay on the loan; no money moves."""

    model_config = example(amount=300_000, on="2026-02-15")

    amount: Amount


class Waiver(Dated):
    """The chair lets go of interest that is due, and says why."""

    model_config = example(amount=50_000, reason="Nhà bị lũ", on="2026-02-15")
    PERSONAL = ("reason",)

    amount: Amount
    reason: Words

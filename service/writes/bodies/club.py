"""What may be sent about the club, its bylaws and its members."""

from typing import Annotated, Any, Final

from ledger import events
from ledger.events.club import LeavingReason, Poverty, Sex
from ledger.money import PPM
from ledger.terms import INTEREST_ROUNDINGS, InterestMethod, RepaymentMode
from service.http.body import Body, Dated, example
from service.http.fields import (
    Amount,
    AmountOrNothing,
    Day,
    FundCode,
    Household,
    Month,
    Name,
    OneOf,
    Reference,
    Some,
    Whole,
    Words,
)


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
    """A club's fund to be opened, under a code the administrator chooses. One for `practice` has a code that begins
    with `TAP-`, is in no figure, list or report across clubs, and stays one for ever."""

    model_config = example(
        fund="LS-CL-MAIPHA",
        club="Câu lạc bộ Liên thế hệ tự giúp nhau Mai Pha",
        commune="xã Mai Pha",
        district="thành phố Lạng Sơn",
        province="Lạng Sơn",
        founded_on="2022-05-10",
        on="2022-05-10",
        plan="47/KH-UBND",
        bylaws=BYLAWS_EXAMPLE,
    )

    fund: FundCode
    club: Name
    commune: Name
    district: Name | None = None
    province: Name
    founded_on: Day
    plan: Reference | None = None
    practice: bool = False
    bylaws: Bylaws

    def facts(self) -> dict[str, Any]:
        given = super().facts()
        del given["fund"]
        return given | {"bylaws": self.bylaws.rules()}


class NewPlace(Dated):
    """The club lies in another commune, or its commune bears another name; the place whole, as it is from `on`."""

    model_config = example(
        commune="phường Đông Kinh", province="Lạng Sơn", document="1672/NQ-UBTVQH15", on="2025-07-01"
    )

    commune: Name
    district: Name | None = None
    province: Name
    document: Reference | None = None


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

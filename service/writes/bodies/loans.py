"""What may be sent about loans, from the request to what is recovered after a write-off."""

from typing import Annotated, Any

from ledger.chart import Place
from ledger.events.loans import Purpose
from service.http.body import Body, Dated, example
from service.http.fields import Amount, Number, Whole, Words
from service.writes.bodies.money import ByHand


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

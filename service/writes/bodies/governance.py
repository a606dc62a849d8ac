"""What may be sent about how a club keeps itself honest: counts, periods, offices, inspections, dissolution."""

from typing import Annotated, Any, Final

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ledger import events
from ledger.events.corrections import ReversalReason
from ledger.events.governance import NOTES, CountedPot, CountReason, Office
from ledger.events.inspections import InspectionKind
from service.bounds import MOST_MEMBERS
from service.http.body import Body, Dated, example
from service.http.fields import (
    MOST_DRAWN,
    AmountOrNothing,
    Code,
    Day,
    Number,
    Reference,
    Seed,
    Some,
    Whole,
    Words,
)

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


class Dissolution(Dated):
    """The fund is wound up, and what is left handed over."""

    model_config = example(document="03/QD-UBND", on="2026-12-31")
    PERSONAL = ("note",)

    document: Reference | None = None
    note: Words | None = None

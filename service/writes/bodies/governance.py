"""What may be sent about how a club keeps itself honest: meetings, counts, periods, offices, dissolution."""

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ledger.events.governance import NOTES, CountedPot, CountReason, Office
from service.bounds import MOST_MEMBERS
from service.http.body import Dated, example
from service.http.fields import AmountOrNothing, Code, Day, Number, Reference, Some, Whole, Words

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


# --- offices, and the end ----------------------------------------------------------------------------------------


class OfficeTerm(Dated):
    """A member takes an office; naming the holder again with `until` ends it on that day."""

    model_config = example(member=3, office="treasurer", on="2026-01-15")

    member: Number
    office: Office
    until: Day | None = None


class Dissolution(Dated):
    """The fund is wound up, and what is left handed over."""

    model_config = example(document="03/QD-UBND", on="2026-12-31")
    PERSONAL = ("note",)

    document: Reference | None = None
    note: Words | None = None

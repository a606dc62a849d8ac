"""What may be sent about an inspector's visit."""

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ledger import events
from ledger.events.inspections import InspectionKind
from service.http.body import Body, Dated, example
from service.http.fields import MOST_DRAWN, Day, Number, Seed, Whole, Words


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

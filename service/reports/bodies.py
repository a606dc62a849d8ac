"""What may be sent about plans and their reports."""

from typing import Annotated, Any

from pydantic import Field

from ledger.plans import Preset
from service.http.body import Body, Dated, example
from service.http.fields import Amount, Code, Day, Reference, Whole, Words

PlanCode = Annotated[str, Code("[A-Z0-9-]{3,40}")]
Year = Annotated[int, Whole(2000, 2199)]


class NewSpending(Dated):
    """So much of a line of the plan's budget was spent outside any club, by a document."""

    model_config = example(line="training", amount=38_500_000, document="214/QĐ-SLĐTBXH", on="2022-06-20")

    line: Annotated[str, Code("[a-z][a-z0-9_]{0,39}")]
    amount: Amount
    document: Reference


class SpendingReversal(Dated):
    """Spending was noted wrongly, and why."""

    model_config = example(reason="Ghi nhầm số quyết định")
    PERSONAL = ("reason",)

    reason: Words


class ReportScope(Body):
    """The clubs of a province, or of a district or commune of it."""

    province: Words
    district: Words | None = None
    commune: Words | None = None


class NewReport(Body):
    """A report is frozen for ever: of a preset period in a year, or of the days from one to another."""

    model_config = example(plan="VN-LS-47-2022", preset="half-1", year=2026)
    PERSONAL = ("note",)

    plan: PlanCode
    preset: Preset | None = None
    year: Year | None = None
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = Field(default=None, alias="to")
    scope: ReportScope | None = None
    note: Words | None = None

    def area(self) -> dict[str, Any]:
        """The place that was asked for."""
        return {} if self.scope is None else self.scope.model_dump(exclude_none=True)

"""What acts about plans and reports are answered with, for the API's document."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class SpendingTold(BaseModel):
    """What was noted in a plan's own log, or undone there. Of a dry run, `position` and `check_code` are null."""

    model_config = ConfigDict(extra="forbid")

    plan: str
    version: int
    position: int | None
    type: str
    on: date
    recorded_at: datetime
    check_code: str | None
    line: str | None = None
    amount: int | None = None
    document: str | None = None
    reverses: int | None = None
    sentence: str


class ReportFrozen(BaseModel):
    """A frozen report: its number, the code of what it rests on, and the SHA-256 of its bytes. Of a dry run, `report`
    and `frozen_at` are null."""

    model_config = ConfigDict(extra="forbid")

    report: str | None
    report_code: str
    position: int
    frozen_at: datetime | None
    digest: str

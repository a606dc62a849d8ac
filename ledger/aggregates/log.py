"""What any chained log is: who tells it of a fact, which requests it has answered, and when it is broken."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from ledger.days import civil_day
from ledger.events import Request
from ledger.refusals import FutureDay


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Who tells the fund of a fact and when: the day it happened, the instant it was heard, the principal.

    `member` is the principal's own number in this fund, if they have one; `texts` are digests of what was written
    about people. Raises `FutureDay` for a day that has not come yet in the village.
    """

    on: date
    recorded_at: datetime
    recorded_by: str
    member: int | None = None
    request: Request | None = None
    texts: dict[str, str] | None = None

    def __post_init__(self) -> None:
        today = civil_day(self.recorded_at)
        if self.on > today:
            raise FutureDay(on=self.on, today=today)


class BrokenChain(Exception):
    """A stored line does not fit the one before it: the history of this fund was changed."""

    def __init__(self, fund: str, version: int) -> None:
        super().__init__(f"the history of fund {fund} is broken at version {version}")
        self.fund = fund
        self.version = version


class Answered(msgspec.Struct, frozen=True, gc=False):
    """Where in the log a request's facts lie, and the digest of its body."""

    digest: str
    first: int
    last: int

"""When things are told: acts of one club, kept until the instant at which somebody enters them.

An act happened on a day; it is entered that evening, some days later, or weeks later. The service hears of acts in the
order of those instants, never in the order they happened.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any, NamedTuple

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.aggregates.log import Log
from ledger.days import VILLAGE_TIME
from ledger.events import Request
from ledger.events.corrections import ReversalReason
from ledger.jobs import Job
from ledger.register import written


class Told(NamedTuple):
    """A job and the instant it is told; of two at one instant the earlier number comes first."""

    at: datetime
    number: int
    job: Job


class Diary:
    """One club's acts that wait to be entered."""

    def __init__(self, fund: str, random: Random) -> None:
        self._fund = fund
        self._random = random
        self._waiting: list[Told] = []
        self._told = 0

    def tell(
        self,
        at: datetime,
        on: date,
        by: str,
        decide: Callable[..., object],
        *,
        texts: dict[str, str] | None = None,
        own_number: int | None = None,
        opens: bool = False,
        several: bool = False,
        salted_by: Random | None = None,
        aggregate: type[Log] = Fund,
        **facts: Any,
    ) -> str:
        """Have `decide(fund, metadata, **facts)` recorded at an instant; answers the request's key.

        `decide` is a decision of `Fund`, or of another kind of log, or a function that makes several. `own_number` is
        the principal's own as a member; `texts` are what is written about people, by kind. `salted_by` draws their
        salts where what is told must not change what else is drawn.
        """
        self._told += 1
        key = f"demo-{self._fund}-{self._told:06}"
        rows = {
            kind: written(self._fund, text, salt=(salted_by or self._random).randbytes(16).hex())
            for kind, text in (texts or {}).items()
        }
        metadata = EntryMetadata(
            on=on,
            recorded_at=at,
            recorded_by=by,
            member=own_number,
            # There is no body to take a digest of, and nobody will ever send this request again.
            request=Request(key, hashlib.sha256(key.encode()).hexdigest()),
            texts={kind: row.digest for kind, row in rows.items()} or None,
        )
        job = Job(
            fund=self._fund,
            decide=lambda fund: decide(fund, metadata, **facts),
            request=metadata.request,
            texts=tuple(rows.values()),
            opens=opens,
            several=several,
            aggregate=aggregate,
        )
        heappush(self._waiting, Told(at, self._told, job))
        return key

    def told_before(self, instant: datetime) -> Iterator[Told]:
        """Hand out what is told before an instant, in order."""
        while self._waiting and self._waiting[0].at < instant:
            yield heappop(self._waiting)


def instant(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment in the village, as the service knows it: in UTC."""
    return datetime.combine(day, time(hour, minute), VILLAGE_TIME).astimezone(UTC)


def evening(random: Random, day: date) -> Iterator[datetime]:
    """The instants at which a treasurer enters one line after the other, from after supper on."""
    at = instant(day, 18, random.randint(10, 50))
    while True:
        at += timedelta(seconds=random.randint(15, 55), milliseconds=random.randint(0, 999))
        yield at


def weeks_later(random: Random, day: date, most: int = 40) -> datetime:
    """A moment when a slip of paper turns up that was forgotten on `day`, at most so many days later."""
    return instant(day + timedelta(days=random.randint(9, most)), random.randint(8, 20), random.randint(0, 59))


# --- corrections -------------------------------------------------------------------------------------------------


def reverse(fund: Fund, metadata: EntryMetadata, *, key: str, reason: ReversalReason) -> None:
    """Undo what a request recorded."""
    fund.reverse_entry(metadata, fund.version_of(key) or 0, reason=reason)


def replace(
    fund: Fund,
    metadata: EntryMetadata,
    *,
    key: str,
    reason: ReversalReason,
    decision: Callable[..., object],
    facts: dict[str, Any],
) -> None:
    """Undo what a request recorded and enter it as it should have been, in one act."""
    reverse(fund, metadata, key=key, reason=reason)
    decision(fund, metadata, **facts)

"""What is asked of the ledger, and what it answers: jobs, and what was recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ledger.aggregates.fund import Fund
from ledger.aggregates.loan import Loan
from ledger.aggregates.log import Log
from ledger.aggregates.member import Member
from ledger.aggregates.warnings import Warning
from ledger.events import Event, Request
from ledger.register import Text


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One request to record, ready to be decided.

    `decide` calls the public methods of the fund; or of the log whose id `fund` is, if `aggregate` is of another kind.
    `several` says that it may record some facts and then refuse: it is tried on a copy first; `facts` says how many it
    may record. Only a dry run may come without a request's key. `speaks_of` names the events the answer is about, where
    these are not just the ones recorded: it is asked after the decision, and when the request is answered again.
    """

    fund: str
    decide: Callable[[Any], object]
    request: Request | None
    aggregate: type[Log] = Fund
    speaks_of: Callable[[Any], Sequence[Event]] | None = None
    texts: tuple[Text, ...] = ()
    expected_version: int | None = None
    opens: bool = False
    several: bool = False
    facts: int = 1
    dry_run: bool = False


class Recorded(msgspec.Struct, kw_only=True):
    """What a job recorded (or would record), and where.

    `version` is the fund's after it. A meeting's sheet sent again may record nothing: then there are no events.
    `position` is that version's place in the whole log, None for a dry run. `members` and `loans` are those the
    events speak of, as they stand now; `names` and `donors` (by the event's version) as far as the register has them.
    `warnings` are what is worth a second look about an event, by its version.
    """

    fund: str
    version: int
    events: tuple[Event, ...]
    head: str
    replayed: bool = False
    position: int | None = None
    members: dict[int, Member] = {}
    loans: dict[int, Loan] = {}
    names: dict[int, str] = {}
    donors: dict[int, str] = {}
    warnings: dict[int, tuple[Warning, ...]] = {}


class StorageUnavailable(Exception):
    """The database is away or full. Whether anything was recorded is unknown: the same request may be sent again."""


Outcome = Recorded | Exception

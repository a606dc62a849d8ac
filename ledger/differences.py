"""Why the books say something else: the figures that differ between two points in both times, and the entries behind.

An entry is in view at a point when it had happened by the end of its day and was known by then. Every figure here is a
plain sum over the entries in view, so what the entries seen from one end only contribute sums to the difference, always
and exactly. Figures that are no sums (rates, days late, interest accrued) follow from these; they are read at each end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from ledger.chart import ACCOUNTS, ASSETS, LIABILITIES, POTS, Account, Pot
from ledger.events import EntryReversed, Event, MemberJoined, MemberLeft, MemberReturned
from ledger.exports import CLASS_OF

Why = Literal["happened_later", "recorded_later"]


class Point(msgspec.Struct, frozen=True):
    """A point in both times: what had happened by the end of `as_of`, of what was known at `version`."""

    as_of: date
    version: int

    def sees(self, event: Event) -> bool:
        """Whether an entry is in view from here."""
        return event.version <= self.version and event.on <= self.as_of

    def misses(self, event: Event) -> Why:
        """Why an entry is out of view from here. Of one for a day in view nobody had heard yet: it was recorded
        later; any other was yet to happen, and is no surprise."""
        return "recorded_later" if event.on <= self.as_of else "happened_later"


class End(msgspec.Struct, frozen=True):
    """One end of a difference as it is asked for: all days without `as_of`; without `known`, a version or an instant,
    all that is known now."""

    as_of: date | None = None
    known: int | datetime | None = None

    def among(self, events: Sequence[Event]) -> Point:
        """The point it means in a fund with these entries, in order of version."""
        return Point(self.as_of or date.max, self._version(events))

    def _version(self, events: Sequence[Event]) -> int:
        if isinstance(self.known, datetime):
            # A fund hears of its entries in order, so the first that came later ends what was known.
            heard_later = (event.version for event in events if event.recorded_at > self.known)
            return next(heard_later, len(events) + 1) - 1
        return len(events) if self.known is None else min(self.known, len(events))


class Figure(NamedTuple):
    """What a figure is of. `name` is an account, "equity" of a pot or "members" on the roll; `pot` is "both" for the
    cash in both boxes and None for members; `of` is what lies beneath the account, None for all of it."""

    name: Account | Literal["equity", "members"]
    pot: Pot | Literal["both"] | None
    of: int | str | None = None


CASH = Figure("cash", "both")
MEMBERS = Figure("members", None)
ON_ROLL = {MemberJoined.__name__: 1, MemberLeft.__name__: -1, MemberReturned.__name__: 1}
"""What an entry adds to the roll; its reversal takes that away again."""


class Cause(NamedTuple):
    """What one entry contributes to a difference, in đồng (or members)."""

    version: int
    amount: int


class Difference(NamedTuple):
    """One figure at both ends, in đồng (or members), and the entries that make the one the other."""

    figure: Figure
    before: int
    causes: list[Cause]

    @property
    def amount(self) -> int:
        """What `after` is more than `before`: the sum of the causes."""
        return sum(cause.amount for cause in self.causes)

    @property
    def after(self) -> int:
        """The figure at the other end."""
        return self.before + self.amount


def differences(events: Iterable[Event], start: Point, end: Point) -> tuple[list[Event], list[Difference]]:
    """The entries in view from one end only, and every figure they touch with what each of them contributes.

    An entry that only `start` sees counts negatively. A figure whose causes cancel out is among them, with a difference
    of 0. Figures come in the order a reader looks for them: the boxes, then each pot, then what lies beneath, then the
    roll.
    """
    apart: list[Event] = []
    before: dict[Figure, int] = defaultdict(int)
    causes: dict[Figure, list[Cause]] = defaultdict(list)
    for event in events:
        is_at_start = start.sees(event)
        side = end.sees(event) - is_at_start
        if not (is_at_start or side):
            continue
        if side:
            apart.append(event)
        for figure, amount in movements(event).items():
            if is_at_start:
                before[figure] += amount
            if side:
                causes[figure].append(Cause(event.version, side * amount))
    return apart, [Difference(figure, before[figure], causes[figure]) for figure in sorted(causes, key=_place)]


def movements(event: Event) -> dict[Figure, int]:
    """What an entry adds to every figure, as people count it: what is owned, spent, owed, given or earned is positive.

    The accounts of `chart`, each as a whole and by what lies beneath it; the cash in both boxes; the equity of each
    pot, assets − liabilities; the members on the roll.
    """
    moved: dict[Figure, int] = defaultdict(int)
    for leg in event.legs():
        for figure, sign in _touched(leg.pot, leg.account, leg.of):
            moved[figure] += sign * leg.amount
    if isinstance(event, EntryReversed) and event.entry in ON_ROLL:
        moved[MEMBERS] -= ON_ROLL[event.entry]
    elif event.name in ON_ROLL:
        moved[MEMBERS] += ON_ROLL[event.name]
    return moved


@lru_cache(maxsize=65_536)
def _touched(pot: Pot, account: Account, of: int | str | None) -> tuple[tuple[Figure, int], ...]:
    """The figures that a leg is part of, each with the sign it counts with; savings grow by credits."""
    sign = 1 if CLASS_OF[account] in ("assets", "expenses") else -1
    touched = [(Figure(account, pot), sign)]
    if of is not None:
        touched.append((Figure(account, pot, of), sign))
    if account == "cash":
        touched.append((CASH, 1))
    if account in ASSETS or account in LIABILITIES:
        touched.append((Figure("equity", pot), 1))
    return tuple(touched)


_NAMES = (*(account for account in ACCOUNTS if account in ASSETS | LIABILITIES), "equity", *ACCOUNTS, "members")
_POTS = ("both", *POTS, None)


def _place(figure: Figure) -> tuple[bool, bool, int, int, int | str]:
    """Where a figure stands among the others; beneath one account all are numbers, or all are words."""
    is_beneath = figure.of is not None
    return figure == MEMBERS, is_beneath, _POTS.index(figure.pot), _NAMES.index(figure.name), figure.of or 0

"""What a club does beside money: activities of the plan's areas, and members helping one another (plan 47, II.3)."""

from __future__ import annotations

from typing import Final, Literal, get_args

from ledger.events.base import Event

Area = Literal["economic", "health", "home_care", "mutual_help", "rights", "culture", "resources", "learning"]
HelpKind = Literal["labour", "money", "goods", "skill"]

AREAS: Final[tuple[Area, ...]] = get_args(Area)
HELP_KINDS: Final[tuple[HelpKind, ...]] = get_args(HelpKind)


class ActivityHeld(Event, frozen=True, kw_only=True, gc=False):
    """The club did something in one of its areas: how many took part, and how many of them as volunteers, if that was
    counted. It moves no money; what was paid for it is an expense."""

    area: Area
    participants: int
    volunteers: int | None = None


class MutualHelpGiven(Event, frozen=True, kw_only=True, gc=False):
    """Members helped `people` others: `quantity` of a `unit`, such as 3 days of work, and what it was worth in đồng, if
    somebody put a figure on it. It never went through the box, so it moves no money."""

    kind: HelpKind
    quantity: int
    unit: str
    people: int
    worth: int | None = None

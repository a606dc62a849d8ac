"""Plans as data: what a province or the country has set itself, as targets, areas, budget lines and periods.

A plan is one TOML file. Those built in lie beside this module; an operator adds others in a folder. A file that cannot
be right is refused before anything starts, with its name and the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from ledger.events.activities import Area
from ledger.events.money import DonationSource
from ledger.faults import Fault
from ledger.refusals import BudgetLineNotFound, PlanNotFound

Day = date
Preset = Literal["nd09-h1", "nd09-year", "half-1", "half-2", "year"]
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)


class BadPlan(Fault):
    """A plan's file cannot be right: `file`, `line`, and what is wrong there."""

    area = "plan"


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A part of a plan: every field known."""


class Target(_Part, frozen=True, kw_only=True):
    """What a plan asks of an indicator: of each club, or of all together; in people, clubs or percent, as the indicator
    counts. `share` is how many of a hundred clubs must reach it: all, unless it is said. Before `due` it is not judged.
    """

    id: str
    clause: str
    per: Literal["club", "total"]
    at_least: int | None = None
    at_most: int | None = None
    share: int | None = None
    due: Day | None = None


class BudgetLine(_Part, frozen=True, kw_only=True):
    """A line of the plan's budget, in đồng. A gift is evidence of it that names its `source` and `document`; a line
    without them is evidenced by what the plan's own log says was spent."""

    line: str
    clause: str
    amount: int
    per_club: int | None = None
    clubs: int | None = None
    source: DonationSource | None = None
    document: str | None = None

    def __post_init__(self) -> None:
        if (self.source is None) is not (self.document is None):
            raise ValueError("source and document go together")


class CountedPlace(_Part, frozen=True, kw_only=True):
    """The clubs that lie in a province, or in a district or commune of it."""

    province: str
    district: str | None = None
    commune: str | None = None


class Management(_Part, frozen=True, kw_only=True):
    """From where on a club is not well managed. `meetings` are in how many of how many months there must be one."""

    meetings: tuple[int, int] = (5, 6)
    closed_by_day: int = 10
    difference_per_mille: int = 5
    difference_amount: int = 200_000
    par30_percent: int = 10
    good_borrowing_percent: int = 50


class Plan(_Part, frozen=True, kw_only=True):
    """A plan. `counts` says whose clubs it is about: those that were opened under its code, or all in a place."""

    code: str
    number: str
    date: Day
    issuer: str
    title: str
    legal_bases: tuple[str, ...]
    valid_from: Day
    valid_to: Day
    parent: str | None = None
    province: str | None = None
    counts: Literal["plan"] | CountedPlace
    areas: tuple[Area, ...]
    periods: tuple[Preset, ...]
    recipients: tuple[str, ...]
    sources: tuple[str, ...] = ()
    silent_days: int = 60
    maintained_months: int = 3
    volunteers: int = 5
    well_managed: Management = Management()
    target: tuple[Target, ...]
    budget: tuple[BudgetLine, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z0-9-]{3,40}", self.code):
            raise ValueError("code")
        if self.valid_from > self.valid_to:
            raise ValueError("valid_from")

    @property
    def clubs_expected(self) -> int | None:
        """How many clubs there are to be, if the plan says so."""
        return next((target.at_least for target in self.target if target.id == "clubs"), None)

    def refuse_unknown_line(self, name: str) -> None:
        """Raises `BudgetLineNotFound` for a line that the budget does not have."""
        lines = tuple(line.line for line in self.budget)
        if name not in lines:
            raise BudgetLineNotFound(lines=", ".join(lines))


Plans = Mapping[str, Plan]
"""By code."""


def plan_of(plans: Plans, code: str) -> Plan:
    """A plan by code. Raises `PlanNotFound`."""
    if code not in plans:
        raise PlanNotFound
    return plans[code]


BUILT_IN: Final = Path(__file__).parent


def load_plans(indicators: Collection[str], folder: Path | None = None) -> Plans:
    """The plans built in, and those of a folder, which may bear the code of one built in and takes its place then.
    `indicators` are those a target may be about. Raises `BadPlan`."""
    plans = {plan.code: plan for plan in _plans_of(BUILT_IN, indicators)}
    if folder is None:
        return plans
    if not folder.is_dir():
        raise BadPlan("no-folder", file=str(folder))
    return plans | {plan.code: plan for plan in _plans_of(folder, indicators)}


def _plans_of(folder: Path, indicators: Collection[str]) -> Iterator[Plan]:
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        plan = read_plan(path, indicators)
        if plan.code in files:
            raise BadPlan("twice", file=str(path), line=1, code=plan.code, other=files[plan.code])
        files[plan.code] = str(path)
        yield plan


def read_plan(path: Path, indicators: Collection[str]) -> Plan:
    """The plan that a file holds. Raises `BadPlan`."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        raise BadPlan("unreadable", file=str(path), line=1) from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        line = int(where[1]) if where else len(text.splitlines())
        raise BadPlan("not-toml", file=str(path), line=line) from None
    try:
        plan = msgspec.convert(found, Plan)
    except msgspec.ValidationError as error:
        raise _wrong(path, text, str(error)) from None
    for number, target in enumerate(plan.target):
        if target.id not in indicators:
            line = _line_of(text, ["target", number, "id"])
            raise BadPlan("no-indicator", file=str(path), line=line, name=target.id)
    return plan


def _wrong(path: Path, text: str, said: str) -> BadPlan:
    """What msgspec found wrong, with the line."""
    place = re.search(r"at `\$(.*)`", said)
    steps: list[str | int] = [
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place[1] if place else "")
    ]
    if missing := re.search(r"missing required field `(\w+)`", said):
        return BadPlan("missing", file=str(path), line=_line_of(text, steps), name=missing[1])
    if unknown := re.search(r"unknown field `(\w+)`", said):
        line = _line_of(text, [*steps, unknown[1]])
        return BadPlan("unknown", file=str(path), line=line, name=unknown[1])
    name = next((step for step in reversed(steps) if isinstance(step, str)), "") or said.partition(" - ")[0]
    return BadPlan("wrong", file=str(path), line=_line_of(text, steps), name=name)


def _line_of(text: str, steps: list[str | int]) -> int:
    """The line by which the document has what these steps lead to: the first after which that much of it does."""
    lines = text.splitlines()
    for count in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # In the middle of a value.
        try:
            for step in steps:
                found = found[step]
        except (KeyError, IndexError, TypeError):
            continue
        return count
    return 1

"""The dictionary of indicators: each is defined here, and nowhere else.

Its words (name, definition, what is counted, of what) are in `service/words/messages/indicators.toml` under the same
id. `of_club` gives a club's figure, `of_all` puts those of clubs together; `clause` is where the plan or the rules ask
for it. A change that makes a figure another one is a new `DEFINITIONS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ledger.reports import life, people
from ledger.reports.club import ClubAt, Reported
from ledger.reports.lending import lending
from ledger.reports.management import well_managed
from ledger.reports.money import both_pots, in_kind, pots, pots_of_all, source_rows, sources
from ledger.reports.shares import share_of_all, share_of_clubs, summed

DEFINITIONS: Final = "2026-11"
"""The definitions below, by when they were set."""

Kind = Literal["count", "share", "truth", "truths", "table"]
"""What a figure is: a number, a share of people, true or not (or several such), or a table of its own."""


@dataclass(frozen=True)
class Indicator:
    """What is reported of each club, and of all together."""

    id: str
    clause: str
    kind: Kind
    of_club: Callable[[ClubAt], Any]
    of_all: Callable[[Sequence[Reported], Sequence[Any]], Any]
    """Given the clubs, and the figure of each."""


def _sum(_: Sequence[Reported], figures: Sequence[int]) -> int:
    return sum(figures)


def _ratio(_: Sequence[Reported], figures: Sequence[Any]) -> Any:
    return share_of_all(figures)


def _clubs(_: Sequence[Reported], figures: Sequence[Any]) -> Any:
    return share_of_clubs(figures)


def _parts(_: Sequence[Reported], figures: Sequence[Any]) -> Any:
    return summed(figures)


def full_activities(club: ClubAt) -> bool:
    """Whether the club did something in every area of the plan."""
    return len(life.areas_done(club)) == len(club.plan.areas)


READINGS: Final = {
    "current": people.borrowing_current,
    "in_period": people.borrowing_in_period,
    "ever": people.borrowing_ever,
}


def good_clubs(club: ClubAt) -> dict[str, bool | None]:
    """Whether the club does all activities, is well managed, and half of its members borrow: by each reading of that.
    Nothing can be said of a club without members."""
    is_good, least = full_activities(club) and well_managed(club)["met"], club.plan.well_managed.good_borrowing_percent
    rates = {name: borrowing(club) for name, borrowing in READINGS.items()}
    return {
        name: is_good and 100 * rate["numerator"] >= least * rate["denominator"] if rate["denominator"] else None
        for name, rate in rates.items()
    }


def _good_clubs_of_all(_: Sequence[Reported], figures: Sequence[dict[str, bool | None]]) -> dict[str, Any]:
    return {name: share_of_clubs(figure[name] for figure in figures) for name in READINGS}


def _managed_of_all(_: Sequence[Reported], figures: Sequence[dict[str, Any]]) -> Any:
    return share_of_clubs(figure["met"] for figure in figures)


def _sources_of_all(_: Sequence[Reported], figures: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, bool], dict[str, int]] = {}
    for rows in figures:
        for row in rows:
            total = sums.setdefault((row["source"], row["foreign"]), {"cash": 0, "in_kind": 0})
            total["cash"] += row["cash"]
            total["in_kind"] += row["in_kind"]
    return source_rows(sums)


def _gifts_of_all(clubs: Sequence[Reported], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    told = zip(clubs, figures, strict=True)
    gifts = [{"fund": club.row["fund"], **gift} for club, figure in told for gift in figure["gifts"]]
    return {"gifts": gifts, "total": sum(figure["total"] for figure in figures)}


def _help_of_all(_: Sequence[Reported], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return life.mutual_help_of_all(list(figures))


def _oversight_of_all(clubs: Sequence[Reported], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    late = Counter[int]()
    for club in clubs:
        late.update(club.days_late)
    counted = [{name: value for name, value in figure.items() if name != "days_late"} for figure in figures]
    sums = summed(counted) if counted else {}
    return sums | {"days_late": life.days_late(late)}


INDICATORS: Final[dict[str, Indicator]] = {
    indicator.id: indicator
    for indicator in (
        Indicator("members", "I.2", "count", people.members, _sum),
        Indicator("women", "I.2", "share", people.women, _ratio),
        Indicator("older", "I.2", "share", people.older, _ratio),
        Indicator("younger", "I.2", "share", people.younger, _ratio),
        Indicator("hardship", "I.2", "share", people.hardship, _ratio),
        Indicator("borrowing_current", "I.2", "share", people.borrowing_current, _ratio),
        Indicator("borrowing_in_period", "I.2", "share", people.borrowing_in_period, _ratio),
        Indicator("borrowing_ever", "I.2", "share", people.borrowing_ever, _ratio),
        Indicator("both_pots", "I.2", "truth", both_pots, _clubs),
        Indicator("volunteers", "II.3", "count", people.volunteers, _sum),
        Indicator("areas", "II.3", "count", lambda club: len(life.areas_done(club)), _sum),
        Indicator("full_activities", "I.2", "truth", full_activities, _clubs),
        Indicator("well_managed", "I.2", "truth", well_managed, _managed_of_all),
        Indicator("good_clubs", "I.2", "truths", good_clubs, _good_clubs_of_all),
        Indicator("lending", "II.3", "table", lending, _parts),
        Indicator("pots", "I.2", "table", pots, pots_of_all),
        Indicator("sources", "III.3", "table", sources, _sources_of_all),
        Indicator("in_kind", "III.2", "table", in_kind, _gifts_of_all),
        Indicator("meetings", "III.2", "table", life.meetings, _parts),
        Indicator("attendance", "III.2", "share", life.attendance, _ratio),
        Indicator("mutual_help", "II.3", "table", life.mutual_help, _help_of_all),
        Indicator("oversight", "II.6", "table", life.oversight, _oversight_of_all),
    )
}
"""By id, in the order of the report."""

OF_ALL: Final = {"clubs": "I.2", "founded": "I.2", "maintained": "I.2", "budget": "IV"}
"""What is said of all clubs only, and where it is asked for."""

READING_TARGETS: Final = {f"good_clubs_{reading}": reading for reading in READINGS}
"""The targets that are about one reading of `good_clubs`."""

TARGETS: Final = frozenset(
    {*(id for id, each in INDICATORS.items() if each.kind in ("count", "share", "truth")), *READING_TARGETS}
    | {"clubs", "founded", "maintained"}
)
"""What a plan's target can be about."""

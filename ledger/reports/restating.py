"""What the same question answers now: which figures of which clubs differ from those frozen, and which entries did it.

An entry did it that, added to what was known before it, changes the figure. So each club in which something was told
since is looked at once more after every entry that speaks of the period. Figures of all together follow from those of
the clubs; only what the plan's own log says was spent is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from ledger.database import Transaction
from ledger.events import PlaceChanged
from ledger.reports.club import ClubAt
from ledger.reports.money import evidenced
from ledger.reports.reading import Asked, ClubRecord, read_clubs
from ledger.reports.report import Report, ReportQuestion, club_row, is_maintained
from ledger.reports.rows import rows
from ledger.reports.scope import Club, known_at
from ledger.reports.spending import spending_told, spent

Path = tuple[str, str]
"""An indicator, and what leads to the figure within it."""

Values = tuple[Any, ...]
"""Numerator, denominator, value."""

Figures = dict[Path, Values]


class Between(NamedTuple):
    """Two answers to one question: as it was frozen, and as of a later position; the tables are at `now`."""

    asked: ReportQuestion
    before: Report
    after: Report
    clubs: Mapping[str, Club]
    """Those counted later, by code."""
    now: int


def changes(tables: Transaction, between: Between) -> list[dict[str, Any]]:
    """`[{club, indicator, path, before, after, entries}]`, by club; without a club, what was spent by the plan."""
    return [*_of_clubs(tables, between), *_of_spending(tables, between)]


def _of_clubs(tables: Transaction, between: Between) -> Iterator[dict[str, Any]]:
    asked, before, after = between.asked, between.before, between.after
    frozen = {row["fund"]: _by_path(row) for row in before["by_club"]}
    then = known_at(tables, before["position"], between.now)
    versions = {head["fund"]: head["version"] for head in after["heads"]}
    floors = {fund: then.version(fund, version) for fund, version in versions.items()}
    told_since = [Asked(fund, floors[fund], versions[fund]) for fund in versions if floors[fund] < versions[fund]]
    for fund, record in read_clubs(tables, told_since, asked.period):
        history = _History(asked, between.clubs[fund], record)
        was_counted = fund in frozen
        did = history.entries() if was_counted or not record.floor else {}
        # A club that was there and not counted has come in by moving.
        moved = [] if was_counted or not record.floor else _moves(tables, fund, record.floor, asked)
        known = history.at_floor() if was_counted else {}
        known |= frozen.get(fund, {})
        latest = history.at_end()
        for path in dict.fromkeys((*known, *latest)):
            if known.get(path) != latest.get(path):
                yield _change(fund, path, known.get(path), latest.get(path), did.get(path, moved))
    for fund in frozen.keys() - versions.keys():
        moved = _moves(tables, fund, 0, asked)
        for path, figure in frozen[fund].items():
            yield _change(fund, path, figure, None, moved)


def _moves(tables: Transaction, fund: str, floor: int, asked: ReportQuestion) -> list[int]:
    """The versions of the entries by which a club came to lie elsewhere."""
    found = tables.values(
        "SELECT version FROM entries WHERE fund = :fund AND version > :floor AND type = :type AND on_day <= :until "
        "ORDER BY version",
        fund=fund,
        floor=floor,
        type=PlaceChanged.__name__,
        until=asked.period.until.isoformat(),
    )
    return [version for (version,) in found]


class _History:
    """A club after each entry that was told since the report was frozen."""

    def __init__(self, asked: ReportQuestion, club: Club, record: ClubRecord) -> None:
        self._asked = asked
        self._club = club
        self._record = record

    def at_floor(self) -> Figures:
        """Its figures as they were known when the report was frozen."""
        return self._figures(self._record.floor)

    def at_end(self) -> Figures:
        """Its figures as they are known later."""
        return self._figures(self._club.version)

    def entries(self) -> dict[Path, list[int]]:
        """By figure, the versions of the entries that changed it."""
        until = self._asked.period.until.isoformat()
        did: dict[Path, list[int]] = {}
        known = self.at_floor() if self._record.floor else {}
        for entry in self._record.later:
            if entry.on_day <= until:
                since = self._figures(entry.version)
            else:  # It tells of a later time: only that something was told counts.
                since = known | self._silence(self._at(entry.version))
            for path in dict.fromkeys((*known, *since)):
                if known.get(path) != since.get(path):
                    did.setdefault(path, []).append(entry.version)
            known = since
        return did

    def _at(self, version: int) -> ClubAt:
        return ClubAt(self._club, self._record, version, self._asked.of_a_club())

    def _figures(self, version: int) -> Figures:
        club = self._at(version)
        figures = _by_path({"fund": self._club.fund, **club_row(club)})
        figures[MAINTAINED] = (None, None, is_maintained(club))
        for line in self._asked.plan.budget:
            if line.source and line.document:
                amount = evidenced(club, line.source, line.document)
                figures["budget", f"{line.line}.evidenced"] = (None, None, amount)
        return figures | self._silence(club)

    def _silence(self, club: ClubAt) -> Figures:
        quiet_since = self._asked.period.until - timedelta(days=self._asked.plan.silent_days)
        return {SILENT: (None, None, club.last_recorded_day < quiet_since)}


MAINTAINED: Final = ("clubs", "maintained")
SILENT: Final = ("clubs", "silent")


def _by_path(row: Mapping[str, Any]) -> Figures:
    return {(figure.indicator, figure.path): figure[3:] for figure in rows({"total": {}, "by_club": [row]})}


def _of_spending(tables: Transaction, between: Between) -> Iterator[dict[str, Any]]:
    """What the plan's own log says otherwise."""
    plan, until = between.asked.plan, between.asked.period.until
    position = between.before["position"]
    before, after = (spent(tables, plan.code, at, until) for at in (position, between.after["position"]))
    earlier = {event.version for event in spending_told(tables, plan.code, position)}
    told = spending_told(tables, plan.code, between.after["position"])
    lines = {event.version: getattr(event, "line", None) for event in told}
    for line in (line.line for line in plan.budget):
        if before[line] != after[line]:
            entries = [
                event.version
                for event in told
                if event.version not in earlier
                and event.on <= until
                and line in (lines[event.version], lines.get(getattr(event, "reverses", 0)))
            ]
            was, then = (None, None, before[line]), (None, None, after[line])
            yield _change(None, ("budget", f"{line}.evidenced"), was, then, entries)


def _change(
    fund: str | None, path: Path, before: Values | None, after: Values | None, entries: list[int]
) -> dict[str, Any]:
    return {
        "club": fund,
        "indicator": path[0],
        "path": path[1],
        "before": _told(before),
        "after": _told(after),
        "entries": entries,
    }


def _told(figure: Values | None) -> Any:
    """A figure as it stands in the report: a share as one, anything else as its value; None where there was none."""
    if figure is None:
        return None
    numerator, denominator, value = figure
    if denominator is None:
        return value
    return {"numerator": numerator, "denominator": denominator, "percent": value}

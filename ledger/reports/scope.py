"""Which clubs a report is about: those that the plan counts, in the place asked for, as both were known at a position.

This is the one place where the funds of a report are chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from ledger.database import EVENTS_TABLE, Transaction
from ledger.events import is_fund
from ledger.events.people import Place, Scope
from ledger.plans import Plan
from ledger.projections.tables import LAST_DAY
from ledger.reports.chains import Chains


class Club(NamedTuple):
    """A club in scope, up to which version it was known, and the hash of the line there. `is_broken` says that its
    history no longer holds together: nothing of it is in any figure."""

    fund: str
    club: str
    founded_on: date
    opened_on: date
    commune: str
    district: str | None
    version: int
    head: str
    is_broken: bool


class Known(NamedTuple):
    """Where the funds stood at a position of the log. `first_later` are, of the funds that recorded something since,
    the version and `prev` of the first such line: the fund stood one version before it, with that head."""

    position: int
    first_later: Mapping[str, tuple[int, str]]

    def version(self, fund: str, now: int) -> int:
        """The fund's version then, of the one it has now."""
        later = self.first_later.get(fund)
        return min(now, later[0] - 1) if later else now

    def head(self, fund: str, now: str) -> str:
        """The hash of its last line then."""
        later = self.first_later.get(fund)
        return later[1] if later else now


class _Prev(msgspec.Struct):
    prev: str


_prev_of = msgspec.json.Decoder(_Prev).decode


def known_at(tables: Transaction, position: int, now: int) -> Known:
    """Where the funds stood at a position; `now` is that of the tables."""
    if position >= now:
        return Known(position, {})
    at = tables.position_column
    later = (
        f"SELECT originator_id AS fund, MIN(originator_version) AS version FROM {EVENTS_TABLE} "
        f"WHERE {at} > :position GROUP BY originator_id"
    )
    rows = tables.values(
        f"SELECT e.originator_id, e.originator_version, e.state FROM ({later}) l JOIN {EVENTS_TABLE} e "
        "ON e.originator_id = l.fund AND e.originator_version = l.version",
        position=position,
    )
    return Known(position, {log: (version, _prev_of(line).prev) for log, version, line in rows if is_fund(log)})


def recorded_until(tables: Transaction, position: int) -> str | None:
    """The instant at which the last line up to a position was recorded."""
    at = tables.position_column
    rows = tables.values(
        f"SELECT state FROM {EVENTS_TABLE} WHERE {at} <= :position ORDER BY {at} DESC LIMIT 1", position=position
    )
    return _recorded(rows[0][0]).recorded_at if rows else None


class _Recorded(msgspec.Struct):
    recorded_at: str


_recorded = msgspec.json.Decoder(_Recorded).decode


def clubs_in_scope(
    tables: Transaction, plan: Plan, scope: Scope, seen_by: Scope, until: date, known: Known, chains: Chains
) -> list[Club]:
    """The clubs that the plan counts, in scope, by code: where they lay at `until`, as far as it was known then; of
    those, the ones that lie now where whoever asks has to do with them."""
    parked = dict(tables.values("SELECT fund, position FROM parked"))
    places = _places(tables, until.isoformat(), known)
    now_in = {} if seen_by.everything else _places(tables, LAST_DAY, Known(0, {}))
    clubs = []
    sql = "SELECT fund, club, founded_on, opened_on, plan, version, head FROM funds ORDER BY fund"
    for fund, club, founded_on, opened_on, of_plan, now, head in tables.values(sql):
        version = known.version(fund, now)
        if version < 1 or (place := places.get(fund)) is None:
            continue
        if not _counts(plan, of_plan, place) or not scope.holds(fund, place):
            continue
        if not seen_by.everything and not seen_by.holds(fund, now_in[fund]):
            continue
        is_parked = parked.get(fund, known.position + 1) <= known.position
        broken_at = chains.broken_at(fund, now, head)
        is_broken = broken_at is not None and broken_at < known.first_later.get(fund, (broken_at + 1,))[0]
        clubs.append(
            Club(
                fund,
                club,
                date.fromisoformat(founded_on),
                date.fromisoformat(opened_on),
                place.commune,
                place.district,
                version,
                known.head(fund, head),
                is_parked or is_broken,
            )
        )
    return clubs


def _counts(plan: Plan, of_plan: str | None, place: Place) -> bool:
    """Whether a plan counts a club. Funds were opened under a plan's number before plans had codes."""
    if plan.counts == "plan":
        return of_plan in (plan.code, plan.number)
    return Scope(**msgspec.structs.asdict(plan.counts)).holds("", place)


def _places(tables: Transaction, until: str, known: Known) -> dict[str, Place]:
    """Where each club lay at the end of a day."""
    rows = tables.values(
        "SELECT fund, version, commune, district, province FROM places WHERE on_day <= :until "
        "ORDER BY fund, on_day, version",
        until=until,
    )
    return {
        fund: Place(province, district, commune)
        for fund, version, commune, district, province in rows
        if version <= known.version(fund, version)
    }

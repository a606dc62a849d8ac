"""What all clubs come to together, worked out from their stored lines alone (`tests/support/reported.py`), and from
those of the plan's own log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.support.reported import Reported, ranks
from tests.support.reported_lines import Line, months_after, share

SHARES = ("women", "older", "younger", "hardship", "borrowing_current", "borrowing_in_period", "borrowing_ever")
TRUTHS = ("both_pots", "full_activities")
READINGS = ("current", "in_period", "ever")


def added(tables: Sequence[Line]) -> Line:
    """Tables added up, whatever stands in them under the same path."""
    found: Line = {}
    for table in tables:
        for name, value in table.items():
            if isinstance(value, dict):
                found[name] = added([found.get(name, {}), value])
            elif isinstance(value, int):
                found[name] = found.get(name, 0) + value
            elif name != "percent":
                raise AssertionError(name)
    if found.keys() == {"numerator", "denominator"}:
        return share(found["numerator"], found["denominator"])
    return found


def of_clubs(truths: Sequence[bool | None]) -> Line:
    said = [truth for truth in truths if truth is not None]
    return share(sum(said), len(said))


def total(clubs: Sequence[Reported], rows: Sequence[Line]) -> Line:
    """The figures of all clubs together, whose rows are known; what is listed club by club is left out."""
    late: Counter[int] = sum((club.lateness() for club in clubs), Counter())
    help_given = [line for club in clubs for line in club.some("MutualHelpGiven")]
    return {
        **{name: sum(row[name] for row in rows) for name in ("members", "volunteers", "areas")},
        **{name: added([row[name] for row in rows]) for name in (*SHARES, "attendance", "lending", "pots", "meetings")},
        **{name: of_clubs([row[name] for row in rows]) for name in TRUTHS},
        "well_managed": of_clubs([row["well_managed"]["met"] for row in rows]),
        "good_clubs": {name: of_clubs([row["good_clubs"][name] for row in rows]) for name in READINGS},
        "sources": added([row["sources"] for row in rows]),
        "in_kind": {"total": sum(row["in_kind"]["total"] for row in rows)},
        "mutual_help": {kind: _helped([g for g in help_given if g["kind"] == kind]) for kind in _KINDS},
        "oversight": added([{k: v for k, v in row["oversight"].items() if k != "days_late"} for row in rows])
        | {"days_late": ranks(late)},
        "clubs": {
            "counted": len(clubs),
            "founded": sum(club.since <= _founded(club) <= club.until for club in clubs),
            "maintained": sum(map(is_maintained, clubs)),
            "silent": sum(map(is_silent, clubs)),
        },
    }


_KINDS = ("labour", "money", "goods", "skill")


def _helped(given: list[Line]) -> Line:
    units = {line["unit"] for line in given}
    return {
        "times": len(given),
        "quantity": sum(line["quantity"] for line in given) if len(units) < 2 else None,
        "unit": min(units) if len(units) == 1 else None,
        "worth": sum(line.get("worth", 0) for line in given),
    }


def _founded(club: Reported) -> date:
    return date.fromisoformat(club.all[0]["founded_on"])


def is_maintained(club: Reported) -> bool:
    """Founded before 2022, the plan's year, and met in the last three months."""
    after = months_after(club.until, -3)
    return _founded(club).year < 2022 and any(
        line["type"] == "MeetingHeld" and club.day(line) > after for line in club.live
    )


def is_silent(club: Reported) -> bool:
    """Told nothing in the 60 days before the end, or since."""
    return club.heard(club.all[-1]) < club.until - timedelta(days=60)


def evidenced(clubs: Sequence[Reported], spending: Sequence[Line]) -> dict[str, Any]:
    """By line of plan 47's budget, what is evidenced by the end of the period, in đồng."""
    until = clubs[0].until.isoformat()
    undone = {line["reverses"] for line in spending if "reverses" in line and line["on"] <= until}
    told = [line for line in spending if "amount" in line and line["on"] <= until and line["version"] not in undone]
    spent = Counter[str]()
    for line in told:
        spent[line["line"]] += line["amount"]
    gifts = [
        sum(item["value"] for item in line["items"])
        for club in clubs
        for line in club.live
        if line["type"] == "InKindDonationReceived"
        and (line["source"], line.get("document")) == ("state_budget", "8668/QĐ-SLĐTBXH")
    ]
    return {"equipment": sum(gifts) + spent["equipment"], "training": spent["training"]}

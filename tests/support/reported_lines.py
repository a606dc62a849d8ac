"""A club's stored lines looked at for a period: what counts of them, who is on the roll, how figures are written.

It knows JSON and days, and shares no code with the read model or the reports (`domain.md` §5).
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

Line = dict[str, Any]

OPENING = ("OpeningBalancesDeclared", "OpeningBalancesCorrected")


def share(numerator: int, denominator: int) -> Line:
    tenths = (2000 * numerator + denominator) // (2 * denominator) if denominator else 0
    return {
        "numerator": numerator,
        "denominator": denominator,
        "percent": f"{tenths // 10}.{tenths % 10}" if denominator else None,
    }


def months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class Told:
    """One club's lines, looked at for a period."""

    def __init__(self, lines: list[Line], since: date, until: date, threshold: int = 60) -> None:
        self.all, self.since, self.until, self.threshold = lines, since, until, threshold
        self.told = [line for line in lines if self.day(line) <= until]
        undone = {line["reverses"] for line in self.told if line["type"] == "EntryReversed"}
        self.live = [line for line in self.told if line["version"] not in undone and line["type"] != "EntryReversed"]
        self.people = self._people()
        self.roll = {number: who for number, who in self.people.items() if who["on_roll"]}

    @staticmethod
    def day(line: Line) -> date:
        return date.fromisoformat(line["on"])

    @staticmethod
    def heard(line: Line) -> date:
        at = datetime.fromisoformat(line["recorded_at"].replace("Z", "+00:00"))
        return (at + timedelta(hours=7)).date()

    def is_in(self, line: Line) -> bool:
        return self.since <= self.day(line) <= self.until

    def some(self, *types: str) -> list[Line]:
        """What of these types happened in the period and still counts at its end."""
        return [line for line in self.live if line["type"] in types and self.is_in(line)]

    def flows(self, *types: str) -> Iterable[tuple[int, Line, Line]]:
        """What happened in the period, and what was undone in it."""
        for line in self.told:
            if self.is_in(line):
                if line["type"] in types:
                    yield 1, line, line
                elif line["type"] == "EntryReversed" and line["entry"] in types:
                    yield -1, line, self.all[line["reverses"] - 1]

    # --- people ---------------------------------------------------------------------------------------------------

    def _people(self) -> dict[int, Line]:
        people: dict[int, Line] = {}
        for line in sorted(self.told, key=lambda line: (line["on"], line["version"])):
            kind, number = line["type"], line.get("member") or 0
            if kind == "MemberJoined":
                people[number] = {name: line[name] for name in ("sex", "birth_year", "poverty")} | {"on_roll": True}
            elif kind == "MemberChanged":
                people[number] |= {name: line[name] for name in ("sex", "birth_year", "poverty") if name in line}
            elif kind in ("MemberLeft", "MemberReturned"):
                people[number]["on_roll"] = kind == "MemberReturned"
            elif kind == "EntryReversed" and line["entry"] in ("MemberLeft", "MemberReturned"):
                people[number]["on_roll"] = line["entry"] == "MemberLeft"
        return people

    def holders(self) -> dict[str, set[int]]:
        held: dict[str, set[int]] = defaultdict(set)
        for line in sorted(self.live, key=lambda line: (line["on"], line["version"])):
            if line["type"] == "OfficeTaken" and line.get("until", "9999") > self.until.isoformat():
                held[line["office"]].add(line["member"])
            elif line["type"] in ("OfficeLeft", "OfficeTaken"):
                held[line["office"]].discard(line["member"])
        return {office: members & self.roll.keys() for office, members in held.items()}

    def of_roll(self, counts: Any) -> Line:
        return share(sum(bool(counts(number, who)) for number, who in self.roll.items()), len(self.roll))

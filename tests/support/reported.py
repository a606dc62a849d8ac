"""A club's figures worked out from its stored lines alone: `domain.md` §5 and §6 written down a second time.

It shares no code with the read model or the reports: the tests compare.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from datetime import date

from tests.support.reported_lines import Line, months_after, share
from tests.support.reported_money import Money

AREAS = ["economic", "health", "home_care", "mutual_help", "rights", "culture", "resources"]


class Reported(Money):
    """One club's whole row of the report."""

    def months(self) -> list[str]:
        founded = self.all[0]["founded_on"][:7]
        months, month = [], self.since.replace(day=1)
        while month <= self.until:
            months.append(f"{month:%Y-%m}")
            month = months_after(month, 1)
        return [each for each in months if each >= founded]

    def closed_through(self, heard_by: date | None = None) -> str:
        through = ""
        for line in self.told:
            if line["type"] not in ("PeriodClosed", "PeriodReopened"):
                continue
            if heard_by is None or self.heard(line) <= heard_by:
                through = line["through" if line["type"] == "PeriodClosed" else "closed_through"]
        return through

    def attendance(self) -> Line:
        noted = {line["version"]: line for line in self.some("MeetingHeld")}
        for line in self.live:
            if line["type"] == "AttendanceCorrected" and line["of"] in noted:
                noted[line["of"]] = line
        came = sum(len(line["present"]) + len(line["by_proxy"]) for line in noted.values())
        return share(came, came + sum(len(line["absent"]) for line in noted.values()))

    def mutual_help(self) -> Line:
        found = {}
        for kind in ("labour", "money", "goods", "skill"):
            given = [line for line in self.some("MutualHelpGiven") if line["kind"] == kind]
            units = {line["unit"] for line in given}
            found[kind] = {
                "times": len(given),
                "quantity": sum(line["quantity"] for line in given) if len(units) < 2 else None,
                "unit": units.pop() if len(units) == 1 else None,
                "worth": sum(line.get("worth", 0) for line in given),
            }
        return found

    def lateness(self) -> Counter[int]:
        return Counter((self.heard(line) - self.day(line)).days for line in self.told if self.is_in(line))

    def oversight(self) -> Line:
        counts, visits = self.some("CashCounted"), Counter(line["kind"] for line in self.some("InspectionMade"))
        through = self.closed_through()
        ends = [date.fromisoformat(f"{month}-01") for month in self.months()]
        closed = [f"{end:%Y-%m}-{monthrange(end.year, end.month)[1]}" <= through for end in ends]
        return {
            "months_closed": sum(closed),
            "counts": len(counts),
            "differences": sum(line["difference"] != 0 for line in counts),
            "inspections": {kind: visits[kind] for kind in ("sample", "focal", "complaint")},
            "corrections": sum(line["type"] == "EntryReversed" and self.is_in(line) for line in self.told),
            "days_late": ranks(self.lateness()),
        }

    def failed(self) -> list[str]:
        """Which tests of good management fail, by the thresholds of plan 47."""
        held, lending, months = self.holders(), self.lending, self.months()
        clerks = held.get("secretary", set()) | held.get("accountant", set())
        pairs = {(t, c) for t in held.get("treasurer", set()) for c in clerks if t != c}
        met = {line["on"][:7] for line in self.some("MeetingHeld")}
        failed = [] if held.get("chair") and pairs else ["offices"]
        failed += ["meetings"] if 6 * len(met & set(months)) < 5 * len(months) else []
        failed += [] if all(map(self._is_closed_in_time, months[:-1])) else ["closed"]
        failed += [] if all(map(self._is_counted, self._quarters())) else ["counts"]
        differences = ((abs(line["difference"]), line["expected"]) for line in self.some("CashCounted"))
        failed += ["differences"] if any(off > max(200_000, box // 200) for off, box in differences) else []
        par30 = lending["par30"]
        failed += ["par30"] if par30["denominator"] and 10 * par30["numerator"] > par30["denominator"] else []
        return failed + ([] if self.both_pots() else ["both_pots"])

    def _is_closed_in_time(self, month: str) -> bool:
        year, number = map(int, month.split("-"))
        deadline = months_after(date(year, number, 10), 1)
        last = f"{month}-{monthrange(year, number)[1]}"
        return deadline > self.until or self.closed_through(deadline) >= last

    def _quarters(self) -> list[tuple[date, date]]:
        ends = [date(year, month, monthrange(year, month)[1]) for year in range(2010, 2031) for month in (3, 6, 9, 12)]
        founded = date.fromisoformat(self.all[0]["founded_on"])
        inside = [end for end in ends if self.since <= end <= self.until and end >= founded]
        return [(date(end.year, end.month - 2, 1), end) for end in inside]

    def _is_counted(self, quarter: tuple[date, date]) -> bool:
        first, last = quarter
        return any(line["type"] == "CashCounted" and first <= self.day(line) <= last for line in self.live)

    # --- the whole row --------------------------------------------------------------------------------------------

    def row(self) -> Line:
        """What the report says of the club."""
        done = {line["area"] for line in self.some("ActivityHeld")}
        areas = sum(area in done for area in AREAS)
        failed, borrowing = self.failed(), self.borrowers()
        rates = {name: self.of_roll(lambda number, _, who=who: number in who) for name, who in borrowing.items()}
        is_good = areas == len(AREAS) and not failed
        meetings = self.some("MeetingHeld")
        gifts = self.gifts()
        return {
            "members": len(self.roll),
            "women": self.of_roll(lambda _, who: who["sex"] == "female"),
            "older": self.of_roll(lambda _, who: self.until.year - who["birth_year"] >= self.threshold),
            "younger": self.of_roll(lambda _, who: self.until.year - who["birth_year"] < self.threshold),
            "hardship": self.of_roll(lambda _, who: who["poverty"] != "none"),
            **{f"borrowing_{name}": rate for name, rate in rates.items()},
            "both_pots": self.both_pots(),
            "volunteers": len(self.holders().get("volunteer", ())),
            "areas": areas,
            "full_activities": areas == len(AREAS),
            "well_managed": {"met": not failed, "failed": failed},
            "good_clubs": {
                name: is_good and 2 * rate["numerator"] >= rate["denominator"] if rate["denominator"] else None
                for name, rate in rates.items()
            },
            "lending": self.lending,
            "pots": self.pots,
            "sources": {key: {"cash": cash, "in_kind": kind} for key, (cash, kind) in self.sources().items()},
            "in_kind": {"gifts": gifts, "total": sum(gift["value"] for gift in gifts)},
            "meetings": {"held": len(meetings), "months": len({line["on"][:7] for line in meetings})},
            "attendance": self.attendance(),
            "mutual_help": self.mutual_help(),
            "oversight": self.oversight(),
        }


def ranks(counted: Counter[int]) -> Line:
    in_order = sorted(counted.elements())
    return {
        name: in_order[-(-len(in_order) * part // 100) - 1] if in_order else None
        for name, part in (("median", 50), ("p90", 90))
    }

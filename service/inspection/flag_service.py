"""Looks for red flags and says them: for the routes and for the command line.

Folding a fund takes some tenths of a second. So what was found is kept for as long as the fund has the same entries,
mostly before anybody asks (`flag_keeper.py`), and the edge takes turns at it (`turn`): however many inspectors ask,
they keep one thread busy and no more.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from threading import Lock
from typing import Any, Final

import msgspec

from ledger.aggregates.log import BrokenChain
from ledger.application import Ledger
from ledger.flags import RULES, Flag, Thresholds, flags
from service.access.tokens import Principals
from service.words import catalogue

MOST_KEPT: Final = 1_000
"""Funds whose flags are remembered; those asked for longest ago are forgotten first."""


class FlagService:
    """The red flags of funds. Methods block; the edge calls them off its event loop, in turn."""

    def __init__(self, ledger: Ledger, principals: Principals, thresholds: Thresholds) -> None:
        self._ledger = ledger
        self._principals = principals
        self.thresholds = thresholds
        self._kept: OrderedDict[tuple[str, str, date], tuple[Flag, ...]] = OrderedDict()
        self._keeping = Lock()
        self.turn = asyncio.Lock()

    def flags(self, fund: str, version: int, head: str, day: date) -> tuple[Flag, ...]:
        """The flags in a fund's first `version` entries, the last of which has this hash, at the end of a day. Raises
        `FundNotFound`, `BrokenChain`."""
        seen_from = (fund, head, day)
        found = self._kept.get(seen_from)
        if found is None:
            found = self.look(fund, day, upto=version)
        with self._keeping:
            self._kept[seen_from] = found
            self._kept.move_to_end(seen_from)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    def knows(self, fund: str, head: str, day: date) -> bool:
        """Whether the flags of a fund with this last line are kept, at the end of a day."""
        return (fund, head, day) in self._kept

    def look(self, code: str, day: date, *, upto: int | None = None) -> tuple[Flag, ...]:
        """The same from all entries or those up to a version, straight from the log."""
        fund = self._ledger.replayed(code, upto=upto)
        recorders = {event.recorded_by for event in fund.entries}
        return tuple(flags(fund, self.thresholds, day, self._principals.linked(code, recorders)))

    async def summaries(self, funds: Iterable[Mapping[str, Any]], day: date) -> list[dict[str, Any]]:
        """How many flags each of these funds has at the end of a day, in all and by rule, the worst first; before all
        others those whose history is broken, with the first version that does not fit. Taking turns, fund by fund.

        A fund is a row as `funds` has it; `{fund, club, version, flags, by_rule}` and perhaps `broken`, each.
        """
        found = []
        for fund in funds:
            async with self.turn:
                found.append(await asyncio.to_thread(self._summary, fund, day))
        return sorted(found, key=_worst_first)

    def _summary(self, fund: Mapping[str, Any], day: date) -> dict[str, Any]:
        about = {name: fund[name] for name in ("fund", "club", "version")}
        try:
            by_rule = counted(self.flags(fund["fund"], fund["version"], fund["head"], day))
        except BrokenChain as broken:
            return about | {"flags": None, "by_rule": {}, "broken": broken.version}
        return about | {"flags": sum(by_rule.values()), "by_rule": by_rule}

    def page(self, fund: str, day: date, language: str) -> Iterator[str]:
        """The lines of a page about a fund: rule by rule, what was found, with the entries behind it."""
        found = self.look(fund, day)
        for rule, count in counted(found).items():
            words = rule_answer(rule, self.thresholds, language)
            yield f"{words['title']} ({count})"
            yield f"  {words['why']}"
            for flag in (flag for flag in found if flag.rule == rule):
                finding = catalogue.render(f"flag.{rule}.finding", language, **flag.facts)
                entries = catalogue.phrase("flag.entries", language, versions=", ".join(map(str, flag.versions)))
                yield f"  - {finding} [{entries}]"
        yield catalogue.render("flag.note" if found else "flag.none", language)

    def worst_first(self, day: date, language: str) -> Iterator[str]:
        """A line for each club: how many flags of which rules; before all others the funds whose history is broken."""
        lines: list[tuple[bool, int, str]] = []
        for code in self._ledger.clubs():
            try:
                counts = counted(self.look(code, day))
            except BrokenChain as broken:
                facts = {"version": broken.version, "entries": broken.version - 1}
                lines.append((False, 0, catalogue.phrase("verified.broken", language, name=code, **facts)))
                continue
            total = sum(counts.values())
            titles = {rule: catalogue.phrase(f"flag.{rule}.title", language) for rule in counts}
            named = "; ".join(f"{titles[rule]}: {count}" for rule, count in counts.items())
            lines.append((True, -total, f"{code}: {total}{named and f' ({named})'}"))
        yield from (line for *_, line in sorted(lines))


def _worst_first(summary: Mapping[str, Any]) -> tuple[bool, int, str]:
    return summary["flags"] is not None, -(summary["flags"] or 0), summary["fund"]


def counted(found: Iterable[Flag]) -> dict[str, int]:
    """How many flags there are of each rule that raised any, in the order of the rules."""
    counts = Counter(flag.rule for flag in found)
    return {rule: counts[rule] for rule in RULES if rule in counts}


def flag_answer(flag: Flag, thresholds: Thresholds, language: str) -> dict[str, Any]:
    """A flag in words: `title`, the rule as `why`, what was found as `finding`, and the entries behind it."""
    return rule_answer(flag.rule, thresholds, language) | {
        "finding": catalogue.render(f"flag.{flag.rule}.finding", language, **flag.facts),
        **msgspec.structs.asdict(flag),
    }


def rule_answer(rule: str, thresholds: Thresholds, language: str) -> dict[str, str]:
    """A rule in words, with the thresholds it is judged by."""
    limits: Mapping[str, int] = asdict(thresholds)
    return {
        "rule": rule,
        "title": catalogue.render(f"flag.{rule}.title", language),
        "why": catalogue.render(f"flag.{rule}.{_variant(rule, thresholds)}", language, **limits),
    }


def _variant(rule: str, thresholds: Thresholds) -> str:
    """Which wording of a rule fits its thresholds: nobody says "within 0 days"."""
    return "rule_same_day" if rule == "same-day-loan" and not thresholds.renewal_days else "rule"

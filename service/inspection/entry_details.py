"""A difference put into words: what each figure is called, and what each entry says, in the reader's language."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from ledger.aggregates.fund import Fund
from ledger.days import civil_day
from ledger.differences import Difference, End, Figure, Point, differences
from ledger.events import Event
from ledger.jobs import Recorded
from service.words import catalogue
from service.words.sentences import person, sentence

Texts = Callable[[Iterable[str]], dict[str, str]]
"""What a register has under these digests; nothing, for whoever may not see people."""

ABOUT: Final = ("voucher", "member", "loan", "reverses")
"""What an entry may be about."""


def nobody(_: Iterable[str]) -> dict[str, str]:
    """The register of one who sees no names."""
    return {}


class EntryWords:
    """Tells of a fund's entries and figures in one language. Members go by name as far as the register has it."""

    def __init__(
        self, fund: Fund, language: str, texts: Texts, events: Sequence[Event], found: Iterable[Difference]
    ) -> None:
        """`events` and `found` are what will be told: whom they speak of is looked up once for all."""
        donors = {event.version: event.texts["donor"] for event in events if event.texts and "donor" in event.texts}
        savers = {d.figure.of for d in found if d.figure.name == "savings" and isinstance(d.figure.of, int)}
        numbers = savers | {number for event in events if (number := getattr(event, "member", None)) is not None}
        names = {number: digest for number in numbers if (digest := fund.members[number].name)}
        known = texts([*donors.values(), *names.values()])
        self._language = language
        self._recorded = Recorded(
            fund=fund.id,
            version=fund.version,
            events=tuple(events),
            head=fund.head,
            members=fund.members,
            loans=fund.loans,
            names={number: known[digest] for number, digest in names.items() if digest in known},
            donors={version: known[digest] for version, digest in donors.items() if digest in known},
        )

    def sentence(self, event: Event) -> str:
        """What an entry says, as it was read aloud to the meeting."""
        return sentence(event, self._recorded, self._language)

    def label(self, figure: Figure) -> str:
        """What a figure is called, beginning with a capital."""
        name, pot, of = figure
        key = name if name in ("equity", "members") or of is not None else "account"
        facts = {"name": name, "pot": pot, "of": of}
        if name == "savings" and isinstance(of, int):
            facts["member"] = person(of, self._recorded, self._language)
        return catalogue.render(f"difference.figure.{key}", self._language, **facts)

    def figure(self, difference: Difference) -> dict[str, Any]:
        """A figure at both ends, with what each entry contributes; the contributions sum to the difference."""
        causes = [{"version": cause.version, "amount": cause.amount} for cause in difference.causes if cause.amount]
        return {
            "figure": difference.figure._asdict(),
            "label": self.label(difference.figure),
            "from": difference.before,
            "to": difference.after,
            "difference": difference.amount,
            "entries": causes,
        }


def days_late(event: Event) -> int:
    """How many days after it happened the service heard of an entry, by the calendar in the village."""
    return (civil_day(event.recorded_at) - event.on).days


def difference_answer(
    fund: Fund, start: Point, end: Point, language: str, texts: Texts, *, after: int = 0, limit: int
) -> dict[str, Any]:
    """Every figure of a fund that differs between two points, and a page of the entries in view from one only.

    `{from: P, to: P, figures: [{figure: {name, pot, of}, label, from, to, difference, entries: [{version, amount}]}],
    count, entries: [E], next}`: P is `{as_of, known_version}`; E is `{version, type, on, recorded_at, recorded_by,
    days_late, voucher, member, loan, reverses, reversed_by, in, why, sentence}`, where `in` is the end that sees the
    entry and `why` says why the other does not. `figures` and `count` are of all entries, `entries` are those after
    version `after`, at most `limit`; `next` is the `after` of the next page, or None.
    """
    apart, found = differences(fund.entries, start, end)
    differing = [difference for difference in found if difference.amount]
    later = [event for event in apart if event.version > after]
    page = later[:limit]
    words = EntryWords(fund, language, texts, page, differing)
    known = max(start.version, end.version)

    def entry(event: Event) -> dict[str, Any]:
        reversed_by = fund.reversed_by.get(event.version)
        is_at_end = end.sees(event)
        return {
            "version": event.version,
            "type": event.name,
            "on": event.on,
            "recorded_at": event.recorded_at,
            "recorded_by": event.recorded_by,
            "days_late": days_late(event),
            **{name: getattr(event, name, None) for name in ABOUT},
            "reversed_by": reversed_by if reversed_by and reversed_by <= known else None,
            "in": "to" if is_at_end else "from",
            "why": (start if is_at_end else end).misses(event),
            "sentence": words.sentence(event),
        }

    return {
        "from": _end(start),
        "to": _end(end),
        "figures": [words.figure(difference) for difference in differing],
        "count": len(apart),
        "entries": [entry(event) for event in page],
        "next": page[-1].version if len(later) > limit else None,
    }


def entry_effect(fund: Fund, as_of: date, language: str, texts: Texts) -> dict[str, Any]:
    """What the last entry of a fund did: `{sentence, days_late, figures: [{figure, label, before, after}], bylaws}`.

    The figures are all that the entry touches, as they stood before it was recorded and after, of what had happened by
    the end of `as_of`. `bylaws` are those in force on its own day; None before the first.
    """
    event = fund.entries[-1]
    _, found = differences(fund.entries, Point(as_of, fund.version - 1), Point(as_of, fund.version))
    words = EntryWords(fund, language, texts, [event], found)
    in_force = fund.bylaws_on(event.on) if fund.bylaws else None
    return {
        "sentence": words.sentence(event),
        "days_late": days_late(event),
        "figures": [
            {
                "figure": difference.figure._asdict(),
                "label": words.label(difference.figure),
                "before": difference.before,
                "after": difference.after,
            }
            for difference in found
        ],
        "bylaws": in_force and msgspec.structs.asdict(in_force),
    }


def _end(point: Point) -> dict[str, Any]:
    return {"as_of": None if point.as_of == date.max else point.as_of, "known_version": point.version}


def points(fund: Fund, start: End, end: End | None) -> tuple[Point, Point]:
    """The two points a difference is asked between; the second is by default the same day as it is known now."""
    return start.among(fund.entries), (end or End(start.as_of)).among(fund.entries)

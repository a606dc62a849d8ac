"""The report as a whole: which clubs, what of each, what of all, and the code by which it is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from ledger.database import Transaction
from ledger.days import add_months
from ledger.events import MeetingHeld, check_code
from ledger.events.people import Scope
from ledger.plans import Plan
from ledger.reports.chains import Chains
from ledger.reports.club import ClubAt, Question, Reported
from ledger.reports.indicators import DEFINITIONS, INDICATORS
from ledger.reports.money import evidenced
from ledger.reports.periods import Period
from ledger.reports.reading import Asked, ClubRecord, read_clubs
from ledger.reports.scope import Club, clubs_in_scope, known_at, recorded_until
from ledger.reports.targets import targets

THRESHOLD: Final = 60
"""From which age on one is older (Law on the Elderly); 55 on request."""

Spent = Mapping[str, int]
"""By line of the budget, what the plan's own log says was spent of it, in đồng."""

Report = dict[str, Any]


NO_CLUB: Final = Club("", "", date.min, date.min, "", None, 0, "", is_broken=False)


class ReportQuestion(NamedTuple):
    """What a report is asked about; with a position of the log, that decides every byte of it."""

    plan: Plan
    period: Period
    scope: Scope
    threshold: int = THRESHOLD
    seen_by: Scope = Scope(everything=True)
    """What whoever asks has to do with: clubs that lie elsewhere now are none of theirs, whatever the period."""

    def of_a_club(self) -> Question:
        """What of it is asked of a club."""
        return Question(self.plan, self.period, self.threshold)


class Told(NamedTuple):
    """What a club's figures follow from: the club up to a line of its book, and what is asked of it."""

    club: Club
    question: Question


class Counted(NamedTuple):
    """A report, and the clubs that are counted in it."""

    report: Report
    clubs: Sequence[Club]


def answer(
    tables: Transaction,
    asked: ReportQuestion,
    *,
    position: int,
    now: int,
    chains: Chains,
    spent: Spent,
    told: MutableMapping[Told, bytes] | None = None,
) -> Counted:
    """The report as of a position of the log; the tables are at `now`, which is not before it. `chains` is what is
    known of the stored lines up to `now`, `spent` what was spent by the end of the period, known at the position.
    What is in `told` is not worked out again, and what is worked out is put there: it may be kept if the tables stood
    still meanwhile."""
    known = known_at(tables, position, now)
    in_scope = clubs_in_scope(tables, asked.plan, asked.scope, asked.seen_by, asked.period.until, known, chains)
    counted = [club for club in in_scope if not club.is_broken and club.opened_on <= asked.period.until]
    clubs = _reported(tables, asked, counted, {} if told is None else told)
    by_club = [club.row for club in clubs]
    about_clubs = _clubs(asked, in_scope, clubs)
    total: dict[str, Any] = {"clubs": {name: about_clubs[name] for name in ("counted", "founded", "maintained")}}
    total["clubs"]["silent"] = len(about_clubs["silent"])
    for id, indicator in INDICATORS.items():
        total[id] = indicator.of_all(clubs, [row[id] for row in by_club])
        if indicator.kind == "table" and not clubs:  # Of no clubs a table is that of a club without anything.
            nothing = ClubAt(NO_CLUB, ClubRecord(0), 0, asked.of_a_club())
            total[id] = indicator.of_all([_told_of(nothing)], [indicator.of_club(nothing)])
    total["budget"] = budget(asked.plan, clubs, spent)
    found = {
        "plan": asked.plan.code,
        "definitions": DEFINITIONS,
        "period": {
            "from": asked.period.since.isoformat(),
            "to": asked.period.until.isoformat(),
            "preset": asked.period.preset,
        },
        "position": position,
        "recorded_until": recorded_until(tables, position),
        "scope": _scope(asked),
        "report_code": report_code(asked, counted),
        "clubs": about_clubs,
        "targets": targets(asked.plan, asked.period.until, total, by_club),
        "total": total,
        "by_club": by_club,
        "heads": [{"fund": club.fund, "version": club.version, "head": club.head} for club in counted],
    }
    return Counted(found, counted)


def _reported(
    tables: Transaction, asked: ReportQuestion, clubs: Sequence[Club], told: MutableMapping[Told, bytes]
) -> list[Reported]:
    """What is reported of each of these clubs. Its book up to a line is known by the hash of that, so what was told of
    it once holds for ever. It is kept as bytes: a country's clubs as objects are hundreds of megabytes, which the
    garbage collector walks through again and again while more are made."""
    question = asked.of_a_club()
    unknown = {club.fund: club for club in clubs if Told(club, question) not in told}
    read = read_clubs(tables, [Asked(club.fund, club.version, club.version) for club in unknown.values()], asked.period)
    for fund, record in read:
        club = unknown[fund]
        told[Told(club, question)] = _packed(_told_of(ClubAt(club, record, club.version, question)))
    return [_unpacked(told[Told(club, question)]) for club in clubs]


def _told_of(club: ClubAt) -> Reported:
    lines = ((line.source, line.document) for line in club.plan.budget)
    return Reported(
        club_row(club) if club.club.fund else {},
        club.club.founded_on,
        club.days_late,
        club.last_recorded_day if club.club.fund else date.min,
        is_maintained(club),
        tuple(evidenced(club, source, document) if source and document else 0 for source, document in lines),
    )


def club_row(club: ClubAt) -> dict[str, Any]:
    """What is reported of one club."""
    about = club.club
    row = {"fund": about.fund, "club": about.club, "commune": about.commune, "district": about.district}
    return row | {id: indicator.of_club(club) for id, indicator in INDICATORS.items()}


def report_code(asked: ReportQuestion, counted: Sequence[Club]) -> str:
    """The check code of what the report rests on: every club with its version and head, and what was asked."""
    lines = [f"{club.fund} {club.version} {club.head}" for club in sorted(counted, key=lambda club: club.fund)]
    lines.append(f"{asked.plan.code} {DEFINITIONS} {asked.period.since} {asked.period.until}")
    return check_code(hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest())


def _scope(asked: ReportQuestion) -> dict[str, Any]:
    """The clubs asked about, and what beside the plan and the period decides their figures."""
    scope = asked.scope
    place = {name: getattr(scope, name) for name in ("province", "district", "commune")}
    return place | {"funds": list(scope.funds) or None, "threshold": asked.threshold}


def _clubs(asked: ReportQuestion, in_scope: Sequence[Club], clubs: Sequence[Reported]) -> dict[str, Any]:
    """How many clubs there are to be and are, how many are new or were kept alive, and which are silent or broken."""
    plan, (since, until, _) = asked.plan, asked.period
    quiet_since = until - timedelta(days=plan.silent_days)
    silent = [club for club in clubs if club.last_recorded_day < quiet_since]
    is_whole = asked.scope.everything or (asked.scope.province is not None and _is_of(plan, asked.scope))
    return {
        "expected": plan.clubs_expected if is_whole and plan.clubs_expected else len(in_scope),
        "counted": len(clubs),
        "founded": sum(since <= club.founded_on <= until for club in clubs),
        "maintained": sum(club.is_maintained for club in clubs),
        "silent": [
            {"fund": club.row["fund"], "last_recorded_on": club.last_recorded_day.isoformat()} for club in silent
        ],
        "broken": [club.fund for club in in_scope if club.is_broken],
    }


def _is_of(plan: Plan, scope: Scope) -> bool:
    return (scope.province, scope.district, scope.commune) == (plan.province, None, None)


def is_maintained(club: ClubAt) -> bool:
    """Founded before the plan's year, and met in the last months of the period."""
    after = add_months(club.period.until, -club.plan.maintained_months).isoformat()
    is_old = club.club.founded_on.year < club.plan.valid_from.year
    return is_old and any(fact.on_day > after for fact in club.live_by_kind.get(MeetingHeld.__name__, ()))


def budget(plan: Plan, clubs: Sequence[Reported], spent: Spent) -> list[dict[str, Any]]:
    """Each line of the plan's budget: planned, evidenced and open, from the beginning to the end of the period."""
    lines = []
    for number, line in enumerate(plan.budget):
        evidence = spent.get(line.line, 0) + sum(club.evidenced[number] for club in clubs)
        open_ = line.amount - evidence
        lines.append({"line": line.line, "planned": line.amount, "evidenced": evidence, "open": open_})
    return lines


_packed: Final = msgspec.msgpack.Encoder().encode
_unpacked: Final = msgspec.msgpack.Decoder(Reported).decode

encode: Final = msgspec.json.Encoder().encode
"""The bytes of a report."""

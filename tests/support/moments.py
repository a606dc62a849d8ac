"""What the books must say at a moment, from the stored lines alone: written down a second time, beside `bookkeeper.py`.

A moment is a day and a version: what had happened by the end of the day, of what was recorded up to the version.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from functools import cache
from operator import itemgetter
from random import Random
from typing import Any, NamedTuple

from tests.support.bookkeeper import Balances, Line, booked
from tests.support.histories import random_fund
from tests.support.village import lines

GROWS_BY_DEBITS = {"cash", "bank", "loans", "equipment", "expenses", "write_offs", "cash_short"}
OWNED = {"cash", "bank", "loans", "equipment"}
OWED = {"savings", "advances"}
ROLL_MOVES = {"MemberJoined", "MemberLeft", "MemberReturned"}


class Moment(NamedTuple):
    """A day and a version."""

    as_of: date
    version: int


@cache
def told(seed: int) -> list[tuple[Line, Balances]]:
    """The lines of a random history with what each does to the books, from the JSON alone."""
    read = [json.loads(line) for line in lines(random_fund(seed))]
    return [(line, booked(line, read)) for line in read]


def moments(seed: int, count: int) -> list[Moment]:
    """Some moments of a random history, the last of all among them."""
    random, days = Random(seed), [date.fromisoformat(line["on"]) for line, _ in told(seed)]
    some = [Moment(random.choice(days), random.randint(2, len(days))) for _ in range(count - 1)]
    return [*some, Moment(max(days) + timedelta(1), len(days))]


def in_view(seed: int, moment: Moment) -> list[tuple[Line, Balances]]:
    """What had happened and was known."""
    return [(line, legs) for line, legs in told(seed)[: moment.version] if line["on"] <= str(moment.as_of)]


def held(seed: int, moment: Moment) -> Balances:
    """Every account with what lies beneath it, debits positive."""
    sums: Balances = defaultdict(int)
    for _, legs in in_view(seed, moment):
        for account, amount in legs.items():
            sums[account] += amount
    return sums


def roll(seed: int, moment: Moment) -> set[int]:
    """Who had joined or come back, and not left since; what was reversed by then counts for nothing."""
    seen = [line for line, _ in in_view(seed, moment)]
    undone = {line["reverses"] for line in seen if line["type"] == "EntryReversed"}
    moves = [line for line in seen if line["type"] in ROLL_MOVES and line["version"] not in undone]
    is_on = {line["member"]: line["type"] != "MemberLeft" for line in sorted(moves, key=itemgetter("on", "version"))}
    return {member for member, stays in is_on.items() if stays}


def counted(seed: int, moment: Moment) -> dict[tuple[Any, ...], int]:
    """Every figure a difference may be of, as people count it: by name, pot and what lies beneath."""
    figures: dict[tuple[Any, ...], int] = defaultdict(int)
    for (pot, account, of), amount in held(seed, moment).items():
        signed = amount if account in GROWS_BY_DEBITS else -amount
        figures[account, pot, None] += signed
        if of is not None:
            figures[account, pot, of] += signed
        if account == "cash":
            figures["cash", "both", None] += amount
        if account in OWNED | OWED:
            figures["equity", pot, None] += signed if account in OWNED else -signed
    figures["members", None, None] = len(roll(seed, moment))
    return figures


def borrowers(seed: int, moment: Moment, since: date) -> dict[str, tuple[int, int]]:
    """People and loans of the three readings, whatever the loans were for (`domain.md` §5)."""
    seen = [line for line, _ in in_view(seed, moment)]
    undone = {line["reverses"] for line in seen if line["type"] == "EntryReversed"}
    whose: dict[int, int] = {}
    received: dict[int, list[str]] = defaultdict(list)
    for line in seen:
        if line["type"] == "LoanRequested":
            whose[line["loan"]] = line["member"]
        elif line["type"] == "LoanDisbursed" and line["version"] not in undone:
            received[line["loan"]].append(line["on"])
        elif line["type"] == "OpeningBalancesDeclared":
            for loan in line.get("loans", []):
                whose[loan["loan"]] = loan["member"]
                received[loan["loan"]].append(loan["disbursed_on"])
    owed, members = held(seed, moment), roll(seed, moment)
    of_members = [loan for loan, member in whose.items() if member in members]
    readings = {
        "current": [loan for loan in of_members if owed["revolving", "loans", loan] > 0],
        "in_period": [loan for loan in of_members if any(str(since) <= on for on in received[loan])],
        "ever": [loan for loan in of_members if received[loan]],
    }
    return {name: (len({whose[loan] for loan in found}), len(found)) for name, found in readings.items()}

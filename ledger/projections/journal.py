"""The journal: every entry with its legs, the cash book, and each member's passbook."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_origin

import msgspec

from ledger.chart import Pot
from ledger.database import Row
from ledger.events import (
    Event,
    InterestWaived,
    LoanRescheduled,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    plain_code,
)
from ledger.projections.tables import LoggedEvent, Reader, Rows, Table, until

RANGE_BITS: Final = 10
RANGE: Final = f"(version >> {RANGE_BITS})"
"""Which thousand of its fund an entry is of. In an index by code or member alone, each line of a meeting lies on a page
of its own among a fund's years; within its thousand, all lie on a few. Whoever looks there names all the thousands."""

ENTRIES = Table(
    "entries",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, type TEXT NOT NULL, on_day TEXT NOT NULL, "
    "recorded_at TEXT NOT NULL, recorded_by TEXT NOT NULL, request_key TEXT, voucher TEXT, member BIGINT, "
    "loan BIGINT, for_month TEXT, reverses BIGINT, part TEXT, amount BIGINT, code TEXT NOT NULL",
    key="fund, version",
    indexes=(
        "(fund, reverses) WHERE reverses IS NOT NULL",
        f"(fund, {RANGE}, code)",
        f"(fund, {RANGE}, member, type)",
    ),
)
"""Every entry. `code` is the check code of its line, without hyphens; `part` is what of its type it is: the kind of
contribution or income, the activity, the source."""

LEGS = Table(
    "legs",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, leg BIGINT NOT NULL, on_day TEXT NOT NULL, "
    "pot TEXT NOT NULL, account TEXT NOT NULL, part TEXT NOT NULL, amount BIGINT NOT NULL",
    key="fund, version, leg",
)
"""What every entry does to the books; `part` is what lies beneath the account, or empty."""

TELLING = ("kind", "activity", "area", "source", "purpose", "reason", "office")
"""The fields that say what of its type an event is; the first of them that an event has."""

AMOUNTS = ("amount", "principal", "difference")
"""The fields that hold the one amount an event is about, in đồng; the first of them that it has."""

PLAIN = ("voucher", "member", "loan", "for_month", "reverses")


# --- how they change --------------------------------------------------------------------------------------------------


def _entered(events: Iterable[LoggedEvent]) -> Rows:
    """The events themselves."""
    return [
        (
            event.fund,
            event.version,
            event.name,
            on,
            _encode(event.recorded_at)[1:-1].decode(),
            event.recorded_by,
            event.request.key if event.request else None,
            *_reader(type(event))(event),
            plain_code(head),
        )
        for event, on, _, head in events
    ]


def _posted(events: Iterable[LoggedEvent]) -> Rows:
    """Their legs."""
    return [
        (event.fund, event.version, number, on, leg.pot, leg.account, "" if leg.of is None else str(leg.of), leg.amount)
        for event, on, legs, _ in events
        for number, leg in enumerate(legs, 1)
    ]


ADDED: Final = {ENTRIES: _entered, LEGS: _posted}
"""The rows that events add, by table."""

_encode = msgspec.json.Encoder().encode
"""Writes an instant as the line does, and several times faster than `isoformat`."""


@cache
def _reader(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    """Reads what the rest of an entry's columns hold of a type of event."""
    words = {field.name for field in msgspec.structs.fields(kind) if get_origin(field.type) is Literal}
    part = next((field for field in TELLING if field in words), None)
    amount = next((field for field in AMOUNTS if hasattr(kind, field)), None)
    return kind.reader(*PLAIN, part, amount)


# --- queries ----------------------------------------------------------------------------------------------------------

# An entry with what it reverses and what reversed it, as far as the fund's version `:pin` knows.
ENTRY = """
SELECT e.version, e.type, e.part, e.on_day, e.recorded_at, e.recorded_by, e.request_key, e.voucher, e.member, e.loan,
    e.for_month, COALESCE(e.amount, -undone.amount) AS amount, e.reverses,
    CASE WHEN undoing.version <= :pin THEN undoing.version END AS reversed_by{more}
FROM entries e
LEFT JOIN entries undone ON undone.fund = e.fund AND undone.version = e.reverses
LEFT JOIN entries undoing ON undoing.fund = e.fund AND undoing.reverses = e.version
"""


class BadCursor(ValueError):
    """A cursor that no page of ours ended with."""


def entries(
    reader: Reader,
    fund: str,
    *,
    types: Sequence[str] = (),
    member: int | None = None,
    loan: int | None = None,
    since: date | None = None,
    until: date | None = None,
    unknown_at: int = 0,
    versions: Sequence[int] = (),
    ascending: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> dict[str, Any]:
    """A page of the journal, newest first: `{"items": […], "next": cursor or None}`; filters must stay the same.

    `types` are those of events, and `versions` those of entries, all if there are none; `since` and `until` are days,
    both included; entries that were known at the version `unknown_at` are left out. An item is
    `{version, type, part, on, recorded_at, recorded_by, request_key, voucher, member, loan, for_month, amount,
    reverses, reversed_by}`: `part` says what of the type it is (the kind of contribution or income, the activity, the
    source, the reason of a reversal); a reversal's `amount` is the negative of what it reverses. All pages are of the
    fund's version at the first. Raises `BadCursor`.
    """
    pin, _, after = _read_cursor(cursor) or (_version(reader, fund), "", None)
    wanted: Row = {"member": member, "loan": loan}
    conditions = "".join(f" AND e.{name} = :{name}" for name, value in wanted.items() if value is not None)
    named = {f"type{number}": kind for number, kind in enumerate(types)}
    conditions += f" AND e.type IN ({', '.join(':' + name for name in named)})" if named else ""
    chosen = {f"version{number}": version for number, version in enumerate(versions)}
    conditions += f" AND e.version IN ({', '.join(':' + name for name in chosen)})" if chosen else ""
    conditions += " AND e.version > :unknown_at" if unknown_at else ""
    conditions += " AND e.on_day >= :since" if since else ""
    conditions += " AND e.on_day <= :until" if until else ""
    if after is not None:
        conditions += " AND e.version > :after" if ascending else " AND e.version < :after"
    rows = reader.query(
        f"{ENTRY.format(more='')} WHERE e.fund = :fund AND e.version <= :pin{conditions} "
        f"ORDER BY e.version {'ASC' if ascending else 'DESC'} LIMIT :limit",
        fund=fund,
        pin=pin,
        since=since.isoformat() if since else None,
        until=until.isoformat() if until else None,
        after=after,
        limit=limit + 1,
        unknown_at=unknown_at,
        **chosen,
        **wanted,
        **named,
    )
    items = [_named(row) for row in rows[:limit]]
    return {"items": items, "next": _cursor(pin, items[-1]) if len(rows) > limit else None}


def entry_of_code(reader: Reader, fund: str, code: str) -> dict[str, Any] | None:
    """The `{version, on}` of the entry that a check code (16 letters, no hyphens) belongs to; None for every other
    code, and for every code of a fund that does not exist, at the same cost."""
    within = _within(_version(reader, fund))
    rows = reader.query(
        f"SELECT version, on_day FROM entries WHERE fund = :fund AND {within} AND code = :code", fund=fund, code=code
    )
    return _named(rows[0]) if rows else None


def entry(reader: Reader, fund: str, version: int) -> dict[str, Any] | None:
    """One entry as in `entries`, with `legs: [{pot, account, of, debit, credit}]`; None if there is none."""
    rows = reader.query(
        f"{ENTRY.format(more='')} WHERE e.fund = :fund AND e.version = :version",
        fund=fund,
        version=version,
        pin=_version(reader, fund),
    )
    legs = reader.query(
        "SELECT pot, account, part, amount FROM legs WHERE fund = :fund AND version = :version ORDER BY leg",
        fund=fund,
        version=version,
    )
    return {**_named(rows[0]), "legs": [_leg(leg) for leg in legs]} if rows else None


def cash_book(
    reader: Reader,
    fund: str,
    since: date,
    until: date,
    *,
    pot: Pot | None = None,
    cursor: str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """Sổ quỹ tiền mặt of both boxes or one pot's, both days included: `{opening, items, closing, next}`.

    Every entry that moved cash, by day and version, as in `entries`, with `received`, `paid` and `balance`. A reversal
    stands on the side of what it reverses, negative, with the wrong voucher's number (ghi số âm). A move between the
    pots stands in the book of both, where it moves nothing. `opening` is before the page's first line, `closing` at
    the end of `until`. Raises `BadCursor`.
    """
    pin, day, after = _read_cursor(cursor) or (_version(reader, fund), since.isoformat(), 0)
    asked: Row = {"fund": fund, "pin": pin, "day": day, "after": after, "until": until.isoformat(), "pot": pot}
    cash = "FROM legs WHERE fund = :fund AND account = 'cash' AND version <= :pin" + (" AND pot = :pot" if pot else "")
    before = f"SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS cash {cash}"
    opening = reader.query(f"{before} AND (on_day, version) <= (:day, :after)", **asked)[0]["cash"]
    closing = reader.query(f"{before} AND on_day <= :until", **asked)[0]["cash"]
    movements = (
        f"SELECT version, CAST(SUM(amount) AS BIGINT) AS cash {cash} "
        "AND (on_day, version) > (:day, :after) AND on_day <= :until GROUP BY version"
    )
    rows = reader.query(
        f"{ENTRY.format(more=', moved.cash')} JOIN ({movements}) moved ON moved.version = e.version "
        "WHERE e.fund = :fund ORDER BY e.on_day, e.version LIMIT :limit",
        limit=limit + 1,
        **asked,
    )
    items, balance = [], opening
    for row in map(_named, rows[:limit]):
        moved = row.pop("cash")
        balance += moved
        is_receipt = (moved < 0) if row["reverses"] else (moved > 0)
        sides = {"received": moved, "paid": 0} if is_receipt else {"received": 0, "paid": -moved}
        items.append({**row, **sides, "balance": balance})
    following = _cursor(pin, items[-1]) if len(rows) > limit else None
    return {"opening": opening, "items": items, "closing": closing, "next": following}


MEMOS = frozenset({LoanRescheduled.__name__, InterestWaived.__name__})
"""What moves no money and yet belongs into a passbook."""

OPENINGS = ", ".join(f"'{kind.__name__}'" for kind in (OpeningBalancesDeclared, OpeningBalancesCorrected))
# Each half by its own index: a passbook is a few dozens of a fund's thousands of entries.
THEIRS = (
    "e.fund = :fund AND e.on_day <= :until AND e.version IN ("
    "SELECT version FROM entries WHERE fund = :fund AND {within} AND member = :member UNION ALL "
    f"SELECT version FROM entries WHERE fund = :fund AND {{within}} AND member IS NULL AND type IN ({OPENINGS}))"
)


def statement(reader: Reader, fund: str, member: int, as_of: date | None = None) -> list[dict[str, Any]]:
    """A member's passbook: every entry that moved their money or planned a loan of theirs anew, by day and version.

    As in `entries`, but `amount` is the money they brought (negative: took home). `principal` is what the entry took
    off their debt (negative: it was lent to them, or a repayment was reversed): part of what they brought, or
    `written_off`, which nobody brought. `interest` of a loan is the other part, `waived` what was let go of it;
    `term_months` is the new term of a loan that was rescheduled, else None. Running figures are `savings` and
    `outstanding`, the principal of all their loans.
    A reversal stands with its own day.
    """
    asked: Row = {"fund": fund, "member": member, "until": _until(as_of)}
    pin = _version(reader, fund)
    theirs = THEIRS.format(within=_within(pin))
    facts = reader.query(
        "SELECT loan, version, fact, term_months FROM loan_facts WHERE fund = :fund AND member = :member", **asked
    )
    own = {("savings", str(member)), *(("loans", str(fact["loan"])) for fact in facts)}
    new_terms = {fact["version"]: fact["term_months"] for fact in facts if fact["fact"] == LoanRescheduled.__name__}
    moved: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for leg in reader.query(
        "SELECT e.version, e.member, l.account, l.part, l.amount FROM entries e "
        f"JOIN legs l ON l.fund = e.fund AND l.version = e.version WHERE {theirs}",
        **asked,
    ):
        # An old club's books, taken over in one entry, are many members' at once.
        if leg["member"] or (leg["account"], leg["part"]) in own:
            moved[leg["version"]][leg["account"]] += leg["amount"]
    lines, savings, outstanding = [], 0, 0
    rows = reader.query(
        f"{ENTRY.format(more=', undone.type AS undone')} WHERE {theirs} ORDER BY e.on_day, e.version",
        pin=pin,
        **asked,
    )
    for row in map(_named, rows):
        kind = row.pop("undone") or row["type"]
        if row["version"] in moved or kind in MEMOS:
            its = moved[row["version"]]
            savings -= its["savings"]
            outstanding += its["loans"]
            figures = {"principal": -its["loans"], "interest": -its["interest"]}
            figures["written_off"] = its["write_offs"]
            figures["waived"] = row["amount"] if kind == InterestWaived.__name__ else 0
            running = {"savings": savings, "outstanding": outstanding}
            new_term = {"term_months": new_terms.get(row["version"])}
            lines.append({**row, "amount": its["cash"] + its["bank"], **figures, **new_term, **running})
    return lines


_until = until
_CURSOR = re.compile(r"(\d{1,15})\.(\d{4}-\d\d-\d\d)\.(\d{1,15})", re.ASCII)


def _cursor(pin: int, last: Row) -> str:
    """Where the next page goes on: the fund's version all pages are of, and the day and version of the last line."""
    return f"{pin}.{last['on']}.{last['version']}"


def _read_cursor(cursor: str | None) -> tuple[int, str, int] | None:
    if cursor is None:
        return None
    if not (found := _CURSOR.fullmatch(cursor)):
        raise BadCursor
    return int(found[1]), found[2], int(found[3])


FEWEST_RANGES: Final = 16
"""More than most funds have: how long it takes to look says nothing of whether there is a fund."""


def _within(version: int) -> str:
    """The condition that an entry is of one of the thousands up to a version."""
    many = max(FEWEST_RANGES, 1 << (version >> RANGE_BITS).bit_length())  # Few shapes for the database to prepare.
    return f"{RANGE} IN ({', '.join(map(str, range(many)))})"


def _version(reader: Reader, fund: str) -> int:
    rows = reader.query("SELECT version FROM funds WHERE fund = :fund", fund=fund)
    return rows[0]["version"] if rows else 0


def _named(row: Row) -> Row:
    """A row under the names the contract gives."""
    row["on"] = row.pop("on_day")
    return row


def _leg(leg: Row) -> Row:
    part, amount = leg["part"], leg["amount"]
    of = int(part) if part.isdecimal() else part or None
    return {
        "pot": leg["pot"],
        "account": leg["account"],
        "of": of,
        "debit": max(amount, 0),
        "credit": max(-amount, 0),
    }


# --- what a sample is drawn from ----------------------------------------------------------------------------------


class DrawnFrom(NamedTuple):
    """Every voucher given out, by its number, and every loan handed out or taken over, with the entry of each."""

    vouchers: dict[str, int]
    loans: dict[int, int]


def drawn_from(reader: Reader, fund: str, version: int, since: date | None, until: date | None) -> DrawnFrom:
    """What can be drawn of a fund's entries up to a version, of the days from one to another."""
    told = "fund = :fund AND version <= :version AND on_day >= :since AND on_day <= :until"
    asked = {"fund": fund, "version": version, "since": (since or date.min).isoformat(), "until": _until(until)}
    vouchers = reader.query(
        f"SELECT voucher, version FROM entries WHERE {told} AND voucher IS NOT NULL AND type <> 'EntryReversed' "
        "ORDER BY version",
        **asked,
    )
    loans = reader.query(
        f"SELECT loan, version FROM loan_facts WHERE {told} "
        "AND fact IN ('LoanDisbursed', 'OpeningBalancesDeclared') AND received_on IS NOT NULL ORDER BY version",
        **asked,
    )
    return DrawnFrom(
        {row["voucher"]: row["version"] for row in vouchers}, {row["loan"]: row["version"] for row in loans}
    )

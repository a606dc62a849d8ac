"""Reading an old club's books: three filled-in sheets become one whole, or findings by sheet and cell.

`read` tells what is in the files, or everything that is wrong with them.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from ledger.chart import POTS, Place, Pot
from ledger.events import Item, OldLoan, OpeningPot, OpeningSavings
from ledger.events.money import DonationSource
from service.takeover.forms import FORMS, MAX_MEMBERS, CellAddress, Finding, Form, Report
from service.takeover.rows import Row, assign, rows_of, shown
from service.takeover.spreadsheets import Table, Unreadable, content_of, tables_of


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the old club, as the sheet has them; `row` is where."""

    number: int
    name: str
    phone: str | None
    facts: Mapping[str, Any]
    joined_on: date
    row: Row


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """An old club's books at the end of the day `on`, sound in themselves. `digest` is the SHA-256 of the files;
    `notes` say what was passed over and what was mended."""

    digest: str
    on: date
    members: tuple[Newcomer, ...]
    loans: tuple[OldLoan, ...]
    pots: Mapping[Pot, OpeningPot]
    equipment: tuple[Item, ...]
    savings: tuple[OpeningSavings, ...]
    advances: tuple[tuple[DonationSource, int], ...]
    notes: tuple[Finding, ...]


# --- reading ----------------------------------------------------------------------------------------------------------


def read(paths: Sequence[Path], today: date) -> Takeover | list[Finding]:
    """What the files hold: one workbook, or three CSV files or their directory; else everything wrong with them."""
    report = Report([], [])
    tables: list[Table] = []
    digests: list[str] = []
    for file in _files(paths, report):
        try:
            content = content_of(file)
            digests.append(hashlib.sha256(content).hexdigest())
            tables += tables_of(file.name, content)
        except Unreadable as unreadable:
            told = {name: shown(fact) if isinstance(fact, str) else fact for name, fact in unreadable.facts.items()}
            report.find(CellAddress(), unreadable.code, file=shown(file.name), **told)
    findings = report.findings
    if findings:
        return findings
    read_rows = {form: rows_of(form, table, today, report) for form, table in assign(tables, report).items()}
    rows = {form: its for form, its in read_rows.items() if its is not None}
    if len(rows) == len(FORMS):
        findings += _at_odds(rows)
    if findings:
        return sorted(findings, key=lambda finding: finding.place.order)
    digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
    return _takeover(digest, rows, sorted(report.notes, key=lambda note: note.place.order))


def _files(paths: Sequence[Path], report: Report) -> Iterator[Path]:
    """The files given, and of a directory its CSV files; the report takes what else lies there."""
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if path.is_dir() and file.suffix.lower() != ".csv":
                report.note(CellAddress(), "file-passed-over", file=shown(file.name))
            else:
                yield file


def _at_odds(rows: Mapping[Form, list[Row]]) -> Iterator[Finding]:
    """What no cell shows alone: rows that do not fit each other."""
    days = [row for row in rows["balances"] if "on" in row.values]
    on = days[0].values["on"] if days else None
    if on is None and not any("on" in row.wrong for row in rows["balances"]):
        yield Finding(CellAddress("balances"), "closing-day-missing")
    yield from (Finding(row.at("on"), "closing-day-differs", {"on": on}) for row in days if row.values["on"] != on)
    yield from _members_at_odds(rows["members"], on)
    roll = {row.values.get("number") for row in rows["members"]}
    for row in (*rows["loans"], *rows["balances"]):
        member = row.values.get("member")
        if None not in roll and member is not None and member not in roll:
            yield Finding(row.at("member"), "member-unknown", {"member": member})
    yield from _loans_at_odds(rows["loans"], on)
    yield from _balances_at_odds(rows["balances"])


def _members_at_odds(members: Sequence[Row], on: date | None) -> Iterator[Finding]:
    numbers: set[int] = set()
    for row in members:
        number, joined_on = row.values.get("number"), row.values.get("joined_on")
        if number in numbers:
            yield Finding(row.at("number"), "number-twice", {"number": number})
        elif number is not None:
            numbers.add(number)
        if on and joined_on and joined_on > on:
            yield Finding(row.at("joined_on"), "after-closing-day", {"on": on})
    if not members:
        yield Finding(CellAddress("members"), "no-members")
    elif len(members) > MAX_MEMBERS:
        yield Finding(CellAddress("members"), "too-many-members", {"most": MAX_MEMBERS})
    elif not any("number" in row.wrong for row in members) and (missing := _gaps(numbers)):
        numbered = ", ".join(map(str, missing[:10])) + (", …" if len(missing) > 10 else "")
        yield Finding(CellAddress("members"), "number-missing", {"numbers": numbered})


def _gaps(numbers: set[int]) -> list[int]:
    return sorted(set(range(1, max(numbers))) - numbers)


def _loans_at_odds(loans: Sequence[Row], on: date | None) -> Iterator[Finding]:
    for row in loans:
        principal, outstanding = row.values.get("principal"), row.values.get("outstanding")
        if principal and outstanding and outstanding > principal:
            yield Finding(row.at("outstanding"), "outstanding-above-principal", {"principal": principal})
        disbursed_on = row.values.get("disbursed_on")
        if on and disbursed_on and disbursed_on > on:
            yield Finding(row.at("disbursed_on"), "after-closing-day", {"on": on})


class _BalanceRule(NamedTuple):
    """What a balance must say beside its amount, and the pot it belongs to where there is no choice."""

    needs: frozenset[str]
    pot: Pot | None = None


_BALANCES: Final = {
    "cash": _BalanceRule(frozenset({"pot"})),
    "bank": _BalanceRule(frozenset({"pot"})),
    "equipment": _BalanceRule(frozenset({"what", "quantity", "unit"}), "activity"),
    "savings": _BalanceRule(frozenset({"member"}), "revolving"),
    "advances": _BalanceRule(frozenset({"source"}), "revolving"),
}
_ONLY_ONCE: Final = {"cash": "pot", "bank": "pot", "savings": "member"}
"""What may stand once only: a pot's cash, its bank account, a member's savings."""
_PARTICULARS: Final = ("pot", "member", "source", "what", "quantity", "unit")


def _balances_at_odds(lines: Sequence[Row]) -> Iterator[Finding]:
    named = Counter[tuple[str, Any]]()
    for row in lines:
        kind = row.values.get("kind")
        if kind is None:
            continue
        yield from _line_at_odds(row, _BALANCES[kind])
        if kind in _ONLY_ONCE and (of := row.values.get(_ONLY_ONCE[kind])) is not None:
            named[kind, of] += 1
            if named[kind, of] > 1:
                yield Finding(row.at(_ONLY_ONCE[kind]), "line-twice", {"kind": kind})
    if any(row.wrong & {"kind", "pot"} for row in lines):
        return
    for pot in POTS:
        for place in ("cash", "bank"):
            if not named[place, pot]:
                yield Finding(CellAddress("balances"), "line-missing", {"kind": place, "pot": pot})


def _line_at_odds(row: Row, line: _BalanceRule) -> Iterator[Finding]:
    for field in _PARTICULARS:
        if field in row.wrong:
            continue
        if field in line.needs and field not in row.values:
            yield Finding(row.at(field), "field-missing")
        elif field == "pot" and line.pot and row.values.get(field, line.pot) != line.pot:
            yield Finding(row.at(field), "other-pot", {"kind": row.values["kind"], "pot": line.pot})
        elif field in row.values and field not in line.needs and field != "pot":
            yield Finding(row.at(field), "not-for-this-line", {"kind": row.values["kind"]})
    if line.pot and row.values.get("amount") == 0:
        yield Finding(row.at("amount"), "nothing-to-take-over")


def _takeover(digest: str, rows: Mapping[Form, list[Row]], notes: Sequence[Finding]) -> Takeover:
    lines: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _BALANCES}
    for row in rows["balances"]:
        lines[row.values["kind"]].append(row.values)
    held: dict[tuple[Place, Pot], int] = {
        (place, line["pot"]): line["amount"] for place in ("cash", "bank") for line in lines[place]
    }
    newcomers = (_newcomer(row, **row.values) for row in rows["members"])
    return Takeover(
        digest=digest,
        on=next(row.values["on"] for row in rows["balances"] if "on" in row.values),
        members=tuple(sorted(newcomers, key=lambda newcomer: newcomer.number)),
        loans=tuple(OldLoan(**row.values) for row in rows["loans"]),
        pots={pot: OpeningPot(cash=held["cash", pot], bank=held["bank", pot]) for pot in POTS},
        equipment=tuple(
            Item(line["what"], line["quantity"], line["unit"], line["amount"]) for line in lines["equipment"]
        ),
        savings=tuple(OpeningSavings(line["member"], line["amount"]) for line in lines["savings"]),
        advances=tuple((line["source"], line["amount"]) for line in lines["advances"]),
        notes=tuple(notes),
    )


def _newcomer(row: Row, *, number: int, name: str, joined_on: date, phone: str | None = None, **facts: Any) -> Newcomer:
    return Newcomer(number=number, name=name, phone=phone, facts=facts, joined_on=joined_on, row=row)

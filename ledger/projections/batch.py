"""How a batch of the log becomes rows: everything is worked out first, fund by fund, and then written at once.

A line that cannot be read, or whose event a projection cannot apply, parks its fund there: what came before it counts,
what comes after is left out until the tables are made anew, and the other funds go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ledger.chart import Key
from ledger.database import Row, Transaction
from ledger.events import Event, FundOpened, decode, head_of
from ledger.projections import balances, funds, journal, loans, members
from ledger.projections.funds import Last
from ledger.projections.tables import Changes, History, Reader, Table

HISTORIES: tuple[History, ...] = (members.HISTORY, loans.HISTORY)

PARKED = Table(
    "parked",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, why TEXT NOT NULL",
    key="fund",
)

TABLES: tuple[Table, ...] = (
    funds.FUNDS,
    funds.BYLAWS,
    journal.ENTRIES,
    journal.LEGS,
    balances.BALANCES,
    *(table for history in HISTORIES for table in (history.facts, *history.derived)),
    PARKED,
)
"""All tables but the position."""

ONLY_ADDED_TO: tuple[Table, ...] = tuple(
    table for table in TABLES if table not in (funds.FUNDS, balances.BALANCES, PARKED)
)
"""The tables that a rebuild fills without looking anything up in them."""

Known = Mapping[History, Mapping[int, list[Row]]]
"""The facts kept so far, of the members and loans that a batch touches."""

LARGEST = 2**63 - 1
"""What 64 bits hold."""

NUL = b"\\u0000"
LONG_NUMBER = b"0" * len(str(LARGEST))
_DIGITS_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))


class ReadModelBroken(Exception):
    """The tables and the log do not belong together any more; `microfund rebuild` makes the tables anew."""


class DoesNotFollow(Exception):
    """A line is not the next one of its fund: its history was changed."""


class Unstorable(Exception):
    """An event holds a number or a character that the databases cannot keep."""


class Line(NamedTuple):
    """A line of the log at its place. `event` is None, and `why` says why, when it could not be read."""

    position: int
    fund: str
    version: int
    line: bytes
    event: Event | None
    why: str = ""


def read(position: int, fund: str, version: int, line: bytes) -> Line:
    """A row of the log, its line decoded if it can be."""
    try:
        return Line(position, fund, version, line, decode(line))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Line(position, fund, version, line, None, type(error).__name__)


Done = Mapping[str, tuple[Last, Changes]]
"""By fund: up to where its lines were worked out, and what they do to the tables."""


def apply(transaction: Transaction, lines: Iterable[Line]) -> None:
    """Write what these lines do to all tables. Raises `ReadModelBroken` for a version that is not the next one."""
    write(transaction, worked_out(transaction, lines))


def worked_out(reader: Reader, lines: Iterable[Line]) -> Done:
    """What these lines do to the tables as they stand. Raises `ReadModelBroken` for a version that is not the next
    one."""
    by_fund = _by_fund(lines)
    lasts, parked = funds.lasts(reader, list(by_fund), PARKED.name)
    for fund in parked:
        del by_fund[fund]
    for fund, its in by_fund.items():
        for version, line in enumerate(its, lasts[fund].version + 1):
            if line.version != version:
                raise ReadModelBroken(f"position {line.position} has version {line.version} of {fund}, not {version}")
    touched = {fund: _touched(lasts[fund], its) for fund, its in by_fund.items()}
    facts = {
        history: history.load(reader, [(fund, number) for fund in by_fund for number in touched[fund][history]])
        for history in HISTORIES
    }
    done = {}
    for fund, its in by_fund.items():
        known = {h: {number: facts[h].get((fund, number), []) for number in touched[fund][h]} for h in HISTORIES}
        done[fund] = _worked_out(lasts[fund], its, known)
    return done


def from_nothing(lines: Iterable[Line]) -> Done:
    """What the whole histories of funds do to empty tables; nothing needs to be asked."""
    done = {}
    for fund, its in _by_fund(lines).items():
        known: Known = {h: {number: [] for number in numbers} for h, numbers in _touched(Last(), its).items()}
        done[fund] = _worked_out(Last(), its, known)
    return done


def _by_fund(lines: Iterable[Line]) -> dict[str, list[Line]]:
    by_fund: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_fund[line.fund].append(line)
    return by_fund


def _touched(last: Last, lines: Sequence[Line]) -> dict[History, set[int]]:
    """The members and loans whose derived rows are made anew."""
    touched: dict[History, set[int]] = {history: set() for history in HISTORIES}
    latest_on = last.latest_on
    for line in lines:
        if line.event:
            on = line.event.on
            for history in HISTORIES:
                if touch := history.touched.get(type(line.event)):
                    touched[history].update(touch(line.event, on < latest_on))
            latest_on = max(latest_on, on)
    return touched


def _worked_out(last: Last, lines: Sequence[Line], known: Known) -> tuple[Last, Changes]:
    """What a fund's lines do, up to the first that cannot be applied; there the fund is parked."""
    done = _tried(last, lines, known)
    if not isinstance(done, Exception):
        return done
    poison, good, bad = done, 0, len(lines)
    while bad - good > 1:
        middle = (good + bad) // 2
        done = _tried(last, lines[:middle], known)
        if isinstance(done, Exception):
            poison, bad = done, middle
        else:
            good = middle
    stuck = lines[good]
    reached, changes = _project(last, lines[:good], known)
    changes.added[PARKED].append((stuck.fund, stuck.version, stuck.position, stuck.why or type(poison).__name__))
    return reached, changes


def _tried(last: Last, lines: Sequence[Line], known: Known) -> tuple[Last, Changes] | Exception:
    try:
        return _project(last, lines, known)
    except Exception as poison:  # noqa: BLE001  # Nothing is read or written here: whatever it is, it is this fund's own.
        return poison


def _project(last: Last, lines: Sequence[Line], known: Known) -> tuple[Last, Changes]:
    """What a fund's lines do to the tables. Reads and writes nothing; raises whatever a poisonous line provokes."""
    changes = Changes()
    version, head, latest_on = last
    for line in lines:
        event = line.event
        if not event or (event.fund, event.version, event.prev) != (line.fund, version + 1, head):
            raise DoesNotFollow
        if isinstance(event, FundOpened) != (version == 0):
            raise DoesNotFollow
        if _is_suspect(line.line):
            _refuse_unstorable(msgspec.to_builtins(event))
        on, legs = event.on.isoformat(), event.legs()
        funds.post(changes, event, on)
        journal.post(changes, event, on, legs)
        balances.post(changes, legs)
        for history in HISTORIES:
            if tell := history.rows.get(type(event)):
                changes.added[history.facts] += tell(event, on, legs)
        version, head, latest_on = event.version, head_of(line.line), max(latest_on, event.on)
    for history, numbers in known.items():
        names, new = history.facts.names, defaultdict(list)
        for row in changes.added[history.facts]:
            new[row[1]].append(dict(zip(names, row, strict=True)))
        for number, facts in numbers.items():
            changes.derived[history][number] = history.derive([*facts, *new[number]])
    return Last(version, head, latest_on), changes


def _is_suspect(line: bytes) -> bool:
    """Whether a line may hold what the databases cannot keep; a few hashes with many digits in a row look so, too."""
    return NUL in line or LONG_NUMBER in line.translate(_DIGITS_AS_ZEROS)


def _refuse_unstorable(value: Any) -> None:
    """Raises `Unstorable`: PostgreSQL would refuse the whole batch, and SQLite count on with rounded numbers."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _refuse_unstorable(part)
    if (isinstance(value, int) and not -LARGEST <= value <= LARGEST) or (isinstance(value, str) and "\0" in value):
        raise Unstorable


def write(transaction: Transaction, done: Done) -> None:
    """Write what was worked out, in the place of what it makes anew."""
    for history in HISTORIES:
        keys = [{"fund": fund, "number": number} for fund, (_, c) in done.items() for number in c.derived[history]]
        for table in history.derived:
            sql = f"DELETE FROM {table.name} WHERE fund = :fund AND {history.owner} = :number"
            transaction.execute_many(sql, keys)
    for table, rows in _added(done).items():
        table.add(transaction, rows)
    balances.write(transaction, _moved(done))
    funds.write(transaction, _reached(done))


def rows_of(done: Done) -> dict[Table, list[tuple[Any, ...]]]:
    """All rows of new tables, from what the whole histories of funds come to."""
    rows = _added(done)
    rows[funds.FUNDS] = funds.rows(rows[funds.FUNDS], _reached(done))
    rows[balances.BALANCES] = balances.rows(_moved(done))
    return rows


def _moved(done: Done) -> dict[str, Mapping[Key, int]]:
    return {fund: changes.balances for fund, (_, changes) in done.items()}


def _reached(done: Done) -> dict[str, Last]:
    return {fund: last for fund, (last, _) in done.items()}


def _added(done: Done) -> dict[Table, list[tuple[Any, ...]]]:
    """The rows that are only added."""
    added: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)
    for _, changes in done.values():
        for table, rows in changes.added.items():
            added[table] += rows
        for derived in (each for history in HISTORIES for each in changes.derived[history].values()):
            for table, rows in derived.items():
                added[table] += rows
    return added

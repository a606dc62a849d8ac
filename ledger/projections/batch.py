"""How a batch of the log becomes rows: everything is worked out first, fund by fund, and then written at once.

A line that cannot be read, or whose event a projection cannot apply, parks its fund there: what came before it counts,
what comes after is left out until the tables are made anew, and the other funds go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from ledger.database import NO_LINE, Row, Transaction
from ledger.events import Event, FundOpened, decode, head_of, is_fund
from ledger.faults import Fault
from ledger.projections import balances, club_facts, days, dues, funds, journal, loans, members
from ledger.projections.funds import Last
from ledger.projections.tables import History, LoggedEvent, Reader, Rows, SumKey, Sums, Table

HISTORIES: tuple[History, ...] = (members.HISTORY, loans.HISTORY)
SUMS: tuple[Sums, ...] = (balances.SUMS, *days.SUMS)

PARKED = Table(
    "parked",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, why TEXT NOT NULL",
    key="fund",
)

TABLES: tuple[Table, ...] = (
    funds.FUNDS,
    funds.PLACES,
    funds.BYLAWS,
    journal.ENTRIES,
    journal.LEGS,
    club_facts.CLUB_FACTS,
    dues.DUES,
    *(sums.table for sums in SUMS),
    *(table for history in HISTORIES for table in (history.facts, *history.derived)),
    PARKED,
)
"""All tables but the position."""

ONLY_ADDED_TO: tuple[Table, ...] = tuple(
    table for table in TABLES if table not in (funds.FUNDS, balances.BALANCES, PARKED)
)
"""The tables that a rebuild fills without looking anything up in them."""

ADDED: Mapping[Table, Callable[[Iterable[LoggedEvent]], Rows]] = {
    **funds.ADDED,
    **journal.ADDED,
    **club_facts.ADDED,
    **dues.ADDED,
    **{history.facts: history.rows for history in HISTORIES},
}
"""The rows that events add, by table."""

Kept = Mapping[History, Mapping[int, list[Row]]]
"""The facts kept so far, of the members and loans that a batch touches; without any, a fund begins, and all count."""

LARGEST = 2**63 - 1
"""What 64 bits hold."""

NUL = b"\\u0000"
LONG_NUMBER = b"0" * len(str(LARGEST))
_DIGITS_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))


class ReadModelBroken(Fault):
    """The tables and the log do not belong together any more; `microfund rebuild` makes the tables anew."""

    area = "read-model"


class DoesNotFollow(Exception):
    """A line is not the next one of its fund: its history was changed."""

    def __init__(self, fund: str, version: int) -> None:
        super().__init__(f"the history of fund {fund} is broken at version {version}")
        self.fund = fund
        self.version = version


class Unstorable(Exception):
    """An event holds a number or a character that the databases cannot keep."""


class LogLine(NamedTuple):
    """A line of the log at its place. `event` is None, and `why` says why, when it could not be read."""

    position: int
    fund: str
    version: int
    line: bytes
    event: Event | None
    why: str = ""


def read(position: int, fund: str, version: int, line: bytes | None) -> LogLine:
    """A row of the log, its line decoded if it can be. One that somebody has emptied is a line that says nothing."""
    line = line or NO_LINE
    try:
        return LogLine(position, fund, version, line, decode(line))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return LogLine(position, fund, version, line, None, type(error).__name__)


class Changes(NamedTuple):
    """What a fund's lines do to the tables: up to where they go, the rows they add and by how much sums grow; and the
    members and loans whose derived rows, among those added, take the place of what is there."""

    last: Last
    added: dict[Table, Rows]
    moved: Mapping[Sums, Mapping[SumKey, int]]
    renewed: Mapping[History, Iterable[int]]


Done = Mapping[str, Changes]
"""By fund."""


def worked_out(reader: Reader, lines: Iterable[LogLine]) -> Done:
    """What these lines do to the tables as they stand. Raises `ReadModelBroken` for a version that is not the next
    one."""
    by_fund = _by_fund(lines)
    if not by_fund:
        return {}
    lasts, parked = funds.lasts(reader, list(by_fund), PARKED.name)
    for fund in parked:
        del by_fund[fund]
    for fund, its in by_fund.items():
        for version, line in enumerate(its, lasts[fund].version + 1):
            if line.version != version:
                raise ReadModelBroken(
                    "does-not-follow", position=line.position, version=line.version, fund=fund, expected=version
                )
    touched = {fund: _touched(lasts[fund], its) for fund, its in by_fund.items()}
    facts = {
        history: history.load(reader, [(fund, number) for fund in by_fund for number in touched[fund][history]])
        for history in HISTORIES
    }
    done = {}
    for fund, its in by_fund.items():
        kept = {h: {number: facts[h].get((fund, number), []) for number in touched[fund][h]} for h in HISTORIES}
        done[fund] = _worked_out(lasts[fund], its, kept)
    return done


def from_nothing(lines: Iterable[LogLine]) -> Done:
    """What the whole histories of funds do to empty tables; nothing needs to be asked."""
    return {fund: _worked_out(Last(), its, {}) for fund, its in _by_fund(lines).items()}


def _by_fund(lines: Iterable[LogLine]) -> dict[str, list[LogLine]]:
    """The lines of funds; those of other kinds of log are passed over."""
    by_fund: dict[str, list[LogLine]] = defaultdict(list)
    for line in lines:
        by_fund[line.fund].append(line)
    return {log: its for log, its in by_fund.items() if is_fund(log)}


def _touched(last: Last, lines: Sequence[LogLine]) -> dict[History, set[int]]:
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


def _worked_out(last: Last, lines: Sequence[LogLine], kept: Kept) -> Changes:
    """What a fund's lines do, up to the first that cannot be applied; there the fund is parked."""
    done = _tried(last, lines, kept)
    if not isinstance(done, Exception):
        return done
    poison, good, bad = done, 0, len(lines)
    while bad - good > 1:
        middle = (good + bad) // 2
        done = _tried(last, lines[:middle], kept)
        if isinstance(done, Exception):
            poison, bad = done, middle
        else:
            good = middle
    stuck = lines[good]
    changes = _project(last, lines[:good], kept)
    changes.added[PARKED] = [(stuck.fund, stuck.version, stuck.position, stuck.why or type(poison).__name__)]
    return changes


def _tried(last: Last, lines: Sequence[LogLine], kept: Kept) -> Changes | Exception:
    try:
        return _project(last, lines, kept)
    except Exception as poison:  # noqa: BLE001  # Nothing is read or written here: whatever it is, it is this fund's own.
        return poison


def _project(last: Last, lines: Sequence[LogLine], kept: Kept) -> Changes:
    """What a fund's lines do to the tables. Reads and writes nothing; raises whatever a poisonous line provokes."""
    last, events = followed(last, lines)
    for line in lines:
        if _is_suspect(line.line):
            _refuse_unstorable(msgspec.to_builtins(line.event))
    added = {table: rows(events) for table, rows in ADDED.items()}
    for history in HISTORIES:
        added |= history.derived_rows(added[history.facts], kept.get(history))
    return Changes(last, added, {sums: sums.of(events) for sums in SUMS}, kept)


def followed(last: Last, lines: Iterable[LogLine]) -> tuple[Last, list[LoggedEvent]]:
    """A fund's next lines, and up to where they go. Raises `DoesNotFollow`."""
    version, head, latest_on = last
    events = []
    for line in lines:
        event = line.event
        version += 1
        if not event or event.prev != head or event.version != version or event.fund != line.fund:
            raise DoesNotFollow(line.fund, version)
        if isinstance(event, FundOpened) != (version == 1):
            raise DoesNotFollow(line.fund, version)
        head, latest_on = head_of(line.line), max(latest_on, event.on)
        events.append(LoggedEvent(event, _iso(event.on), event.legs(), head))
    return Last(version, head, latest_on), events


_iso = lru_cache(maxsize=4096)(date.isoformat)


def rows_from_nothing(table: Table, last: Last, events: Sequence[LoggedEvent]) -> Rows:
    """The rows of one table, from the whole history of a fund."""
    fund = events[0].event.fund
    for history in HISTORIES:
        if table in history.derived:
            return history.derived_rows(history.rows(events))[table]
    for sums in SUMS:
        if table is sums.table:
            return sums.rows({fund: sums.of(events)})
    rows = ADDED[table](events) if table in ADDED else []
    return funds.rows(rows, {fund: last}) if table is funds.FUNDS else rows


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
        keys = [{"fund": fund, "number": number} for fund, its in done.items() for number in its.renewed[history]]
        for table in history.derived:
            sql = f"DELETE FROM {table.name} WHERE fund = :fund AND {history.owner} = :number"
            transaction.execute_many(sql, keys)
    for table, rows in _added(done).items():
        table.add(transaction, rows)
    for sums in SUMS:
        sums.write(transaction, _moved(done, sums))
    funds.write(transaction, _reached(done))


def rows_of(done: Done) -> dict[Table, Rows]:
    """All rows of new tables, from what the whole histories of funds come to."""
    rows = _added(done)
    rows[funds.FUNDS] = funds.rows(rows[funds.FUNDS], _reached(done))
    for sums in SUMS:
        rows[sums.table] = sums.rows(_moved(done, sums))
    return rows


def _moved(done: Done, sums: Sums) -> dict[str, Mapping[SumKey, int]]:
    return {fund: changes.moved[sums] for fund, changes in done.items()}


def _reached(done: Done) -> dict[str, Last]:
    return {fund: changes.last for fund, changes in done.items()}


def _added(done: Done) -> dict[Table, Rows]:
    """The rows that are added."""
    added: dict[Table, Rows] = defaultdict(list)
    for changes in done.values():
        for table, rows in changes.added.items():
            added[table] += rows
    return added

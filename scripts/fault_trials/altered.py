"""The service with one guard taken away: `python -m scripts.fault_trials.altered GUARD serve --port N`.

Each is what a row's control runs on. None of it is part of the program that people install.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from eventsourcing.persistence import OperationalError

from ledger.aggregates.log import EntryMetadata, Log
from ledger.projections import batch
from ledger.projections.batch import LogLine
from ledger.projections.funds import Last
from ledger.storage.sqlite_connections import JOURNAL_MODE, DurablePool, ImmediateTransaction

POISON = 13_131_313
"""The amount of a gift that a program without the guard `every-gift-read` cannot apply."""

GUARDS: dict[str, Callable[[], None]] = {}


def _guard(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def kept(take_away: Callable[[], None]) -> Callable[[], None]:
        GUARDS[name] = take_away
        return take_away

    return kept


def _replace(owner: object, name: str, other: Callable[..., Any]) -> None:
    """Put another function in the place of one that there is."""
    assert callable(getattr(owner, name))
    setattr(owner, name, other)


@_guard("every-commit-synced")
def _sync_seldom() -> None:
    """SQLite as most programs set it with a write-ahead log: what was committed reaches the disk some time later."""
    set_up = DurablePool._set_up

    def set_up_loosely(pool: DurablePool, connection: Any) -> None:
        set_up(pool, connection)
        connection.execute(f"PRAGMA synchronous={'NORMAL' if JOURNAL_MODE == 'wal' else 'OFF'}")

    _replace(DurablePool, "_set_up", set_up_loosely)


@_guard("failed-commits-heeded")
def _overlook_failures() -> None:
    """A commit that failed counts as one that did not."""
    leave = ImmediateTransaction.__exit__

    def leave_gladly(transaction: ImmediateTransaction, *raised: Any) -> None:
        try:
            leave(transaction, *raised)
        except OperationalError:
            if raised[0]:
                raise

    _replace(ImmediateTransaction, "__exit__", leave_gladly)


@_guard("every-gift-read")
def _stumble() -> None:
    """A version of the program whose read model cannot apply one certain gift; it parks the fund there."""

    def projected(last: Last, lines: Sequence[LogLine], kept: Any, project: Any = batch._project) -> Any:
        if any(b'"amount":%d' % POISON in line.line for line in lines):
            raise ValueError
        return project(last, lines, kept)

    _replace(batch, "_project", projected)


@_guard("poison-parked")
def _stop_at_poison() -> None:
    """The same, and it knows no way to leave a fund behind."""
    _stumble()
    _replace(batch, "_worked_out", lambda last, lines, kept: batch._project(last, lines, kept))


@_guard("recorded-in-order")
def _believe_the_clock() -> None:
    """An entry is recorded when the clock says, be that before the one before it."""
    following = Log._next

    def by_the_clock(log: Any, fact: Any, metadata: EntryMetadata, facts: dict[str, Any]) -> Any:
        return msgspec.structs.replace(following(log, fact, metadata, facts), recorded_at=metadata.recorded_at)

    _replace(Log, "_next", by_the_clock)


def main() -> None:
    """Take the guard away, and be `microfund` from then on."""
    guard = sys.argv.pop(1)
    GUARDS[guard]()
    from service.command_line import main as microfund

    microfund()


if __name__ == "__main__":
    main()

"""The service with one guard taken away: `python -m scripts.fault_trials.altered GUARD serve --port N`.

Each is what a row's control runs on. None of it is part of the program that people install.
"""

import sys
from collections.abc import Callable
from typing import Any

from eventsourcing.persistence import OperationalError

from ledger.storage.sqlite_connections import JOURNAL_MODE, DurablePool, ImmediateTransaction

GUARDS: dict[str, Callable[[], None]] = {}


def _guard(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def kept(take_away: Callable[[], None]) -> Callable[[], None]:
        GUARDS[name] = take_away
        return take_away

    return kept


@_guard("every-commit-synced")
def _sync_seldom() -> None:
    """SQLite as most programs set it with a write-ahead log: what was committed reaches the disk some time later."""
    set_up = DurablePool._set_up

    def set_up_loosely(pool: DurablePool, connection: Any) -> None:
        set_up(pool, connection)
        connection.execute(f"PRAGMA synchronous={'NORMAL' if JOURNAL_MODE == 'wal' else 'OFF'}")

    DurablePool._set_up = set_up_loosely  # type: ignore[method-assign]


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

    ImmediateTransaction.__exit__ = leave_gladly  # type: ignore[method-assign]


def main() -> None:
    """Take the guard away, and be `microfund` from then on."""
    guard = sys.argv.pop(1)
    GUARDS[guard]()
    from service.command_line import main as microfund

    microfund()


if __name__ == "__main__":
    main()

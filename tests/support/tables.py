"""The tables of the read model, followed in a test: entries put into the log as they are, and every row read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from eventsourcing.persistence import StoredEvent

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.events import (
    Entry,
)
from ledger.projections.batch import TABLES
from ledger.projections.knowledge import Known
from ledger.projections.read_model import ReadModel
from ledger.projections.tables import Reader
from tests.support.histories import random_fund
from tests.support.village import whole_life

SEEDS = (1, 2, 3, 6)

Rows = dict[str, list[tuple[Any, ...]]]


def store(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Put entries into the log, as they are."""
    ledger.recorder.insert_events([ledger.mapper.to_stored_event(entry) for entry in entries])


def store_line(ledger: Ledger, fund: str, version: int, line: bytes) -> None:
    """Put a line into the log that no fund has decided."""
    ledger.recorder.insert_events([StoredEvent(fund, version, "Unknown", line)])


def following(ledger: Ledger) -> ReadModel:
    """The read model of a ledger, its tables made."""
    model = ReadModel(ledger.database)
    model.create_tables()
    return model


def in_turn(*funds: Sequence[Entry]) -> list[Entry]:
    """The entries of several funds, as they come in on one evening."""
    return [entry for entries in zip_longest(*funds) for entry in entries if entry]


def random_funds() -> list[Entry]:
    """Random histories of several funds, and one to which everything has happened."""
    return in_turn(*(random_fund(seed).pending for seed in SEEDS), whole_life().pending)


def rows(reader: Reader, *, but: Sequence[str] = ()) -> Rows:
    """Every row of every table."""
    return {
        table.name: sorted(
            (tuple(row.values()) for row in reader.query(f"SELECT * FROM {table.name}")), key=lambda row: str(row)
        )
        for table in TABLES
        if table.name not in but
    }


def advanced(model: ReadModel, limits: Iterator[int]) -> int:
    """Follow to the end, in batches of these sizes; answers how many events that took."""
    return sum(iter(lambda: model.advance(next(limits)), 0))


def book(fund: Fund) -> Known:
    """The tables of a fund."""
    return Known(fund.pending)


def delete_tail(ledger: Ledger, fund: str, after: int) -> None:
    ledger.database.execute(
        "DELETE FROM stored_events WHERE originator_id = :fund AND originator_version > :after", fund=fund, after=after
    )


class Killed(BaseException):
    """The process ends here."""

"""A club's months are closed one after the other, and opened again for as long as it takes to enter what was found."""

from datetime import date

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import PeriodClosed


def close(fund: Fund, metadata: EntryMetadata, *, through: date) -> None:
    """Close the books, unless they are closed that far."""
    if not fund.closed_through or fund.closed_through < through:
        fund.close_period(metadata, through=through)


def reopen(fund: Fund, metadata: EntryMetadata, *, since: date) -> None:
    """Open the books again from a day on, if they are closed there."""
    if fund.closed_through and since <= fund.closed_through:
        fund.reopen_period(metadata, since=since)


def close_again(fund: Fund, metadata: EntryMetadata) -> None:
    """Close what was closed before it was opened again."""
    through = next((e.through for e in reversed(fund.entries) if isinstance(e, PeriodClosed)), None)
    if through:
        close(fund, metadata, through=through)

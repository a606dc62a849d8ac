"""All that is looked at, in the order in which it is told."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from ledger.application import Ledger
from service.operations.doctor.care import of_backup, of_checkpoint, of_drill, of_sessions
from service.operations.doctor.engine import of_postgres, of_sqlite
from service.operations.doctor.finding import Finding, well
from service.operations.doctor.keys import of_keys
from service.operations.doctor.reach import of_address, of_clock
from service.operations.doctor.tables import of_losses, of_read_model, of_schema, of_states
from service.settings import Settings


def of_program() -> Finding:
    """Which version this is."""
    return well("program", version=version("microfund"), python=platform.python_version())


def examine(ledger: Ledger, settings: Settings, now: datetime, stanza: str) -> Iterator[Finding]:
    """Everything there is to say of a database that could be opened, and of what is around it."""
    is_postgres = ledger.database.is_postgres
    file = None if is_postgres else Path(settings.database.removeprefix("sqlite:///"))
    yield from of_sqlite(ledger, file) if file else of_postgres(ledger, settings.database)
    yield of_schema(ledger)
    yield from of_read_model(ledger)
    yield from of_states(ledger)
    yield from of_losses(ledger)
    yield from of_keys(ledger, settings, file)
    yield from of_clock(ledger, now)
    yield from of_address(settings)
    yield of_checkpoint(ledger, now)
    yield of_backup(ledger, now, stanza)
    yield of_drill(ledger, now)
    yield from of_sessions(ledger)

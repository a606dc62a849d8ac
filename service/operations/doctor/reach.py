"""How people reach the service: its address, TLS, the proxies before it, and its clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from ledger.application import Ledger
from service.operations.doctor.finding import Finding, danger, warning, well
from service.operations.notes import last_recorded
from service.settings import Settings

APART: Final = timedelta(seconds=5)
"""How far two clocks may be apart before something should be done."""


def of_address(settings: Settings) -> Iterator[Finding]:
    """The address that people use, and what stands before the service."""
    origin = urlsplit(settings.origin or "")
    if not settings.origin:
        yield warning("origin-unset")
    elif origin.scheme == "https":
        yield well("origin", origin=settings.origin)
    elif _is_here(origin.hostname or ""):
        yield well("origin-here", origin=settings.origin)
    else:
        yield danger("no-tls", origin=settings.origin)
    if settings.proxies:
        yield well("proxies", proxies=", ".join(map(str, settings.proxies)))
    elif origin.scheme == "https":
        yield warning("proxies-unset")
    if not _is_here(settings.host):
        yield warning("listens-openly", host=settings.host)


def _is_here(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def of_clock(ledger: Ledger, now: datetime) -> Iterator[Finding]:
    """The clock, beside the last entry's, the database server's, and what keeps it right."""
    ahead = (last_recorded(ledger.database) or now) - now
    if ahead > APART:
        yield danger("clock-behind", seconds=int(ahead.total_seconds()))
        return
    if ledger.database.is_postgres:
        server = ledger.database.values("SELECT EXTRACT(EPOCH FROM clock_timestamp())::bigint")[0][0]
        apart = abs(datetime.fromtimestamp(server, UTC) - datetime.now(UTC))
        if apart > APART:
            yield warning("clocks-apart", seconds=int(apart.total_seconds()))
    yield warning("clock-free") if _is_synchronised() is False else well("clock", now=f"{now:%Y-%m-%dT%H:%M:%SZ}")


def _is_synchronised() -> bool | None:
    """Whether something keeps the clock right; None where nobody says."""
    if not (program := shutil.which("timedatectl")):
        return None
    said = subprocess.run(  # noqa: S603  # The system's own program, by its whole path, with fixed words.
        [program, "show", "--property=NTPSynchronized", "--value"],
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
    ).stdout.strip()
    return {"yes": True, "no": False}.get(said)

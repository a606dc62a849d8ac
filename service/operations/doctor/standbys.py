"""Whether what was acknowledged survives the server that recorded it: standbys, and Patroni, which promotes one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict

from ledger.application import Ledger
from service.operations.doctor.finding import Finding, danger, warning, well

PATRONI_PORT: Final = 8008
PATRONI_SECONDS: Final = 2
WRITES: Final = {"read-write", "primary"}
"""What `target_session_attrs` must be where several servers are named; unsaid, it is the first."""
SELECT_STANDBYS: Final = (
    # Whoever is no monitor sees of each standby that it is there, and no more.
    "SELECT COUNT(*) AS streams, COUNT(sync_state) AS seen, "
    "COUNT(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) AS confirming FROM pg_stat_replication"
)


def of_standbys(ledger: Ledger, database_url: str, settings: dict[str, str]) -> Iterator[Finding]:
    """All about standbys."""
    yield from of_hosts(database_url)
    if ledger.database.query("SELECT pg_is_in_recovery() AS standby")[0]["standby"]:
        yield danger("postgres-standby")
        return
    yield of_confirming(settings, ledger.database.query(SELECT_STANDBYS)[0], may_move=len(hosts(database_url)) > 1)
    address = ledger.database.query("SELECT host(inet_server_addr()) AS address")[0]["address"]
    if address and (configuration := patroni_at(address)):
        yield of_patroni(configuration)


def hosts(database_url: str) -> list[str]:
    """The servers that a URL names."""
    return str(conninfo_to_dict(database_url).get("host", "")).split(",")


def of_hosts(database_url: str) -> Iterator[Finding]:
    """Several servers are named: then the one that writes must be asked for."""
    wanted = conninfo_to_dict(database_url).get("target_session_attrs", "read-write")
    if len(hosts(database_url)) > 1 and wanted not in WRITES:
        yield danger("hosts-any", wanted=wanted)


def of_confirming(settings: dict[str, str], standbys: dict[str, Any], *, may_move: bool) -> Finding:
    """Whether a commit waits for another server, and whether that is there. `may_move` where others are named that may
    take over. Patroni leaves the setting empty when it has no standby and is not strict: then entries are acknowledged
    that one server alone has."""
    if not settings["synchronous_standby_names"]:
        return danger("postgres-asynchronous") if standbys["streams"] or may_move else warning("postgres-alone")
    if settings["synchronous_commit"] == "local":
        return danger("postgres-not-waiting")
    if not standbys["streams"] or (standbys["seen"] and not standbys["confirming"]):
        return danger("postgres-standby-gone", names=settings["synchronous_standby_names"])
    return well("postgres-standbys", names=settings["synchronous_standby_names"])


def patroni_at(address: str) -> dict[str, Any] | None:
    """What Patroni keeps for all its servers, if it answers at the port that `deploy/patroni.yml` gives it."""
    asking = HTTPConnection(address, PATRONI_PORT, timeout=PATRONI_SECONDS)
    try:
        asking.request("GET", "/config")
        said = json.loads(asking.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        asking.close()
    return said if isinstance(said, dict) and "loop_wait" in said else None


def of_patroni(configuration: dict[str, Any]) -> Finding:
    """Whether Patroni may acknowledge what one server alone has, or promotes nobody."""
    for setting in ("synchronous_mode", "synchronous_mode_strict"):
        if configuration.get(setting) in (None, False, "off", "false"):
            return danger("patroni-may-lose", setting=setting)
    return warning("patroni-paused") if configuration.get("pause") else well("patroni")

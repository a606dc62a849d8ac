"""A PostgreSQL server that was replaced by another one and does not know it, as when it was frozen while a standby was
promoted: it still takes writes, and nobody writes there any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from ledger.application import Ledger
from ledger.storage.postgres import PostgresRecorder
from ledger.storage.postgres_sessions import parameters
from tests.support.jobs import gift, one_fund, opened, recorded, stored
from tests.support.own_server import OwnServer, own_server

pytestmark = pytest.mark.usefixtures("usual_sessions")

GIFTS = 20


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


WRITTEN_TO = "SELECT pg_walfile_name(pg_current_wal_lsn()) AS file"
SECOND_TIMELINE = "00000002"


def folder_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["host"][0]


def replace_sessions(ledger: Ledger) -> None:
    """Let the ledger ask again which server writes."""
    assert isinstance(ledger.recorder, PostgresRecorder)
    ledger.recorder.datastore.replace_sessions()


def test_once_the_server_that_replaced_another_was_seen_the_old_one_is_used_no_more(server: OwnServer) -> None:
    old = server.anew()
    with one_fund(old):
        pass
    with server.replaced() as promoted:
        new = old.replace(folder_of(old), folder_of(promoted.url))
        with opened(f"{old},{folder_of(new)}") as ledger:
            while not ledger.database.query(WRITTEN_TO)[0]["file"].startswith(SECOND_TIMELINE):
                replace_sessions(ledger)
            for number in range(1, GIFTS + 1):
                recorded(ledger.record([gift(f"gift-{number:04}")])[0])
                replace_sessions(ledger)
        with opened(new) as ledger:
            assert len(stored(ledger)) == 3 + GIFTS
        with opened(old) as ledger:
            assert len(stored(ledger)) == 3


def test_of_several_servers_any_may_be_asked_first_and_only_one_that_writes_is_taken() -> None:
    said = parameters("postgresql://a,b,c/fund")
    assert (said["target_session_attrs"], said["load_balance_hosts"]) == ("read-write", "random")
    assert "load_balance_hosts" not in parameters("postgresql://a/fund")

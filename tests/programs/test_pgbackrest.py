"""pgBackRest itself, as `deploy/pgbackrest.conf` sets it: the books of a PostgreSQL server backed up by our own word,
restored as of any moment, and the restoring practised."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from ledger.history import verify
from tests.support.archived_server import IS_HERE, ArchivedServer, archived_server
from tests.support.jobs import IS_LONG, gift, opened, opening, recorded, stored

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_LONG, reason="a server with an archive takes a fifth of the suite: scripts/test --long"),
    pytest.mark.skipif(not IS_HERE, reason="pgBackRest or Debian's PostgreSQL is not installed"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[ArchivedServer]:
    with archived_server() as server:
        yield server


def give(server: ArchivedServer, *numbers: int) -> str:
    """Record gifts, in a later second than what was before, for pgBackRest counts whole ones; answers the moment after
    them, as PostgreSQL writes it."""
    server.query("SELECT pg_sleep(1)")
    with opened(server.url, register_key=server.register_key) as ledger:
        if not ledger.funds():
            recorded(ledger.record([opening()])[0])
        for number in numbers:
            recorded(ledger.record([gift(f"gift-{number:04}", number)])[0])
    return str(server.query("SELECT clock_timestamp()::text")[0][0])


def test_what_was_backed_up_and_archived_is_whole_as_of_any_moment_and_practised(server: ArchivedServer) -> None:
    give(server, *range(1, 11))
    made = server.microfund("backup")
    assert re.search(r": \d{8}-\d{6}F$", made.stdout, re.MULTILINE), made
    moment = give(server, *range(11, 21))
    give(server, *range(21, 31))
    changed = server.microfund("backup")
    assert re.search(r"F_\d{8}-\d{6}I$", changed.stdout, re.MULTILINE), changed
    server.archive()
    give(server, *range(31, 36))

    whole = server.microfund("drill")
    assert (whole.returncode, "32 entries of 1 logs" in whole.stdout) == (0, True), whole
    assert "lacks 5 entries" in whole.stdout
    earlier = server.microfund("drill", "--at", moment)
    assert (earlier.returncode, "22 entries of 1 logs" in earlier.stdout) == (0, True), earlier
    assert "lacks 15 entries" in earlier.stdout
    assert server.microfund("drill", "--at", "2000-01-01 00:00:00+00").returncode == 2
    assert not list(server.home.glob("microfund-drill-*"))
    assert server.query("SELECT pg_is_in_recovery()") == [(False,)]


def test_a_server_whose_disk_is_gone_comes_back_as_of_a_moment_and_its_books_are_whole(server: ArchivedServer) -> None:
    give(server, 101)
    server.microfund("backup")
    moment = give(server, 102, 103)
    give(server, 104)
    server.archive()
    with opened(server.url, register_key=server.register_key) as ledger:
        expected = stored(ledger)[:-1]
    server.stop()
    shutil.rmtree(server.data)
    server.data.mkdir(mode=0o700)
    server.own(server.data)
    server.pgbackrest("--type=time", f"--target={moment}", "--target-action=promote", "restore")
    server.begin()
    with opened(server.url, register_key=server.register_key) as ledger:
        assert stored(ledger) == expected
        assert verify(stored(ledger)).valid
        assert recorded(ledger.record([gift("gift-0105", 105)])[0]).version == len(expected) + 1
    server.archive()
    assert server.microfund("drill").returncode == 0, "the archive goes on from there"

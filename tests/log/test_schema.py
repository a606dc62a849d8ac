"""The tables beside the log: brought from any step to the last one, whole or not at all, and by one process only."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest

from ledger.application import Ledger
from ledger.database import EVENTS_TABLE, Database, UnsafeStorage
from ledger.register import Encrypted
from ledger.schema import STEPS, Step, upgrade
from tests.support.jobs import opened

LAST = len(STEPS)

pytestmark = pytest.mark.bare


@contextmanager
def at_step(database_url: str, number: int) -> Iterator[Database]:
    """A database whose tables beside the log have taken only so many steps."""
    with opened(database_url) as ledger:
        database = ledger.database
        for table in {str(table) for table, *_ in _shape(database)} - {EVENTS_TABLE, "settings"}:
            database.execute(f"DROP TABLE {table}")
        database.execute("DELETE FROM settings WHERE name = 'schema'")
        upgrade(database, ledger.register.encrypted, STEPS[:number])
        yield database


def unneeded(*_: object) -> list[Encrypted]:
    """What encrypts texts, where a step has none."""
    raise AssertionError


def _shape(database: Database) -> list[tuple[object, ...]]:
    """Every column of every table, with its type."""
    if database.is_postgres:
        return database.values(
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY 1, 2"
        )
    return database.values(
        'SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_master m JOIN pragma_table_info(m.name) c '
        "WHERE m.type = 'table' ORDER BY 1, 2"
    )


def _step_of(database: Database) -> int:
    return int(database.query("SELECT value FROM settings WHERE name = 'schema'")[0]["value"])


@pytest.mark.parametrize("number", range(LAST))
def test_a_database_of_every_earlier_step_becomes_like_a_new_one(database_url: str, number: int) -> None:
    with opened(database_url) as new:
        shape = _shape(new.database)
    with at_step(database_url, number) as old:
        assert _step_of(old) == number if number else not old.query("SELECT 1 FROM settings WHERE name = 'schema'")

    with opened(database_url) as ledger:
        assert _step_of(ledger.database) == LAST
        assert _shape(ledger.database) == shape


def test_links_to_members_are_taken_from_the_principals_that_were_there(database_url: str) -> None:
    principal = {"id": "p1", "name": "", "roles": ["chair"], "scope": {}, "members": {"LS-CL-MAIPHA": 1}}
    with at_step(database_url, 1) as old:
        old.execute("CREATE TABLE principals (id TEXT PRIMARY KEY, principal TEXT NOT NULL)")
        old.execute("INSERT INTO principals VALUES ('p1', :made)", made=msgspec.json.encode(principal).decode())

    with opened(database_url) as ledger:
        linked = ledger.database.query("SELECT principal, fund, member FROM memberships")
    assert linked == [{"principal": "p1", "fund": "LS-CL-MAIPHA", "member": 1}]


def test_a_step_that_is_cut_off_leaves_nothing_and_is_taken_again(database_url: str) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    statements = ("CREATE TABLE later (number BIGINT PRIMARY KEY)",)
    with opened(database_url) as ledger:
        with pytest.raises(KeyboardInterrupt):
            upgrade(ledger.database, unneeded, (*STEPS, Step("what comes later", statements, killed)))
        assert not ledger.database.has("later")
        assert _step_of(ledger.database) == LAST

        upgrade(ledger.database, unneeded, (*STEPS, Step("what comes later", statements)))
        assert ledger.database.has("later")
        assert _step_of(ledger.database) == LAST + 1


def test_processes_that_start_at_once_take_each_step_once(database_url: str) -> None:
    taken: list[int] = []

    def step(number: int) -> Step:
        def fill(*_: object) -> bool:
            taken.append(number)
            return False

        return Step(f"{number}", (f"CREATE TABLE more_{number} (x BIGINT)",), fill)

    more = (step(0), step(1), step(2))
    with opened(database_url) as one, opened(database_url) as other, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda ledger: upgrade(ledger.database, unneeded, (*STEPS, *more)), [one, other] * 2))
        assert taken == [0, 1, 2]


@pytest.mark.parametrize("access", ["write", "read"])
def test_a_database_of_a_newer_program_is_refused_in_words(database_url: str, access) -> None:
    with opened(database_url) as ledger:
        ledger.database.execute("UPDATE settings SET value = '99' WHERE name = 'schema'")
    with pytest.raises(UnsafeStorage, match=f"reached = 99, known = {LAST}"):
        Ledger(database_url, access)


def test_reading_takes_no_step(database_url: str) -> None:
    with at_step(database_url, 1):
        pass
    with opened(database_url, access="read") as ledger:
        assert _step_of(ledger.database) == 1
        assert ledger.losses.found() == []

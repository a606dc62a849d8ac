"""While nothing can be stored: it is said, later requests are refused soon, and the first success heals it."""

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, OperationalError

from ledger import application, writer
from ledger.application import Ledger
from ledger.jobs import Job, Outcome, StorageUnavailable
from ledger.writer import Writer
from service.access.principals import Scope
from service.access.tokens import Principals
from tests.programs.test_crash import Service, fill
from tests.support.jobs import FUND, NOW, gift, one_fund, opened
from tests.support.waiting import until

FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON stored_events EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON settings EXECUTE FUNCTION full_disk();
"""
NOT_FULL = "DROP FUNCTION full_disk() CASCADE"


@contextmanager
def full_disk(ledger: Ledger, url: str) -> Iterator[None]:
    """The database answers everything that needs room as on a full disk."""
    if url.startswith("sqlite"):
        fill(ledger, 0)
        yield
        fill(ledger, None)
    else:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(FULL)
            yield
            session.execute(NOT_FULL)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 0.001)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which the ledger waits."""
    clock = Clock()
    monkeypatch.setattr("ledger.application.time", clock)
    return clock


def gifts(name: str) -> list[Job]:
    """More than fits into what room is left."""
    return [gift(f"{name}-{number:04d}") for number in range(200)]


def tried(clock: Clock, ledger: Ledger, name: str) -> tuple[set[type[Outcome]], float]:
    """What became of gifts, and for how long they were tried."""
    began = clock.seconds
    outcomes = ledger.record(gifts(name))
    return {type(outcome) for outcome in outcomes}, clock.seconds - began


def trouble_of(ledger: Ledger) -> str | None:
    """What is said of the storage now."""
    return ledger.health.trouble


def test_nobody_waits_for_a_disk_that_is_full(database_url: str, clock: Clock) -> None:
    with one_fund(database_url) as ledger:
        with full_disk(ledger, database_url):
            tries = [tried(clock, ledger, f"gifts-{number}") for number in range(4)]
            assert trouble_of(ledger) == "nothing can be stored: the disk is full"
            ledger.health.examine()
            assert trouble_of(ledger) == "nothing can be stored: the disk is full"
        assert all(outcomes == {StorageUnavailable} for outcomes, _ in tries)
        assert max(seconds for _, seconds in tries) < application.SHORT_PATIENCE_SECONDS

        outcomes, _ = tried(clock, ledger, "gifts-0")
        assert StorageUnavailable not in outcomes
        assert trouble_of(ledger) is None


def test_a_storage_that_is_back_is_found_without_anybody_who_records(database_url: str, clock: Clock) -> None:
    with one_fund(database_url) as ledger:
        with full_disk(ledger, database_url):
            tried(clock, ledger, "gifts-0")
        assert trouble_of(ledger)
        before = ledger.database.query("SELECT * FROM settings ORDER BY name")

        ledger.health.examine()

        assert trouble_of(ledger) is None
        assert ledger.database.query("SELECT * FROM settings ORDER BY name") == before


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (IntegrityError("overtaken"), None),
        (
            OperationalError('connection to server at "10.0.0.7" failed: no such user "quy"'),
            "nothing can be stored: the database is away, locked, or refuses to be written to (OperationalError)",
        ),
    ],
    ids=["another process was faster", "away"],
)
def test_what_is_said_of_a_failure_holds_no_address(
    sqlite_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: Exception, trouble: str | None
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    with one_fund(sqlite_url) as ledger:
        monkeypatch.setattr(ledger, "_decide_and_commit", fail)
        assert isinstance(ledger.record([gift("gift-0001")])[0], StorageUnavailable)
        assert ledger.health.trouble == trouble


class Stuck(Ledger):
    """A ledger that finds its storage away, after a wait that a test ends."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self.gate = threading.Event()
        self.tries = 0

    def record(self, jobs: Any) -> list[Outcome]:
        self.gate.wait()
        self.tries += 1
        self.health.failed(OperationalError("away"))
        return [StorageUnavailable("away")] * len(jobs)


def test_who_waits_behind_what_could_not_be_stored_is_refused_with_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LARGEST_BATCH", 1)
    with one_fund(sqlite_url):
        pass
    ledger = Stuck(sqlite_url)

    async def post() -> list[Any]:
        with Writer(ledger) as running:
            waiting = [asyncio.ensure_future(running.record(job)) for job in gifts("gift")]
            await asyncio.sleep(0)
            ledger.gate.set()
            return await asyncio.gather(*waiting, return_exceptions=True)

    answers = asyncio.run(post())
    ledger.close()

    assert {type(answer) for answer in answers} == {StorageUnavailable}
    assert ledger.tries == 1


def test_a_service_says_that_nothing_can_be_stored_until_something_can(sqlite_url: str) -> None:
    """A real process whose files may grow no further, which is an error of the disk, and then may again."""
    with one_fund(sqlite_url) as ledger:
        token = Principals(ledger).issue(
            NOW, name="Thủ quỹ", roles=frozenset({"treasurer"}), scope=Scope(everything=True), members={}
        )
    service = Service(sqlite_url, token)
    limits = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
    try:
        assert service.give("gift-0001")[0] == 201
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        status, refused, _ = service.give("gift-0002")
        told = service.ready()
        assert (status, refused["code"]) == (503, "storage-unavailable")
        assert told["status"] == "not ready"
        assert told["storage"]["trouble"].startswith("nothing can be stored")
        assert [service.give(f"gift-{number:04d}")[0] for number in range(3, 6)] == [503] * 3
        assert service.ask("GET", "history-of-nobody")[0] == 404, "who reads is answered"

        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, limits)
        until(lambda: service.ready()["status"] == "ready")
        assert service.give("gift-0002")[::2] == (201, False)
    finally:
        service.kill()
    with opened(sqlite_url) as ledger:
        keys = ledger.replayed(FUND).requests
        assert keys.keys() & {f"gift-{number:04d}" for number in range(6)} == {"gift-0000", "gift-0001", "gift-0002"}

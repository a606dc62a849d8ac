"""A PostgreSQL server that is silent, only reads, was started anew, or says of a commit that it may not last: nobody
waits without end, nothing is acknowledged that may be gone, and the service heals by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from ledger.database import UnsafeStorage
from ledger.history import verify
from ledger.jobs import Outcome, Recorded, StorageUnavailable
from ledger.storage import postgres_sessions
from ledger.writer import Writer
from scripts.fault_trials.cut_line import CutLine, set_for_database
from tests.support.jobs import FUND, gift, one_fund, opening, recorded, stored
from tests.support.own_server import OwnServer, own_server
from tests.support.service import FUND as MAI_PHA
from tests.support.service import house, settle_in
from tests.support.waiting import until

OTHER = "LS-BACSON-02"

pytestmark = pytest.mark.usefixtures("usual_sessions")


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second's patience instead of four: what is waited for here never comes."""
    monkeypatch.setattr(postgres_sessions, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr("ledger.database.READ_SECONDS", 1.0)
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.5)


# --- a commit with a warning ------------------------------------------------------------------------------------------


def cancelled(server: OwnServer, commit: Callable[[], object]) -> object:
    """What a commit comes to when its wait for the synchronous standby is cancelled."""
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(commit)
        until(server.waiting)
        server.cancel()
        return answer.exception() or answer.result()


@pytest.mark.usefixtures("hasty")
def test_a_commit_whose_wait_for_the_standby_was_cancelled_is_acknowledged_only_once_the_standby_has_it(
    server: OwnServer,
) -> None:
    with one_fund(server.anew()) as ledger:

        def post() -> Outcome:
            return ledger.record([gift("gift-0001")])[0]

        with server.without_its_standby():
            assert isinstance(cancelled(server, post), StorageUnavailable)
            assert len(stored(ledger)) == 4, "it is seen here, and gone with this server"
            assert isinstance(post(), StorageUnavailable)
        assert (recorded(post()).version, recorded(post()).replayed) == (4, True)


@pytest.mark.usefixtures("hasty")
def test_nothing_that_is_written_beside_the_log_counts_after_such_a_warning_either(server: OwnServer) -> None:
    with one_fund(server.anew()) as ledger:

        def write() -> int:
            return ledger.database.execute("INSERT INTO settings VALUES ('word', 'thing')")

        with server.without_its_standby():
            assert isinstance(cancelled(server, write), OperationalError)


def test_the_server_itself_calls_a_cancelled_commit_done(server: OwnServer) -> None:
    with one_fund(url := server.anew()), psycopg.connect(url, autocommit=True) as connection:

        def write() -> str | None:
            return connection.execute("INSERT INTO settings VALUES ('word', 'thing')").statusmessage

        with server.without_its_standby():
            assert cancelled(server, write) == "INSERT 0 1"


# --- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
def test_an_answer_that_never_comes_is_given_up_and_found_by_the_key(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 5.0)
    line = CutLine(postgres_url, tmp_path)

    async def post(writer: Writer) -> tuple[Recorded, Recorded]:
        async with asyncio.timeout(60):
            line.swallow_at_commit()
            return await asyncio.gather(writer.record(gift("gift-0001")), writer.record(gift("gift-0002", fund=OTHER)))

    with one_fund(line.url) as ledger:
        recorded(ledger.record([opening(OTHER)])[0])
        with Writer(ledger) as writer:
            answers = asyncio.run(post(writer))
        assert line.cuts == 1
        assert [answer.version for answer in answers] == [4, 3]
        assert (len(stored(ledger)), len(stored(ledger, OTHER))) == (4, 3)
    line.close()


@pytest.mark.usefixtures("hasty")
def test_a_server_that_is_frozen_keeps_nobody_waiting_and_nothing_is_recorded_twice_when_it_thaws(
    server: OwnServer,
) -> None:
    with one_fund(server.anew()) as ledger:
        with server.frozen():
            assert isinstance(ledger.record([gift("gift-0001")])[0], StorageUnavailable)
            with pytest.raises(OperationalError):
                ledger.replayed(FUND)
            with pytest.raises(OperationalError):
                ledger.recorder.select_notifications(0, 10)
            with pytest.raises(OperationalError):
                ledger.database.query("SELECT 1")
        until(lambda: isinstance(ledger.record([gift("gift-0001")])[0], Recorded))
        assert verify(stored(ledger)).valid
        assert len(stored(ledger)) == 4


@pytest.mark.usefixtures("hasty")
def test_the_service_answers_while_the_server_is_frozen_and_heals_by_itself(server: OwnServer) -> None:
    donation = {"source": "community", "pot": "activity", "amount": 50_000}
    with house(server.anew(), read_wait_seconds=30) as village:
        settle_in(village)
        with server.frozen():
            posted = village.post(f"/funds/{MAI_PHA}/donations", donation, key="gift-0001")
            ready = village.client.get("/readyz")
        until(lambda: village.post(f"/funds/{MAI_PHA}/donations", donation, key="gift-0001").status_code == 201)
        assert (posted.status_code, posted.json()["code"]) == (503, "storage-unavailable")
        assert posted.headers["Retry-After"]
        assert ready.status_code == 503
        until(lambda: village.client.get("/readyz").status_code == 200)


# --- a server that was started anew, or only reads --------------------------------------------------------------------


def test_after_the_server_was_started_anew_every_read_is_answered_the_first_time(server: OwnServer) -> None:
    with one_fund(server.anew()) as ledger:
        every_session_is_open = threading.Barrier(12)

        def hold() -> None:
            with ledger.database.transaction(commit=False):
                every_session_is_open.wait(30)

        def read(_: int) -> int:
            return ledger.replayed(FUND).version

        with ThreadPoolExecutor(12) as pool:
            for holding in [pool.submit(hold) for _ in range(12)]:
                holding.result()
            server.start_anew()
            assert list(pool.map(read, range(40))) == [3] * 40
        assert recorded(ledger.record([gift("gift-0001")])[0]).version == 4


def set_read_only(url: str, value: str) -> None:
    """Let the sessions that begin from now on only read, or write again; those that there are stay as they are."""
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = {value}")


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def test_a_database_that_only_reads_is_said_to_be_away_and_written_to_as_soon_as_it_can_be(
    postgres_url: str,
) -> None:
    donation = {"source": "community", "pot": "activity", "amount": 50_000}
    with house(postgres_url, read_wait_seconds=30) as village:
        settle_in(village)
        balances = f"/funds/{MAI_PHA}/balances?min_position={village.entries()}"
        assert village.get(balances).status_code == 200
        set_read_only(postgres_url, "on")
        end_sessions(postgres_url)
        posted = village.post(f"/funds/{MAI_PHA}/donations", donation, key="gift-0001")
        replayed = [village.post(f"/funds/{MAI_PHA}/donations", donation, key="gift-0002") for _ in range(8)]
        read, ready = village.get(balances), village.client.get("/readyz")
        set_read_only(postgres_url, "off")
        until(lambda: village.client.get("/readyz").status_code == 200)
        healed = village.post(f"/funds/{MAI_PHA}/donations", donation, key="gift-0001")

        assert {answer.status_code for answer in (posted, *replayed, ready)} == {503}
        assert (posted.json()["code"], "Retry-After" in posted.headers) == ("storage-unavailable", True)
        assert read.status_code == 200, "a server that only reads can still be read"
        assert (healed.status_code, "Idempotency-Replayed" in healed.headers) == (201, False)


def can_store(ledger: Ledger) -> bool:
    """Whether a ledger can store again, looked at as the writer does each second."""
    ledger.health.examine()
    return not ledger.health.trouble


def test_what_was_recorded_is_not_acknowledged_again_by_a_server_that_only_reads(postgres_url: str) -> None:
    with one_fund(postgres_url) as ledger:
        set_read_only(postgres_url, "on")
        end_sessions(postgres_url)
        assert isinstance(ledger.record([gift("gift-0000", 1_000)])[0], StorageUnavailable)
        set_read_only(postgres_url, "off")
        until(lambda: can_store(ledger))
        assert recorded(ledger.record([gift("gift-0000", 1_000)])[0]).replayed


# --- what is refused at start -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused_in_words(server: OwnServer, encoding: str) -> None:
    name = f"test_{encoding.lower()}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    with pytest.raises(UnsafeStorage, match=f"server_encoding, encoding = {encoding}"):
        Ledger(server.url.replace("/postgres?", f"/{name}?"))


def test_an_encoding_of_the_client_counts_only_if_the_url_names_it_and_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    set_for_database(postgres_url, "client_encoding = 'LATIN1'")
    Ledger(postgres_url).close()
    with pytest.raises(UnsafeStorage, match="client_encoding, encoding = LATIN1"):
        Ledger(f"{postgres_url}&client_encoding=LATIN1")


def test_a_server_that_does_not_know_the_statements_is_refused_in_words(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_sessions, "OLDEST", 1_000)
    with pytest.raises(UnsafeStorage, match="oldest = 1000"):
        Ledger(postgres_url)


def test_what_keeps_a_session_from_being_made_is_said_at_start(server: OwnServer) -> None:
    with pytest.raises(OperationalError, match='database "no_such_database" does not exist'):
        Ledger(server.url.replace("/postgres?", "/no_such_database?"))


needs_pgbouncer = pytest.mark.skipif(not shutil.which("pgbouncer"), reason="pgbouncer is not installed")


@needs_pgbouncer
def test_a_pooler_that_lends_whole_sessions_may_stand_before_the_server(server: OwnServer) -> None:
    with server.pooled(server.anew(), "session") as url, one_fund(url) as ledger:
        assert ledger.database.query("SHOW lock_timeout") == [{"lock_timeout": "30s"}]
        for number in range(1, 21):
            recorded(ledger.record([gift(f"gift-{number:04}")])[0])
        assert verify(stored(ledger)).valid


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_sessions_out_is_refused_in_words(server: OwnServer, mode: str) -> None:
    with server.pooled(server.anew(), mode) as url, pytest.raises(UnsafeStorage, match="pooler"):
        Ledger(url)

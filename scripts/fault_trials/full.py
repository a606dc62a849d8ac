"""The disk is full, or broken: of what is written to it, the Nth call fails, or all from there on.

strace makes the calls of the running service fail (SQLite), or those of the processes of a PostgreSQL server, and is
taken away again: then there is space. A PostgreSQL server whose tables find no room refuses; one that cannot write its
own log ends all its processes and recovers.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import Service
from scripts.fault_trials.tracing import attached, failed_calls_in, kept_in, spoiling
from scripts.fault_trials.trial import BOTH, Figures, Ground, Row

KNOWN_SECONDS, REFUSED_SECONDS = 10.0, 3.0
"""How soon `/readyz` says that nothing can be stored, and how soon those who come then are refused."""

MOST_TURNS = 50
"""How often it is looked whether a call has failed, four entries apart."""

Spoilt = Callable[[str], AbstractContextManager[None]]
"""Lets the Nth write fail, or all from there on, as in `3+`, until the end of the block."""


class Disk(NamedTuple):
    """A database on a disk that can be spoilt: in each of these ways once, and in those for good. What strace does then
    is told in `said`."""

    url: str
    said: Path
    once: dict[str, Spoilt]
    lasting: dict[str, Spoilt]


def of_sqlite(ground: Ground, pid: Callable[[], int]) -> Disk:
    """An SQLite file, which the service itself writes to."""
    folder, said = ground.folder(), ground.folder() / "strace"

    def spoilt(calls: str, error: str) -> Spoilt:
        return lambda when: attached([pid()], said, *spoiling(kept_in(folder), calls, error, when))

    faults = {
        "no space": spoilt("pwrite64", "ENOSPC"),
        "writes fail": spoilt("pwrite64", "EIO"),
        "syncs fail": spoilt("fsync,fdatasync", "EIO"),
    }
    return Disk(f"sqlite:///{folder / 'ledger.db'}", said, faults, faults)


def of_postgres(ground: Ground) -> Disk:
    """A PostgreSQL server of the trial's own."""
    server = ground.shop.once("a server with a full disk", lambda: ground.shop.started_postgres("full"))
    url = ground.shop.database("PostgreSQL", server.get_uri())
    said, home = ground.folder() / "strace", Path(server.pgdata)

    def backends() -> list[int]:
        with psycopg.connect(url) as asking:
            found = asking.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
            return [pid for (pid,) in found if pid != asking.info.backend_pid]

    @contextmanager
    def no_room(when: str) -> Iterator[None]:
        with psycopg.connect(url) as asking:
            relations = asking.execute(
                "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't') "
                "AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)"
            ).fetchall()
        files = [home / path for (path,) in relations]
        calls = "pwrite64,pwritev,fallocate"
        postmaster = server.get_pid()
        assert postmaster
        with attached([postmaster, *backends()], said, *spoiling(files, calls, "ENOSPC", when)):
            yield

    def log_fails(calls: str, error: str) -> Spoilt:
        segments = home / "pg_wal"
        return lambda when: attached(backends(), said, *spoiling(sorted(segments.glob("0*")), calls, error, when))

    once = {
        "no space for the log": log_fails("pwrite64", "ENOSPC"),
        "syncs of the log fail": log_fails("fdatasync", "EIO"),
    }
    return Disk(url, said, once, {"no space for tables": no_room})


def full(ground: Ground) -> Figures:
    """Let writes fail once at each place, and for ever from some on."""
    journal, services = ground.folder() / "journal", list[Service]()
    disk = of_postgres(ground) if ground.engine == "PostgreSQL" else of_sqlite(ground, lambda: services[0].pid)
    token, figures = found(disk.url), Figures()
    with (
        Service(ground.shop, disk.url) as service,
        Crowd([service.port], token, journal, ground.draw, people=4).at_work() as crowd,
    ):
        services.append(service)
        crowd.wait_for(5)
        for what, spoilt in disk.once.items():
            for place in range(1, ground.size.failing_writes + 1):
                with spoilt(str(place)):
                    figures.wrong += _until_it_fails(disk, crowd, f"{what} at {place}")
                figures.trials += 1
        for what, spoilt in disk.lasting.items():
            for place in ground.draw.sample(range(1, 2 * ground.size.failing_writes), ground.size.lasting_faults):
                with spoilt(f"{place}+"):
                    figures.wrong += _while_nothing_is_stored(service, crowd, what, figures)
                figures.first_good_writes.append(crowd.first_good_write(time.monotonic()))
                figures.wrong += [] if _is_ready(service) else ["it does not say that it is ready again"]
                figures.trials += 1
        strange = {status: count for status, count in crowd.statuses.items() if status not in (201, 409, 422, 503)}
        figures.more["503s"] = crowd.statuses.get(503, 0)
    figures.wrong += [f"answers {strange}"] if strange else []
    figures.add(judged(disk.url, journal))
    return figures


def _until_it_fails(disk: Disk, crowd: Crowd, what: str) -> list[str]:
    """Let people record until a call has failed, and a little further."""
    for _ in range(MOST_TURNS):
        crowd.wait_for(4)
        if failed_calls_in(disk.said):
            crowd.wait_for(4)
            return []
    return [f"{what}: no call has failed"]


def _while_nothing_is_stored(service: Service, crowd: Crowd, what: str, figures: Figures) -> list[str]:
    """What does not hold of what people and operators are told meanwhile."""
    began = time.monotonic()
    while not (ready := service.ready())[1]["storage"]["trouble"]:
        if time.monotonic() - began > KNOWN_SECONDS:
            return [f"{what}: /readyz still says {ready[1]}"]
        time.sleep(0.02)
    _keep_most(figures, "/readyz knows after at most, s", time.monotonic() - began)
    wrong = [] if ready[0] == 503 else [f"{what}: /readyz answers {ready[0]}"]
    for _ in range(3):
        answer = crowd.gift()
        _keep_most(figures, "then refused within, s", answer.seconds)
        # What finds room in a page that is there already may be recorded; the judge will look for it.
        if answer.status not in (201, 503) or (answer.status == 503 and "retry-after" not in answer.headers):
            wrong.append(f"{what}: answered {answer.status} {answer.headers}")
        if answer.seconds > REFUSED_SECONDS:
            wrong.append(f"{what}: refused after {answer.seconds:.1f} s only")
    return wrong


def _keep_most(figures: Figures, name: str, value: float) -> None:
    figures.more[name] = max(figures.more.get(name, 0.0), value)


def _is_ready(service: Service) -> bool:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        if service.ready()[0] == 200:
            return True
        time.sleep(0.05)
    return False


def overlooked(ground: Ground) -> Figures:
    """People record while nothing can be stored, on a service that does not look at what a commit comes to."""
    journal, services = ground.folder() / "journal", list[Service]()
    disk = of_sqlite(ground, lambda: services[0].pid)
    token = found(disk.url)
    with (
        Service(ground.shop, disk.url, guard="failed-commits-heeded") as service,
        Crowd([service.port], token, journal, ground.draw, people=4).at_work() as crowd,
    ):
        services.append(service)
        crowd.wait_for(5)
        with disk.once["no space"]("1+"):
            crowd.wait_for(10)
    return judged(disk.url, journal)


ROW = Row(
    name="full",
    fault="the disk is full or broken at the Nth write: once, and for ever",
    engines=BOTH,
    trial=full,
    control=overlooked,
    without="what a failed commit says is overlooked",
)

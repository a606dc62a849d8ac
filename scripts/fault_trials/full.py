"""The disk is full, or broken: of what the service writes, the Nth call fails, or all from there on.

strace makes the calls of the running service fail (SQLite), or those of the PostgreSQL server's processes, and is taken
away again: then there is space.
"""

import time

from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import ALTERED, Service
from scripts.fault_trials.tracing import attached, spoiling
from scripts.fault_trials.trial import FILE_ONLY, Figures, Ground, Row

FAULTS = (("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fsync,fdatasync", "EIO"))
FIRST_SECONDS, LATER_SECONDS = 11.0, 3.0
"""Within what time a request is answered while nothing can be stored: the first, and those that come when that is
known."""


def full(ground: Ground) -> Figures:
    """Let writes fail once at each place, and for ever from some on."""
    folder, said = ground.folder(), ground.folder()
    url = f"sqlite:///{folder / 'ledger.db'}"
    token, figures = found(url), Figures()
    with (
        Service(ground.shop, url) as service,
        Crowd([service.port], token, said / "journal", ground.draw, people=4).at_work() as crowd,
    ):
        crowd.wait_for(5)
        for calls, error in FAULTS:
            for place in range(1, ground.size.failing_writes + 1):
                with attached(service.pid, said / "strace", *spoiling(folder, calls, error, str(place))):
                    crowd.wait_for(8)
                figures.trials += 1
            for place in ground.draw.sample(range(1, 2 * ground.size.failing_writes), ground.size.lasting_faults):
                with attached(service.pid, said / "strace", *spoiling(folder, calls, error, f"{place}+")):
                    figures.wrong += _while_nothing_is_stored(service, crowd, f"{error} of {calls}", figures)
                healed = time.monotonic()
                figures.first_good_writes.append(crowd.first_good_write(healed))
                figures.wrong += [] if _is_ready(service) else ["it does not say that it is ready again"]
                figures.trials += 1
        figures.more["503s"] = crowd.statuses.get(503, 0)
        strange = {status: count for status, count in crowd.statuses.items() if status not in (201, 409, 422, 503)}
    figures.wrong += [f"answers {strange}"] if strange else []
    figures.add(judged(url, said / "journal"))
    return figures


def _while_nothing_is_stored(service: Service, crowd: Crowd, what: str, figures: Figures) -> list[str]:
    """What does not hold of what people and operators are told meanwhile."""
    began = time.monotonic()
    while not (ready := service.ready())[1]["storage"]["trouble"]:
        if time.monotonic() - began > FIRST_SECONDS:
            return [f"{what}: /readyz still says {ready[1]}"]
        time.sleep(0.02)
    _keep_most(figures, "/readyz knows after at most, s", time.monotonic() - began)
    wrong = [] if ready[0] == 503 else [f"{what}: /readyz answers {ready[0]}"]
    for _ in range(3):
        answer = crowd.gift()
        _keep_most(figures, "then refused within, s", answer.seconds)
        if answer.status != 503 or "retry-after" not in answer.headers:
            wrong.append(f"{what}: answered {answer.status} {answer.headers}")
        if answer.seconds > LATER_SECONDS:
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
    folder, said = ground.folder(), ground.folder()
    url = f"sqlite:///{folder / 'ledger.db'}"
    token = found(url)
    with (
        Service(ground.shop, url, (*ALTERED, "failed-commits-heeded", "serve")) as service,
        Crowd([service.port], token, said / "journal", ground.draw, people=4).at_work() as crowd,
    ):
        crowd.wait_for(5)
        with attached(service.pid, said / "strace", *spoiling(folder, "pwrite64", "ENOSPC", "1+")):
            crowd.wait_for(10)
    return judged(url, said / "journal")


ROW = Row(
    name="full",
    fault="the disk is full or broken at the Nth write: once, and for ever",
    engines=FILE_ONLY,
    trial=full,
    control=overlooked,
    without="what a failed commit says is overlooked",
)

"""The PostgreSQL server that leads is killed, frozen, cut off or put aside, and another one of three is promoted.

Two copies of the service record all the while, each on funds of its own: one through HAProxy, one by a URL that names
all three servers. The control has no synchronous standby: both others lag behind when the leader is killed.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from scripts.benchmarks.workshop import issue_token, opened_ledger
from scripts.fault_trials.books import open_funds
from scripts.fault_trials.cluster import Cluster, until
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import compared, proved, told_in
from scripts.fault_trials.machine import Machine
from scripts.fault_trials.service import Service
from scripts.fault_trials.trial import SERVER_ONLY, Figures, Ground, Row

PEOPLE = 4
"""At each copy."""
BEFORE, SINCE = 30, 30
"""Entries that each copy records before the fault, and since."""
CANCELLED = 5
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
PROMOTION_SECONDS = 60.0
GOOD_WRITE_SECONDS = 90.0


class Fault(NamedTuple):
    """What befalls the leader; `most_seconds` is how soon something must be recorded after the promotion."""

    name: str
    befall: Callable[[Cluster, Machine], None]
    most_seconds: float = 30


def cancel_its_waits(cluster: Cluster, leader: Machine) -> None:
    """Cut its peers off, cancel every commit that waits for them, as somebody might who sees a server stand still, and
    kill it: the server calls such a commit done, and it is gone."""
    assert cluster.leader() is leader
    leader.cut_off("peers")
    for _ in range(CANCELLED):
        until(lambda: any(leader.query(CANCEL)) or None, "no commit waits for the standby")
    leader.kill()
    leader.throw_cables_away()


FAULTS = (
    Fault("switched over by hand", lambda cluster, _: cluster.switch_over(), 5),
    Fault("killed", lambda _, leader: leader.kill()),
    Fault("frozen, and woken when another leads", lambda _, leader: leader.freeze()),
    Fault("cut off from etcd and its peers", lambda _, leader: leader.cut_off()),
    Fault("killed after its waits were cancelled", cancel_its_waits),
    Fault("Patroni alone frozen", lambda _, leader: leader.freeze(agent_only=True)),
    Fault("Patroni alone frozen, and no watchdog", lambda _, leader: leader.freeze(agent_only=True, is_watched=False)),
)
WAYS = ("through HAProxy", "by all names")


class Copy(NamedTuple):
    """A copy of the service, and how it reaches the leader."""

    way: str
    service: Service


class Country(NamedTuple):
    """A cluster with books in it, and two copies of the service on it."""

    cluster: Cluster
    copies: list[Copy]
    token: str


def country(ground: Ground) -> Country:
    """The one on which all of the run is tried."""

    def make() -> Country:
        home = ground.shop.home / "cluster"
        home.mkdir()
        cluster = ground.shop.keep(Cluster(home))
        with opened_ledger(cluster.through_haproxy) as ledger:
            token = issue_token(ledger)
        urls = zip(WAYS, (cluster.through_haproxy, cluster.by_all_names), strict=True)
        copies = [Copy(way, ground.shop.keep(Service(ground.shop, url))) for way, url in urls]
        return Country(cluster, copies, token)

    return ground.shop.once("country", make)


class Recording:
    """People at one copy, on funds of their own."""

    def __init__(self, ground: Ground, place: Country, copy: Copy, number: int) -> None:
        self.way = copy.way
        self.funds = [f"LS-{'ABC'[WAYS.index(copy.way)]}{number:03}-{fund:02}" for fund in (1, 2)]
        self.journal = ground.folder() / "journal"
        with opened_ledger(place.cluster.through_haproxy) as ledger:
            open_funds(ledger, self.funds)
        self.crowd = Crowd(
            [copy.service.port],
            place.token,
            self.journal,
            ground.draw,
            people=PEOPLE,
            funds=self.funds,
            pause_seconds=0.01,
        )

    def judged(self, cluster: Cluster) -> Figures:
        """What the one that leads now has of what these people were told."""
        with opened_ledger(cluster.through_haproxy) as ledger:
            histories = {fund: ledger.recorder.lines(fund, 0, None) for fund in self.funds}
        return compared(histories, told_in(self.journal))


@contextmanager
def recording(ground: Ground, place: Country) -> Iterator[list[Recording]]:
    """People at every copy, until the end of the block; each time on new funds."""
    number = ground.shop.once("rounds", lambda: iter(range(1_000)))
    turn = next(number)
    with ExitStack() as working:
        parts = [Recording(ground, place, copy, turn) for copy in place.copies]
        for part in parts:
            working.enter_context(part.crowd.at_work())
        yield parts


@contextmanager
def promotion(cluster: Cluster, old: Machine) -> Iterator["Future[float]"]:
    """When another machine than this took over, by the monotonic clock: looked out for from before the fault, which may
    take longer than that. What is asked for raises `TimeoutError`."""
    others = [machine for machine in cluster.machines if machine is not old]

    def seen() -> float:
        until(lambda: any(machine.is_promoted() for machine in others) or None, "nobody is promoted", PROMOTION_SECONDS)
        return time.monotonic()

    with ThreadPoolExecutor(1) as watching:
        yield watching.submit(seen)


def survived(ground: Ground, place: Country, fault: Fault) -> dict[str, Figures]:
    """Let a fault befall the leader while people record, and end it when another one leads; by each copy's way."""
    cluster, seconds = place.cluster, {}
    cluster.until_whole()
    with recording(ground, place) as parts:
        for part in parts:
            part.crowd.wait_for(BEFORE)
        leader = cluster.led()
        with promotion(cluster, leader) as promoted:
            fault.befall(cluster, leader)
            since = promoted.result()
        for part in parts:
            seconds[part.way] = part.crowd.first_good_write(since, GOOD_WRITE_SECONDS)
        leader.heal()  # A frozen one wakes, and believes for a moment that it leads.
        for part in parts:
            part.crowd.wait_for(SINCE)
        cluster.until_whole()
    found = {part.way: part.judged(cluster) for part in parts}
    for way, figures in found.items():
        figures.trials = 1
        figures.first_good_writes = [round(seconds[way], 1)]
    return found


def every_fault(ground: Ground) -> Figures:
    """Try the faults one after the other."""
    place, whole = country(ground), Figures()
    table: list[dict[str, Any]] = []
    for number in range(ground.size.failovers):
        fault = FAULTS[number % len(FAULTS)]
        for way, figures in survived(ground, place, fault).items():
            whole.add(figures)
            table.append({"fault": fault.name, "way": way, "promised seconds": fault.most_seconds, **told(figures)})
    with opened_ledger(place.cluster.through_haproxy) as ledger:
        whole.wrong += proved(ledger)
    whole.more = {"each": table, "watchdog resets": sum(each.watchdog.resets for each in place.cluster.machines)}
    return whole


def told(figures: Figures) -> dict[str, Any]:
    """A line of what is kept."""
    return {
        "acknowledged": figures.acknowledged,
        "lost": figures.lost,
        "doubled": figures.doubled,
        "seconds": figures.first_good_writes,
        "wrong": figures.wrong,
    }


def without_a_synchronous_standby(ground: Ground) -> Figures:
    """Cut both standbys off, let people go on, and kill the leader."""
    place = country(ground)
    cluster, figures = place.cluster, Figures(trials=1)
    cluster.configure(synchronous_mode=False, synchronous_mode_strict=False)
    cluster.until_whole(confirming=0)
    with recording(ground, place) as parts:
        for part in parts:
            part.crowd.wait_for(BEFORE)
        leader = cluster.led()
        leader.cut_off("peers")
        for part in parts:
            part.crowd.wait_for(SINCE)
        with promotion(cluster, leader) as promoted:
            leader.kill()
            leader.throw_cables_away()  # Nothing of what was on its way arrives.
            since = promoted.result()
        figures.first_good_writes = [part.crowd.first_good_write(since, GOOD_WRITE_SECONDS) for part in parts]
    for part in parts:
        figures.add(part.judged(cluster))
    return figures


ROW = Row(
    name="fail-over",
    fault="the PostgreSQL server that leads is killed, frozen, cut off or put aside under Patroni",
    engines=SERVER_ONLY,
    trial=every_fault,
    control=without_a_synchronous_standby,
    without="no synchronous standby, and both cut off first",
)

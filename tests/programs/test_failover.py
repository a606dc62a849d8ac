"""Claims about three PostgreSQL servers under Patroni, as `deploy/patroni.yml` and `deploy/haproxy.cfg` set them, and
two copies of the service on them: one through HAProxy, one by a URL that names all three."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from scripts.benchmarks.workshop import Workshop, opened_ledger
from scripts.fault_trials import failover
from scripts.fault_trials.cluster import needs_a_cluster
from scripts.fault_trials.trial import SHORT, Ground, LeftOut
from service.operations.doctor.engine import of_postgres
from tests.support.jobs import IS_LONG

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_LONG, reason="a cluster takes as long as a quarter of the suite: scripts/test --long"),
]


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Where the faults are tried; all on one cluster, which each leaves whole."""
    try:
        needs_a_cluster()
    except LeftOut as left_out:
        pytest.skip(str(left_out))
    with Workshop() as shop:
        yield Ground(shop, SHORT, "PostgreSQL", Random(1))


def levels(ground: Ground) -> dict[str, str]:
    """What the doctor says of the server that leads."""
    url = failover.country(ground).cluster.through_haproxy
    with opened_ledger(url) as ledger:
        return {finding.code: finding.level for finding in of_postgres(ledger, url)}


def test_nothing_acknowledged_is_lost_or_doubled_and_both_copies_go_on_whatever_befalls_the_leader(
    ground: Ground,
) -> None:
    said = levels(ground)
    assert {said[code] for code in ("postgres-durable", "postgres-standbys", "patroni")} == {"well"}
    for fault in failover.FAULTS:
        found = failover.survived(ground, failover.country(ground), fault)
        assert set(found) == set(failover.WAYS)
        for figures in found.values():
            assert figures.holds, (fault.name, figures.failure)
            assert figures.acknowledged >= failover.BEFORE + failover.SINCE


def test_without_a_synchronous_standby_the_same_people_lose_what_they_were_told(ground: Ground) -> None:
    figures = failover.without_a_synchronous_standby(ground)
    assert figures.lost
    assert not figures.doubled
    assert {"postgres-asynchronous": "danger", "patroni-may-lose": "danger"}.items() <= levels(ground).items()

"""What the doctor says of a PostgreSQL server's settings, of its standbys and of Patroni; what it says of real ones,
`tests/programs/test_failover.py` looks at."""

from __future__ import annotations

import pytest

from service.operations.doctor import engine, standbys

SAFE = {
    "server_version": "18.9",
    "server_version_num": "180009",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "synchronous_standby_names": "ANY 1 (b, c)",
    "data_checksums": "on",
}


THERE = {"streams": 2, "seen": 2, "confirming": 1}
"""The standbys, as a monitor sees them."""


def test_a_server_that_waits_for_a_standby_and_loses_nothing_is_well() -> None:
    assert {finding.level for finding in engine.of_settings(SAFE)} == {"well"}
    for there in (THERE, {"streams": 2, "seen": 0, "confirming": 0}):
        assert standbys.of_confirming(SAFE, there, may_move=True).code == "postgres-standbys"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"server_version_num": "170006", "server_version": "17.6"}, "postgres-old"),
        ({"data_checksums": "off"}, "postgres-checksums"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_server_that_is_old_or_checks_no_sums_is_found(changes: dict[str, str], code: str) -> None:
    assert [finding.code for finding in engine.of_settings(SAFE | changes) if finding.level != "well"] == [code]


@pytest.mark.parametrize(
    ("changes", "there", "may_move", "expected"),
    [
        ({"synchronous_standby_names": ""}, {"streams": 0}, False, ("warning", "postgres-alone")),
        ({"synchronous_standby_names": ""}, {"streams": 0}, True, ("danger", "postgres-asynchronous")),
        ({"synchronous_standby_names": ""}, {"streams": 1}, False, ("danger", "postgres-asynchronous")),
        ({"synchronous_commit": "local"}, THERE, True, ("danger", "postgres-not-waiting")),
        ({}, {"streams": 0}, True, ("danger", "postgres-standby-gone")),
        ({}, {"streams": 1, "seen": 1, "confirming": 0}, True, ("danger", "postgres-standby-gone")),
    ],
)
def test_a_server_that_a_standby_cannot_replace_without_loss_is_found(
    changes: dict[str, str], there: dict[str, int], may_move: bool, expected: tuple[str, str]
) -> None:
    found = standbys.of_confirming(SAFE | changes, there, may_move=may_move)
    assert (found.level, found.code) == expected


def test_of_several_servers_the_one_that_writes_must_be_asked_for() -> None:
    def codes(url: str) -> list[str]:
        return [finding.code for finding in standbys.of_hosts(url)]

    assert codes("postgresql://u@a,b,c/n") == codes("postgresql://u@a,b,c/n?target_session_attrs=primary") == []
    assert codes("postgresql://u@a,b,c/n?target_session_attrs=any") == ["hosts-any"]
    assert codes("postgresql://u@a/n?target_session_attrs=any") == []


STRICT = {"loop_wait": 5, "synchronous_mode": True, "synchronous_mode_strict": True}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "well"),
        ({"synchronous_mode": "quorum"}, "well"),
        ({"synchronous_mode": False}, "danger"),
        ({"synchronous_mode_strict": None}, "danger"),
        ({"pause": True}, "warning"),
    ],
)
def test_patroni_that_may_lose_entries_or_promotes_nobody_is_found(changes: dict[str, object], level: str) -> None:
    assert standbys.of_patroni(STRICT | changes).level == level

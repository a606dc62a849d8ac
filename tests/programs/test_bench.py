"""The bench works: every section measures something, and all that was acknowledged is stored. No figure is judged.

The suite runs the sections that start few programs, and `scripts/test --long` all of them.
"""

import json
import subprocess
from typing import Any

import psycopg
import pytest

from scripts.benchmarks.__main__ import SECTIONS
from scripts.benchmarks.report import Ratio
from tests.programs.test_readme import ROOT, environment
from tests.support.jobs import IS_LONG

pytestmark = pytest.mark.long

BRIEF = ("meetings", "replay", "flat")
ASKED = tuple(SECTIONS) if IS_LONG else BRIEF
PROMISING = {
    "posts",
    "meetings",
    "replay",
    "flat",
    "loading",
    "rebuild",
    "reads",
    "reports",
    "pages",
    "evening",
    "copies",
}
"""The sections that measure what is promised; what the memory holds is measured among the reads."""


@pytest.fixture(scope="module")
def found(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the smallest run of the sections writes."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    subprocess.run(
        [ROOT / "scripts" / "bench", "--smoke", "--out", out, *(f"--only={section}" for section in ASKED)],
        env={**environment(), "MICROFUND_TEST_POSTGRES": postgres_server},
        check=True,
        timeout=900,
        stdout=subprocess.DEVNULL,
    )
    told: dict[str, Any] = json.loads(out.read_bytes())
    return told


def test_every_section_of_the_bench_measures_rates_and_times_above_nothing(found):
    assert set(found["seconds"]) == set(ASKED)
    for section in ASKED:
        figures = [figure for figure in found["figures"] if figure["section"] == section]
        measured = [
            figure[name] for figure in figures for name in ("rate", "p50_ms", "p99_ms") if figure[name] is not None
        ]
        assert measured
        assert all(value > 0 for value in measured), section


def test_all_that_the_bench_was_told_is_recorded_is_stored(found):
    assert found["unexpected"] == []
    of_ours = {"meetings SQLite"} | ({"microfund PostgreSQL", "evening PostgreSQL"} if IS_LONG else set())
    assert {count["what"] for count in found["counts"]} >= of_ours
    for count in found["counts"]:
        assert count["stored"] == count["acknowledged"] > 0, count["what"]


def test_every_promise_is_beside_what_was_measured(found):
    promised = {ratio["section"] for ratio in found["ratios"] if ratio["target"] is not None}
    assert promised == PROMISING.intersection(ASKED) | ({"memory"} if "reads" in ASKED else set())
    assert all(ratio["met"] in (True, False) for ratio in found["ratios"] if ratio["target"] is not None)


def test_the_bench_says_how_honestly_both_databases_commit(found):
    durability = found["durability"]
    assert (durability["fsync"], durability["synchronous_commit"]) == ("on", "on")
    assert durability["synchronous"] == "FULL"
    assert found["machine"]["cores"] > 0
    assert found["versions"]["SQLite"]


@pytest.mark.parametrize(("bound", "met"), [("at least", False), ("at most", True)])
def test_a_promise_is_kept_on_its_own_side_of_the_bound(bound, met):
    assert Ratio(section="posts", what="", value=0.4, target=0.5, bound=bound).met is met


def test_no_database_of_the_bench_stays_behind(found, postgres_server):
    with psycopg.connect(postgres_server) as server:
        names = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
    assert not [name for name in names if name.startswith("bench_")]

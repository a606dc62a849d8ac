"""The files for Prometheus and Grafana: every figure they name is one that the service answers, and every alert fires
when it should and is silent before."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.programs.test_readme import ROOT
from tests.support.service import FUND, House

DEPLOY = ROOT / "deploy"
RULES = (DEPLOY / "prometheus-rules.yml").read_text("utf-8")
BOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
NAME = re.compile(r"\b(?:microfund|process)_\w+")
DAY = 86_400

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")

FIRES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "MicrofundAway": ({"up": "1x40"}, {"up": "0x40"}),
    "MicrofundStoresNothing": (
        {'microfund_trouble{part="storage"}': "0x40"},
        {'microfund_trouble{part="storage"}': "1x40"},
    ),
    "MicrofundEntriesLost": ({"microfund_losses": "0x40"}, {"microfund_losses": "0x10 1x30"}),
    "MicrofundStateWrong": ({"microfund_wrong_states": "0x40"}, {"microfund_wrong_states": "0x10 1x30"}),
    "MicrofundHistoryBroken": (
        {'microfund_refusals_total{code="history-broken"}': "0x40"},
        {'microfund_refusals_total{code="history-broken"}': "0x30 1x10"},
    ),
    "MicrofundFails": (
        {'microfund_refusals_total{code="internal-error"}': "3x40"},
        {'microfund_refusals_total{code="internal-error"}': "0x30 1x10"},
    ),
    "MicrofundFiguresBehind": ({"microfund_read_model_lag": "999x40"}, {"microfund_read_model_lag": "1000x40"}),
    "MicrofundFundParked": ({"microfund_parked_funds": "0x40"}, {"microfund_parked_funds": "1x40"}),
    "MicrofundQueueLong": ({"microfund_writer_waiting": "1000x40"}, {"microfund_writer_waiting": "1001x40"}),
    "MicrofundCommitsSlow": (
        {
            'microfund_commit_seconds_bucket{le="1.0"}': "0+100x40",
            'microfund_commit_seconds_bucket{le="+Inf"}': "0+100x40",
        },
        {
            'microfund_commit_seconds_bucket{le="1.0"}': "0+90x40",
            'microfund_commit_seconds_bucket{le="2.5"}': "0+100x40",
            'microfund_commit_seconds_bucket{le="+Inf"}': "0+100x40",
        },
    ),
    "MicrofundAnswersSlow": (
        {
            'microfund_request_seconds_bucket{route="/v1/feed",le="2.5"}': "0x40",
            'microfund_request_seconds_bucket{route="/v1/feed",le="5.0"}': "0+9x40",
            'microfund_request_seconds_bucket{route="/v1/feed",le="+Inf"}': "0+9x40",
        },
        {
            'microfund_request_seconds_bucket{route="/v1/funds",le="2.5"}': "0+90x40",
            'microfund_request_seconds_bucket{route="/v1/funds",le="5.0"}': "0+100x40",
            'microfund_request_seconds_bucket{route="/v1/funds",le="+Inf"}': "0+100x40",
        },
    ),
    "MicrofundGuessing": (
        {'microfund_refusals_total{code="pin-locked"}': "0+2x40"},
        {
            'microfund_refusals_total{code="pin-locked"}': "0+4x40",
            'microfund_refusals_total{code="too-many-requests"}': "0+9x40",
        },
    ),
    "MicrofundCheckpointOld": (
        {"microfund_checkpoint_timestamp_seconds": "9x2280", "microfund_last_entry_timestamp_seconds": "8x2280"},
        {"microfund_checkpoint_timestamp_seconds": "8x2280", "microfund_last_entry_timestamp_seconds": "9x2280"},
    ),
    "MicrofundBackupOld": (
        {"microfund_backup_timestamp_seconds": "0x2000"},
        {"microfund_backup_timestamp_seconds": "0x2890"},
    ),
    "MicrofundDrillOld": (
        {"microfund_drill_timestamp_seconds": f"{1 - 91 * DAY}x40"},
        {"microfund_drill_timestamp_seconds": f"{-92 * DAY - 9}x40"},
    ),
    "MicrofundDiskFull": (
        {"microfund_disk_free_bytes": "1000000000x40"},
        {"microfund_disk_free_bytes": "999999999x40"},
    ),
    "MicrofundVersionsDiffer": (
        {
            'microfund_build_info{version="1",instance="a"}': "1x90",
            'microfund_build_info{version="1",instance="b"}': "1x90",
        },
        {
            'microfund_build_info{version="1",instance="a"}': "1x90",
            'microfund_build_info{version="2",instance="b"}': "1x90",
        },
    ),
}
"""By alert: figures of every minute under which it is silent, and those under which it fires at their end."""


def labelled(series: str) -> str:
    """A series as Prometheus has it once it has asked: with job and instance, unless it names them."""
    name, _, labels = series.removesuffix("}").partition("{")
    added = [label for label in ('job="microfund"', 'instance="a"') if label.partition("=")[0] + "=" not in labels]
    return f"{name}{{{','.join([*filter(None, [labels]), *added])}}}"


def case(alert: str, figures: dict[str, str], *, fires: bool) -> dict[str, Any]:
    """A test as promtool reads it: YAML, of which JSON is a part."""
    minutes = max(sum(map(int, re.findall(r"x(\d+)", values))) for values in figures.values())
    firing = f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    return {
        "interval": "1m",
        "input_series": [{"series": labelled(series), "values": values} for series, values in figures.items()],
        "promql_expr_test": [
            {
                "expr": firing,
                "eval_time": f"{minutes}m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else [],
            }
        ],
    }


def minutes_of(test: dict[str, Any]) -> int:
    return int(test["promql_expr_test"][0]["eval_time"].removesuffix("m"))


A_DAY = 24 * 60


def tried(file: Path, tests: list[dict[str, Any]], every: str = "1m") -> subprocess.CompletedProcess[str]:
    """What promtool says of tests, the rules looked at so often."""
    rules = {"rule_files": [str(DEPLOY / "prometheus-rules.yml")], "evaluation_interval": every, "tests": tests}
    file.write_text(json.dumps(rules))
    return subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)


def test_every_alert_says_in_words_what_is_wrong_and_what_to_do() -> None:
    alerts = re.findall(r"- alert: (\w+)\n(.*?)(?=\n\n|\Z)", RULES, re.DOTALL)
    assert [name for name, _ in alerts] == list(FIRES)
    for name, rest in alerts:
        assert re.search(r"severity: (critical|warning)}", rest), name
        assert re.search(r"summary: [A-Z].*\.\n", rest), name
        assert "action: " in rest, name


@needs_promtool
def test_the_files_are_what_prometheus_reads() -> None:
    for words in (("rules", "prometheus-rules.yml"), ("config", "prometheus.yml")):
        subprocess.run(["promtool", "check", *words], cwd=DEPLOY, check=True, capture_output=True)


@needs_promtool
def test_every_alert_fires_when_it_should_and_is_silent_before(tmp_path: Path) -> None:
    tests = [
        case(alert, figures, fires=fires)
        for alert, (well, ill) in FIRES.items()
        for figures, fires in ((well, False), (ill, True))
    ]
    of_days = [test for test in tests if minutes_of(test) > A_DAY]
    of_hours = [test for test in tests if test not in of_days]
    ran = tried(tmp_path / "hours.yml", of_hours)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = tried(tmp_path / "days.yml", of_days, every="10m")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_an_alert_that_does_not_fire_would_be_found(tmp_path: Path) -> None:
    tests = [case("MicrofundDiskFull", FIRES["MicrofundDiskFull"][0], fires=True)]
    assert tried(tmp_path / "tests.yml", tests).returncode == 1


def test_alerts_and_dashboard_name_only_figures_that_the_service_answers(village: House) -> None:
    village.post(f"/funds/{FUND}/donations", {"source": "community", "pot": "activity", "amount": 1})
    village.get("/funds/LS-NO-SUCH")
    answered = set(NAME.findall(re.sub("^#.*$", "", village.client.get("/metrics").text, flags=re.MULTILINE)))
    asked = {
        "alerts": RULES,
        "board": " ".join(query["expr"] for panel in BOARD["panels"] for query in panel["targets"]),
    }
    named = {where: set(NAME.findall(text)) for where, text in asked.items()}
    assert {where: names - answered for where, names in named.items()} == {"alerts": set(), "board": set()}
    assert len(named["alerts"]) > 12
    assert len(named["board"]) > 15


@needs_promtool
def test_every_query_of_the_dashboard_is_one_that_prometheus_reads(tmp_path: Path) -> None:
    queries = [query["expr"] for panel in BOARD["panels"] for query in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert f"SUCCESS: {len(queries)} rules found" in checked.stdout, checked.stdout + checked.stderr

"""Claims about plans and their reports over HTTP: asked for, frozen for ever, restated, read by whom they concern."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.access.principals import Scope
from tests.support.commands import command
from tests.support.service import FUND, OTHER_FUND, House, house, settle_in

PLAN = "VN-LS-47-2022"
HALF = f"plan={PLAN}&preset=half-1&year=2024"
PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text("utf-8")
SPENT = {"line": "training", "amount": 38_500_000, "document": "214/QĐ-SLĐTBXH", "on": "2024-05-20"}


@pytest.fixture
def province(sqlite_url: str) -> Iterator[House]:
    with house(sqlite_url) as running:
        settle_in(running, plan=PLAN)
        settle_in(running, OTHER_FUND, plan=PLAN, district="Văn Quan")
        running.token = running.issue("admin", "treasurer", "chair", "inspector", "reporter")
        yield running


def report(house: House, query: str = HALF, **how: Any) -> Any:
    answer = house.get(f"/report?{query}", **how)
    assert answer.status_code == 200, answer.text
    return answer.json()


def freeze(house: House, **how: Any) -> Any:
    return house.recorded("/reports", {"plan": PLAN, "preset": "half-1", "year": 2024}, **how)


# --- plans and what was spent of them -----------------------------------------------------------------------------


def test_a_plan_is_told_with_the_words_of_its_targets_in_both_languages(province: House) -> None:
    assert [plan["code"] for plan in province.get("/plans").json()["items"]] == ["VN-1648-2025", PLAN]
    plan = province.get(f"/plans/{PLAN}").json()
    members = next(target for target in plan["targets"] if target["id"] == "members")
    assert (members["at_least"], members["at_most"], members["clause"]) == (50, 70, "I.2")
    assert members["name"] == {"vi": "Số thành viên", "en": "Members"}
    assert {line["line"]: line["amount"] for line in plan["budget"]} == {
        "equipment": 120_000_000,
        "training": 40_000_000,
    }
    assert {"members", "good_clubs", "budget"} <= {indicator["id"] for indicator in plan["indicators"]}
    missing = province.get("/plans/VN-XX-1")
    assert (missing.status_code, missing.json()["code"]) == (404, "plan-not-found")


def test_what_was_spent_is_noted_in_a_chained_log_and_undone_by_adding(province: House) -> None:
    noted = province.recorded(f"/plans/{PLAN}/spending", SPENT)
    assert "38.500.000 đ" in noted["sentence"].replace("\u00a0", " ")
    assert budget(report(province))["training"] == (38_500_000, 1_500_000)

    undone = province.recorded(f"/plans/{PLAN}/spending/1/reversal", {"reason": "Nhầm số", "on": "2024-05-21"})

    assert (undone["version"], undone["reverses"]) == (2, 1)
    assert budget(report(province))["training"] == (0, 40_000_000)
    assert budget(report(province, f"plan={PLAN}&from=2024-01-01&to=2024-05-20"))["training"] == (38_500_000, 1_500_000)
    told = province.get(f"/plans/{PLAN}/spending").json()
    assert [(item["amount"], item["reversed_by"]) for item in told["items"]] == [(38_500_000, 2)]
    assert (told["version"], told["check_code"], told["spent"]["training"]) == (2, undone["check_code"], 0)


def budget(told: Any) -> dict[str, tuple[int, int]]:
    return {line["line"]: (line["evidenced"], line["open"]) for line in told["total"]["budget"]}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("spending", SPENT | {"line": "travel"}, 422, "budget-line-not-found"),
        ("spending", SPENT | {"on": "2024-06-16"}, 422, "future-day"),
        ("spending/7/reversal", {"reason": "Nhầm"}, 404, "entry-not-found"),
        ("spending/2/reversal", {"reason": "Nhầm"}, 404, "entry-not-found"),
        ("spending/1/reversal", {"reason": "Nhầm"}, 409, "already-reversed"),
        ("spending/3/reversal", {"reason": "Nhầm", "on": "2024-05-19"}, 422, "out-of-order"),
    ],
)
def test_spending_that_cannot_be_is_refused(province: House, path: str, body: Any, status: int, code: str) -> None:
    province.recorded(f"/plans/{PLAN}/spending", SPENT)
    province.recorded(f"/plans/{PLAN}/spending/1/reversal", {"reason": "Nhầm"})
    province.recorded(f"/plans/{PLAN}/spending", SPENT)
    answer = province.post(f"/plans/{PLAN}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_province_spends_by_whoever_has_to_do_with_all_of_it(province: House) -> None:
    scopes = (Scope(province="Lạng Sơn"), Scope(province="Lạng Sơn", district="Văn Quan"), Scope(funds=(FUND,)))
    statuses = [
        province.post(f"/plans/{PLAN}/spending", SPENT, token=province.issue("reporter", scope=scope)).status_code
        for scope in scopes
    ]
    assert statuses == [201, 403, 403]


def test_the_log_of_spending_is_verified_and_signed_like_any_other(province: House, sqlite_url: str) -> None:
    province.recorded(f"/plans/{PLAN}/spending", SPENT)
    checkpoint = province.post("/checkpoints")
    assert checkpoint.status_code == 201
    assert f"spending:{PLAN}" in {leaf.fund for leaf in province.checkpoints.leaves(0, 10)}
    said = command(sqlite_url, "verify", "--all", "--lang", "en")
    assert f"spending:{PLAN}: intact, 1 entries" in said.stdout


# --- the report ---------------------------------------------------------------------------------------------------


def test_the_code_of_a_report_is_recomputed_as_the_page_says(province: House, tmp_path: Path) -> None:
    told = report(province)
    for head in told["heads"]:
        (tmp_path / f"{head['fund']}.ndjson").write_bytes(province.get(f"/funds/{head['fund']}/history").content)
    period, scripts = told["period"], re.findall(r"^```bash report\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    printed = {"PLAN": told["plan"], "DEFINITIONS": told["definitions"], "FROM": period["from"], "TO": period["to"]}
    assert len(scripts) == 2, "in both languages"
    for script in scripts:
        ended = subprocess.run(  # Our own page.
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path, env=printed | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ended.stdout.strip() == told["report_code"]


def test_a_report_is_asked_for_by_a_preset_or_by_its_days(province: House) -> None:
    by_days = report(province, f"plan={PLAN}&from=2024-01-01&to=2024-06-30")
    assert report(province) == by_days | {"period": by_days["period"] | {"preset": "half-1"}}
    decree = report(province, f"plan={PLAN}&preset=nd09-h1&year=2024")
    assert decree["period"] == {"from": "2023-12-15", "to": "2024-06-14", "preset": "nd09-h1"}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"plan={PLAN}", 422, "invalid-fields"),
        (f"plan={PLAN}&preset=half-1", 422, "invalid-fields"),
        (f"plan={PLAN}&preset=half-1&year=2024&from=2024-01-01", 422, "invalid-fields"),
        (f"plan={PLAN}&preset=half-3&year=2024", 422, "invalid-fields"),
        (f"plan={PLAN}&from=2024-06-30&to=2024-01-01", 422, "period-upside-down"),
        (f"{HALF}&format=xml", 422, "invalid-fields"),
        (f"{HALF}&threshold=50", 422, "invalid-fields"),
        ("plan=VN-XX-1&preset=half-1&year=2024", 404, "plan-not-found"),
        ("preset=half-1&year=2024", 422, "invalid-fields"),
        (f"{HALF}&known_position=999999", 503, "position-not-reached"),
    ],
)
def test_what_is_no_question_is_refused(sqlite_url: str, query: str, status: int, code: str) -> None:
    with house(sqlite_url, read_wait_seconds=0.05) as running:
        answer = running.get(f"/report?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_place_is_asked_for_within_the_own_scope(province: House) -> None:
    narrow = province.issue("reporter", scope=Scope(province="Lạng Sơn", district="Văn Quan"))
    funds = [row["fund"] for row in report(province, f"{HALF}&district=Văn Quan")["by_club"]]
    assert funds == [OTHER_FUND]
    assert [row["fund"] for row in report(province, token=narrow)["by_club"]] == [OTHER_FUND]
    for place in ("province=Hà Giang", "district=Lạng Sơn"):
        assert province.get(f"/report?{HALF}&{place}", token=narrow).json()["code"] == "forbidden"


def test_the_rows_are_the_same_figures(province: House) -> None:
    rows = [json.loads(line) for line in province.get(f"/report/rows?{HALF}").text.splitlines()]
    told = report(province)
    found = {(row["fund"], row["indicator"], row["path"]): row for row in rows}
    assert len(found) == len(rows)
    women = found["", "women", ""]
    assert {name: women[name] for name in ("numerator", "denominator")} | {"percent": women["value"]} == told["total"][
        "women"
    ]
    assert (
        found[FUND, "pots", "revolving.closing.cash"]["value"]
        == told["by_club"][0]["pots"]["revolving"]["closing"]["cash"]
    )
    table = province.get(f"/report?{HALF}&format=csv")
    assert table.headers["Content-Disposition"] == f'attachment; filename="{PLAN}-{told["report_code"]}.csv"'
    assert len(table.text.splitlines()) == len(rows) + 1
    assert all(line.endswith(told["report_code"]) for line in table.text.splitlines()[1:])


# --- frozen and restated ------------------------------------------------------------------------------------------


def test_a_frozen_report_keeps_its_bytes_and_a_late_entry_is_named_beside_them(province: House) -> None:
    frozen = freeze(province)
    content = province.get(f"/report?{HALF}").content
    assert (frozen["report"], frozen["digest"]) == ("R-2024-0001", hashlib.sha256(content).hexdigest())

    late = province.recorded(f"/funds/{FUND}/activities", {"area": "health", "participants": 30, "on": "2024-05-02"})

    kept = province.get("/reports/R-2024-0001")
    assert (kept.content, kept.headers["ETag"]) == (content, f'"{frozen["digest"]}"')
    assert province.get(f"/report?{HALF}&known_position={frozen['position']}").content == content
    changed = province.get("/reports/R-2024-0001/restatement").json()
    assert changed["changes"] == [
        {"club": FUND, "indicator": "areas", "path": "", "before": 0, "after": 1, "entries": [late["version"]]}
    ]
    earlier = province.get(f"/reports/R-2024-0001/restatement?at_position={frozen['position']}").json()
    assert (earlier["position"], earlier["changes"]) == (frozen["position"], [])


def test_what_was_spent_late_is_restated_and_is_no_clubs(province: House) -> None:
    freeze(province)
    province.recorded(f"/plans/{PLAN}/spending", SPENT)
    (change,) = province.get("/reports/R-2024-0001/restatement").json()["changes"]
    assert change == {
        "club": None,
        "indicator": "budget",
        "path": "training.evidenced",
        "before": 0,
        "after": 38_500_000,
        "entries": [1],
    }


def test_the_same_request_freezes_once(province: House) -> None:
    first, again = freeze(province, key="half-year-2024"), freeze(province, key="half-year-2024")
    assert first == again
    other = province.post("/reports", {"plan": PLAN, "preset": "year", "year": 2023}, key="half-year-2024")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    dry = province.client.post(
        "/v1/reports?dry_run=true", json={"plan": PLAN, "preset": "half-1", "year": 2024}, headers=province.headers()
    )
    assert (dry.status_code, dry.json()["report"], dry.json()["digest"]) == (200, None, first["digest"])
    assert freeze(province)["report"] == "R-2024-0002"
    assert [item["report"] for item in province.get("/reports").json()["items"]] == ["R-2024-0002", "R-2024-0001"]
    page = province.get("/reports?limit=1").json()
    assert province.get(f"/reports?cursor={page['next']}").json()["items"][0]["report"] == "R-2024-0001"


def test_a_frozen_report_is_read_by_whom_all_its_clubs_concern(province: House) -> None:
    freeze(province, token=province.issue("reporter", scope=Scope(province="Lạng Sơn")))
    readers = {
        "all": Scope(everything=True),
        "province": Scope(province="Lạng Sơn"),
        "district": Scope(province="Lạng Sơn", district="Văn Quan"),
        "fund": Scope(funds=(FUND,)),
    }
    found = {}
    for name, scope in readers.items():
        token = province.issue("inspector", scope=scope)
        listed = len(province.get("/reports", token=token).json()["items"])
        found[name] = (province.get("/reports/R-2024-0001", token=token).status_code, listed)
    assert found == {"all": (200, 1), "province": (200, 1), "district": (404, 0), "fund": (404, 0)}
    hidden = province.get("/reports/R-2024-0001/restatement", token=province.issue("inspector", scope=readers["fund"]))
    assert hidden.json()["code"] == "report-not-found"


def test_a_report_is_printed_and_frozen_on_the_command_line(province: House, sqlite_url: str) -> None:
    words = ("report", "--plan", PLAN, "--preset", "half-1", "--year", "2024")
    told = report(province)
    assert json.loads(command(sqlite_url, *words).stdout) == told
    frozen = command(sqlite_url, *words, "--freeze", "--format", "ndjson", "--lang", "en")
    code = told["report_code"]
    assert re.fullmatch(f"frozen as R-[0-9]{{4}}-0001, code {code}", frozen.stderr.splitlines()[-1])
    assert all(json.loads(line)["report_code"] == code for line in frozen.stdout.splitlines())
    assert command(sqlite_url, "report", "--plan", PLAN, "--preset", "half-1").returncode == 2

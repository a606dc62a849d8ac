"""Claims about the report of a plan: every figure is that of the lines, whoever asks for it, wherever and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.projections.read_model import ReadModel
from ledger.reports.report import ReportQuestion
from ledger.reports.shares import summed
from tests.support.demo import filled
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.reported_lines import share
from tests.support.reporting import (
    OF_THE_PROVINCE,
    PLAN,
    as_lines_tell,
    by_lines,
    counted,
    leaves,
    lines_of,
    question,
    report_bytes,
    restated,
    told,
)
from tests.support.tables import following, in_turn, store

SEEDS = (1, 2, 3, 4, 6, 7, 8, 9)
PERIODS = (
    (date(2021, 9, 1), date(2021, 12, 31)),
    (date(2021, 12, 15), date(2022, 6, 14)),
    (date(2022, 1, 1), date(2022, 12, 31)),
)


def is_plainly_told(seed: int) -> bool:
    """Whether no old book was put right: what its loans were then is another claim's matter."""
    return not any(event.name == "OpeningBalancesCorrected" for event in random_fund(seed).entries)


@pytest.fixture
def club_ledger(database_url: str) -> Iterator[tuple[Ledger, ReadModel]]:
    """Random clubs whose entries came in on the same evenings."""
    with opened(database_url) as ledger:
        store(ledger, in_turn(*(random_fund(seed).pending for seed in SEEDS)))
        model = following(ledger)
        model.catch_up()
        yield ledger, model


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: f"{period[0]}..{period[1]}")
def test_every_figure_of_random_clubs_is_that_of_their_lines(club_ledger: Any, period: Any) -> None:
    _, model = club_ledger
    asked = question(*period, threshold=55)

    rows = {row["fund"]: as_lines_tell(row) for row in counted(model, asked).report["by_club"]}

    funds = {fund.id: fund for fund in map(random_fund, SEEDS) if fund.opened.on <= period[1]}
    assert rows.keys() == {code for code, fund in funds.items() if fund.place_on(period[1]).province == "Lạng Sơn"}
    for seed in filter(is_plainly_told, SEEDS):
        fund = random_fund(seed)
        if fund.id in rows:
            assert leaves(rows[fund.id]) == leaves(by_lines(told(fund.pending), asked)), seed


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, ReadModel]]:
    """A year and a half of some of the demo's clubs."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'fund.db'}"
    ledger = filled(url, date(2023, 3, 10), clubs=8, since=date(2021, 12, 1)).ledger
    model = following(ledger)
    model.catch_up()
    yield ledger, model
    ledger.close()


YEAR = question(date(2022, 1, 1), date(2022, 12, 31), PLAN)


def test_every_figure_of_the_demo_is_that_of_its_lines(demo: Any) -> None:
    ledger, model = demo
    report = counted(model, YEAR).report
    by_fund = {fund: by_lines(lines_of(ledger, fund), YEAR) for fund in ledger.funds()}

    assert {row["fund"]: leaves(as_lines_tell(row)) for row in report["by_club"]} == {
        fund: leaves(row) for fund, row in by_fund.items()
    }
    for name in ("members", "volunteers", "areas"):
        assert report["total"][name] == sum(row[name] for row in by_fund.values())
    for name in ("women", "older", "younger", "hardship", "borrowing_current", "borrowing_ever", "attendance"):
        parts = [row[name] for row in by_fund.values()]
        assert report["total"][name] == share(*(sum(p[of] for p in parts) for of in ("numerator", "denominator")))
    assert leaves(report["total"]["lending"]) == leaves(summed([row["lending"] for row in by_fund.values()]))
    assert leaves(report["total"]["pots"]) == leaves(summed([row["pots"] for row in by_fund.values()]))
    managed = [row["well_managed"]["met"] for row in by_fund.values()]
    assert report["total"]["well_managed"] == share(sum(managed), len(managed))


def test_each_pot_of_each_club_comes_out_to_the_dong(demo: Any) -> None:
    report = counted(demo[1], YEAR).report
    for row in [report["total"], *report["by_club"]]:
        for pot in row["pots"].values():
            assert pot["opening"] + pot["received"]["total"] - pot["paid"]["total"] == pot["closing"]["total"]
            for side in ("received", "paid"):
                accounts = (each["total"] if isinstance(each, dict) else each for each in pot[side].values())
                assert sum(accounts) == 2 * pot[side]["total"]


def test_the_budget_is_evidenced_by_the_gifts_that_name_its_document(demo: Any) -> None:
    lines = {line["line"]: line for line in counted(demo[1], YEAR).report["total"]["budget"]}
    gifts = [
        line
        for fund in demo[0].funds()
        for line in lines_of(demo[0], fund)
        if line["type"] == "InKindDonationReceived" and line["document"] == "8668/QĐ-SLĐTBXH"
    ]
    worth = sum(item["value"] for gift in gifts for item in gift["items"])
    assert lines["equipment"] == {
        "line": "equipment",
        "planned": 120_000_000,
        "evidenced": worth,
        "open": 120_000_000 - worth,
    }
    assert worth % 30_000_000 == 0
    assert lines["training"]["evidenced"] == 0


# --- the same, whoever asks ---------------------------------------------------------------------------------------

HALF = question(*PERIODS[1])


def test_an_old_position_answers_what_it_answered_then_also_after_a_rebuild(database_url: str) -> None:
    entries = in_turn(*(random_fund(seed).pending for seed in SEEDS))
    parts = [entries[start : start + 230] for start in range(0, len(entries), 230)]
    with opened(database_url) as ledger:
        model, answered = following(ledger), {}
        for part in parts:
            store(ledger, part)
            model.catch_up()
            answered[model.position] = report_bytes(model, HALF)
        assert len(set(answered.values())) == len(parts)
        for position, then in answered.items():
            assert report_bytes(model, HALF, position) == then
        model.rebuild()
        assert report_bytes(model, HALF) == answered[model.position]
        assert report_bytes(model, HALF, min(answered)) == answered[min(answered)]


def test_both_engines_answer_with_the_same_bytes(sqlite_url: str, postgres_url: str) -> None:
    entries, found = in_turn(*(random_fund(seed).pending for seed in SEEDS)), set()
    for url in (sqlite_url, postgres_url):
        with opened(url) as ledger:
            store(ledger, entries)
            model = following(ledger)
            model.catch_up()
            found.add(report_bytes(model, HALF))
    assert len(found) == 1


# --- restated -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if is_plainly_told(seed)][:4])
def test_whatever_is_told_late_shows_with_the_entries_that_did_it_and_nothing_else_does(
    sqlite_url: str, seed: int
) -> None:
    """Which entries change which figure is found from the lines alone, by working them out after each entry."""
    entries = random_fund(seed).pending
    for frozen_at in (len(entries) // 3, 2 * len(entries) // 3):
        since, until = sorted(entries[place].event.on for place in (frozen_at - 20, frozen_at + 10))
        asked = question(since, until)
        with opened(f"{sqlite_url}-{frozen_at}") as ledger:
            store(ledger, entries[:frozen_at])
            model = following(ledger)
            model.catch_up()
            frozen = report_bytes(model, asked)
            store(ledger, entries[frozen_at:])
            model.catch_up()
            found = restated(model, asked, frozen)
        rows = [leaves(by_lines(told(entries[:upto]), asked)) for upto in range(frozen_at, len(entries) + 1)]
        did: dict[str, list[int]] = {}
        for version, (before, after) in enumerate(pairwise(rows), frozen_at + 1):
            for path in before.keys() | after.keys():
                if before.get(path) != after.get(path):
                    did.setdefault(path, []).append(version)
        named = {f"{c['indicator']}.{c['path']}".strip("."): c for c in found if not _is_listed(c)}
        differ = {path for path in did if rows[0].get(path) != rows[-1].get(path) and not path.startswith(LISTED)}
        assert named.keys() == differ
        for path, change in named.items():
            assert change["entries"] == did[path], path
            assert (change["before"], change["after"]) == (rows[0].get(path), rows[-1].get(path)), path


LISTED = ("sources", "in_kind.gifts", "clubs", "budget", "well_managed.failed")
"""What stands in a list, or is said of all clubs: named otherwise there."""


def _is_listed(change: dict[str, Any]) -> bool:
    return f"{change['indicator']}.{change['path']}".startswith(LISTED)


def test_nothing_told_means_nothing_restated(club_ledger: Any) -> None:
    _, model = club_ledger
    assert restated(model, HALF, report_bytes(model, HALF)) == []


# --- which clubs --------------------------------------------------------------------------------------------------


def test_a_club_whose_line_was_changed_is_counted_nowhere_and_named(club_ledger: Any) -> None:
    ledger, model = club_ledger
    whole = counted(model, HALF).report
    broken = whole["heads"][2]["fund"]
    ledger.database.execute(
        "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 4",
        fund=broken,
        line=next(iter(ledger.recorder.lines(broken, 3, 4))).replace(b"female", b"male  "),
    )

    report = counted(model, HALF).report

    assert report["clubs"]["broken"] == [broken]
    assert report["clubs"]["counted"] == whole["clubs"]["counted"] - 1
    assert broken not in {row["fund"] for row in (*report["by_club"], *report["heads"])}
    assert report["total"]["members"] < whole["total"]["members"]


def test_a_report_of_no_club_has_the_shape_of_any_other(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'fund.db'}") as ledger:
        report = counted(following(ledger), YEAR).report
    assert report["clubs"] == {
        "expected": 24, "counted": 0, "founded": 0, "maintained": 0, "silent": [], "broken": [],
    }  # fmt: skip
    assert report["total"]["lending"]["par30"] == {"numerator": 0, "denominator": 0, "percent": None}
    assert report["total"]["pots"]["revolving"]["closing"]["total"] == 0
    assert report["total"]["well_managed"] == {"numerator": 0, "denominator": 0, "percent": None}
    assert {target["met"] for target in report["targets"] if target["per"] == "club"} == {None}


def test_a_club_that_told_nothing_for_sixty_days_is_silent(club_ledger: Any) -> None:
    ledger, model = club_ledger
    asked: ReportQuestion = question(date(2023, 1, 1), date(2023, 12, 31), OF_THE_PROVINCE)
    report = counted(model, asked).report
    last = {fund: max(line["recorded_at"][:10] for line in lines_of(ledger, fund)) for fund in ledger.funds()}
    assert {each["fund"] for each in report["clubs"]["silent"]} == {
        fund for fund, day in last.items() if day < "2023-11-01" and fund in {r["fund"] for r in report["by_club"]}
    }
    assert Counter(type(each["last_recorded_on"]) for each in report["clubs"]["silent"]).keys() <= {str}

"""Claims about the report of a plan: every figure is that of the lines, whoever asks for it, wherever and when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.events.spending import log_of
from ledger.projections.read_model import ReadModel
from ledger.reports.management import TESTS
from ledger.reports.periods import preset_period
from ledger.reports.report import ReportQuestion, encode
from tests.support.demo import filled
from tests.support.histories import random_fund
from tests.support.jobs import IS_LONG, opened
from tests.support.reported import Reported
from tests.support.reported_total import evidenced, total
from tests.support.reporting import (
    OF_THE_PROVINCE,
    PLAN,
    as_lines_tell,
    by_lines,
    counted,
    every_figure,
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
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Ledger, ReadModel]]:
    """Two years of the demo's 24 clubs, or all of it."""
    if IS_LONG:
        ledger = filled(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'fund.db'}", date(2027, 1, 20)).ledger
    else:
        ledger = Ledger(f"sqlite:///{request.getfixturevalue('demo_database')}")
    model = following(ledger)
    model.rebuild()
    yield ledger, model
    ledger.close()


YEAR = question(date(2023, 1, 1), date(2023, 12, 31), PLAN)
EVERY_HALF = [
    question(*preset_period(preset, year)[:2], PLAN) for year in range(2017, 2027) for preset in ("half-1", "half-2")
]


@pytest.mark.long
def test_every_figure_of_the_demo_is_that_of_its_lines_of_each_of_24_clubs_and_of_all(demo: Any) -> None:
    ledger, model = demo
    lines = {fund: lines_of(ledger, fund) for fund in ledger.funds()}
    spending = lines_of(ledger, log_of(PLAN.code))
    found: list[tuple[int, dict[str, int]]] = []
    for asked in EVERY_HALF if IS_LONG else [YEAR]:
        report = counted(model, asked).report
        told_of = [of for of in lines.values() if of[0]["on"] <= asked.period.until.isoformat()]
        clubs = [Reported(of, *asked.period[:2]) for of in told_of]
        rows = [club.row() for club in clubs]

        assert [leaves(as_lines_tell(row)) for row in report["by_club"]] == [leaves(row) for row in rows]
        of_all = as_lines_tell(report["total"])
        gifts, budget = of_all["in_kind"].pop("gifts"), of_all.pop("budget")
        assert leaves(of_all) == leaves(total(clubs, rows))
        assert sum(gift["value"] for gift in gifts) == of_all["in_kind"]["total"]
        assert {line["line"]: line["evidenced"] for line in budget} == evidenced(clubs, spending)
        found.append((len(rows), evidenced(clubs, spending)))
    assert found[-1] == (24, {"equipment": 120_000_000, "training": 38_500_000})


@pytest.mark.long
def test_each_pot_of_each_club_of_the_demo_comes_out_to_the_dong(demo: Any) -> None:
    report = counted(demo[1], YEAR).report
    for row in [report["total"], *report["by_club"]]:
        for pot in row["pots"].values():
            assert pot["opening"] + pot["received"]["total"] - pot["paid"]["total"] == pot["closing"]["total"]
            for side in ("received", "paid"):
                accounts = (each["total"] if isinstance(each, dict) else each for each in pot[side].values())
                assert sum(accounts) == 2 * pot[side]["total"]


HALVES = [asked for asked in EVERY_HALF if date(2022, 7, 1) <= asked.period.since < date(2024, 1, 1)]


def test_some_of_the_demos_clubs_are_well_managed_and_good_and_others_fail_by_every_test_that_can_be_failed(
    demo: Any,
) -> None:
    failed: set[str] = set()
    good: list[int] = []
    for asked in HALVES:
        report = counted(demo[1], asked).report
        total = report["total"]
        assert 8 <= total["well_managed"]["numerator"] < 17, "less than the plan asks for, and not so few"
        assert 12 <= total["full_activities"]["numerator"] < 24
        good.append(total["good_clubs"]["ever"]["numerator"])
        assert good[-1] < total["well_managed"]["numerator"], "half of the members must have borrowed, too"
        failed |= {name for row in report["by_club"] for name in row["well_managed"]["failed"]}
    assert max(good) > 0
    assert failed == TESTS.keys() - {"bylaws"}, "every fund has bylaws"


@pytest.mark.long
def test_what_the_demos_clubs_find_late_restates_the_half_year_that_was_frozen_before(demo: Any) -> None:
    ledger, model = demo
    asked, frozen_on = HALVES[2], "2024-01-05"
    told = ledger.recorder.select_notifications(None, 100_000)
    position = sum(json.loads(row.state)["recorded_at"] < frozen_on for row in told)
    frozen = encode(counted(model, asked, position).report)

    changes = restated(model, asked, frozen)

    assert len({change["club"] for change in changes}) >= 5
    assert {"lending", "pots", "oversight"} <= {change["indicator"] for change in changes}
    late = {(c["club"], version) for c in changes for version in c["entries"]}
    assert all(lines_of(ledger, fund)[version - 1]["recorded_at"] >= frozen_on for fund, version in sorted(late)[:20])


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


@pytest.mark.long
@pytest.mark.parametrize("seed", [seed for seed in SEEDS if is_plainly_told(seed)][: 4 if IS_LONG else 1])
def test_whatever_is_told_late_shows_in_every_frozen_report_it_changes_with_the_entries_that_did_it_and_in_no_other(
    sqlite_url: str, seed: int
) -> None:
    """Which entries change which figure is found from the lines alone, by working them out after each entry."""
    entries = random_fund(seed).pending
    frozen_at = len(entries) * (1 + seed % 2) // 3
    since, until = sorted(entries[place].event.on for place in (frozen_at - 20, frozen_at + 10))
    first = entries[0].event.on
    periods = {(since, until), (first, first + timedelta(days=20)), (since, date(2023, 12, 31))}
    questions = [question(*period) for period in sorted(periods)]
    with opened(sqlite_url) as ledger:
        store(ledger, entries[:frozen_at])
        model = following(ledger)
        model.catch_up()
        frozen = [report_bytes(model, asked) for asked in questions]
        store(ledger, entries[frozen_at:])
        model.catch_up()
        found = [restated(model, asked, then) for asked, then in zip(questions, frozen, strict=True)]
    unchanged = 0
    for asked, changes in zip(questions, found, strict=True):
        known = [every_figure(told(entries[:upto]), asked) for upto in range(frozen_at, len(entries) + 1)]
        expected = restated_by_lines(known, frozen_at)
        assert {f"{c['indicator']}.{c['path']}".strip("."): told_of(c) for c in changes} == expected
        unchanged += not expected
    assert unchanged, "of some period nothing was told"


def restated_by_lines(known: list[dict[str, Any]], version: int) -> dict[str, Any]:
    """Each figure that is another one after the last entry than after the version: what it was and is, and the entries
    that changed it."""
    did: dict[str, list[int]] = {}
    for after, (before, then) in enumerate(pairwise(known), version + 1):
        for path in before.keys() | then.keys():
            if before.get(path) != then.get(path):
                did.setdefault(path, []).append(after)
    first, last = known[0], known[-1]
    return {
        path: (first.get(path), last.get(path), entries)
        for path, entries in did.items()
        if first.get(path) != last.get(path)
    }


def told_of(change: dict[str, Any]) -> tuple[Any, Any, list[int]]:
    return change["before"], change["after"], change["entries"]


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

"""Claims about plans as data: those built in say what their text says, and a file that cannot be right is refused with
its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ledger.plans import BUILT_IN, BadPlan, load_plans, plan_of
from ledger.refusals import BudgetLineNotFound, PlanNotFound
from ledger.reports.indicators import INDICATORS, OF_ALL, READING_TARGETS, TARGETS
from ledger.reports.periods import Period, preset_period
from service.words import catalogue

SEED = (BUILT_IN / "VN-LS-47-2022.toml").read_text("utf-8")
TEXT = " ".join((Path(__file__).parents[2] / "docs" / "plan-47-2022.txt").read_text("utf-8").split())


def test_the_plan_of_the_province_says_what_its_text_says() -> None:
    plan = load_plans(TARGETS)["VN-LS-47-2022"]
    assert "ngày 30 tháng 3 năm 2022" in TEXT
    assert (plan.date, plan.clubs_expected) == (date(2022, 3, 30), 24)
    bands = {target.id: (target.at_least, target.at_most, target.share) for target in plan.target}
    assert "50 - 70 thành viên, trong đó 60% - 70% là phụ nữ, 60% - 70% là NCT, 30 - 40% là người trẻ" in TEXT
    assert bands["members"] == (50, 70, None)
    assert bands["women"] == bands["older"] == (60, 70, None)
    assert bands["younger"] == (30, 40, None)
    assert bands["good_clubs_ever"] == (None, None, 70)
    assert bands["volunteers"] == (5, None, None)
    assert sum(line.amount for line in plan.budget) == 160_000_000


def test_every_indicator_has_its_words() -> None:
    for indicator in (*INDICATORS, *OF_ALL, *READING_TARGETS):
        for word in ("name", "definition", "numerator", "denominator"):
            assert f"indicator.{indicator}.{word}" in catalogue.every_key()
    known = {key.split(".")[1] for key in catalogue.every_key() if key.startswith("indicator.")}
    assert known == {*INDICATORS, *OF_ALL, *READING_TARGETS}
    assert known >= TARGETS


@pytest.mark.parametrize(
    ("broken", "by", "code", "name"),
    [
        ("at_most = 70", "at_most = ", "not-toml", None),
        ('per = "club"', 'per = "village"', "wrong", "per"),
        ("amount = 120_000_000", "amount = 1.5", "wrong", "amount"),
        ('document = "8668/QĐ-SLĐTBXH"', "", "wrong", "budget"),
        ('issuer = "Sở', 'isuer = "Sở', "unknown", "isuer"),
        ('id = "women"', 'id = "wommen"', "no-indicator", "wommen"),
        ("date = 2022-03-30", "date = 2022-02-30", "not-toml", None),
        ('areas = ["economic",', 'areas = ["economics",', "wrong", "areas"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_line(
    tmp_path: Path, broken: str, by: str, code: str, name: str | None
) -> None:
    assert broken in SEED
    (tmp_path / "a.toml").write_text(SEED.replace(broken, by, 1), "utf-8")
    with pytest.raises(BadPlan) as refused:
        load_plans(TARGETS, tmp_path)
    line = next(number for number, text in enumerate(SEED.splitlines(), 1) if broken in text)
    assert refused.value.code == code
    assert refused.value.facts["file"] == str(tmp_path / "a.toml")
    assert refused.value.facts.get("name") == name
    # A part that lacks something is pointed at where it begins.
    assert line - 8 <= refused.value.facts["line"] <= line
    assert refused.value.facts["line"] == line or name == "budget"


def test_what_is_missing_is_named_and_no_two_files_are_one_plan(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SEED.replace('number = "47/KH-SLĐTBXH"\n', ""), "utf-8")
    with pytest.raises(BadPlan) as refused:
        load_plans(TARGETS, tmp_path)
    assert (refused.value.code, refused.value.facts["name"]) == ("missing", "number")
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(SEED, "utf-8")
    with pytest.raises(BadPlan, match="twice"):
        load_plans(TARGETS, tmp_path)
    with pytest.raises(BadPlan, match="no-folder"):
        load_plans(TARGETS, tmp_path / "nowhere")


def test_a_plan_of_the_folder_takes_the_place_of_the_one_built_in(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SEED.replace("at_least = 24", "at_least = 30"), "utf-8")
    plans = load_plans(TARGETS, tmp_path)
    assert plan_of(plans, "VN-LS-47-2022").clubs_expected == 30
    assert "VN-1648-2025" in plans
    with pytest.raises(PlanNotFound):
        plan_of(plans, "VN-XX-1")
    with pytest.raises(BudgetLineNotFound):
        plans["VN-LS-47-2022"].refuse_unknown_line("travel")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadPlan, match="unreadable"):
        load_plans(TARGETS, tmp_path)


def test_presets_are_those_of_the_decree_and_of_the_calendar() -> None:
    assert preset_period("nd09-h1", 2026) == Period(date(2025, 12, 15), date(2026, 6, 14), "nd09-h1")
    assert preset_period("nd09-year", 2026)[:2] == (date(2025, 12, 15), date(2026, 12, 14))
    assert preset_period("half-2", 2026)[:2] == (date(2026, 7, 1), date(2026, 12, 31))
    half = preset_period("nd09-h1", 2026)
    assert [month.name for month in half.months()] == ["2025-12", *(f"2026-0{month}" for month in range(1, 7))]
    assert half.quarters_ended() == (("2025-10-01", "2025-12-31"), ("2026-01-01", "2026-03-31"))

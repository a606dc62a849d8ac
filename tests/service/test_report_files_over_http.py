"""Claims about the files of a report as they are asked for: named by their code, about nobody, and what changed."""

from __future__ import annotations

from typing import Any

import pytest

from service.reports.files import FORMATS
from tests.service.test_service_reports import HALF, PLAN, freeze, province
from tests.support.report_files import texts, unpacked
from tests.support.service import FUND, NAME, House

__all__ = ["province"]

SECOND = f"plan={PLAN}&preset=half-2&year=2024"
QUICK = [name for name in FORMATS if name not in ("json", "pdf")]


def file_of(house: House, query: str, form: str) -> Any:
    answer = house.get(f"/report?{query}&format={form}")
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("form", QUICK)
def test_a_file_is_named_by_its_code_and_holds_no_persons_name(province: House, form: str) -> None:
    code = province.get(f"/report?{HALF}").json()["report_code"]
    answer = file_of(province, HALF, form)

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{PLAN}-{code}.{form}"'
    assert answer.headers["Content-Type"] == FORMATS[form].media_type
    said = unpacked(answer.content) if form in ("docx", "xlsx") else answer.content.decode()
    assert code in said
    assert NAME not in said


def test_a_frozen_file_bears_its_number_and_the_next_report_says_what_has_changed_since(province: House) -> None:
    number = freeze(province)["report"]
    assert f"số {number}" in texts(province.get(f"/reports/{number}?format=docx").content)
    assert f"điều chỉnh so với báo cáo số {number}" in texts(file_of(province, SECOND, "docx").content)

    gift = {"amount": 700_000, "source": "business", "pot": "activity", "on": "2024-05-03"}
    late = province.recorded(f"/funds/{FUND}/donations", gift)
    said = texts(file_of(province, SECOND, "docx").content)
    assert f"So với báo cáo số {number}, đến nay (vị trí {late['position']})" in said
    assert "quỹ hoạt động, thu, ủng hộ, tài trợ, doanh nghiệp".capitalize() in said
    # The half-year itself has no report before it, and whoever is not of the office sees one report alone.
    assert "Không có báo cáo đã chốt" in texts(file_of(province, HALF, "docx").content)
    assert "Không có báo cáo đã chốt" in texts(file_of(province, f"{SECOND}&audience=public", "docx").content)


def test_a_file_of_an_old_position_is_the_same_bytes_whatever_came_later(province: House) -> None:
    freeze(province)
    position = province.get(f"/report?{SECOND}").json()["position"]
    before = {form: file_of(province, f"{SECOND}&known_position={position}", form).content for form in QUICK}

    province.recorded(f"/funds/{FUND}/activities", {"area": "health", "participants": 30, "on": "2024-05-02"})
    freeze(province, key="frozen-again")
    for form, content in before.items():
        assert file_of(province, f"{SECOND}&known_position={position}", form).content == content


def test_a_year_is_told_beside_the_year_before(province: House) -> None:
    year = file_of(province, f"plan={PLAN}&preset=year&year=2024", "docx")
    assert "So với cùng kỳ năm trước" in texts(year.content)
    assert "So với cùng kỳ năm trước" not in texts(file_of(province, HALF, "docx").content)

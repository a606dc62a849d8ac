"""Claims about the files of a report: the same figures in each, each beside its fraction, none of them a person's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.reports.public import FEWER, public
from service.reports.files import FORMATS, document
from service.reports.files.docx import docx_of
from service.reports.files.figures import Beside, ReportWords
from service.reports.files.page import html_of, pdf_of
from service.reports.files.plan_tables import path_in_words
from service.reports.files.xlsx import SHEETS, xlsx_of
from tests.service.test_papers_pdf import WITH_PDF
from tests.support import report_files as read
from tests.support.reporting import PLAN

BESIDE = Beside(plan=PLAN, number="R-2022-0002", restated=read.CHANGES)
WITH_OFFICE = pytest.mark.skipif(
    not (shutil.which("soffice") and shutil.which("pdftotext")),
    reason="LibreOffice (soffice) or pdftotext is not installed here",
)


@pytest.fixture
def report() -> dict[str, Any]:
    return read.year_reported()


POTS = ("Quỹ tăng thu nhập", "Quỹ hoạt động")


def rows_of(sheet: Any) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


# --- the workbook -------------------------------------------------------------------------------------------------


def test_the_workbook_has_its_sheets_and_each_prints_across_one_page_with_the_code_at_its_foot(report: Any) -> None:
    made = read.workbook(xlsx_of(report, "vi", BESIDE))

    assert made.sheetnames == [
        "0 Doc truoc", "1 Chi tieu", "2 Theo CLB", "3 Vay von", "4 Quy", "5 Nguon", "6 Hien vat", "7 Qua han",
        "8 Dieu chinh", "9 Ma kiem tra",
    ]  # fmt: skip
    for sheet in made:
        assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert report["report_code"] in sheet.oddFooter.left.text
        assert sheet.freeze_panes is not None
        assert sheet.print_title_rows is not None


def test_shares_are_formulas_that_hold_their_value_and_numbers_are_numbers(report: Any) -> None:
    content = xlsx_of(report, "vi", BESIDE)
    asked, told = (read.workbook(content, values=values)["1 Chi tieu"] for values in (False, True))
    shares = 0
    for row in asked.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                above, below = re.findall(r"[A-Z]+\d+", cell.value)
                assert told[cell.coordinate].value == pytest.approx(asked[above].value / asked[below].value)
                shares += 1
    assert shares == sum(row["percent"] is not None for row in report["targets"])
    women = next(row for row in rows_of(told) if row[0] == "Tỷ lệ phụ nữ")
    target = next(row for row in report["targets"] if row["id"] == "women")
    assert [value for value in women if isinstance(value, int)][:2] == [target["numerator"], target["denominator"]]


def test_each_pot_of_each_club_adds_up_on_its_sheet(report: Any) -> None:
    content = xlsx_of(report, "vi")
    told = [row for row in rows_of(read.workbook(content, values=True)["4 Quy"]) if row[1] in POTS]
    of_clubs = [pot for club in report["by_club"] for pot in club["pots"].values()]
    of_all = list(report["total"]["pots"].values())

    assert [row[2:6] for row in told[: len(of_clubs) + 2]] == [
        [pot["opening"], pot["received"]["total"], pot["paid"]["total"], pot["closing"]["total"]]
        for pot in (*of_clubs, *of_all)
    ]
    assert {row[6] for row in told} == {0}
    asked = read.workbook(content)["4 Quy"]
    assert sum(cell.data_type == "f" for row in asked.iter_rows() for cell in row) == len(told)


@pytest.mark.parametrize("text", ["=1+1", "+84 912", "-5", "@SUM(A1)", "https://example.org", "{=1}"])
def test_no_text_becomes_a_formula_or_a_link(report: Any, text: str) -> None:
    report["by_club"][0]["club"] = report["by_club"][0]["commune"] = text
    report["total"]["in_kind"] = {
        "gifts": [{"on": "2022-03-01", "source": "business", "document": text, "value": 30_000_000}],
        "total": 30_000_000,
    }
    made = read.workbook(xlsx_of(report, "vi", BESIDE))

    def said(cell: Any) -> str:
        return f"{str(cell.value)[:1].lower()}{str(cell.value)[1:]}"  # Texts begin with a capital.

    found = [cell for sheet in made for row in sheet.iter_rows() for cell in row if said(cell) == text]
    assert len(found) > 5
    assert {cell.data_type for cell in found} == {"s"}
    assert all(cell.hyperlink is None for cell in found)


def test_what_the_workbook_says_of_itself_lets_the_code_be_recomputed(report: Any) -> None:
    made = read.workbook(xlsx_of(report, "vi", BESIDE))
    about = {row[0]: row[1] for row in rows_of(made["0 Doc truoc"])}
    assert about["Mã báo cáo"] == report["report_code"]
    assert about["Đến hết ngày"] == "31/12/2022"
    assert f"(vị trí {report['position']})" in about["Sổ lúc"]
    heads = {row[1]: (row[2], row[3]) for row in rows_of(made["9 Ma kiem tra"])}
    assert {head["fund"]: heads[head["fund"]] for head in report["heads"]} == {
        head["fund"]: (str(head["version"]), head["head"]) for head in report["heads"]
    }
    last = f"{report['plan']} {report['definitions']} 2022-01-01 2022-12-31"
    assert last in str(made["9 Ma kiem tra"]["A3"].value)


def test_what_has_changed_names_the_figure_in_words_and_the_entries(report: Any) -> None:
    rows = rows_of(read.workbook(xlsx_of(report, "vi", BESIDE))["8 Dieu chinh"])
    assert rows[-2][1:4] == ["Hai quỹ", "Quỹ hoạt động, thu, ủng hộ, tài trợ, doanh nghiệp", 100_000]
    assert rows[-2][6] == 700_000
    assert rows[-2][9] == "121, 150"
    assert rows[-1][:3] == ["Kế hoạch", "Kinh phí", "Tập huấn cho các câu lạc bộ, đã có chứng từ"]
    words = ReportWords(report, "vi", BESIDE)
    assert path_in_words(words, "lending", "by_sex.female.loans") == "theo giới tính, nữ, lượt vay"
    assert path_in_words(words, "sources", "business/foreign.cash") == "doanh nghiệp (nước ngoài), tiền mặt"
    alone = rows_of(read.workbook(xlsx_of(report, "vi"))["8 Dieu chinh"])
    assert alone[2][0] == "Không có báo cáo đã chốt của kỳ trước để so sánh."


# --- the document -------------------------------------------------------------------------------------------------

PARTS = (
    "I. TÌNH HÌNH CHUNG", "II. KẾT QUẢ THỰC HIỆN", "1. Kết quả thực hiện các chỉ tiêu", "2. Vay vốn",
    "3. Quỹ của câu lạc bộ", "4. Vận động nguồn lực", "5. Hỗ trợ bằng hiện vật và kinh phí",
    "6. Sinh hoạt và giúp nhau", "7. Quản lý, kiểm tra, giám sát", "III. TỒN TẠI, HẠN CHẾ",
    "IV. PHƯƠNG HƯỚNG, NHIỆM VỤ", "V. KIẾN NGHỊ, ĐỀ XUẤT", "VI. ĐIỀU CHỈNH SO VỚI BÁO CÁO TRƯỚC",
)  # fmt: skip


def size_of(section: Any) -> tuple[int, int]:
    return round(section.page_width.mm), round(section.page_height.mm)


def test_the_document_is_laid_out_by_the_decree(report: Any) -> None:
    made = read.document(docx_of(report, "vi", BESIDE))
    first, annexes = made.sections

    assert size_of(first) == (210, 297)
    assert 20 <= round(first.top_margin.mm) <= 25
    assert 20 <= round(first.bottom_margin.mm) <= 25
    assert 30 <= round(first.left_margin.mm) <= 35
    assert 15 <= round(first.right_margin.mm) <= 20
    assert size_of(annexes) == (297, 210)
    normal = made.styles["Normal"]
    assert normal.font.name == "Times New Roman"
    assert 13 <= normal.font.size.pt <= 14
    assert [text for text in (p.text for p in made.paragraphs) if text in PARTS] == list(PARTS)
    # The number of a page is in the middle of its top, but for the first.
    assert "PAGE" in first.header._element.xml
    assert "PAGE" not in first.first_page_header._element.xml


def test_the_states_name_stands_above_a_drawn_line_and_draft_stands_in_a_box(report: Any) -> None:
    head = read.document(docx_of(report, "vi", BESIDE)).tables[0]
    left, right = head.rows[0].cells

    assert [p.text for p in right.paragraphs][:2] == [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
    ]
    assert "w:u " not in head._element.xml  # Drawn, not underlined.
    assert right.paragraphs[2]._p.xpath("./w:pPr/w:pBdr/w:bottom")
    draft = next(p for p in left.paragraphs if p.text == "DỰ THẢO")
    assert len(draft._p.xpath("./w:pPr/w:pBdr/*")) == 4


def test_every_page_bears_the_code_and_which_of_how_many_it_is(report: Any) -> None:
    made = read.document(docx_of(report, "vi", BESIDE))
    for section in made.sections:
        for foot in (section.footer, section.first_page_footer):
            assert report["report_code"] in foot._element.xml
            assert "NUMPAGES" in foot._element.xml


def test_the_document_says_its_figures_beside_their_fractions_and_from_where_they_are(report: Any) -> None:
    said = read.texts(docx_of(report, "vi", BESIDE))
    women, known = report["total"]["women"], f"(vị trí {report['position']})"
    percent = women["percent"].replace(".", ",")

    assert f"phụ nữ {women['numerator']}/{women['denominator']} ({percent}%)" in said
    assert "đến hết ngày 31/12/2022" in said
    assert known in said
    assert f"mã báo cáo {report['report_code']}" in said
    assert PLAN.number in said
    assert all(recipient in said for recipient in PLAN.recipients)
    assert "Đầu kỳ cộng thu trừ chi bằng cuối kỳ, khớp đến từng đồng" in said


def test_a_pot_that_does_not_add_up_is_not_said_to(report: Any) -> None:
    report["by_club"][0]["pots"]["activity"]["opening"] += 1
    assert "khớp đến từng đồng" not in read.texts(docx_of(report, "vi", BESIDE))


def test_missing_broken_and_silent_clubs_are_named(report: Any) -> None:
    clubs, name = report["clubs"], report["by_club"][0]["club"]
    clubs["expected"] = clubs["counted"] + 3
    clubs["broken"] = ["LS-0099"]
    clubs["silent"] = [{"fund": report["by_club"][0]["fund"], "last_recorded_on": "2022-08-01"}]
    said = read.texts(docx_of(report, "vi", BESIDE))

    assert f"{clubs['counted']}/{clubs['expected']} CLB; còn thiếu: LS-0099, 2 câu lạc bộ chưa có sổ" in said
    assert "không đưa vào báo cáo: LS-0099" in said
    short = re.sub("^Câu lạc bộ Liên thế hệ tự giúp nhau ", "", name)
    assert f"{short} (ghi lần cuối ngày 01/08/2022)" in said


def test_what_a_target_misses_is_proposed_as_a_fact_with_the_clubs_that_miss_it(report: Any) -> None:
    said = read.texts(docx_of(report, "vi", BESIDE)).partition("III. TỒN TẠI")[2].partition("IV. PHƯƠNG")[0]
    missed = [row for row in report["targets"] if row["met"] is False]
    assert said.count("Chỉ tiêu “") == len(missed) > 0


def test_a_year_stands_beside_the_year_before(report: Any) -> None:
    before = read.year_reported(2021)
    said = read.texts(docx_of(report, "vi", BESIDE._replace(last_year=before)))
    _, _, compared = said.partition("So với cùng kỳ năm trước")
    rows = compared.split("\n")
    at = rows.index("Thành viên")
    members = [report["total"]["members"] for report in (before, report)]
    assert rows[at + 1 : at + 4] == [*map(str, members), str(members[1] - members[0]).replace("-", "(") + (
        ")" if members[1] < members[0] else ""
    )]  # fmt: skip
    assert "So với cùng kỳ" not in read.texts(docx_of(report, "vi", BESIDE))


def test_a_country_of_clubs_has_their_rows_in_the_spreadsheet_only(
    report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MOST_CLUBS", len(report["by_club"]) - 1)
    said = read.texts(docx_of(report, "vi", BESIDE))
    assert "số liệu của từng CLB ở tệp bảng tính" in said
    assert "Câu lạc bộ và thành viên" not in said
    assert report["heads"][0]["head"] not in said


# --- the page, and the PDF ----------------------------------------------------------------------------------------


def test_the_page_loads_nothing_runs_nothing_and_repeats_no_markup(report: Any) -> None:
    report["by_club"][0]["club"] = "<script>alert(1)</script>"
    page = html_of(report, "vi", BESIDE).decode()

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert re.search(
        r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src", page
    )
    assert not re.search(r"(src|href)=|url\(|@import", page)


def test_the_page_says_what_the_document_says(report: Any) -> None:
    page = re.sub(r"<[^>]+>", "\n", html_of(report, "vi", BESIDE).decode().partition("<body>")[2])
    on_page = {line.strip().replace("\xa0", " ") for line in page.splitlines()}
    in_document = {line.strip() for line in read.texts(docx_of(report, "vi", BESIDE)).splitlines()}
    figures = {line for line in in_document if re.fullmatch(r"[\d./]+( \([\d,]+%\))?", line)}
    assert len(figures) > 100
    assert figures - on_page <= {"1"}  # The number of a page, until it is laid out.


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_of_a_frozen_report_bears_its_number_in_both_languages(report: Any, language: str) -> None:
    assert html_of(report, language, BESIDE).decode().count("R-2022-0002") >= 2  # On paper, and on the screen.


@WITH_PDF
def test_every_page_of_the_pdf_bears_the_code_and_its_number(report: Any) -> None:
    content = pdf_of(report, "vi", BESIDE)
    laid_out = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    pages = laid_out.stdout.decode().split("\f")[:-1]

    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert f"trang {number}/{len(pages)}" in page
        assert report["report_code"] in page
    assert content == pdf_of(report, "vi", BESIDE)


# --- all of them --------------------------------------------------------------------------------------------------

QUICK = [name for name in FORMATS if name != "pdf"]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("form", QUICK)
def test_a_report_makes_the_same_bytes_whenever_it_is_asked_for(report: Any, form: str, language: str) -> None:
    make = FORMATS[form].make
    content = make(report, language, BESIDE)
    assert content == make(read.year_reported(), language, BESIDE)
    if form in ("xlsx", "docx"):
        assert {member.date_time[0] for member in read.members(content)} == {1980}


@pytest.mark.parametrize("form", QUICK)
def test_what_is_hidden_from_the_public_stands_as_text_in_every_file(report: Any, form: str) -> None:
    for_all = public(report)
    hidden = [club for club in for_all["by_club"] if FEWER in (club["women"]["numerator"], club["volunteers"])]
    assert hidden
    content = FORMATS[form].make(for_all, "vi", Beside(PLAN))

    if form == "xlsx":
        cells = [c for sheet in read.workbook(content) for row in sheet.iter_rows() for c in row if c.value == FEWER]
        assert cells
        assert {cell.data_type for cell in cells} == {"s"}
    else:
        said = read.texts(content) if form == "docx" else content.decode().replace("&lt;", "<")
        assert FEWER in said


def test_a_report_of_no_club_has_all_its_files(report: Any) -> None:
    nothing = read.nothing_reported()
    assert nothing["by_club"] == []
    for form in QUICK:
        assert FORMATS[form].make(nothing, "vi", Beside())


def test_files_are_made_by_libraries_that_nothing_else_waits_for() -> None:
    program = "import sys, service.reports.files; print({'xlsxwriter', 'docx', 'weasyprint'} & set(sys.modules))"
    home = Path(__file__).parent.parent.parent
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=home, env=os.environ)
    assert told.stdout.decode().strip() == "set()"


def test_every_sheet_says_what_it_is_about_in_both_languages(report: Any) -> None:
    for language in ("vi", "en"):
        made = read.workbook(xlsx_of(report, language, BESIDE))
        titles = [sheet["A1"].value for sheet in made]
        assert len(set(titles)) == len(SHEETS) == len(titles)


@WITH_OFFICE
@pytest.mark.parametrize(("form", "make"), [("xlsx", xlsx_of), ("docx", docx_of)])
def test_an_office_program_opens_the_file_and_finds_the_figures(
    report: Any, tmp_path: Path, form: str, make: Any
) -> None:
    said = read.opened_by_office(make(report, "vi", BESIDE), form, tmp_path)

    assert report["report_code"] in said
    women = report["total"]["women"]
    if form == "xlsx":
        assert re.search(rf"\b{women['numerator']}\s+{women['denominator']}\s+{re.escape(women['percent'])}%", said)
    else:
        assert f"{women['numerator']}/{women['denominator']} ({women['percent'].replace('.', ',')}%)" in said
        pages = said.count("\f")
        assert f"trang {pages}/{pages}" in said

"""The report as a page for print, and that page as a PDF: the document of `document.py`, which a browser shows too.

Nothing is loaded and nothing runs, wherever the file is opened: the page says so itself. The same report makes the same
bytes; a PDF is laid out without a date or a number of its own.
"""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from ledger.reports.report import Report
from service.papers.printing import PRESS, content_policy, css_text, laid_out
from service.reports.files.document import Blank, Figures, Heading, Paragraph, document_of
from service.reports.files.figures import ALONE, Beside, ReportWords
from service.reports.files.table import Column, Table
from service.templating import TEMPLATES
from service.words import catalogue

KINDS: Final = {Heading: "heading", Paragraph: "paragraph", Blank: "blank", Figures: "figures"}
"""What the template calls the parts of a document."""


def html_of(report: Report, language: str, beside: Beside = ALONE) -> bytes:
    """The report as a page."""
    return _page(report, language, beside).encode()


def pdf_of(report: Report, language: str, beside: Beside = ALONE) -> bytes:
    """The report as a PDF. Raises `PdfUnavailable`."""
    return PRESS.submit(laid_out, _page(report, language, beside)).result()


def _page(report: Report, language: str, beside: Beside) -> str:
    content = document_of(report, language, beside)
    words = content.words
    style = TEMPLATES.get_template("reports/report.css").render(
        footer=css_text(content.footer), page=css_text(words.phrase("page"))
    )
    return TEMPLATES.get_template("reports/report.html").render(
        content=content,
        words=words,
        language=language,
        paper=lambda key: catalogue.render(f"paper.{key}", language),
        kind=lambda block: KINDS[type(block)],
        cells=lambda table, row: _cells(words, table, row),
        width=lambda table, column: _width(table, column),
        policy=content_policy(style).partition("; frame-ancestors")[0],  # A page cannot say that of itself.
        style=Markup(style),  # noqa: S704  # Our own file; what is put into it was looked at letter by letter.
    )


def _cells(words: ReportWords, table: Table, row: object) -> list[tuple[str, str]]:
    return [(column.kind, words.text(column.of(row))) for column in table.columns]


def _width(table: Table, column: Column) -> str:
    return f"w{100 * column.width_on_paper // sum(each.width_on_paper for each in table.columns)}"

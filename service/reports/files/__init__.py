"""A report in the forms it is asked for in: each a function of the report and the language, the same bytes every time.

Another form is an entry of `FORMATS`: its media type, the ending of its file, and what makes its bytes.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ledger.reports.report import Report, encode
from service.reports.files.docx import docx_of
from service.reports.files.figures import Beside
from service.reports.files.page import html_of, pdf_of
from service.reports.files.tables import csv_of, ndjson_of
from service.reports.files.xlsx import xlsx_of

OFFICE: Final = "application/vnd.openxmlformats-officedocument"


class Format(NamedTuple):
    """A form of the report."""

    media_type: str
    ending: str
    make: Callable[[Report, str, Beside], bytes]
    """Given the report, the language of the reader, and what is said beside it."""


def _alone(make: Callable[[Report, str], bytes]) -> Callable[[Report, str, Beside], bytes]:
    """What makes a form of the report's figures alone."""
    return lambda report, language, _: make(report, language)


FORMATS: Final[Mapping[str, Format]] = {
    "json": Format("application/json", "json", _alone(lambda report, _: encode(report))),
    "xlsx": Format(f"{OFFICE}.spreadsheetml.sheet", "xlsx", xlsx_of),
    "docx": Format(f"{OFFICE}.wordprocessingml.document", "docx", docx_of),
    "pdf": Format("application/pdf", "pdf", pdf_of),
    "html": Format("text/html; charset=utf-8", "html", html_of),
    "csv": Format("text/csv; charset=utf-8", "csv", _alone(csv_of)),
    "ndjson": Format("application/x-ndjson", "ndjson", _alone(ndjson_of)),
}
"""By the name they are asked for by."""

SHOWN_BESIDE: Final = frozenset({"xlsx", "docx", "pdf", "html"})
"""The forms that say what stands beside the figures, too."""

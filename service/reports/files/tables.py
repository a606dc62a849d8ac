"""The tidy table of a report: a row for each figure, for spreadsheets and for programs."""

import csv
import io
from typing import Final

import msgspec

from ledger.reports.report import Report
from ledger.reports.rows import Figure, rows

BOM: Final = "\ufeff"
"""By it a spreadsheet knows the letters of Vietnamese."""


def csv_of(report: Report, _: str) -> bytes:
    """As CSV; the code that the report is known by stands in every row."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow((*Figure._fields, "report_code"))
    for figure in rows(report):
        writer.writerow((*map(_cell, figure), report["report_code"]))
    return (BOM + table.getvalue()).encode()


def _cell(value: object) -> object:
    """Truths as programs write them, and no text that a spreadsheet would run as a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def ndjson_of(report: Report, _: str) -> bytes:
    """The same rows as lines of JSON."""
    lines = (figure._asdict() | {"report_code": report["report_code"]} for figure in rows(report))
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

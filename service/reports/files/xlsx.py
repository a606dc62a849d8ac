"""The report as a workbook: numbers as numbers, shares as formulas that also hold their value, texts as texts.

Whatever a text begins with, it is never a formula. Every sheet prints across one page of A4 and bears the report's code
at its foot. The same report makes the same bytes: the file's own time is that of the books.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ledger.reports.report import Report
from service.reports.files.about import about, last_line
from service.reports.files.club_tables import (
    clubs_life,
    clubs_members,
    clubs_verdicts,
    gifts,
    lending,
    lending_groups,
    overdue,
    pot_accounts,
    pots,
    sources,
    sources_by_club,
)
from service.reports.files.figures import ALONE, Beside, Cell, ReportWords, Share, is_number, made_at
from service.reports.files.plan_tables import budget, compared, definitions, heads, restated, restated_said, targets
from service.reports.files.table import Column, Table, code, text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


class Sheet(NamedTuple):
    """A sheet: its name, which says the same in both languages, what it is about, and its tables one below another."""

    name: str
    matter: str
    tables: Callable[[ReportWords], Sequence[Table | None]]
    remark: Callable[[ReportWords], str] = lambda words: words.said("unit")


SHEETS: Final = (
    Sheet(
        "0 Doc truoc",
        "about",
        lambda words: (about(words), _contents(words), definitions(words)),
        lambda words: words.said("about.no_person"),
    ),
    Sheet(
        "1 Chi tieu", "targets", lambda words: (targets(words).without("rank", "result", "clubs_of"), compared(words))
    ),
    Sheet("2 Theo CLB", "by_club", lambda words: (clubs_members(words), clubs_verdicts(words), clubs_life(words))),
    Sheet("3 Vay von", "lending", lambda words: (lending(words), lending_groups(words))),
    Sheet("4 Quy", "pots", lambda words: (pots(words), pot_accounts(words))),
    Sheet("5 Nguon", "sources", lambda words: (sources(words), sources_by_club(words))),
    Sheet("6 Hien vat", "gifts", lambda words: (gifts(words), budget(words))),
    Sheet("7 Qua han", "overdue", lambda words: (overdue(words),)),
    Sheet("8 Dieu chinh", "restated", lambda words: (restated(words),), restated_said),
    Sheet(
        "9 Ma kiem tra",
        "heads",
        lambda words: (heads(words),),
        lambda words: words.said("about.recompute", last=last_line(words)),
    ),
)


def _contents(words: ReportWords) -> Table:
    columns = code("matter", 34, lambda sheet: sheet.name), text("answer", 100, lambda sheet: _matter(words, sheet))
    return Table("sheets", columns, SHEETS)


def _matter(words: ReportWords, sheet: Sheet) -> str:
    return words.said(f"sheet.{sheet.matter}")


def xlsx_of(report: Report, language: str, beside: Beside = ALONE) -> bytes:
    """The report as a workbook."""
    from xlsxwriter import Workbook  # Slow to import, and only files need it.

    words = ReportWords(report, language, beside)
    made = io.BytesIO()
    # Only what is asked for is a formula, a link or a number.
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        workbook.set_properties({"title": _matter(words, SHEETS[0]), "created": made_at(report)})
        formats = _formats(workbook)
        for sheet in SHEETS:
            _write(workbook.add_worksheet(sheet.name), sheet, words, formats)
    return made.getvalue()


FACE: Final = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
CELL: Final = FACE | {"border": 1}
STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "title": FACE | {"bold": True, "font_size": 14},
    "remark": FACE | {"italic": True},
    "table": FACE | {"bold": True, "font_size": 12},
    "head": CELL | {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "bg_color": "#E8E8E8"},
    "text": CELL | {"text_wrap": True, "indent": 1},
    "number": CELL | {"num_format": "#,##0;(#,##0)"},
    "percent": CELL | {"num_format": "0.0%"},
    "day": CELL | {"num_format": "dd/mm/yyyy"},
}
LINE: Final = 15
"""The height of a line, in points. Rows are given theirs, since not every program makes room for what is wrapped."""
PARTS: Final = {"share": ("numerator", "denominator", "percent"), "figure": ("value", "denominator", "percent")}
"""The columns that a spreadsheet has for a share: its fraction, and the formula."""


def _formats(workbook: Workbook) -> dict[str, Format]:
    """Every style, and the same for sums, in bold."""
    plain = {name: workbook.add_format(style) for name, style in STYLES.items()}
    bold = {f"{name} of all": workbook.add_format({**style, "bold": True}) for name, style in STYLES.items()}
    return plain | bold


class _Writer(NamedTuple):
    """Writes one table onto a sheet, from a row of it on."""

    sheet: Worksheet
    words: ReportWords
    formats: Mapping[str, Format]
    table: Table

    def places(self) -> Iterator[tuple[int, Column]]:
        """The columns of the table, each with the first of the sheet's that it takes."""
        place = 0
        for column in self.table.columns:
            yield place, column
            place += len(PARTS.get(column.kind, (column.key,)))

    def head(self, row: int) -> int:
        """Write the names of the columns; returns the row after them."""
        has_parts = any(column.kind in PARTS for column in self.table.columns)
        self._room_for_head(row, has_parts=has_parts)
        for place, column in self.places():
            title, style = self.words.said(f"column.{column.key}"), self.formats["head"]
            parts = PARTS.get(column.kind)
            if parts:
                self.sheet.merge_range(row, place, row, place + len(parts) - 1, title, style)
                for after, part in enumerate(parts):
                    name = "%" if part == "percent" else self.words.said(f"column.{part}")
                    self.sheet.write_string(row + 1, place + after, name, style)
            elif has_parts:
                self.sheet.merge_range(row, place, row + 1, place, title, style)
            else:
                self.sheet.write_string(row, place, title, style)
        return row + 1 + has_parts

    def _room_for_head(self, row: int, *, has_parts: bool) -> None:
        """Make the rows of the head as high as its longest name."""
        lines = max(
            _wrapped(self.words.said(f"column.{column.key}"), column.width * (3 if column.kind in PARTS else 1) - 2)
            for column in self.table.columns
        )
        rows = 1 + has_parts
        for after in range(rows):
            self.sheet.set_row(row + after, LINE * -(-lines // rows))

    def body(self, row: int) -> int:
        """Write the rows, those of all together last; returns the row after them."""
        of_each, of_all = len(self.table.rows), len(self.table.sums)
        for line, found in enumerate((*self.table.rows, *self.table.sums)):
            cells = [(place, column, column.of(found)) for place, column in self.places()]
            self.sheet.set_row(row + line, LINE * max(_lines(column, cell) for _, column, cell in cells))
            for place, column, cell in cells:
                self.cell(row + line, place, column, cell, " of all" if line >= of_each else "")
        return row + of_each + of_all

    def cell(self, row: int, place: int, column: Column, cell: Cell, of: str) -> None:
        if column.kind in PARTS:
            self.fraction(row, place, cell, of)
        elif column.kind == "check" and is_number(cell):
            self.check(row, place, cell, of)
        else:
            self.one(row, place, cell, of)

    def one(self, row: int, place: int, cell: Cell, of: str) -> None:
        """One value, as what it is."""
        if is_number(cell):
            self.sheet.write_number(row, place, cell, self.formats[f"number{of}"])
        elif isinstance(cell, date):
            at = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  # A day of a spreadsheet has no zone.
            self.sheet.write_datetime(row, place, at, self.formats[f"day{of}"])
        elif cell is None:
            self.sheet.write_blank(row, place, None, self.formats[f"text{of}"])
        else:
            self.sheet.write_string(row, place, self.words.text(cell), self.formats[f"text{of}"])

    def fraction(self, row: int, place: int, cell: Cell, of: str) -> None:
        """A share as numerator, denominator and formula; what is hidden from the public stands as text."""
        whole = cell if isinstance(cell, Share) else Share(cell if not isinstance(cell, date) else None, None, None)
        self.one(row, place, whole.numerator, of)
        self.one(row, place + 1, whole.denominator, of)
        if is_number(whole.numerator) and is_number(whole.denominator) and whole.denominator:
            above, below = _address(row, place), _address(row, place + 1)
            value = whole.numerator / whole.denominator  # type: ignore[operator]
            self.sheet.write_formula(row, place + 2, f"={above}/{below}", self.formats[f"percent{of}"], value)
        else:
            self.one(row, place + 2, None, of)

    def check(self, row: int, place: int, value: Cell, of: str) -> None:
        """What a row leaves over when it is added up."""
        at = {column.key: _address(row, place) for place, column in self.places()}
        first, second, third, fourth = (at[key] for key in self.table.adds)
        formula = f"={first}+{second}-{third}-{fourth}"
        self.sheet.write_formula(row, place, formula, self.formats[f"number{of}"], value)


def _lines(column: Column, cell: Cell) -> int:
    """How many lines a cell takes."""
    return _wrapped(cell, column.width) if column.kind == "text" and isinstance(cell, str) else 1


def _wrapped(text: str, width: int) -> int:
    """How many lines a text takes; a fifth more letters go on one than the column is wide."""
    return max(1, -(-len(text) * 5 // (width * 6)))


def _address(row: int, place: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    address: str = xl_rowcol_to_cell(row, place)
    return address


FIRST: Final = 3
"""The row of a sheet where its first table begins, below the title, what it is of, and a remark."""


def _write(worksheet: Worksheet, sheet: Sheet, words: ReportWords, formats: Mapping[str, Format]) -> None:
    report = words.report
    worksheet.write_string(0, 0, f"{sheet.name[0]}. {_matter(words, sheet)}", formats["title"])
    footer = words.said("footer", code=report["report_code"], until=words.day(report["period"]["to"]))
    worksheet.write_string(1, 0, f"{words.plan}, {words.period()} · {footer}", formats["remark"])
    worksheet.write_string(2, 0, sheet.remark(words), formats["remark"])
    tables = [table for table in sheet.tables(words) if table is not None]
    row, widths = FIRST, dict[int, int]()
    for table in tables:
        writer = _Writer(worksheet, words, formats, table)
        if table is not tables[0]:
            worksheet.write_string(row + 1, 0, words.said(f"table.{table.key}"), formats["table"])
            row += 2
        after_head = writer.head(row)
        if table is tables[0]:
            worksheet.freeze_panes(after_head, 1)
            worksheet.repeat_rows(row, after_head - 1)
        row = writer.body(after_head)
        for place, width in _widths(writer):
            widths[place] = max(width, widths.get(place, 0))
    for place, width in widths.items():
        worksheet.set_column(place, place, width)
    _set_page(worksheet, words, footer)


def _widths(writer: _Writer) -> Iterator[tuple[int, int]]:
    for place, column in writer.places():
        for after in range(len(PARTS.get(column.kind, (column.key,)))):
            yield place + after, column.width


def _set_page(worksheet: Worksheet, words: ReportWords, footer: str) -> None:
    worksheet.set_landscape()
    worksheet.set_paper(9)  # A4
    worksheet.fit_to_pages(1, 0)
    worksheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)
    worksheet.set_footer(
        f'&L&"Times New Roman,Regular"&9{footer}&R&"Times New Roman,Regular"&9{words.said("page")} &P/&N'
    )

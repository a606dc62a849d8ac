"""The template of a takeover: the forms, empty, with help, an example and lists to choose from."""

import csv
from pathlib import Path
from typing import Final, Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ledger.chart import POTS
from ledger.money import MAX_AMOUNT
from service.takeover.forms import (
    ASIDES,
    COLUMNS,
    FORMS,
    LANGUAGE,
    MAX_MEMBERS,
    Column,
    Form,
    aside_of,
    header_of,
    title_of,
    title_of_lists,
)
from service.words import catalogue

FILE_NAMES: Final[dict[Form, str]] = {"members": "thanh-vien.csv", "loans": "khoan-vay.csv", "balances": "so-du.csv"}
"""Without diacritics: not every memory stick keeps them."""

SMALLEST_USUAL: Final = 1_000
"""An amount below is more likely one that lost its thousands; a spreadsheet asks, and takes it if it is meant."""

_NUMBER_FORMATS: Final = {"amount": "#,##0", "number": "0", "day": "dd/mm/yyyy"}
_LAST_ROW: Final = MAX_MEMBERS + 100


def write_template(path: Path, kind: Literal["xlsx", "csv"]) -> None:
    """Write an empty workbook, or a directory of three CSV files as Vietnamese spreadsheets open them.

    Raises `OSError`, above all rather than write over a file that somebody may have filled in.
    """
    if kind == "xlsx":
        with path.open("xb") as file:
            _workbook().save(file)
        return
    path.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        with (path / FILE_NAMES[form]).open("x", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=";").writerows([_headers(form), *_asides(form), *_begun(form)])


def _headers(form: Form) -> list[str]:
    return [header_of(form, column) for column in COLUMNS[form]]


def _asides(form: Form) -> list[list[str]]:
    """The rows that help, and are passed over when the form is read as long as nobody changes them."""
    return [list(aside_of(form, aside).values()) for aside in ASIDES]


def _begun(form: Form) -> list[list[str]]:
    """The lines every club must fill in: cash and bank of both pots."""
    if form != "balances":
        return []
    return [
        [catalogue.render(f"word.account.{place}", LANGUAGE), catalogue.render(f"word.pot.{pot}", LANGUAGE)]
        for pot in POTS
        for place in ("cash", "bank")
    ]


def _workbook() -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = {form: book.create_sheet(title_of(form)) for form in FORMS}
    lists = book.create_sheet(title_of_lists())
    for form, sheet in sheets.items():
        for row in (_headers(form), *_asides(form), *_begun(form)):
            sheet.append(row)
        _dress(sheet)
        for position, column in enumerate(COLUMNS[form], 1):
            _prepare(sheet, position, column, header_of(form, column), lists)
    return book


def _dress(sheet: Worksheet) -> None:
    """Headers stand out and stay in view; help and example recede."""
    for row, font in ((1, Font(bold=True)), (2, Font(italic=True, color="666666")), (3, Font(color="999999"))):
        for cell in sheet[row]:
            cell.font = font
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.fill = PatternFill("solid", fgColor="DDEBF7" if row == 1 else "F7F7F7")
    sheet.freeze_panes = "A2"


def _prepare(sheet: Worksheet, position: int, column: Column, header: str, lists: Worksheet) -> None:
    """Give a column its width, its number format, and the check a spreadsheet makes while it is filled in."""
    letter = get_column_letter(position)
    sheet.column_dimensions[letter].width = 26
    sheet.column_dimensions[letter].number_format = _NUMBER_FORMATS.get(column.kind, "@")
    check = _check(column, header, lists)
    if check:
        check.add(f"{letter}4:{letter}{_LAST_ROW}")
        sheet.add_data_validation(check)


def _check(column: Column, header: str, lists: Worksheet) -> DataValidation | None:
    match column.kind:
        case "word":
            return DataValidation(type="list", formula1=_listed(column, header, lists), allow_blank=True)
        case "number":
            return DataValidation(type="whole", formula1=str(column.least), formula2=str(column.most), allow_blank=True)
        case "amount":
            return DataValidation(
                type="whole",
                formula1=str(SMALLEST_USUAL),
                formula2=str(MAX_AMOUNT),
                allow_blank=True,
                errorStyle="warning",
                error=catalogue.render("takeover.unusual-amount", LANGUAGE),
            )
    return None


def _listed(column: Column, header: str, lists: Worksheet) -> str:
    """Where a column's words stand on the sheet of lists; inside a check, Excel takes no more than 255 letters."""
    position = lists.max_column + 1 if lists.max_row > 1 else 1
    words = [header, *column.choices]
    for row, word in enumerate(words, 1):
        lists.cell(row, position, word)
    letter = get_column_letter(position)
    lists.column_dimensions[letter].width = 40
    return f"'{lists.title}'!${letter}$2:${letter}${len(words)}"

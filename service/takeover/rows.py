"""The sheets of a takeover read back, from tables to rows to values.

Reading is strict and complete: whatever is wrong is found at once, each finding with its sheet and cell, and no row is
passed over in silence. Headers and words are compared without case and diacritics.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

from ledger.events.club import household_key
from ledger.register import folded
from service.bounds import EARLIEST, MAX_TEXT, fault_of_words, has_a_letter, is_readable
from service.takeover.forms import (
    ASIDES,
    COLUMNS,
    FORMS,
    CellAddress,
    Column,
    Form,
    Report,
    aside_of,
    header_of,
    mark_of,
    title_of,
    title_of_lists,
)
from service.takeover.legacy_encodings import legacy_encoding
from service.takeover.spreadsheets import Cell, Table


class Row(NamedTuple):
    """A row of a form: what was understood, by field; `wrong` are the fields that were not, each with its finding."""

    form: Form
    number: int
    columns: Mapping[str, int]
    values: dict[str, Any]
    wrong: set[str]

    def at(self, field: str) -> CellAddress:
        """The cell of a field."""
        return CellAddress(self.form, self.number, self.columns[field])


class _Wrong(Exception):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


# --- from tables to rows ----------------------------------------------------------------------------------------------


def key_of(text: str) -> str:
    """What counts of a title or a header: its letters and digits."""
    return re.sub(r"[\W_]+", "", folded(text))


def assign(tables: Sequence[Table], report: Report) -> dict[Form, Table]:
    """Which table is which form, by its title; the report takes what is missing, unknown, passed over or twice."""
    forms: dict[str, Form] = {key_of(title_of(form)): form for form in FORMS}
    found: dict[Form, Table] = {}
    for table in tables:
        form = forms.get(key_of(table.title))
        if form is None and _is_own_lists(table):
            report.note(CellAddress(), "lists-passed-over", title=title_of_lists())
        elif form is None:
            report.find(CellAddress(), "sheet-unknown", title=shown(table.title), titles=_titles())
        elif form in found:
            report.find(CellAddress(form), "sheet-twice")
        else:
            found[form] = table
    for form in FORMS:
        if form not in found:
            report.find(CellAddress(form), "sheet-missing")
    return found


def _is_own_lists(table: Table) -> bool:
    """Whether a sheet is the template's words to choose from, and nothing that somebody wrote on it."""
    columns = [(form, column) for form in FORMS for column in COLUMNS[form] if column.kind == "word"]
    own = {key_of(header_of(form, column)) for form, column in columns}
    own |= {key_of(word) for _, column in columns for word in column.choices}
    return key_of(table.title) == key_of(title_of_lists()) and own >= {key_of(cell.text) for cell in table.cells}


def shown(name: str) -> str:
    """The name of a sheet or file as it may be repeated."""
    return name if is_readable(name) and len(name) <= MAX_TEXT else "…"


def _titles() -> str:
    return ", ".join(title_of(form) for form in FORMS)


def rows_of(form: Form, table: Table, today: date, report: Report) -> list[Row] | None:
    """The rows of a form but for the template's own; None if its header does not tell what they mean.

    The report takes all that is wrong with them, what was mended, and which rows were passed over.
    """
    by_row: dict[int, dict[int, Cell]] = {}
    for cell in table.cells:
        if cell.kind != "text" or cell.text.strip():
            by_row.setdefault(cell.row, {})[cell.column] = cell
    for corner in table.merged:
        report.find(CellAddress(form, *corner), "merged-cells")
    if not by_row:
        report.find(CellAddress(form), "sheet-empty")
        return None
    columns = _columns(form, by_row.pop(min(by_row)), report)
    if columns is None:
        return None
    return [
        _row(form, number, cells, columns, today, report)
        for number, cells in sorted(by_row.items())
        if not _is_aside(form, number, cells, columns, report)
    ]


def _columns(form: Form, header: Mapping[int, Cell], report: Report) -> dict[int, Column] | None:
    """The column of each position; None if the header does not fit, since then no cell means anything."""
    known = {key_of(header_of(form, column)): column for column in COLUMNS[form]}
    columns: dict[int, Column] = {}
    before = len(report.findings)
    for position, cell in header.items():
        column, place = known.get(key_of(cell.text)), CellAddress(form, cell.row, position)
        if column is None and (encoding := legacy_encoding(cell.text)):
            report.find(place, "legacy-encoding", encoding=encoding)
        elif column is None:
            report.find(place, "column-unknown")
        elif column in columns.values():
            report.find(place, "column-twice")
        else:
            columns[position] = column
    missing = [header_of(form, column) for column in COLUMNS[form] if column not in columns.values()]
    if missing:
        report.find(CellAddress(form), "column-missing", columns=", ".join(missing))
    return columns if len(report.findings) == before else None


def _is_aside(
    form: Form, number: int, cells: Mapping[int, Cell], columns: Mapping[int, Column], report: Report
) -> bool:
    """Whether a row is one of the template's own: passed over as it was, and asked about if somebody changed it.

    What begins like one in any other column than the marked one is a member's name or the club's equipment.
    """
    marked = COLUMNS[form][0]
    position = next(position for position, column in columns.items() if column == marked)
    text = cells[position].text if position in cells else ""
    for aside in ASIDES:
        if folded(text).startswith(folded(mark_of(aside))):
            own = {field: key_of(said) for field, said in aside_of(form, aside).items() if said}
            typed = {columns[at].field if at in columns else "": _typed(cell) for at, cell in cells.items()}
            tell = report.note if typed == own else report.find
            tell(CellAddress(form, number, position), f"{aside}-passed-over" if typed == own else f"{aside}-changed")
            return True
    return False


def _typed(cell: Cell) -> str:
    """What a cell says, as a text of the template is compared; a spreadsheet may have made a day or a number of it."""
    is_day = cell.kind == "day"
    return key_of(date.fromisoformat(cell.text).strftime("%d%m%Y") if is_day else cell.text)


def _row(
    form: Form, number: int, cells: Mapping[int, Cell], columns: Mapping[int, Column], today: date, report: Report
) -> Row:
    row = Row(form, number, {column.field: position for position, column in columns.items()}, {}, set())
    for position in sorted(cells.keys() | columns.keys()):
        place = CellAddress(form, number, position)
        column, cell = columns.get(position), cells.get(position)
        if column is None:
            report.find(place, "column-unknown")
        elif cell is not None:
            try:
                row.values[column.field] = value_of(column, cell, today, partial(report.note, place))
            except _Wrong as wrong:
                row.wrong.add(column.field)
                report.find(place, wrong.code, **wrong.facts)
        elif column.required:
            row.wrong.add(column.field)
            report.find(place, "field-missing")
    return row


# --- from cells to values ---------------------------------------------------------------------------------------------

_AMOUNT: Final = re.compile(r"(\d{1,15}|\d{1,3}([. \u00a0])\d{3}(?:\2\d{3})*)[ \u00a0]?(?:đồng|đ|vnđ|vnd)?", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_DAY: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})|(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,24}", re.ASCII)
_PHONE: Final = re.compile(r"0\d{9,10}|84\d{9,10}", re.ASCII)
_WITHOUT_ZERO: Final = re.compile(r"[35789]\d{8}|2\d{9}", re.ASCII)
"""A mobile phone's nine digits behind the 0, or ten of a telephone at home."""


def value_of(column: Column, cell: Cell, today: date, note: Callable[[str], None]) -> int | str | date:
    """What a cell says; `note` is told what was mended in it. Raises `_Wrong`."""
    if cell.kind in ("formula", "other"):
        raise _Wrong("formula" if cell.kind == "formula" else "cell-not-readable")
    if cell.kind == "fraction":
        raise _Wrong("fraction")
    text = unicodedata.normalize("NFC", cell.text).strip()
    if cell.kind == "text" and (encoding := legacy_encoding(text)):
        raise _Wrong("legacy-encoding", encoding=encoding)
    if wrong := fault_of_words(text):
        raise _Wrong(wrong, most=MAX_TEXT)
    if column.field == "name" and not has_a_letter(text):
        raise _Wrong("not-a-name")
    match column.kind:
        case "text" | "phone" | "code" | "word" if cell.kind == "day":  # What was typed as 3-12 is a day by now.
            raise _Wrong("not-text")
        case "phone":
            return _phone(text, note)
        case "amount":
            return _within(column, _amount(text), "amount-out-of-range")
        case "number":
            if not _WHOLE.fullmatch(text):
                raise _Wrong("not-a-number")
            return _within(column, int(text), "number-out-of-range")
        case "day":
            return _day(cell.kind, text, today)
        case "word":
            return _word(column, text)
        case "code":
            return _code(text)
    return text


def _phone(text: str, note: Callable[[str], None]) -> str:
    """A phone number; the 0 that a spreadsheet takes off a number's front is put back."""
    digits = re.sub(r"[ .-]", "", text)
    if _WITHOUT_ZERO.fullmatch(digits):
        note("zero-restored")
        return f"0{text}"
    if digits.isdecimal() and not _PHONE.fullmatch(digits):
        raise _Wrong("not-a-phone")
    return text


def _code(text: str) -> str:
    """A household's code, in capitals as the log has them."""
    if not _CODE.fullmatch(text):
        raise _Wrong("not-a-code")
    return household_key(text)


def _amount(text: str) -> int:
    if not (found := _AMOUNT.fullmatch(text.lower())):
        raise _Wrong("not-an-amount")
    return int(re.sub(r"\D", "", found[1]))


def _within(column: Column, number: int, code: str) -> int:
    if not column.least <= number <= column.most:
        raise _Wrong(code, least=column.least, most=column.most)
    return number


def _day(kind: str, text: str, today: date) -> date:
    found = _DAY.fullmatch(text)
    if not found or kind == "number":
        raise _Wrong("not-a-day")
    parts = (found[4], found[3], found[1]) if found[4] else (found[5], found[6], found[7])
    try:
        day = date(*map(int, parts))
    except ValueError:
        raise _Wrong("not-a-day") from None
    if day > today:
        raise _Wrong("future-day", today=today)
    if day < EARLIEST:
        raise _Wrong("day-too-early", earliest=EARLIEST)
    return day


def _word(column: Column, text: str) -> str:
    for word, value in column.choices.items():
        if key_of(word) == key_of(text):
            return value
    raise _Wrong("value-not-allowed", allowed="; ".join(column.choices))

"""The three sheets in which an old club's books are handed over: members, open loans, balances.

One description of their columns makes the template and reads it back when it has been filled in. Reading is strict and
complete: whatever is wrong is found at once, each finding with its sheet and cell. Headers, help and words come from
the catalogue, in Vietnamese, and are compared without case and diacritics.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, NamedTuple, get_args

from openpyxl.utils import get_column_letter

from ledger.chart import POTS
from ledger.events.club import Poverty, Sex
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource
from ledger.money import MAX_AMOUNT
from ledger.register import folded
from service import catalogue
from service.fields import EARLIEST
from service.takeover_sheets import Cell, Table
from service.text import MAX_TEXT, fault_of_words, has_a_letter

LANGUAGE: Final = "vi"
"""The sheets are filled in by treasurers."""

MAX_MEMBERS: Final = 500

Form = Literal["members", "loans", "balances"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
BALANCES: Final = ("cash", "bank", "equipment", "savings", "advances")
"""What a line of balances may be about: accounts, by the catalogue's words."""


class Column(NamedTuple):
    """A column of a form. `words` names the enumeration of the catalogue whose `values` it takes."""

    field: str
    kind: Literal["text", "code", "number", "amount", "day", "word"]
    example: str
    required: bool = True
    least: int = 1
    most: int = MAX_AMOUNT
    words: str = ""
    values: Sequence[str] = ()

    @property
    def choices(self) -> dict[str, str]:
        """The values by their words."""
        return {catalogue.word(self.words, value, LANGUAGE): value for value in self.values}


COLUMNS: Final[Mapping[Form, tuple[Column, ...]]] = {
    "members": (
        Column("number", "number", "1", most=MAX_MEMBERS),
        Column("name", "text", "Hoàng Thị Sầm"),
        Column("phone", "text", "0912 345 678", required=False),
        Column("sex", "word", "nữ", words="sex", values=get_args(Sex)),
        Column("birth_year", "number", "1956", least=1800, most=2200),
        Column("poverty", "word", "hộ cận nghèo", words="poverty", values=get_args(Poverty)),
        Column("household", "code", "H12", required=False),
        Column("joined_on", "day", "15/03/2017"),
    ),
    "loans": (
        Column("member", "number", "1", most=MAX_MEMBERS),
        Column("principal", "amount", "5.000.000"),
        Column("outstanding", "amount", "3.200.000"),
        Column("disbursed_on", "day", "20/01/2026"),
        Column("term_months", "number", "12", most=120),
        Column("purpose", "word", "chăn nuôi", words="purpose", values=get_args(Purpose)),
    ),
    "balances": (
        Column("kind", "word", "tiết kiệm của thành viên", words="account", values=BALANCES),
        Column("pot", "word", "quỹ tăng thu nhập", required=False, words="pot", values=POTS),
        Column("amount", "amount", "450.000", least=0),
        Column("on", "day", "31/10/2026", required=False),
        Column("member", "number", "1", required=False, most=MAX_MEMBERS),
        Column("source", "word", "", required=False, words="source", values=get_args(DonationSource)),
        Column("what", "text", "", required=False),
        Column("quantity", "number", "", required=False, most=1_000_000),
        Column("unit", "text", "", required=False),
    ),
}


def title_of(form: Form) -> str:
    """What a sheet is called."""
    return catalogue.render(f"takeover.sheet.{form}", LANGUAGE)


def header_of(form: Form, column: Column) -> str:
    """What stands above a column."""
    return catalogue.render(f"takeover.column.{form}.{column.field}", LANGUAGE)


class Place(NamedTuple):
    """Where something stands: a form, and a row and column of it if it is one cell."""

    form: Form | None = None
    row: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As a treasurer finds it: `Thành viên!C7`."""
        if self.form is None:
            return ""
        cell = f"!{get_column_letter(self.column)}{self.row}" if self.row else ""
        return title_of(self.form) + cell

    @property
    def order(self) -> tuple[int, int, int]:
        """Sheet by sheet, row by row."""
        return (FORMS.index(self.form) if self.form else -1), self.row, self.column


class Finding(NamedTuple):
    """Something that is not right, where, and the facts of it."""

    place: Place
    code: str
    facts: Mapping[str, Any] = {}

    def message(self, language: str = LANGUAGE) -> str:
        """What to say about it: in words of its own, or in those of the rule it breaks."""
        own = f"takeover.finding.{self.code}"
        key = own if own in catalogue.every_key() else f"refusal.{self.code}.detail"
        said = catalogue.render(key, language, **self.facts)
        return f"{self.place}: {said}" if self.place.form else said


class Row(NamedTuple):
    """A row of a form: what was understood, by field; `wrong` are the fields that were not, each with its finding."""

    form: Form
    number: int
    columns: Mapping[str, int]
    values: dict[str, Any]
    wrong: set[str]

    def at(self, field: str) -> Place:
        """The cell of a field."""
        return Place(self.form, self.number, self.columns[field])


class _Wrong(Exception):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


# --- from tables to rows ----------------------------------------------------------------------------------------------


def key_of(text: str) -> str:
    """What counts of a title or a header: its letters and digits."""
    return re.sub(r"[\W_]+", "", folded(text))


def assign(tables: Sequence[Table], findings: list[Finding]) -> dict[Form, Table]:
    """Which table is which form, by its title; `findings` takes what is missing, unknown or there twice."""
    forms: dict[str, Form] = {key_of(title_of(form)): form for form in FORMS}
    lists = key_of(catalogue.render("takeover.sheet.lists", LANGUAGE))
    found: dict[Form, Table] = {}
    for table in tables:
        form = forms.get(key_of(table.title))
        if form is None and key_of(table.title) == lists:
            continue
        if form is None:
            findings.append(Finding(Place(), "sheet-unknown", {"titles": _titles()}))
        elif form in found:
            findings.append(Finding(Place(form), "sheet-twice"))
        else:
            found[form] = table
    findings += [Finding(Place(form), "sheet-missing") for form in FORMS if form not in found]
    return found


def _titles() -> str:
    return ", ".join(title_of(form) for form in FORMS)


def rows_of(form: Form, table: Table, today: date, findings: list[Finding]) -> list[Row] | None:
    """The rows of a form, but for help and examples; None if its header does not tell what they mean.

    `findings` takes all that is wrong with it.
    """
    by_row: dict[int, dict[int, Cell]] = {}
    for cell in table.cells:
        if cell.kind != "text" or cell.text.strip():
            by_row.setdefault(cell.row, {})[cell.column] = cell
    findings += [Finding(Place(form, *corner), "merged-cells") for corner in table.merged]
    if not by_row:
        findings.append(Finding(Place(form), "sheet-empty"))
        return None
    columns = _columns(form, by_row.pop(min(by_row)), findings)
    if columns is None:
        return None
    return [
        _row(form, number, cells, columns, today, findings)
        for number, cells in sorted(by_row.items())
        if not _is_aside(cells)
    ]


def _columns(form: Form, header: Mapping[int, Cell], findings: list[Finding]) -> dict[int, Column] | None:
    """The column of each position; None if the header does not fit, since then no cell means anything."""
    known = {key_of(header_of(form, column)): column for column in COLUMNS[form]}
    columns: dict[int, Column] = {}
    before = len(findings)
    for position, cell in header.items():
        column = known.get(key_of(cell.text))
        if column is None:
            findings.append(Finding(Place(form, cell.row, position), "column-unknown"))
        elif column in columns.values():
            findings.append(Finding(Place(form, cell.row, position), "column-twice"))
        else:
            columns[position] = column
    missing = [header_of(form, column) for column in COLUMNS[form] if column not in columns.values()]
    if missing:
        findings.append(Finding(Place(form), "column-missing", {"columns": ", ".join(missing)}))
    return columns if len(findings) == before else None


ASIDES: Final = ("help", "example")


def _is_aside(cells: Mapping[int, Cell]) -> bool:
    """Whether a row is the template's help, or its example left standing."""
    first = folded(cells[min(cells)].text)
    return any(first.startswith(folded(catalogue.phrase(f"takeover.aside.{kind}", LANGUAGE))) for kind in ASIDES)


def _row(
    form: Form,
    number: int,
    cells: Mapping[int, Cell],
    columns: Mapping[int, Column],
    today: date,
    findings: list[Finding],
) -> Row:
    row = Row(form, number, {column.field: position for position, column in columns.items()}, {}, set())
    for position in sorted(cells.keys() | columns.keys()):
        place = Place(form, number, position)
        column, cell = columns.get(position), cells.get(position)
        if column is None:
            findings.append(Finding(place, "column-unknown"))
        elif cell is not None:
            try:
                row.values[column.field] = value_of(column, cell, today)
            except _Wrong as wrong:
                row.wrong.add(column.field)
                findings.append(Finding(place, wrong.code, wrong.facts))
        elif column.required:
            row.wrong.add(column.field)
            findings.append(Finding(place, "field-missing"))
    return row


# --- from cells to values ---------------------------------------------------------------------------------------------

_AMOUNT: Final = re.compile(r"(\d{1,15}|\d{1,3}([. \u00a0])\d{3}(?:\2\d{3})*) ?(?:đồng|đ|vnđ|vnd)?", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_DAY: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})|(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,24}", re.ASCII)


def value_of(column: Column, cell: Cell, today: date) -> int | str | date:
    """What a cell says. Raises `_Wrong`."""
    if cell.kind in ("formula", "other"):
        raise _Wrong("formula" if cell.kind == "formula" else "cell-not-readable")
    if cell.kind == "fraction":
        raise _Wrong("fraction")
    text = unicodedata.normalize("NFC", cell.text).strip()
    if wrong := fault_of_words(text):
        raise _Wrong(wrong, most=MAX_TEXT)
    if column.field == "name" and not has_a_letter(text):
        raise _Wrong("not-a-name")
    match column.kind:
        case "text" | "code" | "word" if cell.kind == "day":  # What was typed as 3-12 is a day to a spreadsheet.
            raise _Wrong("not-text")
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
        case "code" if not _CODE.fullmatch(text):
            raise _Wrong("not-a-code")
    return text


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

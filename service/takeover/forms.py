"""The three sheets in which an old club's books are handed over: members, open loans, balances.

One description of their columns and of the template's own rows makes the template (`takeover_template`) and reads it
back when it has been filled in (`takeover_rows`). Headers, help and words come from the catalogue, in Vietnamese.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from openpyxl.utils import get_column_letter

from ledger.chart import POTS
from ledger.events.club import Poverty, Sex
from ledger.events.loans import Purpose
from ledger.events.money import DonationSource
from ledger.money import MAX_AMOUNT
from service.words import catalogue

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
    kind: Literal["text", "phone", "code", "number", "amount", "day", "word"]
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
        Column("phone", "phone", "0912 345 678", required=False),
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


def title_of_lists() -> str:
    """What the template's sheet of words to choose from is called."""
    return catalogue.render("takeover.sheet.lists", LANGUAGE)


Aside = Literal["help", "example"]
ASIDES: Final[tuple[Aside, ...]] = get_args(Aside)
"""The template's own rows, which say how to fill it in."""


def mark_of(aside: Aside) -> str:
    """What the first cell of such a row begins with."""
    return f"{catalogue.render(f'takeover.aside.{aside}', LANGUAGE)}:"


def aside_of(form: Form, aside: Aside) -> dict[str, str]:
    """One of the template's own rows, by field; its first cell bears the mark."""
    columns = COLUMNS[form]
    help_key = f"takeover.help.{form}"
    cells = {
        column.field: catalogue.render(f"{help_key}.{column.field}", LANGUAGE) if aside == "help" else column.example
        for column in columns
    }
    marked = columns[0].field
    return cells | {marked: f"{mark_of(aside)} {cells[marked]}"}


class CellAddress(NamedTuple):
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

    place: CellAddress
    code: str
    facts: Mapping[str, Any] = {}

    def message(self, language: str = LANGUAGE) -> str:
        """What to say about it: in words of its own, or in those of the rule it breaks."""
        own = (f"takeover.finding.{self.code}", f"takeover.note.{self.code}")
        key = next((key for key in own if key in catalogue.every_key()), f"refusal.{self.code}.detail")
        said = catalogue.render(key, language, **self.facts)
        return f"{self.place}: {said}" if self.place.form else said


class Report(NamedTuple):
    """What there is to say about the files: with `findings` nothing is recorded, `notes` only tell what was done."""

    findings: list[Finding]
    notes: list[Finding]

    def find(self, place: CellAddress, code: str, **facts: object) -> None:
        """Something is not right."""
        self.findings.append(Finding(place, code, facts))

    def note(self, place: CellAddress, code: str, **facts: object) -> None:
        """Something was passed over or mended."""
        self.notes.append(Finding(place, code, facts))

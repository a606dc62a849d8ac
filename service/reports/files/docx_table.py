"""A table of a text document, as the XML that it is: a document has thousands of cells, and made one by one they take
the library longer than all the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from service.reports.files.figures import ReportWords
from service.reports.files.table import Column, Table

NAMESPACE: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SIDES: Final = ("top", "left", "bottom", "right", "insideH", "insideV")
TWIPS: Final = 1440 / 25.4
"""How many of the format's units of length are a millimetre."""
ALIGNED: Final = {"text": "left", "head": "center"}
"""How cells stand; all others on the right."""


LETTER: Final = 0.53
"""How wide a figure is, of the height of its letters; a word's letters are hardly wider."""
MARGIN: Final = 2.2
"""What a cell leaves free beside its text, in mm."""


def table_xml(table: Table, words: ReportWords, size: int, width: int) -> str:
    """A table, `width` mm wide, whose head is repeated on every page and whose rows are never torn."""
    cells = [[words.text(column.of(row)) for column in table.columns] for row in (*table.rows, *table.sums)]
    widths = [round(each * TWIPS) for each in _widths(table.columns, cells, size, width)]
    grid = "".join(f'<w:gridCol w:w="{each}"/>' for each in widths)
    rows = "".join(_rows(table, words, cells, size, widths))
    return f"<w:tbl {NAMESPACE}>{_LOOK}<w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], size: int, width: int) -> list[float]:
    """The widths of columns in mm: as they are said to be to one another, but no figure, day or word is broken."""
    letter = size * LETTER * 25.4 / 72
    longest = [
        max((len(word) for cell in column for word in cell.split()), default=0) for column in zip(*cells, strict=True)
    ]
    least = [letter * letters + MARGIN for letters in longest] or [0.0] * len(columns)
    wanted = [column.width_on_paper for column in columns]
    tight: set[int] = set()
    while True:
        left = width - sum(least[place] for place in tight)
        shared = sum(each for place, each in enumerate(wanted) if place not in tight)
        given = [least[n] if n in tight else left * each / shared for n, each in enumerate(wanted)]
        more = {place for place, each in enumerate(given) if each < least[place]} - tight
        if not more or len(tight | more) == len(columns):
            return given if left > 0 else [width * each / sum(wanted) for each in wanted]
        tight |= more


_BORDERS: Final = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for side in SIDES)
_MARGINS: Final = "".join(f'<w:{side} w:w="57" w:type="dxa"/>' for side in ("left", "right"))
_LOOK: Final = (
    f'<w:tblPr><w:tblW w:w="0" w:type="auto"/><w:jc w:val="center"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
    f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{_MARGINS}</w:tblCellMar></w:tblPr>'
)


def _rows(
    table: Table, words: ReportWords, cells: Sequence[Sequence[str]], size: int, widths: Sequence[int]
) -> Iterator[str]:
    titles = [words.said(f"column.{column.key}") for column in table.columns]
    yield _row(titles, ["head"] * len(titles), widths, size, is_bold=True, is_head=True)
    kinds = [column.kind for column in table.columns]
    for rank, row in enumerate(cells):
        yield _row(row, kinds, widths, size, is_bold=rank >= len(table.rows))


def _row(
    cells: Sequence[str],
    kinds: Sequence[str],
    widths: Sequence[int],
    size: int,
    *,
    is_bold: bool,
    is_head: bool = False,
) -> str:
    bold, repeated = "<w:b/>" if is_bold else "", "<w:tblHeader/>" if is_head else ""
    look = f'<w:rPr>{bold}<w:sz w:val="{2 * size}"/><w:szCs w:val="{2 * size}"/></w:rPr>'
    made = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr><w:p><w:pPr>'
        f'<w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/>'
        f'<w:jc w:val="{ALIGNED.get(kind, "right")}"/>{look}</w:pPr>'  # An empty cell is no higher than the others.
        f'<w:r>{look}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p></w:tc>'
        for text, kind, width in zip(cells, kinds, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{made}</w:tr>"

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


def table_xml(table: Table, words: ReportWords, size: int, width: int) -> str:
    """A table, `width` mm wide, whose head is repeated on every page and whose rows are never torn."""
    shares = sum(column.width_on_paper for column in table.columns)
    widths = [round(width * TWIPS * column.width_on_paper / shares) for column in table.columns]
    grid = "".join(f'<w:gridCol w:w="{each}"/>' for each in widths)
    return (
        f"<w:tbl {NAMESPACE}>{_LOOK}<w:tblGrid>{grid}</w:tblGrid>{''.join(_rows(table, words, size, widths))}</w:tbl>"
    )


_BORDERS: Final = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for side in SIDES)
_MARGINS: Final = "".join(f'<w:{side} w:w="57" w:type="dxa"/>' for side in ("left", "right"))
_LOOK: Final = (
    f'<w:tblPr><w:tblW w:w="0" w:type="auto"/><w:jc w:val="center"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
    f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{_MARGINS}</w:tblCellMar></w:tblPr>'
)


def _rows(table: Table, words: ReportWords, size: int, widths: Sequence[int]) -> Iterator[str]:
    titles = [words.said(f"column.{column.key}") for column in table.columns]
    yield _row(titles, ["head"] * len(titles), widths, size, is_bold=True, is_head=True)
    kinds = [column.kind for column in table.columns]
    for rank, row in enumerate((*table.rows, *table.sums)):
        cells = [_text(words, column, row) for column in table.columns]
        yield _row(cells, kinds, widths, size, is_bold=rank >= len(table.rows))


def _text(words: ReportWords, column: Column, row: object) -> str:
    return words.text(column.of(row))


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
        f'<w:jc w:val="{ALIGNED.get(kind, "right")}"/></w:pPr>'
        f'<w:r>{look}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p></w:tc>'
        for text, kind, width in zip(cells, kinds, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{made}</w:tr>"

"""The report as a text document, laid out as Decree 30/2020/NĐ-CP asks for (appendix I), for a clerk to finish.

Two things go beyond the decree: the foot of every page bears the report's code and “page n of m”, so that a sheet that
is missing or exchanged is seen; and pages are counted through the annexes for the same reason. The same report makes
the same bytes: neither the file nor the archive it is knows what time it is.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ledger.reports.report import Report
from service.reports.files.document import Annex, Blank, Block, Document, Figures, Heading, Paragraph, document_of
from service.reports.files.docx_table import table_xml
from service.reports.files.figures import ALONE, Beside, made_at
from service.words import catalogue

if TYPE_CHECKING:
    from docx.document import Document as Docx
    from docx.section import Section

FACE: Final = "Times New Roman"
BODY: Final = 13
"""The size of the text in points; the decree has 13 to 14."""
IN_TABLES: Final = 11
IN_ANNEXES: Final = 9
MARGINS: Final = {"top": 20, "bottom": 20, "left": 30, "right": 15}
"""Of a page that stands, in mm: the decree has 20–25, 20–25, 30–35, 15–20."""
WIDTH, HEIGHT = 210, 297
TEXT_WIDTH: Final = WIDTH - MARGINS["left"] - MARGINS["right"]
HEAD: Final = (60, 105)
"""The widths of the two sides of the head: who issues, and the State's name with its motto."""
MOTTO_LINE: Final = 62
"""The line below the motto is as long as the motto; that below the issuer a third to a half of its name."""


def docx_of(report: Report, language: str, beside: Beside = ALONE) -> bytes:
    """The report as a text document."""
    return _Writer(document_of(report, language, beside)).written()


class _Writer:
    """Writes a document part by part."""

    def __init__(self, content: Document) -> None:
        import docx  # Slow to import, and only files need it.
        from docx.shared import Mm, Pt

        self.content = content
        self.words = content.words
        self.docx: Docx = docx.Document()
        self.mm, self.pt = Mm, Pt

    def written(self) -> bytes:
        """The bytes of the whole."""
        self._prepare()
        self._head()
        self._title()
        self.text(self.docx, self.content.opening, indent=True)
        for block in self.content.blocks:
            self.block(block, IN_TABLES, TEXT_WIDTH)
        self.text(self.docx, self.content.closing, indent=True)
        self._signature()
        self._annexes()
        made = io.BytesIO()
        self.docx.save(made)
        return _without_time(made.getvalue())

    # --- how it looks ---------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """The page, the face, the foot of every page, and what the file says of itself."""
        section = self.docx.sections[0]
        section.page_width, section.page_height = self.mm(WIDTH), self.mm(HEIGHT)
        for side, width in MARGINS.items():
            setattr(section, f"{side}_margin", self.mm(width))
        section.header_distance = section.footer_distance = self.mm(9)
        section.different_first_page_header_footer = True  # Its number is not shown at the top.
        for name in ("Normal", "Heading 1", "Heading 2"):
            self._set_face(name)
        self._foot(section)
        told = self.docx.core_properties
        told.title, told.author, told.last_modified_by, told.comments = self.content.subject, "", "", ""
        told.language = {"vi": "vi-VN", "en": "en-GB"}[self.words.language]
        told.created = told.modified = made_at(self.words.report)
        told.revision = 1

    def _set_face(self, name: str) -> None:
        from docx.oxml.ns import qn
        from docx.shared import RGBColor

        style: Any = self.docx.styles[name]
        style.font.name, style.font.size = FACE, self.pt(BODY)
        faces = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            faces.attrib.pop(qn(f"w:{kind}"), None)
        for kind in ("ascii", "hAnsi", "eastAsia", "cs"):
            faces.set(qn(f"w:{kind}"), FACE)
        if name != "Normal":
            style.font.bold, style.font.italic = True, False
            style.font.color.rgb = RGBColor(0, 0, 0)
            style.paragraph_format.space_before, style.paragraph_format.space_after = self.pt(8), self.pt(4)

    def _foot(self, section: Section) -> None:
        """The number at the top from the second page on; code and “page n of m” at the foot of all."""
        top = section.header.paragraphs[0]
        self._centred(top)
        self._field(top, "PAGE", BODY)
        for foot in (section.first_page_footer, section.footer):
            line = foot.paragraphs[0]
            self._centred(line)
            self.run(line, f"{self.content.footer} · {self.words.phrase('page')} ", 9)
            self._field(line, "PAGE", 9)
            self.run(line, "/", 9)
            self._field(line, "NUMPAGES", 9)

    def _field(self, paragraph: Any, field: str, size: int) -> None:
        """What the program fills in that lays the pages out."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        for kind in ("begin", "separate", "end"):
            run = self.run(paragraph, "", size)
            if kind == "separate":
                told = OxmlElement("w:instrText")
                told.text = field
                run._r.append(told)
                run = self.run(paragraph, "", size)
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
            if kind == "separate":
                self.run(paragraph, "1", size)

    def _centred(self, paragraph: Any) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER

    def run(self, paragraph: Any, text: str, size: int = BODY, style: str = "") -> Any:
        """A piece of text; `style` holds `b` for bold and `i` for italic."""
        run = paragraph.add_run(text)
        run.font.size = self.pt(size)
        run.bold, run.italic = "b" in style or None, "i" in style or None
        return run

    def text(self, within: Any, text: str, size: int = BODY, style: str = "", *, indent: bool = False) -> Any:
        """A paragraph: justified with its first line set in, or as it stands, close to the next."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph = within.add_paragraph()
        self.run(paragraph, text, size, style)
        format = paragraph.paragraph_format
        format.space_before, format.space_after = self.pt(0), self.pt(6 if indent else 0)
        if indent:
            format.first_line_indent = self.mm(10)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        return paragraph

    def centred(self, within: Any, text: str, size: int = BODY, style: str = "") -> Any:
        paragraph = self.text(within, text, size, style)
        self._centred(paragraph)
        return paragraph

    def drawn(self, within: Any, space: int, line: int, sides: Sequence[str] = ("bottom",), text: str = "") -> Any:
        """A line that is drawn, not underlined text: `line` mm long in a space of so many; or a box around a text."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        paragraph = self.centred(within, text, 12 if text else 1, "b")
        if not text:
            paragraph.paragraph_format.line_spacing = self.pt(3)  # Else it is as high as a line of text.
        aside = self.mm((space - line) / 2)
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = aside
        borders = OxmlElement("w:pBdr")
        for side in sides:
            border = OxmlElement(f"w:{side}")
            for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
                border.set(qn(f"w:{name}"), value)
            borders.append(border)
        properties = paragraph._p.get_or_add_pPr()
        properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr")
        return paragraph

    # --- its parts ------------------------------------------------------------------------------------------------

    def _beside(self, widths: Sequence[int]) -> Sequence[Any]:
        """Two sides without lines around them, each begun by an empty paragraph."""
        table: Any = self.docx.add_table(1, len(widths))
        table.autofit = False
        _keep_whole(table.rows[0])
        for column, cell, width in zip(table.columns, table.rows[0].cells, widths, strict=True):
            column.width = cell.width = self.mm(width)
        cells: Sequence[Any] = table.rows[0].cells
        return cells

    def _head(self) -> None:
        left, right = self._beside(HEAD)
        words = self.words
        self.centred(left, words.said("paper.issuer_above"), 12)
        self.centred(left, words.said("paper.issuer"), 12, "b")
        self.drawn(left, HEAD[0], 24)
        self.centred(left, words.said("paper.number"), BODY).paragraph_format.space_before = self.pt(6)
        self.centred(right, catalogue.render("paper.state", words.language), 12, "b")
        self.centred(right, catalogue.render("paper.motto", words.language), BODY, "b")
        self.drawn(right, HEAD[1], MOTTO_LINE)
        self.centred(right, words.said("paper.place_and_day"), BODY, "i").paragraph_format.space_before = self.pt(6)
        box = self.drawn(left, HEAD[0], 28, ("top", "left", "bottom", "right"), words.said("paper.draft"))
        box.paragraph_format.space_before = self.pt(8)
        for side in (left, right):
            _drop_first(side)

    def _title(self) -> None:
        title = self.centred(self.docx, self.words.said("paper.report"), 14, "b")
        title.paragraph_format.space_before = self.pt(14)
        self.centred(self.docx, self.content.subject, 14, "b")
        self.drawn(self.docx, TEXT_WIDTH, 55).paragraph_format.space_after = self.pt(12)

    def block(self, block: Block, size: int, width: int) -> None:
        """One part of the content; `size` is that of tables."""
        from docx.oxml import parse_xml

        match block:
            case Heading():
                heading = self.docx.add_heading("", block.level)
                self.run(heading, block.text, BODY, "b")
            case Paragraph():
                self.text(self.docx, f"- {block.text}" if block.is_item else block.text, indent=True)
            case Blank():
                for _ in range(block.lines):
                    self._line_to_write_on(width)
            case Figures():
                title = self.centred(self.docx, block.title, max(size, IN_TABLES), "b")
                title.paragraph_format.keep_with_next = True
                title.paragraph_format.space_before, title.paragraph_format.space_after = self.pt(6), self.pt(3)
                made = parse_xml(table_xml(block.table, self.words, size, width))
                self.docx.element.body.insert_element_before(made, "w:sectPr")
                self.text(self.docx, "", 6)

    def _line_to_write_on(self, width: int) -> None:
        from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER

        line = self.text(self.docx, "\t")
        line.paragraph_format.tab_stops.add_tab_stop(self.mm(width), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
        line.paragraph_format.space_after = self.pt(4)

    def _signature(self) -> None:
        self.text(self.docx, "", 6)
        left, right = self._beside((TEXT_WIDTH // 2, TEXT_WIDTH - TEXT_WIDTH // 2))
        words = self.words
        self.text(left, words.said("paper.recipients"), 12, "bi")
        for recipient in self.content.recipients:
            self.text(left, f"- {recipient}", 11)
        self.centred(right, words.said("paper.signer"), BODY, "b")
        self.centred(right, words.said("paper.signature"), 12, "i").paragraph_format.space_after = self.pt(80)
        self.centred(right, words.said("paper.signer_name"), BODY, "b")
        for side in (left, right):
            _drop_first(side)

    def _annexes(self) -> None:
        from docx.enum.section import WD_ORIENT, WD_SECTION

        section = self.docx.add_section(WD_SECTION.NEW_PAGE)
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = self.mm(HEIGHT), self.mm(WIDTH)
        section.left_margin = section.right_margin = self.mm(MARGINS["bottom"])
        section.different_first_page_header_footer = False
        for annex in self.content.annexes:
            self._annex(annex, is_first=annex is self.content.annexes[0])

    def _annex(self, annex: Annex, *, is_first: bool) -> None:
        name = self.centred(self.docx, annex.name, 14, "b")
        name.paragraph_format.page_break_before = not is_first
        self.centred(self.docx, annex.title, 14, "b")
        self.centred(self.docx, self.words.said("paper.annexed_to"), BODY, "i")
        for block in annex.blocks:
            self.block(block, IN_ANNEXES, HEIGHT - 2 * MARGINS["bottom"])


def _drop_first(cell: Any) -> None:
    """Take away the empty paragraph that every cell is made with."""
    first = cell.paragraphs[0]._p
    first.getparent().remove(first)


def _keep_whole(row: Any) -> None:
    """Have a row stand on one page."""
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().insert(0, OxmlElement("w:cantSplit"))


LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that an archive can say of a file in it."""


def _without_time(archive: bytes) -> bytes:
    """The same archive, whenever it was made."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, LONG_AGO), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()

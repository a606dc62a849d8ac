"""How a paper is printed: filled in from the books at one moment, as a page made for print or as a PDF.

Names come from the register at the time of printing. Every page carries where the books stood: fund, version, position
and check code, so that paper is the anchor.
"""

import asyncio
import base64
import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import segno
from fastapi import Depends, Request, Response
from markupsafe import Markup

from ledger.days import VILLAGE_TIME
from ledger.projections import funds, members
from ledger.projections.tables import Reader
from ledger.refusals import NotFound
from service.http.fields import FundCode
from service.http.parsing import accept_language
from service.http.refusals import PdfUnavailable
from service.http.state import AtDesk, Desk
from service.reads.dependencies import AtPoint, CaughtUp
from service.reads.view import Answer, View, asked
from service.templating import TEMPLATES
from service.words import catalogue, wording
from service.words.wording import language_of

Format = Literal["html", "pdf"]
Size = Literal["A4 portrait", "A4 landscape", "A5 portrait", "A5 landscape"]

PRESS: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="press")
"""PDFs are laid out one at a time, beside the event loop: a thick book must not take the threads of other readers."""


class Book(NamedTuple):
    """What a paper is filled in from: one fund's tables, all at one moment, seen as of one day; and the words for what
    they hold."""

    desk: Desk
    reader: Reader
    fund: str
    as_of: date
    language: str

    def said(self, key: str, **facts: object) -> str:
        """The catalogue's `paper.<key>`, beginning with a capital."""
        return catalogue.render(f"paper.{key}", self.language, **facts)

    def phrase(self, key: str, **facts: object) -> str:
        """The same amid a sentence."""
        return catalogue.phrase(f"paper.{key}", self.language, **facts)

    def line(self, item: Mapping[str, Any]) -> str:
        """What an entry of the journal was about, in a few words."""
        name = item["type"]
        if name == "ContributionReceived":
            name = "dues_for_month" if item["for_month"] else item["part"]
        if f"paper.line.{name}" in catalogue.every_key():
            return self.said(f"line.{name}", **item)
        return wording.capitalised(catalogue.word("event", name, self.language))

    def people(self, numbers: Iterable[int | None]) -> dict[int, str]:
        """How members are named on paper: by the number alone once the name was erased."""
        wanted = {number for number in numbers if number is not None}
        digests = members.names(self.reader, self.fund, wanted)
        names = self.desk.ledger.register.texts(digests.values())
        return {number: self.person(number, names.get(digests.get(number, ""))) for number in sorted(wanted)}

    def person(self, number: int, name: str | None) -> str:
        """A member by name and number, or by number alone."""
        if name is None:
            return catalogue.render("person.unnamed", self.language, number=number)
        return self.said("named", name=name, number=number)


class Paper(NamedTuple):
    """A kind of paper: its template in `templates`, the size of its sheets, and what fills it in."""

    template: str
    size: Size
    fill: Callable[[Book], Answer | None]


class Printer(NamedTuple):
    """Where a paper was asked for: of which fund as seen from where, in which language and format."""

    view: View
    language: str
    format: Format

    async def printed(self, paper: Paper, name: str) -> Response:
        """The paper, as a page or a PDF called `name`. Raises `NotFound` when there is nothing to fill in, and
        `PdfUnavailable`."""
        page, style = await asyncio.to_thread(self._page, paper)
        headers = {"Content-Language": self.language}
        if self.format == "html":
            headers["Content-Security-Policy"] = _policy(style)
            return Response(page, headers=headers, media_type="text/html; charset=utf-8")
        pdf = await asyncio.get_running_loop().run_in_executor(PRESS, _pdf, page)
        headers["Content-Disposition"] = f'inline; filename="{self.view.fund}-{name}.pdf"'
        return Response(pdf, headers=headers, media_type="application/pdf")

    def _page(self, paper: Paper) -> tuple[str, str]:
        desk, fund = self.view.desk, self.view.fund

        def question(tables: Reader, position: int) -> tuple[Book, Answer, Answer, Answer | None]:
            reader, standing = self.view.standpoint(tables)
            club = funds.fund(reader, fund)
            assert club, "a view has a standpoint"
            book = Book(desk, reader, fund, self.view.as_of, self.language)
            return book, standing | {"position": position}, club, paper.fill(book)

        book, standing, club, filled = asked(desk, self.view.wanted, question)
        if filled is None:
            raise NotFound
        stands = {name: club[name] for name in ("fund", "version", "check_code")}
        footer = book.said("footer", position=standing["position"], **stands)
        style = TEMPLATES.get_template("papers/paper.css").render(
            size=paper.size, footer=_css_text(footer), page=_css_text(book.said("page"))
        )
        page = TEMPLATES.get_template(f"papers/{paper.template}.html").render(
            book=book,
            club=club,
            footer=footer,
            known=self._known(book, club["version"]),
            language=self.language,
            parked=standing["parked"],
            style=Markup(style),  # noqa: S704  # Our own file; what is put into it was looked at letter by letter.
            today=desk.today(),
            **_forms(self.language),
            **filled,
        )
        return page, style

    def _known(self, book: Book, version: int) -> str | None:
        """What says that this is the book as it was known then; None if it is the book as it is known now."""
        known_at, known_version = self.view.known_at, self.view.known_version
        if known_at is None:
            return book.said("known_version", version=version) if known_version else None
        heard = min(known_at, self.view.desk.now()).astimezone(VILLAGE_TIME)
        instant = book.phrase("instant", time=f"{heard:%H:%M}", on=heard.date())
        return book.said("known_at", version=version, instant=instant)


async def _printer(request: Request, view: AtPoint, format: Format = "html") -> Printer:
    return Printer(view, language_of(accept_language(request.scope)), format)


async def _printer_of_now(
    request: Request, desk: AtDesk, wanted: CaughtUp, fund: FundCode, format: Format = "html"
) -> Printer:
    view = View(desk, request.scope["principal"], fund, desk.today(), None, None, wanted)
    return await _printer(request, view, format)


AtPrinter = Annotated[Printer, Depends(_printer)]
AtPrinterOfNow = Annotated[Printer, Depends(_printer_of_now)]
"""For a paper to work with, which is of the book as it is known now."""


def _forms(language: str) -> dict[str, Callable[..., object]]:
    """The forms in which templates write what the books hold; `some` leaves a nought blank."""

    def day(on: date | str | None) -> str:
        return wording.day(date.fromisoformat(on) if isinstance(on, str) else on, language) if on else ""

    def heard(at: datetime | str) -> str:
        village = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(VILLAGE_TIME)
        return catalogue.render("paper.instant", language, time=f"{village:%H:%M}", on=village.date())

    return {
        "day": day,
        "heard": heard,
        "heard_day": lambda at: day(datetime.fromisoformat(at).astimezone(VILLAGE_TIME).date()),
        "dong": lambda amount: wording.dong_on_paper(amount, language),
        "some": lambda amount: wording.dong_on_paper(amount, language) if amount else "",
        "words": lambda amount: wording.in_words(amount, language),
        "rate": lambda ppm: "" if ppm is None else wording.rate(ppm, language),
        "capital": wording.capitalised,
        "word": lambda enumeration, value: catalogue.word(enumeration, value, language),
        "qr": _qr,
    }


def _qr(text: str) -> Markup:
    """Text as a QR code, drawn within the page."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(omitsize=True, border=2)
    return Markup(drawn)  # noqa: S704  # Paths and numbers only: a QR code draws its text, it does not repeat it.


def _css_text(text: str) -> str:
    """Text that may stand in quotation marks in the style sheet: words of ours and codes of a known form."""
    assert all(letter in " ·-,:" or unicodedata.category(letter)[0] in "LN" for letter in text)
    return text


def _policy(style: str) -> str:
    """Nothing is loaded, nothing runs, and only our own style sheet counts, whatever a name may hold."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _pdf(page: str) -> bytes:
    """The page laid out on paper. Raises `PdfUnavailable` where WeasyPrint, or Pango beneath it, is not installed."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):
        raise PdfUnavailable from None
    pdf: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf()
    return pdf

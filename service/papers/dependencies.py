"""Where a paper is asked for, in which language and format; and the paper as a response."""

import asyncio
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Response
from markupsafe import Markup

from ledger.days import VILLAGE_TIME
from ledger.projections import funds
from ledger.projections.tables import Reader
from service.http.fields import FundCode
from service.http.parsing import accept_language
from service.http.state import AtState
from service.papers.printing import PRESS, Book, Format, Paper, content_policy, css_text, laid_out, words_for_templates
from service.reads.dependencies import AtPoint, CaughtUp
from service.reads.query import Answer, FundQuery
from service.templating import TEMPLATES
from service.words.places import place
from service.words.wording import capitalised, language_of


class Printer(NamedTuple):
    """Where a paper was asked for: of which fund at which point, in which language and format."""

    query: FundQuery
    language: str
    format: Format

    async def printed(self, paper: Paper, name: str) -> Response:
        """The paper, as a page or a PDF called `name`. Raises `NotFound` when there is nothing to fill in, and
        `PdfUnavailable`."""
        page, style = await asyncio.to_thread(self._page, paper)
        headers = {"Content-Language": self.language}
        if self.format == "html":
            headers["Content-Security-Policy"] = content_policy(style)
            return Response(page, headers=headers, media_type="text/html; charset=utf-8")
        pdf = await asyncio.get_running_loop().run_in_executor(PRESS, laid_out, page)
        headers["Content-Disposition"] = f'inline; filename="{self.query.fund}-{name}.pdf"'
        return Response(pdf, headers=headers, media_type="application/pdf")

    def _page(self, paper: Paper) -> tuple[str, str]:
        found = self.query.ask(lambda reader: self._filled_in(paper, reader))
        book, club, filled = found.figures
        stands = {name: club[name] for name in ("fund", "version", "check_code")}
        footer = book.said("footer_of_entry" if "code" in filled else "footer", on=book.state.today(), **stands)
        practice = book.said("practice") if club["practice"] else ""
        style = TEMPLATES.get_template("papers/paper.css").render(
            size=paper.size, footer=css_text(footer), page=css_text(book.said("page")), practice=css_text(practice)
        )
        page = TEMPLATES.get_template(f"papers/{paper.template}.html").render(
            book=book,
            club=club,
            footer=footer,
            known=self._known(book, club["version"]),
            language=self.language,
            parked=found.parked,
            practice=practice,
            lies_in=capitalised(place(club["commune"], club["district"], club["province"], self.language)),
            size=paper.size,
            style=Markup(style),  # noqa: S704  # Our own file; what is put into it was looked at letter by letter.
            **words_for_templates(self.language),
            **filled,
        )
        return page, style

    def _filled_in(self, paper: Paper, reader: Reader) -> tuple[Book, Answer, Answer] | None:
        """The book a paper is of, its club, and what fills it in; None when there is nothing to fill in."""
        query = self.query
        book = Book(query.state, reader, query.fund, query.as_of, self.language)
        filled = paper.fill(book)
        if filled is None:
            return None
        club = funds.fund(reader, query.fund, filled.get("dated", query.as_of))
        assert club, "a query has a standpoint"
        return book, club, filled

    def _known(self, book: Book, version: int) -> str | None:
        """What says that this is the book as it was known then; None if it is the book as it is known now."""
        known_at, known_version = self.query.known_at, self.query.known_version
        if known_at is None:
            return book.said("known_version", version=version) if known_version else None
        heard = min(known_at, self.query.state.now()).astimezone(VILLAGE_TIME)
        instant = book.phrase("instant", time=f"{heard:%H:%M}", on=heard.date())
        return book.said("known_at", version=version, instant=instant)


async def _printer(request: Request, query: AtPoint, format: Format = "html") -> Printer:
    return Printer(query, language_of(accept_language(request.scope)), format)


async def _printer_of_now(
    request: Request, state: AtState, wanted: CaughtUp, fund: FundCode, format: Format = "html"
) -> Printer:
    query = FundQuery(state, request.scope["principal"], fund, state.today(), None, None, wanted)
    return await _printer(request, query, format)


AtPrinter = Annotated[Printer, Depends(_printer)]
AtPrinterOfNow = Annotated[Printer, Depends(_printer_of_now)]
"""For a paper to work with, which is of the book as it is known now."""

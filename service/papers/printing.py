"""How a paper is printed: filled in from the books at one moment, as a page made for print or as a PDF.

Names come from the register at the time of printing. Every page carries where the books stood: fund, entry and check
code, so that paper is the anchor. A paper bears one check code: that of its entry if it is about one, else the book's.
"""

import base64
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

import segno
from markupsafe import Markup

from ledger.days import VILLAGE_TIME
from ledger.projections import members
from ledger.projections.tables import Reader
from service.access.readers import showing
from service.http.refusals import PdfUnavailable
from service.http.state import AppState
from service.reads.query import Answer
from service.words import catalogue, wording

Format = Literal["html", "pdf"]
Size = Literal["A4 portrait", "A4 landscape", "A5 landscape"]


PRESS: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="press")
"""PDFs are laid out one at a time, beside the event loop: a thick book must not take the threads of other readers."""


class Book(NamedTuple):
    """What a paper is filled in from: one fund's tables, all at one moment, seen as of one day; and the words for what
    they hold."""

    state: AppState
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
        name = _name_of_line(item)
        if f"paper.line.{name}" in catalogue.every_key():
            return self.said(f"line.{name}", **{**item, "on": date.fromisoformat(item["on"])})
        return wording.capitalised(catalogue.word("event", name, self.language))

    def split(self, principal: int, interest: int, forgiven: int) -> str:
        """What a repayment consists of, and the rest of principal that was given up with it."""
        paid = self.phrase("line.split", principal=principal, interest=interest)
        return f"{paid}; {self.phrase('line.forgiven', forgiven=forgiven)}" if forgiven else paid

    def people(self, numbers: Iterable[int | None]) -> dict[int, str]:
        """How members are named on paper: by the number alone once the name was erased."""
        wanted = {number for number in numbers if number is not None}
        digests = members.names(self.reader, self.fund, wanted)
        with showing(wanted):  # All names are compared, and theirs are shown.
            names = self.state.ledger.register.texts(digests.values())
            born = self.namesakes() if names else {}
        return {
            number: self.person(number, names.get(digests.get(number, "")), born.get(number))
            for number in sorted(wanted)
        }

    def person(self, number: int, name: str | None, born: int | None = None) -> str:
        """A member by name and number, with the year of birth where another has the same name; by number alone without
        a name."""
        if name is None:
            return catalogue.render("person.unnamed", self.language, number=number)
        if born is not None:
            return self.said("named_and_born", name=name, number=number, born=born)
        return self.said("named", name=name, number=number)

    def namesakes(self) -> dict[int, int]:
        """The years of birth of those members whose name another member has too, by number."""
        members_born = members.born(self.reader, self.fund)
        names = self.state.ledger.register.texts(name for name, _ in members_born.values() if name)
        called: dict[str, list[int]] = defaultdict(list)
        for number, (name, _) in members_born.items():
            if name in names:
                called[names[name].casefold()].append(number)
        return {number: members_born[number][1] for same in called.values() if len(same) > 1 for number in same}


def _name_of_line(item: Mapping[str, Any]) -> str:
    """The catalogue's name of what an entry was about."""
    name: str = item["type"]
    match name:
        case "ContributionReceived":
            return "dues_for_month" if item["for_month"] else str(item["part"])
        case "ExpensePaid" if item["part"] == "other":
            return "other_expense"
        case "CashCounted" if item["amount"]:
            return "cash_over" if item["amount"] > 0 else "cash_short"
    return name


class Paper(NamedTuple):
    """A kind of paper: its template in `templates`, the size of its sheets, and what fills it in: `dated`, where the
    paper is of another day than the one it is seen from, so that its head names the place of that day; `code` where it
    is about one entry; and what its own template asks for."""

    template: str
    size: Size
    fill: Callable[[Book], Answer | None]


def words_for_templates(language: str) -> dict[str, Callable[..., object] | str]:
    """The forms in which templates write what the books hold. `some` leaves a nought blank; it and `figures` are for
    the cells of a table that names its unit."""

    def day(on: date | str | None) -> str:
        return wording.day(date.fromisoformat(on) if isinstance(on, str) else on, language) if on else ""

    def heard(at: datetime | str) -> str:
        village = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(VILLAGE_TIME)
        return catalogue.render("paper.instant", language, time=f"{village:%H:%M}", on=village.date())

    def long_day(on: date) -> str:
        return catalogue.phrase("paper.long_day", language, day=f"{on:%d}", month=f"{on:%m}", year=on.year)

    return {
        "day": day,
        "day_of": date.fromisoformat,
        "long_day": long_day,
        "heard": heard,
        "heard_day": lambda at: day(datetime.fromisoformat(at).astimezone(VILLAGE_TIME).date()),
        "dong": lambda amount: wording.dong_on_paper(amount, language),
        "figures": lambda amount: wording.figures_on_paper(amount, language),
        "some": lambda amount: wording.figures_on_paper(amount, language) if amount else "",
        "words": lambda amount: wording.in_words(amount, language),
        "rate": lambda ppm: "" if ppm is None else wording.rate(ppm, language),
        "capital": wording.capitalised,
        "unit": wording.UNITS[language],
        "word": lambda enumeration, value: catalogue.word(enumeration, value, language),
        "qr": _qr,
    }


def _qr(text: str) -> Markup:
    """Text as a QR code, drawn within the page."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(omitsize=True, border=2)
    return Markup(drawn)  # noqa: S704  # Paths and numbers only: a QR code draws its text, it does not repeat it.


def css_text(text: str) -> str:
    """Text that may stand in quotation marks in the style sheet: words of ours and codes of a known form."""
    assert all(letter in " ·-,:/" or unicodedata.category(letter)[0] in "LN" for letter in text)
    return text


def content_policy(style: str) -> str:
    """Nothing is loaded, nothing runs, and only our own style sheet counts, whatever a name may hold."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def laid_out(page: str) -> bytes:
    """The page laid out on paper. Raises `PdfUnavailable` where WeasyPrint, or Pango beneath it, is not installed."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):
        raise PdfUnavailable from None
    pdf: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf()
    return pdf

"""The papers of the golden year as its bookkeeper would write them: `golden/paper_*.txt`, line by line.

Their figures were worked out from the golden books by hand. A paper's line is a line here; the cells of a table's row
and the places for signatures stand side by side, parted by ` | `. Check codes, which no bookkeeper works out, are dots.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from ledger.events import Request
from ledger.jobs import Job
from tests.ledger.test_golden_book import FUND, GOLDEN, Bookkeeper, year
from tests.service.test_papers_pdf import WITH_PDF, text_of
from tests.support.service import House, house

PAPERS = {
    "phieu_thu": "vouchers/PT-2023-0018",
    "phieu_thu_so_am": "vouchers/PT-2023-0014",
    "phieu_chi": "vouchers/PC-2023-0010",
    "so_quy_tien_mat": "cash-book?from=2023-03-01&to=2023-04-30",
    "so_vay_von": "loan-book?as_of=2023-12-31",
    "so_thanh_vien": "members/4?as_of=2023-12-31",
    "bien_ban_kiem_ke": "cash-counts/40",
    "giay_ghi_so_am": "reversals/33",
    "don_xin_vay": "loans/4/request",
    "giay_nhan_no": "loans/4/note",
    "bien_ban_xoa_no": "write-offs/79",
    "bien_ban_hien_vat": "in-kind-donations/41",
    "phieu_chuyen_quy": "pot-transfers/52",
}
"""Each golden paper, and where the service prints it."""


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A service with the golden year in its books, on the day after it was entered."""
    with house(f"sqlite:///{tmp_path_factory.mktemp('golden') / 'fund.db'}") as running:
        running.clock.now = datetime(2024, 1, 6, 2, 0, tzinfo=UTC)
        entering = Job(
            fund=FUND,
            decide=Bookkeeper,
            request=Request("golden-book", "of no body"),
            texts=tuple(year().names),
            opens=True,
            several=True,
        )
        (recorded,) = running.state.ledger.record([entering])
        assert not isinstance(recorded, Exception)
        running.state.acknowledged.note(recorded)
        yield running


def expected(paper: str) -> list[str]:
    """The golden paper's lines."""
    return (GOLDEN / f"paper_{paper}.txt").read_text(encoding="utf-8").splitlines()


def without_codes(text: str) -> str:
    """Check codes as dots."""
    return re.sub(r"\b[A-Z2-7]{4}(-[A-Z2-7]{4}){3}\b", "....-....-....-....", text)


class Printed(HTMLParser):
    """A printed page as lines of text: one for each paragraph, row of a table, term with its definition."""

    LINES = frozenset({"p", "h1", "h2", "tr", "dt", "br", "footer", "section"})
    CELLS = frozenset({"td", "th"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self.in_row = False
        self.feed(page.partition("<body>")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("tr", "section"):
            self.in_row = tag == "tr" or ("class", "signs") in attrs
        if tag in self.CELLS or (tag == "div" and self.in_row):
            self.lines[-1] += " | " if self.lines[-1] else ""
        elif tag == "dd":
            self.lines[-1] += ": "
        elif tag in ("small", "br") and self.in_row:
            self.lines[-1] += " "
        elif tag in self.LINES:
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("tr", "section"):
            self.in_row = False

    def handle_data(self, data: str) -> None:
        self.lines[-1] += re.sub(r"\s+", " ", data) if data.strip() else ""


def printed(page: str) -> list[str]:
    """The lines of a page, blanks made one."""
    lines = (re.sub(r"[ \xa0]+", " ", line).strip() for line in Printed(page).lines)
    return [without_codes(line) for line in lines if line]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_paper_is_the_bookkeepers(club: House, paper: str) -> None:
    answer = club.get(f"/funds/{FUND}/papers/{PAPERS[paper]}")
    assert answer.status_code == 200
    assert printed(answer.text) == expected(paper)


@WITH_PDF
def test_the_pdf_holds_the_bookkeepers_words_and_the_number_of_the_page(club: House) -> None:
    pdf = club.get(f"/funds/{FUND}/papers/{PAPERS['so_quy_tien_mat']}&format=pdf").content
    *lines, footer = (line.replace("|", " ") for line in expected("so_quy_tien_mat"))
    words = " ".join([*lines, *(f"{footer} Trang {page}/2" for page in (1, 2))]).split()
    assert sorted(without_codes(text_of(pdf)).split()) == sorted(words)

"""Claims about papers as PDFs: one face with every letter, whole on their sheets, sums carried from page to page."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest

from service.papers.book_pages import Sums
from tests.service.test_papers import AT
from tests.support.jobs import IS_LONG
from tests.support.service import FUND, House

WITH_PDF = pytest.mark.usefixtures("laid_out_and_read_back")


FACE = "Tinos"
"""Debian's fonts-croscore: as wide as Times New Roman, and with every letter of Vietnamese."""


def has_face() -> bool:
    if not shutil.which("fc-list"):
        return False
    return FACE in subprocess.run(["fc-list", ":", "family"], capture_output=True, check=True).stdout.decode()


def text_of(pdf: bytes) -> str:
    """What a PDF says, its blanks made one."""
    read_back = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(read_back.stdout.decode().split())


@WITH_PDF
@pytest.mark.parametrize(
    ("paper", "words"),
    [
        ("vouchers/PT-2024-0004", "Ba trăm nghìn đồng"),
        ("cash-book?from=2024-01-01", "Chín mươi mốt triệu ba trăm mười nghìn đồng"),
    ],
)
def test_a_pdf_says_the_amount_in_words(village: House, paper: str, words: str) -> None:
    answer = village.get(f"{AT}/papers/{paper}{'&' if '?' in paper else '?'}format=pdf")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert re.fullmatch(rf'inline; filename="{FUND}-[\w.-]+\.pdf"', answer.headers["Content-Disposition"])
    assert answer.content.startswith(b"%PDF")
    text = text_of(answer.content)
    assert words in text
    assert "Trang 1/1" in text
    assert "sổ lúc in: đến bút toán số 20" in text


@WITH_PDF
def test_a_reversed_voucher_with_a_long_note_still_fits_its_sheet(village: House) -> None:
    note = "Thăm bà Sầm ốm, mua đường sữa và cam; " * 5
    paid = {"activity": "visit_gift", "amount": 1_777_777, "on": "2024-05-15", "note": note}
    expense = village.recorded(f"{AT}/expenses", paid)
    right = paid | {"type": "expense", "amount": 1_777_000}
    undone = {"reason": "wrong_amount", "note": note, "on": "2024-05-16", "replacement": right}
    slip = village.recorded(f"{AT}/entries/{expense['version']}/reversal", undone)["versions"][0]
    village.recorded(f"{AT}/expenses", paid)

    for paper in (f"vouchers/{expense['voucher']}", f"reversals/{slip}"):
        text = text_of(village.get(f"{AT}/papers/{paper}?known_version={slip + 1}&format=pdf").content)
        assert "Theo sổ đã ghi đến bút toán" in text
        assert "Ghi lại đúng ở phiếu chi số PC-2024-0004." in text
        assert "Trang 1/1" in text


# The face

WITH_FACE = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not has_face(), reason=f"{FACE} is not installed here"
)

EVERY_LETTER = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệfghiìỉĩíịjklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvwxyỳỷỹýỵz"
"""All letters of Vietnamese, with every mark."""


def families(pdf: bytes) -> set[str]:
    """The families of the fonts within a PDF: `Tinos` of `WVSVWR+Tinos-Bold`."""
    listed = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return {line.split()[0].partition("+")[2].partition("-")[0] for line in listed.splitlines()[2:]}


@WITH_PDF
@WITH_FACE
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_pdf_has_one_face_and_every_letter_of_it(village: House, language: str) -> None:
    note = f"{EVERY_LETTER} {EVERY_LETTER.upper()}"
    paid = {"activity": "visit_gift", "amount": 155_000, "on": "2024-05-15", "note": note}
    voucher = village.recorded(f"{AT}/expenses", paid)["voucher"]

    answer = village.get(f"{AT}/papers/vouchers/{voucher}?format=pdf", Accept_Language=language)

    assert families(answer.content) == {FACE}
    assert set(note) - set(text_of(answer.content)) <= {" "}


@WITH_PDF
@WITH_FACE
@pytest.mark.parametrize("paper", ["cash-book", "loan-book", "members/1", "meeting-sheet", "loans/1/note"])
def test_what_is_printed_bold_slanted_and_in_tables_is_of_the_same_face(village: House, paper: str) -> None:
    assert families(village.get(f"{AT}/papers/{paper}?format=pdf").content) == {FACE}


# The pages of the cash book


class ReadBack(NamedTuple):
    """A page of a cash book as it is printed: the sums carried to it and from it, and each line's amounts."""

    before: Sums | None
    lines: list[Sums]
    after: Sums | None


def pages_of(pdf: bytes) -> Iterator[str]:
    laid_out = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    yield from laid_out.stdout.decode().removesuffix("\f").split("\f")


AMOUNT = re.compile(r"\(?\d{1,3}(?:\.\d{3})+\)?|0")
"""Nothing else in a line of these books looks like one."""


def amounts(line: str) -> list[int]:
    """The amounts in a line, those in brackets below zero."""
    found = [word for word in line.split() if AMOUNT.fullmatch(word)]
    return [int(re.sub(r"\D", "", word)) * (-1 if word.startswith("(") else 1) for word in found]


def read_back(page: str) -> ReadBack:
    carried: dict[str, list[int]] = {}
    lines = []
    for line in page.splitlines():
        for key in ("Số trang trước chuyển sang", "Cộng chuyển sang trang sau", "Cộng phát sinh trong kỳ"):
            if line.strip().startswith(key):
                carried[key] = amounts(line)
        if voucher := re.search(r"P[TC]-2024-\d{4}", line):
            moved, balance = amounts(line)
            is_receipt = voucher[0].startswith("PT")
            lines.append(Sums(moved if is_receipt else 0, 0 if is_receipt else moved, balance))
    sums = {key: Sums(*figures) for key, figures in carried.items() if len(figures) == len(Sums._fields)}
    return ReadBack(sums.get("Số trang trước chuyển sang"), lines, sums.get("Cộng chuyển sang trang sau"))


NAMES = (
    "Lê",
    "Nguyễn Hoàng Thị Phương Thảo Nguyên",
    "NGUYỄN THỊ HOÀNG PHƯƠNG THƯƠNG HƯỚNG DƯƠNG",
    "W" * 60,
)
"""Names that take from one line to several."""


def a_busy_month(village: House) -> None:
    """Two hundred lines in May 2024, some of them reversed."""
    draw = Random(26)  # Repeatable on purpose.
    person = {"sex": "female", "birth_year": 1950, "poverty": "none", "on": "2024-02-01"}
    members = [village.recorded(f"{AT}/members", person | {"name": name})["member"] for name in NAMES]
    lines = []
    for number in range(180):
        on = f"2024-05-{1 + number // 6:02}"
        dues = {"type": "contribution", "member": draw.choice(members), "kind": "dues", "amount": 10_000 + number}
        spent = {"type": "expense", "activity": "culture", "amount": 5_000 + number}
        lines.append(draw.choice((dues, dues, spent)) | {"on": on, "key": f"line-{number:08}"})
    told = village.recorded(f"{AT}/meetings", {"held_on": "2024-05-31", "present": members, "lines": lines})["lines"]
    for line in told[::9]:
        village.recorded(f"{AT}/entries/{line['version']}/reversal", {"reason": "wrong_amount", "on": "2024-05-31"})


@WITH_PDF
@WITH_FACE
def test_the_sums_carried_from_page_to_page_of_the_cash_book_are_those_of_its_lines(village: House) -> None:
    a_busy_month(village)
    book = village.get(f"{AT}/cash-book?from=2024-05-01&to=2024-05-31").json()
    printed = f"{AT}/papers/cash-book?from=2024-05-01&to=2024-05-31"

    pages = [read_back(page) for page in pages_of(village.get(f"{printed}&format=pdf").content)]

    assert len(pages) == village.get(printed).text.count("<table") > 5, "each page is the one that was decided on"
    sums = Sums(0, 0, book["opening"])
    for number, page in enumerate(pages):
        assert page.lines, "no page is empty"
        assert page.before == (sums if number else None)
        for line in page.lines:
            sums = Sums(sums.received + line.received, sums.paid + line.paid, line.balance)
            assert sums.balance == book["opening"] + sums.received - sums.paid
        assert page.after == (sums if number < len(pages) - 1 else None)
    assert sum(len(page.lines) for page in pages) == len(book["items"])
    assert sums.balance == book["closing"]


@WITH_PDF
@WITH_FACE
@pytest.mark.long
@pytest.mark.parametrize("lines", range(2, 30, 1 if IS_LONG else 8))
def test_a_cash_book_of_any_length_says_truly_how_many_pages_it_has(village: House, lines: int) -> None:
    for number in range(lines):
        dues = {"member": 1, "kind": "dues", "amount": 10_000 + number, "on": "2024-05-15"}
        village.recorded(f"{AT}/contributions", dues)

    text = text_of(village.get(f"{AT}/papers/cash-book?from=2024-05-01&known_version=999&format=pdf").content)

    (promised,) = re.findall(r"Sổ này có (\d+) trang", text)
    assert f"Trang {promised}/{promised}" in text

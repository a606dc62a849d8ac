"""The papers a club signs and keeps: vouchers, books, passbooks, papers of loans, minutes, and the sheet for a meeting.

All but the sheet are printed from any point in both times, and say so when that is not now.
"""

from typing import Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from ledger.chart import Pot
from service.access.roles import MEMBERS, READERS, admitted
from service.http.fields import PathNumber, VoucherNumber
from service.http.parsing import StrictRoute
from service.papers.books import fill_cash_book, fill_passbook
from service.papers.dependencies import AtPrinter, AtPrinterOfNow
from service.papers.loan_papers import Settled, fill_loan_book, fill_loan_note, fill_loan_request, fill_write_off
from service.papers.meeting_sheet import fill_meeting_sheet
from service.papers.minutes import fill_cash_count, fill_goods
from service.papers.printing import Paper
from service.papers.vouchers import fill_pot_transfer, fill_reversal, fill_voucher
from service.reads.dependencies import On, Since, Until
from service.reads.query import refuse_upside_down

router = APIRouter(
    prefix="/v1/funds/{fund}/papers",
    route_class=StrictRoute,
    default_response_class=HTMLResponse,
    responses={200: {"description": "The paper; as a PDF with `format=pdf`", "content": {"application/pdf": {}}}},
)

PEOPLE: Final = [Depends(admitted(READERS))]


# --- vouchers -----------------------------------------------------------------------------------------------------


@router.get("/vouchers/{voucher}", dependencies=PEOPLE)
async def voucher(printer: AtPrinter, voucher: VoucherNumber) -> Response:
    """Phiếu thu or phiếu chi (A5), with both its dates, the amount in words and the check code of its entry."""
    return await printer.printed(Paper("voucher", "A5 landscape", lambda book: fill_voucher(book, voucher)), voucher)


@router.get("/pot-transfers/{version}", dependencies=PEOPLE)
async def pot_transfer(printer: AtPrinter, version: PathNumber) -> Response:
    """Phiếu chuyển giữa hai quỹ (A5) of the transfer with this version."""
    paper = Paper("pot-transfer", "A5 landscape", lambda book: fill_pot_transfer(book, version))
    return await printer.printed(paper, f"transfer-{version}")


@router.get("/reversals/{version}", dependencies=PEOPLE)
async def reversal(printer: AtPrinter, version: PathNumber) -> Response:
    """Giấy ghi số âm (A5) of the reversal with this version: what was undone and why, and what was entered instead; for
    the accountant and the chair to sign."""
    paper = Paper("reversal", "A5 landscape", lambda book: fill_reversal(book, version))
    return await printer.printed(paper, f"reversal-{version}")


# --- books --------------------------------------------------------------------------------------------------------


@router.get("/cash-book", dependencies=PEOPLE)
async def cash_book(
    printer: AtPrinter,
    since: Since,
    until: Until,
    pot: Pot | None = None,
) -> Response:
    """Sổ quỹ tiền mặt (A4): opening, every voucher with the running balance, the sums carried from page to page,
    closing. By default the month of `to`."""
    as_of = printer.query.as_of
    last = min(until or as_of, as_of)
    first = since or last.replace(day=1)
    refuse_upside_down(first, last)
    paper = Paper("cash-book", "A4 landscape", lambda book: fill_cash_book(book, first, last, pot))
    return await printer.printed(paper, f"cash-book-{first}-{last}")


@router.get("/loan-book", dependencies=PEOPLE)
async def loan_book(printer: AtPrinter, since: Since, settled: Settled = "in_period") -> Response:
    """Sổ theo dõi vay vốn (A4): where the loans that were handed out stand at the end of a day. Of those that nothing
    is owed of any more, the ones settled since `from` (by default the first day of the year), or with `settled=all` all
    there ever were."""
    as_of = printer.query.as_of
    first = since or as_of.replace(month=1, day=1)
    refuse_upside_down(first, as_of)
    paper = Paper("loan-book", "A4 landscape", lambda book: fill_loan_book(book, first, settled))
    return await printer.printed(paper, f"loans-{as_of}")


@router.get("/members/{member}", dependencies=[Depends(admitted(READERS | MEMBERS))])
async def passbook(printer: AtPrinter, member: PathNumber) -> Response:
    """A member's passbook (A5): every line with running savings and debt."""
    paper = Paper("passbook", "A5 landscape", lambda book: fill_passbook(book, member))
    return await printer.printed(paper, f"member-{member}-{printer.query.as_of}")


# --- loans --------------------------------------------------------------------------------------------------------


@router.get("/loans/{loan}/request", dependencies=PEOPLE)
async def loan_request(printer: AtPrinter, loan: PathNumber) -> Response:
    """Đơn xin vay vốn (A4), for the borrower to sign and the board to decide upon."""
    paper = Paper("loan-request", "A4 portrait", lambda book: fill_loan_request(book, loan))
    return await printer.printed(paper, f"loan-{loan}-request")


@router.get("/loans/{loan}/note", dependencies=PEOPLE)
async def loan_note(printer: AtPrinter, loan: PathNumber) -> Response:
    """Giấy nhận nợ (A4) of a loan that was handed out: its terms and its plan as they were agreed, for the borrower and
    the guarantor to sign."""
    paper = Paper("loan-note", "A4 portrait", lambda book: fill_loan_note(book, loan))
    return await printer.printed(paper, f"loan-{loan}-note")


@router.get("/write-offs/{version}", dependencies=PEOPLE)
async def write_off(printer: AtPrinter, version: PathNumber) -> Response:
    """Biên bản xóa nợ (A4) of the write-off with this version: what was lent, came back and is given up, and why."""
    paper = Paper("write-off", "A4 portrait", lambda book: fill_write_off(book, version))
    return await printer.printed(paper, f"write-off-{version}")


# --- minutes and sheets -------------------------------------------------------------------------------------------


@router.get("/cash-counts/{version}", dependencies=PEOPLE)
async def cash_count(printer: AtPrinter, version: PathNumber) -> Response:
    """Biên bản kiểm kê quỹ (A4) of the count with this version: what was counted, what the book expected, who was
    there; for a handover also the books, the vouchers and the bank's balance that go with the box."""
    paper = Paper("cash-count", "A4 portrait", lambda book: fill_cash_count(book, version))
    return await printer.printed(paper, f"count-{version}")


@router.get("/in-kind-donations/{version}", dependencies=PEOPLE)
async def goods(printer: AtPrinter, version: PathNumber) -> Response:
    """Biên bản giao nhận hiện vật (A4) of the gift in kind with this version: each item with its worth."""
    paper = Paper("goods", "A4 portrait", lambda book: fill_goods(book, version))
    return await printer.printed(paper, f"goods-{version}")


@router.get("/meeting-sheet", dependencies=PEOPLE)
async def meeting_sheet(printer: AtPrinterOfNow, on: On) -> Response:
    """A sheet to fill in by hand (A4): the roll with recent dues, running loans with what is due, cash and check
    code."""
    return await printer.printed(
        Paper("meeting-sheet", "A4 portrait", lambda book: fill_meeting_sheet(book, on)), f"sheet-{on}"
    )

"""The papers a club signs and keeps: vouchers, books, passbooks, minutes of a count, and the sheet for a meeting.

All but the sheet are printed from any point in both times, and say so when that is not now.
"""

from typing import Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from ledger.chart import Pot
from service.access.roles import MEMBERS, READERS, admitted
from service.http.fields import PathNumber, VoucherNumber
from service.http.parsing import StrictRoute
from service.papers.dependencies import AtPrinter, AtPrinterOfNow
from service.papers.filling import (
    fill_cash_book,
    fill_cash_count,
    fill_loan_book,
    fill_meeting_sheet,
    fill_passbook,
    fill_voucher,
)
from service.papers.printing import Paper
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


# --- books --------------------------------------------------------------------------------------------------------


@router.get("/cash-book", dependencies=PEOPLE)
async def cash_book(
    printer: AtPrinter,
    since: Since,
    until: Until,
    pot: Pot | None = None,
) -> Response:
    """Sổ quỹ tiền mặt (A4): opening, every voucher with the running balance, closing. By default the month of `to`."""
    as_of = printer.query.as_of
    last = min(until or as_of, as_of)
    first = since or last.replace(day=1)
    refuse_upside_down(first, last)
    paper = Paper("cash-book", "A4 portrait", lambda book: fill_cash_book(book, first, last, pot))
    return await printer.printed(paper, f"cash-book-{first}-{last}")


@router.get("/loan-book", dependencies=PEOPLE)
async def loan_book(printer: AtPrinter) -> Response:
    """Sổ theo dõi vay vốn (A4): every loan that was handed out, and where it stands at the end of a day."""
    return await printer.printed(Paper("loan-book", "A4 landscape", fill_loan_book), f"loans-{printer.query.as_of}")


@router.get("/members/{member}", dependencies=[Depends(admitted(READERS | MEMBERS))])
async def passbook(printer: AtPrinter, member: PathNumber) -> Response:
    """A member's passbook (A5): every line with running savings and debt."""
    paper = Paper("passbook", "A5 portrait", lambda book: fill_passbook(book, member))
    return await printer.printed(paper, f"member-{member}-{printer.query.as_of}")


# --- minutes and sheets -------------------------------------------------------------------------------------------


@router.get("/cash-counts/{version}", dependencies=PEOPLE)
async def cash_count(printer: AtPrinter, version: PathNumber) -> Response:
    """Biên bản kiểm kê quỹ (A4) of the count with this version: what was counted, what the book expected, witnesses."""
    return await printer.printed(
        Paper("cash-count", "A4 portrait", lambda book: fill_cash_count(book, version)), f"count-{version}"
    )


@router.get("/meeting-sheet", dependencies=PEOPLE)
async def meeting_sheet(printer: AtPrinterOfNow, on: On) -> Response:
    """A sheet to fill in by hand (A4): the roll with dues owed, running loans with what is due, cash and check code."""
    return await printer.printed(
        Paper("meeting-sheet", "A4 portrait", lambda book: fill_meeting_sheet(book, on)), f"sheet-{on}"
    )

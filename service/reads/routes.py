"""Everything that is read off the books: figures of one fund at a point in both times, and of all funds in scope."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from ledger.chart import Pot
from ledger.events import EVENT_TYPES
from ledger.projections import balances, borrowing, funds, journal, loans, members
from ledger.projections.tables import Reader
from service.access.roles import FIGURE_READERS, MEMBERS, READERS, InScope, admitted
from service.http.answers import in_json
from service.http.fields import MOST_ITEMS, Cursor, Day, Enumerated, Limit, PathNumber
from service.http.parsing import StrictRoute
from service.http.refusals import CursorInvalid
from service.http.state import AppState, AtState
from service.reads.dependencies import (
    AsOf,
    AtPoint,
    CaughtUp,
    PageAsked,
    PointAsked,
    Since,
    Until,
    add_direct_read,
    answered,
    answered_with_others,
    within_reach,
)
from service.reads.passbook import passbook
from service.reads.people import named, with_names
from service.reads.query import Answer, FundQuery, ask_tables, last_code, refuse_upside_down

router = APIRouter(prefix="/v1", route_class=StrictRoute)

FIGURES: Final = [Depends(admitted(FIGURE_READERS))]
PEOPLE: Final = [Depends(admitted(READERS))]
OWN: Final = [Depends(admitted(READERS | MEMBERS))]
"""A member reads what is the own."""

LoanStatus = Literal["requested", "approved", "rejected", "running", "settled", "written_off"]
EventName = Annotated[str, Enumerated(tuple(EVENT_TYPES))]
Purpose = Literal["production", "any"]
Threshold = Literal["60", "55"]


# --- all funds in scope -------------------------------------------------------------------------------------------


@router.get("/funds", dependencies=FIGURES)
async def list_funds(
    state: AtState,
    scope: InScope,
    wanted: CaughtUp,
    as_of: AsOf,
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> Response:
    """The funds in scope, with their key figures."""

    def ask(reader: Reader) -> Answer:
        return funds.funds(reader, scope, as_of, after=last_code(cursor), limit=limit)

    return await _of_all(state, wanted, as_of, ask)


@router.get("/borrowing", dependencies=FIGURES)
async def all_borrowing(
    state: AtState,
    scope: InScope,
    wanted: CaughtUp,
    as_of: AsOf,
    since: Since,
    purpose: Purpose = "production",
    threshold: Threshold = "60",
) -> Response:
    """Member borrowing rates of all funds in scope together: three readings side by side."""
    refuse_upside_down(since, as_of)

    def ask(reader: Reader) -> Answer:
        return borrowing.borrowing(reader, scope, as_of, since=since, purpose=purpose, threshold=int(threshold))

    return await _of_all(state, wanted, as_of, ask)


async def _of_all(state: AppState, wanted: int, as_of: date, ask: Callable[[Reader], Answer]) -> Response:
    def question(tables: Reader, position: int) -> Answer:
        return {"as_of": as_of, "position": position} | ask(tables)

    content = await asyncio.to_thread(ask_tables, state, wanted, question)
    return in_json(content)


# --- one fund -----------------------------------------------------------------------------------------------------


async def one_fund(query: FundQuery, _: PointAsked) -> Response:
    """The club, its bylaws in force, where its log stands, and its key figures."""
    return await answered_with_others(query, lambda reader: funds.fund(reader, query.fund, query.as_of))


async def fund_balances(query: FundQuery, _: PointAsked) -> Response:
    """What lies in each pot; equity = assets − liabilities."""
    return await answered_with_others(
        query, lambda reader: balances.balances(reader, query.fund, query.as_of), kept_as="balances"
    )


@router.get("/funds/{fund}/trial-balance", dependencies=FIGURES)
async def fund_trial_balance(query: AtPoint) -> Response:
    """Every account that is not zero; debits equal credits."""
    return await answered(query, lambda reader: balances.trial_balance(reader, query.fund, query.as_of))


class BorrowingAsked(PointAsked):
    """What a question about borrowing rates may say."""

    since: Day | None = Field(None, alias="from")
    purpose: Purpose = "production"
    threshold: Threshold = "60"


async def fund_borrowing(query: FundQuery, asked: BorrowingAsked) -> Response:
    """The club's member borrowing rates: three readings side by side."""
    since, purpose, threshold = asked.since, asked.purpose, int(asked.threshold)
    within_reach(query.state, "from", since)
    refuse_upside_down(since, query.as_of)

    def ask(reader: Reader) -> Answer:
        one = funds.FundFilter.exactly([query.fund])
        return borrowing.borrowing(reader, one, query.as_of, since=since, purpose=purpose, threshold=threshold)

    return await answered_with_others(query, ask, kept_as=("borrowing", since, purpose, threshold))


# --- members ------------------------------------------------------------------------------------------------------


async def fund_members(query: FundQuery, asked: PageAsked) -> Response:
    """The roll at the end of a day, with names and phones as far as the register has them."""
    query, after = query.turned_to(asked.cursor)

    def ask(reader: Reader) -> Answer:
        page = members.roll(reader, query.fund, query.as_of, after=after, limit=asked.limit)
        return page | {"items": named(query, page["items"])}

    return await answered_with_others(query, ask)


@router.get("/funds/{fund}/members/{member}", dependencies=OWN)
async def one_member(query: AtPoint, member: PathNumber) -> Response:
    """One member's statement (passbook): every line with running savings and debt, and the dues owed by month."""

    return await answered(query, lambda reader: passbook(query, reader, member))


# --- loans --------------------------------------------------------------------------------------------------------


class LoansAsked(PageAsked):
    """What a question about the loan book may say."""

    status: LoanStatus | None = None


async def loan_book(query: FundQuery, asked: LoansAsked) -> Response:
    """The loan book at the end of a day."""
    query, after = query.turned_to(asked.cursor)
    status, limit = asked.status, asked.limit

    def ask(reader: Reader) -> Answer:
        page = loans.loan_book(reader, query.fund, query.as_of, status=status, after=after, limit=limit)
        return with_names(query, reader, page, page["items"])

    return await answered_with_others(query, ask)


@router.get("/funds/{fund}/loans/{loan}", dependencies=FIGURES)
async def one_loan(query: AtPoint, loan: PathNumber) -> Response:
    """One loan: its terms, plan, repayments and standing."""

    def ask(reader: Reader) -> Answer | None:
        found = loans.loan(reader, query.fund, loan, query.as_of)
        return found and with_names(query, reader, found, [found])

    return await answered(query, ask)


# --- the journal --------------------------------------------------------------------------------------------------


@router.get("/funds/{fund}/entries", dependencies=PEOPLE)
async def fund_entries(
    query: AtPoint,
    since: Since,
    until: Until,
    type: EventName | None = None,  # The parameter's name in the contract.
    member: PathNumber | None = None,
    loan: PathNumber | None = None,
    order: Literal["asc", "desc"] = "desc",
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> Response:
    """The journal, newest first."""

    def ask(reader: Reader) -> Answer:
        try:
            page = journal.entries(
                reader,
                query.fund,
                types=(type,) if type else (),
                member=member,
                loan=loan,
                since=since,
                until=min(until or query.as_of, query.as_of),
                ascending=order == "asc",
                cursor=cursor,
                limit=limit,
            )
        except journal.BadCursor:
            raise CursorInvalid from None
        return with_names(query, reader, page, page["items"])

    return await answered(query, ask)


@router.get("/funds/{fund}/cash-book", dependencies=FIGURES)
async def cash_book(
    query: AtPoint,
    since: Since,
    until: Until,
    pot: Pot | None = None,
    cursor: Cursor | None = None,
    limit: Limit = MOST_ITEMS,
) -> Response:
    """Sổ quỹ tiền mặt: opening, every voucher with the running balance, closing. By default the month of `to`."""
    last = min(until or query.as_of, query.as_of)
    first = since or last.replace(day=1)
    refuse_upside_down(first, last)

    def ask(reader: Reader) -> Answer:
        try:
            page = journal.cash_book(reader, query.fund, first, last, pot=pot, cursor=cursor, limit=limit)
        except journal.BadCursor:
            raise CursorInvalid from None
        return with_names(query, reader, page | {"from": first, "to": last}, page["items"])

    return await answered(query, ask)


# --- what is asked most -------------------------------------------------------------------------------------------

add_direct_read(router, "/funds/{fund}", FIGURE_READERS | MEMBERS, PointAsked, one_fund)
add_direct_read(router, "/funds/{fund}/balances", FIGURE_READERS, PointAsked, fund_balances)
add_direct_read(router, "/funds/{fund}/borrowing", FIGURE_READERS, BorrowingAsked, fund_borrowing)
add_direct_read(router, "/funds/{fund}/members", READERS, PageAsked, fund_members)
add_direct_read(router, "/funds/{fund}/loans", FIGURE_READERS, LoansAsked, loan_book)

"""What a club's people look at: the home of the club, its roll and passbooks, loans and journal, and who looked.

A route that shows people bears the name of the one of `/v1` that shows the same: so it stands in the log of readers.
"""

import asyncio
from collections.abc import Callable
from datetime import date
from itertools import chain
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.days import add_months
from ledger.projections import balances, funds, journal, loans, members
from ledger.projections.dues import meeting_in
from ledger.projections.tables import Reader
from ledger.register import folded
from service.access.delegation import DIRECTORY_READERS
from service.access.dependencies import AtReaderLog
from service.access.reader_list import before, readers_told
from service.access.roles import DECIDERS, FIGURE_READERS, INSPECTORS, LOG_READERS, MEMBERS, READERS, WRITERS, admitted
from service.access.state import AtAccess
from service.http.fields import PathNumber
from service.http.refusals import CursorInvalid
from service.pages.forms import types_of
from service.pages.layout import PageRoute, language_for, page
from service.pages.typed import typed_in
from service.papers.printing import Book
from service.reads.dependencies import AtPoint, Since, Until
from service.reads.passbook import passbook
from service.reads.people import named, namesakes, with_names
from service.reads.query import Answer, FundQuery

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CLUB: Final = "/clubs/{fund}"
FIGURES: Final = [Depends(admitted(FIGURE_READERS))]
PEOPLE: Final = [Depends(admitted(READERS))]
HOME: Final = [Depends(admitted(FIGURE_READERS | MEMBERS))]
OWN: Final = [Depends(admitted(READERS | MEMBERS))]
"""A member reads what is the own."""
ENTRIES_A_PAGE: Final = 40
MOST: Final = 500
"""More members or loans than any club has."""
MOST_DONE: Final = 20
"""Loans that were settled; the loan book on paper has them all."""


async def club_page(
    request: Request, query: FundQuery, name: str, question: Callable[[Book], Answer | None], **more: Any
) -> Response:
    """A page about one club, filled in from its books at one moment. `more` is what is known without the books."""
    language = language_for(request)

    def ask(reader: Reader) -> Answer | None:
        club = funds.fund(reader, query.fund, query.as_of)
        book = Book(query.state, reader, query.fund, query.as_of, language)
        found = question(book)
        return found if club is None or found is None else {"club": club, "book": book} | found

    found = await asyncio.to_thread(query.ask, ask)
    return page(request, name, fund=query.fund, as_of=query.as_of, parked=found.parked, **found.figures, **more)


# --- home ---------------------------------------------------------------------------------------------------------


@router.get(CLUB, dependencies=HOME)
async def home(request: Request, query: AtPoint) -> Response:
    """What lies in the box, how many members and loans there are, and what is next."""
    roles = query.principal.roles

    def ask(book: Book) -> Answer:
        held = balances.balances(book.reader, query.fund, query.as_of)
        requested = loans.loan_book(book.reader, query.fund, query.as_of, status="requested", limit=MOST)["items"]
        return {
            "pots": held["pots"],
            "together": loans.portfolio(book.reader, query.fund, query.as_of),
            "waiting": len(requested),
        }

    return await club_page(
        request,
        query,
        "home",
        ask,
        records=bool(roles & WRITERS),
        decides=bool(roles & DECIDERS),
        sees_people=query.sees_people,
        sees_figures=bool(roles & FIGURE_READERS),
        own_number=query.principal.members.get(query.fund),
        sees_access=bool(roles & DIRECTORY_READERS),
        inspects=bool(roles & INSPECTORS),
        today=query.state.today(),
        next_meeting=lambda club: next_meeting(club["bylaws"], query.state.today()),
    )


def next_meeting(bylaws: Answer | None, today: date) -> date | None:
    """The day of the next meeting, today's included, by the bylaws; None before the first."""
    if not bylaws:
        return None
    held = (meeting_in(add_months(today.replace(day=1), months), bylaws["meeting_day"]) for months in (0, 1))
    return next(day for day in held if day >= today)


# --- members ------------------------------------------------------------------------------------------------------


@router.get(CLUB + "/members", dependencies=PEOPLE, name="fund_members")
async def roll(request: Request, query: AtPoint) -> Response:
    """The roll, by number."""
    return await club_page(request, query, "members", lambda book: {"roll": roll_of(query, book), "sought": ""})


@router.post(CLUB + "/members", dependencies=PEOPLE, name="fund_members")
async def search(request: Request, query: AtPoint) -> Response:
    """The members whose name holds what was typed, without regard to marks, or who bear that number. It is a POST, so
    that no name stands in an address."""
    sought = (await typed_in(request)).get("q", "").strip()

    def ask(book: Book) -> Answer:
        wanted = folded(sought)
        roll = roll_of(query, book)
        found = [m for m in roll if sought == str(m["member"]) or (wanted and wanted in folded(m["name"] or ""))]
        return {"roll": found, "sought": sought}

    return await club_page(request, query, "members", ask)


def roll_of(query: FundQuery, book: Book) -> list[Answer]:
    """The members on the roll with their names; those who share a name are told apart by their year of birth."""
    roll = named(query, members.roll(book.reader, query.fund, query.as_of, limit=MOST)["items"])
    shared = namesakes(member["name"] for member in roll)
    return [member | {"is_namesake": member["name"] in shared} for member in roll]


@router.get(CLUB + "/members/{member}", dependencies=OWN)
async def one_member(request: Request, query: AtPoint, member: PathNumber) -> Response:
    """A member's passbook."""

    def ask(book: Book) -> Answer | None:
        found = passbook(query, book.reader, member)
        if found is None:
            return None
        lines = found["lines"]
        last = lines[-1] if lines else {"savings": 0, "outstanding": 0}
        return {
            "member": found,
            "lines": lines[::-1],
            "savings": last["savings"],
            "outstanding": last["outstanding"],
            "names": {},
        }

    return await club_page(request, query, "member", ask, records=bool(query.principal.roles & WRITERS))


# --- loans --------------------------------------------------------------------------------------------------------


@router.get(CLUB + "/loans", dependencies=FIGURES)
async def loan_book(request: Request, query: AtPoint) -> Response:
    """The loans that run, late ones first, then what waits, then what was settled."""

    def ask(book: Book) -> Answer:
        running, *asked = (
            loans.loan_book(book.reader, query.fund, query.as_of, status=status, limit=MOST)["items"]
            for status in ("running", "requested", "approved")
        )
        running.sort(key=lambda loan: -(loan["days_late"] or 0))
        waiting = sorted(chain(*asked), key=lambda loan: loan["loan"])
        done = loans.closed(book.reader, query.fund, query.as_of, MOST_DONE)
        about = with_names(query, book.reader, {}, [*running, *waiting, *done["latest"]])
        together = loans.portfolio(book.reader, query.fund, query.as_of)
        return {"running": running, "waiting": waiting, "done": done, "together": together, "names": {}} | about

    return await club_page(request, query, "loans", ask)


@router.get(CLUB + "/loans/{loan}", dependencies=FIGURES)
async def one_loan(request: Request, query: AtPoint, loan: PathNumber) -> Response:
    """One loan: what is owed today, the plan, what was repaid."""

    def ask(book: Book) -> Answer | None:
        found = loans.loan(book.reader, query.fund, loan, query.as_of)
        return found and {"loan": found, "names": {}} | with_names(query, book.reader, {}, [found])

    roles = query.principal.roles
    return await club_page(request, query, "loan", ask, records=bool(roles & WRITERS), decides=bool(roles & DECIDERS))


# --- the journal --------------------------------------------------------------------------------------------------


@router.get(CLUB + "/entries", dependencies=PEOPLE, name="fund_entries")
async def entries(
    request: Request,
    query: AtPoint,
    since: Since,
    until: Until,
    member: PathNumber | None = None,
    cursor: str | None = None,
    what: str | None = None,
) -> Response:
    """The journal, newest first."""

    def ask(book: Book) -> Answer:
        last = min(until or query.as_of, query.as_of)
        try:
            found = journal.entries(
                book.reader,
                query.fund,
                types=types_of(what) if what else (),
                member=member,
                since=since,
                until=last,
                cursor=cursor,
                limit=ENTRIES_A_PAGE,
            )
        except journal.BadCursor:
            raise CursorInvalid from None
        about = {"items": found["items"], "next": found["next"], "names": {}}
        return with_names(query, book.reader, about, found["items"])

    return await club_page(request, query, "entries", ask)


# --- who looked ---------------------------------------------------------------------------------------------------


@router.get(CLUB + "/readers", dependencies=[Depends(admitted(LOG_READERS))], name="fund_readers")
async def readers(
    request: Request, query: AtPoint, log: AtReaderLog, access: AtAccess, cursor: str | None = None
) -> Response:
    """Who was shown a name, phone, note or passbook of this club."""
    language, start = language_for(request), before(cursor)
    found = await asyncio.to_thread(
        readers_told, log, access.principals, query.fund, language, before=start, limit=ENTRIES_A_PAGE
    )
    return await club_page(request, query, "readers", lambda book: found)

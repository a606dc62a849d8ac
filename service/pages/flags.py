"""What to ask a club about, and which club first: red flags, each with why it is a sign, what ordinary reasons there
may be, and the entries behind it."""

import asyncio
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.flags import RULES, Flag
from ledger.projections import funds, journal
from ledger.projections.tables import Reader
from ledger.refusals import NotFound
from service.access.roles import READERS, admitted, scope_of
from service.http.fields import MOST_FUNDS, PathNumber
from service.http.state import AtState
from service.inspection.dependencies import AtFlagService
from service.inspection.flag_service import counted, flag_answer, rule_answer
from service.pages import pictures
from service.pages.club import CLUB, ENTRIES_A_PAGE, club_page
from service.pages.layout import PageRoute, language_for, page
from service.papers.printing import Book
from service.reads.dependencies import AtPoint, CaughtUp
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery, ask_tables, last_code
from service.words import catalogue

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PEOPLE: Final = [Depends(admitted(READERS))]
RULES_A_PAGE: Final = 8
"""Of each the latest finding alone is shown."""
FINDINGS_A_PAGE: Final = 10
LINKS_SHOWN: Final = 4
TITLES_SHOWN: Final = 3


@router.get("/flags", dependencies=PEOPLE)
async def which_club_first(
    request: Request, state: AtState, flag_service: AtFlagService, wanted: CaughtUp, after: str | None = None
) -> Response:
    """The clubs in scope by how much there is to ask, the worst first."""
    scope, today, language = scope_of(request.scope["principal"]), state.today(), language_for(request)

    def listed(tables: Reader, _: int) -> Answer:
        return funds.funds(tables, scope, today, after=last_code(after), limit=MOST_FUNDS)

    found = await asyncio.to_thread(ask_tables, state, wanted, listed)
    clubs = await flag_service.summaries(found["items"], today)
    most = max((club["flags"] or 0 for club in clubs), default=0)
    for club in clubs:
        worst = sorted(club["by_rule"], key=club["by_rule"].__getitem__, reverse=True)
        club["titles"] = [catalogue.phrase(f"flag.{rule}.title", language) for rule in worst[:TITLES_SHOWN]]
        club["other_rules"] = max(len(worst) - TITLES_SHOWN, 0)
        club["bar"] = pictures.bar(club["club"], club["flags"] or 0, most)
    asked = sum(club["flags"] != 0 for club in clubs)
    return page(request, "flags-of-all", clubs=clubs, asked=asked, next=found["next"], rules=len(RULES))


@router.get(CLUB + "/flags", dependencies=PEOPLE, name="fund_entries")
async def what_to_ask(
    request: Request,
    query: AtPoint,
    flag_service: AtFlagService,
    rule: str | None = None,
    finding: PathNumber | None = None,
    start: PathNumber = 1,
    after: PathNumber | None = None,
) -> Response:
    """What to ask a club about, rule by rule; all of one `rule`, or the entries behind one `finding` of it."""
    if rule is not None and rule not in RULES:
        raise NotFound
    language = language_for(request)

    def ask(book: Book) -> Answer | None:
        standing = funds.standing(book.reader, query.fund)
        assert standing, "a query has a standpoint"
        found = flag_service.flags(query.fund, standing["version"], standing["head"], query.as_of)
        raised = [name for name in counted(found) if rule in (None, name)]
        page_of_rules = slice(0) if rule else slice(start - 1, start - 1 + RULES_A_PAGE)
        shown = slice(start - 1, start - 1 + FINDINGS_A_PAGE) if rule else slice(1)
        groups: list[Answer] = [
            rule_answer(name, flag_service.thresholds, language) | _group(name, found, shown, finding)
            for name in (raised if rule else raised[page_of_rules])
        ]
        for group in groups:
            group["findings"] = [
                {"number": number, **flag_answer(flag, flag_service.thresholds, language)}
                for number, flag in group["findings"]
            ]
        more = None if rule or len(raised) <= page_of_rules.stop else page_of_rules.stop + 1
        about: Answer = {"groups": groups, "flags": len(found), "more_rules": more, "names": {}, "entries": None}
        if finding is not None:
            return _with_entries(query, book, about, [flag for flag in found if flag.rule == rule], finding, after)
        return about

    async with flag_service.turn:
        return await club_page(request, query, "flags", ask, rule=rule, rules=RULES, links=LINKS_SHOWN, start=start)


def _group(rule: str, found: tuple[Flag, ...], shown: slice, finding: int | None) -> Answer:
    """The findings of a rule, the latest first, each with its number among them all; those to be shown, or the one that
    is asked for."""
    flags = list(enumerate((flag for flag in found if flag.rule == rule), 1))[::-1]
    asked = [(number, flag) for number, flag in flags if number == finding] if finding else flags[shown]
    return {"flags": len(flags), "findings": asked, "next": shown.stop + 1 if shown.stop < len(flags) else None}


def _with_entries(
    query: FundQuery, book: Book, about: Answer, flags: list[Flag], finding: int, after: int | None
) -> Answer | None:
    """The page with the entries behind one finding, after a version."""
    if finding > len(flags):
        return None
    versions = [version for version in flags[finding - 1].versions if version > (after or 0)]
    shown = versions[:ENTRIES_A_PAGE]
    items = journal.entries(book.reader, query.fund, versions=shown, ascending=True, limit=len(shown))["items"]
    more = {"entries": items, "finding": finding, "after": shown[-1] if len(versions) > len(shown) else None}
    return with_names(query, book.reader, about | more, items)

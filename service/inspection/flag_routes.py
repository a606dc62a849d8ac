"""Red flags for the inspector: what to ask one club about, and which clubs to begin with."""

import asyncio
from dataclasses import asdict

from fastapi import APIRouter, Depends, Request, Response

from ledger.flags import RULES
from ledger.projections import funds
from ledger.projections.tables import Reader
from service.access.roles import READERS, InScope, admitted
from service.http.answers import in_json
from service.http.fields import MOST_FUNDS, Cursor, FundLimit
from service.http.parsing import StrictRoute, accept_language
from service.http.state import AtState
from service.inspection.dependencies import AtFlagService
from service.inspection.flag_service import counted, flag_answer, rule_answer
from service.reads.dependencies import AsOf, AtPoint, CaughtUp, answered
from service.reads.query import Answer, ask_tables, last_code
from service.words import catalogue
from service.words.wording import language_of

router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/funds/{fund}/flags", dependencies=[Depends(admitted(READERS))])
async def fund_flags(flag_service: AtFlagService, request: Request, query: AtPoint) -> Response:
    """What to ask a club about: each flag with the rule in words (`why`), what was found, and the entries behind it.

    A flag is a question, not an accusation. `rules` lists all that were looked at, `flags` of each; `thresholds` are
    settings of the service.
    """
    language = language_of(accept_language(request.scope))

    def ask(reader: Reader) -> Answer:
        standing = funds.standing(reader, query.fund)
        assert standing, "a query has a standpoint"
        found = flag_service.flags(query.fund, standing["version"], standing["head"], query.as_of)
        counts = counted(found)
        return {
            "note": catalogue.render("flag.note", language),
            "items": [flag_answer(flag, flag_service.thresholds, language) for flag in found],
            "rules": [
                rule_answer(rule, flag_service.thresholds, language) | {"flags": counts.get(rule, 0)} for rule in RULES
            ],
            "thresholds": asdict(flag_service.thresholds),
        }

    async with flag_service.turn:
        answer = await answered(query, ask)
    answer.headers["Content-Language"] = language
    return answer


@router.get("/flags", dependencies=[Depends(admitted(READERS))])
async def all_flags(
    state: AtState,
    flag_service: AtFlagService,
    scope: InScope,
    wanted: CaughtUp,
    as_of: AsOf,
    cursor: Cursor | None = None,
    limit: FundLimit = MOST_FUNDS,
) -> Response:
    """How many flags each fund in scope has, by rule. Pages go by the funds' codes; within a page the worst is first,
    and a fund whose history is broken (`broken` is the first version that does not fit) before all others."""

    def listed(tables: Reader, position: int) -> Answer:
        return funds.funds(tables, scope, as_of, after=last_code(cursor), limit=limit) | {"position": position}

    page = await asyncio.to_thread(ask_tables, state, wanted, listed)
    answer = {
        "as_of": as_of,
        "position": page["position"],
        "items": await flag_service.summaries(page["items"], as_of),
        "next": page["next"],
    }
    return in_json(answer)

"""Recording on a page: choose what happened, answer the questions, hear it read back, record it.

Every form goes the same way: GET asks, POST …/check finds out by a dry run what would be recorded, GET …/check reads it
back, POST records it once under the key that the form was made with, and leads to the receipt.
"""

import asyncio
import secrets
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response

from ledger.events import Request as RequestMark
from ledger.jobs import Recorded
from ledger.projections import journal
from ledger.refusals import IdempotencyKeyReused, NotFound, Refusal
from service.access.approval import NOT_NEEDED, Approval
from service.access.roles import WRITERS, admitted
from service.access.state import access_of
from service.http.direct_routes import fitted
from service.http.problems import problem_with_errors, refusal_for
from service.http.refusals import FieldError, Forbidden, IdempotencyKeyInvalid, InvalidFields
from service.http.state import state_of
from service.pages.choices import choices_for
from service.pages.club import CLUB, club_page
from service.pages.drafts import Drafts
from service.pages.forms import EVERYDAY, FORMS, Form, Typed, body_of, typed_in, wrong_fields
from service.pages.layout import PageRoute, language_for, see_other
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import FundQuery
from service.writes.answers import write_answer
from service.writes.calls import RequestContext, digest_of
from service.writes.dependencies import KEY
from service.writes.recording import carry_out

router = APIRouter(route_class=PageRoute, include_in_schema=False)

RECORDING: Final = [Depends(admitted(WRITERS))]
NEW: Final = CLUB + "/entries/new"
PRESET: Final = frozenset({"member", "loan", "advance", "kind"})
"""What an address may answer beforehand."""


class Prepared:
    """A form on its way: what was typed at an address, and which write it comes to."""

    def __init__(self, request: Request, fund: str, what: str, typed: Typed) -> None:
        if what not in FORMS:
            raise NotFound
        self.request = request
        self.fund = fund
        self.what = what
        self.typed = _settled(typed)
        self.form: Form = FORMS[what]
        self.key = typed.get("key") or new_key()
        if not KEY.fullmatch(self.key):
            raise IdempotencyKeyInvalid
        if not request.scope["principal"].roles & self.form.write.roles:
            raise Forbidden

    @property
    def address(self) -> str:
        return f"/clubs/{self.fund}/entries/new/{self.what}"

    async def recorded(self, *, dry_run: bool) -> Recorded:
        """Carry out what was typed. Raises all that a write raises."""
        state = state_of(self.request)
        write, body = self.form.write, body_of(self.form, self.typed)
        missing = [
            FieldError(f"/{name}", "field-missing") for name in write.numbers if not isinstance(body.get(name), int)
        ]
        numbers = {name: body.pop(name, None) for name in write.numbers}
        fitting = _fitted(write.body, body, missing)
        path = f"/v1{write.path.format(fund=self.fund, **numbers)}"
        mark = RequestMark(self.key, digest_of(f"POST {path}", body, state.ledger.request_secret))
        principal = self.request.scope["principal"]
        approval = approval_typed(self.request, self.typed)
        context = RequestContext(principal, state.now(), None if dry_run else mark, None, dry_run, approval)
        return await carry_out(
            write, context, fitting, self.fund, tuple(numbers.values()), state=state, access=access_of(self.request)
        )


def new_key() -> str:
    """A key that nothing was recorded with."""
    return secrets.token_urlsafe(16)


def approval_typed(request: Request, typed: Typed) -> Approval:
    """The PIN that was typed, where the request came from a phone."""
    session = request.scope["session"]
    return Approval(session.principal.id, typed.get("pin") or None) if session else NOT_NEEDED


def _settled(typed: Typed) -> Typed:
    """What was typed, with the amount that was chosen where none was typed."""
    rest = {name: text for name, text in typed.items() if name != "proposal"}
    if proposed := typed.get("proposal"):
        rest["amount"] = rest.get("amount") or proposed
    return rest


def _fitted(model: Any, body: dict[str, Any], missing: list[FieldError]) -> Any:
    """The body as its model. Raises `InvalidFields` with the numbers of the path among what is wrong."""
    try:
        fitting = fitted(model, body)
    except InvalidFields as wrong:
        raise InvalidFields([*missing, *wrong.errors]) from None
    if missing:
        raise InvalidFields(missing)
    return fitting


# --- choosing and asking ------------------------------------------------------------------------------------------


@router.get(NEW, dependencies=RECORDING)
async def chooser(request: Request, query: AtPoint) -> Response:
    """What happened? What is recorded most comes first."""
    roles = query.principal.roles
    open_to_me = [what for what, form in FORMS.items() if form.write.roles & roles]
    member = request.query_params.get("member", "")
    return await club_page(
        request,
        query,
        "chooser",
        lambda book: {},
        everyday=[what for what in EVERYDAY if what in open_to_me],
        others=[what for what in open_to_me if what not in EVERYDAY],
        preset=f"?member={member}" if member.isdecimal() else "",
    )


@router.get(NEW + "/{what}", dependencies=RECORDING, name="fund_members")
async def ask(request: Request, query: AtPoint, what: str) -> Response:
    """The form of one entry; empty, or with what the address or an earlier try answers."""
    given = {name: text for name, text in request.query_params.items() if name in PRESET and len(text) <= 40}
    if (key := request.query_params.get("key")) is not None:
        given = await _draft(request, query, what, key) or given
    return await _form(Prepared(request, query.fund, what, given), query)


async def _form(prepared: Prepared, query: FundQuery, refusal: Refusal | None = None) -> Response:
    """The form with what was typed into it; refused, it says so in words and at the fields."""
    request, language = prepared.request, language_for(prepared.request)
    body = body_of(prepared.form, prepared.typed)
    found = problem_with_errors(refusal, language, body) if refusal else None
    asked, more = prepared.form.questions()

    def fill(book: Book) -> dict[str, Any]:
        return choices_for(query, book, prepared.what, prepared.typed)

    response = await club_page(
        request,
        query,
        "form",
        fill,
        what=prepared.what,
        address=prepared.address,
        key=prepared.key,
        typed=prepared.typed,
        asked=asked,
        folded=more,
        problem=found,
        wrong=wrong_fields(found.get("errors", ()) if found else ()),
        today=query.state.today().isoformat(),
    )
    if found:
        response.status_code = found["status"] if found["status"] in (409, 429, 503) else 422
    return response


# --- reading back and recording -----------------------------------------------------------------------------------


@router.post(NEW + "/{what}/check", dependencies=RECORDING, name="fund_members")
async def check(request: Request, query: AtPoint, what: str) -> Response:
    """Find out what would be recorded; nothing is, and the key is not spent."""
    prepared = Prepared(request, query.fund, what, await typed_in(request))
    try:
        await prepared.recorded(dry_run=True)
    except Exception as error:  # noqa: BLE001  # Whatever it is, what was typed stays on the page.
        return await _form(prepared, query, refusal_for(error))
    drafts = drafts_of(request)
    typed = {name: text for name, text in prepared.typed.items() if name != "key"}
    await asyncio.to_thread(drafts.keep, prepared.key, query.principal.id, prepared.address, typed, query.state.now())
    return see_other(f"{prepared.address}/check?key={prepared.key}")


@router.get(NEW + "/{what}/check", dependencies=RECORDING, name="fund_members")
async def read_back(request: Request, query: AtPoint, what: str, key: str = "") -> Response:
    """The sentence to read to the meeting, before it is recorded."""
    typed = await _draft(request, query, what, key)
    if typed is None:
        return see_other(f"/clubs/{query.fund}/entries/new/{what}")
    prepared = Prepared(request, query.fund, what, typed | {"key": key})
    try:
        recorded = await prepared.recorded(dry_run=True)
    except Exception as error:  # noqa: BLE001  # As above.
        return await _form(prepared, query, refusal_for(error))
    answer = write_answer(recorded, language_for(request))
    return await club_page(
        request,
        query,
        "check",
        lambda book: {},
        what=what,
        address=prepared.address,
        key=key,
        typed=typed,
        answer=answer,
    )


@router.post(NEW + "/{what}", dependencies=RECORDING, name="fund_members")
async def record(request: Request, query: AtPoint, what: str) -> Response:
    """Record it, once, and show the receipt."""
    prepared = Prepared(request, query.fund, what, await typed_in(request))
    try:
        recorded = await prepared.recorded(dry_run=False)
    except IdempotencyKeyReused as reused:
        return await _already(prepared, query, reused)
    except Exception as error:  # noqa: BLE001  # As above.
        return await _form(prepared, query, refusal_for(error))
    return see_other(receipt_address(recorded))


def receipt_address(recorded: Recorded) -> str:
    """Where the receipt of what was recorded is."""
    return f"/clubs/{recorded.fund}/entries/{recorded.version}?replayed={'true' if recorded.replayed else 'false'}"


async def _already(prepared: Prepared, query: FundQuery, reused: IdempotencyKeyReused) -> Response:
    """The form was recorded before with something else in it: say what, and offer to record this one as well."""
    version = reused.facts["version"]
    assert isinstance(version, int)

    def fill(book: Book) -> dict[str, Any]:
        return {"entry": journal.entry(book.reader, query.fund, version)}

    response = await club_page(
        prepared.request,
        query,
        "again",
        fill,
        what=prepared.what,
        address=prepared.address,
        key=new_key(),
        typed={name: text for name, text in prepared.typed.items() if name != "key"},
    )
    response.status_code = 409
    return response


async def _draft(request: Request, query: FundQuery, what: str, key: str) -> Typed | None:
    address = f"/clubs/{query.fund}/entries/new/{what}"
    return await asyncio.to_thread(drafts_of(request).find, key, query.principal.id, address, query.state.now())


def drafts_of(request: Request) -> Drafts:
    """The drafts of the service a request came to."""
    drafts: Drafts = request.app.state.drafts
    return drafts

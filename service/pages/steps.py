"""The one way that every form goes: asked, read back, recorded once.

GET asks. POST …/check finds out by a dry run what would be recorded, GET …/check reads it back, and POST records it
once under the key that the form was made with and leads to the receipt.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Request, Response

from ledger.events import Request as RequestMark
from ledger.jobs import Recorded
from ledger.projections import journal
from ledger.refusals import IdempotencyKeyReused, Refusal
from service.access.approval import NOT_NEEDED, Approval
from service.access.principals import Role
from service.access.roles import admitted
from service.access.state import access_of
from service.http.problems import fitted, problem, problem_with_errors, refusal_for, status_of
from service.http.refusals import (
    FieldError,
    Forbidden,
    IdempotencyKeyInvalid,
    InvalidFields,
    PinLocked,
    PinRequired,
    PinWrong,
)
from service.http.state import state_of
from service.pages.choices import choices_for
from service.pages.club import club_page
from service.pages.drafts import Drafts
from service.pages.forms import REPLACEMENT, Form
from service.pages.layout import language_for, see_other
from service.pages.typed import Typed, body_of, closed_up, rows_shown, typed_in, with_more_rows, wrong_fields
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer, FundQuery
from service.words import catalogue
from service.writes.answers import warning_answer, write_answer
from service.writes.calls import RequestContext, digest_of
from service.writes.dependencies import KEY
from service.writes.recording import carry_out


def _nothing(*_: object) -> Answer:
    return {}


class Asking(NamedTuple):
    """What is asked at an address, and how it looks: `form` with the `numbers` of its write's path that the address
    gives and what is `known` beforehand. `fill` adds what else the asking page shows, `shown` what the checking one."""

    address: str
    what: str
    form: Form
    numbers: Mapping[str, int] = {}
    known: Mapping[str, str] = {}
    template: str = "form"
    check: str = "check"
    """The template that reads it back; empty for what is recorded at once."""
    fill: Callable[[Book], Answer] = _nothing
    shown: Callable[[Recorded, Book], Answer] = _nothing
    leads_to: Callable[[Recorded, Typed], str] = lambda recorded, typed: receipt_address(recorded)
    """Where to go on once it is recorded."""


class Prepared:
    """A form on its way: what was typed at an address, and which write it comes to."""

    def __init__(self, request: Request, query: FundQuery, asking: Asking, typed: Typed) -> None:
        self.request = request
        self.query = query
        self.asking = asking
        self.key = typed.get("key") or new_key()
        self.approval = approval_typed(request, typed)
        self.more = typed.get("more", "")
        """The list that one more row is wanted of, before anything is judged."""
        self.typed = closed_up(asking.form, _settled(typed))
        if not KEY.fullmatch(self.key):
            raise IdempotencyKeyInvalid
        if not query.principal.roles & asking.form.write.roles:
            raise Forbidden

    @property
    def body(self) -> dict[str, Any]:
        """What was typed, as JSON has it, with the numbers of the write's path."""
        return body_of(self.asking.form, self.typed) | dict(self.asking.numbers)

    async def recorded(self, *, dry_run: bool) -> Recorded:
        """Carry out what was typed, or find out what would be recorded; once it was, a dry run answers that, too.
        Raises all that a write raises."""
        return await self._carried_out(dry_run, NOT_NEEDED if dry_run else self.approval)

    async def asks_pin(self) -> bool:
        """Whether it would need a PIN, as a dry run finds out: one that came from the same phone and brings none."""
        if self.asking.form.write.pin is None or self.approval.person is None:
            return False
        try:
            await self._carried_out(True, Approval(self.approval.person))
        except PinRequired:
            return True
        return False

    async def _carried_out(self, dry_run: bool, approval: Approval) -> Recorded:
        state, fund = self.query.state, self.query.fund
        write, body = self.asking.form.write, self.body
        missing = [
            FieldError(f"/{name}", "field-missing") for name in write.numbers if not isinstance(body.get(name), int)
        ]
        missing += [
            FieldError(f"/{name.replace('.', '/')}", "field-missing")
            for name in self.asking.form.needed
            if not self.typed.get(name, "").strip()
        ]
        numbers = {name: body.pop(name, None) for name in write.numbers}
        fitting = _fitted(write.body, body, missing)
        path = f"/v1{write.path.format(fund=fund, **numbers)}"
        mark = RequestMark(self.key, digest_of(f"POST {path}", body, state.ledger.request_secret))
        context = RequestContext(self.query.principal, state.now(), mark, None, dry_run, approval)
        return await carry_out(
            write, context, fitting, fund, tuple(numbers.values()), state=state, access=access_of(self.request)
        )

    async def refusal(self) -> Refusal | None:
        """Why what was typed would not be recorded now, as a dry run finds out; None if it would be."""
        try:
            await self.recorded(dry_run=True)
        except Exception as error:  # noqa: BLE001  # Whatever it is, it is said in words.
            return refusal_for(error)
        return None


def new_key() -> str:
    """A key that nothing was recorded with."""
    return secrets.token_urlsafe(16)


def sent_as(request: Request, typed: Typed) -> RequestContext:
    """How a form was sent that is no write of a fund's: under the key that it was made with, so that sent again it acts
    once. Raises `IdempotencyKeyInvalid`."""
    state, key = state_of(request), typed.get("key") or new_key()
    if not KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    body = {name: text for name, text in typed.items() if name not in ("key", "pin")}
    mark = RequestMark(key, digest_of(request.url.path, body, state.ledger.request_secret))
    principal = request.scope["principal"]
    return RequestContext(principal, state.now(), mark, None, False, approval_typed(request, typed))


def approval_typed(request: Request, typed: Typed) -> Approval:
    """The PIN that was typed, where the request came from a phone."""
    session = request.scope["session"]
    return Approval(session.principal.id, typed.get("pin") or None) if session else NOT_NEEDED


def _settled(typed: Typed) -> Typed:
    """What was typed, with the amount that was chosen where none was typed."""
    rest = {name: text for name, text in typed.items() if name not in ("proposal", "key", "pin", "more")}
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


# --- the steps ----------------------------------------------------------------------------------------------------


async def ask(request: Request, query: FundQuery, asking: Asking) -> Response:
    """The form, with what is known beforehand or what an earlier try answered."""
    given = None
    if (key := request.query_params.get("key")) is not None:
        given = await _draft(request, query, asking, key)
    return await show(Prepared(request, query, asking, dict(asking.known) if given is None else given))


async def show(prepared: Prepared, refusal: Refusal | None = None) -> Response:
    """The form with what was typed into it; refused, it says so in words and at the fields."""
    query, asking, language = prepared.query, prepared.asking, language_for(prepared.request)
    found = problem_with_errors(refusal, language, prepared.body) if refusal else None
    asked, more = asking.form.questions()
    inner, inner_more = asking.form.replacement.questions(REPLACEMENT) if asking.form.replacement else ((), ())

    def fill(book: Book) -> Answer:
        return choices_for(query, book, asking.what, asking.form, prepared.typed) | asking.fill(book)

    response = await club_page(
        prepared.request,
        query,
        asking.template,
        fill,
        what=asking.what,
        address=asking.address,
        key=prepared.key,
        typed=prepared.typed,
        asked=asked,
        folded=more,
        rows={each.name: rows_shown(each, prepared.typed) for each in asking.form.every_question() if each.parts},
        replaced=inner,
        replaced_folded=inner_more,
        problem=found,
        wrong=_wrong(found, language),
        today=query.state.today().isoformat(),
    )
    if found:
        response.status_code = found["status"] if found["status"] in (403, 409, 429, 503) else 422
    return response


def _wrong(found: dict[str, Any] | None, language: str) -> dict[str, Any]:
    """What is wrong, by field; what is typed in per cent is not spoken of in parts per million."""
    wrong = wrong_fields(found.get("errors", ()) if found else ())
    for name, each in wrong.items():
        if name.endswith("_ppm") and each["code"] != "field-missing":
            wrong[name] = each | {"detail": catalogue.render("page.ask.rate-wrong", language)}
    return wrong


async def check(request: Request, query: FundQuery, asking: Asking) -> Response:
    """Find out what would be recorded; nothing is, and the key is not spent. Or show the form with more rows."""
    prepared = Prepared(request, query, asking, await typed_in(request))
    if prepared.more:
        typed, first_new = with_more_rows(asking.form, prepared.typed, prepared.more)
        await _keep(prepared, typed)
        return see_other(f"{asking.address}?key={prepared.key}#{first_new}")
    if refusal := await prepared.refusal():
        return await _refused(prepared, refusal)
    await _keep(prepared, prepared.typed)
    return see_other(f"{asking.address}/check?key={prepared.key}")


async def _keep(prepared: Prepared, typed: Typed) -> None:
    query = prepared.query
    drafts, address = drafts_of(prepared.request), prepared.asking.address
    await asyncio.to_thread(drafts.keep, prepared.key, query.principal.id, address, typed, query.state.now())


async def read_back(request: Request, query: FundQuery, asking: Asking) -> Response:
    """The sentence to read to the meeting, before it is recorded."""
    key = request.query_params.get("key", "")
    typed = await _draft(request, query, asking, key)
    if typed is None:
        return see_other(asking.address)
    return await _read_back(Prepared(request, query, asking, typed | {"key": key}))


async def _read_back(prepared: Prepared, refusal: Refusal | None = None) -> Response:
    """What would be recorded, and a PIN asked for where it needs one; `refusal` is of the PIN that was typed."""
    try:
        recorded = await prepared.recorded(dry_run=True)
    except Exception as error:  # noqa: BLE001  # Whatever it is, what was typed stays on the page.
        return await _refused(prepared, refusal_for(error))
    asking, language = prepared.asking, language_for(prepared.request)
    response = await club_page(
        prepared.request,
        prepared.query,
        asking.check,
        lambda book: asking.shown(recorded, book),
        what=asking.what,
        address=asking.address,
        key=prepared.key,
        typed=prepared.typed,
        answer=write_answer(recorded, language),
        doubts=_doubts(recorded, language),
        recorded_at=recorded.events[-1].recorded_at if recorded.replayed else None,
        asks_pin=await prepared.asks_pin(),
        problem=problem(refusal, language) if refusal else None,
    )
    if refusal:
        response.status_code = status_of(refusal)
    return response


def _doubts(recorded: Recorded, language: str) -> list[dict[str, Any]]:
    """What is asked once before it is recorded all the same: the warnings in words."""
    doubts = []
    for warning in (warning for found in recorded.warnings.values() for warning in found):
        told, facts = warning_answer(warning, language), dict(warning.facts)
        if warning.code == "amount-unusual":
            amount, usual = int(str(facts["amount"])), int(str(facts["usual"]))
            key, times = ("many", amount // usual) if amount > usual else ("few", usual // amount)
            told["detail"] = catalogue.render(f"page.check.{key}", language, times=times, amount=amount, usual=usual)
        doubts.append(told)
    return doubts


async def record(request: Request, query: FundQuery, asking: Asking) -> Response:
    """Record it, once, and show the receipt."""
    prepared = Prepared(request, query, asking, await typed_in(request))
    try:
        recorded = await prepared.recorded(dry_run=False)
    except (PinRequired, PinWrong, PinLocked) as refusal:
        return await _read_back(prepared, refusal)
    except Exception as error:  # noqa: BLE001  # As above.
        return await _refused(prepared, refusal_for(error))
    return see_other(asking.leads_to(recorded, prepared.typed))


async def _refused(prepared: Prepared, refusal: Refusal) -> Response:
    if isinstance(refusal, IdempotencyKeyReused):
        return await already(prepared, refusal)
    return await show(prepared, refusal)


def receipt_address(recorded: Recorded) -> str:
    """Where the receipt of what was recorded is."""
    return f"/clubs/{recorded.fund}/entries/{recorded.version}?replayed={'true' if recorded.replayed else 'false'}"


async def already(prepared: Prepared, reused: IdempotencyKeyReused, **sent: str) -> Response:
    """The form was recorded before with something else in it: say what, and offer to record this one as well. `sent`
    are fields that belong to no body."""
    query, version = prepared.query, reused.facts["version"]
    assert isinstance(version, int)

    def fill(book: Book) -> dict[str, Any]:
        return {"entry": journal.entry(book.reader, query.fund, version)}

    response = await club_page(
        prepared.request,
        query,
        "again",
        fill,
        address=prepared.asking.address + ("/check" if prepared.asking.check else ""),
        key=new_key(),
        typed=prepared.typed | sent,
    )
    response.status_code = 409
    return response


async def _draft(request: Request, query: FundQuery, asking: Asking, key: str) -> Typed | None:
    return await asyncio.to_thread(drafts_of(request).find, key, query.principal.id, asking.address, query.state.now())


def drafts_of(request: Request) -> Drafts:
    """The drafts of the service a request came to."""
    drafts: Drafts = request.app.state.drafts
    return drafts


# --- as routes ----------------------------------------------------------------------------------------------------

Step = Callable[[Request, FundQuery, Asking], Awaitable[Response]]


def add_form(
    router: APIRouter,
    path: str,
    asking: Callable[..., Awaitable[Asking]],
    roles: frozenset[Role],
    asked_by: Step | None = ask,
    name: str = "fund_members",
) -> None:
    """Make the routes of a form. `asking` says what is asked there, as a dependency of the routes; `asked_by` shows
    the form, unless a page of its own does. By `name` the log of readers calls what is shown of people."""
    steps = {(path, "GET"): asked_by, (path, "POST"): record}
    steps |= {(f"{path}/check", "GET"): read_back, (f"{path}/check", "POST"): check}
    for (address, method), step in steps.items():
        if step is not None:
            router.add_api_route(
                address, _routed(step, asking), methods=[method], dependencies=[Depends(admitted(roles))], name=name
            )


def _routed(step: Step, asking: Callable[..., Awaitable[Asking]]) -> Callable[..., Awaitable[Response]]:
    async def answer(request: Request, query: AtPoint, asked: Annotated[Asking, Depends(asking)]) -> Response:
        return await step(request, query, asked)

    return answer

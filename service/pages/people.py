"""Who has access: a phone opened by a code or QR, people invited, their phones, and one's own PIN.

Each page carries out what `service/people` does for `/v1`; nothing about access is decided here.
"""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from ledger.projections import funds
from ledger.refusals import Refusal
from service.access.authentication import clear_cookie, set_cookie
from service.access.codes import qr_of
from service.access.delegation import DIRECTORY_READERS, GIVERS, OF_A_CLUB
from service.access.dependencies import AtThrottle, Neighbourhood
from service.access.principals import ROLES, Principal, Role
from service.access.roles import admitted
from service.access.sessions import Session
from service.access.state import access_of
from service.http.problems import fitted, problem_with_errors, refusal_for
from service.http.refusals import NoSession, PinLocked, PinRequired, PinWrong
from service.http.state import state_of
from service.pages.layout import PageRoute, language_for, page, see_other
from service.pages.steps import new_key, sent_as
from service.pages.typed import Typed, typed_in, wrong_fields
from service.people import acts, asking
from service.people.acts import At
from service.people.bodies import Acceptance, NewPerson, NewPin, PersonId, PhoneId, Revocation

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_PEOPLE: Final = 500
LINES_A_PAGE: Final = 40
READING: Final = [Depends(admitted(DIRECTORY_READERS))]
GIVING: Final = [Depends(admitted(GIVERS))]
ANYBODY: Final = [Depends(admitted(frozenset(ROLES)))]


def _at(request: Request) -> At:
    return At(state_of(request), access_of(request))


# --- coming in ----------------------------------------------------------------------------------------------------


@router.get("/open")
async def enter_code(request: Request) -> Response:
    """Where a code is typed that came on paper or by word of mouth."""
    return page(
        request, "open", code="", shown=None, problem=None, is_inside_another_app=_is_inside_another_app(request)
    )


@router.post("/open")
async def typed_code(request: Request) -> Response:
    """Go to the page of the code that was typed."""
    typed = (await typed_in(request)).get("code", "")
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())[:20]
    return see_other(f"/open/{letters}" if letters else "/open")


@router.get("/open/{code}")
async def show_invitation(request: Request, throttle: AtThrottle, address: Neighbourhood, code: str) -> Response:
    """Whom a code is for and what it opens. Nothing is used up: messengers fetch links."""
    try:
        body = fitted(Acceptance, {"code": code})
        shown = await asking.invitation_shown(_at(request), throttle, body.code, address)
    except Refusal as refusal:
        return _not_opened(request, code, refusal)
    clubs = await asyncio.to_thread(_club_names, request, shown["scope"].funds)
    return _shown(request, code=code, shown=shown | {"clubs": clubs}, problem=None)


@router.post("/open/{code}")
async def open_phone(request: Request, throttle: AtThrottle, address: Neighbourhood, code: str) -> Response:
    """Use the code up: from now on this phone is its person's."""
    typed = await typed_in(request)
    given = {"code": code} | ({"label": typed["label"]} if typed.get("label", "").strip() else {})
    try:
        token, _ = await acts.log_in(_at(request), throttle, fitted(Acceptance, given), address)
    except Refusal as refusal:
        return _not_opened(request, code, refusal)
    response = see_other("/")
    set_cookie(response, token)
    return response


def _not_opened(request: Request, code: str, refusal: Refusal) -> Response:
    found = problem_with_errors(refusal, language_for(request))
    response = _shown(request, found["status"], code=code, shown=None, problem=found)
    if "retry_after" in found:
        response.headers["Retry-After"] = str(found["retry_after"])
    return response


def _shown(request: Request, status: int = 200, **facts: Any) -> Response:
    return page(request, "open", status, is_inside_another_app=_is_inside_another_app(request), **facts)


def _is_inside_another_app(request: Request) -> bool:
    """Whether the page is shown by another app, such as a messenger, which may lose what its browser keeps."""
    agent = request.headers.get("user-agent", "")
    return "; wv)" in agent or "Zalo" in agent or "FBAN" in agent


def _club_names(request: Request, codes: tuple[str, ...]) -> list[str]:
    state = state_of(request)

    def ask(tables: Any, _: int) -> list[str]:
        found = funds.funds(tables, funds.FundFilter.exactly(codes), state.today(), limit=MOST_PEOPLE)["items"]
        return [club["club"] for club in found]

    return state.read_model.ask(ask) if codes else []


@router.post("/leave", dependencies=ANYBODY)
async def leave(request: Request) -> Response:
    """Log this phone out."""
    await acts.log_out(_at(request), _own_session(request))
    response = see_other("/open")
    clear_cookie(response)
    return response


def _own_session(request: Request) -> Session:
    session: Session | None = request.scope["session"]
    if session is None:
        raise NoSession
    return session


# --- who has access -----------------------------------------------------------------------------------------------


@router.get("/people", dependencies=READING, name="list_people")
async def people(request: Request) -> Response:
    """Who has access, on which phones, and when they were last seen."""
    return await _people(request, {})


@router.get("/people/log", dependencies=READING, name="list_people")
async def people_log(request: Request, cursor: str | None = None) -> Response:
    """Who let whom in, changed or ended whose access, and when; the newest first."""
    reader: Principal = request.scope["principal"]
    told = await asking.people_log_told(_at(request), reader, cursor, LINES_A_PAGE, language_for(request))
    return page(request, "people-log", **told)


async def _people(
    request: Request, typed: Typed, refusal: Refusal | None = None, invited: dict[str, Any] | None = None
) -> Response:
    reader: Principal = request.scope["principal"]
    found = problem_with_errors(refusal, language_for(request), typed) if refusal else None
    listed = await asking.list_people(_at(request), reader, None, MOST_PEOPLE)
    clubs = sorted(reader.scope.funds)
    return page(
        request,
        "people",
        found["status"] if found else 200,
        people=[person for person in listed["items"] if not person["revoked"]],
        gone=[person for person in listed["items"] if person["revoked"]],
        gives=bool(reader.roles & GIVERS),
        roles=_given_by(reader),
        clubs=clubs,
        typed=typed,
        problem=found,
        wrong=wrong_fields(found.get("errors", ())) if found else {},
        invited=invited,
        with_phone=request.scope["session"] is not None,
        own=reader.id,
        key=new_key,
    )


def _given_by(giver: Principal) -> list[Role]:
    """The roles that one may give."""
    return [role for role in ROLES if "admin" in giver.roles or ("chair" in giver.roles and role in OF_A_CLUB)]


@router.post("/people", dependencies=GIVING, name="list_people")
async def admit(request: Request) -> Response:
    """Put somebody into the directory, and go on to invite them."""
    typed = await typed_in(request)
    fund = typed.get("fund", "")
    body: dict[str, Any] = {"roles": typed.get("roles", "").split("\n"), "scope": {"funds": fund.split()}}
    body |= {name: typed[name] for name in ("name", "phone") if typed.get(name, "").strip()}
    if (number := typed.get("member", "")).isdecimal():
        body["members"] = {fund: int(number)}
    try:
        await acts.admit(_at(request), sent_as(request, typed), fitted(NewPerson, body))
    except Exception as error:  # noqa: BLE001  # Whatever it is, what was typed stays on the page.
        return await _people(request, typed, refusal_for(error))
    return see_other("/people")


@router.post("/people/{person}/invitations", dependencies=GIVING, name="list_people")
async def invite(request: Request, person: PersonId) -> Response:
    """Show the code, link and QR that open one phone of somebody; they are shown once."""
    typed = await typed_in(request)
    try:
        made = await acts.invite(_at(request), sent_as(request, typed), person)
    except Exception as error:  # noqa: BLE001  # As above.
        return await _people(request, typed, refusal_for(error))
    if made.code is None:
        return see_other("/people")
    origin = state_of(request).settings.origin or f"{request.url.scheme}://{request.url.netloc}"
    link = f"{origin}/open/{made.code}"
    qr = Markup(qr_of(link))  # noqa: S704  # Of an address of ours; a QR code draws its text, it does not repeat it.
    shown = {"code": made.code, "link": link, "qr": qr, "person": person, "expires_at": made.event.expires_at}
    return await _people(request, {}, invited=shown)


@router.post("/people/{person}/revocation", dependencies=GIVING, name="list_people")
async def revoke(request: Request, person: PersonId) -> Response:
    """End somebody's access, with all their phones."""
    return await _act(request, lambda at, sent: acts.revoke(at, sent, person, Revocation()))


@router.post("/people/{person}/pin-reset", dependencies=GIVING, name="list_people")
async def reset_pin(request: Request, person: PersonId) -> Response:
    """Take a forgotten PIN away."""
    return await _act(request, lambda at, sent: acts.reset_pin(at, sent, person))


@router.post("/people/phones/{phone}/end", dependencies=ANYBODY, name="list_people")
async def end_phone(request: Request, phone: PhoneId) -> Response:
    """End a phone."""
    return await _act(request, lambda at, sent: acts.end_phone(at, sent.principal, phone))


async def _act(request: Request, act: Any) -> Response:
    typed = await typed_in(request)
    try:
        await act(_at(request), sent_as(request, typed))
    except Exception as error:  # noqa: BLE001  # As above.
        return await _people(request, typed, refusal_for(error))
    return see_other("/people")


# --- one's own PIN ------------------------------------------------------------------------------------------------


@router.get("/pin", dependencies=ANYBODY)
async def pin(request: Request) -> Response:
    """Where one chooses the six digits to approve with."""
    return await _pin(request)


@router.post("/pin", dependencies=ANYBODY)
async def choose_pin(request: Request) -> Response:
    """Choose them."""
    typed = await typed_in(request)
    body = {name: typed[name] for name in ("pin", "old") if typed.get(name)}
    try:
        await acts.set_pin(_at(request), _own_session(request), fitted(NewPin, body))
    except Exception as error:  # noqa: BLE001  # As above.
        return await _pin(request, refusal_for(error))
    return see_other("/")


async def _pin(request: Request, refusal: Refusal | None = None) -> Response:
    found = problem_with_errors(refusal, language_for(request)) if refusal else None
    wrong: dict[str, Any] = wrong_fields(found.get("errors", ())) if found else {}
    if isinstance(refusal, PinWrong | PinRequired | PinLocked):
        wrong = {"old": found}
    session = _own_session(request)
    is_set = await asyncio.to_thread(access_of(request).pins.is_set, session.principal.id)
    return page(request, "pin", found["status"] if found else 200, is_set=is_set, problem=found, wrong=wrong)

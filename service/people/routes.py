"""The directory over HTTP: people and their phones, invitations, one's own session and PIN, and the people's log."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request, Response

from service.access.approval import ApprovalPin, approval_of
from service.access.authentication import clear_cookie, set_cookie
from service.access.codes import qr_of
from service.access.delegation import DIRECTORY_READERS, GIVERS
from service.access.dependencies import AtThrottle, Neighbourhood
from service.access.principals import ROLES, Principal
from service.access.roles import admitted
from service.access.sessions import Session
from service.access.state import AtAccess
from service.http.answers import in_json
from service.http.body import Nothing
from service.http.fields import Cursor, Limit
from service.http.parsing import StrictRoute
from service.http.refusals import NoSession
from service.http.state import AtState
from service.people import acts, asking, erasing
from service.people.acts import At
from service.people.answers import (
    InvitationTold,
    LogTold,
    PeopleListed,
    PersonListed,
    PersonRevoked,
    PersonTold,
    PhoneEnded,
    PhonesListed,
    PinTold,
    SessionTold,
)
from service.people.bodies import (
    Acceptance,
    NewPerson,
    NewPin,
    PersonChange,
    PersonId,
    PhoneId,
    Revocation,
)
from service.writes.dependencies import AsSent, recorded_in_json, recording

router = APIRouter(prefix="/v1", route_class=StrictRoute)

ANYBODY: Final = [Depends(admitted(frozenset(ROLES)))]
AnyPrincipal = Annotated[Principal, Depends(admitted(frozenset(ROLES)))]
Reader = Annotated[Principal, Depends(admitted(DIRECTORY_READERS))]
GIVING: Final = [Depends(admitted(GIVERS))]


async def _at(state: AtState, access: AtAccess) -> At:
    return At(state, access)


async def _session(request: Request) -> Session:
    session: Session | None = request.scope["session"]
    if session is None:
        raise NoSession
    return session


AtPeople = Annotated[At, Depends(_at)]
OwnSession = Annotated[Session, Depends(_session)]


# --- people -------------------------------------------------------------------------------------------------------


@router.post("/people", **recording(PersonTold), dependencies=GIVING)
async def admit_person(at: AtPeople, context: AsSent, body: NewPerson) -> Response:
    """Put a person into the directory, with roles and a scope that are yours to give; then invite them."""
    recorded = await acts.admit(at, context, body)
    event: Any = recorded.events[0]
    content = await asking.brief(at, event.person, body.texts() if context.dry_run else None, event)
    return recorded_in_json(content, context, replayed=recorded.replayed)


@router.get("/people", response_model=PeopleListed)
async def list_people(at: AtPeople, reader: Reader, cursor: Cursor | None = None, limit: Limit = 100) -> Response:
    """Who has access or had it, in scope, with the phones they log in on and when they were last seen."""
    return in_json(await asking.list_people(at, reader, cursor, limit))


@router.get("/people/log", response_model=LogTold)
async def people_log(
    at: AtPeople,
    reader: Reader,
    order: Literal["asc", "desc"] = "desc",
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> Response:
    """What gave, changed or ended access, newest first: who, whom, what, when. `head` is the SHA-256 of the log's last
    line, which checkpoints vouch for."""
    return in_json(await asking.people_log(at, reader, cursor, limit, order))


@router.get("/people/{person}", response_model=PersonListed)
async def one_person(at: AtPeople, reader: Reader, person: PersonId) -> Response:
    """One person of the directory."""
    return in_json(await asking.one_person(at, reader, person))


@router.post("/people/{person}/changes", **recording(PersonTold), dependencies=GIVING)
async def change_person(at: AtPeople, context: AsSent, person: PersonId, body: PersonChange) -> Response:
    """Change what a person may, or their name or phone; in force at once, within 5 s in every copy of the service."""
    recorded = await acts.change(at, context, person, body)
    content = await asking.brief(at, person, body.texts() if context.dry_run else None, recorded.events[0])
    return recorded_in_json(content, context, replayed=recorded.replayed)


@router.post("/people/{person}/revocation", **recording(PersonRevoked), dependencies=GIVING)
async def revoke_person(at: AtPeople, context: AsSent, person: PersonId, body: Revocation) -> Response:
    """End a person's access with all their phones; within 5 s in every copy of the service."""
    recorded = await acts.revoke(at, context, person, body)
    content = await asking.brief(at, person)
    return recorded_in_json(content | {"revoked": True}, context, replayed=recorded.replayed)


@router.post("/people/{person}/pin-reset", **recording(PinTold), dependencies=GIVING)
async def reset_pin(at: AtPeople, context: AsSent, person: PersonId, body: Nothing) -> Response:
    """Take a forgotten or locked PIN away, so that its person chooses a new one."""
    recorded = await acts.reset_pin(at, context, person)
    return recorded_in_json({"person": person, "pin_set": False}, context, replayed=recorded.replayed)


@router.delete("/people/{person}/person")
async def erase_directory_person(
    request: Request, at: AtPeople, principal: AnyPrincipal, person: PersonId, approval_pin: ApprovalPin = None
) -> Response:
    """Erase a person's name and phone, and what was noted with them; what they may, and the log, stay as they are."""
    erased = await erasing.erase(at, principal, approval_of(request.scope), person)
    return in_json({"person": person, "erased": erased})


# --- how they come in ---------------------------------------------------------------------------------------------


@router.post("/people/{person}/invitations", **recording(InvitationTold), dependencies=GIVING)
async def invite_person(request: Request, at: AtPeople, context: AsSent, person: PersonId, body: Nothing) -> Response:
    """Let a person open one phone within 7 days, by link, QR or code. An older invitation of theirs is void then.

    The code is told once: sent again, the request is answered without it.
    """
    invited = await acts.invite(at, context, person)
    link = f"{_own_origin(request, at)}/open/{invited.code}" if invited.code else None
    content = {
        "invitation": invited.event.invitation,
        "person": person,
        "link": link,
        "code": invited.code,
        "qr": qr_of(link) if link else None,
        "expires_at": invited.event.expires_at,
    }
    return recorded_in_json(content, context, replayed=invited.code is None and not context.dry_run)


def _own_origin(request: Request, at: At) -> str:
    return at.state.settings.origin or f"{request.url.scheme}://{request.url.netloc}"


@router.post("/invitations/accept", status_code=201, response_model=PersonTold)
async def accept_invitation(at: AtPeople, throttle: AtThrottle, address: Neighbourhood, body: Acceptance) -> Response:
    """Log this phone in with the code of an invitation: sets the cookie. Needs no log-in; wrong codes are counted."""
    token, person = await acts.log_in(at, throttle, body, address)
    response = in_json(await asking.brief(at, person), 201)
    set_cookie(response, token)
    return response


# --- one's own ----------------------------------------------------------------------------------------------------


@router.get("/session", response_model=SessionTold)
async def own_session(request: Request, at: AtPeople, principal: AnyPrincipal) -> Response:
    """Who you are here, what you may, and which phone this is; a token has no phone."""
    return in_json(await asking.own_session(at, principal, request.scope["session"]))


@router.delete("/session", response_model=PhoneEnded, dependencies=ANYBODY)
async def log_out(at: AtPeople, session: OwnSession) -> Response:
    """Log this phone out."""
    await acts.log_out(at, session)
    response = in_json({"phone": session.phone.id, "ended": True})
    clear_cookie(response)
    return response


@router.put("/session/pin", response_model=PinTold, dependencies=ANYBODY)
async def choose_pin(at: AtPeople, session: OwnSession, body: NewPin) -> Response:
    """Choose the six digits that you approve with; whoever has a PIN already says it as `old`."""
    await acts.set_pin(at, session, body)
    return in_json({"person": session.principal.id, "pin_set": True})


@router.get("/people/{person}/phones", response_model=PhonesListed)
async def phones_of(at: AtPeople, reader: Reader, person: PersonId) -> Response:
    """The phones that a person logs in on."""
    return in_json({"items": await asking.phones_of(at, reader, person)})


@router.delete("/phones/{phone}", response_model=PhoneEnded)
async def end_phone(at: AtPeople, principal: AnyPrincipal, phone: PhoneId) -> Response:
    """End a phone: your own, or one of a person whose access is yours to give. It is out within 5 s everywhere."""
    await acts.end_phone(at, principal, phone)
    return in_json({"phone": phone, "ended": True})

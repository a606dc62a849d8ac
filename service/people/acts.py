"""What is done about people: let in, changed, ended, invited; a code accepted, a phone ended, a PIN chosen or reset.

Each act is a function that routes, pages and commands call alike, and comes to a line of the people's log. Whether the
one who asks may do it is judged with the decision, on what the log holds by then.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.people import Invitation, People, Person
from ledger.days import civil_day
from ledger.events import Request as RequestMark
from ledger.events.people import PEOPLE, InvitationAccepted, PersonInvited, Scope
from ledger.jobs import Job, Recorded
from ledger.projections import members
from ledger.refusals import MemberNotFound, PersonNotFound, PhoneNotFound
from ledger.register import Text, written
from service.access.approval import NOT_NEEDED, Approval, approved
from service.access.codes import digest_of, new_code
from service.access.delegation import (
    is_oneself,
    refuse_changing,
    refuse_giving,
    refuse_resetting,
    sees,
)
from service.access.phones import end_phones
from service.access.pins import refuse_simple
from service.access.principals import Principal, new_id
from service.access.sessions import Session
from service.access.state import AccessState
from service.access.throttle import Bound, Throttle
from service.http.refusals import PinRequired
from service.http.state import AppState
from service.people.bodies import Acceptance, NewPerson, NewPin, PersonChange, Revocation
from service.writes.calls import RequestContext


class At(NamedTuple):
    """Where acts are carried out: the service, and what it knows about people."""

    state: AppState
    access: AccessState


class Invited(NamedTuple):
    """What an invitation is answered with. The code is told once: None when the request is answered again."""

    event: PersonInvited
    code: str | None


Decide = Callable[[People, EntryMetadata, Approval], object]


# --- whom there is ------------------------------------------------------------------------------------------------


async def admit(at: At, context: RequestContext, new: NewPerson) -> Recorded:
    """Put a person into the directory. Raises `Forbidden`, `FundNotFound`, `MemberNotFound`."""
    scope, linked = new.scope.scope(), dict(sorted((new.members or {}).items()))
    await _refuse_unknown_members(at, linked)
    person = new_id()

    def decide(people: People, metadata: EntryMetadata, _: Approval) -> None:
        refuse_giving(context.principal, new.roles, scope, linked, at.access.places.known)
        people.admit(metadata, person=person, roles=tuple(sorted(new.roles)), scope=scope, members=linked)

    return await _recorded(at, context, decide, new.texts())


async def change(at: At, context: RequestContext, person: str, to: PersonChange) -> Recorded:
    """Change what a person may, or their name or phone. Both what they have and what they are to have must be the
    giver's to give. Raises `PersonNotFound`, `Forbidden`, `FundNotFound`, `MemberNotFound`, `AccessHasEnded`,
    `NothingChanged`."""
    changes: dict[str, Any] = {}
    if to.roles is not None:
        changes["roles"] = tuple(sorted(to.roles))
    if to.scope is not None:
        changes["scope"] = to.scope.scope()
    if to.members is not None:
        changes["members"] = dict(sorted(to.members.items()))
        await _refuse_unknown_members(at, changes["members"])

    def decide(people: People, metadata: EntryMetadata, approval: Approval) -> None:
        before, places = _seen(people, person, context.principal, at), at.access.places.known
        if changes or not is_oneself(context.principal, before):
            refuse_changing(context.principal, before, places)
        after = msgspec.structs.replace(before, **changes)
        refuse_giving(context.principal, after.roles, after.scope, after.members, places)
        approval.require()
        people.change(metadata, person=person, **changes)

    return await _recorded(at, context, decide, to.texts())


async def revoke(at: At, context: RequestContext, person: str, why: Revocation) -> Recorded:
    """End a person's access and all their phones. Raises `PersonNotFound`, `Forbidden`, `FundNotFound`,
    `AccessHasEnded`."""

    def decide(people: People, metadata: EntryMetadata, approval: Approval) -> None:
        refuse_changing(context.principal, _seen(people, person, context.principal, at), at.access.places.known)
        approval.require()
        people.revoke(metadata, person=person)

    return await _recorded(at, context, decide, why.texts())


# --- how they come in ---------------------------------------------------------------------------------------------


async def invite(at: At, context: RequestContext, person: str) -> Invited:
    """Let a person open one phone, with a code that is told here and stored nowhere. Raises `PersonNotFound`,
    `Forbidden`, `FundNotFound`, `AccessHasEnded`."""
    invitation, code = f"i{secrets.token_hex(6)}", new_code()

    def decide(people: People, metadata: EntryMetadata, approval: Approval) -> None:
        theirs = _seen(people, person, context.principal, at)
        refuse_giving(context.principal, theirs.roles, theirs.scope, theirs.members, at.access.places.known)
        approval.require()
        people.issue_invitation(metadata, person=person, invitation=invitation)

    recorded = await _recorded(at, context, decide)
    (event,) = recorded.events
    assert isinstance(event, PersonInvited)
    if recorded.replayed or context.dry_run:
        return Invited(event, None)
    # After the line: a code that opens nothing is worse than a line whose code nobody has.
    await asyncio.to_thread(_keep_code, at, code, invitation)
    return Invited(event, code)


def _keep_code(at: At, code: str, invitation: str) -> None:
    at.state.ledger.database.execute(
        "INSERT INTO invitation_codes VALUES (:digest, :invitation)", digest=digest_of(code), invitation=invitation
    )


def invitation_of(at: At, code: str) -> tuple[Invitation, Person]:
    """What a code opens, and whose it is; blocks. Raises `InvitationNotValid`, alike and after the same work for a code
    that was used, has run out, or never was."""
    query = "SELECT invitation FROM invitation_codes WHERE digest = :digest"
    rows = at.state.ledger.database.query(query, digest=digest_of(code))
    people = at.access.directory.people()
    invitation = people.open_invitation(rows[0]["invitation"] if rows else None, at.state.now())
    return invitation, people.person(invitation.person)


async def accept(at: At, accepted: Acceptance) -> tuple[str, Recorded]:
    """Use a code up and open a phone with it; answers the token that the phone keeps. Raises `InvitationNotValid`."""
    invitation, person = await asyncio.to_thread(invitation_of, at, accepted.code)
    phone = f"h{secrets.token_hex(6)}"
    token = await asyncio.to_thread(at.access.sessions.issue, phone)
    context = _told_by(at, person.id)

    def decide(people: People, metadata: EntryMetadata, _: Approval) -> None:
        people.accept(metadata, invitation=invitation.id, phone=phone)

    label = {"label": accepted.label} if accepted.label else {}
    return token, await _recorded(at, context, decide, label)


async def log_in(at: At, throttle: Throttle, accepted: Acceptance, address: str) -> tuple[str, str]:
    """Open a phone with a code; answers the token it keeps and whose it is. Wrong codes are counted by where they come
    from and by the code. Raises `InvitationNotValid`, `TooManyRequests`."""
    attempt = await throttle.attempt(_wrong_codes(at), address, digest_of(accepted.code))
    token, recorded = await accept(at, accepted)
    await throttle.forgive(attempt)
    (event,) = recorded.events
    assert isinstance(event, InvitationAccepted)
    return token, event.person


async def look_at_invitation(at: At, throttle: Throttle, code: str, address: str) -> tuple[Invitation, Person]:
    """What a code opens, and whose it is, to be shown before it is used; counted like one that is used. Raises
    `InvitationNotValid`, `TooManyRequests`."""
    attempt = await throttle.attempt(_wrong_codes(at), address, digest_of(code))
    found = await asyncio.to_thread(invitation_of, at, code)
    await throttle.forgive(attempt)
    return found


def _wrong_codes(at: At) -> Bound:
    settings = at.state.settings
    return Bound("wrong codes", settings.wrong_codes, settings.wrong_codes_minutes * 60)


# --- phones and PINs ----------------------------------------------------------------------------------------------


async def end_phone(at: At, by: Principal, phone: str) -> Recorded:
    """End a phone: one's own, or one of a person whose access is the giver's to give. Raises `PhoneNotFound`, also for
    one that is none of the giver's business, `Forbidden`, `FundNotFound`."""

    def decide(people: People, metadata: EntryMetadata, _: Approval) -> None:
        theirs = people.person(people.phone(phone).person)
        if not is_oneself(by, theirs):
            if not sees(by, theirs.scope, at.access.places.known):
                raise PhoneNotFound
            refuse_changing(by, theirs, at.access.places.known)
        people.end_phones(metadata, phones=[phone], reason="revoked")

    return await _recorded(at, _told_by(at, by.id), decide)


async def log_out(at: At, session: Session) -> Recorded:
    """End the phone that the request came from. Raises `PhoneNotFound` when it has been ended."""
    return await end_phones(at.state, at.access, session.principal.id, [session.phone.id], "logged_out")


async def set_pin(at: At, session: Session, new: NewPin) -> None:
    """Choose a PIN; whoever has one says it. Raises `PinTooSimple`, `PinRequired`, `PinWrong`, `PinLocked`."""
    refuse_simple(new.pin)
    person, pins = session.principal.id, at.access.pins
    if await asyncio.to_thread(pins.is_set, person):
        if new.old is None:
            raise PinRequired
        await asyncio.to_thread(pins.check, person, new.old)
    await _recorded(at, _told_by(at, person), lambda people, metadata, _: people.set_pin(metadata, person=person))
    await asyncio.to_thread(pins.set, person, new.pin)


async def reset_pin(at: At, context: RequestContext, person: str) -> Recorded:
    """Take a person's PIN away, so that they choose a new one. Raises `PersonNotFound`, `Forbidden`, `FundNotFound`,
    `AccessHasEnded`."""

    def decide(people: People, metadata: EntryMetadata, approval: Approval) -> None:
        refuse_resetting(context.principal, _seen(people, person, context.principal, at), at.access.places.known)
        approval.require()
        people.reset_pin(metadata, person=person)

    recorded = await _recorded(at, context, decide)
    if not context.dry_run and not recorded.replayed:
        await asyncio.to_thread(at.access.pins.remove, person)
    return recorded


# --- what all of them need ----------------------------------------------------------------------------------------


def _seen(people: People, person: str, by: Principal, at: At) -> Person:
    """A person as far as the one who asks knows of them. Raises `PersonNotFound`."""
    found = people.person(person)
    if found.id != by.id and not sees(by, found.scope, at.access.places.known):
        raise PersonNotFound
    return found


async def _refuse_unknown_members(at: At, linked: Mapping[str, int]) -> None:
    """Raises `MemberNotFound` for a number that nobody has in a fund yet: somebody else may get it."""

    def missing() -> list[int]:
        return at.state.read_model.ask(
            lambda tables, _: [number for fund, number in linked.items() if not members.member(tables, fund, number)]
        )

    if linked:
        await at.state.follower.reached(at.state.acknowledged.latest, at.state.settings.read_wait_seconds)
        for number in await asyncio.to_thread(missing):
            raise MemberNotFound(member=number)


def _told_by(at: At, person: str) -> RequestContext:
    """An act that carries no key: it is done once, however often it is sent."""
    mark = RequestMark(secrets.token_hex(16), "")
    principal = Principal(id=person, name="", roles=frozenset(), scope=Scope())
    return RequestContext(principal, at.state.now(), mark, None, False, NOT_NEEDED)


async def _recorded(
    at: At, context: RequestContext, decide: Decide, texts: Mapping[str, str] | None = None, *, facts: int = 1
) -> Recorded:
    """Have an act decided and recorded, with the PIN that came along where it needs one."""
    kept: dict[str, Text] = {kind: written(PEOPLE, text) for kind, text in (texts or {}).items()}
    metadata = EntryMetadata(
        on=civil_day(context.at),
        recorded_at=context.at,
        recorded_by=context.principal.id,
        request=context.mark,
        texts={kind: text.digest for kind, text in kept.items()},
    )

    async def act(approval: Approval) -> Recorded:
        return await at.state.writer.record(
            Job(
                fund=PEOPLE,
                decide=lambda people: decide(people, metadata, approval),
                request=context.mark,
                aggregate=People,
                texts=tuple(kept.values()),
                expected_version=context.expected_version,
                opens=True,
                several=facts > 1,
                facts=facts,
                dry_run=context.dry_run,
            )
        )

    recorded = await approved(at.access.pins, context.approval, act)
    at.state.acknowledged.note(recorded)
    at.access.look_anew()
    return recorded

"""What is asked about people: who has access, whose phone it is, and what the log says of it; with names, for those who
may read the directory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from ledger.aggregates.people import People, Person, Phone
from ledger.events import Event, check_code
from ledger.events.people import Scope
from ledger.refusals import PersonNotFound
from service.access.delegation import is_oneself, sees
from service.access.principals import Principal
from service.access.readers import to_themselves
from service.access.sessions import Session
from service.access.throttle import Throttle
from service.http.refusals import CursorInvalid
from service.people.acts import At, look_at_invitation
from service.people.telling import line_told
from service.words.wording import capitalised

Answer = dict[str, Any]

ASIDE: Final = frozenset(("fund", "prev", "on", "recorded_at", "recorded_by", "request", "texts", "version", "type"))
"""Of a line, what is told under another name or is the chain's."""


# --- people -------------------------------------------------------------------------------------------------------


async def list_people(at: At, reader: Principal, cursor: str | None, limit: int) -> Answer:
    """Who has access or had it, as far as it is the reader's business, in the order they were admitted."""

    def ask() -> Answer:
        people, after = at.access.directory.people(), _number(cursor)
        seen = [
            person
            for person in people.persons.values()
            if person.version > after and sees(reader, person.scope, at.access.places.known)
        ]
        page = seen[:limit]
        more = str(page[-1].version) if len(seen) > limit else None
        return {"items": _told(at, people, page), "next": more}

    return await asyncio.to_thread(ask)


async def one_person(at: At, reader: Principal, person: str) -> Answer:
    """A person of the directory. Raises `PersonNotFound`, alike for one who is none of the reader's business."""

    def ask() -> Answer:
        people = at.access.directory.people()
        return _told(at, people, [_seen(at, people, reader, person)])[0]

    return await asyncio.to_thread(ask)


async def phones_of(at: At, reader: Principal, person: str) -> list[Answer]:
    """The phones that a person logs in on. Raises `PersonNotFound`."""

    def ask() -> list[Answer]:
        people = at.access.directory.people()
        return _phones(at, people.phones_of(_seen(at, people, reader, person).id))

    return await asyncio.to_thread(ask)


async def brief(at: At, person: str, texts: Mapping[str, str] | None = None, of: Event | None = None) -> Answer:
    """What an act about a person is answered with. `of` is what a dry run would record, with its texts as they came."""

    def ask() -> Answer:
        known = at.access.directory.people().persons.get(person)
        told: Any = of or known
        digest = (known.texts if known else {}).get("name")
        with to_themselves():
            name = (texts or {}).get("name") or _texts(at, [digest]).get(digest)
        return {"person": person, "name": name, "roles": told.roles, "scope": told.scope, "members": told.members}

    return await asyncio.to_thread(ask)


async def own_session(at: At, principal: Principal, session: Session | None) -> Answer:
    """Who asks: a person with the phone they ask from, or a token's principal, who has none."""

    def ask() -> Answer:
        told: Answer = {
            "person": principal.id,
            "name": None,
            "roles": sorted(principal.roles),
            "scope": principal.scope,
            "members": principal.members,
            "phone": None,
            "since": None,
            "pin_set": False,
        }
        if session is None:
            with to_themselves():
                return told | {"name": at.access.principals.names([principal.id]).get(principal.id)}
        name = at.access.directory.people().person(principal.id).texts.get("name")
        with to_themselves():
            texts = _texts(at, [name, session.phone.label])
        return told | {
            "name": texts.get(name),
            "phone": {"phone": session.phone.id, "label": texts.get(session.phone.label)},
            "since": session.phone.since,
            "pin_set": at.access.pins.is_set(principal.id),
        }

    return await asyncio.to_thread(ask)


async def invitation_shown(at: At, throttle: Throttle, code: str, address: str) -> Answer:
    """Whom an invitation is for and what it opens, to be shown before it is used. Raises `InvitationNotValid`,
    `TooManyRequests`."""
    invitation, person = await look_at_invitation(at, throttle, code, address)
    name = person.texts.get("name")
    texts = await asyncio.to_thread(_texts, at, [name])
    told = {"name": texts.get(name), "roles": person.roles, "scope": person.scope}
    return told | {"expires_at": invitation.expires_at}


def _seen(at: At, people: People, reader: Principal, person: str) -> Person:
    found = people.person(person)
    if not is_oneself(reader, found) and not sees(reader, found.scope, at.access.places.known):
        raise PersonNotFound
    return found


def _told(at: At, people: People, persons: Sequence[Person]) -> list[Answer]:
    phones = {person.id: people.phones_of(person.id) for person in persons}
    said = _phones(at, [phone for theirs in phones.values() for phone in theirs])
    by_phone = {phone["phone"]: phone for phone in said}
    texts = _texts(at, [digest for person in persons for digest in person.texts.values()])
    now = at.state.now()
    items = []
    for person in persons:
        theirs = [by_phone[phone.id] for phone in phones[person.id]]
        invitation = people.invitations.get(person.invitation or "")
        items.append(
            {
                "person": person.id,
                "name": texts.get(person.texts.get("name")),
                "phone": texts.get(person.texts.get("phone")),
                "roles": person.roles,
                "scope": person.scope,
                "members": person.members,
                "revoked": person.has_ended,
                "invited_until": invitation.expires_at if invitation and invitation.expires_at > now else None,
                "last_seen": max((phone["last_seen"] or "" for phone in theirs), default="") or None,
                "phones": theirs,
            }
        )
    return items


def _phones(at: At, phones: Sequence[Phone]) -> list[Answer]:
    seen = at.access.sessions.last_seen([phone.id for phone in phones])
    texts = _texts(at, [phone.label for phone in phones])
    return [
        {
            "phone": phone.id,
            "label": texts.get(phone.label),
            "since": phone.since,
            "last_seen": seen.get(phone.id),
        }
        for phone in phones
    ]


def _texts(at: At, digests: Iterable[str | None]) -> dict[str | None, str]:
    """The texts that the register has, by their digests; what was erased is missing."""
    found = at.state.ledger.register.texts([digest for digest in digests if digest])
    return {digest: text for digest, text in found.items()}  # noqa: C416  # For the type of its keys.


# --- the log ------------------------------------------------------------------------------------------------------


async def people_log(
    at: At, reader: Principal, cursor: str | None, limit: int, order: Literal["asc", "desc"]
) -> Answer:
    """What gave, changed or ended access, as far as it is the reader's business; and the head of the whole log."""
    events, about = await asyncio.to_thread(_log, at, reader, cursor, limit, order)
    return {"items": [_line(event) for event in events]} | about


async def people_log_told(at: At, reader: Principal, cursor: str | None, limit: int, language: str) -> Answer:
    """The same in words and with names, the newest first: `{items: [{version, at, told}], head, check_code, next}`."""

    def ask() -> Answer:
        events, about = _log(at, reader, cursor, limit, "desc")
        names = at.access.principals.names({id for event in events for id in (event.recorded_by, event.person)})
        items = [
            {"version": event.version, "at": event.recorded_at, "told": capitalised(line_told(event, names, language))}
            for event in events
        ]
        return {"items": items} | about

    return await asyncio.to_thread(ask)


def _log(
    at: At, reader: Principal, cursor: str | None, limit: int, order: Literal["asc", "desc"]
) -> tuple[list[Any], Answer]:
    """A page of the log's events, and what is told beside them."""
    people, after = at.access.directory.people(), _number(cursor)
    ascending = order == "asc"
    events = people.entries[after:] if ascending else people.entries[: after - 1 if after else None][::-1]
    seen = [event for event in events if _concerns(at, people, reader, event)]
    page = seen[:limit]
    return page, {
        "head": people.head,
        "check_code": check_code(people.head) if people.version else None,
        "next": str(page[-1].version) if len(seen) > limit else None,
    }


def _concerns(at: At, people: People, reader: Principal, event: Any) -> bool:
    """Whether a line is a reader's business: by the scope it gave, or by the one its person has by now."""
    scopes: list[Scope] = [people.scope_of(event.person)]
    if given := getattr(event, "scope", None):
        scopes.append(given)
    return any(sees(reader, scope, at.access.places.known) for scope in scopes)


def _line(event: Any) -> Answer:
    told = {
        name: value for name, value in msgspec.structs.asdict(event).items() if name not in ASIDE and value is not None
    }
    return {
        "version": event.version,
        "type": event.name,
        "at": event.recorded_at,
        "by": event.recorded_by,
        **told,
    }


def _number(cursor: str | None) -> int:
    """The version that a page ended with, 0 for the first page. Raises `CursorInvalid`."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise CursorInvalid
    return int(cursor)

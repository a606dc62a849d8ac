"""Who may: the people's log as its lines have made it, and the decisions that a line can be added by.

Whether the one who asks may give what they give is judged where they are known, before the decision; here is what is
true of anybody's request: whom there is, which invitation is still open, whose phone it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ledger.aggregates.log import EntryMetadata, Log
from ledger.events.people import (
    PEOPLE,
    EndReason,
    InvitationAccepted,
    PersonAdmitted,
    PersonChanged,
    PersonInvited,
    PersonRevoked,
    PhoneEnded,
    PinReset,
    PinSet,
    Role,
    Scope,
    TokenIssued,
    TokenRevoked,
)
from ledger.refusals import AccessHasEnded, InvitationNotValid, NothingChanged, PersonNotFound, PhoneNotFound

INVITATION_LASTS: Final = timedelta(days=7)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the directory. `texts` are the digests of name and phone number; `invitation` is the open one."""

    id: str
    version: int
    roles: tuple[Role, ...]
    scope: Scope
    members: dict[str, int]
    texts: dict[str, str]
    invitation: str | None = None
    has_ended: bool = False


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a code opens, and until when."""

    id: str
    person: str
    expires_at: datetime


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A phone, or a computer, that a person logs in on. `label` is the digest of what they call it."""

    id: str
    person: str
    since: datetime
    label: str | None
    has_ended: bool = False


class People(Log):
    """The people who may log in, by their ids."""

    def __init__(self, log: str = PEOPLE) -> None:
        super().__init__(log)
        self.persons: dict[str, Person] = {}
        self.invitations: dict[str, Invitation] = {}
        self.phones: dict[str, Phone] = {}
        # Of those who hold a token and are none of the directory.
        self.programs: dict[str, Scope] = {}

    # --- what is asked of it --------------------------------------------------------------------------------------

    def person(self, person: str) -> Person:
        """A person, also one whose access has ended. Raises `PersonNotFound`."""
        if person not in self.persons:
            raise PersonNotFound
        return self.persons[person]

    def person_in_force(self, person: str) -> Person:
        """A person who may log in. Raises `PersonNotFound`, `AccessHasEnded`."""
        found = self.person(person)
        if found.has_ended:
            raise AccessHasEnded
        return found

    def phones_of(self, person: str) -> list[Phone]:
        """The phones that are a person's now, oldest first."""
        return [phone for phone in self.phones.values() if phone.person == person and not phone.has_ended]

    def phone(self, phone: str) -> Phone:
        """A phone that opens something. Raises `PhoneNotFound`."""
        found = self.phones.get(phone)
        if found is None or found.has_ended:
            raise PhoneNotFound
        return found

    def open_invitation(self, invitation: str | None, at: datetime) -> Invitation:
        """An invitation that can be accepted. Raises `InvitationNotValid`, alike for all that cannot be."""
        found = self.invitations.get(invitation or "")
        if found is None or found.expires_at <= at or self.persons[found.person].invitation != found.id:
            raise InvitationNotValid
        return found

    def scope_of(self, principal: str) -> Scope:
        """What a person or a program has to do with."""
        return self.programs.get(principal) or self.person(principal).scope

    def of_member(self, fund: str, member: int) -> list[Person]:
        """Those linked to a member of a fund, who are one person."""
        return [person for person in self.persons.values() if person.members.get(fund) == member]

    def phones_of_treasurer(self, fund: str, member: int, before: datetime) -> list[Phone]:
        """The phones that a treasurer of a fund had by an instant: of the member who is one, and of whoever has that
        role by this fund's name and is not known as another member. A chair who keeps the box has other duties, too."""
        theirs = {
            person.id
            for person in self.persons.values()
            if fund in person.scope.funds
            and "treasurer" in person.roles
            and "chair" not in person.roles
            and person.members.get(fund) in (None, member)
        }
        return [
            phone
            for phone in self.phones.values()
            if phone.person in theirs and not phone.has_ended and phone.since <= before
        ]

    # --- decisions ------------------------------------------------------------------------------------------------

    def admit(self, metadata: EntryMetadata, *, person: str, **may: Any) -> PersonAdmitted:
        """Put a person into the directory under an id that is nobody's yet."""
        assert person not in self.persons
        return self._record(PersonAdmitted, metadata, person=person, **may)

    def change(
        self,
        metadata: EntryMetadata,
        *,
        person: str,
        roles: tuple[Role, ...] | None = None,
        scope: Scope | None = None,
        members: dict[str, int] | None = None,
    ) -> PersonChanged:
        """Change what a person may, or their texts. Raises `PersonNotFound`, `AccessHasEnded`, `NothingChanged`."""
        before = self.person_in_force(person)
        may = {
            "roles": before.roles if roles is None else roles,
            "scope": before.scope if scope is None else scope,
            "members": before.members if members is None else members,
        }
        if not metadata.texts and all(getattr(before, name) == value for name, value in may.items()):
            raise NothingChanged
        return self._record(PersonChanged, metadata, person=person, **may)

    def revoke(self, metadata: EntryMetadata, *, person: str) -> PersonRevoked:
        """End a person's access. Raises `PersonNotFound`, `AccessHasEnded`."""
        self.person_in_force(person)
        return self._record(PersonRevoked, metadata, person=person)

    def issue_invitation(self, metadata: EntryMetadata, *, person: str, invitation: str) -> PersonInvited:
        """Let a person open one phone. Raises `PersonNotFound`, `AccessHasEnded`."""
        self.person_in_force(person)
        expires_at = metadata.recorded_at + INVITATION_LASTS
        return self._record(PersonInvited, metadata, person=person, invitation=invitation, expires_at=expires_at)

    def accept(self, metadata: EntryMetadata, *, invitation: str, phone: str) -> InvitationAccepted:
        """Use an invitation up, and open a phone with it. Raises `InvitationNotValid`."""
        person = self.open_invitation(invitation, metadata.recorded_at).person
        return self._record(InvitationAccepted, metadata, person=person, invitation=invitation, phone=phone)

    def end_phones(self, metadata: EntryMetadata, *, phones: Iterable[str], reason: EndReason) -> None:
        """End phones. Raises `PhoneNotFound` for one that has been ended."""
        for phone in [self.phone(phone) for phone in phones]:
            self._record(PhoneEnded, metadata, person=phone.person, phone=phone.id, reason=reason)

    def set_pin(self, metadata: EntryMetadata, *, person: str) -> PinSet:
        """Note that a person chose a PIN. Raises `PersonNotFound`, `AccessHasEnded`."""
        self.person_in_force(person)
        return self._record(PinSet, metadata, person=person)

    def reset_pin(self, metadata: EntryMetadata, *, person: str) -> PinReset:
        """Note that a person's PIN was taken away. Raises `PersonNotFound`, `AccessHasEnded`."""
        self.person_in_force(person)
        return self._record(PinReset, metadata, person=person)

    def note_token(self, metadata: EntryMetadata, *, person: str, is_revoked: bool = False, **may: Any) -> TokenIssued:
        """Note that a principal who is none of the directory was given a token, or that it was ended."""
        return self._record(TokenRevoked if is_revoked else TokenIssued, metadata, person=person, **may)

    # --- what events do -------------------------------------------------------------------------------------------

    def take_in_person(self, told: PersonAdmitted) -> None:
        """Put a person in, or in the place of what was known of them."""
        known = self.persons.get(told.person)
        self.persons[told.person] = Person(
            id=told.person,
            version=known.version if known else told.version,
            roles=told.roles,
            scope=told.scope,
            members=told.members,
            texts=(known.texts if known else {}) | (told.texts or {}),
            invitation=known.invitation if known else None,
        )

    def end_person(self, person: str) -> None:
        """End all that a person has."""
        for phone in self.phones_of(person):
            self.end_phone(phone.id)
        self._change(person, has_ended=True, invitation=None)

    def invite(self, told: PersonInvited) -> None:
        """Make an invitation a person's only one."""
        self.invitations[told.invitation] = Invitation(
            id=told.invitation, person=told.person, expires_at=told.expires_at
        )
        self._change(told.person, invitation=told.invitation)

    def open_phone(self, told: InvitationAccepted) -> None:
        """Use an invitation up."""
        label = (told.texts or {}).get("label")
        self.phones[told.phone] = Phone(id=told.phone, person=told.person, since=told.recorded_at, label=label)
        self._change(told.person, invitation=None)

    def end_phone(self, phone: str) -> None:
        """End a phone for good."""
        self.phones[phone] = msgspec.structs.replace(self.phones[phone], has_ended=True)

    def _change(self, person: str, **changes: Any) -> None:
        self.persons[person] = msgspec.structs.replace(self.persons[person], **changes)

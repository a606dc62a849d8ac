"""Who runs the service lets the first people in, at its command line: by no other's leave, and in the same log."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.people import People
from ledger.application import Ledger
from ledger.events import Event
from ledger.events.people import OPERATOR, PEOPLE, PersonInvited, Role, Scope
from ledger.jobs import Job, Recorded
from ledger.register import written
from service.access.codes import digest_of, new_code
from service.access.phones import unkeyed
from service.access.principals import Principal, new_id
from service.access.tokens import Principals


class Invitation(NamedTuple):
    """What lets a person in, told once."""

    code: str
    expires_at: datetime


class Operator:
    """The acts of whoever runs the service. Raises what the people's log refuses."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now

    def admit(
        self,
        name: str,
        roles: frozenset[Role],
        scope: Scope,
        members: Mapping[str, int] | None = None,
        phone: str | None = None,
    ) -> str:
        """Put a person into the directory; answers their id."""
        person = new_id()
        texts = {"name": name} | ({"phone": phone} if phone else {})

        def decide(people: People, metadata: EntryMetadata) -> None:
            may = {"roles": tuple(sorted(roles)), "scope": scope, "members": dict(sorted((members or {}).items()))}
            people.admit(metadata, person=person, **may)

        self._record(decide, texts)
        return person

    def invite(self, person: str) -> Invitation:
        """Let a person open one phone. Raises `PersonNotFound`, `AccessHasEnded`."""
        invitation, code = f"i{secrets.token_hex(6)}", new_code()
        event = self._record(
            lambda people, metadata: people.issue_invitation(metadata, person=person, invitation=invitation)
        )
        assert isinstance(event, PersonInvited)
        self._ledger.database.execute(
            "INSERT INTO invitation_codes VALUES (:digest, :invitation)", digest=digest_of(code), invitation=invitation
        )
        return Invitation(code, event.expires_at)

    def revoke(self, person: str, reason: str | None = None) -> None:
        """End a person's access. Raises `PersonNotFound`, `AccessHasEnded`."""
        texts = {"reason": reason} if reason else None
        self._record(lambda people, metadata: people.revoke(metadata, person=person), texts)

    def issue_token(self, principal: Principal) -> str:
        """Make a token for a principal, and note it first: no token opens anything that the log does not know of."""
        self._note_token(principal, is_revoked=False)
        return Principals(self._ledger).admit(self._now(), principal)

    def revoke_token(self, token: str) -> bool:
        """End a token; answers whether it was valid until now."""
        principals = Principals(self._ledger)
        principal = principals.holder(token)
        if principal is None or not principals.revoke(self._now(), token):
            return False
        self._note_token(principal, is_revoked=True)
        return True

    def _note_token(self, principal: Principal, *, is_revoked: bool) -> None:
        may = {"roles": tuple(sorted(principal.roles)), "scope": principal.scope, "members": principal.members}

        def decide(people: People, metadata: EntryMetadata) -> None:
            people.note_token(metadata, person=principal.id, is_revoked=is_revoked, **may)

        self._record(decide)

    def _record(self, decide: Callable[[People, EntryMetadata], Any], texts: Mapping[str, str] | None = None) -> Event:
        kept = {kind: written(PEOPLE, text) for kind, text in (texts or {}).items()}
        metadata = unkeyed(self._now(), OPERATOR, {kind: text.digest for kind, text in kept.items()})
        (outcome,) = self._ledger.record(
            [
                Job(
                    fund=PEOPLE,
                    decide=lambda people: decide(people, metadata),
                    request=metadata.request,
                    aggregate=People,
                    texts=tuple(kept.values()),
                    opens=True,
                )
            ]
        )
        if not isinstance(outcome, Recorded):
            raise outcome
        return outcome.events[0]

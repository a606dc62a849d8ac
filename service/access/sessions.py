"""Sessions of people's phones: on the server, so that they can be ended; the phone has a random token in a cookie.

Which phone is whose stands in the people's log. A row here says which token a phone has, by its SHA-256, and when it
was last seen; without the log's word it opens nothing, and a phone that the log has ended opens nothing any more.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec
from eventsourcing.persistence import PersistenceError

from ledger.aggregates.people import People, Phone
from ledger.database import Database
from ledger.refusals import PhoneNotFound
from service.access.directory import Directory
from service.access.principals import Principal, Role
from service.access.remembering import Remembered
from service.access.tokens import Principals

COOKIE: Final = "__Host-microfund"
COOKIE_SECONDS: Final = 400 * 24 * 3600
"""As long as browsers keep any cookie; how long one may be idle is judged here, not by the phone."""

IDLE: Final = timedelta(days=90)
IDLE_AT_A_DESK: Final = timedelta(hours=12)
AT_A_MEETING: Final[frozenset[Role]] = frozenset({"treasurer", "chair", "member"})
"""Whoever has these roles alone carries the phone to the meeting, and may be gone for a season."""
MOST_UNSEEN: Final = timedelta(minutes=15)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A phone that a request came from, and the person whose it is."""

    digest: str
    phone: Phone
    principal: Principal


def idle_time(roles: frozenset[Role]) -> timedelta:
    """How long a phone of somebody with these roles may be silent."""
    return IDLE if roles <= AT_A_MEETING else IDLE_AT_A_DESK


class Sessions:
    """The sessions of one database. Methods block; the edge calls them off its event loop."""

    def __init__(
        self, database: Database, directory: Directory, principals: Principals, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._directory = directory
        self._principals = principals
        self._now = now
        self._remembered: Remembered[Session] = Remembered()

    def issue(self, phone: str) -> str:
        """A token for a phone that the log is about to open; until it does, the token opens nothing."""
        token = secrets.token_urlsafe(32)
        self._database.execute(
            "INSERT INTO sessions VALUES (:digest, :phone, :now)",
            digest=digest_of(token),
            phone=phone,
            now=self._now().isoformat(),
        )
        return token

    def remembered(self, token: str) -> Session | None:
        """The session of a token that was looked up a moment ago; does not block."""
        return self._remembered.get(digest_of(token))

    def holder(self, token: str) -> Session | None:
        """The session of a token that opens something."""
        digest, asked_at = digest_of(token), self._remembered.now()
        self._remembered.forget(digest)
        rows = self._database.query("SELECT phone, last_seen FROM sessions WHERE digest = :digest", digest=digest)
        if not rows:
            return None
        people = self._directory.people()
        try:
            phone = people.phone(rows[0]["phone"])
        except PhoneNotFound:
            return None
        principal = self._principal(people, phone.person)
        silent, idle = self._now() - datetime.fromisoformat(rows[0]["last_seen"]), idle_time(principal.roles)
        if silent > idle:
            return None
        if silent > min(idle / 720, MOST_UNSEEN):
            self._seen(digest)
        return self._remembered.put(digest, Session(digest=digest, phone=phone, principal=principal), asked_at)

    def last_seen(self, phones: list[str]) -> dict[str, str]:
        """When phones were last seen, as instants in UTC, not to the minute."""
        rows = self._database.select_in("SELECT phone, last_seen FROM sessions WHERE phone IN", phones)
        return {row["phone"]: row["last_seen"] for row in rows}

    def forget(self) -> None:
        """Look everybody up anew: access has changed in this process."""
        self._remembered.forget()

    def _principal(self, people: People, person: str) -> Principal:
        found = people.person(person)
        principal = Principal(
            id=found.id, name="", roles=frozenset(found.roles), scope=found.scope, members=found.members
        )
        return self._principals.with_aliases(principal)

    def _seen(self, digest: str) -> None:
        with suppress(PersistenceError):  # A database that can only be read lets people read all the same.
            self._database.execute(
                "UPDATE sessions SET last_seen = :now WHERE digest = :digest",
                now=self._now().isoformat(),
                digest=digest,
            )


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()

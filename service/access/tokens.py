"""The principals who hold tokens, and who of all is one person.

Only a token's SHA-256 is stored. What is looked up is remembered for a few seconds, so that a revoked token dies soon.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.events.people import PEOPLE
from ledger.register import KEEP, written
from service.access.principals import Principal, Role, Scope, new_id
from service.access.remembering import Remembered

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.database import Transaction
    from service.access.directory import Directory


_SELECT: Final = (
    "SELECT p.principal FROM tokens t JOIN principals p ON p.id = t.principal "
    "WHERE t.digest = :digest AND t.revoked_at IS NULL"
)
_SELECT_LINKED: Final = "SELECT principal, member FROM memberships WHERE fund = :fund"
_SELECT_NAMES: Final = "SELECT id, name FROM principals WHERE id IN"
_SELECT_OF_MEMBER: Final = "SELECT principal FROM memberships WHERE fund = :fund AND member = :member"


class Principals:
    """The principals of one ledger who hold tokens, and who of all is one person. Methods block; the edge calls them
    off its event loop."""

    def __init__(
        self, ledger: "Ledger", directory: "Directory | None" = None, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        from service.access.directory import Directory

        self._database = ledger.database
        self._register = ledger.register
        self._directory = directory or Directory(ledger)
        self._remembered: Remembered[Principal] = Remembered(seconds)

    def issue(self, now: datetime, *, name: str, roles: frozenset[Role], scope: Scope, members: dict[str, int]) -> str:
        """Make a principal, and a token for them."""
        made = Principal(id=new_id(), name=name, roles=roles, scope=scope, members=members)
        return self.admit(now, made)

    def admit(self, now: datetime, principal: Principal) -> str:
        """Keep a principal and make a token for them, which is answered once and never stored."""
        token = f"mf_{secrets.token_urlsafe(32)}"
        name = written(PEOPLE, principal.name)
        (encrypted,) = self._register.encrypted([name])
        with self._database.transaction() as transaction:
            transaction.execute(KEEP, **encrypted._asdict())
            transaction.execute(
                "INSERT INTO principals VALUES (:id, :principal, :name)",
                id=principal.id,
                principal=msgspec.json.encode(msgspec.structs.replace(principal, name="")).decode(),
                name=name.digest,
            )
            _link(transaction, principal)
            transaction.execute(
                "INSERT INTO tokens VALUES (:digest, :principal, :issued_at, NULL)",
                digest=_digest(token),
                principal=principal.id,
                issued_at=now.isoformat(),
            )
        return token

    def revoke(self, now: datetime, token: str) -> bool:
        """End a token's validity; answers whether it was valid until now."""
        return bool(
            self._database.execute(
                "UPDATE tokens SET revoked_at = :now WHERE digest = :digest AND revoked_at IS NULL",
                now=now.isoformat(),
                digest=_digest(token),
            )
        )

    def linked(self, fund: str, ids: Iterable[str]) -> dict[str, int]:
        """The member's numbers in a fund of those among some principals who are members of it, by the principal."""
        found = {row["principal"]: row["member"] for row in self._database.query(_SELECT_LINKED, fund=fund)}
        persons = self._directory.people().persons.values()
        found |= {person.id: person.members[fund] for person in persons if fund in person.members}
        return {principal: found[principal] for principal in ids if principal in found}

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of principals, be they tokens or people, by their ids; those that the register has."""
        wanted, persons = sorted(ids), self._directory.people().persons
        digests = {id: digest for id in wanted if id in persons and (digest := persons[id].texts.get("name"))}
        digests |= {row["id"]: row["name"] for row in self._database.select_in(_SELECT_NAMES, wanted)}
        texts = self._register.texts(digests.values())
        return {id: texts[digest] for id, digest in digests.items() if digest in texts}

    def of_member(self, fund: str, member: int) -> dict[str, list[Role]]:
        """Who may act in a member's name, be they tokens or people: the roles of each, by their ids."""
        people = {person.id: sorted(person.roles) for person in self._directory.people().of_member(fund, member)}
        linked = [row["principal"] for row in self._database.query(_SELECT_OF_MEMBER, fund=fund, member=member)]
        rows = self._database.select_in("SELECT principal FROM principals WHERE id IN", linked)
        tokens = (msgspec.json.decode(row["principal"], type=Principal) for row in rows)
        return people | {token.id: sorted(token.roles) for token in tokens}

    def remembered(self, token: str) -> Principal | None:
        """The holder of a token that was looked up a moment ago; does not block."""
        return self._remembered.get(_digest(token))

    def holder(self, token: str) -> Principal | None:
        """The holder of a valid token."""
        digest, asked_at = _digest(token), self._remembered.now()
        rows = self._database.query(_SELECT, digest=digest)
        if not rows:
            self._remembered.forget(digest)
            return None
        principal = self.with_aliases(msgspec.json.decode(rows[0]["principal"], type=Principal))
        return self._remembered.put(digest, principal, asked_at)

    def forget(self) -> None:
        """Look everybody up anew: who is one person with whom has changed in this process."""
        self._remembered.forget()

    def with_aliases(self, principal: Principal) -> Principal:
        """A principal with all others who are the same person, be they tokens or people of the directory."""
        if not principal.members:
            return principal
        people = self._directory.people()
        found = {
            fund: {person.id for person in people.of_member(fund, member)} for fund, member in principal.members.items()
        }
        for fund, member in principal.members.items():
            rows = self._database.query(_SELECT_OF_MEMBER, fund=fund, member=member)
            found[fund] |= {row["principal"] for row in rows}
        aliases = {fund: frozenset(ids - {principal.id}) for fund, ids in found.items() if ids - {principal.id}}
        return msgspec.structs.replace(principal, aliases=aliases)


def _link(transaction: "Transaction", principal: Principal) -> None:
    for fund, member in principal.members.items():
        transaction.execute(
            "INSERT INTO memberships VALUES (:principal, :fund, :member) ON CONFLICT DO NOTHING",
            principal=principal.id,
            fund=fund,
            member=member,
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

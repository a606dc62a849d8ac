"""Who asks, and what they may: principals with roles and a scope, and the tokens they hold.

Only a token's SHA-256 is stored. What is looked up is remembered for a few seconds, so that a revoked token dies soon.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from ledger.database import Database, Transaction

Role = Literal["admin", "treasurer", "chair", "inspector", "reporter"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

REMEMBERED_SECONDS: Final = 5.0
MOST_REMEMBERED: Final = 10_000


class Place(msgspec.Struct, frozen=True):
    """Where a fund is. Since July 2025 there are no districts."""

    province: str
    district: str | None
    commune: str


class Scope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The funds a principal has to do with: all, those of a province, of a district or commune in it, or named ones.

    Districts and communes of two provinces may bear one name, so either without its province holds nothing. A commune
    needs no district; with one, it is the commune of that name in that district.
    """

    everything: bool = False
    province: str | None = None
    district: str | None = None
    commune: str | None = None
    funds: frozenset[str] = frozenset()

    @property
    def is_well_formed(self) -> bool:
        """Whether it says one thing: all, a place from its province down, or named funds."""
        kinds = (self.everything, bool(self.province), bool(self.funds))
        return kinds.count(True) == 1 and (bool(self.province) or self.district is self.commune is None)

    def holds(self, fund: str, place: Place) -> bool:
        """Whether a fund is in scope."""
        if self.everything or fund in self.funds:
            return True
        return (
            self.province == place.province
            and self.district in (None, place.district)
            and self.commune in (None, place.commune)
        )


class Principal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody, or some program, with a token. `members` says under which number they are a member of a fund.

    `aliases` are, by fund, the other principals linked to the same member: looked up with the token, never stored.
    """

    id: str
    name: str
    roles: frozenset[Role]
    scope: Scope
    members: dict[str, int] = {}
    aliases: dict[str, frozenset[str]] = {}


_SELECT: Final = (
    "SELECT p.principal FROM tokens t JOIN principals p ON p.id = t.principal "
    "WHERE t.digest = :digest AND t.revoked_at IS NULL"
)
_SELECT_LINKED: Final = "SELECT principal, member FROM memberships WHERE fund = :fund"
_SELECT_ALIASES: Final = (
    "SELECT other.fund, other.principal FROM memberships own "
    "JOIN memberships other ON other.fund = own.fund AND other.member = own.member "
    "WHERE own.principal = :id AND other.principal <> :id"
)


class Principals:
    """The principals of one database. Methods block; the edge calls them off its event loop."""

    def __init__(self, database: "Database", seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._remembered: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def issue(self, now: datetime, *, name: str, roles: frozenset[Role], scope: Scope, members: dict[str, int]) -> str:
        """Make a principal, and a token for them."""
        made = Principal(id=f"p{secrets.token_hex(6)}", name=name, roles=roles, scope=scope, members=members)
        return self.admit(now, made)

    def admit(self, now: datetime, principal: Principal) -> str:
        """Keep a principal and make a token for them, which is answered once and never stored."""
        token = f"mf_{secrets.token_urlsafe(32)}"
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO principals VALUES (:id, :principal)",
                id=principal.id,
                principal=msgspec.json.encode(principal).decode(),
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
        return {principal: found[principal] for principal in ids if principal in found}

    def remembered(self, token: str) -> Principal | None:
        """The holder of a token that was looked up a moment ago; does not block."""
        until, principal = self._remembered.get(_digest(token), (0.0, None))
        return principal if self._seconds() < until else None

    def holder(self, token: str) -> Principal | None:
        """The holder of a valid token."""
        digest = _digest(token)
        rows = self._database.query(_SELECT, digest=digest)
        if not rows:
            self._remembered.pop(digest, None)
            return None
        principal = msgspec.json.decode(rows[0]["principal"], type=Principal)
        if principal.members:
            principal = msgspec.structs.replace(principal, aliases=self._aliases(principal))
        self._remembered[digest] = (self._seconds() + REMEMBERED_SECONDS, principal)
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    def _aliases(self, principal: Principal) -> dict[str, frozenset[str]]:
        aliases: dict[str, frozenset[str]] = {}
        for row in self._database.query(_SELECT_ALIASES, id=principal.id):
            aliases[row["fund"]] = aliases.get(row["fund"], frozenset()) | {row["principal"]}
        return aliases


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

"""Who asks, and what they may: principals with roles and a scope."""

import base64
import hashlib
import secrets

import msgspec

from ledger.events.club import PRACTICE
from ledger.events.people import ROLES, Place, Role, Scope

__all__ = ["ROLES", "Place", "Principal", "Role", "Scope", "new_id"]


class Principal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody, or some program, that asks. `members` says under which number they are a member of a fund.

    `aliases` are, by fund, the other principals linked to the same member: looked up with the token, never stored.
    A name is not looked up with them; it lies in the register.
    """

    id: str
    name: str
    roles: frozenset[Role]
    scope: Scope
    members: dict[str, int] = {}
    aliases: dict[str, frozenset[str]] = {}

    @property
    def practice_codes(self) -> tuple[str, ...]:
        """The code of the club to practise on that this principal may make, and then those of whoever else is the same
        person. It follows from the id: so there is one for each, and nobody needs to be let into their own."""
        others = sorted({other for ids in self.aliases.values() for other in ids})
        return tuple(f"{PRACTICE}{_letters(id)}" for id in (self.id, *others))

    def holds(self, fund: str, place: Place) -> bool:
        """Whether a fund is a principal's to see: one in scope, or the own one to practise on."""
        return self.scope.holds(fund, place) or (fund.startswith(PRACTICE) and fund in self.practice_codes)


def _letters(id: str) -> str:
    return base64.b32encode(hashlib.sha256(id.encode()).digest())[:10].decode()


def new_id() -> str:
    """The id of a principal that is nobody's yet."""
    return f"p{secrets.token_hex(6)}"

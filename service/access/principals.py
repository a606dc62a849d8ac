"""Who asks, and what they may: principals with roles and a scope."""

import secrets

import msgspec

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


def new_id() -> str:
    """The id of a principal that is nobody's yet."""
    return f"p{secrets.token_hex(6)}"

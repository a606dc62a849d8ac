"""Who gives access to whom, and who sees who has it: nobody gives what they do not have.

An admin gives any role within the own scope; a chair gives the own club its treasurer, a deputy and members; others
give none. It holds for what a person has and for what they are to have, and nobody gives anything to themselves.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from ledger.aggregates.people import Person
from ledger.events.people import Place, Role, Scope
from ledger.refusals import FundNotFound
from service.access.principals import Principal
from service.http.refusals import Forbidden

PlaceOf = Callable[[str], Place | None]
"""Where a fund is; None for one that does not exist. May block."""

OF_A_CLUB: Final[frozenset[Role]] = frozenset({"treasurer", "chair", "member"})
"""What a chair gives in the own club."""
GIVERS: Final[frozenset[Role]] = frozenset({"admin", "chair"})
DIRECTORY_READERS: Final[frozenset[Role]] = frozenset({"admin", "inspector", "chair"})


def refuse_giving(
    giver: Principal, roles: Collection[Role], scope: Scope, members: Mapping[str, int], place_of: PlaceOf
) -> None:
    """Raises `Forbidden` for roles or a scope that are not the giver's to give, and `FundNotFound` alike for a named
    fund that does not exist and for one that is none of the giver's."""
    is_admin = "admin" in giver.roles
    if not is_admin and not ("chair" in giver.roles and set(roles) <= OF_A_CLUB and scope.funds):
        raise Forbidden
    if not giver.scope.covers(scope):
        raise Forbidden
    for fund in (*scope.funds, *members):
        if not _holds(giver.scope, fund, place_of):
            raise FundNotFound


def refuse_changing(giver: Principal, person: Person, place_of: PlaceOf) -> None:
    """Raises what `refuse_giving` raises for what a person has, and `Forbidden` for one's own person."""
    if is_oneself(giver, person):
        raise Forbidden
    refuse_giving(giver, person.roles, person.scope, person.members, place_of)


def refuse_resetting(giver: Principal, person: Person, place_of: PlaceOf) -> None:
    """Raises `Forbidden` unless it is a chair for a treasurer of the own club, or an admin for a chair or whoever else
    no chair answers for."""
    refuse_changing(giver, person, place_of)
    is_treasurer = "treasurer" in person.roles and "chair" not in person.roles
    if ("chair" if is_treasurer else "admin") not in giver.roles:
        raise Forbidden


def is_oneself(giver: Principal, person: Person) -> bool:
    """Whether a person is the one who asks, under this id or as the same member under another."""
    return person.id == giver.id or any(person.id in others for others in giver.aliases.values())


def sees(reader: Principal, scope: Scope, place_of: PlaceOf) -> bool:
    """Whether a reader of the directory may see somebody with this scope: where one of their clubs is the reader's, or
    all that they hold."""
    if scope.funds:
        return any(_holds(reader.scope, fund, place_of) for fund in scope.funds)
    return bool(reader.roles - {"chair"} & DIRECTORY_READERS) and reader.scope.covers(scope)


def _holds(scope: Scope, fund: str, place_of: PlaceOf) -> bool:
    place = place_of(fund)
    return place is not None and scope.holds(fund, place)

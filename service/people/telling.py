"""What the directory and its log say in words: for a page, for a terminal."""

from collections.abc import Iterable, Mapping

import msgspec

from ledger.events.people import OPERATOR, Role, Scope
from service.words import catalogue


def roles_told(roles: Iterable[Role], language: str) -> str:
    """Roles as one names them."""
    return ", ".join(catalogue.word("role", role, language) for role in sorted(roles))


def scope_told(scope: Scope, language: str) -> str:
    """What somebody has to do with: all clubs, a place, or clubs by their codes."""
    if scope.everything:
        return catalogue.phrase("people.everywhere", language)
    places = (scope.commune, scope.district, scope.province)
    return ", ".join(scope.funds or (place for place in places if place))


def line_told(event: msgspec.Struct, names: Mapping[str, str], language: str) -> str:
    """What a line of the people's log says. `names` are of people by their ids, as far as there are any."""
    facts = msgspec.structs.asdict(event)

    def name(principal: str) -> str:
        known = catalogue.phrase("people.operator", language) if principal == OPERATOR else names.get(principal)
        return known or principal

    told = {"by": name(facts["recorded_by"]), "whom": name(facts["person"]), "reason": facts.get("reason")}
    if "roles" in facts:
        told |= {"roles": roles_told(facts["roles"], language), "scope": scope_told(facts["scope"], language)}
    return catalogue.phrase(f"people.log.{type(event).__name__}", language, **told)

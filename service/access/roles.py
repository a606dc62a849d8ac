"""Who may what: the roles that each kind of request is open to, and the funds that a scope holds."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from ledger.projections import funds
from ledger.refusals import FundNotFound
from service.access.places import places_of
from service.access.principals import ROLES, Principal, Role
from service.http.refusals import Forbidden

WRITERS: frozenset[Role] = frozenset({"treasurer", "chair"})
DECIDERS: frozenset[Role] = frozenset({"chair"})
OPENERS: frozenset[Role] = frozenset({"admin"})
ROLES_OF_ALL: frozenset[Role] = frozenset(ROLES)
"""Routes that judge by more than the role."""
LOG_READERS: frozenset[Role] = frozenset({"chair", "inspector", "admin"})
"""Who sees who looked at people's data."""
INSPECTORS: frozenset[Role] = frozenset({"inspector"})
ANCHORERS: frozenset[Role] = OPENERS | INSPECTORS
"""Who may have a checkpoint made on demand."""
COUNTERS: frozenset[Role] = WRITERS | INSPECTORS
"""Who may count the box; an inspector does so by surprise."""
ERASERS: frozenset[Role] = frozenset({"chair", "admin"})
READERS: frozenset[Role] = frozenset({"treasurer", "chair", "inspector"})
"""Who reads everything, names included."""
FIGURE_READERS: frozenset[Role] = READERS | {"reporter", "admin"}
"""Who reads figures; of these, reporters and administrators never see a person."""


def admitted(roles: frozenset[Role]) -> Callable[[Request], Awaitable[Principal]]:
    """Admits a principal who has one of the roles, at the fund of the path if it names one. Raises `Forbidden`, and
    `FundNotFound` alike for a fund that does not exist and for one out of scope."""

    async def admit(request: Request) -> Principal:
        principal: Principal = request.scope["principal"]
        if not principal.roles & roles:
            raise Forbidden
        if (fund := request.path_params.get("fund")) is not None:
            place = await places_of(request).place_of(fund)
            if place is None or not principal.scope.holds(fund, place):
                raise FundNotFound
        return principal

    return admit


def sees_people(principal: Principal) -> bool:
    """Whether names, phones and notes may be shown to a principal."""
    return bool(principal.roles & READERS)


def scope_of(principal: Principal, province: str | None = None, district: str | None = None) -> funds.Scope:
    """The funds a principal may see, narrowed to a place; none where the two have nothing in common."""
    own = principal.scope
    if (own.province and province not in (None, own.province)) or (
        own.district and district not in (None, own.district)
    ):
        return funds.Scope(funds=[])
    by_code = not (own.everything or own.province)
    return funds.Scope(sorted(own.funds) if by_code else None, own.province or province, own.district or district)

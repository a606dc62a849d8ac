"""Who may what: the roles that each kind of request is open to, and the funds that a scope holds."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from ledger.projections import funds
from ledger.refusals import FundNotFound, NotFound
from service.access.places import places_of
from service.access.principals import Principal, Role
from service.http.fields import Words
from service.http.refusals import Forbidden

WRITERS: frozenset[Role] = frozenset({"treasurer", "chair"})
DECIDERS: frozenset[Role] = frozenset({"chair"})
OPENERS: frozenset[Role] = frozenset({"admin"})
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
MEMBERS: frozenset[Role] = frozenset({"member"})
"""Who reads the own passbook, and of the club what is nobody's in particular."""


def admitted(roles: frozenset[Role]) -> Callable[[Request], Awaitable[Principal]]:
    """Admits a principal who has one of the roles, at the fund of the path if it names one. Raises `Forbidden`, and
    `FundNotFound` alike for a fund that does not exist and for one out of scope.

    Whoever comes in as a member alone finds at an address of members nobody but themselves: `NotFound`, as for a number
    that nobody has.
    """

    async def admit(request: Request) -> Principal:
        principal: Principal = request.scope["principal"]
        if not principal.roles & roles:
            raise Forbidden
        if (fund := request.path_params.get("fund")) is not None:
            place = await places_of(request).place_of(fund)
            if place is None or not principal.holds(fund, place):
                raise FundNotFound
            member = request.path_params.get("member")
            if member is not None and is_member_alone(principal, roles) and member != str(principal.members.get(fund)):
                raise NotFound
        return principal

    return admit


def is_member_alone(principal: Principal, roles: frozenset[Role]) -> bool:
    """Whether a principal is admitted among these roles as a member, and as nothing else."""
    return principal.roles & roles <= MEMBERS


def sees_people(principal: Principal) -> bool:
    """Whether names, phones and notes may be shown to a principal."""
    return bool(principal.roles & READERS)


def scope_of(principal: Principal, area: funds.Area = funds.EVERYWHERE) -> funds.FundFilter:
    """The funds a principal may see by where they lie now, narrowed to those that lay in a place on the day asked
    about."""
    own = principal.scope
    by_code = not (own.everything or own.province)
    now_in = funds.Area(own.province, own.district, own.commune) if own.province else funds.EVERYWHERE
    return funds.FundFilter(sorted(own.funds) if by_code else None, area, now_in)


async def _in_scope(
    request: Request, province: Words | None = None, district: Words | None = None, commune: Words | None = None
) -> funds.FundFilter:
    return scope_of(request.scope["principal"], funds.Area(province, district, commune))


InScope = Annotated[funds.FundFilter, Depends(_in_scope)]
"""The funds that a list is about: those that whoever asks may see, in the place they ask for."""

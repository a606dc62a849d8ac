"""Who may, and who let them: the facts of the people's log, which is chained like a fund's and is none.

Of a person a line knows an id, roles and a scope. Names, phones, labels and reasons are digests of texts in the
register; what opens anything (tokens, codes, PINs) lies in tables beside the log and is in no line at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from ledger.events.base import Event

if TYPE_CHECKING:
    from ledger.aggregates.people import People

PEOPLE: Final = "people"
"""The id of the people's log; there is one."""
OPERATOR: Final = "operator"
"""Who records what is done at the command line of the service: whoever runs it."""

Role = Literal["admin", "treasurer", "chair", "inspector", "reporter", "member"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


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
    funds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "funds", tuple(sorted(self.funds)))

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

    def covers(self, other: Scope) -> bool:
        """Whether all that another scope holds is in this one, as far as places tell: where the other names funds,
        each must be asked of `holds`."""
        if self.everything or other.funds:
            return True
        if other.everything or not self.province:
            return False
        units = ("province", "district", "commune")
        return all(getattr(self, unit) in (None, getattr(other, unit)) for unit in units)


class PersonAdmitted(Event, frozen=True, kw_only=True, gc=False):
    """A person was put into the directory, with roles and a scope; they log in once they have accepted an invitation.
    `members` says under which number they are a member of a fund."""

    person: str
    roles: tuple[Role, ...]
    scope: Scope
    members: dict[str, int]

    def evolve(self, fund: People) -> None:
        fund.take_in_person(self)


class PersonChanged(PersonAdmitted, frozen=True, kw_only=True, gc=False):
    """What a person may was changed, or their name or phone. All that holds from now on is told, not only what is new;
    of the texts, those that are."""


class PersonRevoked(Event, frozen=True, kw_only=True, gc=False):
    """A person's access ended: no phone of theirs opens anything any more, and no invitation."""

    person: str

    def evolve(self, fund: People) -> None:
        fund.end_person(self.person)


class PersonInvited(Event, frozen=True, kw_only=True, gc=False):
    """A person was given a code that opens one phone, once, until `expires_at`. An older one of theirs is void now."""

    person: str
    invitation: str
    expires_at: datetime

    def evolve(self, fund: People) -> None:
        fund.invite(self)


class InvitationAccepted(Event, frozen=True, kw_only=True, gc=False):
    """A code was used: from now on, this phone is the person's."""

    person: str
    invitation: str
    phone: str

    def evolve(self, fund: People) -> None:
        fund.open_phone(self)


EndReason = Literal["logged_out", "revoked", "handover"]


class PhoneEnded(Event, frozen=True, kw_only=True, gc=False):
    """A phone no longer opens anything: it was logged out, ended by somebody, or its holder handed the box over."""

    person: str
    phone: str
    reason: EndReason

    def evolve(self, fund: People) -> None:
        fund.end_phone(self.phone)


class PinSet(Event, frozen=True, kw_only=True, gc=False):
    """A person chose the PIN that they approve with."""

    person: str


class PinReset(Event, frozen=True, kw_only=True, gc=False):
    """A person's PIN was taken away, forgotten or locked as it was; they choose a new one."""

    person: str


class TokenIssued(Event, frozen=True, kw_only=True, gc=False):
    """Whoever runs the service had a token made for a program, or for a person who reads by programs."""

    person: str
    roles: tuple[Role, ...]
    scope: Scope
    members: dict[str, int]

    def evolve(self, fund: People) -> None:
        fund.programs[self.person] = self.scope


class TokenRevoked(TokenIssued, frozen=True, kw_only=True, gc=False):
    """A token opens nothing any more; told is what it opened."""


PeopleEvent = (
    PersonAdmitted
    | PersonChanged
    | PersonRevoked
    | PersonInvited
    | InvitationAccepted
    | PhoneEnded
    | PinSet
    | PinReset
    | TokenIssued
    | TokenRevoked
)

decode: Final = msgspec.json.Decoder(PeopleEvent).decode
"""The event that a line of the people's log holds. Raises `MsgspecError` for bytes that are none."""

"""What questions and acts about people are answered with, for the API's document."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from ledger.events.people import Role


class ScopeTold(BaseModel):
    """One of: everything; a province, down to a district or commune; named funds."""

    model_config = ConfigDict(extra="forbid")

    everything: bool = False
    province: str | None = None
    district: str | None = None
    commune: str | None = None
    funds: list[str] = []


class PersonTold(BaseModel):
    """A person and what they may. The name is missing once it was erased."""

    model_config = ConfigDict(extra="forbid")

    person: str
    name: str | None
    roles: list[Role]
    scope: ScopeTold
    members: dict[str, int]


class PersonRevoked(PersonTold):
    """A person whose access has ended."""

    revoked: bool


class PhoneTold(BaseModel):
    """A phone, or a computer, that a person logs in on."""

    model_config = ConfigDict(extra="forbid")

    phone: str
    label: str | None
    since: datetime
    last_seen: datetime | None


class PersonListed(PersonRevoked):
    """A person of the directory. `phone` is their number; `last_seen` is right to a quarter of an hour."""

    phone: str | None
    invited_until: datetime | None
    last_seen: datetime | None
    phones: list[PhoneTold]


class PeopleListed(BaseModel):
    """A page of the directory."""

    model_config = ConfigDict(extra="forbid")

    items: list[PersonListed]
    next: str | None


class PhonesListed(BaseModel):
    """The phones of a person."""

    model_config = ConfigDict(extra="forbid")

    items: list[PhoneTold]


class PhoneEnded(BaseModel):
    """A phone that opens nothing any more."""

    model_config = ConfigDict(extra="forbid")

    phone: str
    ended: bool


class InvitationTold(BaseModel):
    """What lets a person in, once. `link`, `code` and `qr` are told once: they are null when the request is answered
    again, and for a dry run."""

    model_config = ConfigDict(extra="forbid")

    invitation: str
    person: str
    link: str | None
    code: str | None
    qr: str | None
    expires_at: datetime


class PinTold(BaseModel):
    """Whether a person has a PIN."""

    model_config = ConfigDict(extra="forbid")

    person: str
    pin_set: bool


class OwnPhone(BaseModel):
    """The phone that asks."""

    model_config = ConfigDict(extra="forbid")

    phone: str
    label: str | None


class SessionTold(PersonTold):
    """Who asks. A token has no phone."""

    phone: OwnPhone | None
    since: datetime | None
    pin_set: bool


class LineTold(BaseModel):
    """A line of the people's log: who, whom, what, when; and by its type roles, scope, phone and so on."""

    model_config = ConfigDict(extra="allow")

    version: int
    type: str
    at: datetime
    by: str
    person: str
    roles: list[Role] | None = None
    scope: ScopeTold | None = None


class LogTold(BaseModel):
    """A page of the people's log, and the head of the whole of it."""

    model_config = ConfigDict(extra="forbid")

    items: list[LineTold]
    head: str
    check_code: str | None
    next: str | None

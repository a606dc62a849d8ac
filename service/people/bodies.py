"""What is sent about people: whom to let in, what to change, a code, a PIN."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledger.events.people import Role, Scope
from service.http.body import Body, example
from service.http.fields import Code, FundCode, Name, Number, Some, Words

PersonId = Annotated[str, Code("p[0-9a-f]{12}")]
PhoneId = Annotated[str, Code("h[0-9a-f]{12}")]
Pin = Annotated[str, Code("[0-9]{6}", "pin-not-six-digits")]
TypedPin = Annotated[str, Code("[0-9]{1,12}", "pin-not-six-digits")]
Typed = Annotated[str, Code(r"[A-Za-z0-9 .\u2010-\u2015-]{1,40}")]
"""A code as somebody types it off a paper; whether it is one is judged where wrong ones are counted."""


def _one_of_a_kind(roles: list[Role]) -> list[Role]:
    if len(set(roles)) < len(roles):
        raise PydanticCustomError("given-twice", "given twice")
    return roles


Roles = Annotated[list[Role], Some(6), AfterValidator(_one_of_a_kind)]


class ScopeGiven(Body):
    """One of: everything, a province with at most a district and a commune in it, or named funds."""

    everything: bool = False
    province: Name | None = None
    district: Name | None = None
    commune: Name | None = None
    funds: Annotated[list[FundCode], Some(500)] | None = None

    def scope(self) -> Scope:
        """The scope as it is kept."""
        return Scope(
            everything=self.everything,
            province=self.province,
            district=self.district,
            commune=self.commune,
            funds=tuple(set(self.funds or ())),
        )


def _well_formed(given: ScopeGiven) -> ScopeGiven:
    if not given.scope().is_well_formed:
        raise PydanticCustomError("scope-not-one", "not one of the kinds")
    return given


AnyScope = Annotated[ScopeGiven, AfterValidator(_well_formed)]
Members = Annotated[
    dict[FundCode, Number],
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}),
]


class NewPerson(Body):
    """Somebody is put into the directory; they log in once they have accepted an invitation."""

    model_config = example(name="Hoàng Thị Sầm", phone="0912 345 678", roles=["treasurer"], scope={"funds": ["MP-01"]})
    PERSONAL = ("name", "phone")

    name: Name
    phone: Words | None = None
    roles: Roles
    scope: AnyScope
    members: Members | None = None


class PersonChange(Body):
    """What a person may changes, or what is known of them; what is not given stays."""

    model_config = example(roles=["treasurer", "chair"])
    PERSONAL = ("name", "phone")

    name: Name | None = None
    phone: Words | None = None
    roles: Roles | None = None
    scope: AnyScope | None = None
    members: Members | None = None


class Revocation(Body):
    """A person's access ends."""

    model_config = example(reason="Đã bàn giao")
    PERSONAL = ("reason",)

    reason: Words | None = None


class Acceptance(Body):
    """A code off an invitation is used up, and this phone is its person's from now on."""

    model_config = example(code="K7QD-2MXA-P4WN", label="Điện thoại của Sầm")

    code: Typed
    label: Words | None = None


class NewPin(Body):
    """A person chooses the PIN that they approve with; with one set already, that one comes along."""

    model_config = example(pin="285714")

    pin: Pin
    old: TypedPin | None = None
